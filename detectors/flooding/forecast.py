"""When rising water reaches a line: pace, horizon and an interval that keeps what it says."""

from __future__ import annotations

import math
from typing import Final

import msgspec

from detectors.flooding import shape
from detectors.flooding.config import FloodingConfig
from detectors.flooding.shape import Points

SPANS: Final = (120.0, 300.0, 600.0)
"""Seconds over which the pace is taken: what it does lately, and how steady that is."""
SLOWEST: Final = 1e-6
QUANTILES: Final = ((0.52, 0.57, 0.29), (1.85, 0.44, 0.31), (3.44, 0.30, 0.31))
"""ln(seconds left) at the 10th, 50th and 90th percentile = a + b ln(left / pace over 2 min) +
c ln(left / pace over 10 min): quantile regression on the tuning half of 983 street floods (FloodNet
NYC, lines of 15, 20 and 27 cm), widened by 6 to 12 % because quantiles fitted on half of the
sensors cover 3 % less on the others. Rising water slows down: far lines are reached later than the
pace says."""


class Forecast(msgspec.Struct):
    """When the line is reached: best, earliest and latest, in seconds from the reading. Of those
    that are reached, four in five are between earliest and latest."""

    best_s: float
    low_s: float
    high_s: float


def paces(points: Points) -> tuple[float, float, float]:
    """Least-squares slopes (m/s) of (seconds, metres) over each of `SPANS` up to the newest point,
    of the last two where reports come more rarely. None at all: zeros."""
    two, five, ten = shape.paces(points, SPANS)
    return two, five, ten


def ways(left: float, pace: tuple[float, float, float]) -> tuple[float, float]:
    """ln(seconds) that the way `left` (metres) takes at the pace of two minutes, and of ten. A
    street that was dry ten minutes ago has no steady pace yet."""
    lately, steady = max(pace[0], SLOWEST), pace[2]
    return math.log(left / lately), math.log(left / max(steady, 0.2 * lately))


def street(
    points: Points,
    base: float,
    close: float,
    pace: tuple[float, float, float],
    reach: float,
    wait_s: float,
    cfg: FloodingConfig,
) -> tuple[Forecast, float] | None:
    """A forecast and the probability that the line is reached at all, where that is likely enough
    and the line comes within the horizon, else None.

    `points`, `base` and `close` of `shape.likely`; `pace` of `paces`; `reach` stretches the horizon
    (rain that falls or has stopped); `wait_s`: rare reports must warn before the one that would be
    too late.
    """
    left = close - points[-1][1]
    if left <= 0 or pace[1] <= 0 or left > max(pace) * shape.AHEAD_S:
        return None
    a, b = ways(left, pace)
    low, best, high = (math.exp(c + d * a + e * b) for c, d, e in QUANTILES)
    if best > max(reach * cfg.horizon_s, wait_s):
        return None
    chance = shape.likely(points, base, close)
    if chance < cfg.street_chance:
        return None
    return Forecast(best, min(low, best), max(high, best)), chance
