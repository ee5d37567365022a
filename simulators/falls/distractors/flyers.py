"""Drones, kites and balloons: things that are up there on purpose."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.falls.distractors._eye import Eye
from simulators.falls.distractors._movers import Movers
from simulators.falls.distractors._paint import Outline, ellipse, turned
from simulators.falls.distractors._place import white
from simulators.falls.layers import View

Floats = NDArray[np.float64]

_CROSS = np.array(
    [[-1, -0.25], [-0.3, -0.1], [-0.3, -0.3], [0.3, -0.3], [0.3, -0.1], [1, -0.25], [1, -0.05]]
)
_CROSS = np.concatenate([_CROSS, [[0.3, 0.3], [-0.3, 0.3], [-1, -0.05]]])
_KITE = np.array([[0, -1], [0.7, -0.2], [0, 1], [-0.7, -0.2]])


class Flyer:
    """One drone, kite or balloon that stays for the scene.

    A camera drone (0.25 to 0.6 m) flies legs of constant speed, and sinks at no more than 3 m/s
    (its makers' limit, lest it falls through its own wash). A kite (0.8 to 1.5 m) flies eights. A
    party balloon (0.3 m) rises at 0.8 to 1.6 m/s and swings.
    """

    opacity = 1.0
    start, end = -math.inf, math.inf

    def __init__(self, eye: Eye, view: View, rng: np.random.Generator) -> None:
        self._eye = eye
        self.what = ("drone", "kite", "balloon")[int(rng.choice(3, p=(0.5, 0.2, 0.3)))]
        wide, high = view.size
        far = max(eye.distance_m - 2.0, 5.0)
        depth = rng.uniform(min(6.0, far * 0.8), far)
        row = rng.uniform(0.15, 0.6) if self.what != "balloon" else rng.uniform(0.5, 1.0)
        self._middle = eye.world(np.array([[rng.uniform(0.2, 0.8) * wide, row * high]]), depth)[0]
        legs = max(2, round(view.seconds / 3)) + 1
        speed = rng.uniform(-1, 1, (legs, 3)) * (3.0, 3.0, 0.5)
        speed[rng.random(legs) < 0.3] = 0.0  # hovers
        leg_s = rng.uniform(1.5, 4.0, legs)
        self._times = np.concatenate([[0.0], np.cumsum(leg_s)])
        self._knots = np.concatenate([np.zeros((1, 3)), np.cumsum(speed * leg_s[:, None], axis=0)])
        # never far from where it began: a leg that leads away is flown back
        reach = 0.35 * wide * depth / eye.focal
        self._knots = reach * np.sin(self._knots / reach)
        self._omega = 2 * math.pi / rng.uniform(2.0, 5.0)
        self._at = rng.uniform(0, 2 * math.pi)
        self._rise = rng.uniform(0.8, 1.6)
        self._begin = rng.uniform(0, 0.5 * view.seconds)
        self._size = {"drone": rng.uniform(0.12, 0.3), "kite": rng.uniform(0.4, 0.75)}.get(
            self.what, 0.15
        )
        self._tone = white(view) * rng.uniform(0.1, 0.9)

    def place(self, t: float) -> Floats:
        """See `Mover.place`."""
        swing = math.sin(self._omega * t + self._at)
        if self.what == "drone":
            legs = [np.interp(t, self._times, self._knots[:, k]) for k in range(3)]
            return np.asarray(self._middle + np.array(legs) + [0.03 * swing, 0.0, 0.0])
        if self.what == "kite":
            eight = [2.0 * swing, 0.7 * math.sin(2 * (self._omega * t + self._at)), 0.0]
            return np.asarray(self._middle + np.array(eight))
        up = self._rise * (t - self._begin)
        return np.asarray(self._middle + np.array([0.25 * swing + 0.3 * up, up, 0.0]))

    def outlines(self, t: float) -> list[Outline]:
        """See `Mover.outlines`."""
        (centre,), (depth,) = self._eye.project(self.place(t)[None])
        if depth < 1.0:
            return []
        scale = self._size * self._eye.focal / depth
        lean = 0.2 * math.cos(self._omega * t + self._at)
        corners = {"drone": _CROSS, "kite": _KITE}.get(self.what)
        if corners is None:
            corners = ellipse(0.85, 1.0)
        return [(centre + scale * turned(corners, lean), self._tone)]


def flyers(strength: float, view: View, rng: np.random.Generator) -> Movers:
    """One to three of them."""
    eye = Eye(view)
    many = 1 + round(2 * strength * float(rng.random()))
    return Movers(eye, view.exposure_s, [Flyer(eye, view, rng) for _ in range(many)])
