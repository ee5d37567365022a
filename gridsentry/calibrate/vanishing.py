"""Line segments, and the lens and vanishing points that explain most of them.

A facade is made of lines that are upright or level. Upright ones meet in one vanishing point, level
ones in another (Hartley, Zisserman: Multiple View Geometry, 8.6), once the lens's distortion is
taken out: the distortion that lets most of them meet is the lens's (plumb lines: Brown 1971;
Devernay, Faugeras 2001). Which segments belong to which is found by RANSAC (Fischler, Bolles 1981).
"""

from __future__ import annotations

from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from gridsentry.city.calibration import Lens

Array = NDArray[np.float64]

BENDS = np.round(np.arange(-0.42, 0.121, 0.06), 3)
"""Distortion k1 tried, for a focal length of one picture width: wide security lenses bend
straight lines outwards by up to 8 % at the corners."""
TRIES = 300
SLACK = np.sin(np.radians(0.9))
"""A segment may point past its vanishing point by this much, and by END_PX at its end: sine."""
END_PX = 0.7
MOST_ROLL = np.radians(25)
"""A fixed camera is not mounted further off level."""
FEWEST = 12
"""Segments without which a direction is not believed."""
MOST_SEGMENTS = 1500
FOCAL_RANGE = (0.3, 3.0)
"""Focal lengths, picture widths, of lenses that look at houses (118 to 19 degrees)."""
TELLING = np.sin(np.radians(1.5))
"""The two vanishing points, seen from the middle of the picture, must lie so far from a right angle
to tell the focal length: their directions are good to about 0.1 degrees, so it is good to 4 %."""


class View(msgspec.Struct, frozen=True):
    """What the lines say about the camera; points homogeneous, in straight pixels."""

    size: tuple[int, int]
    bend: float
    """k1 for a focal length of one picture width."""
    up: Array
    """Vanishing point of upright lines."""
    along: Array
    """Vanishing point of level lines."""
    focal_px: float
    focal_known: bool
    """False: the lines do not tell, it was assumed."""
    segments: Array
    """(n, 4): x0, y0, x1, y1 in the picture, as seen."""
    upright: NDArray[np.bool_]
    level: NDArray[np.bool_]
    """Which segments point to `up` and `along`."""

    @property
    def lens(self) -> Lens:
        """The lens's distortion."""
        return Lens(self.size, (self.bend, 0.0, 0.0, 0.0), self.size[0])

    @property
    def distortion(self) -> tuple[float, float, float, float]:
        """The same as OpenCV writes it for `focal_px`."""
        return (self.bend * (self.focal_px / self.size[0]) ** 2, 0.0, 0.0, 0.0)


def segments_of(grey: NDArray[np.uint8], mask: NDArray[np.uint8] | None = None) -> Array:
    """The longest line segments (n, 4), longest first; none where `mask` is 0."""
    detector = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD)
    found: Any = detector.detect(grey)[0]
    if found is None:
        return np.zeros((0, 4))
    rows = np.asarray(found, np.float64).reshape(-1, 4)
    lengths = np.hypot(rows[:, 2] - rows[:, 0], rows[:, 3] - rows[:, 1])
    keep = lengths >= max(8.0, 0.012 * grey.shape[0])
    if mask is not None:
        middle = np.round((rows[:, :2] + rows[:, 2:]) / 2).astype(int)
        middle = np.clip(middle, 0, np.array(grey.shape[::-1]) - 1)
        keep &= mask[middle[:, 1], middle[:, 0]] > 0
    order = np.argsort(-lengths[keep], kind="stable")[:MOST_SEGMENTS]
    return np.asarray(rows[keep][order])


def find_view(
    segments: Array, size: tuple[int, int], focal_px: float | None, bend: float | None
) -> tuple[View | None, str]:
    """The view, or None and what is missing. `focal_px` and `bend` where they are known."""
    if len(segments) < 3 * FEWEST:
        return None, f"only {len(segments)} line segments: too few to see a facade by"
    best: tuple[float, float, Array, Array] | None = None
    for k in BENDS if bend is None else [bend]:
        rays = _Rays(segments, size, float(k))
        up = rays.vanishing(rays.steep, upright=True)
        if up is None:
            continue
        rest = rays.flat_to(up)
        along = rays.vanishing(rest, upright=False)
        if along is None:
            continue
        score = rays.score(up) + rays.score(along, rest)
        if best is None or score > best[0]:
            best = (score, float(k), up, along)
    if best is None:
        return None, "no vanishing point of upright and of level lines"
    k, up, along = _refined(segments, size, best[1:], free=bend is None)
    rays = _Rays(segments, size, k)
    upright = rays.misses(up) < 1
    level = (rays.misses(along) < 1) & rays.flat_to(up)
    for what, mask in (("upright", upright), ("level", level)):
        if mask.sum() < FEWEST:
            return None, f"only {mask.sum()} {what} lines that agree; at least {FEWEST} are needed"
    seen = _focal(up, along, size)
    focal = focal_px or seen or float(size[0])
    view = View(
        size=size, bend=k, up=up, along=along, focal_px=focal,
        focal_known=focal_px is not None or seen is not None,
        segments=segments, upright=upright, level=level,
    )  # fmt: skip
    return view, ""


