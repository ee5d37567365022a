"""What a flooding site hears from around it: rain, and water that comes down to it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

from contracts.city import City, Device, DrainNetwork, Node
from contracts.geo import Point, distance_m
from detectors._common.water.graph import Graph, stands

GAUGE_M = 5000.0
"""A rain gauge within this distance speaks for a place (metres): the cells of heavy showers are
2 to 5 km wide."""
UPSTREAM_M = 1500.0
"""Pipe that water passes in about half an hour at 0.8 m/s (metres)."""
RIMS_M = 500.0
"""Manholes within this much pipe share their pressure line with this one (metres)."""
GAUGES, UPSTREAM = 2, 3
"""At most so many gauges and upstream devices are listened to."""
TAUS = (300.0, 600.0, 1200.0, 2400.0)
"""Seconds over which rain is averaged: from the gutter's time of concentration to the sewer's."""
STALE_S = 2700.0
"""A gauge or neighbour that said nothing for three quarters of an hour says nothing."""
LONGEST_S = 1800.0
"""A reading speaks for at most this long (seconds): after a gap nobody knows what fell."""
LEAST_S, LEAST_M = 300.0, 0.01
"""Water upstream that moved by less (metres) is looked at again after so long (seconds)."""
DRY_MM_H = 1e-3
"""Rain of forty minutes that is none any more."""
RAINING_MM_H = 2.0
"""Moderate rain: streets begin to run."""
WATER = frozenset({"level", "depth"})


class Rain(msgspec.Struct):
    """Rain at one place, averaged over several times; from whichever gauge spoke last."""

    at: float = -math.inf
    now: float = 0.0
    means: list[float] = msgspec.field(default_factory=lambda: [0.0] * len(TAUS))
    """mm/h over `TAUS`."""
    device: str = ""

    def fold(self, device: str, t: float, rate: float, mine: bool) -> None:
        """Take one reading (mm/h). A farther gauge speaks only while the `mine`d one is silent."""
        if t <= self.at or (not mine and self.device != device and t - self.at < STALE_S):
            return
        gap = min(t - self.at, LONGEST_S)
        self.at, self.now, self.device = t, rate, device
        means = self.means
        if rate == 0.0 and means[3] < DRY_MM_H:
            return
        for i, tau in enumerate(TAUS):
            means[i] += (rate - means[i]) * -math.expm1(-gap / tau)

    def copy(self) -> Rain:
        """Another one that knows the same."""
        return Rain(self.at, self.now, [*self.means], self.device)

    def known(self, t: float) -> bool:
        """Whether a gauge spoke lately."""
        return t - self.at < STALE_S


class Above(msgspec.Struct):
    """An upstream sensor's water."""

    at: float = -math.inf
    value: float = 0.0
    usual: float = 0.0
    rate: float = 0.0
    """m/s, over some five minutes."""

    def fold(self, t: float, v: float) -> None:
        """Take one reading (metres); soon after another only if the water has moved since."""
        gap, moved = t - self.at, v - self.value
        if gap <= 0.0 or (gap < LEAST_S and -LEAST_M < moved < LEAST_M):
            return
        if gap > 4 * LONGEST_S:
            self.at, self.value, self.rate, self.usual = t, v, 0.0, v
            return
        step = moved / max(gap, 20.0)
        self.rate += (step - self.rate) * min(1.0, gap / 300.0)
        slow = 1800.0 if v < self.usual else 86400.0
        self.usual += (v - self.usual) * min(1.0, gap / slow)
        self.at, self.value = t, v

    def comes(self, t: float) -> bool:
        """Whether it rises now: 5 cm above its usual height, and 3 cm in ten minutes."""
        return t - self.at < STALE_S and self.rate > 0.03 / 600 and self.value > self.usual + 0.05


class Lie(msgspec.Struct, frozen=True):
    """How a manhole lies in its network: where water would come out before it comes out here."""

    upper_m: float
    """Its rim above the lowest rim within `RIMS_M` upstream (negative: it lies lowest) ..."""
    lower_m: float
    """... and downstream. -1.5 to 1.5."""
    pipe_m: float
    """Inside height of the largest pipe there."""


