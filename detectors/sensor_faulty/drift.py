"""Drift: the level creeps away in dry weather while the network it hangs on does not.

Sewers and streams of one network share their day: morning and evening rise everywhere. What is left
of a sensor's hourly medians after its share of that common course is noise; a head whose zero moves
leaves a straight line instead. The line is fitted beside the common course, from every hour it may
have begun at (ordinary least squares, Student's t of the slope), on dry hours only. A lonely
sensor is not accused: rivers rise and fall for days.

A pipe that slowly blocks lifts the level too, but it bends, and what stands above it answers to
every change of the flow: the line must be as steep in its second half as in its first, and what is
left beside it must be next to nothing of what it moved. A drift that is too short for that is told
when it ends.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from statistics import median
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.sensor_faulty.told import Finding, named, spell

HOURS: Final = 36
"""Hours remembered."""
HOUR_S: Final = 3600.0
LEAST_HOURS: Final = 8
"""Dry hours that a fit needs."""
LINE_HOURS: Final = 5
"""Hours that the line itself must last."""
SPREADS: Final = 0.5
"""It must have moved by this share of all that the channel spread before, and by `Metric.drift`."""
TIMES: Final = 12.0
"""Student's t of the slope."""
EVEN: Final = 0.12
"""Share by which the two halves of the line may differ in slope."""
OFF_LINE: Final = 0.015
"""Its hours may lie off it by this share of what it moved (root mean square). Measured on 108
simulated runs of two networks, of what every other condition took for a drift: 41 of 46 heads that
drift keep to it, and 6 of 26 pools behind a blockage."""
LEAST_ALONG: Final = 0.4
"""The line must make up this share of what the last hours moved, and they of it."""
ENDED_HOURS: Final = 5
STRAIGHT: Final = 0.98
LEAST_CLIMB: Final = 0.2
OFF_BASE: Final = 0.25
"""A drift that ended at once: this many hours before were a straight line by this share of their
variance, made up this share of the fall at least, and it fell to where it came from, give or take
this share."""
NEIGHBOURS: Final = 8
LEAST_NEIGHBOURS: Final = 3
"""So that the median of them is sound when one drifts."""

Floats = NDArray[np.float64]


