"""Nodes of the drains by place: which one a device stands at."""

from __future__ import annotations

import math
from collections.abc import Mapping

from contracts.city import Device, Node
from contracts.geo import Point, distance_m

CELL_DEG = 0.001
"""Cells of about 100 m."""


class Nearby:
    """Nodes by place, prepared once for many questions."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self.nodes = nodes
        self._cells: dict[tuple[int, int], list[Node]] = {}
        for node in nodes.values():
            self._cells.setdefault(_cell(node.point), []).append(node)

    def node_of(self, device: Device, near_m: float) -> Node | None:
        """The node whose id is the device's or its site's, else the nearest within `near_m`."""
        for name in (device.id, device.site):
            if name is not None and name in self.nodes:
                return self.nodes[name]
        return self._nearest(device.point, near_m)

    def _nearest(self, point: Point, near_m: float) -> Node | None:
        """The nearest node within `near_m` metres; of two as near, the first by name."""
        # A degree of longitude is at least 50 km up to 63 degrees of latitude.
        reach = max(1, math.ceil(near_m / (CELL_DEG * 50_000)))
        x, y = _cell(point)
        found = [
            (distance_m(node.point, point), node.id, node)
            for i in range(x - reach, x + reach + 1)
            for j in range(y - reach, y + reach + 1)
            for node in self._cells.get((i, j), ())
        ]
        best = min(found, key=lambda f: f[:2], default=None)
        return best[2] if best is not None and best[0] <= near_m else None


def _cell(point: Point) -> tuple[int, int]:
    return (int(point.lon // CELL_DEG), int(point.lat // CELL_DEG))
