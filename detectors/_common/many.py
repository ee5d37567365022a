"""Many readings at once, through `on_batch` where a detector has one, with the fold's result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from contracts.columns import ALL, Column, in_order
from contracts.detector import Detector
from contracts.event import Event

SINGLY: Final = 8
"""Readings that are folded one by one where nothing could be folded at once; twice as many each
time that happens again."""


def fold_many(detector: Detector[Any], columns: Sequence[Column]) -> list[Event]:
    """The events of all readings of these columns, in order. No wake-up may be due in between."""
    on_batch = getattr(detector, "on_batch", None)
    events: list[Event] = []
    left, singly = columns, SINGLY
    while left:
        upto = 0
        if on_batch is not None:
            some, upto = on_batch(left)
            if upto >= ALL:
                return [*events, *some] if events else some
            events.extend(some)
        if upto <= min(c.places[0] for c in left):
            rows = in_order(left)
            if on_batch is not None:
                del rows[singly:]
                singly *= 2
            for _, item in rows:
                events.extend(detector.on_item(item))
            upto = rows[-1][0] + 1
        left = [c.part(k, ALL) for c in left if (k := c.upto(upto)) < len(c.places)]
    return events
