"""Many readings at once, by all detectors of a kind together, with the fold's result."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.detector import Many
from contracts.event import Event
from contracts.nouns import Reading
from contracts.rows import MOST, Book


def fold_many(many: Many, book: Book, readings: Sequence[Reading]) -> list[Event]:
    """The events of all readings, in order. No wake-up may be due in between."""
    events: list[Event] = []
    begin = 0
    while begin < len(readings):
        told, upto = many.on_batch(book.rows(readings[begin : begin + MOST]))
        events.extend(event for _, event in told)
        begin += upto
    return events
