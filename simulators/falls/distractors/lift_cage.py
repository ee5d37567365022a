"""Lifts, hoists and cleaners' gondolas: big, steady, straight up and down the facade."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.falls.distractors._eye import Eye
from simulators.falls.distractors._movers import Movers
from simulators.falls.distractors._paint import Outline
from simulators.falls.distractors._place import white
from simulators.falls.layers import View

Floats = NDArray[np.float64]


class Cage:
    """A cage on ropes or a mast, half a metre before the wall.

    Gondolas run at 8 to 10 m/min (GB/T 19155), construction hoists at 33 to 60 m/min, glazed lifts
    at 1 to 2.5 m/s with 0.5 to 1 m/s² (GB/T 10058): it accelerates, runs, brakes, waits, returns.
    """

    opacity = 1.0
    start, end = -math.inf, math.inf

    def __init__(self, eye: Eye, view: View, rng: np.random.Generator) -> None:
        self._eye = eye
        kind = int(rng.choice(3, p=(0.35, 0.3, 0.35)))
        self.speed_m_s = float(
            (rng.uniform(0.13, 0.17), rng.uniform(0.55, 1.0), rng.uniform(1.0, 2.5))[kind]
        )
        self.pull_m_s2 = float((0.3, 0.4, rng.uniform(0.5, 1.0))[kind])
        self._half = (
            (rng.uniform(1.0, 3.0), 0.6),
            (rng.uniform(0.7, 1.5), rng.uniform(1.0, 1.3)),
            (rng.uniform(0.6, 1.0), rng.uniform(1.1, 1.4)),
        )[kind]
        wide, high = view.size
        column = rng.uniform(0.2, 0.8) * wide
        self._top = eye.before((column, rng.uniform(0.1, 0.4) * high), 0.5)
        low = eye.before((column, rng.uniform(0.65, 0.95) * high), 0.5)
        self._way_m = max(float(self._top[1] - low[1]), 1.0)
        self._speed_s = self.speed_m_s / self.pull_m_s2
        self._run_s = max(self._way_m / self.speed_m_s + self._speed_s, 2 * self._speed_s)
        self._rest_s = rng.uniform(1.0, 4.0)
        # in motion when the scene begins
        self._phase_s = rng.uniform(0, self._run_s)
        self._tones = white(view) * rng.uniform(0.15, 0.9, 3)

    def place(self, t: float) -> Floats:
        """See `Mover.place`."""
        turn = self._run_s + self._rest_s
        s = (t + self._phase_s) % (2 * turn)
        down = s < turn
        s = min(s if down else s - turn, self._run_s)
        way = self._ran(s)
        return np.asarray(self._top - [0, way if down else self._way_m - way, 0])

    def _ran(self, s: float) -> float:
        a, ramp = self.pull_m_s2, self._speed_s
        if self._way_m < self.speed_m_s * ramp:  # too short to reach its speed
            half = math.sqrt(self._way_m / a)
            s = s / self._run_s * 2 * half
            return 0.5 * a * s * s if s < half else self._way_m - 0.5 * a * (2 * half - s) ** 2
        if s < ramp:
            return 0.5 * a * s * s
        left = self._run_s - s
        if left < ramp:
            return self._way_m - 0.5 * a * left * left
        return self.speed_m_s * (s - ramp / 2)

    def outlines(self, t: float) -> list[Outline]:
        """See `Mover.outlines`: a cage, its window band, and somebody in it."""
        here = self.place(t)
        w, h = self._half

        def box(x0: float, y0: float, x1: float, y1: float) -> Floats:
            corners = np.array([[x0, y0, 0], [x1, y0, 0], [x1, y1, 0], [x0, y1, 0]])
            return self._eye.project(here + corners * [w, h, 0])[0]

        return [
            (box(-1, -1, 1, 1), float(self._tones[0])),
            (box(-0.9, -0.1, 0.9, 0.85), float(self._tones[1])),
            (box(-0.25 / w - 0.1, -0.1, 0.25 / w - 0.1, 0.6), float(self._tones[2])),
        ]


def lift_cage(strength: float, view: View, rng: np.random.Generator) -> Movers:
    """One, at high strength often two."""
    eye = Eye(view)
    many = 1 + int(rng.random() < strength - 0.3)
    cages = [Cage(eye, view, rng) for _ in range(many)]
    return Movers(eye, view.exposure_s, cages, behind=True)
