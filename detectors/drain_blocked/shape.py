"""Does a difference look like water, or like an instrument?"""

from __future__ import annotations

from detectors.drain_blocked.config import DrainBlockedConfig
from detectors.drain_blocked.gauge import Gauge

LEAPED = 2.5
"""Log-odds by which a difference that came in one step and stayed speaks for a fault."""
OFTEN_S = 180.0
"""Readings so close see a pool rise in several steps (seconds)."""
WETTED = 0.3
"""A leap in rain says so much less."""


def fault_odds(gauge: Gauge, wet: bool, cfg: DrainBlockedConfig) -> float:
    """Log-odds that this sensor's difference is its own fault."""
    odds = cfg.fault_odds
    if abs(gauge.leap) >= 0.6 * abs(gauge.excess):
        # Between two readings far apart, or while rain falls, a pool may rise as far as it will.
        odds += LEAPED * min(1.0, OFTEN_S / gauge.every_s) * (WETTED if wet else 1.0)
    return min(odds, -0.3)
