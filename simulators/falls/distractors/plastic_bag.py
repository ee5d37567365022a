"""Plastic bags that drift in the updraught before a facade, sink, and rise again."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.falls.distractors._eye import Eye
from simulators.falls.distractors._movers import Movers
from simulators.falls.distractors._paint import Outline
from simulators.falls.distractors._place import episodes, white
from simulators.falls.layers import View

Floats = NDArray[np.float64]


class Bag:
    """An empty carrier bag, 25 to 45 cm: it goes with the air, not against it.

    5 to 10 g over 0.1 m² sink at sqrt(2 m g / ρ C A) = 0.8 to 1.2 m/s through still air; the
    updraught at a facade is as fast (Blocken & Carmeliet 2004: up to half the wind), so it comes
    down, hangs, and rises by turns of 3 to 10 s. Some only sink: slowly, at a constant pace.
    """

    opacity = 0.85

    def __init__(self, eye: Eye, view: View, rng: np.random.Generator, start: float) -> None:
        self._eye, self.start = eye, start
        self.end = start + rng.uniform(6.0, 14.0)
        wide, high = view.size
        depth = rng.uniform(max(eye.distance_m * 0.4, 3.0), max(eye.distance_m - 0.5, 3.5))
        self._from = eye.world(
            np.array([[rng.uniform(0.1, 0.9) * wide, rng.uniform(0.0, 0.6) * high]]), depth
        )[0]
        self.sink_m_s = rng.uniform(0.8, 1.2)
        only_sinks = rng.random() < 0.4
        self._omega = 2 * math.pi / rng.uniform(3, 10, (3, 2))
        self._at = rng.uniform(0, 2 * math.pi, (3, 2))
        gust = np.array([0.5, 0.0 if only_sinks else 0.9, 0.2])
        self._swing = gust[:, None] * rng.uniform(0.4, 1.0, (3, 2)) / self._omega
        rise = 0.0 if only_sinks else rng.uniform(0.3, 1.3)
        self._drift = np.array([rng.normal(0, 0.8), rise - self.sink_m_s, 0.0])
        self._radius = rng.uniform(0.12, 0.22)
        self._lobes = rng.uniform(0.05, 0.3, 4)
        self._wobble = rng.uniform(1.0, 6.0, 4)
        self._tone = white(view) * (rng.uniform(0.75, 1.0) if rng.random() < 0.7 else 0.2)

    def place(self, t: float) -> Floats:
        """See `Mover.place`."""
        s = t - self.start
        swing = (self._swing * np.sin(self._omega * s + self._at)).sum(axis=1)
        begin = (self._swing * np.sin(self._at)).sum(axis=1)
        return np.asarray(self._from + self._drift * s + swing - begin)

    def outlines(self, t: float) -> list[Outline]:
        """See `Mover.outlines`: a crumpling blob."""
        here = self.place(t)
        (centre,), (depth,) = self._eye.project(here[None])
        if depth < 1.0:
            return []
        a = np.linspace(0, 2 * math.pi, 14, endpoint=False)
        r = np.ones(14)
        for k in range(4):
            r += self._lobes[k] * np.sin((k + 2) * a + self._wobble[k] * t)
        scale = self._radius * self._eye.focal / depth
        return [(centre + scale * np.column_stack([r * np.cos(a), r * np.sin(a)]), self._tone)]


def plastic_bag(strength: float, view: View, rng: np.random.Generator) -> Movers:
    """One bag a scene, a few in a storm."""
    eye = Eye(view)
    begins = episodes(rng, view.seconds, 0.03 + 0.25 * strength)
    bags = [Bag(eye, view, rng, b - 3.0 * float(rng.random())) for b in begins]
    return Movers(eye, view.exposure_s, bags)
