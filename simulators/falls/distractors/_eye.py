"""The camera's eye in the world: where metres in the air before a facade are in the picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.falls.layers import View

Floats = NDArray[np.float64]

PITCH = np.radians(25.0)
"""Looking up by so much where no calibration says otherwise: a tower from its forecourt."""
APERTURE_M = 0.002
"""Entrance pupil of a 4 mm f/2 lens, the common outdoor camera: how wide near things blur."""


class Eye:
    """A pinhole camera at the origin of a world of (right, up, ahead), metres.

    The focal length is the calibration's, else the picture's width (53 degrees across). Up is the
    vertical vanishing point of the calibration's facade points, else `PITCH`. The facade is the
    upright plane that is seen at the view's scale in the middle of the picture, square on. `pitch`
    (radians, upward) overrides what the calibration says.
    """

    def __init__(self, view: View, pitch: float | None = None) -> None:
        wide, high = view.size
        self.size = view.size
        self.centre = np.array([wide / 2, high / 2])
        scale = wide / view.camera.size[0]
        focal = view.camera.focal_px
        self.focal = float(focal * scale if focal else wide)
        if pitch is None:
            up = self._upward(view, scale)
        else:
            up = np.array([0.0, -np.cos(pitch), np.sin(pitch)])
        ahead = np.array([0.0, 0.0, 1.0]) - up[2] * up
        ahead /= np.linalg.norm(ahead)
        self._axes = np.stack([np.cross(ahead, up), up, ahead])
        # picture rows grow downward: right must point to growing columns
        if self._axes[0, 0] < 0:
            self._axes[0] *= -1
        self.distance_m = self.focal / max(view.pixels_per_m, 1e-3)
        self.facade_m = float(self.distance_m * ahead[2])
        """How far ahead the facade's plane is."""

    def _upward(self, view: View, scale: float) -> Floats:
        default = np.array([0.0, -np.cos(PITCH), np.sin(PITCH)])
        points = np.array(view.camera.points, dtype=np.float64).reshape(-1, 4)
        if len(points) < 4:
            return default
        found, _ = cv2.findHomography(points[:, 2:], points[:, :2] * scale)
        vanish = np.asarray(found, dtype=np.float64)
        if vanish.shape != (3, 3):
            return default
        vanish = vanish[:, 1]
        up = np.array([*(vanish[:2] - self.centre * vanish[2]) / self.focal, vanish[2]])
        up /= np.linalg.norm(up)
        up = up if up[1] < 0 else -up
        # points of little spread or a photograph's guess may tilt the world absurdly
        return np.asarray(up) if abs(up[2]) < 0.9 and abs(up[0]) < 0.5 else default

    def project(self, world: Floats) -> tuple[Floats, Floats]:
        """Pixels (n, 2) and depths along the axis (n,) of places (n, 3); depth ≥ 1 cm."""
        seen = np.atleast_2d(world) @ self._axes
        depth = np.maximum(seen[:, 2], 0.01)
        return self.centre + self.focal * seen[:, :2] / depth[:, None], seen[:, 2]

    def world(self, pixels: Floats, depth: Floats | float) -> Floats:
        """Places (n, 3) at these pixels (n, 2) and depths along the axis."""
        flat = np.atleast_2d(pixels)
        ray = np.column_stack([(flat - self.centre) / self.focal, np.ones(len(flat))])
        return np.asarray((ray * np.reshape(depth, (-1, 1))) @ self._axes.T)

    def before(self, pixel: tuple[float, float], out_m: float = 0.3) -> Floats:
        """The place (3,) at a pixel that is `out_m` before the facade."""
        ray = self.world(np.array([pixel]), 1.0)[0]
        return np.asarray(ray * (self.facade_m - out_m) / max(float(ray[2]), 0.2))

    def px_per_m(self, world: Floats) -> float:
        """Scale at a place (3,)."""
        return float(self.focal / max(float(world @ self._axes[:, 2]), 0.01))
