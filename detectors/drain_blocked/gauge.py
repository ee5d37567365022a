"""One level sensor: its usual level, and whether it stands above or below it for good."""

from __future__ import annotations

import math

import msgspec

from detectors.drain_blocked.config import DrainBlockedConfig
from detectors.drain_blocked.flow import carried, level_at

CURVE = 72
CURVE_STEP_S = 300.0
COURSE, COURSE_STEP_S = 48, 280.0
"""Four hours of every look in calm times."""
LEAP_M = 0.05
"""A step between two readings from which a fault is possible: waves are smaller."""
PRIOR = 0.02
"""Weight of what the register says of `follows`, in squared logarithms: a variation by 15 %."""
RISE_S = 1500.0
TRICKLE = -5.0
"""Of less (logarithm of the full pipe's flow) no ratio can be told: millimetres."""
LEAN_S = 1200.0
FROM = 0.8
"""From this share of the band on a difference speaks, by its square: the log-likelihood of a normal
spread."""
MOST, MOST_WET = 1.2, 2.5
"""... and up to so many times the band: in dry weather a gush is far off, too, and soon over; in
rain it takes long to be believed."""
MEMORY_S = 43_200.0
NEXT = 0.9
"""What is left of the usual spacing, and of a leap, with each further reading."""
BOTTOM_M, OVER_M = -0.1, 1.5
"""A level below the invert by more is none: an error code, or a head that points elsewhere. Water
over the road stands at most so high."""
PRESSED_M = 10.0
"""Under a bolted cover water presses higher by up to this much: taken as standing at `top`. More is
an error code."""
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
    ebb: float = 0.0
    """How much of the last rain may still be on its way: 1 while it rains, then less and less."""


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
    weight: float = 0.0
    """Of what speaks for `trend` since then (seconds at the band's edge)."""
    middle: float = 0.0
    """Logarithm of the flow that was to be expected with the newest reading."""
    lean: float = 0.0
    """`flow` over what was expected, of the last half hour."""
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
    follows: float = 1.0
    """By how much this sensor follows the common rhythm: 1 like the others, 0 not at all (it
    stands in the backwater of a pump's well or an outfall)."""
    curve: list[tuple[float, float]] = []
    course: list[tuple[float, float, float]] = []
    """(epoch seconds, `value`, `middle`) of the last hours."""

    def expected(self, sky: Sky) -> float:
        """The level to be expected now (metres)."""
        return level_at((self.usual or 0.0) + self.follows * sky.factor, self.height)

    def ratio(self) -> float:
        """Logarithm of the flow now over the usual one."""
        return self.flow - (self.usual or 0.0)

    def stiffens(self, stiff: bool) -> None:
        """What the register says of it: whether it stands in backwater."""
        if stiff != self.stiff:
            self.stiff = stiff
            self._follow()

    def _follow(self) -> None:
        found = (self.shared + (0.0 if self.stiff else PRIOR)) / (self.varied + PRIOR)
        self.follows = 0.0 if found < 0.0 else found if found < 1.5 else 1.5

    @property
    def excess(self) -> float:
        """The newest reading over what was expected with it (metres)."""
        return self.value - level_at(self.middle, self.height)

    def differences(self, newest: int = COURSE) -> list[tuple[float, float]]:
        """(epoch seconds, metres over what was expected) of the last hours."""
        return [(t, v - level_at(m, self.height)) for t, v, m in self.course[-newest:]]

    @property
    def usual_m(self) -> float:
        """The usual level in dry weather (metres)."""
        return level_at(self.usual or 0.0, self.height)

    @property
    def stuck(self) -> bool:
        """Whether it repeats itself although it used to move."""
        return self.same >= SAME and self.moves >= SAME

    def fold(
        self, rows: list[tuple[float, float]], sky: Sky, blind: bool, cfg: DrainBlockedConfig
    ) -> None:
        """Take the readings since the last look, (epoch seconds, metres) in order of time: every
        one for how this sensor moves, their newest for where it stands."""
        at, before, last, top, fresh = self.at, 0.0, self.last, self.top, 0
        if last:
            before = last[-1]
        for t, told in rows:
            if t <= at or not BOTTOM_M <= told <= top + PRESSED_M:
                continue
            v = told if told < top else top
            if last:
                step = v - before
                if step == 0.0 and v < top:
                    self.same += 1
                else:
                    self.same, self.moves = 0, self.moves + 1
                    size = step if step > 0.0 else -step
                    if size > LEAP_M and size > abs(self.leap):
                        self.leap, self.leap_from = step, before
            else:
                self.first = t
            at, before = t, v
            last.append(v)
            fresh += 1
        if not fresh:
            return
        gap = at - self.at
        if len(last) > fresh:
            each = gap / fresh
            keep = NEXT if fresh == 1 else NEXT**fresh
            self.every_s += ((each if each < 3600.0 else 3600.0) - self.every_s) * (1.0 - keep)
        gap = gap if self.count else 60.0
        self.at = at
        if len(last) > 3:
            del last[:-3]
        self.value = value = sorted(last)[len(last) // 2]
        curve = self.curve
        if not curve or at - curve[-1][0] >= CURVE_STEP_S:
            curve.append((at, before))
            del curve[:-CURVE]
        self.flow = flow = carried(value, self.height)
        if self.usual is None:
            self.usual = self.before = flow
        self.before += (flow - self.before) * -math.expm1(-gap / RISE_S)
        follows = self.follows
        self._judge(at, sky, blind, cfg, self.usual + follows * sky.factor, gap)
        course = self.course
        if not course or at - course[-1][0] >= COURSE_STEP_S:
            course.append((at, value, self.middle))
            if len(course) > COURSE:
                del course[0]
        if self.trend == 0 and self.sign == 0:
            self.leap *= NEXT if fresh == 1 else NEXT**fresh
        self._learn(at, gap, sky, cfg, follows)

    def _judge(
        self, t: float, sky: Sky, blind: bool, cfg: DrainBlockedConfig, middle: float, gap: float
    ) -> None:
        self.middle = middle
        off = self.flow - middle
        self.lean += (off - self.lean) * -math.expm1(-gap / LEAN_S)
        size = off if off >= 0.0 else -off
        wet, spread, ebb = sky.wet, self.spread, sky.ebb
        if wet:
            most = sky.spread if sky.spread > cfg.wet_spread else cfg.wet_spread
            band = cfg.sigmas * cfg.wet_factor * (spread if spread > most else most)
        else:
            most = cfg.dry_spread + ebb * (cfg.wet_spread - cfg.dry_spread)
            most = sky.spread if sky.spread < most else most
            band = cfg.sigmas * (spread if spread > most else most)
        if not sky.known:
            band += cfg.unknown_band
        # What stands ends at half the difference that began it; what begins counts from `FROM` on.
        edge = (0.5 if self.sign else FROM if wet else 1.0) * band
        trend = 0
        if wet and off > 0.0 and (sky.factor > cfg.full_factor or middle < TRICKLE):
            size = 0.0  # all run full now; or nobody knows what rain brings to a pipe that was dry
        # Only one that is far off is worth the rest; where rain falls and no common rhythm is
        # known, whether it is more than the rain brings nobody can tell.
        if size > edge and (sky.known or not wet):
            young = cfg.young_band / (1.0 + (t - self.first) / 3600.0)
            band, edge = band + young, edge + young
            least = cfg.wet_least_m if wet and off > 0.0 else cfg.least_m + ebb * cfg.ebb_least_m
            least = 0.5 * least if self.sign else least
            if size > edge and (off > 0.0 or (sky.known and not wet)):
                excess = self.excess
                if (excess if off > 0.0 else -excess) > least:
                    trend = 1 if off > 0.0 else -1
        if trend != self.trend:
            self.trend, self.since, self.streak, self.weight = trend, t, 0, 0.0
        elif trend:
            share, most = size / band, MOST_WET if wet else MOST
            share = share if share < most else most
            self.weight += gap * share * share
        self.streak += 1
        if trend != self.sign:
            hold = cfg.wet_hold_s if wet else cfg.blind_hold_s if blind else cfg.hold_s
            lasts = self.weight >= hold if trend else t - self.since >= cfg.clear_s
            if lasts and (self.streak >= cfg.hold_readings or trend == 0):
                self.sign = trend

    def _learn(
        self, t: float, gap: float, sky: Sky, cfg: DrainBlockedConfig, follows: float
    ) -> None:
        assert self.usual is not None
        span = gap if gap < 3600.0 else 3600.0
        ratio, wet = self.flow - self.usual, sky.wet
        if sky.known and not wet and -1.0 < ratio < 1.0:
            keep = math.exp(-span / MEMORY_S)
            factor = (1.0 - keep) * sky.factor
            self.shared = keep * self.shared + factor * ratio
            self.varied = keep * self.varied + factor * sky.factor
            self._follow()
            follows = self.follows
        young = self.count < 30 and t - self.first < cfg.young_s
        if (self.trend or wet) and not young:
            return
        off, spread = ratio - follows * sky.factor, self.spread
        size = off if off >= 0.0 else -off
        if size > 3.0 * spread and not young:
            return
        self.count += 1
        share = -math.expm1(-span / cfg.learn_s)
        least = 1.0 / (1 + self.count) if self.count < 1000 else 1.0 / 1001
        share = share if share > least else least
        self.usual += share * off
        slow, least = 0.5 * share, 0.5 / (1 + self.count)
        size *= 1.25
        self.spread = spread + ((size if size < 0.7 else 0.7) - spread) * (
            slow if slow > least else least
        )
