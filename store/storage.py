"""How much room what is stored takes, and what compression saves of it."""

from __future__ import annotations

import msgspec

from store.connect import connect
from store.failures import translated
from store.migrate import Variant
from store.queries import sql
from store.settings import StoreSettings


class Storage(msgspec.Struct, frozen=True):
    """Bytes on the server's disk, indexes included."""

    tables: dict[str, int]
    """By table, the largest first; partitions and chunks with their whole, roll-ups by their
    name."""
    compressed_chunks: int = 0
    """Days of readings that are compressed (TimescaleDB)."""
    before_bytes: int = 0
    """What these days took before."""
    after_bytes: int = 0
    """What they take now."""

    @property
    def ratio(self) -> float | None:
        """How many times smaller the compressed days became; None before any is."""
        return self.before_bytes / self.after_bytes if self.after_bytes else None


def storage(dsn: str, settings: StoreSettings, *, variant: Variant) -> Storage:
    """What takes how much now; some milliseconds. Raises Temporary when the database is away."""
    with translated(), connect(dsn, settings) as connection:
        if variant == "native":
            return Storage(dict(connection.execute(sql("table_sizes")).fetchall()))
        tables = dict(connection.execute(sql("hypertable_sizes")).fetchall())
        row = connection.execute(sql("compression")).fetchone() or (0, 0, 0)
        return Storage(tables, *row)
