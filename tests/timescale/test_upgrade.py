"""A database of every older schema, filled as it was then, brought up to today's and worked on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from contracts.errors import Wrong
from contracts.ports import Query
from store import migrate as module
from store.connect import connect
from store.desk import PgDesk
from store.home import settle
from store.migrate import Migration, Variant, migrate, migrations
from store.queries import sql
from store.relay import PgRelay
from store.rollups import roll
from store.settings import StoreSettings
from store.writer import PgWriter
from tests.rig import ServiceProcess, write_city
from tests.servers import START, pglite, postgres
from tests.unit.store.makes import at, batch, change, event, incident, reading, ticket

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SETTINGS = StoreSettings(copy="never", pool_max=1)
OLDEST = 2
"""The first schema with readings."""
FILLED = (
    # As the first version wrote them; a committed migration never changes, so neither do these.
    "INSERT INTO leases VALUES ('w', 'old:1', 3, '2026-05-01 12:00:10+00')",
    "INSERT INTO batches VALUES ('w', 7, 3, '2026-05-01 12:00:00+00', 's', "
    "'2026-05-01 12:00:00+00', '2026-05-01 12:01:39+00', '{}')",
    "INSERT INTO readings (device, metric, ts, ident, value, received_at, effective_at, quality, "
    "boot, writer, batch, pos) SELECT 'lvl-7', 'level', t, 0, n, t, t, 0, 0, 'w', 7, n "
    "FROM generate_series(0, 99) n, LATERAL (SELECT timestamptz '2026-05-01 12:00:00+00' "
    "+ n * interval '1 second' AS t) times",
    "INSERT INTO device_seen (device, received_at) VALUES ('lvl-7', '2026-05-01 12:01:39+00')",
    "INSERT INTO access_log (who, what, at) VALUES ('desk', 'e-1', '2026-05-01 12:00:00+00')",
    "INSERT INTO stream (newest) SELECT 0 WHERE NOT EXISTS (SELECT FROM stream)",
    "UPDATE stream SET newest = 1",
    "INSERT INTO targets VALUES ('mqtt', 1)",
    "INSERT INTO dead_letters (id, topic, received_at, code, reason, device, adapter, payload, "
    "bytes, sha256) VALUES ('d-1', 't', '2026-05-01 12:00:00+00', 'bad_json', 'ends in the "
    "middle', 'lvl-7', 'native', 'x', 1, 'h')",
)


def until(variant: Variant, last: int) -> list[Migration]:
    """The migrations an older program had."""
    return migrations(variant)[:last]


def set_up_as_then(dsn: str, last: int, patch: pytest.MonkeyPatch) -> Variant:
    """The schema and content of the program that had `last` migrations."""
    with patch.context() as then, connect(dsn, SETTINGS) as connection:
        then.setattr(module, "migrations", lambda variant: until(variant, last))
        variant = migrate(connection, START)
        assert len(connection.execute(sql("applied_migrations")).fetchall()) == last
        for statement in FILLED:
            connection.execute(statement.encode())
        bodies = {"events": event(), "incidents": incident(), "tickets": ticket()}
        told = {name: msgspec.to_builtins(body) for name, body in bodies.items()}
        _put(
            connection, "events", id="e-1", rev=1, source_rev=1, kind="flooding", site="drain-1",
            device="lvl-7", at=at(0), known_at=at(1), severity=3, phase="opened", routed=True,
            newest=True, body=json.dumps(told["events"]),
        )  # fmt: skip
        _put(
            connection, "incidents", id="i-1", rev=1, kind="flooding", district="d-1", severity=3,
            opened_at=at(0), known_at=at(1), body=json.dumps(told["incidents"]),
        )  # fmt: skip
        _put(
            connection, "tickets", id="t-1", rev=1, incident="i-1", kind="flooding",
            stage="dispatched", grid="g-3", district="d-1", severity=3, opened_at=at(0),
            known_at=at(1), body=json.dumps(told["tickets"]),
        )  # fmt: skip
        _put(
            connection, "ticket_revisions", ticket="t-1", rev=1, change="opened", known_at=at(1),
            body=json.dumps(told["tickets"]),
        )  # fmt: skip
    return variant


def _put(connection: psycopg.Connection[Any], table: str, /, **fields: Any) -> None:
    names, values = ", ".join(fields), ", ".join(f"%({name})s" for name in fields)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({values})".encode(), fields)


def works_on(dsn: str, variant: Variant) -> None:
    """Today's program on that database: what was there is there, and more comes to it."""
    with connect(dsn, SETTINGS) as connection:
        assert migrate(connection, START + timedelta(days=1)) == variant
        assert not settle(connection), "an upgrade is no restore"
        there = connection.execute(sql("applied_migrations")).fetchall()
        assert len(there) == len(migrations(variant))
    writer = PgWriter(dsn, "/gridsentry/test", SETTINGS, variant=variant)
    assert writer.resume("w").last_batch == 7
    epoch = writer.acquire("w", "new:1", at(60), 1000)
    assert epoch == 4
    state = writer.router_state()
    assert ([t.id for t in state.tickets], [i.id for i in state.incidents]) == (["t-1"], ["i-1"])
    new = batch(
        8,
        epoch=epoch,
        readings=[reading(n, value=n) for n in range(98, 103)],
        changes=[change(ticket(rev=2, stage="accepted"), "accepted")],
    )
    found = writer.commit(new)
    assert (found.readings_new, found.readings_duplicate, found.faults) == (3, 2, 0)
    writer.close()
    roll(dsn, at(86_400), SETTINGS, variant=variant)
    relay = PgRelay(dsn, SETTINGS)
    assert relay.step() == 1
    relay.close()
    asyncio.run(_reads(dsn))


