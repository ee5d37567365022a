"""A line as a tree: which monitors hang below which span, by one walk over it (Euler tour)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from contracts.city import City, Device, LineNetwork, LineNode, Span
from contracts.detector import Site
from contracts.geo import along, distance_m, length_m
from detectors.severed_cable.config import SeveredCableConfig


def node_of(line: LineNetwork, device: Device, near_m: float) -> LineNode | None:
    """The node a device sits at: the one that names it, else the nearest when its site is us."""
    for node in line.nodes.values():
        if node.device == device.id:
            return node
    if device.site != line.id or not line.nodes:
        return None
    best = min(line.nodes.values(), key=lambda n: (distance_m(n.point, device.point), n.id))
    return best if distance_m(best.point, device.point) <= near_m else None


def sites(city: City, cfg: SeveredCableConfig) -> Iterable[Site]:
    """One site per line that has at least one monitor."""
    for line in city.lines:
        devices = tuple(
            d for d in city.devices.values() if node_of(line, d, cfg.near_m) is not None
        )
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
        self.begin: NDArray[np.intp] = np.array([begin[s.id] for s in self.spans], dtype=np.intp)
        self.stop: NDArray[np.intp] = np.array([stop[s.id] for s in self.spans], dtype=np.intp)

    def below(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """For every span the sum of `values` (one per node in order) over the nodes below it."""
        sums = np.concatenate(([0.0], np.cumsum(values)))
        total: NDArray[np.float64] = sums[self.stop] - sums[self.begin]
        return total

    def subtree(self, node: str) -> list[str]:
        """The node and all below it."""
        for i, above in enumerate(self.spans):
            if above.to == node:
                return self.order[self.begin[i] : self.stop[i]]
        return list(self.order)

    def covered(self, assets: Iterable[str]) -> set[str]:
        """Nodes that go dark when works switch off these assets (line, span or node ids)."""
        dark: set[str] = set()
        spans = self.line.spans
        for asset in assets:
            if asset == self.line.id:
                dark.update(self.order)
            elif asset in spans:
                dark.update(self.subtree(spans[asset].to))
            elif asset in self.place:
                dark.update(self.subtree(asset))
        return dark

    def middle(self, span: Span) -> tuple[float, float, float]:
        """(lon, lat) of a span's middle and half its length in metres."""
        path = span.path or (
            self.line.nodes[span.from_].point,
            self.line.nodes[span.to].point,
        )
        length = length_m(path)
        point = along(path, length / 2)
        return point.lon, point.lat, length / 2
