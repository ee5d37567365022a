"""One hydrant's pressure gauge: its daily profile, and whether it stands low."""

from __future__ import annotations

import math
from statistics import median

import msgspec

from detectors.hydrant_no_pressure.config import HydrantConfig

CURVE = 60
MIN_STEP_S = 20.0
TRUE_KPA = (-50.0, 2500.0)
"""Outside of this no town main is: a broken gauge."""

EARLY = 5
"""Readings whose median the first level is: one of them may be a water hammer."""

OK, PENDING, DOWN = 0, 1, 2


class Gauge(msgspec.Struct):
    """State of one hydrant. Times are epoch seconds, pressures kPa."""

    hours: list[float] = msgspec.field(default_factory=lambda: [0.0] * 24)
    weight: list[float] = msgspec.field(default_factory=lambda: [0.0] * 24)
    """Seconds that each hour's mean stands for."""
    early: list[float] = []
    level: float | None = None
    """The first day's running mean of what is usual; None: it has never had pressure."""
    noise: float = 5.0
    """Mean absolute deviation from the profile."""
    first: float | None = None
    last: float = -math.inf
    pause: float = 0.0
    value: float = 0.0
    curve: list[tuple[float, float]] = []
    stands: int = OK
    since: float = 0.0
    """First low reading."""
    count: int = 0
    """Low readings in a row."""
    usual: float = 0.0
    """What was usual when it began."""
    step: float = 0.0
    """Largest fall from one report to the next since it began."""
    lowest: float = 0.0
    zeros: int = 0
    """Low readings of exactly nothing."""
    sagging: float | None = None
    """Since when it is lower than usual at all."""
    sags: int = 0
    """Readings since then."""
    back: float | None = None
    backs: int = 0
    battery: float | None = None
    temperature: float | None = None

    def steady(self) -> float:
        """The newest pressure, and no single reading's: median of three."""
        return median(v for _, v in self.curve[-3:])

    def expected(self, t: float) -> float | None:
        """What is usual at this hour; None: nobody knows."""
        hour = int(t // 3600) % 24
        if self.weight[hour] >= 900.0:
            return self.hours[hour]
        return self.level

    def limit(self, usual: float, cfg: HydrantConfig) -> float:
        """By how much it must fall to have fallen."""
        return max(cfg.fall_kpa, cfg.fall_share * usual, cfg.fall_noise * self.noise)

    def learning(self, t: float, cfg: HydrantConfig) -> bool:
        """Whether the daily profile is still young."""
        return self.first is None or t - self.first < cfg.learn_s

    def fold(self, t: float, v: float, cfg: HydrantConfig) -> int:
        """Take one reading: OK, PENDING or DOWN."""
        since = t - self.last if self.first is not None else 0.0
        if self.first is None:
            self.first = t
        elif since > 0:
            self.pause += (since - self.pause) * (0.2 if self.pause else 1.0)
        before = self.value if since else v
        self.last, self.value = t, v
        curve = self.curve
        if len(curve) >= 2 and t - curve[-2][0] < MIN_STEP_S:
            curve[-1] = (t, v)
        else:
            curve.append((t, v))
            if len(curve) > CURVE:
                del curve[0]
        # `expected`, written out: this is the path of every reading
        hour = int(t // 3600) % 24
        usual = self.hours[hour] if self.weight[hour] >= 900.0 else self.level
        if self.stands == OK and usual is not None and v >= cfg.min_kpa:
            fall = usual - v
            if fall < cfg.sag_share * cfg.fall_kpa:
                self.sagging = None
                self._learn(hour, usual, v, since, cfg)
                return OK
        return self._judge(t, v, usual, before, since, hour, cfg)

    def _judge(
        self,
        t: float,
        v: float,
        usual: float | None,
        before: float,
        since: float,
        hour: int,
        cfg: HydrantConfig,
    ) -> int:
        if usual is not None and len(self.early) < 3:
            usual = None  # two readings are no habit
        limit = self.limit(usual, cfg) if usual is not None else cfg.fall_kpa
        fall = usual - v if usual is not None else 0.0
        low = v < cfg.min_kpa or fall >= limit
        if self.stands == DOWN:
            return self._return(t, v, fall, limit, cfg)
        if fall < cfg.sag_share * limit and not low:
            self.sagging = None
        elif self.sagging is None:
            self.sagging, self.sags = t, 1
        else:
            self.sags += 1
        if not low:
            self.stands, self.count = OK, 0
            if fall < limit:
                self._learn(hour, usual if usual is not None else v, v, since, cfg)
            return OK
        if self.stands == OK:
            self.stands, self.since, self.count = PENDING, t, 0
            self.usual = usual if usual is not None else 0.0
            self.step, self.lowest, self.zeros = 0.0, v, 0
        self.count += 1
        self.step = max(self.step, before - v)
        self.lowest = min(self.lowest, v)
        self.zeros += v == 0.0
        hold = cfg.hold_s if v < cfg.min_kpa else cfg.hold_fall_s
        rare = self.pause > cfg.rare_s and v < cfg.min_kpa
        if rare or (self.count >= cfg.hold_readings and t - self.since >= hold):
            self.stands, self.back, self.backs = DOWN, None, 0
        return self.stands

    def _return(self, t: float, v: float, fall: float, limit: float, cfg: HydrantConfig) -> int:
        """It stands low: is it back?"""
        if v < cfg.back_kpa * cfg.min_kpa or fall >= cfg.back_share * limit:
            self.back = None
            self.count += 1
            self.lowest = min(self.lowest, v)
            self.zeros += v == 0.0
            if v >= cfg.min_kpa and t - self.since >= cfg.adopt_s:
                self.anew(v)
            return self.stands
        if self.back is None:
            self.back, self.backs = t, 0
        self.backs += 1
        if self.backs >= cfg.hold_readings and t - self.back >= cfg.back_s:
            self.let_go()
        return self.stands

    def let_go(self) -> None:
        """It no longer stands low, as far as anybody knows."""
        self.stands, self.count, self.sagging = OK, 0, None

    def anew(self, v: float) -> None:
        """The zone is run at another pressure now: learn its profile from here."""
        self.weight = [0.0] * 24
        self.early, self.level, self.first = [v], v, self.last
        self.let_go()

    def _learn(self, hour: int, usual: float, v: float, since: float, cfg: HydrantConfig) -> None:
        """A reading that is usual. What is far off (water hammer) moves the profile little."""
        if self.level is None or len(self.early) < EARLY:
            self.early.append(v)
            self.level = median(self.early)
            return
        off, most = v - usual, 4.0 * self.noise + 5.0
        size = off if off >= 0.0 else -off
        if size > most:
            off, size = (most if off > 0.0 else -most), most
        span = since if since < 3600.0 else 3600.0
        if span <= 0.0:
            return
        self.noise += (size - self.noise) * (span / (span + cfg.profile_s))
        to = usual + off - self.level
        slow = cfg.level_s if to >= 0.0 else cfg.level_fall_s
        self.level += to * (span / (span + slow))
        weight = self.weight[hour]
        mean = self.hours[hour] if weight else usual
        self.hours[hour] = mean + (usual + off - mean) * (span / (span + weight))
        self.weight[hour] = min(weight + span, cfg.profile_s)
