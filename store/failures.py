"""What a database error means to us: temporary, or a fault of ours that a person must see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from contracts.errors import Permanent, Temporary

# PostgreSQL's error codes (appendix A of its manual): classes and single codes that pass by
# themselves or once a person has made room.
_CLASSES = ("08", "40", "53", "57", "58")
"""Connection, transaction rollback (serialization, deadlock), insufficient resources (disk full
53100), operator intervention (shutdown, cancelled), system error (I/O)."""
_CODES = frozenset(
    {
        "55P03",  # lock not available in time
        "55006",  # object in use
        "25006",  # read-only: a stand-by took our place
        "25P03",  # idle in transaction too long (we were frozen)
        "25P04",  # transaction timeout
    }
)

_PLAIN = {
    "53100": "the database's disk is full; make room and it goes on by itself",
    "53300": "the database has no free connection",
    "57P01": "the database is shutting down",
    "57P03": "the database is starting up",
    "40P01": "two transactions waited for each other; one was undone",
    "55P03": "a lock was not free in time",
    "57014": "the statement took longer than it may",
    "28P01": "the database does not accept the password",
}


def translate(error: psycopg.Error) -> Temporary | Permanent:
    """The error as the rest of the project knows it, its text for a person."""
    state = error.sqlstate or ""
    text = _PLAIN.get(state, str(error).strip() or type(error).__name__)
    if state.startswith(_CLASSES) or state in _CODES:
        return Temporary(f"{text} [{state}]")
    if not state and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Temporary(f"the database cannot be reached: {text}")
    if isinstance(error, psycopg.OperationalError):
        return Temporary(f"{text} [{state}]")
    return Permanent(f"store_{state or 'error'}", f"the database refused a statement: {text}")


@contextmanager
def translated() -> Iterator[None]:
    """Errors of psycopg and its pool leave as Temporary or Permanent."""
    try:
        yield
    except (PoolTimeout, PoolClosed, TooManyRequests) as error:
        raise Temporary(f"no connection to the database: {error}") from error
    except psycopg.Error as error:
        raise translate(error) from error
