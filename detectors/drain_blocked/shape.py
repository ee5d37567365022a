"""Does a difference look like water, or like an instrument?

Debris under a head leaps and stands; a zero that drifts creeps in a straight line, whatever the day
does; water runs off after rain. A pool bends as it fills.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from detectors.drain_blocked.config import DrainBlockedConfig
from detectors.drain_blocked.gauge import Gauge

LEAPED = 2.5
"""Log-odds by which a difference that came in one step and stayed speaks for a fault."""
OFTEN_S = 180.0
"""Readings so close see a pool rise in several steps (seconds)."""
FLAT_M = 0.015
"""What stands to within this after a leap is no water: it would go on rising (metres)."""
WETTED = 0.1
"""A leap in rain says so much less."""


STRAIGHT, SCALE = 0.06, 0.02
"""Readings lie off a straight line by this share of what it moved: less speaks for a zero that
drifts, more for water (log-odds change by one each `SCALE`)."""
MOST_ODDS = 0.7
SURE_M, SURE_ODDS = 0.1, 1.2
"""... and what moved by more than this and still is a line is one rather surely (metres)."""
LEAST_M = 0.02
LITTLE_M = 0.06
"""What moved by less than this hardly shows its shape (metres)."""
FALLEN, FALLS = 0.25, 1.5
"""What lies below its highest by this share although nobody was there runs off: after rain as it
should. Log-odds."""


LEAST_POINTS = 5
"""Fewer show no shape."""


class Course(msgspec.Struct, frozen=True):
    """How a difference came: nothing up to some time, then a line."""

    moved: float
    """By how much the line rose (metres)."""
    off: float
    """How far the readings lie off it (root mean square, metres)."""
    fallen: float
    """How far the newest lies below the highest (share)."""


def fault_odds(gauge: Gauge, wet: bool, cfg: DrainBlockedConfig) -> float:
    """Log-odds that this sensor's difference is its own fault."""
    odds = cfg.fault_odds
    if abs(gauge.leap) >= 0.6 * abs(gauge.excess):
        # Between two readings far apart, or while rain falls, a pool may rise as far as it will.
        often = 1.0 if stands(gauge.differences(3)) else min(1.0, OFTEN_S / gauge.every_s)
        odds += LEAPED * often * (WETTED if wet else 1.0)
    elif not wet and gauge.excess > 0.0:
        course = course_of(gauge.differences())
        if course is not None:
            odds += creeps(course) + (FALLS if course.fallen > FALLEN else 0.0)
    return min(odds, -0.3)


def creeps(course: Course) -> float:
    """Log-odds by which it looks like a zero that drifts rather than like water."""
    moved = max(course.moved, LEAST_M)
    straight = (STRAIGHT - course.off / moved) / SCALE
    straight = max(-MOST_ODDS, min(SURE_ODDS if moved > SURE_M else MOST_ODDS, straight))
    return straight if moved > LITTLE_M else 0.5 * straight


def stands(rows: Sequence[tuple[float, float]]) -> bool:
    """Whether the newest three of (epoch seconds, metres) are as good as equal, and far off."""
    last = [y for _, y in rows[-3:]]
    return len(last) == 3 and max(last) - min(last) <= FLAT_M and abs(last[0]) > 5 * FLAT_M


def course_of(rows: Sequence[tuple[float, float]]) -> Course | None:
    """The line with a hinge that fits (epoch seconds, metres) best (least squares); None: too few.

    All hinges are tried from the end on, with running sums, so it costs as much as one fit.
    """
    n = len(rows)
    if n < LEAST_POINTS:
        return None
    begin = rows[0][0]
    whole, squares = [0.0], [0.0]
    for _, y in rows:
        whole.append(whole[-1] + y)
        squares.append(squares[-1] + y * y)
    end = (rows[-1][0] - begin) / 3600.0
    best, moved, off = math.inf, 0.0, 0.0
    sx = sy = sxx = sxy = syy = 0.0
    for j in range(n - 1, -1, -1):
        x, y = (rows[j][0] - begin) / 3600.0, rows[j][1]
        sx, sy, sxx, sxy, syy = sx + x, sy + y, sxx + x * x, sxy + x * y, syy + y * y
        k = n - j
        if k < LEAST_POINTS - 1:
            continue
        first = j + 1 if j >= 2 else 3
        base = whole[first] / first
        uu = sxx - 2 * x * sx + k * x * x
        uy = sxy - x * sy - base * (sx - k * x)
        slope = uy / uu
        after = max(syy - 2 * base * sy + k * base * base - slope * uy, 0.0)
        before = squares[j] - 2 * base * whole[j] + j * base * base
        if after + before < best:
            best, moved, off = after + before, slope * (end - x), math.sqrt(after / k)
    top = max(y for _, y in rows)
    return Course(moved, off, (top - rows[-1][1]) / top if top > 0.0 else 0.0)
