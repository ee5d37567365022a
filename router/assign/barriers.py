"""The way round a river, a railway, a wall: straight where nothing stands between, else over the
crossings and round the corners (a visibility graph), times the usual detour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse.csgraph import csgraph_from_dense, dijkstra

from contracts.geo import EARTH_RADIUS_M
from contracts.governance import Barrier
from router.assign.near import Indexes
from router.assign.travel import Metres

CLEAR_M = 1.0
"""Corners and landings stand this far off, so that passing along a bank is not crossing it."""
MOST_CORNERS = 120
"""Outlines are drawn coarser until no more corners are left: each may be looked at for each way."""
_PER_DEGREE = EARTH_RADIUS_M * math.radians(1)


class BarrierMap:
    """Barriers and their crossings on a plane in metres, ready to be asked."""

    def __init__(self, barriers: Sequence[Barrier], detour: float) -> None:
        lats = [lat for b in barriers for ring in b.rings for _, lat in ring]
        middle = (min(lats) + max(lats)) / 2 if lats else 0.0
        self._scale = np.array([_PER_DEGREE * math.cos(math.radians(middle)), _PER_DEGREE])
        self.detour = detour
        shapes = [self._shape(barrier) for barrier in barriers]
        self.solid = shapely.unary_union(shapes)
        shapely.prepare(self.solid)
        outline = _outline(self.solid)
        self._outline = outline.boundary
        bridges = [
            bridge
            for barrier, shape in zip(barriers, shapes, strict=True)
            for point in barrier.crossings
            if (bridge := self._bridge(shape, self.plane([point.lon], [point.lat])[0])) is not None
        ]
        corners = _corners(outline)
        if len(corners):
            outside = ~shapely.contains_xy(self.solid, corners[:, 0], corners[:, 1])
            corners = np.unique(corners[outside], axis=0)
        landings = np.array([end for bridge in bridges for end in bridge]).reshape(-1, 2)
        self.nodes = np.vstack((landings, corners)) if len(corners) else landings
        """(k, 2) landings (two for each bridge), then corners."""
        self.between = self._all_pairs(len(bridges))
        """(k, k) metres of the way between any two of them."""

    def plane(self, lon: Any, lat: Any) -> Metres:
        """(k, 2) metres."""
        metres: Metres = np.column_stack((lon, lat)) * self._scale
        return metres

    def _shape(self, barrier: Barrier) -> Any:
        rings = [np.asarray(ring) * self._scale for ring in barrier.rings]
        shape = shapely.Polygon(rings[0], rings[1:])
        return shape if shape.is_valid else shapely.make_valid(shape)

    def _bridge(self, shape: Any, at: Metres) -> tuple[Metres, Metres] | None:
        """The two landings of a crossing: the nearest bank, and straight over to the other one."""
        point = shapely.Point(at)
        edge = shape.boundary
        bank = np.array(edge.interpolate(edge.project(point)).coords[0])
        inside = bool(shapely.contains(shape, point))
        ahead = at - bank if inside else bank - at
        length = float(np.hypot(*ahead))
        if length < 1e-6:  # on the bank itself: straight away from it, whichever side is inside
            ahead, length = _inwards(shape, edge, point, bank), 1.0
        ahead = ahead / length
        far = bank + ahead * (shapely.length(edge) + 1.0)
        over = shapely.intersection(shapely.LineString([bank - ahead * 1e-3, far]), shape)
        pieces = [p for p in shapely.get_parts(over) if shapely.get_dimensions(p) == 1]
        if not pieces:
            return None
        first = min(pieces, key=lambda p: shapely.distance(p, shapely.Point(bank)))
        ends = shapely.get_coordinates(first)
        reach = float(np.max((ends - bank) @ ahead))
        return bank - ahead * CLEAR_M, bank + ahead * (reach + CLEAR_M)

    def _all_pairs(self, bridges: int) -> Metres:
        n = len(self.nodes)
        if not n:
            return np.zeros((0, 0))
        a, b = np.triu_indices(n, 1)
        free = self.free(self.nodes[a], self.nodes[b])
        metres = np.full((n, n), np.inf)
        straight = np.hypot(*(self.nodes[a] - self.nodes[b]).T)
        metres[a[free], b[free]] = straight[free]
        for i in range(bridges):
            metres[2 * i, 2 * i + 1] = np.hypot(*(self.nodes[2 * i] - self.nodes[2 * i + 1]))
        metres = np.minimum(metres, metres.T)
        graph = csgraph_from_dense(metres, null_value=np.inf)
        found: Metres = dijkstra(graph, directed=False)
        return found

    def free(self, a: Metres, b: Metres) -> NDArray[np.bool_]:
        """(k,) whether nothing stands between the points of (k, 2) `a` and `b`."""
        lines = shapely.linestrings(np.stack((a, b), axis=1))
        return np.logical_not(shapely.intersects(self.solid, lines))

    def ashore(self, at: Metres) -> Metres:
        """(k, 2) the points; those within a barrier at its nearest edge."""
        within = shapely.contains_xy(self.solid, at[:, 0], at[:, 1])
        if not within.any():
            return at
        moved = at.copy()
        for i in np.flatnonzero(within):
            point = shapely.Point(at[i])
            moved[i] = self._outline.interpolate(self._outline.project(point)).coords[0]
        return moved

    def trip(self, lon: float, lat: float, where: tuple[Metres, Metres]) -> BarrierTrip:
        """The ways to this place of people at `where` ((n,) lon, lat)."""
        return BarrierTrip(self, self.ashore(self.plane([lon], [lat]))[0], where)


class BarrierTrip:
    """The ways to one place round the barriers."""

    by = "crossing"
    reach_m = math.inf

    def __init__(self, barriers: BarrierMap, to: Metres, where: tuple[Metres, Metres]) -> None:
        self.least = barriers.detour
        self._map = barriers
        self._to = to
        self._where = where
        nodes = barriers.nodes
        self._from_node = np.full(len(nodes), np.inf)
        """(nodes,) metres from each landing or corner to the place."""
        if len(nodes):
            seen = barriers.free(nodes, np.broadcast_to(to, nodes.shape))
            last = np.hypot(*(nodes[seen] - to).T)
            if seen.any():
                self._from_node = np.min(barriers.between[:, seen] + last, axis=1)

    def way(self, who: Indexes, crow: Metres, rides: NDArray[np.bool_], /) -> Metres:
        """(k,) metres; infinite where there is no way round."""
        at = self._map.ashore(self._map.plane(self._where[0][who], self._where[1][who]))
        free = self._map.free(at, np.broadcast_to(self._to, at.shape))
        way = np.where(free, crow, np.inf)
        left = np.flatnonzero(~free)
        if len(left) and len(self._from_node):
            way[left] = self._round(at[left])
        return np.maximum(way, crow) * self.least

    def _round(self, at: Metres) -> Metres:
        """(k,) metres over the first landing or corner in sight that makes the shortest way."""
        to_node = np.hypot(
            at[:, None, 0] - self._map.nodes[:, 0], at[:, None, 1] - self._map.nodes[:, 1]
        )
        total = to_node + self._from_node
        order = np.argsort(total, axis=1, kind="stable")
        way = np.full(len(at), np.inf)
        open_ = np.arange(len(at))
        begin, count = 0, 1
        while len(open_) and begin < total.shape[1]:
            # One more than last time twice over: most see one of their first few.
            node = order[open_, begin : begin + count]
            metres = np.take_along_axis(total[open_], node, axis=1)
            ends = self._map.nodes[node].reshape(-1, 2)
            seen = self._map.free(np.repeat(at[open_], node.shape[1], axis=0), ends)
            seen = seen.reshape(node.shape) & np.isfinite(metres)
            first = np.argmax(seen, axis=1)
            got = seen[np.arange(len(open_)), first]
            way[open_[got]] = metres[got, first[got]]
            open_ = open_[~got & np.isfinite(metres[:, -1])]
            begin, count = begin + count, count * 2
        return way

    def farther(self) -> None:
        """Everything is known."""


def _outline(solid: Any) -> Any:
    """The barriers a little grown, with a bounded number of corners to go round."""
    for coarse in (0.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0):
        grown = shapely.buffer(solid, CLEAR_M + coarse, join_style="mitre", mitre_limit=2.0)
        if coarse:
            grown = shapely.simplify(grown, coarse)
        if len(_corners(grown)) <= MOST_CORNERS:
            break
    return grown


def _corners(grown: Any) -> Metres:
    """(k, 2) the corners that a shortest way can turn at: where the barrier sticks out."""
    found = [np.zeros((0, 2))]
    for polygon in shapely.get_parts(grown):
        rings = [(polygon.exterior, 1.0), *((hole, -1.0) for hole in polygon.interiors)]
        for ring, outwards in rings:
            at = np.asarray(ring.coords)[:-1, :2]
            before, after = at - np.roll(at, 1, axis=0), np.roll(at, -1, axis=0) - at
            turn = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
            around = 1.0 if shapely.is_ccw(ring) else -1.0
            found.append(at[turn * around * outwards > 0])
    return np.concatenate(found)


def _inwards(shape: Any, edge: Any, point: Any, bank: Metres) -> Metres:
    """A unit vector across the edge at a point on it, into the barrier."""
    at = edge.project(point)
    a, b = (np.array(edge.interpolate(max(0.0, at + d)).coords[0]) for d in (-0.5, 0.5))
    along = (b - a) / max(1e-9, float(np.hypot(*(b - a))))
    across = np.array([-along[1], along[0]])
    inside = shapely.contains_xy(shape, *(bank + across * 0.1))
    return across if inside else -across
