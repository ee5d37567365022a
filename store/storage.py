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

    not_archived: str | None = None
    """The piece of log that the server last failed to archive; None while it archives, or need
    not."""

    @property
    def ratio(self) -> float | None:
        """How many times smaller the compressed days became; None before any is."""
        return self.before_bytes / self.after_bytes if self.after_bytes else None


def storage(dsn: str, settings: StoreSettings, *, variant: Variant) -> Storage:
    """What takes how much now; some milliseconds. Raises Temporary when the database is away."""
    with translated(), connect(dsn, settings) as connection:
        failed = connection.execute(sql("archiving_fails")).fetchone()
        found = Storage({}, not_archived=failed[0] if failed else None)
        if variant == "native":
            tables = dict(connection.execute(sql("table_sizes")).fetchall())
            return msgspec.structs.replace(found, tables=tables)
        tables = dict(connection.execute(sql("hypertable_sizes")).fetchall())
        chunks, before, after = connection.execute(sql("compression")).fetchone() or (0, 0, 0)
    return msgspec.structs.replace(
        found,
        tables=tables,
        compressed_chunks=chunks,
        before_bytes=before,
        after_bytes=after,
    )
