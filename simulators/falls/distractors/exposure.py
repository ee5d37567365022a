"""Exposure: automatic steps and ramps of the gain, and mains light that beats with the shutter."""

from __future__ import annotations

import math

import numpy as np

from simulators.falls.distractors._quiet import Quiet
from simulators.falls.layers import View


class Exposure(Quiet):
    """The camera's own brightness control at work.

    Steps within one picture (a camera with few gain stages, or day/night switch) and ramps of 0.2
    to 2 s (an AE loop), of up to ±1.2 EV at strength 1, each wandering back later. Half of the
    scenes also flicker by up to 4 %: lamps at 100 Hz alias with the picture rate.
    """

    def __init__(self, strength: float, view: View, rng: np.random.Generator) -> None:
        count = 1 + int(rng.poisson(view.seconds * (0.1 + 0.3 * strength)))
        self._at = np.sort(rng.uniform(0.05, 0.95, count)) * view.seconds
        self._ramp_s = np.where(rng.random(count) < 0.5, 0.0, rng.uniform(0.2, 2.0, count))
        level = rng.uniform(0.15, 1.2, count) * strength * rng.choice([-1.0, 1.0], count)
        level[1::2] *= rng.uniform(0.0, 0.3)
        self._ev = np.diff(level, prepend=0.0)
        self._flicker = 0.04 * strength * rng.uniform(0.3, 1) if rng.random() < 0.5 else 0.0
        # half pictures' worth of 100 Hz against a clock that is off by up to 50 ppm
        self._beat_hz = 100.0 * (1 + rng.normal(0, 5e-5)) - view.fps * round(100.0 / view.fps)
        self._beat_at = rng.uniform(0, 2 * math.pi)

    def gain(self, t: float) -> float:
        """See `Sensor.gain`."""
        since = t - self._at
        # an AE loop closes a fixed share of the gap each picture
        done = np.where(
            self._ramp_s > 0,
            1 - np.exp(-3 * np.maximum(since, 0) / np.maximum(self._ramp_s, 1e-3)),
            1.0,
        )
        ev = float((self._ev * np.where(since >= 0, done, 0.0)).sum())
        beat = self._flicker * math.sin(2 * math.pi * self._beat_hz * t + self._beat_at)
        return float(min(1.95, 2.0**ev * (1 + beat)))
