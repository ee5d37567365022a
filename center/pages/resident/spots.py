"""Every place of a city that can have a code: its own list, smallest grids, drains and poles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from contracts.city import City, Grid
from contracts.geo import Point, distance_m
from contracts.governance import governance
from contracts.spots import Spot, own_spots

WHAT = ("place", "grid", "drain", "pole")
"""Sorts of places; `place` are those of `places.csv`."""
MARGIN_M = 200.0
"""Beyond the farthest corner of a grid people still mean it."""


def spots(city: City) -> Iterator[Spot]:
    """Every place, the city's own first; the same ones in the same order every time."""
    yield from own_spots(city)
    special = {one.grid.id for one in governance(city).special}  # they lie over the others
    parents = {grid.parent for grid in city.grids if grid.id not in special}
    yield from (_grid(grid) for grid in city.grids if grid.id not in parents)
    if city.drains is not None:
        for node in city.drains.nodes.values():
            name = f"雨水井 {node.id}", f"Drain {node.id}"
            yield _spot("drain", node.id, name, node.point)
    for line in city.lines:
        for pole in line.nodes.values():
            if pole.what == "pole":
                yield _spot("pole", pole.id, (f"电杆 {pole.id}", f"Pole {pole.id}"), pole.point)


def sort_of(spot: Spot) -> str:
    """Which of `WHAT` it is."""
    return spot.id.partition(":")[0]


def _spot(what: str, ident: str, name: tuple[str, str], point: Point) -> Spot:
    return Spot(id=f"{what}:{ident}", what=what, zh=name[0], en=name[1], point=point)


def _grid(grid: Grid) -> Spot:
    corners = list(_corners(grid))
    lon, lat = (sum(c[i] for c in corners) / len(corners) for i in (0, 1))
    middle = Point(lon, lat)
    reach = max(distance_m(middle, Point(*corner)) for corner in corners) + MARGIN_M
    return Spot(
        id=f"grid:{grid.id}", what="grid", zh=grid.name, en=grid.name, point=middle,
        reach_m=reach, grid=grid.id,
    )  # fmt: skip


def _corners(grid: Grid) -> Iterable[tuple[float, float]]:
    # The ring's last corner repeats its first.
    return (corner for polygon in grid.rings for corner in polygon[0][:-1])
