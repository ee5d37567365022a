"""How a cover usually lies: its angle at rest, how much that scatters, how often it reports."""

from __future__ import annotations

import math
from statistics import median

import msgspec

CURVE = 60
PAUSE_SHARE = 0.2
NOISE_SHARE = 0.05
LEAST_NOISE = 0.05
"""Degrees: the step of the best terminals."""


def apart(a: float, b: float) -> float:
    """Degrees between two angles, the short way round."""
    d = abs(a - b)
    return d if d <= 180.0 else abs(360.0 - d)


class Rest(msgspec.Struct):
    """What is usual. Times are epoch seconds, angles degrees."""

    angle: float = 0.0
    noise: float = 0.5
    """Mean absolute deviation; where it begins is what cheap accelerometers scatter by."""
    early: list[float] = []
    """The first readings, until the rest is learned."""
    count: int = 0
    first: float = 0.0
    pause: float = 0.0
    """Usual seconds between reports."""
    last: float = -math.inf
    curve: list[tuple[float, float]] = []

    def hear(self, t: float, v: float) -> float:
        """Keep the newest reading for the curve; seconds since the one before."""
        curve = self.curve
        if not self.count:
            self.first = t
        self.count += 1
        since = t - self.last if curve else 0.0
        self.last = t
        curve.append((t, v))
        if len(curve) > CURVE:
            del curve[0]
        if since > 0:
            self.pause += (since - self.pause) * (PAUSE_SHARE if self.pause else 1.0)
        return since

    def learn(self, v: float, since: float, rest_s: float, learn_readings: int) -> None:
        """A reading that is usual."""
        if len(self.early) < learn_readings:
            self.early.append(v)
            self.angle = median(self.early)
        else:
            self.angle += (v - self.angle) * -math.expm1(-since / rest_s)
        noise = self.noise + NOISE_SHARE * (apart(v, self.angle) - self.noise)
        self.noise = noise if noise > LEAST_NOISE else LEAST_NOISE

    def again(self, angles: list[float]) -> None:
        """The cover was put down anew: its rest is what it says now."""
        self.early = list(angles)
        self.angle = median(angles)
