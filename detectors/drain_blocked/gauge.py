"""One level sensor: its usual level, and whether it stands above or below it for good."""

from __future__ import annotations

import math

import msgspec

from detectors.drain_blocked.config import DrainBlockedConfig
from detectors.drain_blocked.flow import carried, level_at

CURVE = 72
CURVE_STEP_S = 300.0
LEAP_M = 0.05
"""A step between two readings from which a fault is possible: waves are smaller."""
PRIOR = 0.02
"""Weight of what the register says of `follows`, in squared logarithms: a variation by 15 %."""
RISE_S = 1500.0
MEMORY_S = 43_200.0
BOTTOM_M, OVER_M = -0.1, 1.5
"""A level below the invert by more, or above the rim by more, is none: error codes, or a head that
points elsewhere. Water over the road stands at most this high."""
SAME = 8
"""So many equal readings in a row from a sensor that otherwise moves: it is stuck."""


class Sky(msgspec.Struct):
    """What holds for all sensors now."""

    factor: float = 0.0
    """Logarithm of the flow over the usual one, of the whole network: daily rhythm, and rain."""
    spread: float = 0.0
    """How far sensors differ from it."""
    known: bool = False
    """Whether enough sensors were heard to tell it."""
    usual: float = 0.0
    """`factor` a while ago, to notice that it leaps as only rain makes it."""
    dry: float = 0.0
    """`factor` when it last was dry: it rains on until it is near that again."""
    wet: bool = False


