"""From pictures to candidates: small things that are somewhere for one moment only.

Three-frame difference. A pixel of the middle picture `c` counts as far as it lies outside the range
of the same pixel in the picture before (`a`) and after (`b`):
`m = max(c - max(a, b), min(a, b) - c, 0)`. A thing that flies past is there once and keeps its full
contrast; a step of exposure, a drifting cloud, a lit window or an edge that is uncovered lies
inside the range and vanishes.
Background models with morphology erase things of 6 to 10 px; this does not.

Before comparing, each picture passes: field (what part, how finely), copies, new scene, exposure,
sway; after it: noise (the threshold of each place), blobs, regime.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.high_altitude_throw.blobs import Box, boxes, measure, strongest
from detectors.high_altitude_throw.copies import COPY_S, MOST_IN_A_ROW, news
from detectors.high_altitude_throw.exposure import evened, is_new_scene, line
from detectors.high_altitude_throw.field import Field
from detectors.high_altitude_throw.kept import Kept, pack, unpack
from detectors.high_altitude_throw.noise import NoiseMap
from detectors.high_altitude_throw.regime import Regime, Weather
from detectors.high_altitude_throw.steady import LEFT, contrast, finely, overlap, shift_of, sways

Luma = NDArray[np.uint8]

TOO_FAR_S = 0.25
"""Pictures further apart than this are not compared: below 8 a second a fall leaves no track."""

REACH_S = 0.055
"""Distance in time between the three pictures: 2 pictures at 20 to 30 a second, 1 below. Things
that just begin to fall move less than their own size from picture to picture at 30 a second."""

MOST_CANDIDATES, MOST_IN_RAIN = 150, 60
"""More than this in one picture is a scene in motion: the strongest are kept."""

CROWD = 500
"""More outlines than this are not looked at: the threshold is doubled once, and when that does not
help the picture counts as unseen."""

CHANGED_SHARE = 0.1
"""When more of the picture than this stands out, it moved or flashed as a whole: unseen."""

RAIN_LEVEL = 1.5
"""In rain a candidate must stand out this many times as much."""

LEARN_S = 2.0
"""After a new scene (the camera was turned, a cut): as long as the noise map needs."""

LARGEST = 0.12
"""Largest candidate, as a share of the picture's height (a 3 m thing before a 25 m facade)."""


def _none() -> NDArray[np.float64]:
    return np.zeros(0)


class Candidates(msgspec.Struct):
    """What stood out in one picture."""

    t: int
    """Time of the picture, µs since 1970."""
    rows: NDArray[np.float64]
    """One row each: x, y (centroid, px), width, height (px), contrast (grey levels, signed)."""
    crowd: int
    """How many things stood out, before the strongest were kept."""
    seen: bool
    """False: the picture moved or flashed as a whole and says nothing."""
    regime: Regime = "clear"
    """`rain`: many small things all over for seconds, weak ones are not reported; `blind`: most
    pictures of the last second say nothing."""
    snr: NDArray[np.float64] = msgspec.field(default_factory=_none)
    """Of each row: its contrast in standard deviations of the noise at its place."""
    area: NDArray[np.float64] = msgspec.field(default_factory=_none)
    """Of each row: area of an even thing of that contrast, px²; the root is its size."""


class SightState(msgspec.Struct):
    """What a sight must remember."""

    frames: list[tuple[int, bytes]]
    noise: bytes
    learned: int
    weather: Weather
    newest: int
    copies: int
    peak: int
    last_centre: int
    blind_until: int


