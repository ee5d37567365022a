"""Which grid a point lies in: the smallest polygon that covers it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import shapely

from contracts.city import Grid
from contracts.event import Place
from contracts.geo import EARTH_RADIUS_M, Point


class Gazetteer:
    """The city's grids, ready to be asked. Polygons are held in metres on a local plane
    (equirectangular about the city's middle), so that areas and distances are comparable."""

    def __init__(self, grids: tuple[Grid, ...], off_grid_m: float = 200.0) -> None:
        self._off_grid_m = off_grid_m
        self.grids = {grid.id: grid for grid in grids}
        lats = [lat for g in grids for poly in g.rings for ring in poly for _, lat in ring]
        middle = (min(lats) + max(lats)) / 2 if lats else 0.0
        self._my = math.radians(1.0) * EARTH_RADIUS_M
        self._mx = self._my * math.cos(math.radians(middle))
        self._ancestors = {grid.id: self._chain(grid.id) for grid in grids}
        shapes = [self._shape(grid) for grid in grids]
        shapely.prepare(shapes)
        self._tree = shapely.STRtree(shapes)
        # Smallest first; equal areas: the deeper one, then by id.
        order = sorted(
            range(len(grids)),
            key=lambda i: (
                round(shapes[i].area, 3),
                -len(self._ancestors[grids[i].id]),
                grids[i].id,
            ),
        )
        self._rank = np.empty(len(grids), dtype=np.int64)
        self._rank[order] = np.arange(len(grids))
        self._ids = [grid.id for grid in grids]
        self._address = {grid.id: self._name(grid.id) for grid in grids}

    def _shape(self, grid: Grid) -> Any:
        polygons = [
            shapely.Polygon(
                [(lon * self._mx, lat * self._my) for lon, lat in poly[0]],
                [[(lon * self._mx, lat * self._my) for lon, lat in hole] for hole in poly[1:]],
            )
            for poly in grid.rings
        ]
        return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)

    def _chain(self, grid_id: str) -> tuple[str, ...]:
        chain: list[str] = []
        at = self.grids[grid_id].parent
        while at is not None and at in self.grids and at not in chain and at != grid_id:
            chain.append(at)
            at = self.grids[at].parent
        return tuple(chain)

    def _name(self, grid_id: str) -> str:
        names: list[str] = []
        for part in (*reversed(self._ancestors[grid_id]), grid_id):
            name = self.grids[part].name
            # "鼓楼街道第一社区" under "鼓楼街道" already says where it is.
            if names and name.startswith(names[-1]):
                names[-1] = name
            else:
                names.append(name)
        latin = all(name.isascii() for name in names)
        return ", ".join(reversed(names)) if latin else "".join(names)

    def ancestors(self, grid_id: str | None) -> tuple[str, ...]:
        """The grids above this one, nearest first; none for an unknown grid."""
        return self._ancestors.get(grid_id, ()) if grid_id else ()

    def lineage(self, grid_id: str | None) -> tuple[str, ...]:
        """The grid itself and the ones above it."""
        return (grid_id, *self._ancestors.get(grid_id, ())) if grid_id else ()

    def grid_at(self, point: Point) -> str | None:
        """The smallest grid that covers the point; outside every grid the nearest within
        `off_grid_m`; else None."""
        where = shapely.Point(point.lon * self._mx, point.lat * self._my)
        found = self._tree.query(where, predicate="intersects")
        if not len(found):
            found = self._tree.query_nearest(where, max_distance=self._off_grid_m)
        if not len(found):
            return None
        return self._ids[int(found[np.argmin(self._rank[found])])]

    def place(self, point: Point, address: str | None = None) -> Place:
        """The place with its grid; the address is the grids' names unless one is given."""
        grid = self.grid_at(point)
        return Place(point.lon, point.lat, grid, address or self._address.get(grid or ""))
