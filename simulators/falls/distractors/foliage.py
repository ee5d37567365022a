"""Boughs that hang into the picture and sway."""

from __future__ import annotations

import math

import cv2
import numpy as np

from simulators.falls.distractors._paint import ellipse, turned
from simulators.falls.distractors._place import white
from simulators.falls.layers import Luma, View


class Bough:
    """A bunch of leaves at the edge of the picture, in three sheets that move a little apart.

    Branches sway at 0.3 to 1 Hz, twigs at 1 to 3 Hz (de Langre 2008, "Effects of wind on plants"),
    by up to a tenth of their size in a strong wind; gusts come each 5 to 15 s.
    """

    def __init__(self, view: View, rng: np.random.Generator, strength: float) -> None:
        wide, high = view.size
        size = int(rng.uniform(0.12, 0.26) * wide)
        side = int(rng.integers(3))  # left, right, top
        x = (-0.4 * size, wide - 0.6 * size, rng.uniform(0, wide - size))[side]
        row = rng.uniform(0.0, 0.7) * high if side < 2 else -0.4 * size
        self._box = (int(x), int(row), size)
        light = white(view)
        self._sheets: list[tuple[Luma, Luma]] = []
        for _ in range(3):
            cover = np.zeros((size, size), np.uint8)
            tones = np.zeros((size, size), np.uint8)
            for _ in range(220):
                # denser toward the middle, nothing at the rim: it may move
                centre = size / 2 + rng.normal(0, size / 7, 2)
                if np.abs(centre - size / 2).max() > 0.36 * size:
                    continue
                long = size * rng.uniform(0.012, 0.028)
                leaf = turned(ellipse(long, 0.45 * long, 8), rng.uniform(0, math.pi))
                corners = np.rint((centre + leaf) * 16).astype(np.int32)
                cv2.fillPoly(cover, [corners], (255,), cv2.LINE_AA, shift=4)
                tone = round(light * rng.uniform(0.12, 0.5))
                cv2.fillPoly(tones, [corners], (tone,), cv2.LINE_AA, shift=4)
            self._sheets.append((cover, np.minimum(tones, cover)))
        self._omega = (
            2
            * math.pi
            * np.array([[rng.uniform(0.3, 1.0), rng.uniform(1.0, 3.0)] for _ in range(3)])
        )
        self._at = rng.uniform(0, 2 * math.pi, (3, 2))
        self._gust = 2 * math.pi / rng.uniform(5, 15)
        self._gust_at = rng.uniform(0, 2 * math.pi)
        self._far = size * (0.01 + 0.09 * strength)

    def draw(self, y: Luma, t: float) -> None:
        """Lay its sheets over the picture, each a little turned and moved."""
        x, row, size = self._box
        high, wide = y.shape
        x0, y0, x1, y1 = max(x, 0), max(row, 0), min(x + size, wide), min(row + size, high)
        if x1 <= x0 or y1 <= y0:
            return
        under = y[y0:y1, x0:x1]
        gust = self._far * (0.6 + 0.4 * math.sin(self._gust * t + self._gust_at))
        for k, (cover, tones) in enumerate(self._sheets):
            slow, fast = np.sin(self._omega[k] * t + self._at[k])
            turn = 0.6 * gust / size * slow + 0.3 * gust / size * fast
            move = cv2.getRotationMatrix2D((size / 2, 0.0), math.degrees(turn), 1.0)
            move[0, 2] += 0.5 * gust * slow - (x0 - x)
            move[1, 2] += 0.25 * gust * fast - (y0 - row)
            shape = (x1 - x0, y1 - y0)
            hides = cv2.warpAffine(cover, move, shape, flags=cv2.INTER_LINEAR)
            shows = cv2.warpAffine(tones, move, shape, flags=cv2.INTER_LINEAR)
            through = cv2.multiply(under, cv2.bitwise_not(hides), scale=1 / 255)
            under[:] = cv2.add(through, shows)


class Foliage:
    """One to three boughs."""

    behind = False

    def __init__(self, strength: float, view: View, rng: np.random.Generator) -> None:
        many = 1 + round(2 * strength * float(rng.random()))
        self.boughs = [Bough(view, rng, strength) for _ in range(many)]

    def draw(self, y: Luma, t: float) -> None:
        """See `Layer.draw`."""
        for bough in self.boughs:
            bough.draw(y, t)
