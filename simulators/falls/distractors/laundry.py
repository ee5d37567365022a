"""Laundry on lines and poles before the windows, swaying in gusts."""

from __future__ import annotations

import math

import numpy as np

from simulators.falls.distractors._paint import Outline, paint
from simulators.falls.distractors._place import Box, panes, white
from simulators.falls.layers import Luma, View


class Cloth:
    """One piece: hung by its upper edge, a pendulum whose lower edge follows late.

    A hanging sheet of length L swings at about 2π sqrt(2L / 3g), 0.8 to 1.2 s for 0.6 to 1.5 m,
    driven by gusts of several seconds; ripples run down it a few times a second. `most` is the
    angle of its lower edge in the strongest gust, radians.
    """

    def __init__(self, box: Box, view: View, most: float, rng: np.random.Generator) -> None:
        self._most = most
        scale = view.pixels_per_m
        self._long = rng.uniform(0.6, 1.5) * scale
        self._wide = rng.uniform(0.35, 1.2) * scale
        x0, _, x1, y1 = box
        self._x = rng.uniform(x0, max(x1 - self._wide * 0.5, x0 + 1))
        self._y = y1 + rng.uniform(-0.3, 0.3) * scale
        period = 2 * math.pi * math.sqrt(2 * self._long / scale / (3 * 9.81))
        self._omega = 2 * math.pi / period * np.array([0.9, 1.0, 1.13])
        self._at = rng.uniform(0, 2 * math.pi, 3)
        self._ripple = rng.uniform(1.5, 3.5) * 2 * math.pi
        self._gust = 2 * math.pi / rng.uniform(3, 9, 2)
        self._gust_at = rng.uniform(0, 2 * math.pi, 2)
        self._tones = rng.uniform(0.12, 1.0, 2) * white(view)
        self._stripes = int(rng.integers(1, 4))

    def sway(self, t: float) -> float:
        """Angle of the lower edge, radians, for a full gust."""
        gust = 0.5 + 0.5 * float(np.prod(np.sin(self._gust * t + self._gust_at)))
        return gust * float(np.sin(self._omega * t + self._at).mean())

    def outlines(self, t: float) -> list[Outline]:
        """Its stripes."""
        down = np.linspace(0, 1, 5)
        lean = np.array([self.sway(t - 0.12 * d) for d in down]) * self._most
        side = self._x + self._long * lean * down**1.3
        ripple = 0.03 * self._long * down * np.sin(self._ripple * t - 7 * down) * self._most * 2
        row = self._y + self._long * down * np.cos(lean)
        # swinging toward and from the camera makes it narrower and wider
        breadth = self._wide * (1 + 0.15 * lean[::-1])
        out: list[Outline] = []
        for k in range(self._stripes):
            a, b = k / self._stripes, (k + 1) / self._stripes
            left = np.column_stack([side + ripple + breadth * a, row + 0.5 * ripple])
            right = np.column_stack([side - ripple + breadth * b, row - 0.5 * ripple])
            out.append((np.concatenate([left, right[::-1]]), float(self._tones[k % 2])))
        return out


class Laundry:
    """Two to a dozen pieces under the windows."""

    behind = True

    def __init__(self, strength: float, view: View, rng: np.random.Generator) -> None:
        lines = panes(view, rng, 1 + round(4 * strength))
        most = 0.08 + 0.5 * strength
        self._exposure = view.exposure_s
        self.cloths = [
            Cloth(box, view, most, rng) for box in lines for _ in range(int(rng.integers(1, 3)))
        ]

    def draw(self, y: Luma, t: float) -> None:
        """See `Layer.draw`."""
        for cloth in self.cloths:
            paint(y, cloth.outlines, t, self._exposure)
