"""Steam and smoke from kitchen vents and boilers: wisps that rise, widen and thin out."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.falls.distractors._place import Box, panes, white
from simulators.falls.layers import Luma, View

_CLOUD = 48


class Vent:
    """A stream of puffs from the corner of a window.

    A warm plume rises at 0.5 to 1.5 m/s and widens by a tenth of its way (Morton, Taylor & Turner
    1956: entrainment 0.1); it hides at most 70 % of what is behind it and is gone after 3 to 6 m.
    """

    def __init__(self, box: Box, view: View, rng: np.random.Generator, strength: float) -> None:
        scale = self._scale = view.pixels_per_m
        self._at = (float(box[rng.integers(2) * 2]), box[1] + 0.3 * (box[3] - box[1]))
        self._rise = rng.uniform(0.5, 1.5) * scale
        self._wind = rng.normal(0, 0.5) * scale
        self._reach_s = rng.uniform(3, 6) * scale / self._rise
        self._every_s = 0.3 * scale / self._rise * 1.6
        self._dense = (0.25 + 0.45 * strength) * rng.uniform(0.6, 1.0)
        tone = white(view)
        self._tone = np.float32(tone * (0.9 if rng.random() < 0.7 else 0.4))
        y, x = np.mgrid[-1 : 1 : _CLOUD * 1j, -1 : 1 : _CLOUD * 1j]
        round_off = np.clip(1 - np.hypot(x, y), 0, 1)
        self._clouds = []
        for _ in range(4):
            curl = cv2.GaussianBlur(rng.normal(0, 1, (_CLOUD, _CLOUD)), (0, 0), 4.0)
            curl = 0.5 + 0.5 * np.tanh(np.asarray(curl) / max(float(np.std(curl)), 1e-6))
            self._clouds.append((curl * round_off).astype(np.float32))
        self._salt = int(rng.integers(1 << 16))
        self._gust = 2 * math.pi / rng.uniform(4, 12)

    def draw(self, y: Luma, t: float) -> None:
        """Lay its puffs over the picture."""
        newest = math.floor(t / self._every_s)
        for k in range(newest, newest - math.ceil(self._reach_s / self._every_s), -1):
            age = t - k * self._every_s
            if not 0 < age < self._reach_s:
                continue
            up = self._rise * age
            radius = 0.15 * self._scale + 0.25 * up
            sway = 0.2 * self._scale * math.sin(self._gust * k * self._every_s + 2.0 * age)
            x = self._at[0] + self._wind * age + sway
            fade = self._dense * (1 - age / self._reach_s) * min(age / 0.3, 1.0)
            self._puff(y, self._clouds[(k * 7 + self._salt) % 4], x, self._at[1] - up, radius, fade)

    def _puff(
        self,
        y: Luma,
        cloud: NDArray[np.float32],
        x: float,
        row: float,
        radius: float,
        fade: float,
    ) -> None:
        x0, y0 = math.floor(x - radius), math.floor(row - radius)
        size = max(2, math.ceil(2 * radius) + 1)
        left, top = max(x0, 0), max(y0, 0)
        under = y[top : max(y0 + size, 0), left : max(x0 + size, 0)]
        if not under.size:
            return
        # subpixel: the cloud is moved by what rounding to whole pixels left over
        grow = (_CLOUD - 1) / max(2 * radius, 1.0)
        place = np.array(
            [
                [grow, 0, (left - (x - radius)) * grow],
                [0, grow, (top - (row - radius)) * grow],
            ]
        )
        veil = cv2.warpAffine(
            cloud,
            place,
            (under.shape[1], under.shape[0]),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )
        veil = np.asarray(veil, np.float32) * np.float32(fade)
        under[:] = under + (self._tone - under) * veil + np.float32(0.5)


class Steam:
    """One to three vents."""

    behind = False

    def __init__(self, strength: float, view: View, rng: np.random.Generator) -> None:
        boxes = panes(view, rng, 1 + round(2 * strength))
        self.vents = [Vent(box, view, rng, strength) for box in boxes]

    def draw(self, y: Luma, t: float) -> None:
        """See `Layer.draw`."""
        for vent in self.vents:
            vent.draw(y, t)
