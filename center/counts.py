"""Tickets of a period, read page by page and counted: once for a whole wall of screens."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from center.accounts.scope import Scope
from contracts.clock import monotonic
from contracts.ports import Desk, Query, Tally

LOOKBACK = timedelta(days=366)
"""Tickets opened so long before the period may fall due within it (挂账 lasts half a year at most,
and the longest limits are months)."""
KEPT_S = 15.0
"""A count is shown again for so long; over a period that ends now the figures lag by as much."""
PAGE = 500
PARTS = 16
"""Parts of the city whose counts are kept."""


class Counts:
    """The newest count, kept for a while; one at a time."""

    def __init__(self, desk: Desk, tally: Callable[[], Tally]) -> None:
        self._desk = desk
        self._tally = tally
        self._lock = asyncio.Lock()
        self._kept: tuple[tuple[str, str], float, Tally, datetime, datetime] | None = None
        self._parts: OrderedDict[Scope, Counts] = OrderedDict()

    def within(self, scope: Scope, desk: Desk) -> Counts:
        """Counts of a part of the city, kept for whoever asks next of the same part; `desk` hands
        out no other tickets."""
        part = self._parts.pop(scope, None) or Counts(desk, self._tally)
        self._parts[scope] = part
        while len(self._parts) > PARTS:
            self._parts.popitem(last=False)
        return part

    async def of(
        self, asked: tuple[str, str], since: datetime, until: datetime
    ) -> tuple[Tally, datetime, datetime]:
        """The tickets of the period, counted, and the period they were counted for.

        asked  the period as the caller wrote it: an open end is the same question a second later
        """
        async with self._lock:
            kept = self._kept
            if kept is not None and kept[0] == asked and monotonic() - kept[1] < KEPT_S:
                return kept[2:]
            tally = self._tally()
            first = datetime.min.replace(tzinfo=UTC)
            query = Query(limit=PAGE, until=until)
            query.since = since - LOOKBACK if since - first > LOOKBACK else first
            while True:
                page = await self._desk.page("tickets", query)
                await asyncio.to_thread(tally.take, page.items)
                if page.next is None:
                    break
                query.after = page.next
            self._kept = (asked, monotonic(), tally, since, until)
            return tally, since, until
