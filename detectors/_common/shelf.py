"""Readings of many channels that say nothing new, put aside as arrays until somebody asks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from contracts.rows import Bools, Floats, Ints, Rows

Number = TypeVar("Number", np.float64, np.intp)
ROOM: Final = 64
"""Readings that are put aside for one channel; with more it takes them itself."""
MOST: Final = 64
"""Readings that wait in a channel; with more it takes them in. Without a bound a quarter of an hour
of what comes stays in memory, 130 bytes for each reading."""


class Patient(Protocol):
    """A channel that says which readings may wait."""

    low: float
    high: float
    """Those from `low` to below `high`, ..."""
    newest: float
    """... after `newest` ..."""
    waiting: list[tuple[float, float]]
    """... wait here: (epoch seconds, value)."""


class Shelf:
    """Which readings may wait, of all channels at once, and those that do."""

    def __init__(self) -> None:
        self._channels: list[Patient] = []
        self._bounds: Floats = np.zeros((1, 4))
        """low, high, until, patience."""
        self._told: list[tuple[int, float, float, float, float, float]] = []
        """The slot, these, and its newest reading, where they were said anew."""
        self._newest: Floats = np.zeros(1)
        self._count: Ints = np.zeros(1, dtype=np.intp)
        self._room: Ints = np.zeros(1, dtype=np.intp)
        """How many may be put aside: all that wait are `MOST` at the most."""
        self._at: Floats = np.zeros((1, ROOM))
        self._values: Floats = np.zeros((1, ROOM))

    def __len__(self) -> int:
        return len(self._channels)

    def add(self, channel: Patient) -> int:
        """A place for another channel, of which nothing may wait yet; its number."""
        n = len(self._channels)
        self._channels.append(channel)
        if n == len(self._count):
            size = max(16, 2 * n)
            bounds = np.zeros((size, 4))
            bounds[:n] = self._bounds[:n]
            self._bounds = bounds
            self._newest, self._count = _longer(self._newest, size), _longer(self._count, size)
            self._room = _longer(self._room, size)
            self._at, self._values = _longer(self._at, size), _longer(self._values, size)
        self.refuse(n)
        return n

    def allow(
        self, slot: int, until: float, patience: float = math.inf, most: float = math.inf
    ) -> None:
        """Readings may wait as the channel says, below `most`, before `until` (epoch seconds) and
        each at most `patience` seconds after the one before it."""
        one = self._channels[slot]
        high = one.high if one.high < most else most
        room = MOST - len(one.waiting)
        self._room[slot] = room if room < ROOM else ROOM
        self._told.append((slot, one.low, high, until, patience, one.newest))

    def refuse(self, slot: int) -> None:
        """None may wait."""
        self._told.append((slot, math.inf, -math.inf, 0.0, 0.0, self._channels[slot].newest))

    def _take_in(self) -> None:
        """What was told of channels since: all at once, the last word of each counts."""
        told = np.array(self._told)
        self._told = []
        slots = told[:, 0].astype(np.intp)
        self._bounds[slots] = told[:, 1:5]
        self._newest[slots] = told[:, 5]

    def waits(self, slots: Ints, rows: Rows) -> Bools:
        """Which readings may wait, of channels `slots`, one for each row (-1: none), if all of the
        same channel do and are plain."""
        if self._told:
            self._take_in()
        low, high, until, patience = self._bounds.take(slots, axis=0).T
        before = np.where(rows.rank, rows.before, self._newest.take(slots))
        gap = rows.at - before
        told: Bools = (
            (low <= rows.values)
            & (rows.values < high)
            & (rows.at < until)
            & (gap > 0.0)
            & (gap <= patience)
            & (self._count.take(slots) + rows.rank < self._room.take(slots))
            & (slots >= 0)
        )
        return told

    def put(self, slots: Ints, rows: Rows, chosen: Bools) -> None:
        """Let them wait: of each channel all in these rows, or none."""
        some = slots[chosen]
        at, places = rows.at[chosen], self._count[some] + rows.rank[chosen]
        self._at[some, places], self._values[some, places] = at, rows.values[chosen]
        # of several of one channel the last counts
        self._newest[some] = at
        self._count[some] = places + 1

    def settle(self, slot: int) -> None:
        """Give a channel what waits for it."""
        count = int(self._count[slot])
        if not count:
            return
        one = self._channels[slot]
        at, values = self._at[slot, :count].tolist(), self._values[slot, :count].tolist()
        one.waiting.extend(zip(at, values, strict=True))
        one.newest = at[-1]
        self._count[slot] = 0

    def settle_all(self) -> None:
        """Give all what waits for them."""
        for slot in self._count.nonzero()[0].tolist():
            self.settle(slot)


class Routes:
    """A number for each key of a book (-1: none); grows with the book."""

    def __init__(self) -> None:
        self._of: Ints = np.zeros(0, dtype=np.intp)
        self.known = 0

    def fresh(self, rows: Rows) -> Sequence[tuple[int, str, str]]:
        """Keys that were never asked about: number, device, metric."""
        if self.known == len(rows.names):
            return ()
        new = [(n, *rows.names[n]) for n in range(self.known, len(rows.names))]
        self.known = len(rows.names)
        if self.known > len(self._of):
            of = np.full(2 * self.known, -1, dtype=np.intp)
            of[: len(self._of)] = self._of
            self._of = of
        return new

    def set(self, key: int, number: int) -> None:
        """Say whose it is."""
        self._of[key] = number

    def of(self, rows: Rows) -> Ints:
        """For each row."""
        told: Ints = self._of[rows.keys]
        return told


def _longer(some: NDArray[Number], size: int) -> NDArray[Number]:
    longer = np.zeros((size, *some.shape[1:]), dtype=some.dtype)
    longer[: len(some)] = some
    return longer
