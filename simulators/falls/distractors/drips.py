"""Drips from eaves, canopies and air conditioners near the camera: they fall from rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.falls.distractors._eye import APERTURE_M, Eye
from simulators.falls.distractors._place import drop_tone
from simulators.falls.distractors._strokes import strokes, unit
from simulators.falls.layers import Luma, View

GRAVITY = 9.81


def dropped_m(
    seconds: NDArray[np.float64], terminal_m_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far a thing has fallen from rest under quadratic drag: vt²/g · ln cosh(g t / vt)."""
    s = np.maximum(seconds, 0.0) * GRAVITY / terminal_m_s
    # ln cosh s without overflow
    return np.asarray(terminal_m_s**2 / GRAVITY * (s + np.log1p(np.exp(-2 * s)) - np.log(2)))


class Drips:
    """One to a dozen places that drip, 0.7 to 6 m from the lens: beyond, a drop is not seen.

    A pendant drop tears off at 4 to 5.5 mm under a round edge (Tate's law: 4.4 mm from a 5 mm
    wire), smaller ones of 2 to 4 mm follow it from leaves and sharp edges. It falls from rest, so
    its apparent acceleration is that of a near thing: hundreds to thousands of px/s² beyond
    anything at the facade.
    """

    behind = False

    def __init__(self, strength: float, view: View, rng: np.random.Generator) -> None:
        self._eye = Eye(view)
        self._exposure = view.exposure_s
        wide, high = view.size
        places = 1 + round(11 * strength * rng.uniform(0.6, 1.0))
        if rng.random() < 0.5:
            # one eave or canopy: its drips share a line and a distance
            depth = rng.uniform(1.0, 6.0) * rng.uniform(0.95, 1.05, places)
            row = rng.uniform(-0.15, 0.25) * high + rng.normal(0, 4, places)
        else:
            depth = rng.uniform(0.7, 6.0, places)
            row = rng.uniform(-0.3, 0.35, places) * high
        column = rng.uniform(0.03, 0.97, places) * wide
        self._from = self._eye.world(np.column_stack([column, row]), depth)
        size = np.where(
            rng.random(places) < 0.6, rng.uniform(4e-3, 5.5e-3, places), rng.uniform(2e-3, 4e-3)
        )
        self.terminal_m_s = 9.65 - 10.3 * np.exp(-600.0 * size)
        self._blurred = size + APERTURE_M
        self._dense = 0.95 * (size / self._blurred) ** 2
        self._every_s = rng.uniform(0.25, 0.8 + 4.0 * (1 - strength), places)
        self._phase = rng.random(places)
        self._which = np.arange(places)
        self._salt = int(rng.integers(1 << 31))
        self._tone = drop_tone(view) * rng.uniform(0.9, 1.6)

    def places(self, t: float) -> NDArray[np.float64]:
        """Where the latest drop of each place is (n, 3): the one torn off in this turn."""
        return self._fallen(t, np.floor(t / self._every_s + self._phase).astype(np.int64))

    def _fallen(self, t: float, turn: NDArray[np.int64]) -> NDArray[np.float64]:
        # tears off somewhere in the first third of its turn, at once after the turn before: never
        late = unit(self._which, turn, self._salt) * 0.33
        since = t - (turn - self._phase + late) * self._every_s
        place = self._from.copy()
        place[:, 1] -= dropped_m(since, self.terminal_m_s)
        # not yet torn off: it hangs, unseen
        place[since <= 0] = (0.0, 0.0, -1.0)
        return place

    def draw(self, y: Luma, t: float) -> None:
        """See `Layer.draw`."""
        half = self._exposure / 2
        turn = np.floor(t / self._every_s + self._phase).astype(np.int64)
        for back in range(4):  # a slow faller may still be in the air when later ones tear off
            begin, near = self._eye.project(self._fallen(t - half, turn - back))
            end, depth = self._eye.project(self._fallen(t + half, turn - back))
            good = (depth > 0.1) & (near > 0.1)
            width = self._blurred * self._eye.focal / np.maximum(depth, 0.01)
            strokes(y, begin[good], end[good], width[good], self._dense[good], self._tone)
