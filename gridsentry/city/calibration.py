"""What a camera's calibration is worth: lines become correspondences, and each is held against
the others.

A wall is seen through a plane homography once lens distortion is taken out (Hartley, Zisserman:
Multiple View Geometry, 4.1 and 8.8): floor lines then meet in one vanishing point, bay lines in
another, and what disagrees was clicked or measured wrongly.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Point = tuple[float, float, float, float]
"""(px, py, u_m, v_m)."""

WORST_M = 0.3
"""Rms error beyond which windows are confused: the slab between two windows is 0.6 to 1.2 m, and
what a fall itself leaves open is about as much again."""
WORST_PX = 3.0
"""A careful click; below it an error says nothing about a point."""
EXPLAINS = 0.4
"""Without a wrong point the rest must fit so much better."""
MOST_OUTLIERS = 3
BEYOND = 0.5
"""Lines that meet further outside the picture than this share of its sides carry no weight."""


class Lens:
    """A camera's distortion, as OpenCV writes it."""

    def __init__(
        self, size: tuple[int, int], distortion: Sequence[float], focal_px: float | None
    ) -> None:
        width, height = size
        focal = focal_px or float(width)
        self._matrix = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])
        self._bends = np.array(distortion, np.float64) if len(distortion) else None

    def straight(self, pixels: Array) -> Array:
        """Where the pixels (n, 2) would be without distortion."""
        if self._bends is None:
            return np.asarray(pixels, np.float64)
        found = cv2.undistortPoints(
            np.asarray(pixels, np.float64).reshape(-1, 1, 2),
            self._matrix, self._bends, P=self._matrix,
        )  # fmt: skip
        return np.asarray(found, np.float64).reshape(-1, 2)

    def bent(self, straight: Array) -> Array:
        """The other way."""
        if self._bends is None:
            return np.asarray(straight, np.float64)
        rays = np.column_stack([straight, np.ones(len(straight))]) @ np.linalg.inv(self._matrix).T
        none = np.zeros(3)
        found, _ = cv2.projectPoints(rays.reshape(-1, 1, 3), none, none, self._matrix, self._bends)
        return np.asarray(found, np.float64).reshape(-1, 2)


class Group(msgspec.Struct, frozen=True):
    """Correspondences that stand or fall together: one point, or all on one line."""

    name: str
    members: tuple[int, ...]


class Outlier(msgspec.Struct, frozen=True):
    """What disagrees with the rest, and by how much."""

    name: str
    error_m: float
    error_px: float


class Worth(msgspec.Struct, frozen=True):
    """How well a calibration agrees with itself."""

    count: int
    error_m: float
    """Rms distance of the correspondences from where the best map puts them."""
    error_px: float
    outliers: tuple[Outlier, ...]


def crossings(
    floors: Sequence[tuple[float, Array]],
    bays: Sequence[tuple[float, Array]],
    lens: Lens,
    size: tuple[int, int],
) -> tuple[list[Point], list[tuple[int, int]]]:
    """Where every floor line (v, pixels) meets every bay line (u, pixels), and which two they are.

    Meetings far outside the picture are left out."""
    points: list[Point] = []
    pairs: list[tuple[int, int]] = []
    rows = [line_through(lens.straight(pixels)) for _, pixels in floors]
    columns = [line_through(lens.straight(pixels)) for _, pixels in bays]
    sides = np.array(size, np.float64)
    for n, row in enumerate(rows):
        for m, column in enumerate(columns):
            x, y, w = np.cross(row, column)
            if abs(w) < 1e-9:
                continue
            straight = np.array([[x / w, y / w]])
            if np.any(straight < -BEYOND * sides) or np.any(straight > (1 + BEYOND) * sides):
                continue
            px, py = lens.bent(straight)[0]
            points.append((float(px), float(py), bays[m][0], floors[n][0]))
            pairs.append((n, m))
    return points, pairs


