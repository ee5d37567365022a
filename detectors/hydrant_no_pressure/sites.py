"""Hydrants that share a site share a supply: they are watched together."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.city import City, Device
from contracts.detector import Site
from contracts.geo import Point
from detectors.hydrant_no_pressure.config import HydrantConfig


def is_hydrant(device: Device) -> bool:
    """A fire hydrant with a pressure gauge: `pressure` alone may be a pump's."""
    if "hydrant" not in device.type.lower():
        return False
    return "pressure" in device.metrics or not device.metrics


def sites(city: City, _cfg: HydrantConfig) -> Iterable[Site]:
    """One site per `site` of the register; a hydrant without one is alone."""
    groups: dict[str, list[Device]] = {}
    for device in city.devices.values():
        if is_hydrant(device):
            groups.setdefault(device.site or device.id, []).append(device)
    for name, devices in sorted(groups.items()):
        yield Site(
            id=name,
            district=devices[0].district,
            point=middle([d.point for d in devices]),
            devices=tuple(devices),
            works=tuple(
                w for w in city.works if name in w.assets or {d.id for d in devices} & set(w.assets)
            ),
        )


def middle(points: list[Point]) -> Point:
    """The mean of positions that lie near one another."""
    n = len(points)
    return Point(sum(p.lon for p in points) / n, sum(p.lat for p in points) / n)