class DriftWatch(msgspec.Struct):
    """Hourly medians of one channel."""

    hours: list[tuple[int, float, bool]] = []
    """(hour since 1970, median, whether something else was up)."""
    now: int = 0
    """The hour that is being collected ..."""
    means: list[float] = []
    """... and its quarters' means."""
    bad: bool = False
    """Whether rain, neighbours or another fault make it useless."""
    last: float | None = None
    """Mean of the quarter of an hour before."""

    def rises(self, mean: float, by: float) -> bool:
        """Whether the quarter of an hour that ended stands higher than the one before."""
        last, self.last = self.last, mean
        return last is not None and mean - last > by

    def add(self, t: float, mean: float, bad: bool) -> bool:
        """Take a quarter of an hour that ended at `t`; whether another useful hour is complete."""
        hour = int((t - 1.0) // HOUR_S)
        complete = False
        if hour != self.now:
            if self.means:
                self.hours = [*self.hours[1 - HOURS :], (self.now, median(self.means), self.bad)]
                complete = not self.bad
            self.now, self.means, self.bad = hour, [], False
        self.means.append(mean)
        self.bad = self.bad or bad
        return complete

    def creeps(self, least: float) -> float:
        """By how much the last hours moved, if that is `least` and more and one way; else 0."""
        hours = [v for _, v, bad in self.hours if not bad]
        if len(hours) < LEAST_HOURS:
            return 0.0
        recent = hours[-LINE_HOURS - 1 :]
        move = recent[-1] - recent[0]
        if abs(move) < least:
            return 0.0
        along = sum((b - a) * move > 0 for a, b in itertools.pairwise(recent))
        return move if along >= LINE_HOURS - 1 else 0.0

    def good(self) -> dict[int, float]:
        """Hour → median of hours in which nothing else was up."""
        return {hour: value for hour, value, bad in self.hours if not bad}

    def found(
        self, metric: str, least: float, t: float, lately: float, others: Sequence[DriftWatch]
    ) -> Finding | None:
        """What is to be told, beside the neighbours' hours; `lately` is what `creeps` said."""
        known = [o.good() for o in others if len(o.hours) >= LEAST_HOURS][:NEIGHBOURS]
        if len(known) < LEAST_NEIGHBOURS:
            return None
        hours = [
            (h, v) for h, v in self.good().items() if sum(h in k for k in known) >= LEAST_NEIGHBOURS
        ]
        if len(hours) < LEAST_HOURS:
            return None
        at = np.array([h for h, _ in hours], np.float64)
        values = np.array([v for _, v in hours])
        common = _common([h for h, _ in hours], known)
        line = _line(at, values, common)
        if line is None:
            return None
        begin, slope, error = line
        moved = slope * float(at[-1] - begin)
        if not LEAST_ALONG <= slope * LINE_HOURS / lately <= 1.0 / LEAST_ALONG:
            return None  # the line is not what the last hours did
        before = values[at < begin]
        spread = float(np.ptp(before)) if len(before) > 1 else 0.0
        if abs(moved) < max(least, SPREADS * spread) or abs(slope) < TIMES * error:
            return None
        en, zh = named(metric)
        en_t, zh_t = spell((at[-1] - begin) * HOUR_S)
        return Finding(
            "drift",
            metric,
            (begin + 1) * HOUR_S,
            t,
            f"{en} creeps away from its neighbours in a straight line: {moved:+.2f} m in {en_t}, "
            f"{100 * slope:+.1f} cm/h",
            f"{zh}线性漂移：{zh_t}内相对邻近点{moved:+.2f}米（每小时{100 * slope:+.1f}厘米）",
            {
                "moved_m": round(moved, 4),
                "m_per_h": round(slope, 5),
                "times_error": round(min(abs(slope) / max(error, 1e-9), 9999.0), 1),
                "neighbours": float(len(known)),
            },
        )


def ended(watch: DriftWatch, metric: str, t: float, before: float, after: float) -> Finding | None:
    """What is to be told when a value fell at once from `before` to `after` at `t`: somebody set
    the zero right if it had climbed in a straight line from there, hour by hour."""
    fell = before - after
    hours = watch.hours[-ENDED_HOURS:]
    if len(hours) < ENDED_HOURS or hours[-1][0] - hours[0][0] > ENDED_HOURS:
        return None
    x, y = (np.array([row[k] for row in hours], np.float64) for k in (0, 1))
    slope, height = np.polyfit(x, y, 1)
    off = y - (slope * x + height)
    whole = float(np.sum((y - y.mean()) ** 2))
    if slope <= 0.0 or float(off @ off) > (1.0 - STRAIGHT) * whole:
        return None
    lasted = fell / float(slope)  # hours
    now = t / HOUR_S
    if not LINE_HOURS <= lasted <= HOURS or slope * (x[-1] - x[0]) < LEAST_CLIMB * fell:
        return None
    then = [v for h, v, _ in watch.hours if abs(h + 0.5 - (now - lasted)) <= 2.0]
    if then and abs(min(then) - after) > OFF_BASE * fell:
        return None
    en, zh = named(metric)
    en_t, zh_t = spell(lasted * HOUR_S)
    return Finding(
        "drift",
        metric,
        t - lasted * HOUR_S,
        t,
        f"{en} climbed by {100 * slope:.1f} cm/h in a straight line for {en_t} and fell back at "
        f"once by {fell:.2f} m",
        f"{zh}以每小时{100 * slope:.1f}厘米线性上升{zh_t}，随后突然回落{fell:.2f}米",
        {"moved_m": round(fell, 4), "m_per_h": round(float(slope), 5)},
    )


def _common(hours: list[int], known: list[dict[int, float]]) -> Floats:
    """The course that the neighbours share: median over them of each one's own, standardised."""
    rows = []
    for one in known:
        values = np.array([one.get(h, math.nan) for h in hours])
        spread = float(np.nanstd(values)) if np.isfinite(values).any() else 0.0
        rows.append((values - np.nanmean(values)) / max(spread, 0.002))
    with np.errstate(invalid="ignore"):
        told: Floats = np.nanmedian(np.array(rows), axis=0)
    return np.nan_to_num(told)


def _line(at: Floats, values: Floats, common: Floats) -> tuple[float, float, float] | None:
    """(hour it began, slope per hour, its standard error) of the best hinge, or None where the
    line is too short, bends, wavers, or ended."""
    best: tuple[float, float, Floats] | None = None
    ones = np.ones(len(at))
    for begin in at[: len(at) - LINE_HOURS]:
        since = np.maximum(at - begin, 0.0)
        design = np.column_stack((ones, common, since))
        told, *_ = np.linalg.lstsq(design, values, rcond=None)
        off = values - design @ told
        wrong = float(off @ off)
        if best is None or wrong < best[0]:
            best = (wrong, float(begin), told)
    if best is None:
        return None
    wrong, begin, told = best
    since = np.maximum(at - begin, 0.0)
    design = np.column_stack((ones, common, since))
    free = max(len(at) - 4, 1)  # the hinge is a free parameter too
    # hourly medians are no better than a millimetre
    spread = max(wrong / free, 1e-6)
    error = math.sqrt(spread * float(np.linalg.pinv(design.T @ design)[2, 2]))
    slope = float(told[2])
    rest = values - design[:, :2] @ told[:2]
    inside = at >= begin
    if int(inside.sum()) < LINE_HOURS + 1:
        return None
    x, y = at[inside], rest[inside]
    half = len(x) // 2
    first = float(np.polyfit(x[: half + 1], y[: half + 1], 1)[0])
    second = float(np.polyfit(x[half:], y[half:], 1)[0])
    if abs(first - second) > EVEN * abs(slope) + 2 * error:
        return None
    straight = y - np.polyval(np.polyfit(x, y, 1), x)
    if float(np.sqrt(np.mean(straight**2))) > OFF_LINE * abs(slope) * float(x[-1] - x[0]):
        return None
    return begin, slope, error
