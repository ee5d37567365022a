"""The camera of the studio: a pinhole with a pose and radial distortion.

Pixels are as in OpenCV: the middle of the first pixel is (0, 0), the axis meets the picture at
(width / 2, height / 2), and distortion is x' = x (1 + k1 r²) in units of the focal length.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Lens(msgspec.Struct, frozen=True, kw_only=True):
    """Where the camera stands, where it looks, and how it bends."""

    size: tuple[int, int]
    focal_px: float
    place: tuple[float, float, float]
    """(u, v, w), metres."""
    axes: tuple[tuple[float, float, float], ...]
    """Rows: right, down and forward in the world."""
    k1: float = 0.0

    def camera_space(self, points: Array) -> Array:
        """(right, down, forward) in metres of world points, shape (…, 3)."""
        return np.asarray((points - np.array(self.place)) @ np.array(self.axes).T)

    def project(self, points: Array) -> Array:
        """Pixels (x, y), shape (…, 2), of world points, shape (…, 3).

        NaN behind the camera and where the distortion would fold the picture over.
        """
        seen = self.camera_space(points)
        depth = seen[..., 2:]
        with np.errstate(divide="ignore", invalid="ignore"):
            flat = np.where(depth > 0.1, seen[..., :2] / depth, np.nan)
        r2 = np.sum(flat**2, axis=-1, keepdims=True)
        if self.k1 < 0:
            flat = np.where(1 + 3 * self.k1 * r2 > 0.02, flat, np.nan)
        bent = flat * (1 + self.k1 * r2)
        return np.asarray(bent * self.focal_px + np.array(self.size) / 2)

    def straight(self, pixels: Array) -> Array:
        """Directions (x / depth, y / depth) without distortion of pixels, shape (…, 2)."""
        bent = (pixels - np.array(self.size) / 2) / self.focal_px
        if not self.k1:
            return np.asarray(bent)
        r = np.linalg.norm(bent, axis=-1)
        top = float(np.max(r)) * 1.5 + 0.1
        ideal = np.linspace(0, top, 1024)
        if self.k1 < 0:
            ideal = ideal[1 + 3 * self.k1 * ideal**2 > 0.02]
        curve = ideal * (1 + self.k1 * ideal**2)
        found = np.interp(r, curve, ideal)
        return np.asarray(bent * (found / np.maximum(r, 1e-12))[..., None])

    def on_facade(self, pixels: Array) -> Array:
        """(u, v) where the lines of sight of pixels, shape (…, 2), meet the wall; NaN if never."""
        flat = self.straight(pixels)
        rays = np.concatenate([flat, np.ones((*flat.shape[:-1], 1))], axis=-1) @ np.array(self.axes)
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = -self.place[2] / rays[..., 2]
        hit = np.array(self.place[:2]) + rays[..., :2] * reach[..., None]
        return np.where(reach[..., None] > 0, hit, np.nan)

    def px_per_m(self, point: tuple[float, float, float] | Array) -> float:
        """Pixels per metre at a world point, across the line of sight."""
        return self.focal_px / float(self.camera_space(np.asarray(point, dtype=np.float64))[2])


def look(azimuth: float, pitch: float, roll: float) -> tuple[tuple[float, float, float], ...]:
    """Axes of a camera that looks at the wall: `azimuth` to the right, `pitch` up, radians."""
    forward = np.array(
        [
            math.sin(azimuth) * math.cos(pitch),
            math.sin(pitch),
            -math.cos(azimuth) * math.cos(pitch),
        ]
    )
    right = np.array([math.cos(azimuth), 0.0, math.sin(azimuth)])
    down = np.cross(forward, right)
    c, s = math.cos(roll), math.sin(roll)
    rows = np.stack([c * right + s * down, c * down - s * right, forward])
    return tuple((float(r[0]), float(r[1]), float(r[2])) for r in rows)
