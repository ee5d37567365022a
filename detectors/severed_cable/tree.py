"""A line as a tree: which monitors hang below which span, by one walk over it (Euler tour)."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from contracts.city import City, Device, LineNetwork, LineNode, Span, Work
from contracts.detector import Site
from contracts.geo import EARTH_RADIUS_M, Point, distance_m, length_m
from detectors.severed_cable.config import SeveredCableConfig


def node_of(line: LineNetwork, device: Device, near_m: float) -> LineNode | None:
    """The node a device sits at: the one that names it, else the nearest when its site is us."""
    return _node_of(line, _named(line), device, near_m)


def _named(line: LineNetwork) -> dict[str, LineNode]:
    return {n.device: n for n in reversed(line.nodes.values()) if n.device is not None}


def _node_of(
    line: LineNetwork, named: dict[str, LineNode], device: Device, near_m: float
) -> LineNode | None:
    if device.id in named:
        return named[device.id]
    if device.site != line.id or not line.nodes:
        return None
    best = min(line.nodes.values(), key=lambda n: (distance_m(n.point, device.point), n.id))
    return best if distance_m(best.point, device.point) <= near_m else None


def nodes_of(line: LineNetwork, devices: Iterable[Device], near_m: float) -> dict[str, LineNode]:
    """Device → the node it sits at, for those that sit at one."""
    named = _named(line)
    found = {d.id: _node_of(line, named, d, near_m) for d in devices}
    return {device: node for device, node in found.items() if node is not None}


def sites(city: City, cfg: SeveredCableConfig) -> Iterable[Site]:
    """One site per line that has at least one monitor."""
    for line in city.lines:
        at = nodes_of(line, city.devices.values(), cfg.near_m)
        devices = tuple(city.devices[d] for d in at)
        if devices:
            yield Site(
                id=line.id,
                district=devices[0].district,
                point=line.nodes[line.root].point,
                devices=devices,
                line=line,
                works=city.works,
            )


class Tree:
    """Nodes in walking order; the nodes below span i are `order[begin[i]:stop[i]]`."""

    def __init__(self, line: LineNetwork) -> None:
        children: dict[str, list[Span]] = {}
        for known in sorted(line.spans.values(), key=lambda s: s.id):
            children.setdefault(known.from_, []).append(known)
        self.line = line
        self.order: list[str] = []
        self.spans: list[Span] = []
        begin: dict[str, int] = {}
        stop: dict[str, int] = {}
        self.place: dict[str, int] = {}
        stack: list[tuple[Span | None, str, bool]] = [(None, line.root, False)]
        while stack:
            span, node, done = stack.pop()
            if done:
                if span is not None:
                    stop[span.id] = len(self.order)
                continue
            if node in self.place:
                continue  # a loop is fed from its first way in
            self.place[node] = len(self.order)
            if span is not None:
                self.spans.append(span)
                begin[span.id] = len(self.order)
            self.order.append(node)
            stack.append((span, node, True))
            stack.extend((s, s.to, False) for s in reversed(children.get(node, [])))
        self.index = {s.id: i for i, s in enumerate(self.spans)}
        self.begin: NDArray[np.intp] = np.array([begin[s.id] for s in self.spans], dtype=np.intp)
        self.stop: NDArray[np.intp] = np.array([stop[s.id] for s in self.spans], dtype=np.intp)
        self._from = np.array([self.place[s.from_] for s in self.spans], dtype=np.intp)
        self._to = np.array([self.place[s.to] for s in self.spans], dtype=np.intp)
        self.into = {s.to: i for i, s in enumerate(self.spans)}
        """Node → the span that feeds it."""
        self.touching: dict[str, list[int]] = {}
        """Node → the spans that meet there."""
        for i, s in enumerate(self.spans):
            self.touching.setdefault(s.from_, []).append(i)
            self.touching.setdefault(s.to, []).append(i)
        self.net = np.array([self._net(s.from_) for s in self.spans], dtype=np.intp).reshape(-1, 2)
        """First place and end of the net behind one transformer that a span is in."""
        self.paths = [
            s.path or (line.nodes[s.from_].point, line.nodes[s.to].point) for s in self.spans
        ]
        self.lengths: NDArray[np.float64] = np.array([length_m(p) for p in self.paths])
        self._plane(line.nodes[line.root].point)

    def _net(self, node: str) -> tuple[int, int]:
        while self.line.nodes[node].what != "transformer" and node in self.into:
            node = self.spans[self.into[node]].from_
        i = self.into.get(node)
        return (0, len(self.order)) if i is None else (int(self.begin[i]), int(self.stop[i]))

    def _plane(self, origin: Point) -> None:
        """Metres east and north of the root, small enough for a plane."""
        self._origin = origin
        self._north = math.radians(1.0) * EARTH_RADIUS_M
        self._east = self._north * math.cos(math.radians(origin.lat))

    def metres(self, point: Point) -> tuple[float, float]:
        """(east, north) of a point."""
        return (
            (point.lon - self._origin.lon) * self._east,
            (point.lat - self._origin.lat) * self._north,
        )

    def point(self, east: float, north: float) -> Point:
        """The point so many metres from the root."""
        return Point(self._origin.lon + east / self._east, self._origin.lat + north / self._north)

    def below(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """For every span the sums of `values`, shape (nodes, ...) in order, over the nodes below
        it: shape (spans, ...)."""
        return self._between(values, self.begin, self.stop)

    def around(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same over all nodes of the net behind one transformer that the span is in."""
        return self._between(values, self.net[:, 0], self.net[:, 1])

    def above(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same over the nodes above each span, on its way to the root."""
        nodes = len(self.order)
        steps = np.zeros((nodes + 1, *values.shape[1:]))
        ends = np.full(nodes, nodes, dtype=np.intp)
        ends[self._to] = self.stop
        np.add.at(steps, np.arange(nodes), values)
        np.subtract.at(steps, ends, values)
        found: NDArray[np.float64] = np.cumsum(steps, axis=0)[self._from]
        return found

    @staticmethod
    def _between(
        values: NDArray[np.float64], begin: NDArray[np.intp], stop: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        sums = np.zeros((values.shape[0] + 1, *values.shape[1:]))
        np.cumsum(values, axis=0, out=sums[1:])
        total: NDArray[np.float64] = sums[stop] - sums[begin]
        return total

    def subtree(self, node: str) -> list[str]:
        """The node and all below it."""
        i = self.into.get(node)
        return list(self.order) if i is None else self.order[self.begin[i] : self.stop[i]]

    def behind(self, spans: Iterable[int]) -> set[str]:
        """Nodes below any of these spans."""
        dark: set[str] = set()
        for i in spans:
            if self.spans[i].to not in dark:
                dark.update(self.order[self.begin[i] : self.stop[i]])
        return dark

    def covered(self, work: Work) -> set[str]:
        """Nodes that go dark when a work switches off what it names (line, span or node ids), or,
        where it names nothing, what lies within its radius."""
        dark: set[str] = set()
        for asset in work.assets:
            if asset == self.line.id:
                dark.update(self.order)
            elif asset in self.index:
                dark.update(self.subtree(self.spans[self.index[asset]].to))
            elif asset in self.place:
                dark.update(self.subtree(asset))
        if work.point is not None and not work.assets:
            for node in self.line.nodes.values():
                near = node.id in self.place and node.id not in dark
                if near and distance_m(node.point, work.point) <= work.radius_m:
                    dark.update(self.subtree(node.id))
        return dark

    def tops(self, nodes: set[str]) -> list[int]:
        """The spans that feed these nodes from outside: where they were switched off."""
        return [i for i, s in enumerate(self.spans) if s.to in nodes and s.from_ not in nodes]
