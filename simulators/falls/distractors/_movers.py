"""A few things with outlines, each with its own time: birds, leaves, kites."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from simulators.falls.distractors._eye import APERTURE_M, Eye
from simulators.falls.distractors._paint import Outline, paint
from simulators.falls.layers import Luma


class Mover(Protocol):
    """One thing, from `start` to `end` (seconds of the scene)."""

    start: float
    end: float
    opacity: float

    def outlines(self, t: float) -> list[Outline]:
        """Its outlines in the picture; none when it is out of sight."""
        ...

    def place(self, t: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """Where it is in the world (3,), metres; see `Eye`."""
        ...


class Movers:
    """A layer of them."""

    def __init__(
        self, eye: Eye, exposure_s: float, movers: Sequence[Mover], behind: bool = False
    ) -> None:
        self.behind = behind
        self.movers = movers
        self._eye, self._exposure = eye, exposure_s
        self._start = np.array([m.start for m in movers])
        self._end = np.array([m.end for m in movers])

    def draw(self, y: Luma, t: float) -> None:
        """See `Layer.draw`."""
        for i in np.flatnonzero((self._start <= t) & (t <= self._end)):
            mover = self.movers[int(i)]
            soft = APERTURE_M * self._eye.px_per_m(mover.place(t))
            paint(y, mover.outlines, t, self._exposure, mover.opacity, soft)
