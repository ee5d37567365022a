"""From pictures to candidates: small things that are somewhere for one moment only.

Three-frame difference at full resolution. A pixel of the middle picture `c` counts as far as it
lies outside the range of the same pixel in the picture before (`a`) and after (`b`):
`m = max(c - max(a, b), min(a, b) - c, 0)`. A thing that flies past is there once and keeps its
full contrast; a step of exposure, a drifting cloud or an edge that is uncovered lies inside the
range and vanishes. Background models with morphology erase things of 6 to 10 px; this does not.

The threshold follows the noise of each place. For Gaussian noise of standard deviation s the
mean of `m` is 2/3 * 0.846 s = 0.564 s (0.846 s is the expected gap between the two largest of
three), so the mean of `m` over a tile and some seconds tells s, swaying leaves included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.high_altitude_throw.steady import shifted_back

Luma = NDArray[np.uint8]
Plane = NDArray[Any]

COPY_S = 0.15
"""A picture equal to the one before is a copy, and dropped, only this soon after it; later the
scene really is still."""

TOO_FAR_S = 0.25
"""Pictures further apart than this are not compared: below 8 a second a fall leaves no track."""

REACH_S = 0.055
"""Distance in time between the three pictures: 2 pictures at 20 to 30 a second, 1 below. Things
that just begin to fall move less than their own size from picture to picture at 30 a second."""

TILES_HIGH = 90
"""Rows of noise tiles in a picture (8 px at 720p): smaller than a tree, larger than an object."""

NOISE_S = 2.0
"""Time constant of the noise map: many times what an object stays in a tile (0.03 to 0.3 s)."""

SIGMAS = 6.0
"""Pixel threshold in standard deviations: below one chance pixel per 1e6 for Gaussian noise."""

FLOOR = 9.0
"""Least contrast in grey levels. Compression at usual rates moves flat areas by 2 to 4."""

MEAN_TO_SIGMA = 1 / 0.564

STILL_LEVELS = 5.0
"""A picture no pixel of which differs by more than this is the one before once more."""

MOST_CANDIDATES = 150
"""More than this in one picture is a scene in motion (rain, shake): the strongest are kept."""

CROWD = 900
"""More contours than this are not looked at: the picture counts as unseen."""

CHANGED_SHARE = 0.02
"""When more of the picture than this stands out, it moved or flashed as a whole: unseen."""

KERNEL = np.ones((3, 3), np.uint8)
NOTHING = np.zeros((0, 5))

COARSE = 60
"""Rows of the coarse picture in which a new scene is recognised."""

NEW_SCENE = 0.3
"""Share of the coarse picture that differs by more than NEW_LEVELS, evened for exposure."""

NEW_LEVELS = 25

LEARN_S = 2.0
"""After a new scene (the camera was turned, a cut): as long as the noise map needs."""

LARGEST = 0.12
"""Largest candidate, as a share of the picture's height (a 3 m thing before a 25 m facade)."""


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


class SightState(msgspec.Struct):
    """What a sight must remember: pictures as PNG, noise as float32 bytes."""

    frames: list[tuple[int, bytes]]
    noise: bytes | None
    last_centre: int
    blind_until: int