def line_through(pixels: Array) -> Array:
    """The line (a, b, c), a x + b y + c = 0 and a² + b² = 1, nearest to the points (n, 2)."""
    centre = pixels.mean(axis=0)
    normal = np.linalg.svd(pixels - centre)[2][-1]
    return np.array([*normal, -float(normal @ centre)])


def worth(points: Sequence[Point], groups: Sequence[Group], lens: Lens) -> Worth | None:
    """How well the points agree; None where they determine no map."""
    all_points = np.array(points, np.float64)
    pixels, metres = lens.straight(all_points[:, :2]), all_points[:, 2:]
    keep = np.ones(len(points), bool)
    errors = _errors(pixels, metres, keep, keep)
    if errors is None:
        return None
    rms = [float(np.sqrt(np.mean(one**2))) for one in errors]
    outliers: list[Outlier] = []
    left = list(groups)
    while len(outliers) < MOST_OUTLIERS:
        now = _errors(pixels, metres, keep, keep)
        best: tuple[float, Group, Outlier, NDArray[np.bool_]] | None = None
        for group in left:
            members = np.zeros(len(points), bool)
            members[list(group.members)] = True
            rest = keep & ~members
            # Four points fit any map: with five, leaving out any one of them explains everything.
            if now is None or rest.sum() < 5 or not (keep & members).any():
                continue
            other = _errors(pixels, metres, rest, rest)
            own = _errors(pixels, metres, rest, keep & members)
            if other is None or own is None:
                continue
            after = float(np.sqrt(np.mean(other[1] ** 2)))
            error = Outlier(group.name, *(float(np.sqrt(np.mean(one**2))) for one in own))
            before = float(np.sqrt(np.mean(now[1] ** 2)))
            far = error.error_m > WORST_M and error.error_px > WORST_PX
            if far and after < EXPLAINS * before and (best is None or after < best[0]):
                best = (after, group, error, rest)
        if best is None:
            break
        outliers.append(best[2])
        left.remove(best[1])
        keep = best[3]
    return Worth(len(points), rms[0], rms[1], tuple(outliers))


def wall_map(pixels: Array, metres: Array) -> Array | None:
    """The homography (3, 3) from metres on the wall to straight pixels; None without one."""
    if len(pixels) < 4:
        return None
    # Middle and spread apart: metres and pixels differ by orders.
    found, _ = cv2.findHomography(metres, pixels, 0)
    if found is None or not np.all(np.isfinite(found)):
        return None
    scaled = np.asarray(found, np.float64) / np.linalg.norm(found)
    return scaled if abs(np.linalg.det(scaled)) > 1e-18 else None


def mapped(homography: Array, places: Array) -> Array:
    """Places (n, 2) through a homography."""
    rows = np.column_stack([places, np.ones(len(places))]) @ homography.T
    return np.asarray(rows[:, :2] / rows[:, 2:])


def _errors(
    pixels: Array, metres: Array, fit: NDArray[np.bool_], on: NDArray[np.bool_]
) -> tuple[Array, Array] | None:
    """Distances in metres and pixels of the points `on` under the map fitted to `fit`."""
    if not (_spans(pixels[fit]) and _spans(metres[fit])):
        return None
    there = wall_map(pixels[fit], metres[fit])
    if there is None:
        return None
    back = np.asarray(np.linalg.inv(there), np.float64)
    in_m = np.linalg.norm(mapped(back, pixels[on]) - metres[on], axis=1)
    in_px = np.linalg.norm(mapped(there, metres[on]) - pixels[on], axis=1)
    return in_m, in_px


def _spans(places: Array) -> bool:
    """Whether they spread in two directions, also without any one of them."""
    if len(places) < 4:
        return False
    centred = places - places.mean(axis=0)
    rows = np.column_stack([centred / (np.abs(centred).max() or 1.0), np.ones(len(places))])
    for skip in range(len(rows)) if len(rows) <= 12 else ():
        if np.linalg.svd(np.delete(rows, skip, axis=0), compute_uv=False)[-1] < 1e-6:
            return False
    return bool(np.linalg.svd(rows, compute_uv=False)[-1] > 1e-6)
