"""Curtains that billow in open windows, and sashes that swing and flash the sky."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from simulators.falls.distractors._paint import Outline, paint_in
from simulators.falls.distractors._place import Box, panes, white
from simulators.falls.layers import Luma, View


class Curtain:
    """A curtain over part of a window; its hem blows 10 to 30 cm to and fro, each 1 to 4 s."""

    def __init__(self, box: Box, view: View, rng: np.random.Generator) -> None:
        self.box = box
        x0, _, x1, _ = box
        self._from, self._to = x0 - 1.0, x0 + rng.uniform(0.3, 0.9) * (x1 - x0)
        self._omega = 2 * math.pi / rng.uniform(1.0, 4.0, 2)
        self._at = rng.uniform(0, 2 * math.pi, 2)
        self._blow = rng.uniform(0.1, 0.3) * view.pixels_per_m
        self._tones = white(view) * rng.uniform(0.3, 0.9) * np.array([1.0, 0.9])

    def outlines(self, t: float) -> list[Outline]:
        """Folds of two tones."""
        _, y0, _, y1 = self.box
        down = np.linspace(0, 1, 5)
        rows = y0 + down * (y1 - y0) + 1
        a, b = np.sin(self._omega * t + self._at)
        hem = self._blow * down**2
        folds = 4
        edges = [
            self._from + (self._to - self._from) * k / folds + hem * (a * k / folds + 0.4 * b)
            for k in range(folds + 1)
        ]
        out: list[Outline] = []
        for k, (left, right) in enumerate(pairwise(edges)):
            corners = np.concatenate(
                [np.column_stack([left, rows]), np.column_stack([right, rows])[::-1]]
            )
            out.append((corners, float(self._tones[k % 2])))
        return out


class Sash:
    """A casement that is opened or shut within 0.4 to 2 s, up to 70 degrees.

    As it turns, what it mirrors runs from the street over the houses to the sky: its grey sweeps
    through all of them, twice as fast as it turns.
    """

    def __init__(self, box: Box, view: View, rng: np.random.Generator) -> None:
        self.box = box
        count = 1 + int(rng.poisson(view.seconds * 0.15))
        self._times = np.sort(rng.uniform(0, max(view.seconds - 1, 0.5), count))
        self._takes_s = rng.uniform(0.4, 2.0, count)
        self._angles = np.concatenate([[rng.uniform(0, 1.2)], rng.uniform(0, 1.2, count)])
        self._hinge_left = bool(rng.random() < 0.5)
        self._light = white(view)
        self._cloud = rng.uniform(0, 2 * math.pi)

    def angle(self, t: float) -> float:
        """How far it is open, radians."""
        out = float(self._angles[0])
        for at, takes, goal, before in zip(
            self._times, self._takes_s, self._angles[1:], self._angles[:-1], strict=True
        ):
            f = min(max((t - at) / takes, 0.0), 1.0)
            out += float(goal - before) * f * f * (3 - 2 * f)
        return out

    def outlines(self, t: float) -> list[Outline]:
        """The pane as seen, narrower the further it is open."""
        x0, y0, x1, y1 = self.box
        angle = self.angle(t)
        wide = (x1 - x0) / 2 * math.cos(angle)
        skew = 0.06 * (y1 - y0) * math.sin(angle)
        a, b = (x0, x0 + wide) if self._hinge_left else (x1, x1 - wide)
        mirrored = 0.35 + 0.45 * math.sin(2.5 * angle + self._cloud) + 0.2 * math.sin(7 * angle)
        pane = np.array([[a, y0], [b, y0 + skew], [b, y1 + skew], [a, y1]], dtype=np.float64)
        return [(pane, self._light * min(max(mirrored, 0.08), 1.0))]


class Curtains:
    """Two to eight windows, curtains and sashes by turns."""

    behind = True

    def __init__(self, strength: float, view: View, rng: np.random.Generator) -> None:
        boxes = panes(view, rng, 2 + round(6 * strength))
        self._exposure = view.exposure_s
        self.curtains = [Curtain(box, view, rng) for box in boxes[::2]]
        self.sashes = [Sash(box, view, rng) for box in boxes[1::2]]

    def draw(self, y: Luma, t: float) -> None:
        """See `Layer.draw`."""
        for curtain in self.curtains:
            paint_in(y, curtain.box, curtain.outlines, t, self._exposure)
        for sash in self.sashes:
            paint_in(y, sash.box, sash.outlines, t, self._exposure, 0.8)
