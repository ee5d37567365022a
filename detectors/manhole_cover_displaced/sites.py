"""Which covers are watched, and which water sensors stand in the same manhole."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.city import City, Device, DrainNetwork, Node, Work
from contracts.detector import Site
from contracts.geo import distance_m
from detectors.manhole_cover_displaced.config import CoverConfig

WATER = frozenset({"level", "depth"})


def is_cover(device: Device) -> bool:
    """A tilt sensor on a manhole's cover: `tilt` alone may be a pole's."""
    kind = device.type.lower()
    if "cover" not in kind and "manhole" not in kind:
        return False
    return "tilt" in device.metrics or not device.metrics


def sites(city: City, cfg: CoverConfig) -> Iterable[Site]:
    """One site per cover, with the water sensors and the drain node of its manhole."""
    for device in city.devices.values():
        if not is_cover(device):
            continue
        node = _node(city, device, cfg.near_m)
        inside = tuple(
            other
            for other in city.devices.values()
            if other.id != device.id
            and WATER & set(other.metrics)
            and distance_m(other.point, device.point) <= cfg.near_m
        )
        yield Site(
            id=device.id,
            district=device.district,
            point=device.point,
            devices=(device, *inside),
            drains=DrainNetwork(nodes={node.id: node}, pipes={}) if node is not None else None,
            works=tuple(w for w in city.works if _concerns(w, device, node)),
        )


def _node(city: City, device: Device, near_m: float) -> Node | None:
    if city.drains is None:
        return None
    nodes = city.drains.nodes
    for name in (device.id, device.site):
        if name is not None and name in nodes:
            return nodes[name]
    near = [n for n in nodes.values() if n.rim_m is not None and n.invert_m is not None]
    best = min(near, key=lambda n: (distance_m(n.point, device.point), n.id), default=None)
    if best is None or distance_m(best.point, device.point) > near_m:
        return None
    return best


def _concerns(work: Work, device: Device, node: Node | None) -> bool:
    if device.id in work.assets or (node is not None and node.id in work.assets):
        return True
    if work.assets or work.point is None:
        return False
    return distance_m(work.point, device.point) <= work.radius_m
