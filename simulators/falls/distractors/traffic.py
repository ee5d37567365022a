"""Cars and passers-by on the ground: crossing, or coming toward the camera and growing."""

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


class Passer:
    """A person (1.7 m, 1.0 to 1.8 m/s), a scooter (5 to 8 m/s) or a car (3 to 10 m/s).

    All on the ground plane through the foot of the facade. What comes toward the camera goes down
    the picture ever faster, as 1/distance: in the picture it accelerates like a fall.
    """

    opacity = 1.0

    def __init__(self, eye: Eye, view: View, rng: np.random.Generator, start: float) -> None:
        self._eye = eye
        wide, _ = view.size
        kind = int(rng.choice(3, p=(0.5, 0.2, 0.3)))
        self._half_m = ((0.24, 0.85), (0.35, 0.8), (0.95, 0.75))[kind]
        speed = float((rng.uniform(1.0, 1.8), rng.uniform(5, 8), rng.uniform(3, 10))[kind])
        foot = eye.before((wide / 2, _edge(view)), 0.0)
        self._stride_hz = rng.uniform(1.6, 2.2) if kind == 0 else 0.0
        self.comes = bool(rng.random() < 0.5)
        reach = wide * eye.facade_m / eye.focal
        if self.comes:
            self._from = np.array(
                [rng.uniform(-0.4, 0.4) * reach, foot[1], eye.facade_m - rng.uniform(0, 3)]
            )
            self._way = np.array([rng.normal(0, 0.1), 0.0, -1.0]) * speed
            run_m = eye.facade_m - 4.0
        else:
            side = rng.choice([-1.0, 1.0])
            ahead = rng.uniform(0.75, 0.98) * eye.facade_m
            self._from = np.array([-side * 0.6 * reach, foot[1], ahead])
            self._way = np.array([side * speed, 0.0, rng.normal(0, 0.05) * speed])
            run_m = 1.2 * reach
        self.start, self.end = start, start + max(run_m, 1.0) / speed
        if self.comes or run_m / speed > view.seconds:
            # already under way when the scene begins, or nobody would arrive
            late = float(rng.uniform(0, 0.6)) * (self.end - self.start)
            self.start, self.end = start - late, self.end - late
        self._tones = white(view) * rng.uniform(0.1, 0.9, 2)

    def place(self, t: float) -> Floats:
        """See `Mover.place`: the point where it stands."""
        return np.asarray(self._from + self._way * (t - self.start))

    def outlines(self, t: float) -> list[Outline]:
        """See `Mover.outlines`: a lower and an upper half."""
        w, h = self._half_m
        here = self.place(t)
        bob = 0.03 * abs(np.sin(np.pi * self._stride_hz * t))
        low = np.array([[-w, 0, 0], [w, 0, 0], [w, h, 0], [-w, h, 0]])
        high = low * [0.8, 1.0, 1.0] + [0, h + bob, 0]
        seen, depth = self._eye.project(np.concatenate([here + low, here + high]))
        if depth.min() < 1.5:
            return []
        return [(seen[:4], float(self._tones[0])), (seen[4:], float(self._tones[1]))]


def _edge(view: View) -> float:
    """Row of the far edge of a forecourt that is seen."""
    return min(view.ground_y, 0.93 * view.size[1])


def _eye(view: View) -> Eye:
    """The view's eye, if it is above the ground that is seen; else one on a pole of 4 m."""
    eye = Eye(view)
    row = _edge(view)
    if eye.before((view.size[0] / 2, row), 0.0)[1] < -1.5:
        return eye
    below = math.atan2(row - view.size[1] / 2, eye.focal)
    return Eye(view, below - math.atan2(4.0, eye.distance_m))


def traffic(strength: float, view: View, rng: np.random.Generator) -> Movers:
    """Somebody each five seconds to two a second."""
    eye = _eye(view)
    begins = episodes(rng, view.seconds, 0.2 + 1.5 * strength, least=2)
    return Movers(eye, view.exposure_s, [Passer(eye, view, rng, b) for b in begins])
