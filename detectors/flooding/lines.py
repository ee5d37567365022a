"""Which lines hold for a device: at which height water is a warning, and at which a flood."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from contracts.city import City, Device, DrainNetwork, Node
from contracts.detector import Site
from contracts.geo import distance_m
from detectors.flooding.config import FloodingConfig

WATER_TYPES = frozenset({"drain", "level", "water", "depth", "manhole", "underpass"})
"""Device types that measure water where `metrics` does not say so."""


class Lines(msgspec.Struct, frozen=True):
    """Heights in metres, in the metric's own datum."""

    warn: float
    close: float
    source: str
    """`city`, `rim` or `default`."""


def node_of(city: City, device: Device, near_m: float) -> Node | None:
    """The drain node whose id is the device's or its site's, else the nearest within `near_m`."""
    if city.drains is None:
        return None
    nodes = city.drains.nodes
    for name in (device.id, device.site):
        if name is not None and name in nodes:
            return nodes[name]
    best = min(
        nodes.values(), key=lambda n: (distance_m(n.point, device.point), n.id), default=None
    )
    if best is not None and distance_m(best.point, device.point) <= near_m:
        return best
    return None


def sites(city: City, cfg: FloodingConfig) -> Iterable[Site]:
    """One site per device that measures water."""
    for device in city.devices.values():
        water = {"level", "depth"} & set(device.metrics)
        if not water and (device.metrics or device.type not in WATER_TYPES):
            continue
        node = node_of(city, device, cfg.near_m)
        site = Site(
            id=device.id,
            district=device.district,
            point=device.point,
            devices=(device,),
            drains=DrainNetwork(nodes={node.id: node}, pipes={}) if node else None,
        )
        if lines_of(site, cfg) or is_lonely(site, cfg):
            yield site


def is_lonely(site: Site, cfg: FloodingConfig) -> bool:
    """A device that measures a level, no depth over a road, and whose level has no line."""
    device = site.devices[0]
    if "level" not in device.metrics and (device.metrics or device.type != "level"):
        return False
    return "depth" not in device.metrics and "level" not in lines_of(site, cfg)


def lines_of(site: Site, cfg: FloodingConfig) -> dict[str, Lines]:
    """The lines for each water metric of a site's device; a metric without any is absent.

    The city's warn and close lines are of the road (`depth`) where the device measures one, else
    of its `level`. A level without lines overflows at the rim; with no rim it is lonely.
    """
    device = site.devices[0]
    metrics = set(device.metrics) or {"level", "depth"}
    node = next(iter(site.drains.nodes.values())) if site.drains else None
    lines: dict[str, Lines] = {}
    rim = None
    if node is not None and node.rim_m is not None and node.invert_m is not None:
        rim = node.rim_m - node.invert_m
    city: Lines | None = None
    if node is not None and node.close_m is not None:
        warn = node.warn_m if node.warn_m is not None else node.close_m * cfg.rim_warn_share
        city = Lines(warn, node.close_m, "city")
    elif node is not None and node.warn_m is not None:
        close = max(node.warn_m, rim) if rim is not None else node.warn_m / cfg.rim_warn_share
        city = Lines(node.warn_m, close, "city")
    if "depth" in metrics:
        default = Lines(cfg.depth_warn_m, cfg.depth_close_m, "default")
        lines["depth"] = city if city is not None and "depth" in device.metrics else default
    if "level" in metrics:
        if city is not None and "depth" not in device.metrics:
            lines["level"] = city
        elif rim is not None and rim > 0:
            lines["level"] = Lines(cfg.rim_warn_share * rim, rim, "rim")
    return lines
