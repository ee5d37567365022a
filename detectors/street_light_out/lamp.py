"""One lamp: what it draws at which half hour of the night, and whether it does so now."""

from __future__ import annotations

import math

import msgspec

from detectors.street_light_out.config import LightConfig
from detectors.street_light_out.sun import SLOTS

CURVE = 72
MOST_DROPS = 8
OK, OUT, WEAK, BY_DAY = 0, 1, 2, 3


class Lamp(msgspec.Struct):
    """State of one lamp. Times are epoch seconds, values amperes, watts or lux."""

    metric: str = ""
    usual: list[float] = msgspec.field(default_factory=lambda: [0.0] * SLOTS)
    seen: list[int] = msgspec.field(default_factory=lambda: [0] * SLOTS)
    """Nights (or days) in which that half hour was heard."""
    of: list[int] = msgspec.field(default_factory=lambda: [-1] * SLOTS)
    """The last of them."""
    peak: float = 0.0
    """What it draws at its brightest."""
    value: float = 0.0
    last: float = -math.inf
    pause: float = 0.0
    ratio: float = 1.0
    """Of its newest value to what is usual then."""
    stands: int = OK
    since: float = 0.0
    """First report that says so."""
    count: int = 0
    lit: int = 0
    """Reports in a row that it burns when it should."""
    off: int = 0
    """Reports in a row by day that it does not."""
    drops: list[float] = []
    """When it went out while it should burn."""
    lux: float | None = None
    lux_at: float = -math.inf
    lux_lit: float = 0.0
    """Usual light when it burns."""
    first: float = math.inf
    curve: list[tuple[float, float]] = []

    def hear(self, t: float, v: float) -> None:
        """Keep the newest value."""
        self.first = min(self.first, t)
        since = t - self.last
        if 0.0 < since < 1e6:
            self.pause += (since - self.pause) * (0.1 if self.pause else 1.0)
        self.last, self.value = t, v
        curve = self.curve
        curve.append((t, v))
        if len(curve) > CURVE:
            del curve[0]

    def learn(self, k: int, night: int, v: float, cfg: LightConfig) -> None:
        """A value that is usual at half hour `k`: the most of each night counts."""
        if self.seen[k] and self.of[k] == night:
            if v > self.usual[k]:
                self.usual[k] += (v - self.usual[k]) / min(self.seen[k], cfg.memory)
        else:
            self.of[k] = night
            seen = self.seen[k] = self.seen[k] + 1
            self.usual[k] += (v - self.usual[k]) / min(seen, cfg.memory)
        self.peak = max(self.peak, self.usual[k])

    def should(self, k: int, cfg: LightConfig) -> bool | None:
        """Whether it usually burns then; None: not known yet."""
        if self.seen[k] < cfg.nights:
            return None
        return self.usual[k] >= cfg.should_share * self.peak and self.peak > self.floor(cfg)

    def floor(self, cfg: LightConfig) -> float:
        """Below this nothing burns."""
        return cfg.floor if self.metric == "lamp_current" else 100.0 * cfg.floor

    def mark(self, stands: int, t: float) -> None:
        """What the newest report says."""
        if stands == self.stands:
            self.count += 1
            return
        self.stands, self.since, self.count = stands, t, 1

    def shines(self, t: float) -> bool:
        """Its own light sensor saw it burn just now."""
        return (
            self.lux is not None
            and abs(t - self.lux_at) <= max(self.pause, 60.0)
            and self.lux >= max(0.5 * self.lux_lit, 3.0)
        )

    def anew(self) -> None:
        """What was learned holds no more."""
        self.seen = [0] * SLOTS
        self.of = [-1] * SLOTS
        self.usual = [0.0] * SLOTS
        self.peak = 0.0
        self.stands, self.count = OK, 0
