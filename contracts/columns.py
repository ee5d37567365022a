"""Readings as columns: what a detector folds many at once of (`Detector.on_batch`).

Made once of a batch and shared by all detectors that fold the same metric of the same device.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from operator import sub
from typing import Final

import msgspec

from contracts.nouns import Reading

AHEAD: Final = timedelta(seconds=30)
BEHIND: Final = timedelta(seconds=120)
"""Radio networks and gateways deliver, and clocks that are set by the network agree, within these
bounds as a rule."""
EARLY: Final = -AHEAD


ALL: Final = 1 << 62
"""A place behind all others."""


class Column(msgspec.Struct, frozen=True, gc=False):
    """Readings of one metric of one device, in order. All sequences have one length."""

    device: str
    metric: str
    readings: list[Reading]
    at: list[float]
    """`at` in epoch seconds, ascending."""
    values: list[float]
    places: list[int]
    """The place of each in the batch, ascending."""
    plain: bool = True
    """Nothing about any of them was noticed: no mark of the screen, none that came later than
    `BEHIND` after or earlier than `AHEAD` before its own time, none out of order."""

    def upto(self, place: int) -> int:
        """How many of them come before that place."""
        places = self.places
        return len(places) if places[-1] < place else bisect_left(places, place)

    def between(self, begin: int, end: int) -> tuple[int, int]:
        """Which of them come at one place or later, and before another: for `part`."""
        return bisect_left(self.places, begin), bisect_left(self.places, end)

    def first(self, t: float, begin: int) -> int:
        """The first of them, from the `begin`th on, of that time or later (epoch seconds)."""
        at, k = self.at, begin
        if self.plain:
            return bisect_left(at, t, k)
        while k < len(at) and at[k] < t:
            k += 1
        return k

    def part(self, begin: int, end: int) -> Column:
        """From the `begin`th to before the `end`th of them."""
        if begin == 0 and end >= len(self.places):
            return self
        cut = slice(begin, end)
        parts = (self.readings[cut], self.at[cut], self.values[cut], self.places[cut])
        return Column(self.device, self.metric, *parts, self.plain)


def columns(readings: Iterable[Reading]) -> Mapping[tuple[str, str], Column]:
    """The columns of a batch, by device and metric."""
    found: dict[tuple[str, str], tuple[list[Reading], list[int]]] = {}
    get = found.get
    for place, reading in enumerate(readings):
        key = (reading.device, reading.metric)
        rows = get(key)
        if rows is None:
            found[key] = ([reading], [place])
        else:
            rows[0].append(reading)
            rows[1].append(place)
    return {key: _column(key, *rows) for key, rows in found.items()}


def _column(key: tuple[str, str], readings: list[Reading], places: list[int]) -> Column:
    device, metric = key
    if len(readings) == 1:
        (one,) = readings
        sent = one.sent_at
        plain = not one.quality and (sent is None or EARLY <= one.received_at - sent <= BEHIND)
        return Column(device, metric, readings, [one.at.timestamp()], [one.value], places, plain)
    at = [r.at.timestamp() for r in readings]
    values = [r.value for r in readings]
    plain = not max([r.quality for r in readings]) and min(map(sub, at[1:], at)) > 0.0
    if plain:
        lags = [r.received_at - r.sent_at for r in readings if r.sent_at is not None]
        plain = not lags or (max(lags) <= BEHIND and min(lags) >= EARLY)
    return Column(device, metric, readings, at, values, places, plain)


def in_order(some: Sequence[Column]) -> list[tuple[int, Reading]]:
    """(place, reading) of several columns, in the order of places."""
    if len(some) == 1:
        return list(zip(some[0].places, some[0].readings, strict=True))
    rows = [row for one in some for row in zip(one.places, one.readings, strict=True)]
    rows.sort(key=_place)
    return rows


def _place(row: tuple[int, Reading]) -> int:
    return row[0]
