"""When a falling thing reached, or must have reached, the ground: what a microphone heard then
belongs to it.

Most tracks end before the ground: behind a tree, a car, the picture's lower edge. From where the
flight is last seen the rest follows from gravity and the terminal speed c it was found to have:
`v² = c² - (c² - v0²) exp(-2 g y / c²)` after y metres more.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import numpy as np

from contracts.clock import EPOCH
from detectors.high_altitude_throw.flight import GRAVITY
from detectors.high_altitude_throw.hypotheses import Hit
from detectors.high_altitude_throw.origin import Origin

GROUND_SD_M = 0.7
"""The foot of a wall is known so well at best: steps, cars, bushes, and v = 0 is often a sill."""

TERMINAL_SHARE = 0.25
"""Standard deviation of a terminal speed as found, as a share of it."""

LEAST_SPEED = 1.0
"""m/s; what seems to stand still in the air is taken to come down so fast."""

STEPS = 64


class Landing(msgspec.Struct, frozen=True):
    """When it reached the ground."""

    at: datetime
    sd_s: float
    """Standard deviation."""


def rest_s(height_m: float, speed: float, terminal: float) -> float:
    """Seconds for `height_m` metres down that begin at `speed` m/s, `terminal` being c in m/s."""
    y = np.linspace(0.0, max(height_m, 0.0), STEPS)
    start = max(speed, LEAST_SPEED)
    square = terminal**2 - (terminal**2 - start**2) * np.exp(-2 * GRAVITY * y / terminal**2)
    slowness = 1 / np.sqrt(np.maximum(square, LEAST_SPEED**2))
    return float((slowness[1:] + slowness[:-1]) @ np.diff(y)) / 2


def landing_of(hits: list[Hit], origin: Origin | None) -> Landing | None:
    """When it landed, v = 0 being the ground; None where metres are not known."""
    if origin is None:
        return None
    end = EPOCH + timedelta(microseconds=hits[-1].t)
    step = (hits[-1].t - hits[0].t) / 1e6 / (len(hits) - 1)
    rest = rest_s(origin.height, origin.speed, origin.terminal)
    other = rest_s(origin.height, origin.speed, origin.terminal * (1 - TERMINAL_SHARE))
    speed = origin.height / rest if rest > 0 else 0.0
    metres = float(np.hypot(GROUND_SD_M, origin.height_sd))
    sd = np.sqrt((metres / max(speed, origin.speed, LEAST_SPEED)) ** 2 + (other - rest) ** 2)
    return Landing(end + timedelta(seconds=rest), float(np.hypot(sd, step / 2)))
