"""One water metric of one sensor: how high, how fast, and when it reaches its line."""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import sub

import msgspec

from detectors._common.shelf import MOST
from detectors._common.water.plausible import FASTEST, HELD, LEAST_LEAP, Surface
from detectors.flooding.chance import chance, seconds
from detectors.flooding.config import FloodingConfig
from detectors.flooding.forecast import Forecast, paces, street
from detectors.flooding.lines import SPILL_M, View
from detectors.flooding.swings import Swings

MIN_STEP_S = 20.0
"""Readings closer than this are thinned for slopes and curve: their difference is noise."""
CURVE = 60
FILLED_M, FILLED_SHARE = 0.05, 0.05
"""A manhole is asked whether it will overflow from so far above its usual height."""
RARE_S, RARE_SHARE = 150.0, 0.75
"""Reports rarer than this (seconds) leave few chances to warn: this share of the odds must do."""
STILL_M = 0.5 * LEAST_LEAP
BLOCK_S = 3600.0
"""Readings this near the last one that was looked at (metres) wait for so long (seconds), and are
then taken at once."""
GOES_ON = 0.2
"""The newest step must still be this share of the pace of two minutes."""
LEAP_SHARE, LOW_SHARE = 0.15, 0.1
"""A manhole's water leaps when it comes up by the first share of the way to its line in one report,
from below the second ..."""
WET_MM_H = 0.2
"""... and is doubted until the next report where forty minutes had less rain than this, or no gauge
speaks, and nothing rises upstream: four in five false alarms at instruments at fault began so."""
CREST_SHARE, CREST_S = 0.9, 7 * 86400.0
"""Water that came so far before without overflowing is not told of again below this share of that
crest, for this long (seconds): sewers silt up, tides turn ..."""
SURE = 0.6
"""... unless its chance is this."""

DRY, FORECAST, OBSERVED = 0, 1, 2

Around = tuple[list[float] | None, float]
"""Rain and reach."""


