"""Keeps the roll-ups of readings up with what was committed. Called every half minute.

Both kinds of database answer the same questions by the same names: plain PostgreSQL has tables to
which new batches are added once (a mark for each writer, moved in the same transaction),
TimescaleDB continuous aggregates that are refreshed over the times that new batches reach.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg

from contracts.history import GRAINS, begin_of
from store.connect import connect
from store.failures import translated
from store.migrate import Variant
from store.queries import sql
from store.settings import StoreSettings

log = logging.getLogger(__name__)

AT_ONCE: Final = 2_000
"""Batches added in one transaction: some seconds of work after a long absence."""
_EVER: Final = (datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC))
_REFRESHED: Final = ("1m", "15m", "1h")


def roll(dsn: str, now: datetime, settings: StoreSettings, *, variant: Variant = "native") -> int:
    """Bring the roll-ups up to every batch committed so far; how many batches were behind.

    What was done stays done. Raises Temporary when the database does not answer.
    """
    with translated(), connect(dsn, settings) as connection:
        behind = connection.execute(sql("rollup_behind")).fetchall()
        for writer, _, _ in behind:
            connection.execute(sql("rollup_begin"), {"writer": writer})
        if variant == "timescale":
            _refresh(connection, behind, now, settings)
        else:
            for writer, done, newest in behind:
                steps = range(done + AT_ONCE, newest, AT_ONCE)
                for upto in (*steps, newest):
                    _add(connection, writer, upto)
    return sum(newest - done for _, done, newest in behind)


def _add(connection: psycopg.Connection[Any], writer: str, upto: int) -> None:
    with connection.transaction():
        (after,) = _one(connection, "rollup_mark", {"writer": writer})
        if after >= upto:
            return  # another process was here
        given = {"writer": writer, "after": after, "upto": upto}
        low, high = _one(connection, "rollup_reach", given)
        given |= {"low": low or _EVER[0], "high": high or _EVER[1]}
        connection.execute(sql("rollup_add"), given)
        connection.execute(sql("rollup_set"), {"writer": writer, "upto": upto})


def _refresh(
    connection: psycopg.Connection[Any],
    behind: list[tuple[str, int, int]],
    now: datetime,
    settings: StoreSettings,
) -> None:
    """Over whole buckets that are past; what is younger is aggregated while it is read. Never over
    times whose readings were let go: the roll-ups have them still."""
    reach: list[datetime] = []
    for writer, done, newest in behind:
        given = {"writer": writer, "after": done, "upto": newest}
        reach += [at for at in _one(connection, "rollup_reach", given) if at is not None]
    kept = now - timedelta(days=settings.readings_days - 1)
    for grain in _REFRESHED if reach else ():
        length = timedelta(seconds=GRAINS[grain])
        low = begin_of(max(min(reach), kept), grain)
        high = begin_of(min(max(reach) + length, now), grain)
        if low < high:
            connection.execute(sql(f"refresh_{grain}"), {"low": low, "high": high})
    for writer, _, newest in behind:
        connection.execute(sql("rollup_set"), {"writer": writer, "upto": newest})


def _one(connection: psycopg.Connection[Any], name: str, given: dict[str, Any]) -> Any:
    return connection.execute(sql(name), given).fetchone() or (None, None)
