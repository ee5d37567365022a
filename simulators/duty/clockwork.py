"""Virtual time: what is to happen, in order; ties in the order they were asked for."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime

Deed = Callable[[datetime], None]


class Clockwork:
    """A heap of moments and deeds."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Deed]] = []
        self._order = itertools.count()

    def at(self, moment: datetime, deed: Deed) -> None:
        """Let `deed(moment)` happen then."""
        heapq.heappush(self._heap, (moment, next(self._order), deed))

    def next(self) -> datetime | None:
        """When something is due; None: never again."""
        return self._heap[0][0] if self._heap else None

    def step(self) -> None:
        """Do the next thing."""
        moment, _, deed = heapq.heappop(self._heap)
        deed(moment)
