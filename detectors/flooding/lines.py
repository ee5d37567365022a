"""Which lines hold for a device: at which height water is a warning, and at which a flood."""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from contracts.city import City, DrainNetwork
from contracts.detector import Site
from detectors._common.water.graph import rim_of
from detectors._common.water.near import Nearby
from detectors.flooding.around import WATER, Lie, Places, lie_of, nearest_gauges
from detectors.flooding.config import FloodingConfig

WATER_TYPES = frozenset({"drain", "level", "water", "depth", "manhole", "underpass"})
"""Device types that measure water where `metrics` does not say so."""


SEWER_SHARE = 0.8
"""A level line from this share of the manhole's height on means: the manhole fills up."""
SPILL_M = 0.01
"""A manhole that overflows stands at its rim, give or take an ultrasonic head's error."""


MOST_M = 5.0
"""Metres above its closing line (or three times that line's height, if that is more) at which no
water stands: it would have run off long before. Full-scale values of instruments are such."""


class Lines(msgspec.Struct, frozen=True):
    """Heights in metres, in the metric's own datum."""

    warn: float
    close: float
    source: str
    """`city`, `rim` or `default`."""


class View(msgspec.Struct, frozen=True):
    """What is fixed about one metric at one site."""

    metric: str
    lines: Lines
    sewer: bool
    """It fills a manhole to its rim, so `chance` knows it; else it stands on a street, in a river
    or below a line of the city's."""
    lie: Lie | None
    most: float = math.inf
    """No water stands higher: an instrument said so that is at fault."""

    @property
    def top(self) -> float:
        """From here on the line is reached."""
        return self.lines.close - (SPILL_M if self.lines.source == "rim" else 0.0)


def sites(city: City, cfg: FloodingConfig) -> Iterable[Site]:
    """One site per device that measures water against a line: the device itself first, then what
    it listens to, rain gauges and the first water sensors upstream. One for all levels of a
    district without: a district is what one process owns, and what an alert is addressed to."""
    near = Nearby(city.drains.nodes if city.drains is not None else {})
    places = Places(city)
    without: dict[str, list[Site]] = {}
    for device in city.devices.values():
        water = WATER & set(device.metrics)
        if not water and (device.metrics or device.type not in WATER_TYPES):
            continue
        site = Site(
            id=device.id,
            district=device.district,
            point=device.point,
            devices=(device,),
            drains=places.drains(device, near.node_of(device, cfg.near_m)),
        )
        gauges = places.gauges(device)
        if lines_of(site, cfg):
            around = dict.fromkeys((device, *gauges, *places.upstream(device)))
            yield msgspec.structs.replace(site, devices=tuple(around))
        elif is_lonely(site, cfg):
            alone = msgspec.structs.replace(site, devices=(device, *gauges))
            without.setdefault(device.district, []).append(alone)
    for district, found in without.items():
        yield _group(district, found, near, cfg)


LEVELS = "levels."
"""With the district's name after it: the one site of its level sensors without lines."""


def _group(district: str, without: list[Site], near: Nearby, cfg: FloodingConfig) -> Site:
    """All of them at one site: the sensors first, then the gauges that they listen to. Its nodes
    are those that stand at any of its devices, so that `members` finds the same ones again."""
    devices = dict.fromkeys(one.devices[0] for one in without)
    devices |= dict.fromkeys(g for one in without for g in one.devices[1:])
    nodes = {n.id: n for d in devices if (n := near.node_of(d, cfg.near_m)) is not None}
    return Site(
        id=f"{LEVELS}{district}",
        district=district,
        point=without[0].point,
        devices=tuple(devices),
        drains=DrainNetwork(nodes=nodes, pipes={}) if nodes else None,
    )


def members(site: Site, cfg: FloodingConfig) -> list[Site]:
    """A site of its own for each sensor of a site of `LEVELS`: it and its gauges."""
    nodes = site.drains.nodes if site.drains is not None else {}
    near = Nearby(nodes)
    gauges = [d for d in site.devices if "rain_rate" in d.metrics]
    out = []
    for device in site.devices:
        node = near.node_of(device, cfg.near_m)
        one = Site(
            id=device.id,
            district=device.district,
            point=device.point,
            devices=(device, *nearest_gauges(device, gauges)),
            drains=DrainNetwork(nodes={node.id: node}, pipes={}) if node is not None else None,
        )
        if is_lonely(one, cfg):
            out.append(one)
    return out


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
    rim = rim_of(node)
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
        elif rim is not None:
            lines["level"] = Lines(cfg.rim_warn_share * rim, rim, "rim")
    return lines


def views_of(site: Site, cfg: FloodingConfig) -> dict[str, View]:
    """What is fixed about each water metric that has a line."""
    node = next(iter(site.drains.nodes.values())) if site.drains else None
    rim = rim_of(node)
    views: dict[str, View] = {}
    for metric, lines in lines_of(site, cfg).items():
        sewer = metric == "level" and rim is not None and lines.close >= SEWER_SHARE * rim
        lie = lie_of(site.drains) if sewer else None
        views[metric] = View(metric, lines, sewer, lie, lines.close + max(MOST_M, 3 * lines.close))
    return views
