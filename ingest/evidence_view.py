"""What is told about the pictures of an event: where its way lies, what is drawn, what is hidden.

All places are (x, y) in pixels of the upright picture at `View.size`; pictures of another size are
taken as scaled copies of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

Polygon = Sequence[tuple[float, float]]
Track = Sequence[tuple[datetime, float, float]]


class Window(msgspec.Struct, frozen=True):
    """A place that something may have been thrown from."""

    polygon: Polygon
    label: str
    """Such as `F17-3 0.93`; ASCII, since OpenCV's fonts know nothing else."""
    named: bool
    """The one that is named; the others are drawn thin."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """One event as its camera saw it."""

    size: tuple[int, int]
    """(width, height)."""
    track: Track = ()
    """[(time, x, y), …] in order."""
    reach: float = 24.0
    """Half width of the corridor around the path, pixels."""
    windows: Sequence[Window] = ()
    wall: Sequence[Polygon] = ()
    """Where only homes are hidden; outside of it everything is, but the corridor. Empty: the wall
    is not known (no calibration)."""
    homes: Sequence[Polygon] = ()
    """Windows, balconies, corridors on the wall: hidden, but for the named window."""
    private: Sequence[Polygon] = ()
    """Black in every picture that is kept."""
    caption: str = ""
    """ASCII; stands below each shown picture, before the time."""
    zone_s: int = 0
    """Seconds east of UTC of the time that is written into pictures."""


def scaled(polygon: Polygon, factor: tuple[float, float]) -> NDArray[np.int32]:
    """The corners in whole pixels after scaling x and y, shape (n, 1, 2)."""
    places = np.asarray(polygon, np.float64).reshape(-1, 1, 2) * np.array(factor)
    # far outside is outside enough, and fits what OpenCV can draw
    return np.asarray(np.round(np.clip(places, -30_000, 30_000)), np.int32)
