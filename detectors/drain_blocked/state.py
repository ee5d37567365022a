"""What is known of a network: all state."""

from __future__ import annotations

import math
from datetime import datetime

import msgspec

from detectors._common.episode import Episode, Ledger
from detectors.drain_blocked.gauge import Gauge, Sky
from detectors.drain_blocked.pair import Pair
from detectors.drain_blocked.turns import TICK_S, Turns


class Open(msgspec.Struct):
    """A blockage that was published."""

    episode: Episode
    members: list[str]
    since: float
    published: float
    heard: datetime
    """Receipt of the newest reading."""
    pipes: list[tuple[str, float]] = []
    odds: float = 0.0
    """Log-odds of a blockage against sensor faults, as last told."""


class State(msgspec.Struct):
    """All state of one network."""

    ledger: Ledger
    gauges: dict[str, Gauge]
    sky: Sky
    turns: Turns = msgspec.field(default_factory=Turns)
    pairs: list[Pair] = []
    rain: list[tuple[float, float]] = []
    """Rain readings since the last look."""
    rained: float = -math.inf
    """When it last rained."""
    rain_heard: float = -math.inf
    looked: float = -math.inf
    """The last minute that was looked at."""
    step: float = TICK_S
    """Spacing of looks while something is up (seconds)."""
    reviewed: float = -math.inf
    judged: float = -math.inf
    signs: list[int] = []
    """Of gauges and pairs when it was last judged."""
    open: list[Open] = []