class Sight:
    """The fold over pictures of one size. Its state: a few pictures and the noise map."""

    def __init__(self, shape: tuple[int, int], mask: Luma | None = None) -> None:
        """Pictures of `shape` (height, width); only where `mask` is not 0, None: everywhere."""
        self.shape = shape
        self.mask = mask
        height, width = shape
        tile = max(3, round(height / TILES_HIGH))
        self.tiles = (max(2, width // tile), max(2, height // tile))
        self.frames: list[tuple[int, Luma]] = []
        self.noise: NDArray[np.float32] | None = None
        self.last_centre = 0
        self.blind_until = 0
        self.step = max(1, height // COARSE)

    def state(self) -> SightState:
        """Everything, compressed without loss."""
        fast = [cv2.IMWRITE_PNG_COMPRESSION, 1]
        frames = [(t, cv2.imencode(".png", f, fast)[1].tobytes()) for t, f in self.frames]
        noise = self.noise.tobytes() if self.noise is not None else None
        return SightState(frames, noise, self.last_centre, self.blind_until)

    def restore(self, state: SightState) -> None:
        """Continue from `state`."""
        self.frames = [(t, _unpack(png)) for t, png in state.frames]
        self.last_centre, self.blind_until = state.last_centre, state.blind_until
        if state.noise is not None:
            noise = np.frombuffer(state.noise, np.float32)
            self.noise = noise.reshape(self.tiles[1], self.tiles[0]).copy()

    def add(self, t: int, luma: Luma) -> Iterator[Candidates]:
        """Fold one picture (time in µs, later than all before); yields what its middle one shows.

        A copy of the picture before is dropped, as if it had not been sent.
        """
        if self.frames and t - self.frames[-1][0] > TOO_FAR_S * 1e6:
            self.frames = []
        reach = int(REACH_S * 1e6)
        if (
            self.frames
            and t - self.frames[-1][0] < COPY_S * 1e6
            and cv2.norm(luma, self.frames[-1][1], cv2.NORM_INF) <= STILL_LEVELS
        ):
            return
        if self.frames and self._new_scene(self.frames[-1][1], luma):
            self.frames, self.noise, self.blind_until = [], None, t + int(LEARN_S * 1e6)
        self.frames.append((t, luma))
        centre = next((f for f in reversed(self.frames) if f[0] <= t - reach), None)
        if centre is None or centre[0] <= self.last_centre:
            return
        before = next((f for f in reversed(self.frames) if f[0] <= centre[0] - reach), None)
        if before is None:
            return
        seconds = (centre[0] - self.last_centre) / 1e6 if self.last_centre else 0.0
        self.last_centre = centre[0]
        self.frames = [f for f in self.frames if f[0] >= before[0]]
        if t - before[0] > 2 * TOO_FAR_S * 1e6:
            return
        found = self._compare(before[1], centre[1], luma, seconds)
        if centre[0] < self.blind_until:
            found = (NOTHING, found[1], False)
        yield Candidates(centre[0], *found)

    def _new_scene(self, before: Luma, now: Luma) -> bool:
        step = self.step
        change = now[::step, ::step].astype(np.int16) - before[::step, ::step]
        change -= np.int16(np.median(change))
        return float(np.mean(np.abs(change) > NEW_LEVELS)) > NEW_SCENE

    def _compare(
        self, a: Luma, c: Luma, b: Luma, seconds: float
    ) -> tuple[NDArray[np.float64], int, bool]:
        height, width = self.shape
        a, b = shifted_back(a, c), shifted_back(b, c)
        high, low = cv2.max(a, b), cv2.min(a, b)
        above = cv2.subtract(c, high)
        out = cv2.max(above, cv2.subtract(low, c))
        # quadrupled before averaging: whole grey levels are too coarse for a mean, and cutting
        # at 63 keeps a bright passer-by from counting as noise
        fours = cv2.resize(cv2.add(cv2.add(out, out), cv2.add(out, out)), self.tiles,
                           interpolation=cv2.INTER_AREA)  # fmt: skip
        mean = fours.astype(np.float32) / 4
        known = mean if self.noise is None else self.noise
        around = np.maximum(known, cv2.blur(known, (3, 3)))
        level = np.clip(around * (SIGMAS * MEAN_TO_SIGMA) + FLOOR, 0, 255).astype(np.uint8)
        mask = cv2.compare(out, cv2.resize(level, (width, height)), cv2.CMP_GT)
        if self.mask is not None:
            mask = cv2.bitwise_and(mask, self.mask)
        share = cv2.countNonZero(mask) / mask.size
        weight = np.float32(min(1.0, seconds / NOISE_S))
        grown = known + weight * (np.minimum(mean, 3 * known + 1) - known)
        self.noise = np.asarray(grown, np.float32)
        if share > CHANGED_SHARE:
            return NOTHING, 0, False
        mask = cv2.dilate(mask, KERNEL)
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        if len(outlines) > CROWD:
            return NOTHING, len(outlines), False
        boxes = [cv2.boundingRect(outline) for outline in outlines]
        boxes = [box for box in boxes if max(box[2], box[3]) <= LARGEST * height + 2]
        crowd = len(boxes)
        if crowd > MOST_CANDIDATES:
            boxes = sorted(boxes, key=lambda box: (-box[2] * box[3], box))[:MOST_CANDIDATES]
        return np.array([_row(box, out, above) for box in boxes]).reshape(-1, 5), crowd, True


def _unpack(png: bytes) -> Luma:
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise ValueError("a picture in the snapshot cannot be read: the snapshot is damaged")
    return np.asarray(picture, np.uint8)


def _row(box: Sequence[int], out: Plane, above: Plane) -> tuple[float, ...]:
    x, y, w, h = box
    part = out[y : y + h, x : x + w]
    sums = cv2.moments(part)
    total = sums["m00"]
    peak = float(part.max())
    bright = float(above[y : y + h, x : x + w].sum()) * 2 >= total
    # the outline was widened by one pixel on each side
    return (
        x + sums["m10"] / total,
        y + sums["m01"] / total,
        max(1.0, w - 2.0),
        max(1.0, h - 2.0),
        peak if bright else -peak,
    )
