"""Panes that mirror what passes behind the camera: cars, birds, clouds of the sky, people."""

from __future__ import annotations

import math

import numpy as np

from simulators.falls.distractors._paint import Outline, ellipse, paint_in
from simulators.falls.distractors._place import Box, episodes, panes, white
from simulators.falls.layers import Luma, View


class Mirrored:
    """One passing thing, seen only where there is glass.

    Glass sends back 8 % straight on and up to 40 % at the grazing angles from the street (Fresnel,
    two faces), so it shows faintly. It crosses `pane` at `when`, mostly sideways at 1.5 to 15 m/s;
    some things go down (a bird landing, a lift opposite) or up, never faster than 4 m/s and never
    accelerating.
    """

    def __init__(self, view: View, rng: np.random.Generator, pane: Box, when: float) -> None:
        wide, high = view.size
        scale = view.pixels_per_m
        across = rng.random() < 0.7
        speed = (rng.uniform(1.5, 15) if across else rng.uniform(0.8, 4.0)) * scale
        speed *= rng.choice([-1, 1])
        self._way = np.array([speed, 0.1 * speed]) if across else np.array([0.1 * speed, speed])
        self._half = rng.uniform(0.3, 1.8) * scale, rng.uniform(0.3, 1.2) * scale
        x0, y0, x1, y1 = pane
        self._middle = np.array([x0 + x1, y0 + y1]) / 2
        run = 1.4 * (wide if across else high) / abs(speed)
        self.start, self.end = when - run / 2, when + run / 2
        self.opacity = rng.uniform(0.12, 0.4)
        self._tone = rng.uniform(0.0, 0.3) * white(view) if rng.random() < 0.5 else white(view)

    def centre(self, t: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """Where it is, px."""
        return np.asarray(self._middle + self._way * (t - (self.start + self.end) / 2))

    @property
    def reach(self) -> float:
        """How far from its centre it can be, px."""
        return math.hypot(*self._half) + 2

    def outlines(self, t: float) -> list[Outline]:
        """Its outline."""
        return [(self.centre(t) + ellipse(*self._half), self._tone)]


class Reflections:
    """Passing things in all the panes."""

    behind = True

    def __init__(self, strength: float, view: View, rng: np.random.Generator) -> None:
        self._panes = panes(view, rng, len(view.panes) or 30)
        self._boxes = np.array(self._panes)
        self._exposure = view.exposure_s
        whens = episodes(rng, view.seconds, 0.15 + 0.7 * strength)
        aims = rng.integers(len(self._panes), size=len(whens))
        self.things = [
            Mirrored(view, rng, self._panes[int(i)], when)
            for i, when in zip(aims, whens, strict=True)
        ]

    def draw(self, y: Luma, t: float) -> None:
        """See `Layer.draw`."""
        for thing in self.things:
            if not thing.start <= t <= thing.end:
                continue
            x, row = thing.centre(t)
            r = thing.reach
            near = (self._boxes[:, 0] < x + r) & (self._boxes[:, 2] > x - r)
            near &= (self._boxes[:, 1] < row + r) & (self._boxes[:, 3] > row - r)
            for i in np.flatnonzero(near):
                box = self._panes[int(i)]
                paint_in(y, box, thing.outlines, t, self._exposure, thing.opacity)
