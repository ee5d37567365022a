"""People at windows and on balconies: they walk, lean out, shake out a cloth."""

from __future__ import annotations

import math

import numpy as np

from simulators.falls.distractors._paint import Outline, ellipse, paint_in
from simulators.falls.distractors._place import Box, panes, white
from simulators.falls.layers import Luma, View


class Person:
    """Head, trunk and an arm in a window, 0.45 m broad, pacing at up to 0.8 m/s.

    The arm waves or shakes a cloth two to three times a second, which flaps below the sill: it
    moves down as fast as a falling thing, and up again.
    """

    def __init__(self, box: Box, view: View, rng: np.random.Generator) -> None:
        x0, y0, x1, y1 = box
        scale = self._scale = view.pixels_per_m
        self.cloth = bool(rng.random() < 0.4)
        below = round(1.2 * scale) if self.cloth else 0
        self.box = (x0, y0, x1, y1 + below)
        self._x, self._sill = (x0 + x1) / 2, float(y1)
        self._pace = max((x1 - x0) / 2 - 0.2 * scale, 0.1 * scale)
        self._omega = 2 * math.pi / rng.uniform(4, 9, 2)
        self._at = rng.uniform(0, 2 * math.pi, 3)
        self._shake = 2 * math.pi * rng.uniform(1.5, 3.0)
        light = white(view)
        self._tones = [float(v) * light for v in rng.uniform(0.15, 0.9, 3)]

    def outlines(self, t: float) -> list[Outline]:
        """Trunk, head, arm and cloth; a person is at the window three quarters of the time."""
        there = 0.6 + math.sin(self._omega[1] * t + self._at[1])
        up = min(max(there * 2, 0.0), 1.0) * 0.75 * self._scale
        if up <= 0:
            return []
        m = self._scale
        x = self._x + self._pace * math.sin(self._omega[0] * t + self._at[0])
        top = self._sill - up
        trunk = np.array([[-0.22, 0.26], [0.22, 0.26], [0.2, 1.2], [-0.2, 1.2]]) * m
        out: list[Outline] = [
            (np.array([x, top]) + trunk, self._tones[0]),
            (np.array([x, top + 0.13 * m]) + ellipse(0.09 * m, 0.13 * m), self._tones[1]),
        ]
        swing = math.sin(self._shake * t + self._at[2])
        if self.cloth:
            hem = 0.55 + 0.3 * swing
            side = 0.08 * math.sin(self._shake * t + self._at[2] - 1.0)
            corners = [[-0.3, 0.0], [0.3, 0.0], [0.3 + side, hem], [-0.3 + side, hem]]
            out.append(
                (np.array([x, self._sill - 0.15 * m]) + np.array(corners) * m, self._tones[2])
            )
        else:
            hand = np.array([0.45 + 0.1 * swing, 0.15 + 0.25 * swing])
            arm = np.array([[0.18, 0.3], hand, hand + np.array([0.0, 0.09]), [0.18, 0.42]]) * m
            out.append((np.array([x, top]) + arm, self._tones[1]))
        return out


class People:
    """One to six people."""

    behind = True

    def __init__(self, strength: float, view: View, rng: np.random.Generator) -> None:
        boxes = panes(view, rng, 1 + round(5 * strength))
        self._exposure = view.exposure_s
        self.people = [Person(box, view, rng) for box in boxes]

    def draw(self, y: Luma, t: float) -> None:
        """See `Layer.draw`."""
        for person in self.people:
            paint_in(y, person.box, person.outlines, t, self._exposure)
