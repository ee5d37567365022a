"""Sway: by how many whole pixels two pictures of one scene are shifted, and shifting one back.

A camera on a pole moves by some pixels in the wind, and every edge of the facade then looks like
something that moves. The sums of rows and columns of a picture move with it; where they match best
is the shift. That is a hundred times cheaper than correlating pictures. Whole pixels only:
interpolation would blur one picture of three, and texture would stand out in the sharp one.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Luma = NDArray[np.uint8]

FARTHEST = 0.012
"""Largest shift looked for, as a share of the picture's height: 9 px at 720p."""

BETTER = 0.5
"""A shift must leave at most this much of the squared difference, or there is none: things that
move before a scene that stands still change its profiles, but do not make them match."""


def _profile(luma: Luma, axis: int) -> NDArray[np.float32]:
    """Slope of the mean along rows (axis 0: of columns), free of exposure."""
    mean = cv2.reduce(luma, axis, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel()
    return np.asarray(np.diff(mean), np.float32)


def _best(of: NDArray[np.float32], to: NDArray[np.float32], most: int) -> int:
    """The shift s for which of[i] matches to[i + s] best."""
    count = len(of) - 2 * most
    errors = np.sum((sliding_window_view(to, count) - of[most : most + count]) ** 2, axis=1)
    found = int(np.argmin(errors)) - most
    return found if float(errors.min()) <= BETTER * float(errors[most]) else 0


def shift_of(picture: Luma, like: Luma) -> tuple[int, int]:
    """(dx, dy) by which `picture` is shifted against `like`, whole pixels; (0, 0) when unclear."""
    most = max(2, round(FARTHEST * picture.shape[0]))
    across = _best(_profile(like, 0), _profile(picture, 0), most)
    down = _best(_profile(like, 1), _profile(picture, 1), most)
    return across, down


def shifted_back(picture: Luma, like: Luma) -> NDArray[Any]:
    """`picture` laid over `like`; where it has nothing to show, `like` itself (no difference)."""
    dx, dy = shift_of(picture, like)
    if dx == 0 and dy == 0:
        return picture
    height, width = like.shape
    out = like.copy()
    into = (slice(max(0, -dy), height - max(0, dy)), slice(max(0, -dx), width - max(0, dx)))
    from_ = (slice(max(0, dy), height - max(0, -dy)), slice(max(0, dx), width - max(0, -dx)))
    out[into] = picture[from_]
    return out
