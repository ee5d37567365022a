"""Hypertables, compressed chunks and continuous aggregates through a dump and back.

PGlite takes one connection at a time, so the dump is taken without a snapshot held beside it, and
carries rows as INSERTs: it has no COPY.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.errors import Refused, Wrong
from store import dumping, inventory, programs
from store.connect import connect
from store.inventory import Inventory
from store.migrate import migrate
from store.retention import let_go
from store.rollups import roll
from store.settings import StoreSettings
from store.writer import PgWriter
from tests.servers import START, pglite
from tests.unit.store.makes import at, batch, change, event, incident, published, reading, ticket

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SETTINGS = StoreSettings(copy="never")
DAY = 86_400


def write(dsn: str, epoch: int, number: int, first: float, count: int = 200) -> tuple[int, int]:
    """That many readings a minute apart from then on: how many were new, and how many not."""
    writer = PgWriter(dsn, "/gridsentry/test", SETTINGS, variant="timescale")
    assert writer.acquire("w", f"me-{epoch}", at(number), 0.001) == epoch
    body = [reading(first + 60 * n, value=n) for n in range(count)]
    moves = [] if epoch > 1 else [change(event()), change(incident()), change(ticket())]
    found = writer.commit(
        batch(number, epoch=epoch, readings=body, changes=moves, events=[published(event())])
    )
    writer.close()
    return found.readings_new, found.readings_duplicate


@pytest.fixture(scope="module")
def dumped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Inventory]:
    """Twenty days with one compressed, rolled up, dumped."""
    file = tmp_path_factory.mktemp("dump") / "database.dump"
    with pglite() as dsn:
        with connect(dsn, SETTINGS) as connection:
            assert migrate(connection, START) == "timescale"
        assert write(dsn, 1, 1, 0) == (200, 0)
        assert write(dsn, 2, 2, 20 * DAY) == (200, 0)
        roll(dsn, at(21 * DAY), SETTINGS, variant="timescale")
        assert let_go(dsn, at(21 * DAY), SETTINGS, variant="timescale")["compress_chunks"] == 1
        with connect(dsn, SETTINGS) as connection:
            there = inventory.take(connection)
        program = programs.choose("pg_dump", there.server)
        dumping.pg_dump(dsn, file, program, SETTINGS)
    return file, there


def test_a_restored_hypertable_is_the_same_and_takes_late_readings_into_its_roll_ups(
    dumped: tuple[Path, Inventory],
) -> None:
    file, was = dumped
    assert was.timescale is not None
    assert was.rows["readings"] == 400
    assert was.rows["rollup_1h"] == 8
    steps: list[str] = []
    with pglite() as dsn:
        differences = dumping.restore(
            dsn, file, was, SETTINGS, tell=lambda done, total, what: steps.append(what)
        )
        assert differences == []
        assert any("chunk" in step for step in steps), "the bar moves"
        with connect(dsn, SETTINGS) as connection:
            assert migrate(connection, START) == "timescale"
            compressed = connection.execute(
                b"SELECT count(*) FROM timescaledb_information.chunks WHERE is_compressed"
            ).fetchone()
            assert compressed == (1,)
        # said again: known, also in the compressed chunk; late: into it and into its roll-up
        assert write(dsn, 3, 3, 0, count=260) == (60, 200)
        assert write(dsn, 4, 4, 22 * DAY) == (200, 0)
        roll(dsn, at(23 * DAY), SETTINGS, variant="timescale")
        with connect(dsn, SETTINGS) as connection:
            hours = connection.execute(b"SELECT sum(n)::int FROM rollup_1h").fetchone()
        assert hours == (660,)
        with pytest.raises(Refused, match="not empty"):
            dumping.restore(dsn, file, was, SETTINGS)


def test_another_version_of_the_extension_is_refused_with_what_to_do(
    dumped: tuple[Path, Inventory],
) -> None:
    _, was = dumped
    other = inventory.Server(was.server, was.server_text, ("1.7.5",))
    with pytest.raises(Wrong, match=r"offers TimescaleDB 1\.7\.5.*ALTER EXTENSION"):
        dumping.check_target(other, was)
    none = inventory.Server(was.server, was.server_text, ())
    with pytest.raises(Wrong, match="offers TimescaleDB none"):
        dumping.check_target(none, was)
    older = inventory.Server(was.server - 1, "16.9", (str(was.timescale),))
    with pytest.raises(Wrong, match=r"is PostgreSQL 16\.9"):
        dumping.check_target(older, was)
