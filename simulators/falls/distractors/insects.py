"""Insects close to the lens: small, fast, erratic, never in focus."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.falls.distractors._eye import Eye
from simulators.falls.distractors._movers import Movers
from simulators.falls.distractors._paint import Outline, ellipse, turned
from simulators.falls.layers import View


class Insect:
    """A fly, mosquito, moth or midge, 0.1 to 1.5 m from the lens.

    Bodies of 2 to 12 mm; flight at 0.4 to 2.5 m/s with turns each 50 to 200 ms (house flies turn
    at up to 10 /s: Wagner 1986), as sums of sines around a slow drift, which may lead down. By day
    they are dark before the sky; in the dark, the camera's own infrared makes them bright.
    """

    opacity = 0.9

    def __init__(self, eye: Eye, view: View, rng: np.random.Generator, when: float) -> None:
        self._eye = eye
        wide, high = view.size
        depth = math.exp(rng.uniform(math.log(0.1), math.log(1.5)))
        long = math.exp(rng.uniform(math.log(0.002), math.log(0.012)))
        self._body = ellipse(long / 2, long * rng.uniform(0.18, 0.4))
        pixel = np.array([[rng.uniform(0, wide), rng.uniform(0, high)]])
        self._middle = eye.world(pixel, depth)[0]
        self._when = when
        speed = rng.uniform(0.4, 2.5)
        way = rng.normal(0, 1, 3) * (1.0, 1.0, 0.3)
        self._drift = way / np.linalg.norm(way) * speed * 0.6
        # three turns of 0.8 to 6 Hz in each direction, little in depth
        self._omega = 2 * np.pi * np.exp(rng.uniform(np.log(0.8), np.log(6.0), (3, 3)))
        self._at = rng.uniform(0, 2 * np.pi, (3, 3))
        reach = min(0.5 * speed, 1.5 * depth)  # circles no wider than what it is seen in
        self._swing = reach / self._omega * np.array([[1.0], [1.0], [0.3]])
        half = min((0.7 * wide * depth / eye.focal + 0.05) / (speed * 0.6), 6.0)
        self.start, self.end = when - half, when + half
        dark = float(view.plate[::8, ::8].mean()) < 40
        self._tone = rng.uniform(170, 245) if dark else rng.uniform(20, 95)

    def place(self, t: float) -> NDArray[np.float64]:
        """See `Mover.place`."""
        swing = (self._swing * np.sin(self._omega * t + self._at)).sum(axis=1)
        return np.asarray(self._middle + self._drift * (t - self._when) + swing)

    def outlines(self, t: float) -> list[Outline]:
        """See `Mover.outlines`: a body along its way."""
        places = np.stack([self.place(t), self.place(t + 0.005)])
        seen, depth = self._eye.project(places)
        if depth[0] < 0.05:
            return []
        way = seen[1] - seen[0]
        body = self._body * (self._eye.focal / depth[0])
        return [(seen[0] + turned(body, math.atan2(way[1], way[0])), self._tone)]


def insects(strength: float, view: View, rng: np.random.Generator) -> Movers:
    """One each four seconds to two a second."""
    eye = Eye(view)
    count = max(1, int(rng.poisson(view.seconds * (0.25 + 1.6 * strength))))
    whens = rng.uniform(0, max(view.seconds, 0.5), count)
    return Movers(eye, view.exposure_s, [Insect(eye, view, rng, float(w)) for w in whens])
