"""Positions of the stream after a restore.

A restored database is behind what people were told: positions given between the backup and the
loss would be given again, to other changes, and a reader that resumes after one of them would miss
what is new. So the database remembers where its positions were given (server and timeline).
Elsewhere they go on `GAP` ahead, and a reader whose position was never given here is told to read
everything anew.
"""

from __future__ import annotations

import logging
from typing import Any, Final

import psycopg

from store.failures import translated
from store.queries import sql

log = logging.getLogger(__name__)

GAP: Final = 100_000_000
"""More than a city changes between a backup and a loss: a thousand a minute for two months."""


def settle(connection: psycopg.Connection[Any]) -> bool:
    """Move the stream ahead where this database was restored; whether it was.

    connection  in autocommit mode, migrated; several processes may do this at once
    Raises Temporary when the database does not answer.
    """
    with translated(), connection.transaction():
        connection.execute(sql("stream_lock"))
        here = _here(connection)
        home, newest = connection.execute(sql("stream_home")).fetchone() or (None, 0)
        if here is None or here == home:
            return False
        gap = GAP if home is not None else 0
        connection.execute(sql("move_targets"), {"gap": gap, "newest": newest})
        connection.execute(sql("move_stream"), {"gap": gap, "home": here})
    if gap:
        log.warning(
            "the database was restored, or a stand-by took over (%s, was %s): the stream goes on "
            "at %d, readers of what is lost begin anew",
            *(here, home, newest + gap),
        )
    return bool(gap)


def _here(connection: psycopg.Connection[Any]) -> str | None:
    try:
        with connection.transaction():
            row = connection.execute(sql("where_we_are")).fetchone()
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported) as error:
        log.info("whether the database was restored cannot be told here: %s", error)
        return None
    return None if row is None else str(row[0])
