"""The wall as a plane: pixels to places on it, and the wall as if seen straight on."""

from __future__ import annotations

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from gridsentry.calibrate.vanishing import View

Array = NDArray[np.float64]

MOST_SIDE = 1100
"""Of the picture of the wall, px."""
COARSE = 8
"""Pixels between two places that are computed through the lens; 0.02 px off between them."""
MARGIN = 0.06
"""Of the wall's sides, added around what the lines cover: its edges have few lines of their own."""


class Wall:
    """Places on the wall in units of the camera's distance from it: x along, y up."""

    def __init__(self, view: View) -> None:
        w, h = view.size
        f = view.focal_px
        self._lens = view.lens
        inner = np.array([[f, 0, w / 2], [0, f, h / 2], [0, 0, 1.0]])
        outer = np.linalg.inv(inner)
        up = outer @ view.up
        up = up / np.linalg.norm(up)
        # Not made perpendicular to `up`: with a wrong focal length that would tilt every floor.
        along = outer @ view.along
        along = along / np.linalg.norm(along)
        middle = outer @ np.array([w / 2, h / 2, 1.0])
        # Up is where y grows smaller in the picture, along is to the right.
        up = up if (up - (up @ middle) * middle)[1] < 0 else -up
        along = along if along[0] > 0 else -along
        out = np.cross(along, up)
        out = out / np.linalg.norm(out)
        out = out if out @ middle > 0 else -out
        self.matrix: Array = inner @ np.column_stack([along, up, out])
        """Straight pixels of (x, y, 1)."""
        self._back: Array = np.asarray(np.linalg.inv(self.matrix), np.float64)

    def places(self, pixels: Array) -> Array:
        """(x, y) on the wall of pixels (n, 2) as seen; NaN at and beyond the horizon."""
        straight = self._lens.straight(pixels)
        rows = np.column_stack([straight, np.ones(len(straight))]) @ self._back.T
        behind = rows[:, 2] < 1e-3
        rows[behind] = np.nan
        return np.asarray(rows[:, :2] / rows[:, 2:])

    def pixels(self, places: Array) -> Array:
        """Pixels as seen (n, 2) of places (n, 2) on the wall."""
        rows = np.column_stack([places, np.ones(len(places))]) @ self.matrix.T
        return self._lens.bent(rows[:, :2] / rows[:, 2:])


class Front(msgspec.Struct, frozen=True):
    """The wall seen straight on: row 0 is the top."""

    grey: NDArray[np.float32]
    inside: NDArray[np.bool_]
    """Where the picture shows the wall's plane at all."""
    left: float
    top: float
    step: float
    """A pixel's side, units of the wall."""

    def x(self, column: float) -> float:
        """Place along the wall of a column."""
        return self.left + column * self.step

    def y(self, row: float) -> float:
        """Height on the wall of a row."""
        return self.top - row * self.step


def extent(wall: Wall, segments: Array, weight: Array) -> tuple[float, float, float, float] | None:
    """(left, bottom, right, top) of the wall around most of these segments (n, 4)."""
    ends = np.vstack([wall.places(segments[:, :2]), wall.places(segments[:, 2:])])
    weights = np.concatenate([weight, weight])
    known = np.all(np.isfinite(ends), axis=1)
    ends, weights = ends[known], weights[known]
    if len(ends) < 8:
        return None
    sides = []
    for axis in (0, 1):
        order = np.argsort(ends[:, axis], kind="stable")
        share = np.cumsum(weights[order]) / weights.sum()
        low, high = np.searchsorted(share, (0.01, 0.99))
        sides.append((ends[order[low], axis], ends[order[min(high, len(order) - 1)], axis]))
    (left, right), (bottom, top) = sides
    if right - left < 1e-6 or top - bottom < 1e-6:
        return None
    wide, high = MARGIN * (right - left), MARGIN * (top - bottom)
    return float(left - wide), float(bottom - high), float(right + wide), float(top + high)


def front(wall: Wall, grey: NDArray[np.uint8], box: tuple[float, float, float, float]) -> Front:
    """The wall within `box` (left, bottom, right, top) as a picture of at most MOST_SIDE."""
    left, bottom, right, top = box
    step = max(right - left, top - bottom) / MOST_SIDE
    columns = max(16, int((right - left) / step))
    rows = max(16, int((top - bottom) / step))
    # The map bends little: it is computed for every COARSE-th pixel and drawn out between.
    few = (max(2, rows // COARSE), max(2, columns // COARSE))
    x, y = np.meshgrid(
        left + np.linspace(0, columns - 1, few[1]) * step,
        top - np.linspace(0, rows - 1, few[0]) * step,
    )
    seen = wall.pixels(np.column_stack([x.ravel(), y.ravel()])).astype(np.float32)
    across, down = np.meshgrid(
        np.linspace(0, few[1] - 1, columns, dtype=np.float32),
        np.linspace(0, few[0] - 1, rows, dtype=np.float32),
    )
    maps = cv2.remap(seen.reshape(*few, 2), across, down, cv2.INTER_LINEAR)
    picture = cv2.remap(
        cv2.GaussianBlur(grey, (0, 0), 0.8), maps[..., 0], maps[..., 1], cv2.INTER_LINEAR
    )
    height, width = grey.shape
    inside = (
        (maps[..., 0] >= 1) & (maps[..., 0] < width - 2)
        & (maps[..., 1] >= 1) & (maps[..., 1] < height - 2)
    )  # fmt: skip
    return Front(picture.astype(np.float32), inside, left, top, step)
