"""History in memory: the same answers as from roll-ups that have everything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from contracts.history import RAW, Stretch, TooMuch, begin_of

Readings = Callable[[], Iterable[tuple[str, str, datetime, int, float]]]
"""(device, metric, identity time, ident, value) of every reading."""


class MemoryHistory:
    """`contracts.history.History` over the readings of a memory store."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings
        self.kept: dict[str, timedelta] = {}

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
        wanted, named = set(devices), set(metrics)
        some = [
            (device, metric, at, ident, value)
            for device, metric, at, ident, value in self._readings()
            if device in wanted and (not named or metric in named)
        ]
        rows: list[tuple[Any, ...]]
        if resolution == RAW:
            rows = [(d, m, at, v) for d, m, at, _, v in sorted(some) if since <= at < until]
        else:
            buckets: dict[tuple[str, str, datetime], list[float]] = defaultdict(list)
            for device, metric, at, _, value in sorted(some):
                bucket = _bucket(at, resolution, zone, since, until)
                if bucket is not None:
                    buckets[device, metric, bucket].append(value)
            rows = [
                (*name, sum(v) / len(v), min(v), max(v), len(v))
                for name, v in sorted(buckets.items())
            ]
        if len(rows) > limit:
            raise TooMuch(f"more than {limit:,} rows")
        return _stretches(rows)

    async def measured(self, metric: str, since: datetime) -> list[str]:
        """See `contracts.history.History`."""
        return sorted(
            {
                d
                for d, m, at, _, _ in self._readings()
                if m == metric and begin_of(at, "1h") >= since
            }
        )


def _bucket(
    at: datetime, resolution: str, zone: str, since: datetime, until: datetime
) -> datetime | None:
    """The bucket of a time, if it begins in the period; a day is made of such hours."""
    grain = "1h" if resolution == "1d" else resolution
    begin = begin_of(at, grain)
    if not since <= begin < until:
        return None
    if resolution != "1d":
        return begin
    local = begin.astimezone(ZoneInfo(zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _stretches(rows: Iterable[tuple[Any, ...]]) -> list[Stretch]:
    """Rows sorted by device, metric and time, as columns of each."""
    found = []
    for (device, metric), some in groupby(rows, key=lambda row: (row[0], row[1])):
        times, *columns = (list(column) for column in list(zip(*some, strict=True))[2:])
        found.append(Stretch(device, metric, [_micros(at) for at in times], *columns))
    return found


def _micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
