"""A calibrated facade: pixels to metres on the wall and back, also out of the wall.

Facade coordinates are metres, u along the wall, v up and w out of it. Calibration is at least four
correspondences on the wall, from which the camera follows (`pose`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.city import Camera
from detectors._common.pose import Pose

Array = NDArray[np.float64]


class Facade:
    """The calibration of one camera for pictures of one size."""

    def __init__(self, camera: Camera, shape: tuple[int, int]) -> None:
        """`shape` is (height, width) of the pictures; they may be a scaled copy of the calibrated.

        Raises ValueError when there are fewer than four correspondences or they do not span a
        plane (three on a line).
        """
        if len(camera.points) < 4:
            raise ValueError(
                f"camera {camera.device}: {len(camera.points)} correspondences, at least 4 needed"
            )
        self._camera = camera
        self.shape = shape
        self.scale: Array = np.array([camera.size[0] / shape[1], camera.size[1] / shape[0]])
        """Pixels of the calibrated size for one pixel of the pictures, (x, y)."""
        points = np.array(camera.points, dtype=np.float64)
        pixels, metres = self.straight(points[:, :2] / self.scale), points[:, 2:]
        if not _spans(metres) or not _spans(pixels):
            raise ValueError(
                f"camera {camera.device}: the correspondences do not span a plane; "
                "no three of them may lie on one line"
            )
        try:
            known = None if camera.focal_assumed else camera.focal_px
            self.pose = Pose(pixels, metres, camera.size, known)
        except (ValueError, np.linalg.LinAlgError) as error:
            raise ValueError(f"camera {camera.device}: {error}") from error
        wall = self.pose.matrix[:, [0, 1, 3]]
        self._to_wall = np.linalg.inv(wall / np.abs(wall).max())
        error_m = self._map(pixels) - metres
        self.error_m = float(np.sqrt(np.mean(np.sum(error_m**2, axis=1))))
        """Rms distance of the correspondences from where the camera puts them, metres."""
        self.zones = camera.zones

    def straight(self, pixels: Array) -> Array:
        """Pixels of the calibrated size without lens distortion, (n, 2), of picture pixels."""
        scaled = pixels * self.scale
        if not self._camera.distortion or self._camera.focal_px is None:
            return np.asarray(scaled)
        width, height = self._camera.size
        focal = self._camera.focal_px
        matrix = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])
        straight = cv2.undistortPoints(
            scaled.reshape(-1, 1, 2), matrix, np.array(self._camera.distortion), P=matrix
        )
        return np.asarray(straight, dtype=np.float64).reshape(-1, 2)

    def crooked(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of the pictures that shows what a lens without distortion shows at (x, y) of
        the calibrated size; the inverse of `straight`. Infinite beyond where the lens can look.

        Brown's radial and tangential model as OpenCV has it (k1, k2, p1, p2, k3), in plain floats:
        it is asked for every track and picture.
        """
        bend, focal = self._camera.distortion, self._camera.focal_px
        if bend and focal is not None:
            width, height = self._camera.size
            k1, k2, p1, p2, k3 = (*bend, 0.0, 0.0, 0.0, 0.0)[:5]
            a, b = (x - width / 2) / focal, (y - height / 2) / focal
            r = a * a + b * b
            if 1 + r * (3 * k1 + r * (5 * k2 + r * 7 * k3)) <= 0:  # the picture folds over
                return math.inf, math.inf
            more = 1 + r * (k1 + r * (k2 + r * k3))
            x = width / 2 + focal * (a * more + 2 * p1 * a * b + p2 * (r + 2 * a * a))
            y = height / 2 + focal * (b * more + p1 * (r + 2 * b * b) + 2 * p2 * a * b)
        return x / float(self.scale[0]), y / float(self.scale[1])

    def _map(self, straight: Array) -> Array:
        rows = np.column_stack([straight, np.ones(len(straight))]) @ self._to_wall.T
        return np.asarray(rows[:, :2] / rows[:, 2:])

    def to_metres(self, pixels: Array) -> Array:
        """(u, v) in metres, shape (n, 2), of pixels (x, y) of the pictures, shape (n, 2)."""
        return self._map(self.straight(pixels))

    def metres_per_pixel(self, pixels: Array) -> Array:
        """How many metres one pixel along u and along v is, shape (n, 2), at `pixels`."""
        here = self.to_metres(pixels)
        right = self.to_metres(pixels + np.array([1.0, 0.0])) - here
        down = self.to_metres(pixels + np.array([0.0, 1.0])) - here
        return np.asarray(np.sqrt(right**2 + down**2))


def _spans(points: Array) -> bool:
    """Whether four of the points lie so that no three are on a line: the map is then determined."""
    centred = points - points.mean(axis=0)
    extent = float(np.abs(centred).max()) or 1.0
    rows = np.column_stack([centred / extent, np.ones(len(points))])
    # two tests: all of them on a line, or all but one
    return all(
        np.linalg.svd(np.delete(rows, skip, axis=0), compute_uv=False)[-1] > 1e-6
        for skip in range(len(rows))
    )


def mask_of(
    polygons: Sequence[Sequence[tuple[float, float]]],
    size: tuple[int, int],
    shape: tuple[int, int],
) -> NDArray[np.uint8] | None:
    """255 inside `polygons` (pixels of a picture of `size`, (width, height)), 0 outside, for
    pictures of `shape` (height, width); None without polygons: everywhere."""
    if not polygons:
        return None
    scale = np.array([shape[1] / size[0], shape[0] / size[1]])
    mask = np.zeros(shape, np.uint8)
    corners = [np.round(np.array(polygon) * scale).astype(np.int32) for polygon in polygons]
    cv2.fillPoly(mask, corners, (255,))
    return mask
