"""When rising water reaches a line: pace, horizon and an interval that keeps what it says."""

from __future__ import annotations

import math
from typing import Final

import msgspec

from detectors.flooding.config import FloodingConfig

SPANS: Final = (120.0, 300.0, 600.0)
"""Seconds over which the pace is taken: what it does lately, and how steady that is."""
SLACK_S: Final = 5.0
"""Reports drift by some seconds: one at 121 s still counts to 120."""
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


def paces(points: list[tuple[float, float]]) -> tuple[float, float, float]:
    """Least-squares slopes (m/s) of (seconds, metres) over each of `SPANS` up to the newest point,
    of the last two where reports come more rarely. None at all: zeros."""
    if len(points) < 2:
        return (0.0, 0.0, 0.0)
    newest, height = points[-1]
    found: list[float] = []
    n, sx, sy, sxx, sxy = 1, 0.0, 0.0, 0.0, 0.0
    at = len(points) - 2
    while True:
        x = points[at][0] - newest if at >= 0 else -math.inf
        while len(found) < 3 and -x > SPANS[len(found)] + SLACK_S and n > 1:
            spread = n * sxx - sx * sx
            found.append((n * sxy - sx * sy) / spread if spread > 0 else 0.0)
        if len(found) == 3:
            return (found[0], found[1], found[2])
        y = points[at][1] - height
        n += 1
        sx += x
        sy += y
        sxx += x * x
        sxy += x * y
        at -= 1


def street(
    left: float, pace: tuple[float, float, float], reach: float, wait_s: float, cfg: FloodingConfig
) -> Forecast | None:
    """A forecast where the line comes within the horizon, else None.

    `left` metres; `pace` of `paces`; `reach` stretches the horizons (rain that falls or has
    stopped); `wait_s`: rare reports must warn before the one that would be too late. The pace of
    the last minutes and that of ten must both say so, or that of the last minutes very soon.
    """
    lately, steady = pace[0], pace[2]
    slow = min(lately, steady)
    soon = slow > 0 and left <= slow * max(reach * cfg.horizon_s, wait_s)
    if not soon and not (lately > 0 and left <= lately * max(reach * cfg.fast_horizon_s, wait_s)):
        return None
    # A street that was dry ten minutes ago has no steady pace yet.
    a, b = math.log(left / max(lately, SLOWEST)), math.log(left / max(steady, 0.2 * lately))
    low, best, high = (math.exp(c + d * a + e * b) for c, d, e in QUANTILES)
    return Forecast(best, min(low, best), max(high, best))
