"""In what a track is followed: picture heights, or metres on a calibrated wall.

A fall speeds up by the same in metres wherever it is; in the picture it does not. What the filter
expects between two sightings is therefore much sharper in metres, and so is what it finds again
behind a tree.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detectors._common.facade import Facade

Array = NDArray[np.float64]

DEEPEST = 8.0
"""Where the wall's depth varies by more than this over the picture, metres on it are no scale for
what moves before it: its vanishing line is near."""


class Space(Protocol):
    """Units of tracking: across and down."""

    fastest: float
    """Units per s."""
    gravity: float
    """Prior of the acceleration down, units per s²."""
    gravity_sd: float
    wind: float
    """Process noise across, units/s² per sqrt(s): tumbling and wind."""
    jerk: float
    """Process noise down, units/s³ per sqrt(s): perspective and drag."""

    def places(self, pixels: Array) -> tuple[Array, Array]:
        """(across, down) of pixels (n, 2) and the units a pixel is worth there, both (n, 2)."""
        ...

    def pixel(self, across: float, down: float) -> tuple[float, float]:
        """Where that is in the picture, px."""
        ...


class PictureSpace:
    """Picture heights: any camera."""

    fastest = 3.0
    """30 m/s before a facade that shows 10 m of its height."""
    gravity = 0.7
    """9.81 m/s² where a picture shows 5 m to 100 m of facade is 2 to 0.1; the filter soon forgets
    it."""
    gravity_sd = 0.8
    wind = 0.25
    jerk = 1.0

    def __init__(self, shape: tuple[int, int]) -> None:
        """For pictures of `shape` (height, width)."""
        self._height = float(shape[0])

    def places(self, pixels: Array) -> tuple[Array, Array]:
        """See `Space`."""
        return pixels / self._height, np.full(pixels.shape, 1 / self._height)

    def pixel(self, across: float, down: float) -> tuple[float, float]:
        """See `Space`."""
        return across * self._height, down * self._height


class WallSpace:
    """Metres on the wall: a calibrated camera. Down is against v."""

    fastest = 45.0
    """A stone after 100 m."""
    gravity = 6.5
    """Between what keeps its terminal speed and a stone, less what leaving the wall feigns."""
    gravity_sd = 4.0
    wind = 3.0
    jerk = 8.0
    """A light thing loses its acceleration of 10 m/s² within a second."""

    def __init__(self, facade: Facade) -> None:
        """For pictures of `facade.shape`."""
        self._facade = facade
        matrix = facade.pose.matrix
        self._rows = [[float(matrix[i, j]) for j in (0, 1, 3)] for i in range(3)]

    def places(self, pixels: Array) -> tuple[Array, Array]:
        """See `Space`."""
        wall = self._facade.to_metres(pixels) * np.array([1.0, -1.0])
        return wall, self._facade.metres_per_pixel(pixels)

    def pixel(self, across: float, down: float) -> tuple[float, float]:
        """See `Space`. The lens counts: at the rim it moves a place by a hundred pixels, and what
        seems to leave the picture is followed no more."""
        x, y, depth = (row[0] * across - row[1] * down + row[2] for row in self._rows)
        if depth <= 0:
            return math.inf, math.inf
        return self._facade.crooked(x / depth, y / depth)


def space_of(facade: Facade | None, shape: tuple[int, int]) -> Space:
    """Metres where the calibration allows it, else picture heights."""
    if facade is None:
        return PictureSpace(shape)
    height, width = shape
    corners = np.array([(0.0, 0.0), (width, 0.0), (0.0, height), (width, height)])
    wall = np.column_stack([facade.to_metres(corners), np.zeros(4)])
    depth = facade.pose.depth(wall)
    if depth.min() <= 0 or depth.max() > DEEPEST * depth.min():
        return PictureSpace(shape)
    return WallSpace(facade)
