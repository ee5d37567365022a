"""Which grid a point lies in: the smallest polygon that covers it and holds at that time.

Grids are split, merged and redrawn (`GridVersion`), and some are for one purpose over the others
(`SpecialGrid`: a scenic area, a market). A grid that holds no more keeps its meaning: its lineage
names the grids that took its place.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from contracts.city import City, Grid
from contracts.event import Place
from contracts.geo import EARTH_RADIUS_M, Point
from contracts.governance import NOTHING_SAID, Governance, GridVersion, governance

PREPARED_FROM = 64
"""Corners from which preparing a polygon pays: a point is then found by an index of its edges."""
MAIN_ROAD = "main_road"
"""`what` of special grids that are only places: what lies there has its own grid all the same."""
HEIR_SHARE = 0.1
"""A grid takes the place of an ended one where it covers at least this share of it (our choice:
above what redrawn borders shift, below a tenth of a split)."""


class Gazetteer:
    """The city's grids, ready to be asked. Polygons are held in metres on a local plane
    (equirectangular about the city's middle), so that areas and distances are comparable."""

    def __init__(
        self,
        grids: Sequence[Grid],
        off_grid_m: float = 200.0,
        governed: Governance = NOTHING_SAID,
    ) -> None:
        self._off_grid_m = off_grid_m
        standing = {grid.id: grid for grid in grids}
        versions = {version.grid.id for version in governed.versions}
        items = [GridVersion(grid=grid) for grid in grids if grid.id not in versions]
        items += governed.versions
        # By id the newest version, whatever the day: a replay says the same in a year.
        newest = sorted(items, key=lambda item: item.since.timestamp() if item.since else -math.inf)
        self.grids = {item.grid.id: item.grid for item in newest}
        self._items = items
        self._ids = [item.grid.id for item in items]
        self._since = _epochs((item.since for item in items), -math.inf)
        self._until = _epochs((item.until for item in items), math.inf)
        stands = (standing.get(item.grid.id) == item.grid for item in items)
        self._standing = np.fromiter(stands, np.bool_, len(items))
        self._special = {special.grid.id: special.kinds for special in governed.special}
        self._only_places = {s.grid.id for s in governed.special if s.what == MAIN_ROAD}
        # Of nothing but grids without a term every one holds at any time: nothing to ask.
        self._timeless = not governed.versions
        self._shapes = self._drawn([item.grid for item in items])
        self._area = np.round(shapely.area(self._shapes), 3)
        shapely.prepare(self._shapes[shapely.get_num_coordinates(self._shapes) >= PREPARED_FROM])
        self._tree = shapely.STRtree(self._shapes)
        self._tree.query(shapely.Point(0, 0))  # it is built by the first question
        self._chains: dict[str, tuple[str, ...]] = {}
        self._lines: dict[str, tuple[str, ...]] = {}
        self._addresses: dict[int, str] = {}
        self._heirs = self._inherited(governed.versions)

    @classmethod
    def of(cls, city: City, off_grid_m: float = 200.0) -> Gazetteer:
        """The gazetteer of a city with everything it says about its grids."""
        return cls(city.grids, off_grid_m, governance(city))

    # --- building -------------------------------------------------------------------------------

    def _drawn(self, grids: Sequence[Grid]) -> NDArray[np.object_]:
        """The shapes, all at once: half a million polygons one by one would take minutes."""
        polygons = [polygon for grid in grids for polygon in grid.rings]
        rings = [ring for polygon in polygons for ring in polygon]
        corners = sum(map(len, rings))
        flat = np.fromiter(chain.from_iterable(chain.from_iterable(rings)), np.float64, 2 * corners)
        places = flat.reshape(-1, 2)
        lats = places[:, 1]
        middle = float(lats.min() + lats.max()) / 2 if corners else 0.0
        self._my = math.radians(1.0) * EARTH_RADIUS_M
        self._mx = self._my * math.cos(math.radians(middle))
        if not grids:
            return np.empty(0, dtype=np.object_)
        parts = shapely.from_ragged_array(
            shapely.GeometryType.POLYGON,
            places * (self._mx, self._my),
            (_offsets(map(len, rings)), _offsets(map(len, polygons))),
        )
        counts = np.fromiter((len(grid.rings) for grid in grids), np.int64, len(grids))
        first = np.cumsum(counts) - counts
        shapes: NDArray[np.object_] = np.empty(len(grids), dtype=np.object_)
        shapes[:] = parts[first]
        for i in np.flatnonzero(counts > 1):
            shapes[i] = shapely.MultiPolygon(parts[first[i] : first[i] + counts[i]].tolist())
        return shapes

    def _inherited(self, versions: Sequence[GridVersion]) -> dict[str, tuple[str, ...]]:
        """Ended grid → the grids of its level that cover it from then on, the largest share
        first."""
        found: dict[str, tuple[str, ...]] = {}
        for i, item in enumerate(self._items):
            if item.until is None:
                continue
            end = item.until.timestamp()
            shares: list[tuple[float, str]] = []
            for j in self._tree.query(self._shapes[i]):
                other = self._items[int(j)].grid
                then = self._since[j] <= end < self._until[j] and other.id not in self._special
                if then and other.level == item.grid.level and other.id != item.grid.id:
                    share = shapely.intersection(self._shapes[i], self._shapes[j]).area
                    shares.append((-share, other.id))
            least = HEIR_SHARE * float(self._area[i])
            found[item.grid.id] = tuple(id for share, id in sorted(shares) if -share >= least)
        return found

    # --- above and after ------------------------------------------------------------------------

    def ancestors(self, grid_id: str | None) -> tuple[str, ...]:
        """The grids above this one, nearest first; none for an unknown grid."""
        if grid_id is None or grid_id not in self.grids:
            return ()
        known = self._chains.get(grid_id)
        if known is None:
            above: list[str] = []
            at = self.grids[grid_id].parent
            while at is not None and at in self.grids and at not in above and at != grid_id:
                above.append(at)
                at = self.grids[at].parent
            known = self._chains[grid_id] = tuple(above)
        return known

    def heirs(self, grid_id: str | None) -> tuple[str, ...]:
        """The grids that took the place of this one when it ended, and of those in turn."""
        found: list[str] = []
        left = list(self._heirs.get(grid_id or "", ()))
        while left:
            heir = left.pop(0)
            if heir not in found and heir != grid_id:
                found.append(heir)
                left += self._heirs.get(heir, ())
        return tuple(found)

    def lineage(self, grid_id: str | None) -> tuple[str, ...]:
        """The grid itself, those that took its place, and the ones above."""
        if not grid_id:
            return ()
        known = self._lines.get(grid_id)
        if known is None:
            mine = (grid_id, *self.heirs(grid_id))
            above = dict.fromkeys(chain.from_iterable(map(self.ancestors, mine)))
            known = (*mine, *(grid for grid in above if grid not in mine))
            if grid_id in self.grids:
                self._lines[grid_id] = known
        return known

    def _address(self, item: int) -> str:
        known = self._addresses.get(item)
        if known is not None:
            return known
        names: list[str] = []
        grid = self._items[item].grid
        for name in (*(self.grids[g].name for g in reversed(self.ancestors(grid.id))), grid.name):
            # "鼓楼街道第一社区" under "鼓楼街道" already says where it is.
            if names and name.startswith(names[-1]):
                names[-1] = name
            else:
                names.append(name)
        latin = all(name.isascii() for name in names)
        text = ", ".join(reversed(names)) if latin else "".join(names)
        self._addresses[item] = text
        return text

    # --- where ----------------------------------------------------------------------------------

    def grid_at(
        self, point: Point, at: datetime | None = None, kind: str | None = None
    ) -> str | None:
        """The grid that has the point: of those that hold at `at` (None: as the city was read),
        a special grid for this kind, else the smallest that covers it; outside every grid the
        nearest within `off_grid_m`; else None."""
        found = self._item_at(point, at, kind)
        return None if found is None else self._ids[found]

    def _item_at(self, point: Point, at: datetime | None, kind: str | None) -> int | None:
        x, y = point.lon * self._mx, point.lat * self._my
        where = shapely.Point(x, y)
        boxes = self._held(self._tree.query(where), at)
        covering = boxes[shapely.intersects_xy(self._shapes[boxes], x, y)].tolist()
        special = [i for i in covering if self._for(self._ids[i], kind)]
        usual = [i for i in covering if self._ids[i] not in self._special]
        found = special or usual or self._nearest(where, at)
        return min(found, key=self._smallest) if found else None

    def specials_at(self, point: Point, at: datetime | None = None) -> tuple[str, ...]:
        """The special grids that cover the point."""
        if not self._special:
            return ()
        x, y = point.lon * self._mx, point.lat * self._my
        found = self._held(self._tree.query(shapely.Point(x, y)), at)
        inside = found[shapely.intersects_xy(self._shapes[found], x, y)]
        return tuple(sorted({self._ids[i] for i in inside} & set(self._special)))

    def _held(self, found: NDArray[np.int64], at: datetime | None) -> NDArray[np.int64]:
        if self._timeless:
            return found
        if at is None:
            return found[self._standing[found]]
        now = at.timestamp()
        return found[(self._since[found] <= now) & (now < self._until[found])]

    def _for(self, grid_id: str, kind: str | None) -> bool:
        kinds = self._special.get(grid_id)
        if kinds is None or grid_id in self._only_places:
            return False
        return not kinds or kind in kinds

    def _nearest(self, where: Any, at: datetime | None) -> list[int]:
        near = self._tree.query(where, predicate="dwithin", distance=self._off_grid_m)
        near = self._held(near, at)
        usual = [int(i) for i in near if self._ids[i] not in self._special]
        metres = {i: round(shapely.distance(self._shapes[i], where), 3) for i in usual}
        least = min(metres.values(), default=0.0)
        return [i for i in usual if metres[i] == least]

    def _smallest(self, i: int) -> tuple[float, int, str]:
        """Smallest first; equal areas: the deeper one, then by id."""
        id = self._ids[i]
        return float(self._area[i]), -len(self.ancestors(id)), id

    def place(
        self,
        point: Point,
        address: str | None = None,
        *,
        at: datetime | None = None,
        kind: str | None = None,
    ) -> Place:
        """The place with its grid; the address is the grids' names unless one is given."""
        found = self._item_at(point, at, kind)
        if found is None:
            return Place(point.lon, point.lat, None, address)
        return Place(point.lon, point.lat, self._ids[found], address or self._address(found))


def _epochs(moments: Iterable[datetime | None], otherwise: float) -> NDArray[np.float64]:
    return np.array([otherwise if m is None else m.timestamp() for m in moments], dtype=np.float64)


def _offsets(lengths: Iterable[int]) -> NDArray[np.int64]:
    ends = np.cumsum(np.fromiter(lengths, np.int64))
    return np.concatenate(([0], ends))
