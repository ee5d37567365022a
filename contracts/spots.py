"""Places where people report: what stands behind a printed code (city fact, `places.csv`)."""

from __future__ import annotations

import msgspec

from contracts.city import City
from contracts.geo import Point


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """A place that has, or may have, a code on the wall."""

    id: str
    """`{what}:{id in the city}`, such as `drain:n4` or `grid:g-1`: what the code stands for."""
    what: str
    """`grid`, `drain`, `pole`, or what `places.csv` says: `building`, `gate`, `stop` …"""
    zh: str
    """What people call it."""
    en: str
    point: Point
    """Where it stands; of a grid its middle."""
    reach_m: float = 150.0
    """So near something is said to be here; a report's own position may be as far away."""
    grid: str | None = None
    """Of a grid: its id; what lies in it is here, however far from the middle."""


def own_spots(city: City) -> tuple[Spot, ...]:
    """The places that the city folder lists itself (`places.csv`)."""
    found = city.extra.get("places")
    return found if isinstance(found, tuple) else ()
