"""Noise: how much each place of the scene stands out by itself.

For Gaussian noise of standard deviation s the mean of what stands out of three pictures is
2/3 * 0.846 s = 0.564 s (0.846 s is the expected gap between the two largest of three), so its mean
over a tile and some seconds tells s, swaying leaves and the encoder's pulse included.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]

TILES_HIGH = 90
"""Rows of noise tiles in a picture (8 px at 720p): smaller than a tree, larger than an object."""

LEAST_TILE = 6
"""Pixels: the mean of fewer than 36 tells too little."""

NOISE_S = 2.0
"""Time constant: many times what an object stays in a tile (0.03 to 0.3 s)."""

EVERY = 3
"""It is learned from every third comparison: the tiles' means cost as much as the comparing."""

SIGMAS = 5.0
"""Pixel threshold in standard deviations: below one chance pixel per 1e6 for Gaussian noise."""

FLOOR = 5.0
"""Least contrast in grey levels. Compression at usual rates moves flat areas by 2 to 4."""

MEAN_TO_SIGMA = 1 / 0.564

LEAST_SIGMA = 0.5
"""Grey levels: rounding alone is 0.3."""

GROWTH = 3.0
"""In one step noise counts at most as this many times what is known, plus one grey level."""


class NoiseMap:
    """The fold over comparisons. Its state: the mean of each tile, and a count."""

    def __init__(self, shape: tuple[int, int], rows_whole: float) -> None:
        """For working pictures of `shape`; `rows_whole`: height of the whole picture in them."""
        self.tile = max(LEAST_TILE, round(rows_whole / TILES_HIGH))
        self.shape = shape
        self.tiles = (max(1, shape[1] // self.tile), max(1, shape[0] // self.tile))
        self.mean: NDArray[np.float32] | None = None
        self.count = 0
        self._level: Luma | None = None

    def level(self) -> Luma | None:
        """What a pixel must exceed to stand out, shape of the picture; None: not known yet."""
        if self._level is None and self.mean is not None:
            around = np.maximum(self.mean, cv2.blur(self.mean, (3, 3)))
            small = np.clip(around * (SIGMAS * MEAN_TO_SIGMA) + FLOOR, 0, 255).astype(np.uint8)
            self._level = np.asarray(cv2.resize(small, self.shape[::-1]), np.uint8)
        return self._level

    def sigma_at(self, x: float, y: float) -> float:
        """Standard deviation of the noise at a place of the working picture, grey levels."""
        if self.mean is None:
            return LEAST_SIGMA
        column = min(self.tiles[0] - 1, int(x / self.shape[1] * self.tiles[0]))
        row = min(self.tiles[1] - 1, int(y / self.shape[0] * self.tiles[1]))
        return max(LEAST_SIGMA, float(self.mean[row, column]) * MEAN_TO_SIGMA)

    def learn(self, out: Luma, seconds: float) -> None:
        """From what stood out, whole picture; `seconds` since the comparison before."""
        self.count += 1
        if self.mean is not None and self.count % EVERY:
            return
        # what passes counts no more than the loudest noise would: it must not blind its way
        if self._level is not None:
            out = np.asarray(cv2.min(out, self._level), np.uint8)
        # quadrupled before averaging: whole grey levels are too coarse for a mean
        twice = cv2.add(out, out)
        fours = cv2.resize(cv2.add(twice, twice), self.tiles, interpolation=cv2.INTER_AREA)
        now = fours.astype(np.float32) / 4
        known = now if self.mean is None else self.mean
        weight = np.float32(min(1.0, EVERY * seconds / NOISE_S))
        now = np.minimum(now, GROWTH * known + 1)
        self.mean = np.asarray(known + weight * (now - known), np.float32)
        self._level = None

    def forget(self) -> None:
        """A new scene."""
        self.mean, self._level, self.count = None, None, 0

    def pack(self) -> bytes:
        """The tiles' means; empty while unknown."""
        return b"" if self.mean is None else self.mean.tobytes()

    def unpack(self, packed: bytes, count: int) -> None:
        """Continue from what `pack` gave and the count then."""
        self.count, self._level, self.mean = count, None, None
        if packed:
            means = np.frombuffer(packed, np.float32)
            self.mean = means.reshape(self.tiles[1], self.tiles[0]).copy()
