"""One pole: what it says by the hour, how it rests, and by how much it has moved for good.

Sensors on poles wake when shaken and then repeat one sample for as much as an hour, so that a
storm's gusts have many readings and its lulls few. Time counts, not readings: each hour has one
look, the median of its readings, and a lean is judged over hours to days of looks.

A sensor with two axes (`tilt_x`, `tilt_y`) sways about its rest: the middle of the looks stays
there, however hard it blows. One that says a single angle (`tilt`) from the vertical says more
whenever it sways (Rayleigh); of it the quarter of the looks nearest to rest is believed.
"""

from __future__ import annotations

import math
from statistics import median

import msgspec

from detectors.pole_tilt.config import PoleConfig

SINGLE = "tilt"
PAIR = ("tilt_x", "tilt_y")
HOUR_S = 3600.0
MOST_LOOKS = 192
MOST_NOW = 24
LEAST_NOISE = 0.05
"""Degrees: the step of good inclinometers."""


class Axis(msgspec.Struct):
    """One angle of a pole, degrees."""

    now: list[float] = []
    """Readings of the hour under way."""
    looks: list[tuple[int, float]] = []
    """(hour since the epoch, median of its readings)."""
    today: list[float] = []
    days: list[float] = []
    """Means of days."""
    rest: float | None = None
    base: float | None = None
    """The first rest that was known."""
    noise: float = 0.3
    """What its days scatter by."""
    sways: list[float] = []
    """What the looks of each of these days scatter by."""
    sway: float = 0.0
    """What they usually do."""
    last: float = 0.0


class Shift(msgspec.Struct, frozen=True):
    """By how much a pole has moved over a span, degrees."""

    by: float
    """What is sure of it: less its standard errors."""
    size: float
    """What it is."""
    scatter: float
    """Robust standard deviation of its looks."""
    error: float
    looks: int
    hours: float
    """From the first to the last look."""


def between(a: float, b: float) -> float:
    """From `b` to `a` in degrees, the short way round."""
    d = a - b
    return d if -180.0 <= d <= 180.0 else d - math.copysign(360.0, d)


def middle(values: list[float]) -> float:
    """The mean of the middle half: steps of a coarse sensor average out, gusts do not count."""
    ordered = sorted(values)
    cut = len(ordered) // 4
    kept = ordered[cut : len(ordered) - cut]
    return sum(kept) / len(kept)


