"""Poles of one line or street are watched together: wind sways all of them, a lorry hits one."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.city import City, Device
from contracts.detector import Site
from contracts.geo import Point
from detectors._common.works import concerns
from detectors.pole_tilt.config import PoleConfig

TILTS = frozenset({"tilt", "tilt_x", "tilt_y"})
STANDS = ("pole", "tower", "mast", "post", "lamp", "light", "line_monitor", "sign", "gantry")
"""Words in the type of a device that sits on something upright."""


def is_pole(device: Device) -> bool:
    """A tilt sensor on something upright: `tilt` alone may be a manhole cover's."""
    kind = device.type.lower()
    if not any(word in kind for word in STANDS):
        return False
    return bool(TILTS & set(device.metrics)) or (not device.metrics and "pole" in kind)


def sites(city: City, _cfg: PoleConfig) -> Iterable[Site]:
    """One site per `site` of the register; a pole without one is alone."""
    groups: dict[str, list[Device]] = {}
    for device in city.devices.values():
        if is_pole(device):
            groups.setdefault(device.site or device.id, []).append(device)
    for name, devices in sorted(groups.items()):
        n = len(devices)
        yield Site(
            id=name,
            district=devices[0].district,
            point=Point(
                sum(d.point.lon for d in devices) / n, sum(d.point.lat for d in devices) / n
            ),
            devices=tuple(devices),
            works=tuple(
                w for w in city.works if any(concerns(w, (name, d.id), d.point) for d in devices)
            ),
        )
