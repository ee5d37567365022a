"""Does a difference look like water, or like an instrument?"""

from __future__ import annotations

from detectors.drain_blocked.config import DrainBlockedConfig
from detectors.drain_blocked.gauge import Gauge

LEAPED = 2.5
"""Log-odds by which a difference that came in one step and stayed speaks for a fault."""


def fault_odds(gauge: Gauge, cfg: DrainBlockedConfig) -> float:
    """Log-odds that this sensor's difference is its own fault."""
    odds = cfg.fault_odds
    if abs(gauge.leap) >= 0.6 * abs(gauge.excess):
        odds += LEAPED
    return min(odds, -0.3)
