"""History of readings on PostgreSQL and TimescaleDB: from readings, or from their roll-ups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import DictRow, tuple_row

from contracts.history import Stretch, TooMuch
from store.columns import as_columns
from store.queries import sql
from store.settings import StoreSettings
from store.text import key

Use = Callable[[], AbstractAsyncContextManager[psycopg.AsyncConnection[DictRow]]]
Row = tuple[Any, ...]


class PgHistory:
    """`contracts.history.History` over a desk's connections."""

    def __init__(self, use: Use, settings: StoreSettings) -> None:
        self._use = use
        self.kept = {
            "1m": timedelta(days=settings.rollup_minutes_days),
            "15m": timedelta(days=settings.rollup_quarters_days),
        }

    async def stretches(
        self,
        devices: Sequence[str],
        metrics: Sequence[str],
        since: datetime,
        until: datetime,
        resolution: str,
        *,
        zone: str,
        limit: int,
    ) -> list[Stretch]:
        """See `contracts.history.History`."""
        given: dict[str, Any] = {
            "devices": [key(device) for device in devices],
            "metrics": [key(metric) for metric in metrics],
            "since": since,
            "until": until,
            "limit": limit + 1,
        }
        if resolution == "1d":
            given["zone"] = zone
        rows = await self._rows(f"history_{resolution}", given)
        if sum(len(row[2]) for row in rows) > limit:
            raise TooMuch(f"more than {limit:,} rows")
        return [
            Stretch(device, metric, *(column.tolist() for column in columns))
            for device, metric, *columns in rows
        ]

    async def measured(self, metric: str, since: datetime) -> list[str]:
        """See `contracts.history.History`."""
        rows = await self._rows("history_devices", {"metric": key(metric), "since": since})
        return [row[0] for row in rows]

    async def _rows(self, name: str, given: dict[str, Any]) -> list[Row]:
        async with self._use() as connection:
            cursor = connection.cursor(row_factory=tuple_row, binary=True)
            as_columns(cursor)
            await cursor.execute(sql(name), given)
            return await cursor.fetchall()
