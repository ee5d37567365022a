"""What each detector package offers the laws: a small realistic stream with one incident in it.

Each package has a `sample.py` with `def sample(seed: int) -> Sample`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from contracts.city import City, Device, Grid, Limit, Profile
from contracts.detector import Site
from contracts.geo import Point
from contracts.nouns import Item, Reading

START = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
"""When samples begin; no detector may care."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A stream with exactly one incident, one with none, and the site they are of."""

    city: City
    site: Site
    items: tuple[Item, ...]
    """In order of receipt; exactly one event comes of them."""
    quiet_items: tuple[Item, ...]
    """In order of receipt; no event comes of them."""
    tail_s: float = 600.0
    """Time that runs on after the last item, so that what is open can end."""
    reorderable: bool = True
    """Whether the items may be received up to a few seconds out of order (video may not)."""
    cfg: Any = None
    """The kind's configuration when the sample needs another than the shipped one."""


def city(**parts: Any) -> City:
    """A small city around the given parts."""
    square = ((118.0, 31.0), (119.0, 31.0), (119.0, 32.0), (118.0, 32.0), (118.0, 31.0))
    base: dict[str, Any] = {
        "id": "sample",
        "timezone": "Asia/Shanghai",
        "profile": Profile(name="sample", kinds={}, default_limit=Limit(), calendars={}),
        "grids": (Grid(id="g", name="g", level="grid", rings=((square,),)),),
        "devices": {},
    }
    return City(**{**base, **parts})


def device(id: str, **fields: Any) -> Device:
    """A device of the sample city."""
    base: dict[str, Any] = {"district": "d", "type": "sensor", "point": Point(118.78, 31.26)}
    return Device(id=id, **{**base, **fields})


def reading(device: str, metric: str, value: float, after_s: float, seq: int = 0) -> Reading:
    """A reading `after_s` seconds after START, received a moment later."""
    at = START + timedelta(seconds=after_s)
    received = at + timedelta(milliseconds=120)
    return Reading(device, metric, value, at, received, sent_at=at, seq=seq)
