"""A quick look at a picture: is there still something to see in it, and is it sharp?

The picture is cut into some 200 cells. What is compared with the same cell of a reference is the
contrast at two scales: windows and ledges (coarse), and their edges (fine). A covered lens has
lost the coarse contrast in cells that are light enough to show any; a blurred one keeps it and
has lost the fine one. Measured on two photographs of facades, sent as H.264 at 0.6 to 4 Mbit/s
(fine over coarse, against the reference): sharp 0.89 to 1.03, fog and dusk that leave an eighth of
the contrast 0.55 to 0.9, out of focus by a Gaussian of 2 px at 1080p 0.5, 3 px 0.36, 4 px and more
0.33 and less; coarse contrast stays above 0.2 even at 20 px.
"""

from __future__ import annotations

from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

CELL = 12
"""Side of a cell in the small picture: 96 px at 1080p."""

STRUCTURED = 3.0
"""Mean coarse contrast (grey levels) of a cell that has something to show."""

FLAT = 1.2
"""Coarse contrast (grey levels) of a cell that shows nothing: noise of 3 to 6 levels leaves 0.3 to
1.0 of it, averaged over 64 pixels at 1080p, over 16 at 360p."""

FLAT_SHARE = 0.1
"""A cell shows nothing either when it keeps less than this of its contrast, light allowed for."""

DARK, WHITE = 20.0, 240.0
"""Cells darker or lighter than this (grey levels) show nothing whatever is before the lens."""

LEAST_CELLS = 12
"""Cells with structure below which nobody can tell (a facade that fills a tenth: 20)."""

CLEAR_SHARE = 0.2
"""Sharpness is judged where this much of the coarse contrast is left."""

Plane = NDArray[np.float32]


class Texture(msgspec.Struct):
    """Mean, coarse and fine contrast of each cell, grey levels, shape (cells,)."""

    mean: Plane
    coarse: Plane
    fine: Plane


class Glance(msgspec.Struct, frozen=True):
    """What one quick look found."""

    lost: float
    """Share of the cells that had structure and, though light enough, have none."""
    unseen: float
    """Share of them too dark or too bright to show any."""
    contrast: float
    """Median share of their coarse contrast that cells with structure have left, light allowed
    for."""
    mean: float
    """Brightness of the whole, grey levels."""
    flat: bool
    """No contrast anywhere, dark cells included."""
    sharp: float | None
    """Fine over coarse contrast against the reference; None where nobody can tell."""


def texture(shrunk: NDArray[Any], small: NDArray[Any]) -> Texture:
    """The cells of a picture, at the compared size and at a quarter of it."""
    height, width = small.shape
    cells = (max(4, width // CELL), max(4, height // CELL))

    def mean(picture: Any) -> Plane:
        shrunk_to = cv2.resize(picture, cells, interpolation=cv2.INTER_AREA)
        return np.asarray(shrunk_to, np.float32).ravel()

    coarse = cv2.absdiff(small, cv2.GaussianBlur(small, (0, 0), 3.0))
    big = np.asarray(shrunk, np.float32)
    fine = cv2.absdiff(big, cv2.GaussianBlur(big, (0, 0), 1.5))
    return Texture(mean(small), mean(coarse), mean(fine))


def glance(then: Texture, now: Texture) -> Glance | None:
    """`now` against the reference `then`; None where the reference has too little to compare."""
    shown = (then.coarse >= STRUCTURED) & (then.mean > DARK) & (then.mean < WHITE)
    count = int(shown.sum())
    if count < LEAST_CELLS:
        return None
    mean, coarse = now.mean[shown], now.coarse[shown]
    light = np.minimum(1.0, mean / then.mean[shown])
    unseen = (mean <= DARK) | (mean >= WHITE)
    level = np.maximum(FLAT, FLAT_SHARE * light * then.coarse[shown])
    lost = ~unseen & (coarse < level)
    clear = ~unseen & (coarse >= CLEAR_SHARE * light * then.coarse[shown]) & (coarse > 1.5 * FLAT)
    sharp = None
    if int(clear.sum()) >= max(LEAST_CELLS, count // 2):
        was = _fine(then)[shown][clear] / (then.coarse[shown][clear] + 1)
        sharp = float(np.median(_fine(now)[shown][clear] / (coarse[clear] + 1) / (was + 0.01)))
    return Glance(
        lost=float(lost.mean()),
        unseen=float(unseen.mean()),
        contrast=float(np.median(coarse / (np.maximum(light, 0.01) * then.coarse[shown]))),
        mean=float(now.mean.mean()),
        flat=float((now.coarse < FLAT).mean()) > 0.95,
        sharp=sharp,
    )


def _fine(of: Texture) -> Plane:
    """Fine contrast without the noise, which is all that the flattest cells have."""
    return np.asarray(np.maximum(of.fine - np.quantile(of.fine, 0.05), 0.0), np.float32)
