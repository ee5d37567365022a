"""Readings as arrays: what all detectors of a kind fold many at once of (`Many`).

Made once of a batch and shared by all kinds. Devices and metrics are numbers in it, so that each
kind finds its own in one step for all readings, however few each sensor sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter, sub
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
        received = self.received
        if received.max() - received.min() < seconds:
            return self
        over = np.flatnonzero(received >= received.min() + seconds)
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
        n = len(readings)
        try:
            keys = self._keys(readings)
        except KeyError:
            self._learn(readings)
            keys = self._keys(readings)
        at = np.fromiter(map(_seconds, map(_at, readings)), np.float64, n)
        received = np.fromiter(map(_seconds, map(_received_at, readings)), np.float64, n)
        order = keys.argsort(kind="stable")
        ranked = keys[order]
        again = (ranked[1:] == ranked[:-1]).nonzero()[0]
        before = np.full(n, -np.inf)
        rank = np.zeros(n, dtype=np.intp)
        if len(again):
            later = order[again + 1]
            before[later] = at[order[again]]
            begins = np.arange(n)
            begins[again + 1] = 0
            rank[order] = np.arange(n) - np.maximum.accumulate(begins)
        odd = at <= before
        if any(map(_quality, readings)):
            odd |= np.fromiter(map(_quality, readings), np.intp, n) != 0
        plain = ~_any(odd, keys)
        late = _late(readings)
        return Rows(
            self.names,
            readings,
            keys,
            at,
            np.fromiter(map(_value, readings), np.float64, n),
            received,
            plain,
            plain if late is None else plain & ~_any(late, keys),
            before,
            rank,
        )

    def _keys(self, readings: Sequence[Reading]) -> Ints:
        """KeyError: one of them was never seen."""
        numbers = map(self._numbers.__getitem__, map(_key, readings))
        return np.fromiter(numbers, np.intp, len(readings))

    def _learn(self, readings: Iterable[Reading]) -> None:
        for key in map(_key, readings):
            if key not in self._numbers:
                self._numbers[key] = len(self.names)
                self.names.append(key)


_key = attrgetter("device", "metric")
_at, _received_at, _sent_at = attrgetter("at"), attrgetter("received_at"), attrgetter("sent_at")
_value, _quality = attrgetter("value"), attrgetter("quality")
_seconds = datetime.timestamp


def _any(odd: Bools, keys: Ints) -> Bools:
    """Where anything of the same key is odd."""
    if not np.count_nonzero(odd):
        return odd
    some = np.zeros(int(keys.max()) + 1, dtype=bool)
    some[keys[odd]] = True
    told: Bools = some[keys]
    return told


def _late(readings: Sequence[Reading]) -> Bools | None:
    """Which came late or early; None: no one, as a rule."""
    try:
        lags = list(map(sub, map(_received_at, readings), map(_sent_at, readings)))
    except TypeError:  # of some nobody knows when they were sent
        lags = [r.received_at - r.sent_at for r in readings if r.sent_at is not None]
    if not lags or (max(lags) <= BEHIND and min(lags) >= EARLY):
        return None
    return np.array(
        [
            r.sent_at is not None and not EARLY <= r.received_at - r.sent_at <= BEHIND
            for r in readings
        ]
    )
