"""The ground plan: a warped lattice of roads, and the grid hierarchy between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contracts.city import Grid
from simulators import names
from simulators.dice import dice
from simulators.frame import XY, lerp, to_point

STREET_ID = "qingxi"
COLUMNS, ROWS = 4, 3
"""Grids side by side, and communities (rows of grids) from the river up."""
_CELL = (600.0, 620.0)


class Lattice:
    """Road crossings; `at(u, v)` finds any place between them, u in 0..4 east, v in 0..3 north."""

    def __init__(self, seed: int) -> None:
        rng = dice(seed, "lattice")
        bend = rng.uniform(-45.0, 45.0, size=(COLUMNS + 1, ROWS + 1, 2))
        self._nodes = np.zeros((COLUMNS + 1, ROWS + 1, 2))
        for i in range(COLUMNS + 1):
            for j in range(ROWS + 1):
                # a gentle slant keeps the streets from running exactly east and north
                self._nodes[i, j] = (
                    200 + i * _CELL[0] + 0.10 * j * _CELL[1] + bend[i, j, 0],
                    260 + j * _CELL[1] - 0.07 * i * _CELL[0] + bend[i, j, 1],
                )

    def corner(self, i: int, j: int) -> XY:
        """The crossing in column `i`, row `j`."""
        return float(self._nodes[i, j, 0]), float(self._nodes[i, j, 1])

    def cell(self, i: int, j: int) -> tuple[XY, XY, XY, XY]:
        """The four corners of a grid, counter-clockwise from the south-west."""
        corners = self.corner
        return corners(i, j), corners(i + 1, j), corners(i + 1, j + 1), corners(i, j + 1)

    def at(self, u: float, v: float) -> XY:
        """The place at lattice coordinates (u, v), bilinear inside each cell."""
        i, j = min(int(max(u, 0)), COLUMNS - 1), min(int(max(v, 0)), ROWS - 1)
        return inside(self.cell(i, j), u - i, v - j)


def inside(quad: tuple[XY, XY, XY, XY], s: float, t: float) -> XY:
    """The bilinear point (s, t) of a quadrilateral, both in 0..1."""
    return lerp(lerp(quad[0], quad[1], s), lerp(quad[3], quad[2], s), t)


def _ring(points: Sequence[XY]) -> tuple[tuple[float, float], ...]:
    spots = [to_point(p) for p in [*points, points[0]]]
    return tuple((p.lon, p.lat) for p in spots)


def grids(lattice: Lattice) -> tuple[Grid, ...]:
    """One street, three communities, twelve grids, sixty micro-grids, from large to small."""
    north = [lattice.corner(i, ROWS) for i in range(COLUMNS, -1, -1)]
    west = [lattice.corner(0, j) for j in range(ROWS - 1, 0, -1)]
    south = [lattice.corner(i, 0) for i in range(COLUMNS + 1)]
    east = [lattice.corner(COLUMNS, j) for j in range(1, ROWS)]
    found = [
        Grid(
            id=STREET_ID,
            name=names.STREET,
            level="street",
            rings=((_ring([*south, *east, *north, *west]),),),
        )
    ]
    communities, blocks, micros = [], [], []
    for j in range(ROWS):
        community = f"{STREET_ID}-{j + 1:02d}"
        low = [lattice.corner(i, j) for i in range(COLUMNS + 1)]
        high = [lattice.corner(i, j + 1) for i in range(COLUMNS, -1, -1)]
        communities.append(
            Grid(
                id=community,
                name=names.COMMUNITIES[j],
                level="community",
                parent=STREET_ID,
                rings=((_ring([*low, *high]),),),
            )
        )
        for i in range(COLUMNS):
            block = f"{community}-{i + 1:02d}"
            title = f"{names.COMMUNITIES[j]}第{names.NUMBERS[i]}网格"
            quad = lattice.cell(i, j)
            blocks.append(
                Grid(
                    id=block,
                    name=title,
                    level="grid",
                    parent=community,
                    rings=((_ring(quad),),),
                )
            )
            for k, part in enumerate(_five(quad), start=1):
                estate = names.ESTATES[(5 * (j * COLUMNS + i) + k - 1) % len(names.ESTATES)]
                micros.append(
                    Grid(
                        id=f"{block}-{k}",
                        name=f"{title}{names.NUMBERS[k - 1]}微网格（{estate}）",
                        level="microgrid",
                        parent=block,
                        rings=((_ring(part),),),
                    )
                )
    return (*found, *communities, *blocks, *micros)


def _five(quad: tuple[XY, XY, XY, XY]) -> list[tuple[XY, XY, XY, XY]]:
    """Five micro-grids: three along the southern road, two along the northern one."""
    parts = []
    for t0, t1, n in ((0.0, 0.52, 3), (0.52, 1.0, 2)):
        for k in range(n):
            s0, s1 = k / n, (k + 1) / n
            parts.append(
                (
                    inside(quad, s0, t0),
                    inside(quad, s1, t0),
                    inside(quad, s1, t1),
                    inside(quad, s0, t1),
                )
            )
    return parts
