"""The way by road: a map of streets and paths, and how far everything on it is from one place.

Metres count as long as they take: a step on stairs counts for more than one on a street
(`factor`). So one search serves every speed, and two (on foot, riding) serve everybody.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

from contracts.geo import EARTH_RADIUS_M
from contracts.governance import Roads
from router.assign.near import Indexes
from router.assign.travel import Metres, crow_m

SMALL = 0.05
"""A part of the map with fewer than this share of its largest part's nodes that is joined to
nothing is a gap of the data (a car park, a mall's inside), not an island: nobody starts there."""
FIRST = 4.0
"""The first look reaches so many times as far as the people asked about are crow-fly (their
median), each further one twice as far: measured as the best of 2 to 12 on 250,000 nodes, where one
look costs some 1.5 ms and all of them 37 ms (scipy 1.17; rustworkx, which calls back for every
edge's weight, 93 ms)."""
_PER_DEGREE = EARTH_RADIUS_M * math.radians(1)


class RoadMap:
    """A road network, ready to be asked from any place on it."""

    def __init__(self, roads: Roads, people: int, detour: float, off_road_m: float) -> None:
        """`people`: how many may ask; where each stands on the map is kept until they move."""
        n = len(roads.lon)
        # A way is never shorter than crow-fly, whatever a file says: what is looked up rests on it.
        crow = crow_m(
            roads.lon[roads.from_], roads.lat[roads.from_], roads.lon[roads.to], roads.lat[roads.to]
        )
        metres = np.maximum(roads.metres.astype(np.float64), crow) + 1e-6
        factors = [roads.factor] if roads.riding is None else [roads.factor, roads.riding]
        self._graphs = tuple(
            _reversed(roads, n, metres, factor.astype(np.float64)) for factor in factors
        )
        self.source = roads.source
        self._detour, self._off_road_m = detour, off_road_m
        count, self._part = connected_components(
            self._graphs[0], directed=True, connection="strong"
        )
        self._size = np.bincount(self._part, minlength=count)
        large = self._size[self._part] >= SMALL * self._size.max(initial=1)
        self.joined = np.flatnonzero(large).astype(np.int32)
        """Nodes that people may stand at: not those on small bits joined to nothing."""
        middle = float(np.mean(roads.lat)) if n else 0.0
        self._scale = (_PER_DEGREE * math.cos(math.radians(middle)), _PER_DEGREE)
        self._lon, self._lat = roads.lon, roads.lat
        plane = self._plane(roads.lon[self.joined], roads.lat[self.joined])
        self._tree = cKDTree(plane)
        self._across_m = float(np.sum(np.ptp(plane, axis=0))) if len(plane) else 0.0
        self._at = np.full((people, 2), np.nan)
        self._node = np.zeros(people, dtype=np.int32)
        self._leg = np.zeros(people)

    def _plane(self, lon: Metres, lat: Metres) -> Metres:
        return np.column_stack((lon * self._scale[0], lat * self._scale[1]))

    def nearest(self, lon: Metres, lat: Metres) -> tuple[Indexes, Metres]:
        """(k,) the nearest node that is joined to the map, and the metres to it."""
        _, found = self._tree.query(self._plane(lon, lat))
        node = self.joined[found]
        return node, crow_m(lon, lat, self._lon[node], self._lat[node]) * self._detour

    def stand(self, who: Indexes, lon: Metres, lat: Metres) -> tuple[Indexes, Metres]:
        """(k,) node, and metres to it, of each of `who`, now at `lon`, `lat`."""
        moved = (self._at[who, 0] != lon) | (self._at[who, 1] != lat)
        if moved.any():
            changed = who[moved]
            self._node[changed], self._leg[changed] = self.nearest(lon[moved], lat[moved])
            self._at[changed, 0], self._at[changed, 1] = lon[moved], lat[moved]
        return self._node[who], self._leg[who]

    def trip(self, lon: float, lat: float, where: tuple[Metres, Metres]) -> RoadTrip | None:
        """The ways to this place of people at `where` ((n,) lon, lat); None far from any road."""
        if not len(self.joined):
            return None
        node, leg = self.nearest(np.array([lon]), np.array([lat]))
        if leg[0] > self._off_road_m * self._detour:
            return None
        return RoadTrip(self, int(node[0]), float(leg[0]), where)

    def from_node(self, node: int, riding: bool, limit: float) -> tuple[Metres, bool]:
        """(n,) metres from everywhere to `node`, infinite beyond `limit`; and whether that is all
        of what is joined to it."""
        graph = self._graphs[min(int(riding), len(self._graphs) - 1)]
        found = dijkstra(graph, indices=[node], limit=limit)[0]
        complete = math.isinf(limit) or (
            int(np.count_nonzero(np.isfinite(found))) >= self._size[self._part[node]]
        )
        return found, complete

    def next_limit(self, limit: float) -> float:
        """Twice as far; beyond twice the map's size, everything."""
        return limit * 2 if limit < 2 * self._across_m else math.inf


class RoadTrip:
    """The ways to one place by road: looked up around it, as far as anybody asks."""

    by = "road"
    least = 1.0

    def __init__(
        self, roads: RoadMap, node: int, leg_m: float, where: tuple[Metres, Metres]
    ) -> None:
        self._roads = roads
        self._node = node
        self._leg_m = leg_m
        self._where = where
        self._limit = 0.0
        self._found: dict[bool, tuple[Metres, bool]] = {}

    @property
    def reach_m(self) -> float:
        """Infinite once all that is joined to the place has been seen."""
        complete = bool(self._found) and all(c for _, c in self._found.values())
        return math.inf if complete else self._limit + self._leg_m

    def way(self, who: Indexes, crow: Metres, rides: NDArray[np.bool_], /) -> Metres:
        """(k,) metres by road; infinite beyond `reach_m`."""
        if not self._limit:
            self._limit = max(500.0, FIRST * float(np.median(crow)))
        node, leg = self._roads.stand(who, self._where[0][who], self._where[1][who])
        way = np.empty(len(who))
        for riding in (False, True):
            those = rides if riding else ~rides
            if those.any():
                way[those] = self._metres(riding)[node[those]]
        # Legs are crow-fly; the way is never less than crow-fly (rounding of the map's metres).
        return np.maximum(way + leg + self._leg_m, crow)

    def _metres(self, riding: bool) -> Metres:
        if riding not in self._found:
            self._found[riding] = self._roads.from_node(self._node, riding, self._limit)
        return self._found[riding][0]

    def farther(self) -> None:
        """Twice as far."""
        self._limit = self._roads.next_limit(self._limit)
        self._found.clear()


def _reversed(roads: Roads, n: int, metres: Metres, factor: Metres) -> csr_array:
    """(n, n) metres of the edges backwards, as long as they take; closed ones left out, of several
    between the same two nodes the least."""
    open_ = np.flatnonzero(factor > 0)
    cost = metres[open_] / np.clip(factor[open_], 0.01, 1.0)
    order = np.lexsort((cost, roads.from_[open_], roads.to[open_]))
    to, from_ = roads.to[open_][order], roads.from_[open_][order]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (to[1:] != to[:-1]) | (from_[1:] != from_[:-1])
    return csr_array((cost[order][first], (to[first], from_[first])), shape=(n, n))
