"""The open tickets at a glance, and those of the last day: read once, then kept by the stream.

A wall that asks every second and residents who ask what is known at their door must not read
thousands of tickets each time. Nothing in here names a person.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from datetime import datetime, timedelta
from typing import Any

import msgspec

from center.tailer import Entry, Tailer
from contracts.clock import Clock, monotonic
from contracts.kinds import OPEN_STAGES
from contracts.ports import Desk
from contracts.wire import ticket_glance

log = logging.getLogger(__name__)

KEPT = timedelta(hours=26)
"""Ended tickets stay so long: a day of figures, and the longest day of a clock change."""
ANEW_S = 600.0
"""Read anew from the desk this often: what a fault of ours let drift apart heals by itself."""
STEPS = 500
"""Changes taken from the stream at once."""
TOLD = 60
"""Newest changes that are kept for a ticker."""


class Stopped(msgspec.Struct, frozen=True):
    """A clock that was stopped: kept or missed."""

    at: datetime | None = None
    due: datetime | None = None
    on_time: bool = True


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket without words and names. Times are UTC."""

    id: str
    rev: int
    incident: str
    kind: str
    stage: str
    severity: int
    opened_at: datetime
    changed_at: datetime
    lon: float
    lat: float
    parent: str | None = None
    grid: str | None = None
    deadlines: dict[str, datetime | None] = {}
    clocks: dict[str, Stopped] = {}
    """By clock, the last time it was stopped."""

    @property
    def open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.stage in OPEN_STAGES


class News(msgspec.Struct, frozen=True):
    """One change of a ticket, for a ticker."""

    position: int
    """In the stream; 0 for what was there before we looked."""
    at: datetime
    change: str
    ticket: Glance


class Board:
    """The newest state. Used from one event loop; asking it is what makes it follow."""

    def __init__(self, desk: Desk, tailer: Tailer, clock: Clock) -> None:
        self._desk = desk
        self._tailer = tailer
        self._clock = clock
        self._lock = asyncio.Lock()
        self._position: int | None = None
        self._read_at = float("-inf")
        self.tickets: dict[str, Glance] = {}
        """By id; what ended longer than `KEPT` ago is gone."""
        self.news: deque[News] = deque(maxlen=TOLD)
        """Oldest first."""
        self.version = 0
        """Rises with every change."""

    async def current(self) -> Board:
        """Itself, up to date with the stream. Raises Temporary when the desk does not answer."""
        async with self._lock:
            stale = self._position is None or monotonic() - self._read_at > ANEW_S
            if stale or not await self._follow():
                await self._read()
        return self

    async def _read(self) -> None:
        # The position first: what is committed meanwhile is told again, and known by its revision.
        position = await self._tailer.newest()
        rows = await self._desk.lately(self._clock.now() - KEPT)
        glances = await asyncio.to_thread(lambda: [glanced(row) for row in rows])
        found = {glance.id: glance for glance in glances if glance is not None}
        self.tickets = found
        if not self.news:
            newest = sorted(found.values(), key=lambda t: t.changed_at)[-TOLD:]
            self.news.extend(News(0, t.changed_at, t.stage, t) for t in newest)
        self._position, self._read_at = position, monotonic()
        self.version += 1

    async def _follow(self) -> bool:
        """Take what the stream has behind our position; False when rows of it are gone."""
        assert self._position is not None
        while True:
            entries = await self._tailer.after(self._position, STEPS)
            if entries is None:
                return False
            for entry in entries:
                self._take(entry)
            if not entries:
                return True
            self._position = entries[-1].position

    def _take(self, entry: Entry) -> None:
        if entry.type != "ticket":
            return
        data = entry.data()
        glance = None if data is None else glanced(ticket_glance(data))
        if glance is None:
            return
        before = self.tickets.get(glance.id)
        if before is not None and before.rev >= glance.rev:
            return
        self.tickets[glance.id] = glance
        change = glance.stage if before is None or before.stage != glance.stage else "updated"
        self.news.append(News(entry.position, glance.changed_at, change, glance))
        self.version += 1


def glanced(row: dict[str, Any]) -> Glance | None:
    """The row as a Glance; one of another shape is logged and left out, the rest goes on."""
    try:
        return msgspec.convert(row, Glance)
    except msgspec.ValidationError:
        log.exception("ticket %s cannot be shown at a glance", row.get("id"))
        return None
