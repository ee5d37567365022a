"""A spider before the lens, on its thread."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.falls.distractors._eye import Eye
from simulators.falls.distractors._movers import Movers
from simulators.falls.distractors._paint import Outline, ellipse
from simulators.falls.distractors._place import white
from simulators.falls.layers import View

Floats = NDArray[np.float64]


class Spider:
    """A body of 3 to 8 mm, 8 to 40 cm from the lens, and its legs.

    It lets itself down at a constant 2 to 40 cm/s (the silk brakes: Ortlepp & Gosline 2004),
    stops, climbs at 1 to 4 cm/s, and swings as a pendulum on its thread.
    """

    opacity = 0.95
    start, end = -math.inf, math.inf

    def __init__(self, eye: Eye, view: View, rng: np.random.Generator) -> None:
        self._eye = eye
        wide, high = view.size
        depth = math.exp(rng.uniform(math.log(0.08), math.log(0.4)))
        column = rng.uniform(0.2, 0.8) * wide
        self._top = eye.world(np.array([[column, -0.1 * high]]), depth)[0]
        tall = 1.0 * high * depth / eye.focal
        times, levels = [0.0], [float(rng.uniform(0.2, 0.6)) * tall]
        while times[-1] < view.seconds + 5:
            down = rng.random() < 0.6 and levels[-1] < 0.9 * tall
            way = rng.uniform(0.1, 0.6) * tall
            goal = min(levels[-1] + way, 1.1 * tall) if down else max(levels[-1] - way, 0.1 * tall)
            speed = math.exp(rng.uniform(math.log(0.02), math.log(0.4))) if down else 0.025
            moves = max(abs(goal - levels[-1]) / speed, 0.05)
            rest = float(rng.exponential(0.8))
            times += [times[-1] + moves, times[-1] + moves + rest + 0.05]
            levels += [goal, goal]
        self._times, self._levels = np.array(times), np.array(levels)
        self._omega = math.sqrt(9.81 / rng.uniform(0.05, 0.4))
        self._swing = rng.uniform(0.002, 0.02)
        self._at = rng.uniform(0, 2 * math.pi)
        self._half = rng.uniform(0.0015, 0.004)
        dark = float(view.plate[::8, ::8].mean()) < 40
        self._tone = 230.0 if dark else 0.15 * white(view)

    def place(self, t: float) -> Floats:
        """See `Mover.place`."""
        down = float(np.interp(t, self._times, self._levels))
        side = self._swing * math.sin(self._omega * t + self._at)
        return np.asarray(self._top + np.array([side, -down, 0.3 * side]))

    def outlines(self, t: float) -> list[Outline]:
        """See `Mover.outlines`: a body and four strokes of legs."""
        (centre,), (depth,) = self._eye.project(self.place(t)[None])
        scale = self._half * self._eye.focal / max(float(depth), 0.05)
        out: list[Outline] = [(centre + ellipse(0.7 * scale, scale), self._tone)]
        for k in range(4):
            lift = 0.8 * (k - 1.5) + 0.2 * math.sin(9 * t + k)
            tip = np.array([2.2, lift]) * scale
            bar = np.array([[0, -0.1], [1, -0.05], [1, 0.05], [0, 0.1]]) * scale
            for side in (1.0, -1.0):
                leg = bar * [0, 1] + np.array([[0, 0], [1, 1], [1, 1], [0, 0]]) * tip
                out.append((centre + leg * [side, 1], self._tone))
        return out


def spider(strength: float, view: View, rng: np.random.Generator) -> Movers:
    """One; at high strength two."""
    eye = Eye(view)
    many = 1 + int(rng.random() < strength - 0.4)
    return Movers(eye, view.exposure_s, [Spider(eye, view, rng) for _ in range(many)])
