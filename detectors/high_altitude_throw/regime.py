"""Regime: whether the scene is clear, full of rain or snow, or cannot be looked through.

Rain and snow are many small things all over the picture at once, for seconds; a tree in the wind
or a road is many things in one part of it. In rain a candidate must stand out more, so that what is
left to follow stays bounded, and the detector says that it sees less.
"""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Regime = Literal["clear", "rain", "blind"]

CELLS = 8
"""The picture is cut into this many rows and columns of cells."""

SMOOTH_S = 1.0
"""Time constant of what is judged: a flock or a gust's first second is no weather."""

RAIN_CELLS, CLEAR_CELLS = 0.30, 0.15
"""Share of cells that show something in a usual picture: from the upper on it rains, below the
lower it is over. In the real rain clip half the cells do; a tree and a road fill a fifth."""

BLIND, SEEING = 0.7, 0.3
"""Share of pictures that say nothing, likewise."""


class Weather(msgspec.Struct):
    """The fold over pictures."""

    cells: float = 0.0
    """Share of cells with something in them, smoothed."""
    unseen: float = 0.0
    """Share of pictures that said nothing, smoothed."""
    regime: Regime = "clear"

    def add(
        self, places: NDArray[np.float64], size: tuple[int, int], seen: bool, seconds: float
    ) -> Regime:
        """One picture of `size` (height, width): where (x, y) small things stood out."""
        weight = min(1.0, seconds / SMOOTH_S)
        self.unseen += weight * ((not seen) - self.unseen)
        if seen:
            height, width = size
            column = (places[:, 0] * (CELLS / width)).astype(int)
            row = (places[:, 1] * (CELLS / height)).astype(int)
            share = len(np.unique(row * CELLS + column)) / CELLS**2
            self.cells += weight * (share - self.cells)
        rain = self.cells > (CLEAR_CELLS if self.regime == "rain" else RAIN_CELLS)
        blind = self.unseen > (SEEING if self.regime == "blind" else BLIND)
        self.regime = "blind" if blind else "rain" if rain else "clear"
        return self.regime
