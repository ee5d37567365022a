"""What moves in front of a tower: thrown things, birds, leaves and bags; drawn with motion blur."""

from __future__ import annotations

import math
from typing import Protocol

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators.ballistics import Flight
from simulators.dice import between
from simulators.towers import SIZE, Tower, View

Picture = NDArray[np.uint8]
SHUTTER_S = 1 / 60
_SUB = 6  # exposures that make one blurred picture
_FINE = 4  # subpixels across a pixel


class Planes(msgspec.Struct, frozen=True):
    """A picture as Y, U and V, 4:2:0."""

    y: Picture
    u: Picture
    v: Picture

    def copy(self) -> Planes:
        """A picture that may be drawn on."""
        return Planes(self.y.copy(), self.u.copy(), self.v.copy())


class Sprite(Protocol):
    """Something that moves; times are epoch seconds of this town."""

    start: float
    end: float

    def shape(self, t: float) -> tuple[list[NDArray[np.float64]], tuple[int, int, int]]:
        """Its outlines in the picture at `t`, each of shape (n, 2), and its colour (BGR)."""
        ...


def _turned(points: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    c, s = math.cos(angle), math.sin(angle)
    return np.asarray(points @ np.array([[c, s], [-s, c]]))


def _ellipse(a: float, b: float, count: int = 14) -> NDArray[np.float64]:
    t = np.linspace(0, 2 * math.pi, count, endpoint=False)
    return np.stack([a * np.cos(t), b * np.sin(t)], axis=-1)


class Thrown:
    """A flight as the camera sees it: true place and size, tumbling."""

    def __init__(self, view: View, flight: Flight, release: float) -> None:
        self.start, self.end = release, release + flight.duration_s
        self._view, self._flight, self._release = view, flight, release
        long, short = (s / 2 for s in flight.body.size_m)
        self._outline = (
            _ellipse(long, short)
            if flight.body.round
            else np.array([[-long, -short], [long, -short], [long, short], [-long, short]])
        )

    def shape(self, t: float) -> tuple[list[NDArray[np.float64]], tuple[int, int, int]]:
        """See `Sprite.shape`."""
        since = t - self._release
        place = self._flight.at(since)
        angle = self._flight.start_angle + self._flight.spin_rad_s * since
        centre = self._view.project(np.array([place]))[0]
        scale = self._view.px_per_m(place)
        return [centre + scale * _turned(self._outline, angle)], self._flight.body.bgr


class Bird:
    """A bird that crosses the picture, wings beating."""

    def __init__(self, rng: np.random.Generator, start: float) -> None:
        self.start, self.end = start, start + between(rng, (2.5, 5.0))
        leftward = rng.random() < 0.5
        y0, dy = between(rng, (30, 420)), between(rng, (-160, 160))
        ends = [(-30.0, y0), (SIZE[0] + 30.0, y0 + dy)]
        self._from, self._to = reversed(ends) if leftward else ends
        self._bow = between(rng, (-60, 60))
        self._beat = between(rng, (3.5, 7.0))
        self._size = between(rng, (4.0, 8.0))
        tone = int(rng.integers(30, 110))
        self._colour = (tone, tone, tone)

    def shape(self, t: float) -> tuple[list[NDArray[np.float64]], tuple[int, int, int]]:
        """See `Sprite.shape`."""
        f = (t - self.start) / (self.end - self.start)
        beat = math.sin(2 * math.pi * self._beat * t)
        x = self._from[0] + (self._to[0] - self._from[0]) * f
        y = self._from[1] + (self._to[1] - self._from[1]) * f
        y += self._bow * math.sin(math.pi * f) - 1.2 * beat
        s, lift = self._size, 0.7 * self._size * beat
        wing = np.array(
            [[0, -0.5], [-s, -lift - 0.8], [-s, -lift], [0, 1.0], [s, -lift], [s, -lift - 0.8]]
        )
        body = _ellipse(0.55 * s, 0.22 * s)
        return [np.array([x, y]) + wing, np.array([x, y]) + body], self._colour


class Drifting:
    """A leaf or an empty bag: falls slowly, flutters, goes with the wind; near the camera."""

    def __init__(self, rng: np.random.Generator, view: View, tower: Tower, start: float) -> None:
        self.start = start
        self._view = view
        top = between(rng, (0.5, 0.95)) * tower.height_m
        self._sink = between(rng, (0.8, 1.7))  # terminal speed of leaves and film, m/s
        self._place = (between(rng, (0.1, 0.9)) * tower.width_m, top, between(rng, (2.0, 20.0)))
        self._wind = float(rng.normal(0, 1.2))
        self._sway = between(rng, (0.15, 0.5))
        self._period = between(rng, (0.8, 1.8))
        self._size = between(rng, (0.07, 0.26))
        self.end = start + min(14.0, top / self._sink)
        self._colour = (48, 96, 118) if rng.random() < 0.6 else (225, 225, 225)

    def shape(self, t: float) -> tuple[list[NDArray[np.float64]], tuple[int, int, int]]:
        """See `Sprite.shape`."""
        s = t - self.start
        swing = math.sin(2 * math.pi * s / self._period)
        u, v, w = self._place
        place = (
            u + self._wind * s + self._sway * swing,
            v - self._sink * s + 0.3 * self._sway * abs(swing),
            w,
        )
        centre = self._view.project(np.array([place]))[0]
        scale = self._view.px_per_m(place) * self._size
        return [
            centre + scale * _turned(_ellipse(1.0, 0.25 + 0.4 * abs(swing)), swing)
        ], self._colour


def _yuv(bgr: tuple[int, int, int]) -> tuple[int, int, int]:
    spot = np.full((2, 2, 3), bgr, dtype=np.uint8)
    flat = cv2.cvtColor(spot, cv2.COLOR_BGR2YUV_I420).ravel()
    return int(flat[0]), int(flat[4]), int(flat[5])


def draw(picture: Planes, sprite: Sprite, t: float) -> None:
    """Draw `sprite` as the shutter saw it from `t` on; outside its time nothing happens."""
    moments = [t + SHUTTER_S * k / _SUB for k in range(_SUB)]
    moments = [m for m in moments if sprite.start <= m <= sprite.end]
    if not moments:
        return
    outlines = [sprite.shape(m) for m in moments]
    every = np.concatenate([part for parts, _ in outlines for part in parts])
    # an even-sized patch at even coordinates, so that its chroma is a patch too
    x0, y0 = (int(math.floor(c / 2) * 2 - 2) for c in every.min(axis=0))
    x1, y1 = (int(math.ceil(c / 2) * 2 + 2) for c in every.max(axis=0))
    if x1 <= 0 or y1 <= 0 or x0 >= SIZE[0] or y0 >= SIZE[1]:
        return
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, SIZE[0]), min(y1, SIZE[1])
    shape = ((y1 - y0) * _FINE, (x1 - x0) * _FINE)
    cover = np.zeros(shape, dtype=np.float32)
    for parts, _ in outlines:
        once = np.zeros(shape, dtype=np.uint8)
        for part in parts:
            corners = np.rint((part - np.array([x0, y0])) * _FINE).astype(np.int32)
            cv2.fillPoly(once, [corners], (1,))
        cover += once
    cover = _smaller(cover / np.float32(_SUB), x1 - x0, y1 - y0)
    luma, blue, red = _yuv(outlines[0][1])
    _blend(picture.y[y0:y1, x0:x1], cover, luma)
    half = _smaller(cover, (x1 - x0) // 2, (y1 - y0) // 2)
    _blend(picture.u[y0 // 2 : y1 // 2, x0 // 2 : x1 // 2], half, blue)
    _blend(picture.v[y0 // 2 : y1 // 2, x0 // 2 : x1 // 2], half, red)


def _smaller(cover: NDArray[np.float32], wide: int, high: int) -> NDArray[np.float32]:
    shrunk = cv2.resize(cover, (wide, high), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, dtype=np.float32)


def _blend(under: Picture, cover: NDArray[np.float32], colour: int) -> None:
    under[:] = np.rint(under * (1 - cover) + colour * cover).astype(np.uint8)
