"""Insects close to the lens: small, fast, erratic, never in focus."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from simulators.falls.distractors._eye import APERTURE_M, Eye
from simulators.falls.distractors._strokes import strokes
from simulators.falls.layers import Luma, View

_PARTS = 5  # straight pieces of the curved way within one exposure


class Insects:
    """Flies, mosquitoes, moths and midges, 0.08 to 1.5 m from the lens.

    Bodies of 2 to 12 mm; flight at 0.4 to 2.5 m/s with turns each 50 to 200 ms (house flies turn
    at up to 10 /s: Wagner 1986), as sums of sines around a slow drift; some spiral up or come
    down. By day they are dark before the sky; in the dark, the camera's own infrared makes them
    bright.
    """

    behind = False

    def __init__(self, strength: float, view: View, rng: np.random.Generator) -> None:
        self._eye = eye = Eye(view)
        self._exposure = view.exposure_s
        wide, high = view.size
        count = max(1, int(rng.poisson(view.seconds * (0.25 + 1.4 * strength))))
        self._depth = np.exp(rng.uniform(np.log(0.08), np.log(1.5), count))
        size = np.exp(rng.uniform(np.log(0.002), np.log(0.012), count))
        self._blurred = size + APERTURE_M
        self._dense = 0.9 * (size / self._blurred) ** 2
        pixel = np.column_stack([rng.uniform(0, wide, count), rng.uniform(0, high, count)])
        self._middle = eye.world(pixel, self._depth)
        speed = rng.uniform(0.4, 2.5, count)
        way = rng.normal(0, 1, (count, 3)) * (1.0, 1.0, 0.3)
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        self._drift = way * (speed * 0.6)[:, None]
        # three turns of 0.8 to 6 Hz in each direction
        self._omega = 2 * np.pi * np.exp(rng.uniform(np.log(0.8), np.log(6.0), (count, 3, 3)))
        self._at = rng.uniform(0, 2 * np.pi, (count, 3, 3))
        self._swing = 0.5 * speed[:, None, None] / self._omega
        self._swing[:, 2] *= 0.3  # less in depth: a fly that hits the lens is another matter
        half = (0.7 * wide * self._depth / eye.focal + 0.05) / (speed * 0.6)
        self._half_s = np.minimum(half, 6.0)
        self._when = rng.uniform(0, max(view.seconds, 0.5), count)
        dark = float(view.plate[::8, ::8].mean()) < 55
        tones = rng.uniform(170, 245, count) if dark else rng.uniform(20, 95, count)
        self._tone: NDArray[np.float64] = tones

    def draw(self, y: Luma, t: float) -> None:
        """See `Layer.draw`."""
        there = np.flatnonzero(np.abs(t - self._when) < self._half_s)
        if not len(there):
            return
        moments = t + self._exposure * (np.arange(_PARTS + 1) / _PARTS - 0.5)
        seen = [self._eye.project(self._places(there, m)) for m in moments]
        width = self._blurred[there] * self._eye.focal
        for (begin, near), (end, depth) in pairwise(seen):
            z = np.minimum(near, depth)
            good = z > 0.03
            w = width / np.maximum(z, 0.03)
            # each piece takes its share of the exposure
            dense = self._dense[there] / _PARTS
            tone = self._tone[there]
            strokes(y, begin[good], end[good], w[good], dense[good], tone[good])

    def _places(self, which: NDArray[np.intp], t: float) -> NDArray[np.float64]:
        swing = self._swing[which] * np.sin(self._omega[which] * t + self._at[which])
        since = (t - self._when[which])[:, None]
        return np.asarray(self._middle[which] + self._drift[which] * since + swing.sum(axis=2))
