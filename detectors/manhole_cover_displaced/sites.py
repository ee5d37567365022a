"""Which covers are watched, and which water sensors stand in the same manhole."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.city import City, Device, DrainNetwork
from contracts.detector import Site
from contracts.geo import distance_m
from detectors._common.water.near import Nearby
from detectors._common.works import concerns
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
    nodes = city.drains.nodes if city.drains is not None else {}
    levelled = Nearby(
        {k: n for k, n in nodes.items() if n.rim_m is not None and n.invert_m is not None}
    )
    water = [device for device in city.devices.values() if WATER & set(device.metrics)]
    for device in city.devices.values():
        if not is_cover(device):
            continue
        named = next((nodes[name] for name in (device.id, device.site) if name in nodes), None)
        node = named or levelled.node_of(device, cfg.near_m)
        inside = tuple(
            other
            for other in water
            if other.id != device.id and distance_m(other.point, device.point) <= cfg.near_m
        )
        names = (device.id,) if node is None else (device.id, node.id)
        yield Site(
            id=device.id,
            district=device.district,
            point=device.point,
            devices=(device, *inside),
            drains=DrainNetwork(nodes={node.id: node}, pipes={}) if node is not None else None,
            works=tuple(w for w in city.works if concerns(w, names, device.point)),
        )
