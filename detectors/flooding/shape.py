"""How likely rising water in a street comes to its line: learned from the shapes of real floods.

The logarithm of the odds is linear in what the surface did so far: the share of the way it stands
at, the share of what is left that it goes in ten minutes at its pace over 2, 5, 10, 20 and 40
minutes, how long it is wet, how long ago it stood at half of this, whether it speeds up or slows
down and how its pace compares with its steepest (rain fills a street abruptly and then ever slower,
a tide begins gently and turns slowly), and how much water the line means. Minutes and shares of the
way only: nothing of a site, a season or a city.

Fitted by `bench/water/fitted.py` (logistic regression, quadratic penalty) on the half of FloodNet
NYC's sensors that development may look at (511 of 983 floods; lines of 12 to 32 cm; each flood as
reported and thinned to a report every 5 and 15 minutes). Coefficients of the share of the way and
of the paces up to ten minutes were bounded to be no less than 0: fuller and faster is likelier.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

SPANS: Final = (120.0, 300.0, 600.0, 1200.0, 2400.0)
"""Seconds over which paces are taken."""
SLACK_S: Final = 5.0
"""Reports drift by some seconds: one at 121 s still counts to 120."""
WET_SHARE: Final = 0.06
"""A street is wet from this share of the way to its line on (1 cm of 15)."""
STEEP_S: Final = 300.0
"""The steepest rise is over so many seconds."""
AHEAD_S: Final = 3600.0
"""Nothing is said of water that would need longer than this at its fastest pace."""
NEAREST: Final = 0.01
CLOSEST_S: Final = 20.0
"""Readings closer than this differ by noise."""
SLOWEST: Final = 1e-6
WHOLE_M: Final = (0.1, 0.4)
"""Ways to the line (metres) that were seen; others count as the nearest of these."""

Points = list[tuple[float, float]]

ODDS: Final = (
    *(0.9, 0.482, 0.141, 0.0, -0.078, 0.677),
    *(-0.303, -0.084, -0.303, 1.818, -1.126, -4.088),
)
"""Coefficients of `features`, the constant last."""


def features(points: Points, base: float, close: float) -> list[float]:
    """What the odds depend on. `points` (seconds, metres) in order of time, two at least, the last
    one above `base`; `base` the usual height, `close` the line, metres."""
    now, height = points[-1]
    whole = close - base
    above = max(height - base, NEAREST * whole)
    left = max(close - height, NEAREST * whole)
    slopes = paces(points, SPANS)
    wet = _above_since(points, base + WET_SHARE * whole)
    half = _above_since(points, 0.5 * (base + height))
    steep, steepest = _steepest(points, wet)
    steepest = max(steepest, SLOWEST)
    found = [math.log(above / whole)]
    found += [math.asinh(3000.0 * slope / left) for slope in slopes]
    found.append(math.log1p((now - wet) / 60.0))
    found.append(math.log1p((now - half) / 60.0))
    found.append(math.asinh((slopes[0] - slopes[2]) / steepest))
    found.append(max(steep / steepest, -1.0))
    found.append(math.log(min(max(whole, WHOLE_M[0]), WHOLE_M[1])))
    found.append(1.0)
    return found


def likely(points: Points, base: float, close: float) -> float:
    """Probability that the line is reached, 0..1."""
    z = sum(map(float.__mul__, ODDS, features(points, base, close)))
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, z))))


def paces(points: Points, spans: Sequence[float]) -> list[float]:
    """Least-squares slopes (m/s) over each of `spans` (rising) up to the newest point, of the last
    two where reports come more rarely. None at all: zeros."""
    if len(points) < 2:
        return [0.0] * len(spans)
    newest, height = points[-1]
    found: list[float] = []
    n, sx, sy, sxx, sxy = 1, 0.0, 0.0, 0.0, 0.0
    at = len(points) - 2
    while True:
        x = points[at][0] - newest if at >= 0 else -math.inf
        while len(found) < len(spans) and -x > spans[len(found)] + SLACK_S and n > 1:
            spread = n * sxx - sx * sx
            found.append((n * sxy - sx * sy) / spread if spread > 0 else 0.0)
        if len(found) == len(spans):
            return found
        y = points[at][1] - height
        n += 1
        sx += x
        sy += y
        sxx += x * x
        sxy += x * y
        at -= 1


def _above_since(points: Points, height: float) -> float:
    """When the water came above that height for the last time, as far as is remembered."""
    since = points[-1][0]
    for t, v in reversed(points):
        if v < height:
            return 0.5 * (t + since)
        since = t
    return since


def _steepest(points: Points, since: float) -> tuple[float, float]:
    """Rise over the last `STEEP_S` (of the last two where reports come more rarely), and the
    steepest such since then, m/s."""
    best, rise, at = 0.0, 0.0, 0
    for k in range(1, len(points)):
        t, v = points[k]
        while at < k - 1 and t - points[at + 1][0] >= STEEP_S - SLACK_S:
            at += 1
        if t >= since:
            rise = (v - points[at][1]) / max(t - points[at][0], CLOSEST_S)
            best = max(best, rise)
    return rise, best
