"""A thing in flight as the camera sees it: true silhouette, tumbling, blurred by the shutter."""

from __future__ import annotations

import math

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators.falls.block import Opening
from simulators.falls.lens import Lens
from simulators.falls.physics import Flight, Thing

Array = NDArray[np.float64]
Cover = NDArray[np.float32]
_MOST = 24
"""Silhouettes that make one blurred picture, at most."""


class Drop(msgspec.Struct, frozen=True, kw_only=True):
    """One fall, with everything that decides how it looks."""

    thing: Thing
    flight: Flight
    opening: Opening
    released_s: float
    form: Array
    """Corner points of the body around its middle, shape (n, 3), metres."""
    axis: tuple[float, float, float]
    spin_rad_s: float
    shade: float
    """Albedo."""
    gloss: float
    """How much it flashes as it turns, 0 to 1."""

    @property
    def landed_s(self) -> float:
        """When it reaches the ground, seconds from the scene's begin."""
        return self.released_s + self.flight.seconds

    def bodies(self, times: Array) -> Array:
        """Corner points in the world at scene times (k,), shape (k, n, 3)."""
        since = np.minimum(times, self.landed_s) - self.released_s
        places = self.flight.at(since)
        turned = np.einsum("kij,nj->kni", _rotations(self.axis, self.spin_rad_s * since), self.form)
        return np.asarray(places[:, None, :] + turned)

    def brightness(self, t: float) -> float:
        """Reflected part of the light at scene time `t`, turning with the body."""
        turn = self.spin_rad_s * (min(t, self.landed_s) - self.released_s)
        return self.shade * (1.0 + self.gloss * math.sin(turn + 0.7) * 0.5)


class Stamp(msgspec.Struct, frozen=True):
    """What one thing leaves on one picture."""

    x: int
    y: int
    """Corner of the patch; it may lie outside the picture."""
    cover: Cover
    """How much of each pixel it hides on average while the shutter is open, 0..1."""
    box: tuple[float, float, float, float]
    """Left, top, width, height as `cv2.boundingRect` counts: pixel i reaches from i to i + 1."""
    area_px: float
    """Mean area of the silhouette, without blur."""


def _rotations(axis: tuple[float, float, float], angles: Array) -> Array:
    """Rotation matrices about `axis` (Rodrigues), shape (k, 3, 3)."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    s, c = np.sin(angles)[:, None, None], np.cos(angles)[:, None, None]
    return np.asarray(np.eye(3) + s * cross + (1 - c) * (cross @ cross))


def form(rng: np.random.Generator, thing: Thing) -> Array:
    """Corner points of a body around its middle, in a random attitude, shape (n, 3)."""
    a, b, c = (side / 2 for side in thing.size_m)
    corners: Array
    kind = thing.body.form
    if kind == "box":
        corners = np.array([[i, j, k] for i in (-a, a) for j in (-b, b) for k in (-c, c)])
    elif kind == "rod":
        turn = np.linspace(0, 2 * math.pi, 10, endpoint=False)
        ring = np.stack([np.zeros(10), b * np.cos(turn), c * np.sin(turn)], axis=-1)
        corners = np.concatenate([ring - np.array([a, 0, 0]), ring + np.array([a, 0, 0])])
    elif kind == "sheet":
        grid = np.array([[i, j] for i in (-1, 0, 1) for j in (-1, 0, 1)], dtype=np.float64)
        bend = float(rng.uniform(0.1, 0.5))
        lift = bend * b * (grid[:, 0] ** 2 - 0.5) + rng.normal(0, 0.08 * b, 9)
        flat = grid * np.array([a * (1 - 0.3 * bend), b])
        corners = np.column_stack([flat, lift])
    else:
        # evenly spread directions (Fibonacci lattice), a bag is lumpy
        k = np.arange(26) + 0.5
        polar, around = np.arccos(1 - 2 * k / 26), math.pi * (1 + 5**0.5) * k
        wide = np.sin(polar)
        ball = np.column_stack([np.cos(around) * wide, np.sin(around) * wide, np.cos(polar)])
        lump = 0.12 if thing.body.name == "rubbish bag" else 0.02
        corners = ball * rng.normal(1.0, lump, (26, 1)) * np.array([a, b, c])
    attitude, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    return np.asarray((corners - corners.mean(axis=0)) @ attitude.T)


def stamp(
    drop: Drop, lens: Lens, t: float, exposure_s: float, soft_px: float, *, mirrored: bool = False
) -> Stamp | None:
    """The thing on the picture whose exposure is centred on `t`; None where nothing shows.

    `soft_px` is the deviation of the lens's blur. `mirrored` is its image in a pane of the wall.
    """
    begin, end = t - exposure_s / 2, t + exposure_s / 2
    if end <= drop.released_s:
        return None
    open_part = (end - max(begin, drop.released_s)) / exposure_s
    ends = np.array([max(begin, drop.released_s), end])
    track = lens.project(_mirror(drop.bodies(ends), mirrored).mean(axis=1))
    if not np.all(np.isfinite(track)):
        return None
    long = float(np.hypot(*(track[1] - track[0])))
    count = 1 if long < 0.15 else min(_MOST, 2 + math.ceil(1.5 * long))
    moments = ends[0] + (np.arange(count) + 0.5) / count * (ends[1] - ends[0])
    shapes = lens.project(_mirror(drop.bodies(moments), mirrored))
    if not np.all(np.isfinite(shapes)):
        return None
    low, high = shapes.min(axis=(0, 1)), shapes.max(axis=(0, 1))
    w, h = lens.size
    if high[0] < -1 or high[1] < -1 or low[0] > w or low[1] > h:
        return None
    pad = math.ceil(3 * soft_px) + 1
    x0, y0 = (math.floor(c) - pad for c in low)
    x1, y1 = (math.ceil(c) + pad + 1 for c in high)
    fine = 8 if max(high - low) < 24 else 4
    total = np.zeros(((y1 - y0) * fine, (x1 - x0) * fine), np.float32)
    area = 0.0
    for shape in shapes:
        hull = cv2.convexHull(shape.astype(np.float32))[:, 0]
        size = float(cv2.contourArea(hull))
        area += size / count
        once = np.zeros(total.shape, np.uint8)
        corners = ((hull - np.array([x0, y0]) + 0.5) * fine - 0.5) * 16
        cv2.fillConvexPoly(once, np.rint(corners).astype(np.int32), (1,), cv2.LINE_8, 4)
        drawn = int(np.count_nonzero(once))
        if drawn:  # filling includes the edge: give it the area it has
            total += once * np.float32(min(1.0, size * fine * fine / drawn))
    shrunk = cv2.resize(total, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    cover = cv2.GaussianBlur(shrunk * np.float32(open_part / count), (0, 0), soft_px)
    box = (
        float(low[0]) + 0.5,
        float(low[1]) + 0.5,
        float(high[0] - low[0]),
        float(high[1] - low[1]),
    )
    return Stamp(x0, y0, np.asarray(cover, np.float32), box, area)


def _mirror(points: Array, mirrored: bool) -> Array:
    return points * np.array([1.0, 1.0, -1.0]) if mirrored else points