async def _reads(dsn: str) -> None:
    desk = PgDesk(dsn, SETTINGS)
    await desk.open()
    try:
        (one,) = (await desk.page("tickets", Query(limit=9))).items
        assert (one["id"], one["rev"], one["stage"]) == ("t-1", 2, "accepted")
        assert await desk.newest_position() == 2
    finally:
        await desk.close()
    with connect(dsn, SETTINGS) as connection:
        rolled = connection.execute(b"SELECT sum(n)::int FROM rollup_1h").fetchone()
        assert rolled == (103,), "charts have what was there before there were charts"
        assert connection.execute(b"SELECT count(*) FROM dead_letters").fetchone() == (1,)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of this module's own: its dsn, less the database."""
    with postgres(tmp_path_factory.mktemp("upgrade"), fsync="off") as running:
        yield running.dsn.replace("dbname=gridsentry", "dbname=")


@pytest.mark.parametrize("last", range(OLDEST, len(migrations("native"))))
def test_every_older_schema_is_brought_up_with_what_it_holds(
    server: str, last: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(server + "postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE upgrade_{last}".encode())
    dsn = f"{server}upgrade_{last}"
    assert set_up_as_then(dsn, last, monkeypatch) == "native"
    works_on(dsn, "native")


def test_the_oldest_schema_with_hypertables_is_brought_up_with_what_it_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pglite() as dsn:
        assert set_up_as_then(dsn, OLDEST, monkeypatch) == "timescale"
        works_on(dsn, "timescale")


def test_an_older_program_refuses_a_newer_database_and_changes_nothing(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no way back but the backup; the older program says so instead of working on it."""
    with psycopg.connect(server + "postgres", autocommit=True) as connection:
        connection.execute(b"CREATE DATABASE newer")
    dsn = f"{server}newer"
    with connect(dsn, SETTINGS) as connection:
        migrate(connection, START)
        monkeypatch.setattr(module, "migrations", lambda variant: until(variant, 10))
        with pytest.raises(Wrong, match=r"0011_rollups.*newer one.*restore the backup"):
            migrate(connection, START)
        monkeypatch.undo()
        assert migrate(connection, START) == "native"


def test_a_service_on_a_newer_database_ends_at_once_with_the_reason(
    server: str, tmp_path: Path
) -> None:
    with psycopg.connect(server + "postgres", autocommit=True) as connection:
        connection.execute(b"CREATE DATABASE newest")
    dsn = f"{server}newest"
    with connect(dsn, SETTINGS) as connection:
        migrate(connection, START)
        connection.execute(b"INSERT INTO migrations VALUES (9999, 'later', 'both', 'x', now())")
    write_city(tmp_path / "city", ["s-0,d1,drain,118.0,26.05,water,s-0,,depth"])
    tables = {
        "service": {"city": str(tmp_path / "city"), "state_dir": str(tmp_path / "state")},
        "store": {"dsn": dsn},
    }
    service = ServiceProcess(tmp_path, tables)
    service.start()
    assert service.process is not None
    try:
        assert service.process.wait(60) == 2
    finally:
        service.kill()
    assert "9999_later" in service.said()
    assert "Traceback" not in service.said()
