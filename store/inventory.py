"""What a database has: versions, migrations, rows and how far it came. Backups carry it, restores
are held to it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg import sql as compose

from contracts.errors import Wrong
from store.migrate import Variant, migrations
from store.queries import sql

Telling = Callable[[int, int, str], None]
"""(done, of so many, what): how far a long step is."""
ROLLED = ("rollup_1m", "rollup_15m", "rollup_1h")


class Applied(msgspec.Struct, frozen=True):
    """A migration this database has."""

    number: int
    name: str
    checksum: str


class Inventory(msgspec.Struct, frozen=True):
    """One database at one moment."""

    server: int
    """Major version of the server, such as 17."""
    server_text: str
    timescale: str | None
    """Version of the extension where the tables are hypertables."""
    variant: Variant
    migrations: tuple[Applied, ...]
    rows: dict[str, int]
    """Rows of every table and roll-up."""
    newest_reading: datetime | None
    """When the newest reading was received."""
    batches: dict[str, int]
    """The newest batch of every writer."""
    position: int
    """The newest position of the stream."""


class Server(msgspec.Struct, frozen=True):
    """What can be known of a server before anything of ours is there."""

    major: int
    text: str
    timescale_offers: tuple[str, ...]


def server(connection: psycopg.Connection[Any]) -> Server:
    """The server behind this connection."""
    number, text = connection.execute(sql("server_version")).fetchone() or (0, "")
    offers = tuple(row[0] for row in connection.execute(sql("timescale_offers")))
    return Server(number // 10_000, text, offers)


def variant_of(connection: psycopg.Connection[Any]) -> Variant:
    """Which kind of tables this database of ours has."""
    row = connection.execute(sql("reading_variant")).fetchone()
    return "timescale" if row is not None and row[0] == "timescale" else "native"


def relations(connection: psycopg.Connection[Any]) -> list[str]:
    """Tables and views of the schema `public` that belong to no extension."""
    return [row[0] for row in connection.execute(sql("our_relations"))]


def take(connection: psycopg.Connection[Any], tell: Telling = lambda *_: None) -> Inventory:
    """Count everything; on a large database as long as reading it takes.

    Raises Wrong where this is no database of ours.
    """
    here = server(connection)
    names = [row[0] for row in connection.execute(sql("our_tables"))]
    if "migrations" not in names or "readings" not in names:
        raise Wrong("database", "has no tables of Gridsentry", "one that a service has run on")
    applied = connection.execute(sql("applied_migrations")).fetchall()
    variant = variant_of(connection)
    extension = connection.execute(sql("timescale_version")).fetchone()
    if variant == "timescale" and any(row[1] == "rollups" for row in applied):
        names += ROLLED
    rows: dict[str, int] = {}
    newest = None
    for done, name in enumerate(names):
        tell(done, len(names), name)
        if name == "readings":
            rows[name], newest = connection.execute(sql("reading_marks")).fetchone() or (0, None)
            continue
        count = compose.SQL("SELECT count(*) FROM public.{}").format(compose.Identifier(name))
        (rows[name],) = connection.execute(count).fetchone() or (0,)
    (position,) = connection.execute(sql("stream_mark")).fetchone() or (0,)
    return Inventory(
        server=here.major,
        server_text=here.text,
        timescale=extension[0] if extension and variant == "timescale" else None,
        variant=variant,
        migrations=tuple(Applied(row[0], row[1], row[3]) for row in applied),
        rows=rows,
        newest_reading=newest,
        batches=dict(connection.execute(sql("writer_marks")).fetchall()),
        position=position,
    )


def differences(expected: Inventory, there: Inventory) -> list[str]:
    """What a restored database lacks or has too much, in words; nothing when it is the same."""
    told = [
        f"{name}: {there.rows.get(name, 0):,} rows instead of {count:,}"
        for name, count in expected.rows.items()
        if there.rows.get(name, 0) != count
    ]
    told += [f"{name}: was not in the backup" for name in there.rows.keys() - expected.rows.keys()]
    for what in ("migrations", "newest_reading", "batches", "position"):
        was, is_now = getattr(expected, what), getattr(there, what)
        if was != is_now:
            told.append(f"{what}: {is_now!r} instead of {was!r}")
    return told


def refusal(inventory: Inventory) -> str | None:
    """Why this program cannot take that database over; None when it can (an older one, too)."""
    ours = {one.number: one for one in migrations(inventory.variant)}
    for one in inventory.migrations:
        if one.number not in ours:
            return (
                f"it has migration {one.number:04d}_{one.name}, which this program does not know: "
                "it is of a newer Gridsentry"
            )
        if ours[one.number].checksum != one.checksum:
            return f"its migration {one.number:04d}_{one.name} is another than this program's"
    return None
