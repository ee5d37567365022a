"""Where residents' reports come from when the city registers no app: the center's own page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contracts.city import Device, Grid
from contracts.geo import Point
from contracts.kinds import APP_TYPES

WEB = "web"


def with_app(devices: Mapping[str, Device], grids: Sequence[Grid]) -> dict[str, Device]:
    """The devices, and `web` of type `app` beside them where none is of such a type.

    It belongs to the first device's district; every report carries a place of its own.
    """
    known = dict(devices)
    if WEB in known or any(device.type.lower() in APP_TYPES for device in known.values()):
        return known
    first = next(iter(known.values()), None)
    point = first.point if first else _somewhere(grids)
    known[WEB] = Device(id=WEB, district=first.district if first else WEB, type="app", point=point)
    return known


def _somewhere(grids: Sequence[Grid]) -> Point:
    lon, lat = grids[0].rings[0][0][0] if grids and grids[0].rings else (0.0, 0.0)
    return Point(lon, lat)
