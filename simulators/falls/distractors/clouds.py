"""Clouds: their shadows drift over the facade."""

from __future__ import annotations

import math

import cv2
import numpy as np

from simulators.falls.distractors._quiet import Quiet
from simulators.falls.layers import Luma, View

_CELL = 16


class Clouds(Quiet):
    """A map of gains that drifts at 5 to 15 m/s, the wind at cloud height.

    Fair-weather cumulus takes away up to two thirds of the light, with soft edges: the sun's disc
    is half a degree, so a cloud 1 km up casts a penumbra of 9 m. The map repeats after its own
    width; gains are between 1 and 1 - 0.6 strength.
    """

    def __init__(self, strength: float, view: View, rng: np.random.Generator) -> None:
        wide, high = view.size
        edge = max(9.0 * view.pixels_per_m, wide / 6)
        over = max(wide * 2, round(60.0 * view.pixels_per_m))
        over = min(over, wide * 4) // _CELL * _CELL
        tall = (high + 2 * _CELL) // _CELL * _CELL
        small = rng.normal(0, 1, (tall // _CELL, over // _CELL)).astype(np.float32)
        sigma = edge / _CELL / 2
        wrapped = np.concatenate([small] * 3, axis=1)
        soft = cv2.GaussianBlur(wrapped, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        soft = np.asarray(soft)[:, small.shape[1] : 2 * small.shape[1]]
        soft = (soft - soft.mean()) / max(float(soft.std()), 1e-6)
        shade = 1 / (1 + np.exp(-2.2 * soft))  # sun or shade, with the penumbra between
        joined = np.concatenate([shade, shade[:, : wide // _CELL + 2]], axis=1)
        full = cv2.resize(
            joined.astype(np.float32),
            (joined.shape[1] * _CELL, tall),
            interpolation=cv2.INTER_CUBIC,
        )
        gain = 128 * (1 - 0.6 * strength * np.clip(np.asarray(full), 0, 1))
        # half a step of noise, else the rounding would draw lines that wander
        grain = rng.random((tall, 512), dtype=np.float32)
        grain = np.tile(grain, (1, full.shape[1] // 512 + 1))[:, : full.shape[1]]
        self._map: Luma = np.floor(gain + grain).astype(np.uint8)
        self._over = over
        self._size = view.size
        speed = rng.uniform(5, 15) * view.pixels_per_m
        self._speed = float(speed * rng.choice([-1, 1]))
        self._begin = float(rng.uniform(0, over))

    def gain(self, t: float) -> Luma:
        """See `Sensor.gain`."""
        x = math.floor((self._begin + self._speed * t) % self._over)
        wide, high = self._size
        return np.ascontiguousarray(self._map[:high, x : x + wide])
