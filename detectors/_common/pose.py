"""Where a camera stands before a facade: from points on the wall to a projection of all of space.

A wall alone tells a plane homography. With square pixels and the principal point near the middle
it also tells the camera (Hartley, Zisserman: Multiple View Geometry, 8.8; Zhang 2000), and so what
a metre out of the wall looks like, which a thrown thing needs. Seen straight on, a wall says
nothing about the focal length; then a wide prior speaks, and the covariance says how little is
known.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FOCAL_SD = 0.45
"""Prior of log(focal length / width) about 0: lenses from 35 to 90 degrees across (2.8 to 8 mm on
the usual 1/2.8" sensors) are within 1.5 standard deviations."""

KNOWN_FOCAL_SD = 0.03
"""The same when the city's file gives it: lens data sheets, checkerboards."""

MIDDLE_SD = 0.02
"""Prior of the principal point about the middle of the picture, picture widths: assembly of lens
and sensor, electronic stabilisation."""

POINT_SD = 2.5 / 720
"""Error of a correspondence, picture heights, before it was measured: a careful click and a plan
that is wrong by some centimetres."""

POINT_WORTH = 6.0
"""That guess counts as so many residuals."""

FOCALS = np.exp(np.linspace(math.log(0.35), math.log(4.0), 9))
"""Focal lengths from which the fit starts, picture widths."""

STEPS = 40


class Pose:
    """A camera's focal length, orientation and place, with their covariance.

    World coordinates are metres: u along the wall, v up, w out of it towards the camera. Pixels are
    free of distortion, of the calibrated size.
    """

    def __init__(
        self, pixels: Array, metres: Array, size: tuple[int, int], focal_px: float | None = None
    ) -> None:
        """From correspondences `pixels` (n, 2) and `metres` (n, 2), n at least 4.

        `size` is (width, height). Raises ValueError when no camera sees the points so.
        """
        self.size = size
        self._centre = np.array([*metres.mean(axis=0), 0.0])
        world = np.column_stack([metres - self._centre[:2], np.zeros(len(metres))])
        sd = POINT_SD * size[1]
        guess, focal_sd = (
            (math.log(focal_px), KNOWN_FOCAL_SD)
            if focal_px is not None
            else (math.log(size[0]), FOCAL_SD)
        )
        middle_sd = MIDDLE_SD * size[0]
        self._prior = np.array([guess, size[0] / 2, size[1] / 2])
        self._prior_sd = np.array([focal_sd, middle_sd, middle_sd])
        self._point_guess = sd
        best: tuple[float, Array] | None = None
        for start in self._starts(world, pixels, focal_px):
            found = self._refine(start, world, pixels)
            if found is not None and (best is None or found[0] < best[0]):
                best = found
        if best is None:
            raise ValueError("no camera sees the correspondences like this")
        params = best[1]
        # a wall whose u runs to the left is seen as if from behind: w is what points at the camera
        rotation, _ = cv2.Rodrigues(params[3:6])
        self._mirror = 1.0 if (-rotation.T @ params[6:9])[2] > 0 else -1.0
        self._params = params
        seen, jacobian = self._project(params, world)
        square = float(np.sum((seen - pixels) ** 2))
        freedom = max(0, 2 * len(pixels) - 7)
        self.point_sd = math.sqrt((square + POINT_WORTH * sd**2) / (freedom + POINT_WORTH))
        """Standard deviation of a correspondence, px."""
        flat = jacobian.reshape(-1, 9)
        precision = flat.T @ flat / self.point_sd**2
        precision[range(3), range(3)] += 1 / self._prior_sd**2
        self.covariance: Array = np.asarray(np.linalg.inv(precision))
        """Of (log focal length, principal point, rotation, translation), 9 x 9."""
        self.matrix = self._matrix()
        """3 x 4: homogeneous pixels of (u, v, w, 1)."""

    @property
    def focal_px(self) -> float:
        """Focal length, px of the calibrated size."""
        return math.exp(float(self._params[0]))

    @property
    def place(self) -> Array:
        """(u, v, w) of the camera, metres."""
        rotation, _ = cv2.Rodrigues(self._params[3:6])
        place = -rotation.T @ self._params[6:9]
        place[2] *= self._mirror
        return np.asarray(place + self._centre)

    def project(self, world: Array) -> Array:
        """Pixels (n, 2) of places (n, 3) before the camera."""
        rows = np.column_stack([world, np.ones(len(world))]) @ self.matrix.T
        return np.asarray(rows[:, :2] / rows[:, 2:])

    def depth(self, world: Array) -> Array:
        """Metres before the camera, along its axis, of places (n, 3)."""
        rows = np.column_stack([world, np.ones(len(world))]) @ self.matrix[2]
        return np.asarray(rows)

    def doubt(self, world: Array) -> Array:
        """Covariance (2 n, 2 n), px², of the pixels of places (n, 3) that the calibration's own
        error makes; order x0, y0, x1, y1, …"""
        local = (world - self._centre) * np.array([1.0, 1.0, self._mirror])
        _, jacobian = self._project(self._params, local)
        flat = jacobian.reshape(-1, 9)
        return np.asarray(flat @ self.covariance @ flat.T)

    def _camera(self, params: Array) -> Array:
        focal = math.exp(float(params[0]))
        return np.array([[focal, 0, params[1]], [0, focal, params[2]], [0, 0, 1.0]])

    def _matrix(self) -> Array:
        rotation, _ = cv2.Rodrigues(self._params[3:6])
        rotation = rotation * np.array([1.0, 1.0, self._mirror])
        offset = self._params[6:9] - rotation @ self._centre
        return np.asarray(
            self._camera(self._params) @ np.column_stack([rotation, offset]), np.float64
        )

    def _project(self, params: Array, local: Array) -> tuple[Array, Array]:
        """Pixels (n, 2) and their derivatives (n, 2, 9)."""
        seen, by = cv2.projectPoints(
            local.reshape(-1, 1, 3), params[3:6], params[6:9], self._camera(params), None
        )
        by = np.asarray(by, np.float64).reshape(-1, 2, by.shape[1])
        focal = (by[:, :, 6] + by[:, :, 7]) * math.exp(float(params[0]))
        jacobian = np.concatenate([focal[:, :, None], by[:, :, 8:10], by[:, :, :6]], axis=2)
        return np.asarray(seen, np.float64).reshape(-1, 2), jacobian

    def _starts(self, world: Array, pixels: Array, focal_px: float | None) -> list[Array]:
        """For each focal length tried, the camera that the wall's homography alone would tell."""
        homography: Any = cv2.findHomography(world[:, :2], pixels, 0)[0]
        if homography is None:
            return []
        focals = [focal_px] if focal_px is not None else list(FOCALS * self.size[0])
        starts = []
        for focal in focals:
            inner = np.array([math.log(focal), self.size[0] / 2, self.size[1] / 2])
            columns = np.linalg.inv(self._camera(inner)) @ homography
            scale = 2 / (np.linalg.norm(columns[:, 0]) + np.linalg.norm(columns[:, 1]))
            columns = columns * (scale if columns[2, 2] > 0 else -scale)
            raw = np.column_stack([columns[:, :2], np.cross(columns[:, 0], columns[:, 1])])
            left, _, right = np.linalg.svd(raw)
            turn, _ = cv2.Rodrigues(left @ right)
            starts.append(np.concatenate([inner, turn.ravel(), columns[:, 2]]))
        return [start for start in starts if bool(np.all(np.isfinite(start)))]

    def _refine(self, start: Array, world: Array, pixels: Array) -> tuple[float, Array] | None:
        """Levenberg–Marquardt; (cost, parameters), None when it ends behind the camera."""
        params, damping, sd = start, 1e-3, self._point_guess

        def cost_of(params: Array) -> float:
            seen, _ = self._project(params, world)
            prior = (params[:3] - self._prior) / self._prior_sd
            return float(np.sum(((seen - pixels) / sd) ** 2) + prior @ prior)

        cost = cost_of(params)
        for _ in range(STEPS):
            seen, jacobian = self._project(params, world)
            flat = jacobian.reshape(-1, 9) / sd
            normal = flat.T @ flat
            slope = flat.T @ ((pixels - seen).ravel() / sd)
            normal[range(3), range(3)] += 1 / self._prior_sd**2
            slope[:3] += (self._prior - params[:3]) / self._prior_sd**2
            step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-12), slope)
            step[0] = min(0.5, max(-0.5, step[0]))
            tried = params + step
            new = cost_of(tried)
            if math.isfinite(new) and new <= cost:
                done = cost - new < 1e-9 * (1 + cost)
                params, cost, damping = tried, new, damping / 5
                if done:
                    break
            else:
                damping *= 8
                if damping > 1e8:
                    break
        rotation, _ = cv2.Rodrigues(params[3:6])
        depths = world @ rotation[2] + params[8]
        if not np.all(np.isfinite(params)) or np.any(depths <= 0):
            return None
        return cost, params
