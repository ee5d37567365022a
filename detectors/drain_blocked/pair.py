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


class Bond(msgspec.Struct, frozen=True):
    """What the register says of a pair."""

    drop_m: float | None
    """Fall of the invert from the upper to the lower sensor."""
    lag_s: float
    """What water takes from one to the other."""
    share: float
    """Share of the lower one's manholes that drain through the upper one."""


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
        t = max(up.at, down.at)
        gap = min(t - self.at, 3600.0) if self.count else 60.0
        self.at = t
        loose = min(up.follows, down.follows) < (TIGHT if self.loose else LOOSE)
        if loose != self.loose:
            self.loose, self.count, self.mean = loose, 0, 0.0
            self.spread = 0.02 if loose else 0.15
        z = (up.value - down.value if loose else up.ratio() - down.ratio()) - self.mean
        young = cfg.young_band / (1.0 + (t - max(up.first, down.first)) / 3600.0)
        if not self.count:
            trend = 0
        elif loose:
            band = max(cfg.least_rise_m, cfg.sigmas * self.spread) + 0.1 * young
            band *= 0.5 if self.sign else 1.0
            both = max(up.follows, down.follows) < TIGHT  # else one tells flow, the other none
            calm = both and not sky.wet and self.count >= YOUNG
            trend = int(z > band) if calm else 0
        else:
            band = max(cfg.least_band, cfg.sigmas * self.spread) + young
            band += cfg.wet_band + sky.spread if sky.wet else 0.0
            least = cfg.least_m
            if self.sign:  # what stands ends at half the difference that began it
                band, least = 0.5 * band, 0.5 * least
            # While the morning or a shower comes down the main the upper one is ahead of the lower.
            band += 2 * abs(down.flow - down.before) * bond.lag_s / RISE_S
            odd = abs(z) > band
            trend = self._shows(z, up, down, bond, sky.wet, least) if odd else 0
        self._hold(t, trend, sky, cfg)
        if not trend and not sky.wet:
            self._learn(z, gap, cfg)

    def _hold(self, t: float, trend: int, sky: Sky, cfg: DrainBlockedConfig) -> None:
        if trend != self.trend:
            self.trend, self.since, self.streak = trend, t, 0
        self.streak += 1
        if trend != self.sign:
            hold = cfg.clear_s if trend == 0 else cfg.wet_hold_s if sky.wet else cfg.hold_s
            # either of the two may have sent what is looked at
            if t - self.since >= hold and (trend == 0 or self.streak >= 2 * cfg.hold_readings):
                self.sign = trend

    def _learn(self, z: float, gap: float, cfg: DrainBlockedConfig) -> None:
        if abs(z) > 3 * self.spread and self.count >= YOUNG:
            return
        self.count += 1
        share = max(-math.expm1(-gap / cfg.learn_s), 1.0 / (1 + min(self.count, 1000)))
        self.mean += share * z
        self.spread += (min(1.25 * abs(z), 0.7) - self.spread) * share
        self.spread = max(self.spread, 0.005 if self.loose else 0.04)

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