class _Rays:
    """The segments without distortion, in picture widths from the middle of the picture."""

    def __init__(self, segments: Array, size: tuple[int, int], bend: float) -> None:
        lens = Lens(size, (bend, 0.0, 0.0, 0.0), size[0])
        middle = np.array(size) / 2
        a = (lens.straight(segments[:, :2]) - middle) / size[0]
        b = (lens.straight(segments[:, 2:]) - middle) / size[0]
        self._size = size
        self._middle = (a + b) / 2
        along = b - a
        self.length = np.hypot(along[:, 0], along[:, 1])
        self._way = along / self.length[:, None]
        self._slack = SLACK + END_PX / size[0] / self.length
        ones = np.ones(len(a))
        self._lines = np.cross(np.column_stack([a, ones]), np.column_stack([b, ones]))
        self.steep = np.abs(self._way[:, 1]) > np.cos(np.radians(40))

    def scaled(self, point: Array) -> Array:
        """A homogeneous pixel as a homogeneous place of these units."""
        w, h = self._size
        x = np.array([point[0] - point[2] * w / 2, point[1] - point[2] * h / 2, point[2] * w])
        return np.asarray(x / np.linalg.norm(x))

    def misses(self, point: Array, *, own: bool = False) -> Array:
        """By how many slacks each segment points past it. `own`: in these units."""
        place = point if own else self.scaled(point)
        to = place[:2] - place[2] * self._middle
        reach = np.maximum(np.hypot(to[:, 0], to[:, 1]), 1e-12)
        sine = np.abs(to[:, 0] * self._way[:, 1] - to[:, 1] * self._way[:, 0]) / reach
        return np.asarray(sine / self._slack)

    def score(self, point: Array, among: NDArray[np.bool_] | None = None) -> float:
        """Length of the segments that point there, near misses counting less."""
        worth = self.length * np.maximum(0.0, 1 - self.misses(point) ** 2)
        return float(worth.sum() if among is None else worth[among].sum())

    def flat_to(self, up: Array) -> NDArray[np.bool_]:
        """Which segments are clearly not upright: over 30 degrees from there."""
        place = self.scaled(up)
        to = place[:2] - place[2] * self._middle
        reach = np.maximum(np.hypot(to[:, 0], to[:, 1]), 1e-12)
        cosine = np.abs(np.sum(to * self._way, axis=1)) / reach
        return np.asarray(cosine < np.cos(np.radians(30)))

    def vanishing(self, among: NDArray[np.bool_], *, upright: bool) -> Array | None:
        """The point most of these segments point to, as a homogeneous pixel."""
        index = np.flatnonzero(among)
        if len(index) < FEWEST:
            return None
        rng = np.random.default_rng(0)  # the same picture gives the same proposal
        weight = self.length[index] / self.length[index].sum()
        pairs = index[rng.choice(len(index), (TRIES, 2), p=weight)]
        places = np.cross(self._lines[pairs[:, 0]], self._lines[pairs[:, 1]])
        size = np.linalg.norm(places, axis=1)
        places = places[size > 1e-9] / size[size > 1e-9, None]
        if upright:
            lean = np.abs(np.arctan2(places[:, 0], places[:, 1]))
            lean = np.minimum(lean, np.pi - lean)
            places = places[lean < MOST_ROLL]
        best, found = 0.0, None
        for place in places:
            miss = self.misses(place, own=True)[index]
            worth = float((self.length[index] * np.maximum(0.0, 1 - miss**2)).sum())
            if worth > best:
                best, found = worth, place
        if found is None:
            return None
        w, h = self._size
        x, y, z = found[0] * w, found[1] * w, found[2]
        return np.array([x + z * w / 2, y + z * h / 2, z])


def _refined(
    segments: Array, size: tuple[int, int], start: tuple[float, Array, Array], *, free: bool
) -> tuple[float, Array, Array]:
    """Distortion and both points by robust least squares over the segments near them."""
    k, up, along = start
    rays = _Rays(segments, size, k)
    upright = rays.misses(up) < 3
    level = (rays.misses(along) < 3) & rays.flat_to(up)
    one, two = rays.scaled(up), rays.scaled(along)
    w, h = size

    def unpack(x: Array) -> tuple[float, Array, Array]:
        points = []
        for base, part in ((one, x[1:3]), (two, x[3:5])):
            side = np.linalg.svd(base[None])[2][1:]
            place = base + part @ side
            points.append(
                np.array(
                    [place[0] * w + place[2] * w / 2, place[1] * w + place[2] * h / 2, place[2]]
                )
            )
        return (k + float(x[0]) if free else k), points[0], points[1]

    def residuals(x: Array) -> Array:
        bend, first, second = unpack(x)
        there = _Rays(segments, size, bend)
        weight = np.sqrt(there.length)
        return np.concatenate(
            [
                (there.misses(first) * weight)[upright],
                (there.misses(second) * weight)[level],
                [x[0] / 0.3],
            ]
        )

    scale = float(np.sqrt(np.median(rays.length)))
    fit = least_squares(residuals, np.zeros(5), loss="soft_l1", f_scale=scale, max_nfev=30)
    return unpack(np.asarray(fit.x, np.float64))


def _focal(up: Array, along: Array, size: tuple[int, int]) -> float | None:
    """From two directions at right angles, the principal point in the middle; None where they do
    not tell (a wall seen straight on)."""
    w, h = size
    if min(abs(up[2]), abs(along[2])) < 1e-12:
        return None
    one = up[:2] / up[2] - np.array([w / 2, h / 2])
    two = along[:2] / along[2] - np.array([w / 2, h / 2])
    square = -float(one @ two)
    if square < TELLING * float(np.linalg.norm(one) * np.linalg.norm(two)):
        return None
    focal = square**0.5
    return focal if FOCAL_RANGE[0] * w <= focal <= FOCAL_RANGE[1] * w else None
