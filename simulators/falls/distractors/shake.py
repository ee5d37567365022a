"""Shake: the pole in the wind, and what a passing lorry or a slammed door does to it."""

from __future__ import annotations

import math

import numpy as np

from simulators.falls.distractors._quiet import Quiet
from simulators.falls.layers import View


class Shake(Quiet):
    """Sway that never stops, and blows that ring out.

    A camera pole's first modes lie at 1 to 8 Hz (steel poles of 4 to 12 m, damping ratio 0.5 to
    2 %: NCHRP Report 412 on sign and signal supports). Wind drives the first mode with slowly
    wandering strength; a blow excites it to at most 6 px at strength 1 and it decays as exp(-ζωt).
    Every part is a sine around zero, so over time the camera stays where it was.
    """

    def __init__(self, strength: float, view: View, rng: np.random.Generator) -> None:
        scale = view.size[0] / 1280
        self._hz = rng.uniform(1.0, 8.0, 2)
        self._damping = rng.uniform(0.005, 0.02, 2)
        turn = rng.uniform(0, 2 * math.pi)
        # across and along the sight; a camera on a pole moves more across
        self._ways = np.array(
            [[math.cos(turn * 0.1), math.sin(turn * 0.1)], [-math.sin(turn), math.cos(turn)]]
        )
        self._ways[1] *= 0.5
        most = 6.0 * strength * scale
        self._sway = rng.uniform(0.05, 0.25) * most
        # a few close lines around each mode: a narrow band, whose strength wanders
        self._lines = self._hz[:, None] * (1 + rng.normal(0, 0.03, (2, 5)))
        self._line_at = rng.uniform(0, 2 * math.pi, (2, 5))
        count = int(rng.poisson(view.seconds * (0.05 + 0.25 * strength))) + 1
        self._blow_at = np.sort(rng.uniform(0, view.seconds, count))
        self._blow = most * rng.uniform(0.3, 0.85, (count, 2)) * rng.choice([-1, 1], (count, 2))

    def shift(self, t: float) -> tuple[float, float]:
        """See `Sensor.shift`."""
        sway = np.sin(2 * math.pi * self._lines * t + self._line_at).mean(axis=1) * self._sway
        since = t - self._blow_at
        ringing = (since > 0) & (since < 60)
        s = since[ringing, None]
        omega = 2 * math.pi * self._hz
        rung = self._blow[ringing] * np.exp(-self._damping * omega * s) * np.sin(omega * s)
        dx, dy = (sway + rung.sum(axis=0)) @ self._ways
        return float(dx), float(dy)