class Sight:
    """The fold over pictures of one size. Its state: a few pictures and the noise map."""

    def __init__(self, shape: tuple[int, int], mask: Luma | None = None) -> None:
        """Pictures of `shape` (height, width); only where `mask` is not 0, None: everywhere."""
        self.shape = shape
        self.field = Field(shape, mask)
        self.noise = NoiseMap(self.field.shape, self.field.rows_whole)
        self.weather = Weather()
        self.frames: list[Kept] = []
        self.newest = self.last_centre = self.blind_until = 0
        self.copies = 0
        """Pictures dropped since the last kept."""
        self.peak = 0
        """How much the last kept differs from the one before it."""
        self._above, self._below, self._out = (
            np.zeros(self.field.shape, np.uint8) for _ in range(3)
        )

    def state(self) -> SightState:
        """Everything, compressed without loss."""
        return SightState(
            pack(self.frames),
            self.noise.pack(),
            self.noise.count,
            msgspec.structs.replace(self.weather),
            self.newest,
            self.copies,
            self.peak,
            self.last_centre,
            self.blind_until,
        )

    def restore(self, state: SightState) -> None:
        """Continue from `state`. Raises ValueError when a picture in it is damaged."""
        self.frames = unpack(state.frames)
        self.noise.unpack(state.noise, state.learned)
        self.weather = msgspec.structs.replace(state.weather)
        self.newest, self.copies, self.peak = state.newest, state.copies, state.peak
        self.last_centre, self.blind_until = state.last_centre, state.blind_until

    def add(self, t: int, luma: Luma) -> Iterator[Candidates]:
        """Fold one picture (time in µs, later than all before); yields what its middle one shows.

        A picture in which nothing differs from the one before is dropped, as if not sent.
        """
        if self.frames and t - self.newest > TOO_FAR_S * 1e6:
            self.frames = []
        self.newest = t
        now = Kept(t, self.field.working(luma))
        if self.frames and self._is_copy(now):
            self.copies += 1
            return
        self.copies = 0
        if self.frames and is_new_scene(self.frames[-1].coarse, now.coarse):
            self.frames, self.blind_until = [], t + int(LEARN_S * 1e6)
            self.noise.forget()
        self.frames.append(now)
        reach = int(REACH_S * 1e6)
        for before, centre, after in self._threes(t, reach):
            seconds = (centre.t - self.last_centre) / 1e6 if self.last_centre else 0.0
            self.last_centre = centre.t
            if after.t - before.t <= 2 * TOO_FAR_S * 1e6:
                yield self._look(before, centre, after, seconds)
        oldest = next((one.t for one in reversed(self.frames) if one.t <= self.last_centre - reach),
                      0)  # fmt: skip
        self.frames = [one for one in self.frames if one.t >= oldest]

    def _is_copy(self, now: Kept) -> bool:
        last = self.frames[-1]
        new = news(now.luma, last.luma, self.noise.level(), self.peak)
        soon = now.t - last.t < COPY_S * 1e6 and self.copies < MOST_IN_A_ROW
        if new.copy and soon:
            return True
        self.peak = new.peak
        return False

    def _threes(self, t: int, reach: int) -> list[tuple[Kept, Kept, Kept]]:
        """With the picture of time `t`: each that can be a middle one now, and those beside it."""
        out = []
        for centre in self.frames:
            if not self.last_centre < centre.t <= t - reach:
                continue
            before = [one for one in self.frames if one.t <= centre.t - reach]
            after = next(one for one in self.frames if one.t >= centre.t + reach)
            if before:
                out.append((before[-1], centre, after))
        return out

    def _look(self, a: Kept, c: Kept, b: Kept, seconds: float) -> Candidates:
        swaying = self._stand_out(a, c, b)
        self.noise.learn(self._out, seconds)
        level: Any = self.noise.level()
        if swaying:
            level = cv2.addWeighted(level, 1.0, contrast(c.luma), LEFT, 0.0)
        found = self._boxes(level)
        seen = found is not None and c.t >= self.blind_until
        small = [one for one in found or () if max(one[2:]) <= LARGEST * self.field.rows_whole + 2]
        places = np.array([one[:2] for one in small], np.float64).reshape(-1, 2)
        regime = self.weather.add(places, self.field.shape, seen, seconds)
        if not seen:
            shown = list[Box]()
        elif regime == "rain":
            shown = strongest(small, self._out, MOST_IN_RAIN, level, RAIN_LEVEL)
        else:
            shown = strongest(small, self._out, MOST_CANDIDATES)
        blobs = [measure(box, self._out, self._above) for box in shown]
        fold = self.field.fold
        rows = [
            (*self.field.place(x, y), w * fold, h * fold, contrast_)
            for x, y, w, h, contrast_, _ in blobs
        ]
        return Candidates(
            c.t,
            np.array(rows, np.float64).reshape(-1, 5),
            len(small),
            seen,
            regime,
            np.array([abs(one[4]) / self.noise.sigma_at(one[0], one[1]) for one in blobs]),
            np.array([one[5] * fold**2 for one in blobs]),
        )

    def _stand_out(self, a: Kept, c: Kept, b: Kept) -> bool:
        """Fill `_out` and `_above`; returns whether the camera sways."""
        height = self.field.rows_whole
        shift_a = shift_of(a.profiles, c.profiles, height)
        shift_b = shift_of(b.profiles, c.profiles, height)
        part = overlap(self.field.shape, shift_a, shift_b)
        before = evened(finely(a.luma, shift_a)[part.a], line(a.coarse, c.coarse))
        after = evened(finely(b.luma, shift_b)[part.b], line(b.coarse, c.coarse))
        middle = c.luma[part.c]
        if middle.size < self._out.size:
            self._out[:], self._above[:] = 0, 0
        above, below, out = (one[part.c] for one in (self._above, self._below, self._out))
        cv2.max(before, after, dst=above)
        cv2.min(before, after, dst=below)
        cv2.subtract(middle, above, dst=above)
        cv2.subtract(below, middle, dst=below)
        cv2.max(above, below, dst=out)
        self.field.smooth(self._out)
        return sways(shift_a) or sways(shift_b)

    def _boxes(self, level: Any) -> list[Any] | None:
        """Boxes around what exceeds `level`; None when the picture says nothing."""
        for _ in range(2):
            mask = cv2.compare(self._out, level, cv2.CMP_GT)
            if self.field.mask is not None:
                mask = cv2.bitwise_and(mask, self.field.mask)
            count = cv2.countNonZero(mask)
            if count == 0:
                return []
            if count <= CHANGED_SHARE * mask.size:
                found = boxes(np.asarray(mask, np.uint8), CROWD)
                if found is not None:
                    return found
            level = cv2.add(level, level)
        return None