def lie_of(drains: DrainNetwork | None) -> Lie | None:
    """None where pipes, their sizes or rims are not registered."""
    if drains is None or not drains.pipes:
        return None
    graph = Graph(drains)
    name = next((n for n in drains.nodes if n in graph.pipes_in), None)
    if name is None:
        return None
    sizes = [
        p.diameter_m
        for p in (*graph.pipes_in[name], *graph.pipes_out[name])
        if p.diameter_m is not None
    ]
    rim_m = drains.nodes[name].rim_m
    if not sizes or rim_m is None:
        return None

    def over(names: Iterable[str]) -> float:
        rims = (drains.nodes[n].rim_m for n in names)
        return min(1.5, max(-1.5, max((rim_m - r for r in rims if r is not None), default=-1.5)))

    return Lie(over(graph.above(name, RIMS_M)), over(graph.below(name, RIMS_M)), max(sizes))


class Places:
    """A city's gauges and its drains, prepared for asking once per device."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._gauges = [d for _, d in sorted(city.devices.items()) if "rain_rate" in d.metrics]
        water = [d for d in city.devices.values() if WATER & set(d.metrics)]
        self.graph = Graph(city.drains) if city.drains is not None else None
        self._stands: Mapping[str, str] = stands(self.graph, water) if self.graph else {}
        self._at: dict[str, list[Device]] = {}
        for device in water:
            if device.id in self._stands:
                self._at.setdefault(self._stands[device.id], []).append(device)

    def gauges(self, device: Device) -> tuple[Device, ...]:
        """The nearest gauges within reach, other than the device itself."""
        return nearest_gauges(device, self._gauges)

    def upstream(self, device: Device) -> tuple[Device, ...]:
        """The first sensors above on each branch, nearest first."""
        node = self._stands.get(device.id)
        if self.graph is None or node is None:
            return ()
        found: list[Device] = []
        first = self.graph.first_above(node, self._at, UPSTREAM_M)
        for name, _ in sorted(first.items(), key=lambda x: (x[1], x[0])):
            found.extend(self._at[name])
        return tuple(d for d in found if d.id != device.id)[:UPSTREAM]

    def drains(self, device: Device, lines_from: Node | None) -> DrainNetwork | None:
        """The node that lends the device its lines first, then the drains within `RIMS_M`."""
        nodes = {lines_from.id: lines_from} if lines_from is not None else {}
        node, graph = self._stands.get(device.id), self.graph
        if graph is None or node is None:
            return DrainNetwork(nodes=nodes, pipes={}) if nodes else None
        own = (*graph.pipes_in[node], *graph.pipes_out[node])
        names = [
            *(node, *graph.above(node, RIMS_M), *graph.below(node, RIMS_M)),
            *(end for p in own for end in (p.from_, p.to)),
        ]
        known = graph.network.nodes
        nodes |= {n: known[n] for n in names if n not in nodes}
        pipes = {
            p.id: p
            for n in names
            for p in (*graph.pipes_in[n], *graph.pipes_out[n])
            if p.from_ in nodes and p.to in nodes
        }
        return DrainNetwork(nodes=nodes, pipes=pipes)


def nearest_gauges(device: Device, gauges: Iterable[Device]) -> tuple[Device, ...]:
    """Of these gauges the nearest within reach, other than the device itself."""
    near = sorted(
        (distance_m(g.point, device.point), g.id, g)
        for g in gauges
        if g.id != device.id and _may_be_near(g.point, device.point)
    )
    return tuple(g for metres, _, g in near[:GAUGES] if metres <= GAUGE_M)


def _may_be_near(a: Point, b: Point) -> bool:
    # A degree of latitude is 111 km: a cheap no for almost all of a large city.
    return abs(a.lat - b.lat) < GAUGE_M / 110_000
