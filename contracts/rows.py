"""Readings as arrays: what all detectors of a kind fold many at once of (`Many`).

Made once of a batch and shared by all kinds. Devices and metrics are numbers in it, so that each
kind finds its own in one step for all readings, however few each sensor sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from operator import attrgetter
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.nouns import Reading

AHEAD: Final = timedelta(seconds=30)
BEHIND: Final = timedelta(seconds=120)
"""Radio networks and gateways deliver, and clocks that are set by the network agree, within these
bounds as a rule."""
EARLY: Final = -AHEAD
MOST: Final = 256
"""Readings of one batch: what follows one that must be looked at is looked at as well, and a town
of some hundred sensors says as much in a few minutes."""

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]
Key = tuple[str, str]
"""Device and metric."""


class Rows(msgspec.Struct, frozen=True, gc=False):
    """Readings in the order of receipt. All arrays have one length."""

    names: Sequence[Key]
    """Of all numbers so far, not only of those that are here; it grows from batch to batch."""
    readings: Sequence[Reading]
    keys: Ints
    """The number of each one's device and metric."""
    at: Floats
    """Epoch seconds."""
    values: Floats
    received: Floats
    """Epoch seconds."""
    plain: Bools
    """Nothing about any reading of this key was noticed: no mark of the screen, none out of order
    ..."""
    prompt: Bools
    """... and none that came later than `BEHIND` after or earlier than `AHEAD` before it was
    sent."""
    before: Floats
    """`at` of the one before of the same key in this batch; -inf: none."""
    rank: Ints
    """How many of the same key come before in this batch."""

    def within(self, seconds: float) -> Rows:
        """The first of them (one at least) that were received within so many seconds of each
        other: whoever asks in them to be woken that much after a receipt is woken after the last.
        """
        over = np.flatnonzero(self.received >= self.received.min() + seconds)
        if not len(over):
            return self
        cut = slice(max(int(over[0]), 1))
        return Rows(
            self.names,
            self.readings[cut],
            self.keys[cut],
            self.at[cut],
            self.values[cut],
            self.received[cut],
            self.plain[cut],
            self.prompt[cut],
            self.before[cut],
            self.rank[cut],
        )


class Book:
    """Numbers of devices and metrics, and rows written with them."""

    def __init__(self) -> None:
        self._numbers: dict[Key, int] = {}
        self.names: list[Key] = []

    def rows(self, readings: Sequence[Reading]) -> Rows:
        """At least one reading, and `MOST` at most for speed."""
        numbers = self._numbers
        try:
            keys = np.array([numbers[key] for key in map(_key, readings)])
        except KeyError:
            self._learn(readings)
            keys = np.array([numbers[key] for key in map(_key, readings)])
        at = np.array([r.at.timestamp() for r in readings])
        order = keys.argsort(kind="stable")
        ranked = keys[order]
        same = np.zeros(len(keys), dtype=bool)
        same[1:] = ranked[1:] == ranked[:-1]
        before = np.full(len(keys), -np.inf)
        rank = np.zeros(len(keys), dtype=np.intp)
        if same.any():
            early = at[order]
            again = np.flatnonzero(same)
            before[order[again]] = early[again - 1]
            begins = np.where(same, 0, np.arange(len(keys)))
            rank[order] = np.arange(len(keys)) - np.maximum.accumulate(begins)
        marked = np.array([r.quality for r in readings], dtype=bool)
        plain = ~_any(marked | (at <= before), keys)
        late = _late(readings)
        return Rows(
            self.names,
            readings,
            keys,
            at,
            np.array([r.value for r in readings]),
            np.array([r.received_at.timestamp() for r in readings]),
            plain,
            plain if late is None else plain & ~_any(late, keys),
            before,
            rank,
        )

    def _learn(self, readings: Iterable[Reading]) -> None:
        for key in map(_key, readings):
            if key not in self._numbers:
                self._numbers[key] = len(self.names)
                self.names.append(key)


_key = attrgetter("device", "metric")


def _any(odd: Bools, keys: Ints) -> Bools:
    """Where anything of the same key is odd."""
    if not odd.any():
        return odd
    some = np.zeros(int(keys.max()) + 1, dtype=bool)
    some[keys[odd]] = True
    told: Bools = some[keys]
    return told


def _late(readings: Iterable[Reading]) -> Bools | None:
    """Which came late or early; None: no one, as a rule."""
    lags = [r.received_at - r.sent_at for r in readings if r.sent_at is not None]
    if not lags or (max(lags) <= BEHIND and min(lags) >= EARLY):
        return None
    return np.array(
        [
            r.sent_at is not None and not EARLY <= r.received_at - r.sent_at <= BEHIND
            for r in readings
        ]
    )
