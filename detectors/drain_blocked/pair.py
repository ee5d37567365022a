"""Two sensors with the same water: the upper one's flow against the lower one's.

Whatever comes, rain or the morning, passes both; what blocks a pipe between them parts them: the
upper one rises, the lower one falls. So their difference is usual even when nothing else is.
"""

from __future__ import annotations

import math

import msgspec

from detectors.drain_blocked.config import DrainBlockedConfig
from detectors.drain_blocked.flow import level_at
from detectors.drain_blocked.gauge import RISE_S, Gauge, Sky

FULL = math.log(0.6)
"""From this share of its capacity on a pipe may stand full because so much comes."""


LOOSE, TIGHT = 0.5, 0.7
"""A sensor that follows the common rhythm less than this tells no flow: it stands in backwater;
until it follows by more than the second."""
YOUNG = 60
"""Looks before a pair's spread is trusted."""
ENOUGH = 0.3
"""Share of a sensor's water from which the rest of it can be told."""


PRESSED_M = 0.1
"""So far above the highest crown on the way, water presses (metres)."""
HALF = 0.7
"""What a pipe under pressure carries and what arrives differ by this (logarithm of flow: by half;
roughness, slope and level are each good to some 10-20 %)."""


class Bond(msgspec.Struct, frozen=True):
    """What the register says of a pair."""

    drop_m: float | None
    """Fall of the invert from the upper to the lower sensor."""
    lag_s: float
    """What water takes from one to the other."""
    share: float
    """Share of the lower one's manholes that drain through the upper one."""
    crown_m: float | None = None
    """Above the upper invert: the highest crown on the way. None: not enough is registered, or
    water may leave on the way."""
    least_log: float = 0.0
    """Logarithm of what the narrowest pipe on the way carries when full (m3/s)."""
    below_log: float = 0.0
    """The same of the pipe that leaves the lower sensor."""


class Pair(msgspec.Struct):
    """State of one pair.

    Where both follow the water, `mean` and `spread` are of the difference of the logarithms of
    flow; where one stands in backwater (`loose`), of the difference of levels in metres.
    """

    above: str
    below: str
    mean: float = 0.0
    spread: float = 0.15
    loose: bool = False
    count: int = 0
    trend: int = 0
    since: float = 0.0
    streak: int = 0
    sign: int = 0
    """+1: lastingly too high above for what comes below; -1: too low."""
    at: float = -math.inf

    def fold(self, up: Gauge, down: Gauge, bond: Bond, sky: Sky, cfg: DrainBlockedConfig) -> None:
        """Look at both as they are now."""
        t = up.at if up.at > down.at else down.at
        gap = t - self.at if self.count else 60.0
        self.at = t
        wet, follows, other = sky.wet, up.follows, down.follows
        if follows > other:
            follows, other = other, follows
        loose = follows < (TIGHT if self.loose else LOOSE)
        if loose != self.loose:
            self.loose, self.count, self.mean = loose, 0, 0.0
            self.spread = 0.02 if loose else 0.15
        z = (up.value - down.value if loose else up.ratio() - down.ratio()) - self.mean
        trend = 0
        if not self.count:
            pass
        elif loose:
            # else one tells flow, the other none
            if z > cfg.least_rise_m * 0.5 and other < TIGHT and not wet and self.count >= YOUNG:
                band = max(cfg.least_rise_m, cfg.sigmas * self.spread) + 0.1 * self._young(
                    t, up, down, cfg
                )
                trend = int(z > (0.5 * band if self.sign else band))
        else:
            band = cfg.sigmas * self.spread
            band = band if band > cfg.least_band else cfg.least_band
            size = z if z >= 0.0 else -z
            if size > 0.5 * band:  # less is never odd
                band += self._young(t, up, down, cfg)
                band += cfg.wet_band + sky.spread if wet else 0.0
                least = cfg.least_m
                if self.sign:  # what stands ends at half the difference that began it
                    band, least = 0.5 * band, 0.5 * least
                # While the morning or a shower comes down the main the upper one is ahead of the
                # lower.
                band += 2 * abs(down.flow - down.before) * bond.lag_s / RISE_S
                if size > band:
                    trend = self._shows(z, up, down, bond, wet, least)
        presses = bond.crown_m is not None and up.value > bond.crown_m
        presses = presses and self.pressed(up, down, bond)
        self._hold(t, 1 if presses else trend, sky.wet and not presses, cfg)
        if not trend and not presses and not wet:
            self._learn(z, gap if gap < 3600.0 else 3600.0, cfg)

    def _young(self, t: float, up: Gauge, down: Gauge, cfg: DrainBlockedConfig) -> float:
        return cfg.young_band / (1.0 + (t - max(up.first, down.first)) / 3600.0)

    @staticmethod
    def pressed(up: Gauge, down: Gauge, bond: Bond) -> bool:
        """Whether water presses on the way although little of what it presses through arrives.

        A pipe whose ends both lie under water that presses carries what it carries when full, or
        more; half of that below means that it does not.
        """
        if bond.crown_m is None or up.value < bond.crown_m + PRESSED_M:
            return False
        return down.value < down.height and bond.below_log + down.flow < bond.least_log - HALF

    def _hold(self, t: float, trend: int, wet: bool, cfg: DrainBlockedConfig) -> None:
        if trend != self.trend:
            self.trend, self.since, self.streak = trend, t, 0
        self.streak += 1
        if trend != self.sign:
            hold = cfg.clear_s if trend == 0 else cfg.wet_hold_s if wet else cfg.hold_s
            # either of the two may have sent what is looked at
            if t - self.since >= hold and (trend == 0 or self.streak >= 2 * cfg.hold_readings):
                self.sign = trend

    def _learn(self, z: float, gap: float, cfg: DrainBlockedConfig) -> None:
        spread, size = self.spread, z if z >= 0.0 else -z
        if size > 3 * spread and self.count >= YOUNG:
            return
        self.count += 1
        share = -math.expm1(-gap / cfg.learn_s)
        least = 1.0 / (1 + self.count) if self.count < 1000 else 1.0 / 1001
        share = share if share > least else least
        self.mean += share * z
        size *= 1.25
        spread += ((size if size < 0.7 else 0.7) - spread) * share
        least = 0.005 if self.loose else 0.04
        self.spread = spread if spread > least else least

    def _shows(self, z: float, up: Gauge, down: Gauge, bond: Bond, wet: bool, least: float) -> int:
        """The sign of a difference that is large enough in metres at either end; 0: it is not."""
        high = (up.usual or 0.0) + down.ratio() + self.mean
        low = (down.usual or 0.0) + up.ratio() - self.mean
        tells = bond.share >= ENOUGH  # a side branch says nothing of the main
        if z > 0:
            if down.value > down.height or high > FULL:
                return 0  # it stands full because so much comes, or backs up from further below
            back = down.value - bond.drop_m if bond.drop_m is not None else 0.0
            too_high = up.value - max(level_at(high, up.height), back)
            too_low = level_at(min(low, 0.0), down.height) - down.value if tells else 0.0
            return 1 if max(too_high, too_low) > least else 0
        tells = tells and not wet  # in rain the lower one has other water too
        too_high = down.value - level_at(min(low, 0.0), down.height) if tells else 0.0
        too_low = level_at(min(high, 0.0), up.height) - up.value
        return -1 if max(too_high, too_low) > least else 0
