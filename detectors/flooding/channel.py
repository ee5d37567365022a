"""One water metric of one sensor: how high, how fast, and when it reaches its line."""

from __future__ import annotations

import itertools
import math
from statistics import median

import msgspec

from detectors.flooding.config import FloodingConfig
from detectors.flooding.lines import Lines

MIN_STEP_S = 20.0
"""Readings closer than this are thinned for slopes and curve: their difference is noise."""
CURVE = 60
SLOPE_POINTS = 12
"""Theil-Sen over at most this many points: 66 slopes, a few microseconds."""

DRY, FORECAST, OBSERVED = 0, 1, 2


class Forecast(msgspec.Struct):
    """When the line is reached: best, earliest and latest, in seconds from the reading."""

    best_s: float
    low_s: float
    high_s: float


class Channel(msgspec.Struct):
    """State of one metric. Times are epoch seconds, heights metres."""

    points: list[tuple[float, float]] = []
    base: float | None = None
    """The usual height: follows falling water soon, rising water slowly."""
    above: int = 0
    """Readings in a row at or above the warning line."""
    peak: float = -math.inf
    rate: float = 0.0
    """m/s."""
    hit_at: float = -math.inf
    """When the last reading spoke of a flood (at, above, or soon reaching a line)."""
    forecast: Forecast | None = None

    @property
    def value(self) -> float:
        """The newest reading."""
        return self.points[-1][1]

    def forget_newest(self) -> None:
        """The newest reading was a spike: nothing may be concluded from it."""
        if len(self.points) > 1:
            del self.points[-1]
        self.above = 0
        self.hit_at = -math.inf

    def fold(self, t: float, v: float, lines: Lines, cfg: FloodingConfig) -> int:
        """Take one reading; what it says: DRY, FORECAST or OBSERVED."""
        points = self.points
        gap = t - points[-1][0] if points else 0.0
        if len(points) >= 2 and t - points[-2][0] < MIN_STEP_S:
            points[-1] = (t, v)
        else:
            points.append((t, v))
            if len(points) > CURVE:
                del points[0]
        if self.base is None:
            # A first reading above the line tells nothing of the usual height.
            self.base = min(v, 0.5 * lines.warn)
        elif gap > 0:
            # One wild reading must not move it; water above the warning line is not usual.
            slow = cfg.base_fall_s if v < self.base else cfg.base_s
            self.base += (min(v, lines.warn) - self.base) * -math.expm1(-gap / slow)
        self.above = self.above + 1 if v >= lines.warn else 0
        self.forecast = None
        if v < self.base + cfg.onset_share * (lines.close - self.base):
            self.rate = _step(points)
            return DRY
        says = self._judge(v, lines, cfg)
        if says != DRY:
            self.hit_at = t
        return says

    def _judge(self, v: float, lines: Lines, cfg: FloodingConfig) -> int:
        recent = _window(self.points, cfg)
        slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.combinations(recent, 2))
        robust = median(slopes) if slopes else 0.0
        step = _step(self.points)
        interval = self.points[-1][0] - self.points[-2][0] if len(self.points) > 1 else 0.0
        self.rate = robust
        left = lines.close - v
        if left > 0:
            wait = cfg.fast_reports * interval
            if robust > 0 and left / robust <= max(cfg.horizon_s, wait):
                self.forecast = _forecast(left, robust, slopes, cfg)
            elif step > 0 and left / step <= max(cfg.fast_horizon_s, wait):
                self.rate = step
                self.forecast = _forecast(left, step, slopes, cfg)
        if v >= lines.close or self.above >= cfg.warn_readings:
            return OBSERVED
        return FORECAST if self.forecast is not None else DRY


def _step(points: list[tuple[float, float]]) -> float:
    if len(points) < 2:
        return 0.0
    (t0, v0), (t1, v1) = points[-2:]
    return (v1 - v0) / max(t1 - t0, MIN_STEP_S)


def _window(points: list[tuple[float, float]], cfg: FloodingConfig) -> list[tuple[float, float]]:
    newest = points[-1][0]
    recent = [p for p in points if newest - p[0] <= cfg.window_s]
    if len(recent) < cfg.window_readings:
        recent = points[-cfg.window_readings :]
    while len(recent) > SLOPE_POINTS:  # thin evenly, the newest stays
        recent = recent[len(recent) % 2 == 0 :: 2]
    return recent


def _forecast(left: float, slope: float, slopes: list[float], cfg: FloodingConfig) -> Forecast:
    """Bounds from the spread of the slopes seen (steepest tenth, flattest third), at least as wide
    as real floods have needed."""
    best = left / slope
    fast = max(slope, slopes[math.ceil(0.9 * (len(slopes) - 1))] if slopes else slope)
    slow = slopes[len(slopes) // 3] if slopes else slope
    high = min(left / slow, 2 * cfg.interval_high * best) if slow > 0 else best
    return Forecast(
        best, min(left / fast, cfg.interval_low * best), max(high, cfg.interval_high * best)
    )
