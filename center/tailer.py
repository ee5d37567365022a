"""One reader of the stream for all live connections: each change is read and encoded once.

The newest rows stay in memory; every connection is only a position, so a slow one costs nothing.
Who is further behind than memory reads from the database.
"""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import msgspec

from center.accounts.scope import Facts, facts_of
from center.links import STEP_S, Signer
from center.metrics import Metrics
from center.privacy import Veil, with_links
from contracts.batch import OutboxRow
from contracts.clock import Clock, monotonic
from contracts.errors import GridsentryError
from contracts.ports import Desk

log = logging.getLogger(__name__)

PULL = 500
"""Rows read from the desk at once."""
AGAIN_S = 1.0
"""Before a stream that ended or failed is followed anew."""


async def following(desk: Desk) -> AsyncIterator[None]:
    """`desk.follow()` without an end: what breaks it is logged and it is taken up again."""
    while True:
        signs = desk.follow()
        try:
            async for _ in signs:
                yield None
        except (GridsentryError, OSError, TimeoutError) as error:
            log.warning("the stream's signs of life are away, trying again: %s", error)
            yield None  # so that the follower meets the fault itself and tells of it
        finally:
            if isinstance(signs, AsyncGenerator):
                await signs.aclose()
        await asyncio.sleep(AGAIN_S)


class Entry:
    """One row of the stream as Server-Sent Event, encoded when first asked for."""

    def __init__(self, row: OutboxRow, signer: Signer, veil: Veil) -> None:
        self.position = row.position
        self.type = row.type
        self.kind = row.kind
        self._row = row
        self._signer = signer
        self._veil = veil
        self._frames: dict[bool, tuple[float, bytes]] = {}
        self._grid: str | None = None
        self._grid_known = False
        self._facts: Facts | None = None

    @property
    def grid(self) -> str | None:
        """The grid its ticket, incident or event lies in."""
        if not self._grid_known:
            self._grid, self._grid_known = grid_of(self._event().get("data")), True
        return self._grid

    def data(self) -> dict[str, Any] | None:
        """The ticket, incident or event itself, as the wire has it, nothing withheld."""
        data = self._event().get("data")
        return data if isinstance(data, dict) else None

    @property
    def facts(self) -> Facts:
        """What decides who sees it."""
        if self._facts is None:
            data = self._event().get("data")
            self._facts = facts_of(self.type, data if isinstance(data, dict) else {})
        return self._facts

    def frame(self, personal: bool) -> bytes:
        """The event on the wire, with or without personal data."""
        made, text = self._frames.get(personal, (float("-inf"), b""))
        if monotonic() - made < STEP_S:  # an older frame's links end sooner than promised
            return text
        event = self._event()
        data = event.get("data")
        if isinstance(data, dict):
            data = with_links(data, self._signer) if personal else self._veil.redact(data)
        text = frame(self.position, self.type, {**event, "data": data})
        self._frames[personal] = (monotonic(), text)
        return text

    def _event(self) -> dict[str, Any]:
        event: dict[str, Any] = msgspec.json.decode(self._row.data, type=dict)
        return event


def frame(position: int, event: str, data: object) -> bytes:
    """One Server-Sent Event."""
    text = msgspec.json.encode(data)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (position, event.encode(), text)


def grid_of(data: object) -> str | None:
    """The grid of a wire object: its own, else its place's."""
    if not isinstance(data, dict):
        return None
    place = data.get("place")
    grid = data.get("grid") or (place.get("grid") if isinstance(place, dict) else None)
    return grid if isinstance(grid, str) else None


class Tailer:
    """Follows the desk's stream and keeps its newest rows. Used from one event loop."""

    def __init__(
        self,
        desk: Desk,
        *,
        signer: Signer,
        veil: Veil,
        metrics: Metrics,
        clock: Clock,
        rows: int,
    ) -> None:
        self.veil = veil
        self._desk = desk
        self._signer = signer
        self._metrics = metrics
        self._clock = clock
        self._keep = rows
        self._ring: list[Entry] = []
        self._floor: int | None = None
        self.clients = 0
        self.closing = False
        self.grown = asyncio.Event()
        """Set when there is more than before, then replaced by a fresh one."""
        self.fault: str | None = None
        """Why the stream cannot be read at the moment."""

    async def run(self) -> None:
        """Follow until cancelled; what fails is tried again at the next sign of life."""
        async for _ in following(self._desk):
            try:
                if self._floor is None:
                    self._floor = await self._desk.newest_position()
                await self._pull()
                self.fault = None
            except (GridsentryError, OSError, TimeoutError) as error:
                self.fault = str(error) or type(error).__name__
                log.warning("the live stream cannot be read, trying again: %s", self.fault)
            if self.closing:
                return

    def close(self) -> None:
        """Tell every connection to end."""
        self.closing = True
        self._wake()

    async def newest(self) -> int:
        """The newest position there is."""
        seen = self._seen()
        return seen if seen is not None else await self._desk.newest_position()

    async def after(self, position: int, limit: int) -> list[Entry] | None:
        """Up to `limit` entries after `position`; None when rows before them are gone for ever."""
        if self._floor is not None and position >= self._floor:
            start = bisect_right(self._ring, position, key=lambda entry: entry.position)
            return self._ring[start : start + limit]
        rows = await self._desk.stream(position, limit)
        # Asked afterwards: what was dropped while we read shows here.
        if await self.gone(position):
            return None
        return [Entry(row, self._signer, self.veil) for row in rows]

    async def gone(self, position: int) -> bool:
        """Whether rows after `position` were dropped already, or it was never given."""
        newest = await self._desk.newest_position()
        if position >= newest:
            return position > newest
        oldest = await self._desk.oldest_position()
        if position < oldest:
            return oldest > position + 1
        # After a restore the stream goes on far ahead; positions in between are lost changes'.
        rows = await self._desk.stream(position - 1, 1)
        return not rows or rows[0].position != position

    def _seen(self) -> int | None:
        return self._ring[-1].position if self._ring else self._floor

    async def _pull(self) -> None:
        while not self.closing:
            seen = self._seen()
            assert seen is not None
            rows = await self._desk.stream(seen, PULL)
            if not rows:
                return
            self._ring.extend(Entry(row, self._signer, self.veil) for row in rows)
            if len(self._ring) > self._keep + self._keep // 4:
                drop = len(self._ring) - self._keep
                self._floor = self._ring[drop - 1].position
                del self._ring[:drop]
            self._metrics.set("stream_position", rows[-1].position)
            now = self._clock.now()
            for row in rows:
                self._metrics.observe("stream_lag_seconds", max(0, (now - row.at).total_seconds()))
            self._wake()

    def _wake(self) -> None:
        grown, self.grown = self.grown, asyncio.Event()
        grown.set()
