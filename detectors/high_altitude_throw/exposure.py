"""Exposure: what a change of light or gain did to the whole picture, undone before comparing.

A step between two pictures lies inside the range of the three and never stood out; mains flicker
and a hunting gain control are there for one picture only and would. The change is taken from a
coarse grid: a line through the changes against the levels, without what moved.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]

COARSE = 60
"""Rows of the coarse picture in which exposure and new scenes are recognised."""

LEAST = 0.8
"""Grey levels: a smaller change of the mean is left alone. A third of what compression does."""

MOVED = (25, 10)
"""Grey levels by which a point may differ from the median change, and then from the line through
those, and still tell about light."""

LEAST_POINTS = 100
"""Fewer points of the grid tell nothing."""

DARK, BRIGHT = 4, 251
"""Outside these a point is black or burnt out, and says nothing about light."""

NEW_SCENE = 0.3
"""Share of the coarse picture that differs by more than NEW_LEVELS, evened for exposure."""

NEW_LEVELS = 25


class Line(NamedTuple):
    """Grey levels there are `gain` times those here, plus `offset`."""

    gain: float
    offset: float


def coarse(luma: Luma) -> NDArray[np.int16]:
    """Every so many rows and columns of a picture: 6400 points of a wide one."""
    step = max(1, luma.shape[0] // COARSE)
    return luma[::step, ::step].astype(np.int16)


def line(of: NDArray[np.int16], to: NDArray[np.int16]) -> Line | None:
    """What makes coarse picture `of` look like `to`; None where light did not change."""
    if abs(float(to.mean()) - float(of.mean())) < LEAST:
        return None
    told = (of > DARK) & (of < BRIGHT) & (to > DARK) & (to < BRIGHT)
    if int(told.sum()) < LEAST_POINTS:
        return None
    # against the mean of both: noise in one of them alone would bend the line
    level, change = (of[told] + to[told]) / 2, (to - of)[told].astype(float)
    guess, slope, offset = np.full(level.shape, np.median(change)), 0.0, 0.0
    for moved in MOVED:
        still = np.abs(change - guess) <= moved
        if int(still.sum()) < LEAST_POINTS:
            return None
        x, y = level[still], change[still]
        x0, y0 = float(x.mean()), float(y.mean())
        slope = float(np.dot(x - x0, y - y0)) / max(float(np.dot(x - x0, x - x0)), 1.0)
        offset = y0 - slope * x0
        guess = slope * level + offset
    return Line((1 + slope / 2) / (1 - slope / 2), offset / (1 - slope / 2))


def evened(luma: Luma, by: Line | None) -> Luma:
    """`luma` in the light of another picture."""
    if by is None:
        return luma
    return np.asarray(cv2.convertScaleAbs(luma, alpha=by.gain, beta=by.offset), np.uint8)


def is_new_scene(before: NDArray[np.int16], now: NDArray[np.int16]) -> bool:
    """Whether the camera was turned or the picture cut to another, of two coarse pictures."""
    change = now - before
    # the mean bounds the share that is asked for below, and is quick
    if float(np.abs(change).mean()) <= NEW_SCENE * NEW_LEVELS:
        return False
    change -= np.int16(np.median(change))
    return float(np.mean(np.abs(change) > NEW_LEVELS)) > NEW_SCENE
