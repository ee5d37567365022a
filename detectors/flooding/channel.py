"""One water metric of one sensor: how high, how fast, and when it reaches its line."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from detectors._common.water.plausible import FASTEST, HELD, Surface, calmed
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
GOES_ON = 0.2
"""The newest step must still be this share of the pace of two minutes."""

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
    held: bool = False
    """The newest reading is doubted: water hardly does that ..."""
    doubt: tuple[float, float] | None = None
    """... and is this, until the next one says whether it was so."""

    @property
    def value(self) -> float:
        """The newest reading that was believed."""
        return self.points[-1][1]

    def forget_newest(self) -> None:
        """The newest reading was a spike: nothing may be concluded from it."""
        if not self.held and len(self.points) > 1:
            del self.points[-1]
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
        onset = max(cfg.onset_share * room, min(cfg.onset_m, room / 3))
        if view.sewer:
            onset = max(FILLED_M, FILLED_SHARE * room)
            self.swings.fold(t, v - base, room)
        if v < base + onset:
            self.rate = _step(points)
            return DRY
        says = self._judge(v, base, view, cfg, around(t))
        if says != DRY:
            self.hit_at = t
        return says

    def calm(self, at: list[float], values: list[float], view: View, cfg: FloodingConfig) -> int:
        """Fold readings from the front as `fold` does, as long as they are DRY and water moves as
        it always does; how many. What comes from around is not asked of these."""
        points, surface, swings = self.points, self.surface, self.swings
        base, last, t0, done = self.base, surface.v, 0.0, 0
        if base is None or last is None or surface.reports or self.doubt is not None or not points:
            return 0
        warn, close, most, sewer = view.lines.warn, view.lines.close, view.most, view.sewer
        noise, small, t0 = surface.noise, surface.small, points[-1][0]
        for t, v in zip(at, values, strict=True):
            gap = t - t0
            size = v - last if v >= last else last - v
            if size > small or v >= warn or v > most or gap < 0.0:
                break
            usual = base
            if gap:
                slow = cfg.base_fall_s if v < base else cfg.base_s
                if v > base + cfg.onset_m:
                    slow = cfg.base_wet_s
                usual = base + (v - base) * (gap / (gap + slow))
            room = close - usual
            if v >= usual:
                if sewer:
                    onset = max(FILLED_M, FILLED_SHARE * room)
                else:
                    onset = max(cfg.onset_share * room, min(cfg.onset_m, room / 3))
                if v >= usual + onset:
                    break
            elif room <= 0.0:
                break
            noise, small = calmed(noise, size)
            if sewer:
                swings.fold(t, v - usual, room)
            if gap < MIN_STEP_S and len(points) >= 2 and t - points[-2][0] < MIN_STEP_S:
                points[-1] = (t, v)
            else:
                points.append((t, v))
            base, last, t0 = usual, v, t
            done += 1
        if done:
            del points[:-CURVE]
            self.base, self.held, self.above = base, False, 0
            self.forecast = self.chance = None
            self.rate = _step(points)
            surface.t, surface.v, surface.noise, surface.small = t0, last, noise, small
        return done

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
            self.forecast = street(left, pace, reach, cfg.fast_reports * interval, cfg)
        if v >= view.top:
            return OBSERVED
        # Most manholes that fill to four fifths do not overflow: only a line the city drew counts.
        if self.above >= cfg.warn_readings and not (view.sewer and view.lines.source == "rim"):
            return OBSERVED
        return FORECAST if self.forecast is not None else DRY


def _step(points: list[tuple[float, float]]) -> float:
    if len(points) < 2:
        return 0.0
    (t0, v0), (t1, v1) = points[-2:]
    return (v1 - v0) / max(t1 - t0, MIN_STEP_S)
