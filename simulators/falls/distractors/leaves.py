"""Leaves: they flutter or tumble down at their terminal speed, and drift with the wind."""

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

_LEAF = np.array([[-1, 0], [-0.5, 0.42], [0.1, 0.5], [0.6, 0.3], [1, 0]])
_LEAF = np.concatenate([_LEAF, _LEAF[3:0:-1] * [1, -1]])


class Leaf:
    """One leaf of 4 to 12 cm, from where it is torn off until it is below the picture.

    Thin plates in air flutter (swing from side to side, dropping fastest in mid-swing) or tumble
    (turn over steadily and sail to one side): Belmonte et al. 1998, Andersen et al. 2005. Leaves
    sink at 0.8 to 2 m/s (terminal sqrt(2 m g / ρ C A) of 40 to 150 g/m²).
    """

    opacity = 1.0

    def __init__(self, eye: Eye, view: View, rng: np.random.Generator, start: float) -> None:
        self._eye, self.start = eye, start
        wide, high = view.size
        depth = rng.uniform(2.0, max(min(eye.distance_m - 1.0, 25.0), 3.0))
        row = rng.uniform(-0.1, 0.5) * high
        self._from = eye.world(np.array([[rng.uniform(0, 1) * wide, row]]), depth)[0]
        self._size = rng.uniform(0.02, 0.06)
        self.tumbles = bool(rng.random() < 0.35)
        self.sink_m_s = rng.uniform(0.8, 2.0)
        # period of a flutter from Froude's balance: about 0.4 to 1.2 s for leaves of this size
        self._omega = 2 * math.pi / rng.uniform(0.4, 1.2)
        self._at = rng.uniform(0, 2 * math.pi)
        self._swing = rng.uniform(0.1, 0.35) * (0.3 if self.tumbles else 1.0)
        side = rng.uniform(0, 2 * math.pi)
        self._side = np.array([math.cos(side), 0.0, math.sin(side) * 0.7])
        sail = rng.uniform(0.3, 0.9) if self.tumbles else 0.0
        self._wind = np.array([rng.normal(0, 0.7), 0.0, rng.normal(0, 0.2)]) + sail * self._side
        light = white(view)
        self._face = rng.uniform(0, 2 * math.pi)
        self._tone = (rng.uniform(0.15, 0.45) * light, rng.uniform(0.25, 0.75) * light)
        tall = 1.3 * high * depth / eye.focal
        self.end = start + tall / self.sink_m_s + 1.0

    def place(self, t: float) -> Floats:
        """See `Mover.place`."""
        s = t - self.start
        phase = self._omega * s + self._at
        along = self._wind * s + self._side * self._swing * math.sin(phase)
        # sinks fastest in mid-swing and hangs at its ends, never rising: twice the frequency.
        # A leaf reaches its terminal speed within 0.2 s (v² / g)
        settled = s - 0.1 * (1 - math.exp(-s / 0.1))
        bob = 0.45 * self.sink_m_s / (2 * self._omega) * math.sin(2 * phase)
        return np.asarray(self._from + along - np.array([0, self.sink_m_s * settled + bob, 0]))

    def outlines(self, t: float) -> list[Outline]:
        """See `Mover.outlines`."""
        s = t - self.start
        here = self.place(t)
        phase = self._omega * s + self._at
        tilt = phase * 2 if self.tumbles else 0.9 * math.sin(phase)
        c, n = math.cos(tilt), math.sin(tilt)
        flat = self._side * c + np.array([0.0, n, 0.0])
        other = np.array([-self._side[2], 0.25 * math.sin(self._face + s), self._side[0]])
        turn = self._face + 0.8 * s
        a = flat * math.cos(turn) + other * math.sin(turn)
        b = -flat * math.sin(turn) + other * math.cos(turn)
        corners = here + self._size * (_LEAF[:, :1] * a + _LEAF[:, 1:] * b)
        seen, depth = self._eye.project(corners)
        if depth.min() < 0.3:
            return []
        # upper and lower side differ, and gloss flashes as it turns
        tone = self._tone[0] + (self._tone[1] - self._tone[0]) * (0.5 + 0.5 * c)
        return [(seen, tone)]


def leaves(strength: float, view: View, rng: np.random.Generator) -> Movers:
    """Leaves that come down, one each three seconds to four a second."""
    eye = Eye(view)
    begins = episodes(rng, view.seconds + 3.0, 0.3 + 3.5 * strength * strength)
    return Movers(eye, view.exposure_s, [Leaf(eye, view, rng, b - 2.5) for b in begins])
