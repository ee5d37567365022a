"""From where things are let go: a facade's zones as a prior over places on the wall, on a raster.

Things are thrown from windows, balconies and roofs, so a release is somewhere in a zone, seldom
anywhere else. Within a zone the opening is its middle and lower part more than its rim.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from contracts.city import Zone

Array = NDArray[np.float64]

STEP_M = 0.2
"""Least size of a raster cell: half of how well a release is ever known."""

MOST_CELLS = 600
"""Cells along the longer side at most."""

MARGIN_M = 6.0
"""The raster goes so far beyond the zones."""

ELSEWHERE = 0.1
"""Density of releases outside all zones, inside being 1 on average: unlisted openings, wrong
polygons, things off the roof."""

BELOW_TOP, ABOVE_SILL, RIM = 0.92, 0.15, 0.4
"""Between these shares of a zone's height the density is full, towards its rims it falls to RIM:
a floor's slab and lintel take 15 % and 10 % of its height."""


class Prior:
    """Where releases are likely, per cell of a raster over the wall."""

    def __init__(self, zones: Sequence[Zone]) -> None:
        """`zones` with facade coordinates in metres; later ones lie over earlier, small ones over
        large. Without zones nothing is likely anywhere."""
        self.zones = tuple(zones)
        corners = np.array([point for zone in zones for point in zone.polygon] or [(0.0, 0.0)])
        low, high = corners.min(axis=0) - MARGIN_M, corners.max(axis=0) + MARGIN_M
        self.step = max(STEP_M, float((high - low).max()) / MOST_CELLS)
        self.u = np.arange(low[0] + self.step / 2, high[0], self.step)
        self.v = np.arange(low[1] + self.step / 2, high[1], self.step)
        self.zone: NDArray[np.int32] = np.full((len(self.v), len(self.u)), -1, np.int32)
        """Index of the zone of each cell, -1: none. Rows follow `v`, columns `u`."""
        self.density: Array = np.full(self.zone.shape, ELSEWHERE)
        shapes = [shapely.Polygon(zone.polygon) for zone in zones]
        for index in sorted(range(len(shapes)), key=lambda one: (-shapes[one].area, one)):
            self._lay(index, shapes[index])
        self.low = float(corners[:, 1].min())
        """Lowest v of any zone: about the ground."""
        self.high = float(corners[:, 1].max())
        """Highest v of any zone: about the roof's edge."""
        self.sides = (float(corners[:, 0].min()), float(corners[:, 0].max()))
        self.floor_m = _typical([s.bounds[3] - s.bounds[1] for s in shapes], 3.0)
        """Height of a zone, metres (median): one floor."""
        self.bay_m = _typical([s.bounds[2] - s.bounds[0] for s in shapes], 4.0)
        """Width of a zone, metres (median)."""

    def _lay(self, index: int, shape: shapely.Polygon) -> None:
        u0, v0, u1, v1 = shape.bounds
        columns = slice(*np.searchsorted(self.u, (u0, u1)))
        rows = slice(*np.searchsorted(self.v, (v0, v1)))
        across, up = np.meshgrid(self.u[columns], self.v[rows])
        inside = shapely.contains_xy(shape, across.ravel(), up.ravel()).reshape(across.shape)
        share = (up - v0) / max(v1 - v0, 1e-9)
        rise = np.minimum(share / ABOVE_SILL, (1 - share) / (1 - BELOW_TOP))
        weight = RIM + (1 - RIM) * np.clip(rise, 0.0, 1.0)
        self.zone[rows, columns][inside] = index
        self.density[rows, columns][inside] = weight[inside]

    def window(self, u: tuple[float, float], v: tuple[float, float]) -> tuple[slice, slice]:
        """Rows and columns of the cells between these bounds."""
        return slice(*np.searchsorted(self.v, v)), slice(*np.searchsorted(self.u, u))


def _typical(values: list[float], otherwise: float) -> float:
    return sorted(values)[len(values) // 2] if values else otherwise