def quartile(values: list[float], share: float) -> float:
    """That share's quantile, between the nearest two."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


class Pole(msgspec.Struct):
    """State of one pole. Times are epoch seconds."""

    axes: dict[str, Axis] = {}
    hour: int = -1
    """The hour under way, since the epoch."""
    first: float = 0.0
    last: float = -math.inf
    pause: float = 0.0
    """Usual seconds between reports."""
    silent: float = -math.inf
    """When it last spoke again after a long silence."""
    gap: float = 0.0
    """How long that was."""
    blow: tuple[float, float] | None = None
    """(when, m/s²) of the last blow."""
    far: list[float] = []
    """Times of the readings in a row that speak of a fallen pole."""
    turned: int = 0
    """Readings in a row that no leaning pole gives."""
    noise: float = 0.3
    """What the days of its worst axis scatter by."""

    def used(self) -> tuple[str, ...]:
        """The axes that count: both of a pair where there is one."""
        if any(name in self.axes for name in PAIR):
            return tuple(name for name in PAIR if name in self.axes)
        return (SINGLE,) if SINGLE in self.axes else ()

    def close_hour(self, hour: int, cfg: PoleConfig, learn: bool) -> None:
        """The hour under way is over; `hour` begins."""
        day = self.hour // 24
        for axis in self.axes.values():
            if axis.now:
                look = median(axis.now)
                axis.now = []
                axis.looks.append((self.hour, look))
                axis.today.append(look)
                if len(axis.looks) > MOST_LOOKS:
                    del axis.looks[0]
        if hour // 24 != day:
            for axis in self.axes.values():
                self._close_day(axis, cfg, learn)
            self.noise = max((self.axes[name].noise for name in self.used()), default=0.3)
        elif learn:
            for axis in self.axes.values():
                if axis.rest is None:
                    self._first_rest(axis, cfg)
        self.hour = hour

    def _first_rest(self, axis: Axis, cfg: PoleConfig) -> None:
        looks = axis.looks
        if len(looks) >= cfg.least_looks and looks[-1][0] - looks[0][0] >= cfg.learn_h - 1:
            axis.rest = middle([v for _, v in looks])

    def _close_day(self, axis: Axis, cfg: PoleConfig, learn: bool) -> None:
        today, axis.today = axis.today, []
        if not today or not learn:
            return
        axis.days.append(middle(today))
        axis.sways.append((quartile(today, 0.75) - quartile(today, 0.25)) / 1.35)
        if len(axis.days) > cfg.rest_days + cfg.lag_days:
            del axis.days[0], axis.sways[0]
        axis.sway = median(axis.sways)
        if axis.rest is None:
            self._first_rest(axis, cfg)
            return
        if len(axis.days) < 3:
            return
        # of days that have stood the test: a lean not yet told must not become its own rest
        stood = axis.days[: max(3, len(axis.days) - cfg.lag_days)]
        axis.rest = median(stood)
        axis.noise = max(1.48 * median(abs(d - axis.rest) for d in stood), LEAST_NOISE)
        if axis.base is None and len(stood) >= cfg.rest_days:
            axis.base = axis.rest

    def rests(self) -> dict[str, float]:
        """The rest of each axis that counts, as far as known."""
        found = {}
        for name in self.used():
            rest = self.axes[name].rest
            if rest is not None:
                found[name] = rest
        return found

    def off(self, rests: dict[str, float]) -> float:
        """How far the newest readings are from rest."""
        return math.hypot(*(between(self.axes[n].last, rest) for n, rest in rests.items()))

    def shift(self, hours: float, rests: dict[str, float], cfg: PoleConfig) -> Shift | None:
        """By how much it has moved over the last hours; None: too few looks to say."""
        if SINGLE in rests and hours < cfg.slight_h:
            hours *= cfg.single_times
        hours = max(hours, cfg.least_looks * self.pause / HOUR_S)
        by = size = variance = scatter = 0.0
        count, span = 0, 0.0
        for name, rest in rests.items():
            looks = self.axes[name].looks
            since = looks[-1][0] - hours if looks else 0.0
            offs, k = [], len(looks) - 1
            while k >= 0 and looks[k][0] > since:
                offs.append(between(looks[k][1], rest))
                k -= 1
            if len(offs) < cfg.least_looks:
                return None
            count = len(offs)
            span = float(looks[-1][0] - looks[k + 1][0] + 1)
            if span < 0.7 * hours:
                return None
            low, high = quartile(offs, 0.25), quartile(offs, 0.75)
            sd = (high - low) / 1.35
            if name == SINGLE:
                # what sways says more, never less (Rayleigh: its lower quartile is 1.13 times its
                # scatter): believed is the quarter nearest to rest, less what more sway explains
                up = 1.0 if low + high > 0.0 else -1.0
                near = up * (low if up > 0.0 else high)
                least = up * quartile(offs, 0.1 if up > 0.0 else 0.9)
                by = near - 1.2 * max(sd - self.axes[name].sway, 0.0)
                by = max(min(by, 2.0 * least), 0.0)  # a gust does not come every hour
                error = sd / _samples(count, span, cfg)
                return Shift(by, abs(middle(offs)), sd, error, count, span)
            size = math.hypot(size, middle(offs))
            error = sd / _samples(count, span, cfg)
            variance += error * error
            scatter = max(scatter, sd)
        error = math.sqrt(variance)
        by = max(size - cfg.sure_times * error, 0.0)
        return Shift(by, size, scatter, error, count, span)

    def onset(self, shift: Shift, rests: dict[str, float]) -> float:
        """Since when it has been away by half of the shift; one hour may be otherwise."""
        names = list(rests)
        looks = [dict(self.axes[n].looks) for n in names]
        began, doubts = float(self.hour), 0
        for hour in sorted(set().union(*looks), reverse=True):
            offs = [
                between(one[hour], rests[n])
                for n, one in zip(names, looks, strict=True)
                if hour in one
            ]
            if math.hypot(*offs) >= 0.5 * shift.size:
                began, doubts = float(hour), 0
            else:
                doubts += 1
                if doubts > 1:
                    break
        return began * HOUR_S

    def anew(self) -> None:
        """Nothing learned of its rest holds any more."""
        for axis in self.axes.values():
            axis.looks, axis.today, axis.days, axis.sways = [], [], [], []
            axis.now = axis.now[-1:]
            axis.rest = axis.base = None
        self.far = []


def _samples(count: int, span_h: float, cfg: PoleConfig) -> float:
    """Square root of how many independent samples there are."""
    return math.sqrt(max(1.0, min(float(count), span_h / cfg.swing_h)))
