"""Who is near a point? A grid of buckets over positions: cheap to move in, exact to ask.

Nothing is rebuilt when somebody moves (20,000 times a second in a province), and a question walks
outwards ring by ring; each answer says how far away everybody not yet named must be at least, so
that whoever asks may stop early and still have found the best.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from contracts.geo import EARTH_RADIUS_M

CELL_M = 500.0
"""Side of a bucket. A grid of Jiangsu is about 1 km² with five workers, a district's centre has a
hundred in the same area: a question then looks into ten to a hundred buckets."""
_RINGS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
_ROW = 1 << 20
_RADIAN = math.pi / 180.0

Indexes = NDArray[np.int32]


@cache
def _band(inner: int, outer: int) -> tuple[int, ...]:
    """Keys, relative to the middle's, of the buckets in the window `outer` and not in `inner`."""
    span = range(-outer, outer + 1)
    return tuple(
        dy * _ROW + dx for dy in span for dx in span if max(abs(dx), abs(dy)) > inner or inner < 0
    )


class Near:
    """Positions of `n` people, numbered from 0, in buckets."""

    def __init__(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> None:
        """`lon`, `lat`: (n,) degrees; kept and updated by `move`."""
        self.lon = lon
        self.lat = lat
        middle = float(np.median(lat)) if len(lat) else 0.0
        self._per_lat = EARTH_RADIUS_M * _RADIAN / CELL_M
        self._per_lon = self._per_lat * max(0.01, math.cos(middle * _RADIAN))
        key = (np.floor(lat * self._per_lat) * _ROW + np.floor(lon * self._per_lon)).astype(
            np.int64
        )
        self._key: NDArray[np.int64] = key
        order = np.argsort(key, kind="stable").astype(np.int32)
        keys, starts = np.unique(key[order], return_index=True)
        self._cells: dict[int, array[int]] = {
            int(k): array("i", part.tobytes())
            for k, part in zip(keys, np.split(order, starts[1:]), strict=True)
        } if len(lat) else {}  # fmt: skip

    def move(self, index: int, lon: float, lat: float) -> None:
        """This one is here now."""
        self.lon[index] = lon
        self.lat[index] = lat
        key = math.floor(lat * self._per_lat) * _ROW + math.floor(lon * self._per_lon)
        old = int(self._key[index])
        if key == old:
            return
        cell = self._cells[old]
        cell.remove(index)
        if not cell:
            del self._cells[old]
        self._key[index] = key
        there = self._cells.get(key)
        if there is None:
            self._cells[key] = array("i", (index,))
        else:
            there.append(index)

    def rings(self, lon: float, lat: float) -> Iterator[tuple[Indexes, float]]:
        """Everybody, the nearer buckets first: (their indexes in rising order, the least distance
        in metres of anybody not yet named; infinite with the last)."""
        row, column = math.floor(lat * self._per_lat), math.floor(lon * self._per_lon)
        middle = row * _ROW + column
        inner = -1
        for outer in _RINGS:
            if (2 * outer + 1) ** 2 >= 4 * len(self._cells) + 64:
                break
            cells = self._cells
            found = [c for k in _band(inner, outer) if (c := cells.get(middle + k)) is not None]
            yield _together(found), self._beyond(lon, lat, row, column, outer)
            inner = outer
        yield self._rest(row, column, inner), math.inf

    def _beyond(self, lon: float, lat: float, row: int, column: int, outer: int) -> float:
        """Metres to the edge of the window: along the meridian, and to the meridian (the exact
        distance of a point to a great circle: sin d = cos(latitude) sin(difference))."""
        south = lat - (row - outer) / self._per_lat
        north = (row + outer + 1) / self._per_lat - lat
        west = lon - (column - outer) / self._per_lon
        east = (column + outer + 1) / self._per_lon - lon
        side = math.cos(lat * _RADIAN) * math.sin(min(90.0, west, east) * _RADIAN)
        return EARTH_RADIUS_M * min(south * _RADIAN, north * _RADIAN, math.asin(side))

    def _rest(self, row: int, column: int, inner: int) -> Indexes:
        if inner < 0:
            return np.arange(len(self.lon), dtype=np.int32)
        keys = self._key
        rows = (keys + _ROW // 2) // _ROW
        columns = keys - rows * _ROW
        outside = (np.abs(rows - row) > inner) | (np.abs(columns - column) > inner)
        return np.flatnonzero(outside).astype(np.int32)


def _together(cells: list[array[int]]) -> Indexes:
    if not cells:
        return np.empty(0, dtype=np.int32)
    return np.sort(np.frombuffer(b"".join(cells), dtype=np.int32))
