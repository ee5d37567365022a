"""Forward-only migrations: numbered files, applied once, under a lock, checked ever after.

`NNNN_name.sql` is for every database, `NNNN_name.native.sql` / `NNNN_name.timescale.sql` are the
two ways to the same tables. Which way a database went is decided when it is first set up.
"""

from __future__ import annotations

import hashlib
import logging
import re
from datetime import datetime
from importlib.resources import files
from typing import Any, Literal

import msgspec
import psycopg

from contracts.errors import Wrong
from store.failures import translated
from store.queries import sql

log = logging.getLogger(__name__)

Variant = Literal["native", "timescale"]
_FILE = re.compile(r"^(?P<number>\d{4})_(?P<name>\w+?)(?:\.(?P<variant>native|timescale))?\.sql$")


class Migration(msgspec.Struct, frozen=True):
    """One file of the package."""

    number: int
    name: str
    variant: str
    """`native`, `timescale`, or `both`."""
    sql: str
    checksum: str


def migrations(variant: Variant) -> list[Migration]:
    """The files for that kind of database in order. Raises ValueError on a gap or a bad name."""
    found: list[Migration] = []
    for entry in sorted(files("store").joinpath("migrations").iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".sql"):
            continue
        match = _FILE.match(entry.name)
        if match is None:
            raise ValueError(f"migrations/{entry.name}: a name is NNNN_words[.native].sql")
        if (match["variant"] or variant) != variant:
            continue
        text = entry.read_text("utf-8")
        checksum = hashlib.sha256(text.encode()).hexdigest()
        found.append(
            Migration(
                int(match["number"]), match["name"], match["variant"] or "both", text, checksum
            )
        )
    for expected, migration in enumerate(found, 1):
        if migration.number != expected:
            raise ValueError(f"migration {expected:04d} is missing or there twice ({variant})")
    return found


def migrate(
    connection: psycopg.Connection[Any],
    now: datetime,
    *,
    timescale: Literal["auto", "never"] = "auto",
) -> Variant:
    """Bring the schema up to date; which kind of database it is.

    connection  in autocommit mode; several processes may do this at once, one does the work
    Raises Wrong when the database is newer than this program or a file that was applied has
    changed since, Temporary when the database does not answer.
    """
    with translated(), connection.transaction():
        connection.execute(sql("migration_lock"))
        connection.execute(sql("make_migrations"))
        applied = {row[0]: row for row in connection.execute(sql("applied_migrations"))}
        variant = _variant(connection, applied, timescale)
        book = {migration.number: migration for migration in migrations(variant)}
        for number, name, _, checksum in applied.values():
            if number not in book:
                raise Wrong(
                    "database",
                    f"it has migration {number:04d}_{name}, which this program does not know: "
                    "a newer one has worked on it",
                    "that newer Gridsentry; to go back, restore the backup made before the upgrade",
                )
            if book[number].checksum != checksum:
                raise Wrong(
                    f"store/migrations/{number:04d}_{name}.sql",
                    "the file was changed after this database had applied it",
                    "the original file; changes go into a new migration",
                )
        for migration in book.values():
            if migration.number in applied:
                continue
            log.info("migration %04d %s (%s)", migration.number, migration.name, variant)
            connection.execute(migration.sql.encode())
            connection.execute(
                sql("record_migration"),
                {
                    "number": migration.number,
                    "name": migration.name,
                    "variant": variant,
                    "checksum": migration.checksum,
                    "applied_at": now,
                },
            )
    return variant


def _variant(
    connection: psycopg.Connection[Any],
    applied: dict[int, Any],
    timescale: Literal["auto", "never"],
) -> Variant:
    if applied:
        variants = {row[2] for row in applied.values()}
        return "timescale" if "timescale" in variants else "native"
    if timescale == "never":
        return "native"
    row = connection.execute(sql("offers_timescale")).fetchone()
    if row is None or not row[0]:
        return "native"
    connection.execute(sql("create_timescale"))
    return "timescale"
