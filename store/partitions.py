"""Daily partitions of the readings, where TimescaleDB does not make its own.

Days that readings may plausibly be of get a partition each, history included; whatever else a
device says (1970, 2099) lands in the default partition. Days and bounds are UTC.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import psycopg
from psycopg import sql as compose

from store.queries import sql

log = logging.getLogger(__name__)

_NAME = re.compile(r"^readings_(\d{4})(\d\d)(\d\d)$")


def plausible(days: Iterable[date], now: datetime, *, keep_days: int, ahead_days: int) -> set[date]:
    """Those of `days` that get a partition: within what is kept, and not far ahead."""
    today = now.astimezone(UTC).date()
    low, high = today - timedelta(days=keep_days), today + timedelta(days=ahead_days)
    return {day for day in days if low <= day <= high}


def name_of(day: date) -> str:
    """The partition's table name."""
    return f"readings_{day:%Y%m%d}"


def existing(connection: psycopg.Connection[Any]) -> set[date]:
    """Days that have a partition."""
    found = set()
    for (name,) in connection.execute(sql("reading_partitions")):
        match = _NAME.match(name)
        if match:
            found.add(date(int(match[1]), int(match[2]), int(match[3])))
    return found


def ensure(connection: psycopg.Connection[Any], days: Iterable[date]) -> set[date]:
    """Make the partitions of `days` that are missing; the days that have one afterwards.

    Rows of such a day that the default partition already holds (a device whose clock was ahead
    until today) move over, or PostgreSQL would refuse the partition. In a transaction of its own,
    under a lock, so that two writers do not make the same one.

    Raises psycopg's LockNotAvailable where somebody reads the default partition for long (pg_dump
    does, to its end): whoever waits for the lock holds up every other reader, so it is not waited
    for long.
    """
    wanted = set(days)
    with connection.transaction():
        connection.execute(sql("partition_lock"))
        connection.execute(sql("partition_patience"))
        known = existing(connection)
        for day in sorted(wanted - known):
            _make(connection, day)
            log.info("partition %s made", name_of(day))
    return known | wanted


def _make(connection: psycopg.Connection[Any], day: date) -> None:
    low = datetime.combine(day, time(), UTC)
    names = {
        "new": compose.Identifier(name_of(day)),
        "low": compose.Literal(low.isoformat()),
        "high": compose.Literal((low + timedelta(days=1)).isoformat()),
    }
    for statement in (
        "CREATE TABLE {new} (LIKE readings INCLUDING DEFAULTS INCLUDING STORAGE)",
        # Nobody may add a row of this day to the default partition while its rows move.
        "LOCK TABLE readings_default IN ACCESS EXCLUSIVE MODE",
        "WITH gone AS (DELETE FROM readings_default WHERE ts >= {low} AND ts < {high} RETURNING *) "
        "INSERT INTO {new} SELECT * FROM gone",
        "ALTER TABLE readings ATTACH PARTITION {new} FOR VALUES FROM ({low}) TO ({high})",
    ):
        connection.execute(compose.SQL(statement).format(**names))


def drop_before(connection: psycopg.Connection[Any], before: date) -> list[date]:
    """Drop the partitions of days before that one; which they were."""
    with connection.transaction():
        connection.execute(sql("partition_lock"))
        old = sorted(day for day in existing(connection) if day < before)
        for day in old:
            connection.execute(
                compose.SQL("DROP TABLE {}").format(compose.Identifier(name_of(day)))
            )
            log.info("partition %s dropped: its days are over", name_of(day))
    return old