class Channel(msgspec.Struct):
    """State of one metric. Times are epoch seconds, heights metres."""

    points: list[tuple[float, float]] = []
    base: float | None = None
    """The usual height: follows falling water soon, rising water slowly."""
    since: float = 0.0
    """When it was first heard."""
    above: int = 0
    """Readings in a row at or above the warning line."""
    peak: float = -math.inf
    rate: float = 0.0
    """m/s."""
    hit_at: float = -math.inf
    """When the last reading spoke of a flood (at, above, or soon reaching a line)."""
    forecast: Forecast | None = None
    chance: float | None = None
    """That the line is reached, where that is known."""
    surface: Surface = msgspec.field(default_factory=Surface)
    swings: Swings = msgspec.field(default_factory=Swings)
    crest: float = 0.0
    """How far above its usual height it came lately, told of, without overflowing ..."""
    crested: float = -math.inf
    """... and when that was over."""
    held: bool = False
    """The newest reading is doubted: water hardly does that ..."""
    doubt: tuple[float, float] | None = None
    """... and is this, until the next one says whether it was so."""
    low: float = math.inf
    high: float = -math.inf
    """Readings from `low` to below `high` ..."""
    newest: float = 0.0
    until: float = 0.0
    """... after `newest` and before `until` are put aside ..."""
    waiting: list[tuple[float, float]] = []
    """... here."""

    @property
    def value(self) -> float:
        """The newest reading that was believed."""
        return self.points[-1][1]

    def ends(self, t: float, view: View) -> None:
        """What it was told of is over: it is known how far it comes without harm, or nothing is."""
        came = self.peak - (self.base or 0.0)
        if self.peak >= view.top:
            self.crest = 0.0
        elif t - self.crested > CREST_S or came > self.crest:
            self.crest = came
        self.crested = t

    def came_before(self, t: float) -> bool:
        """Whether the newest water came as far lately without harm, and may well do so again."""
        if not self.crest or t - self.crested > CREST_S or (self.chance or 0.0) >= SURE:
            return False
        return self.value - (self.base or 0.0) < CREST_SHARE * self.crest

    def forget_newest(self) -> None:
        """The newest reading was a spike: nothing may be concluded from it."""
        if not self.held and len(self.points) > 1:
            del self.points[-1]
        self.low, self.high = math.inf, -math.inf
        self.above = 0
        self.hit_at = -math.inf

    def fold(
        self,
        t: float,
        v: float,
        view: View,
        cfg: FloodingConfig,
        around: Callable[[float], Around],
    ) -> int:
        """Take one reading; what it says: DRY, FORECAST or OBSERVED.

        `around` is asked at `t` when something is up: rain (means over `around.TAUS`, mm/h, None
        without a gauge) and the reach as in `forecast.street`. More than 1 of it is water on its
        way: then a leap is believed.
        """
        points, lines = self.points, view.lines
        gap = t - points[-1][0] if points else 0.0
        if gap < 0.0:
            return DRY
        self.held = self.surface.fold(t, v, FASTEST[view.metric]) == HELD and around(t)[1] <= 1.0
        if self.held and view.sewer and self._climbs(v):
            self.held = False
        if self.held and points:
            self.above, self.forecast = 0, None
            self.doubt = (t, v)
            return DRY
        if self.doubt is not None:
            if v > 0.5 * (self.doubt[1] + self.value):  # it was so: the leap is one step of many
                points.append(self.doubt)
            self.doubt = None
        if len(points) >= 2 and t - points[-2][0] < MIN_STEP_S:
            points[-1] = (t, v)
        else:
            points.append((t, v))
            if len(points) > CURVE:
                del points[:-CURVE]
        base = self.base
        if base is None:
            # A first reading above the line tells nothing of the usual height.
            self.base = base = min(v, 0.5 * lines.warn)
            self.since = t
        elif gap:
            # One wild reading must not move it; water above the warning line is not usual.
            slow = cfg.base_fall_s if v < base else cfg.base_s
            to = v if v < lines.warn else lines.warn
            if to > base + cfg.onset_m:
                slow = cfg.base_wet_s
            self.base = base = base + (to - base) * (gap / (gap + slow))
        self.above = self.above + 1 if v >= lines.warn else 0
        self.forecast = self.chance = None
        room = lines.close - base
        if view.sewer:
            self.swings.fold(t, v - base, room)
        if v < base + onset_of(room, view, cfg):
            self.rate = _step(points)
            return DRY
        says = self._judge(v, base, view, cfg, around(t))
        if says != DRY:
            self.hit_at = t
        return says

    def _climbs(self, v: float) -> bool:
        """Whether a manhole's doubted water goes on rising: what fell under a head lies still. A
        storm's second wave comes as fast as the first, which left doubt when it turned."""
        if self.doubt is None:
            if len(self.points) < 2:
                return False
            before, prior = self.points[-2][1], self.points[-1][1]
        else:
            before, prior = self.value, self.doubt[1]
        at_rest = self.surface.v if self.surface.v is not None else prior
        return prior > max(before, at_rest) and v - prior >= GOES_ON * (prior - before)

    def take(
        self,
        t: float,
        v: float,
        view: View,
        cfg: FloodingConfig,
        around: Callable[[float], Around],
    ) -> int:
        """Take one reading as `fold` does; one that is as the last ones were is put aside until
        they are absorbed, all at once."""
        if self.low <= v < self.high and self.newest < t < self.until and len(self.waiting) < MOST:
            self.waiting.append((t, v))
            self.newest = t
            return DRY
        if self.waiting:
            self.absorb(view, cfg)
        says = self.fold(t, v, view, cfg, around)
        self._settle(t, v, says, view, cfg)
        return says

    def absorb(self, view: View, cfg: FloodingConfig) -> None:
        """Take what was put aside: water that did not move, and was as low as ever."""
        waiting, points, surface = self.waiting, self.points, self.surface
        if not waiting:
            return
        values = [v for _, v in waiting]
        before, (t, v), count = points[-1], waiting[-1], len(values)
        gap, base, mean = t - before[0], self.base, sum(values) / count
        assert base is not None
        slow = cfg.base_fall_s if mean < base else cfg.base_s
        if mean > base + cfg.onset_m:
            slow = cfg.base_wet_s
        self.base = base = base + (mean - base) * (gap / (gap + slow))
        steps = abs(values[0] - before[1]) + sum(map(abs, map(sub, values[1:], values)))
        surface.calm(t, v, steps / count, count)
        if view.sewer:
            room, low, high = view.lines.close - base, min(values), max(values)
            turns = (low, high) if values.index(low) < values.index(high) else (high, low)
            for height in (*turns, v):
                self.swings.fold(t, height - base, room)
        if gap >= 2 * MIN_STEP_S * count:
            points.extend(waiting)
        else:
            for point in waiting:
                if len(points) >= 2 and point[0] - points[-2][0] < MIN_STEP_S:
                    points[-1] = point
                else:
                    points.append(point)
        del points[:-CURVE]
        self.rate = _step(points)
        self.waiting = []

    def _settle(self, t: float, v: float, says: int, view: View, cfg: FloodingConfig) -> None:
        """Between which heights, and until when, readings need no look: whatever the usual height
        comes to meanwhile, they are below what would be asked about, and no leap."""
        self.low, self.high, base = math.inf, -math.inf, self.base
        points = self.points
        if says != DRY or self.above or self.held or self.surface.reports or base is None:
            return
        if points[-1][0] != t:
            return
        low = v - STILL_M
        base = base if base < low else low
        most = base + onset_of(view.lines.close - base, view, cfg)
        for high in (v + STILL_M, view.lines.warn, view.most):
            most = most if most < high else high
        if most <= v:
            return
        gap = t - points[-2][0] if len(points) > 1 else 0.0
        ahead = CURVE * gap
        self.low, self.high, self.newest = low, most, t
        self.until = t + (ahead if ahead < BLOCK_S else BLOCK_S)

    def _judge(
        self,
        v: float,
        base: float,
        view: View,
        cfg: FloodingConfig,
        around: Around,
    ) -> int:
        rain, reach = around
        pace = paces(self.points)
        self.rate = pace[1]
        left = view.lines.close - v
        interval = self.points[-1][0] - self.points[-2][0] if len(self.points) > 1 else 0.0
        if view.sewer and self._leaps(v, base, left, around):
            return DRY
        if view.sewer:
            # Something that fell under the head lies still; water that leapt goes on rising.
            on = _step(self.points) >= GOES_ON * pace[0]
            if left > SPILL_M and on and not self.swings.usual(self.points[-1][0], v - base):
                self.chance = chance(v - base, left, pace, rain, view.lie)
                enough = cfg.chance if interval <= RARE_S else RARE_SHARE * cfg.chance
                if self.chance >= enough:
                    low, best, high = seconds(v - base, left, pace, rain, view.lie)
                    self.forecast = Forecast(best, low, high)
        elif left > 0:
            wait = cfg.fast_reports * interval
            told = street(self.points, base, view.lines.close, pace, reach, wait, cfg)
            if told is not None:
                self.forecast, self.chance = told
        if v >= view.top:
            return OBSERVED
        # Most manholes that fill to four fifths do not overflow: only a line the city drew counts.
        if self.above >= cfg.warn_readings and not (view.sewer and view.lines.source == "rim"):
            return OBSERVED
        return FORECAST if self.forecast is not None else DRY

    def _leaps(self, v: float, base: float, left: float, around: Around) -> bool:
        """Whether it leapt up from rest in one report though nothing speaks of water."""
        rain, reach = around
        if reach > 1.0 or (rain is not None and rain[3] >= WET_MM_H) or len(self.points) < 2:
            return False
        before, room = self.points[-2][1], left + v - base
        return v - before > LEAP_SHARE * room and before - base < LOW_SHARE * room


def onset_of(room: float, view: View, cfg: FloodingConfig) -> float:
    """How far above its usual height water is asked whether it will reach its line, `room` metres
    away."""
    if view.sewer:
        return max(FILLED_M, FILLED_SHARE * room)
    return cfg.onset_share * room


def _step(points: list[tuple[float, float]]) -> float:
    if len(points) < 2:
        return 0.0
    (t0, v0), (t1, v1) = points[-2:]
    return (v1 - v0) / max(t1 - t0, MIN_STEP_S)
