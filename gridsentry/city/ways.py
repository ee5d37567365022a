"""Which ways of OpenStreetMap people may use, and how fast: on foot, and riding a scooter.

Classes and access follow OSRM's foot profile (all classes at walking speed, one-way streets count
for vehicles only, motorways and motor roads closed, soft ground at 0.75 and 0.5). Where we differ,
the constants say why.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

STREETS = frozenset(
    [
        *("primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link"),
        *("unclassified", "residential", "living_street", "road", "service", "busway"),
    ]
)
PATHS = frozenset(["footway", "pedestrian", "path", "bridleway", "corridor", "platform"])
STEPS_ON_FOOT = 0.5
"""Along the ground, people on stairs are about half as fast as on the level (Fruin, Pedestrian
Planning and Design, 1971: 0.5 to 0.75 m/s against 1.3)."""
STEPS_PUSHED = 0.1
"""Riders carry or push it up the ramp beside the steps: our estimate."""
PUSHED = 0.25
"""Riders push where riding is not allowed: walking speed over a scooter's 5 m/s."""
SHARED = 0.5
"""Riders among people on foot: our estimate (2.5 m/s, a run)."""
BUSY = 0.5
"""On foot along a national road that says nothing of people on foot: open by OpenStreetMap's own
defaults, but other ways are better. (OSRM closes them: that would cut a town whose one bridge is
such a road in two.)"""
FERRY = 0.1
"""Boarding and waiting included: a 500 m ferry at 0.13 m/s is an hour. Our estimate."""
SURFACES = {
    **dict.fromkeys(("gravel", "fine_gravel", "pebblestone"), 0.75),
    **dict.fromkeys(("mud", "sand"), 0.5),
}
YES = frozenset(["yes", "designated", "permissive", "destination", "official"])
NO = frozenset(["no", "use_sidepath"])


class Pace(msgspec.Struct, frozen=True):
    """How fast a way is, of the traveller's speed; 0: closed."""

    foot: float
    ride: float
    ride_back: float
    """Riding against the drawn direction."""


def pace(tags: Mapping[str, str]) -> Pace | None:
    """The pace of a way with these tags; None where it is nothing to get about on.

    A private way is open: gated compounds are tagged so, and grid workers are let in.
    """
    found = _class(tags)
    if found is None:
        return None
    foot, ride = found
    allowed = tags.get("foot", tags.get("access", ""))
    if allowed in NO:
        foot = 0.0
    elif foot == 0.0 and tags.get("foot") in YES:
        foot = 1.0
    cycling = tags.get("bicycle", tags.get("vehicle", tags.get("access", "")))
    if cycling in YES and ride < 1.0 and tags.get("highway") != "steps":
        ride = 1.0
    elif cycling in ("no", "dismount"):
        ride = min(ride, PUSHED) if foot else 0.0
    soft = SURFACES.get(tags.get("surface", ""), 1.0)
    foot, ride = foot * soft, ride * soft
    back = ride
    against = _against(tags)
    if against:
        back = min(ride, PUSHED) if foot else 0.0
    if against < 0:
        ride, back = back, ride
    if not (foot or ride or back):
        return None
    return Pace(foot, ride, back)


def _class(tags: Mapping[str, str]) -> tuple[float, float] | None:
    """(on foot, riding) by class alone."""
    highway = tags.get("highway", "")
    if tags.get("motorroad") == "yes" or highway.startswith("motorway"):
        return None
    if highway in STREETS:
        return 1.0, 1.0
    if highway.startswith("trunk"):
        walked = tags.get("sidewalk", "no") not in ("no", "none") or tags.get("foot") in YES
        return (1.0 if walked else BUSY), 1.0
    if highway == "cycleway":
        return 1.0, 1.0
    if highway in PATHS or tags.get("man_made") == "pier":
        return 1.0, SHARED
    if highway == "track":
        return 1.0, SHARED
    if highway == "steps":
        return STEPS_ON_FOOT, STEPS_PUSHED
    if tags.get("route") == "ferry" and tags.get("foot", "yes") not in NO:
        return FERRY, FERRY
    return None


def _against(tags: Mapping[str, str]) -> int:
    """1: riders may not ride against the drawn direction, -1: not along it, 0: both ways."""
    oneway = tags.get("oneway:bicycle", tags.get("oneway", ""))
    if not oneway and tags.get("junction") in ("roundabout", "circular"):
        oneway = "yes"
    return {"yes": 1, "1": 1, "true": 1, "-1": -1, "reverse": -1}.get(oneway, 0)
