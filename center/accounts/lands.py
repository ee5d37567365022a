"""In which grid a device stands: found once, when somebody with a part of the city first asks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import shapely

from contracts.city import City, Grid
from contracts.geo import Point


class Lands:
    """The city's grids by place. Thread-safe once built; building 105,000 takes some seconds."""

    def __init__(self, city: City) -> None:
        self._city = city

    @cached_property
    def devices(self) -> Mapping[str, str | None]:
        """Device → the smallest grid it stands in; None outside of all."""
        known = list(self._city.devices.values())
        if not known:
            return {}
        where = shapely.points([(d.point.lon, d.point.lat) for d in known])
        found: dict[int, int] = {}
        pairs = self._tree.query(where, predicate="intersects")
        for device, grid in zip(*pairs.tolist(), strict=True):
            best = found.get(device)
            if best is None or self._rank[grid] > self._rank[best]:
                found[device] = grid
        grids = self._city.grids
        return {d.id: grids[found[n]].id if n in found else None for n, d in enumerate(known)}

    def at(self, point: Point) -> str | None:
        """The smallest grid at this place."""
        found = self._tree.query(shapely.Point(point.lon, point.lat), predicate="intersects")
        best = max(found.tolist(), key=lambda n: self._rank[n], default=None)
        return None if best is None else self._city.grids[best].id

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree([_shape(grid) for grid in self._city.grids])

    @cached_property
    def _rank(self) -> list[tuple[int, str]]:
        """Deeper in the tree is smaller; on a border the later id wins, always the same."""
        parents = {grid.id: grid.parent for grid in self._city.grids}
        depth: dict[str, int] = {}

        def deep(grid: str) -> int:
            way: list[str] = []
            one: str | None = grid
            while one is not None and one not in depth and one not in way:
                way.append(one)
                one = parents.get(one)
            below = depth.get(one or "", 0)
            for name in reversed(way):
                below += 1
                depth[name] = below
            return depth[grid]

        return [(deep(grid.id), grid.id) for grid in self._city.grids]


def _shape(grid: Grid) -> shapely.Geometry:
    parts = [
        shapely.Polygon(np.asarray(rings[0], float), [np.asarray(r, float) for r in rings[1:]])
        for rings in grid.rings
        if rings and len(rings[0]) >= 4
    ]
    return shapely.MultiPolygon(parts)
