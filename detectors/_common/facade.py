"""A calibrated facade: pixels to metres on the wall, and which zone a place belongs to.

Facade coordinates are metres, u along the wall and v up. Calibration is at least four
correspondences; the map is a plane homography by least squares (Hartley, Zisserman: Multiple View
Geometry, 4.1). Out of the wall's plane it is wrong by as much as a thing stands out of the wall.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.special import ndtri

from contracts.city import Camera, Zone

Array = NDArray[np.float64]

STEPS = 31
"""Probabilities over zones are sums over 31 x 31 places of equal probability (steps of 0.001)."""


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
        self._scale = np.array([camera.size[0] / shape[1], camera.size[1] / shape[0]])
        points = np.array(camera.points, dtype=np.float64)
        pixels = self._straight(points[:, :2])
        metres = points[:, 2:]
        homography, _ = cv2.findHomography(pixels, metres, 0)
        if homography is None or abs(float(np.linalg.det(homography))) < 1e-15:
            raise ValueError(
                f"camera {camera.device}: the correspondences do not span a plane; "
                "no three of them may lie on one line"
            )
        self._homography = np.asarray(homography, dtype=np.float64)
        error = self._map(pixels) - metres
        self.error_m = float(np.sqrt(np.mean(np.sum(error**2, axis=1))))
        """Rms distance of the correspondences from where the map puts them; 0 with just four."""
        self.zones = camera.zones
        self._shapes = [shapely.Polygon(zone.polygon) for zone in camera.zones]

    def _straight(self, pixels: Array) -> Array:
        """Pixels of the calibrated size without lens distortion."""
        if not self._camera.distortion or self._camera.focal_px is None:
            return pixels
        width, height = self._camera.size
        focal = self._camera.focal_px
        matrix = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])
        straight = cv2.undistortPoints(
            pixels.reshape(-1, 1, 2), matrix, np.array(self._camera.distortion), P=matrix
        )
        return np.asarray(straight, dtype=np.float64).reshape(-1, 2)

    def _map(self, straight: Array) -> Array:
        rows = np.column_stack([straight, np.ones(len(straight))]) @ self._homography.T
        return np.asarray(rows[:, :2] / rows[:, 2:])

    def to_metres(self, pixels: Array) -> Array:
        """(u, v) in metres, shape (n, 2), of pixels (x, y) of the pictures, shape (n, 2)."""
        return self._map(self._straight(pixels * self._scale))

    def metres_per_pixel(self, pixels: Array) -> Array:
        """How many metres one pixel along u and along v is, shape (n, 2), at `pixels`."""
        here = self.to_metres(pixels)
        right = self.to_metres(pixels + np.array([1.0, 0.0])) - here
        down = self.to_metres(pixels + np.array([0.0, 1.0])) - here
        return np.asarray(np.sqrt(right**2 + down**2))

    def probabilities(self, place: Array, covariance: Array) -> list[tuple[Zone, float]]:
        """Zones by falling probability that a place known as N(place, covariance) lies in them.

        `place` is (u, v), `covariance` 2 x 2 in m². Zones below 0.01 are left out; what is
        missing to 1 is the chance that the place is in no zone. Overlapping zones each count.
        """
        quantiles = ndtri((np.arange(STEPS) + 0.5) / STEPS)
        grid = np.stack(np.meshgrid(quantiles, quantiles), axis=-1).reshape(-1, 2)
        places = place + grid @ np.linalg.cholesky(covariance + 1e-9 * np.eye(2)).T
        found = []
        for zone, shape in zip(self.zones, self._shapes, strict=True):
            share = float(np.mean(shapely.contains_xy(shape, places[:, 0], places[:, 1])))
            if share >= 0.01:
                found.append((zone, share))
        return sorted(found, key=lambda one: (-one[1], one[0].id))


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