class Gauge(msgspec.Struct):
    """State of one sensor. Times are epoch seconds, levels metres."""

    waiting: list[tuple[float, float]] = []
    """Readings since the last look."""
    at: float = -math.inf
    value: float = 0.0
    """Median of the newest three."""
    last: list[float] = []
    top: float = math.inf
    """Higher than this water cannot stand here (metres)."""
    height: float = 0.6
    """Of the pipe that leaves here (metres)."""
    flow: float = 0.0
    """Logarithm of what that pipe carries at `value`, over what it can."""
    before: float = 0.0
    """`flow` some half an hour ago."""
    usual: float | None = None
    """The same in dry weather, at the middle of the day's rhythm."""
    spread: float = 0.2
    """Usual spread of `flow` about what is expected."""
    count: int = 0
    """Readings learned from."""
    first: float = math.inf
    every_s: float = 60.0
    """Usual spacing of its readings."""
    sign: int = 0
    """+1 above, -1 below what is expected, lastingly."""
    trend: int = 0
    """The same for the newest reading."""
    since: float = 0.0
    """Begin of `trend`."""
    streak: int = 0
    excess: float = 0.0
    """The newest reading over what is expected."""
    calm_since: float = -math.inf
    leap: float = 0.0
    """The largest step since it was as usual."""
    leap_from: float = 0.0
    same: int = 0
    moves: int = 0
    stiff: bool = False
    """By the register: it stands far deeper than its share of the water explains."""
    shared: float = 0.0
    varied: float = 0.0
    """Second moments of the common factor with this sensor's flow, and with itself."""
    curve: list[tuple[float, float]] = []

    def expected(self, sky: Sky) -> float:
        """The level to be expected now (metres)."""
        return level_at((self.usual or 0.0) + self.follows * sky.factor, self.height)

    def ratio(self) -> float:
        """Logarithm of the flow now over the usual one."""
        return self.flow - (self.usual or 0.0)

    @property
    def follows(self) -> float:
        """By how much this sensor follows the common rhythm: 1 like the others, 0 not at all (it
        stands in the backwater of a pump's well or an outfall)."""
        before = 0.0 if self.stiff else 1.0
        found = (self.shared + PRIOR * before) / (self.varied + PRIOR)
        return min(max(found, 0.0), 1.5)

    def off(self, sky: Sky) -> float:
        """Logarithm of the flow now over what is to be expected."""
        return self.ratio() - self.follows * sky.factor

    @property
    def usual_m(self) -> float:
        """The usual level in dry weather (metres)."""
        return level_at(self.usual or 0.0, self.height)

    @property
    def stuck(self) -> bool:
        """Whether it repeats itself although it used to move."""
        return self.same >= SAME and self.moves >= SAME

    def fold(self, t: float, v: float, sky: Sky, blind: bool, cfg: DrainBlockedConfig) -> None:
        """Take one reading."""
        if t <= self.at or not BOTTOM_M <= v <= self.top:
            return
        gap = t - self.at if self.count else 60.0
        if self.last:
            step = v - self.last[-1]
            if step == 0.0:
                self.same += 1
            else:
                self.same, self.moves = 0, self.moves + 1
            if abs(step) > max(LEAP_M, abs(self.leap)):
                self.leap, self.leap_from = step, self.last[-1]
            self.every_s += (min(gap, 3600.0) - self.every_s) * 0.1
        else:
            self.first = t
        self.at = t
        self.last.append(v)
        del self.last[:-3]
        self.value = sorted(self.last)[len(self.last) // 2]
        if not self.curve or t - self.curve[-1][0] >= CURVE_STEP_S:
            self.curve.append((t, v))
            del self.curve[:-CURVE]
        self.flow = carried(self.value, self.height)
        if self.usual is None:
            self.usual = self.before = self.flow
        self.before += (self.flow - self.before) * -math.expm1(-gap / RISE_S)
        self._judge(t, sky, blind, cfg)
        self._learn(t, gap, sky, cfg)

    def _judge(self, t: float, sky: Sky, blind: bool, cfg: DrainBlockedConfig) -> None:
        assert self.usual is not None
        if sky.wet:
            band = cfg.sigmas * cfg.wet_factor * max(self.spread, sky.spread)
        else:
            band = cfg.sigmas * max(self.spread, min(sky.spread, cfg.dry_spread))
        least = cfg.least_m
        if self.sign:  # what stands ends at half the difference that began it
            band, least = 0.5 * band, 0.5 * least
        middle = self.usual + self.follows * sky.factor
        off = self.flow - middle
        if not sky.known:
            band += cfg.unknown_band
        band += cfg.young_band / (1.0 + (t - self.first) / 3600.0)
        self.excess = self.value - level_at(middle, self.height)
        trend = 0
        if sky.wet and not sky.known:
            pass  # whether it is more than the rain brings nobody can tell
        elif off > 0 and self.excess > least and off > band:
            trend = 1
        elif off < 0 and sky.known and -self.excess > least and -off > band:
            trend = -1
        if trend != self.trend:
            self.trend, self.since, self.streak = trend, t, 0
        self.streak += 1
        hold = cfg.wet_hold_s if sky.wet else cfg.blind_hold_s if blind else cfg.hold_s
        if trend != self.sign:
            lasts = t - self.since >= hold if trend else t - self.since >= cfg.clear_s
            if lasts and (self.streak >= cfg.hold_readings or trend == 0):
                self.sign = trend
        if trend == 0 and self.sign == 0:
            self.leap *= 0.9

    def _learn(self, t: float, gap: float, sky: Sky, cfg: DrainBlockedConfig) -> None:
        if sky.known and not sky.wet and abs(self.ratio()) < 1.0:
            keep = math.exp(-min(gap, 3600.0) / MEMORY_S)
            self.shared = keep * self.shared + (1 - keep) * sky.factor * self.ratio()
            self.varied = keep * self.varied + (1 - keep) * sky.factor**2
        young = t - self.first < cfg.young_s and self.count < 30
        if (self.trend or sky.wet) and not young:
            return
        assert self.usual is not None
        off = self.off(sky)
        if abs(off) > 3 * self.spread and not young:
            return
        self.count += 1
        share = max(-math.expm1(-min(gap, 3600.0) / cfg.learn_s), 1.0 / (1 + min(self.count, 1000)))
        self.usual += share * off
        slow = max(0.5 * share, 0.5 / (1 + self.count))
        self.spread += (min(1.25 * abs(off), 0.7) - self.spread) * slow
