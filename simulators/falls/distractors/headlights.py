"""Headlights that sweep over the lower facade as cars turn."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.falls.distractors._place import episodes
from simulators.falls.layers import Luma, View

_CELL = 8


class Sweep:
    """One car's light: a wide patch that runs along the facade while it turns.

    A turn at a junction takes 1.5 to 4 s through 60 to 90 degrees, so the patch crosses the
    picture at 5 to 25 m/s; dipped beams have a sharp upper edge a little above horizontal
    (UNECE R112), main beams light 3 to 6 storeys. Some run downward as a car comes off a ramp.
    """

    def __init__(self, view: View, rng: np.random.Generator, start: float) -> None:
        wide, high = view.size
        scale = view.pixels_per_m
        self.start = start
        self._half = np.array([rng.uniform(2, 6), rng.uniform(1.0, 4.0)]) * scale
        ground = min(view.ground_y, high * 1.1)
        row = ground - rng.uniform(0.5, 9.0) * scale
        speed = rng.uniform(5, 25) * scale * rng.choice([-1, 1])
        self._way = np.array([speed, abs(speed) * rng.normal(0, 0.15)])
        if rng.random() < 0.2:
            self._way = np.array([speed * 0.2, abs(speed) * 0.5])
            row -= 6.0 * scale
        run_s = (wide + 4 * self._half[0]) / max(float(np.abs(self._way).max()), 1.0)
        self.end = start + run_s
        begin = -2 * self._half[0] if self._way[0] > 0 else wide + 2 * self._half[0]
        self._from = np.array([begin, row])
        if abs(self._way[0]) < abs(self._way[1]):
            self._from = np.array([rng.uniform(0, wide), row - high * 0.2])
        self._sharp = bool(rng.random() < 0.5)
        self._bright = rng.uniform(25, 110)

    def spot(self, t: float, size: tuple[int, int]) -> tuple[int, int, NDArray[np.float32]] | None:
        """(x, y, light in cells of 8 px) of the patch, clipped to the picture."""
        middle = self._from + self._way * (t - self.start)
        low = np.floor((middle - 2.2 * self._half) / _CELL).astype(int)
        top = np.ceil((middle + 2.2 * self._half) / _CELL).astype(int)
        low = np.maximum(low, 0)
        top = np.minimum(top, -(-np.array(size) // _CELL))
        if (top <= low).any():
            return None
        x = ((np.arange(low[0], top[0]) + 0.5) * _CELL - middle[0]) / self._half[0]
        r = ((np.arange(low[1], top[1]) + 0.5) * _CELL - middle[1]) / self._half[1]
        fall = np.exp(-(r**2))
        if self._sharp:
            fall *= 1 / (1 + np.exp(-12 * (r + 0.5)))
        return (
            int(low[0]),
            int(low[1]),
            (self._bright * fall[:, None] * np.exp(-(x**2))).astype(np.float32),
        )


class Headlights:
    """Cars that turn, one about each ten to two seconds."""

    behind = True

    def __init__(self, strength: float, view: View, rng: np.random.Generator) -> None:
        begins = episodes(rng, view.seconds, 0.1 + 0.4 * strength)
        self.sweeps = [Sweep(view, rng, b) for b in begins]
        self._strength = 0.3 + 0.7 * strength

    def draw(self, y: Luma, t: float) -> None:
        """See `Layer.draw`."""
        high, wide = y.shape
        for sweep in self.sweeps:
            if not sweep.start <= t <= sweep.end:
                continue
            spot = sweep.spot(t, (wide, high))
            if spot is None:
                continue
            cx, cy, cells = spot
            x0, y0 = cx * _CELL, cy * _CELL
            under = y[y0 : y0 + cells.shape[0] * _CELL, x0 : x0 + cells.shape[1] * _CELL]
            light = cv2.resize(
                np.rint(cells * np.float32(self._strength)).astype(np.uint8),
                (cells.shape[1] * _CELL, cells.shape[0] * _CELL),
                interpolation=cv2.INTER_LINEAR,
            )[: under.shape[0], : under.shape[1]]
            # light is thrown back by what is there: dark panes take it, pale walls shine
            back = cv2.multiply(light, under, scale=1 / 140)
            under[:] = cv2.add(under, cv2.addWeighted(back, 0.8, light, 0.2, 0))
