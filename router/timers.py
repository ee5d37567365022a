"""When something is next due. Holds nothing that tickets and incidents do not say themselves."""

from __future__ import annotations

import heapq
from datetime import datetime


class Timers:
    """One moment per key; the earliest is found in O(log n)."""

    def __init__(self) -> None:
        self._due: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []

    def set(self, key: str, due: datetime | None) -> None:
        """This key is due then, or (None) never."""
        if due is None:
            self._due.pop(key, None)
        elif self._due.get(key) != due:
            self._due[key] = due
            heapq.heappush(self._heap, (due, key))

    def _clean(self) -> None:
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)

    def next(self) -> datetime | None:
        """The earliest moment, or None."""
        self._clean()
        return self._heap[0][0] if self._heap else None

    def pop(self, now: datetime) -> str | None:
        """The key due earliest, at or before `now` (ties: by key); it is then no longer set."""
        self._clean()
        if not self._heap or self._heap[0][0] > now:
            return None
        _, key = heapq.heappop(self._heap)
        del self._due[key]
        return key
