"""Reads what was stored in the order it was received. A connection that cannot write."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any, Self

import msgspec
import psycopg

from contracts.batch import StoredItem
from contracts.errors import Wrong
from contracts.nouns import Reading
from store.connect import connect
from store.failures import translated
from store.pack import unsigned
from store.queries import sql
from store.settings import StoreSettings
from store.text import key

WINDOW = timedelta(days=1)
"""Sorted by the database at a time."""
LATE = timedelta(days=7)
"""Readings that came up to so long after their own time are found ..."""
EARLY = timedelta(days=1)
"""... and so long before it (a clock that is fast)."""
FETCHED = 20_000
ITEMS_FETCHED = 100
"""A trace or a record is some hundred kilobytes."""
SORT_S = 900.0
"""A day of a big city is sorted on disk."""


class ToldEvent(msgspec.Struct, frozen=True):
    """An event as the service had stored it."""

    id: str
    kind: str
    site: str
    device: str | None
    onset: datetime
    told: datetime
    """When its first revision became known."""
    over: datetime | None
    """When it was closed, if it was within the period."""
    severity: int
    """The greatest it had."""


class Past:
    """One reader, one connection; nothing in the store can change by it.

    Raises Temporary when the database does not answer, Wrong when it was never set up.
    """

    def __init__(self, dsn: str, settings: StoreSettings) -> None:
        self._settings = settings
        patient = msgspec.structs.replace(settings, statement_timeout_s=SORT_S)
        with translated():
            self._connection = connect(dsn, patient)
            self._connection.execute(b"SET default_transaction_read_only = on")
            row = self._connection.execute(b"SELECT to_regclass('readings')").fetchone()
        if row is None or row[0] is None:
            self._connection.close()
            raise Wrong("the database", "has no readings", "one that a service has set up")

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._connection.close()

    def readings(
        self,
        since: datetime,
        until: datetime,
        *,
        devices: Collection[str] | None = None,
        metrics: Collection[str] | None = None,
    ) -> Iterator[tuple[datetime, str, int, int, Reading]]:
        """(received, writer, batch, place, reading) received in [since, until), in that order.

        Of all devices and metrics, or these. Their own times lie at most LATE before the day they
        were received on and EARLY behind it, or are past what is kept, or far ahead.
        """
        names = {
            "devices": None if devices is None else sorted(map(key, devices)),
            "metrics": None if metrics is None else sorted(map(key, metrics)),
        }
        low = since
        while low < until:
            high = min(low + WINDOW, until)
            near = {"ts_low": low - LATE, "ts_high": high + EARLY}
            bounds = {
                "ts_never": min(low - LATE, until - timedelta(days=self._settings.readings_days)),
                "ts_far": high + max(EARLY, timedelta(days=365)),
            }
            given = {"since": low, "until": high, **near, **bounds, **names}
            for row in self._rows("past_readings", given):
                received, writer, batch, pos, device, metric, value, at, sent, boot, seq, q = row
                yield (
                    *(received, writer, batch, pos),
                    Reading(
                        device,
                        metric,
                        value,
                        at,
                        received,
                        sent,
                        unsigned(boot),
                        None if seq is None else unsigned(seq),
                        q,
                    ),
                )
            low = high

    def items(
        self, since: datetime, until: datetime, nouns: Collection[str]
    ) -> Iterator[tuple[datetime, str, int, int, StoredItem]]:
        """The same of stored messages with these nouns (`trace`, `status` …)."""
        low = since
        while low < until:
            high = min(low + WINDOW, until)
            given = {"since": low, "until": high, "nouns": sorted(nouns)}
            for row in self._rows("past_items", given, ITEMS_FETCHED):
                received, writer, batch, pos, noun, device, at, topic, payload = row
                item = StoredItem(pos, noun, device, at, received, topic, bytes(payload))
                yield received, writer, batch, pos, item
            low = high

    def events(self, since: datetime, until: datetime) -> list[ToldEvent]:
        """Events that were first told in [since, until), in that order."""
        with translated():
            found = self._connection.execute(
                sql("past_events"), {"since": since, "until": until}
            ).fetchall()
        return [ToldEvent(*row) for row in found]

    def _rows(
        self, name: str, given: dict[str, Any], fetched: int = FETCHED
    ) -> Iterator[tuple[Any, ...]]:
        """Held by the server after its transaction: folding may take longer than one may idle."""
        with (
            translated(),
            psycopg.ServerCursor(self._connection, f"gridsentry_{name}", withhold=True) as cursor,
        ):
            cursor.execute(sql(name), given, binary=True)
            while rows := cursor.fetchmany(fetched):
                yield from rows
