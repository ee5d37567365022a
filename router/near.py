"""What lies near a place, without looking at everything: ids in cells of a thousandth of a degree.

A cell is 111 m high and, between the equator and 60°, 111 to 56 m wide. A question costs the cells
it covers, or one look at each id where that is less; `looked` counts both, for the tests. Nothing
is near across the meridian of 180°, where no city of ours lies.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from contracts.event import Place

CELLS_PER_DEGREE = 1000.0
M_PER_DEGREE = 110_000.0
"""A little less than a degree of latitude anywhere: reaches too far rather than not far enough."""

Cell = tuple[int, int]


def _cell(place: Place) -> Cell:
    return math.floor(place.lon * CELLS_PER_DEGREE), math.floor(place.lat * CELLS_PER_DEGREE)


class Near:
    """Ids at their places; an id may have several. Iteration order is not a promise: whoever
    chooses among what is near must rank it."""

    def __init__(self) -> None:
        self._cells: dict[Cell, set[str]] = {}
        self._at: dict[str, tuple[Cell, ...]] = {}
        self.looked = 0
        """Cells and ids looked at since the beginning."""

    def __len__(self) -> int:
        """How many ids."""
        return len(self._at)

    def __iter__(self) -> Iterator[str]:
        """All ids."""
        self.looked += len(self._at)
        return iter(list(self._at))

    def put(self, key: str, places: Iterable[Place]) -> None:
        """This id is at these places and nowhere else."""
        cells = tuple(dict.fromkeys(_cell(place) for place in places))
        if self._at.get(key) == cells:
            return
        self.drop(key)
        self._at[key] = cells
        for cell in cells:
            self._cells.setdefault(cell, set()).add(key)

    def drop(self, key: str) -> None:
        """This id is nowhere any more."""
        for cell in self._at.pop(key, ()):
            ids = self._cells[cell]
            ids.discard(key)
            if not ids:
                del self._cells[cell]

    def within(self, place: Place, metres: float) -> Iterator[str]:
        """Every id with a place within `metres`, and some a little beyond; each at least once."""
        d_lat = metres / M_PER_DEGREE
        narrow = max(0.01, math.cos(math.radians(min(89.0, abs(place.lat) + d_lat))))
        d_lon = d_lat / narrow
        west, south = _cell(Place(place.lon - d_lon, place.lat - d_lat))
        east, north = _cell(Place(place.lon + d_lon, place.lat + d_lat))
        if (east - west + 1) * (north - south + 1) > len(self._cells):
            self.looked += len(self._cells)
            for (x, y), ids in self._cells.items():
                if west <= x <= east and south <= y <= north:
                    self.looked += len(ids)
                    yield from ids
            return
        for x in range(west, east + 1):
            for y in range(south, north + 1):
                found = self._cells.get((x, y))
                self.looked += 1
                if found is not None:
                    self.looked += len(found)
                    yield from found
