"""Real servers for tests: a PostgreSQL of our own, and one with TimescaleDB's SQL."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from store.connect import connect
from store.embedded import EmbeddedPostgres
from store.migrate import migrate
from store.settings import StoreSettings

START = datetime(2026, 5, 1, tzinfo=UTC)
"""When the tests' databases were set up."""


@contextmanager
def postgres(tmp_path: Path, **options: str) -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL on a fresh folder below `tmp_path`, gone afterwards."""
    server = EmbeddedPostgres(tmp_path / "postgres", options=options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def pg_server() -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL for the whole session, with a migrated database to copy from."""
    folder = Path(tempfile.mkdtemp(prefix="gs-test-"))
    try:
        # Nothing here outlives the session, so nothing needs to reach the disk.
        with postgres(folder, fsync="off", full_page_writes="off") as server:
            with connect(server.dsn, StoreSettings()) as connection:
                migrate(connection, START)
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_numbers = itertools.count(1)


@contextmanager
def fresh_database(server: EmbeddedPostgres) -> Iterator[str]:
    """A migrated database of one's own on that server, dropped afterwards: its dsn."""
    name = f"test_{next(_numbers)}"
    admin = server.dsn.replace("dbname=gridsentry", "dbname=postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE gridsentry").format(sql.Identifier(name))
        )
    yield server.dsn.replace("dbname=gridsentry", f"dbname={name}")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def pg_dsn(pg_server: EmbeddedPostgres) -> Iterator[str]:
    """A fresh migrated database of a test's own on the session's server."""
    with fresh_database(pg_server) as dsn:
        yield dsn


ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def pglite() -> Iterator[str]:
    """A PGlite with TimescaleDB: its dsn. One client at a time; no COPY.

    Fails with the command that installs it when it is not there.
    """
    modules = ROOT / "build" / "node"
    node = shutil.which("node")
    if node is None or not (modules / ".installed").exists():
        pytest.fail(
            "PGlite with TimescaleDB is not installed: run tests/timescale/install.sh "
            "(it needs node and npm: sudo apt-get install nodejs npm)",
            pytrace=False,
        )
    with subprocess.Popen(
        [node, str(ROOT / "tests" / "timescale" / "server.mjs")],
        cwd=modules,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline() or b"{}")
            yield (
                f"host={told['host']} port={told['port']} user=postgres dbname=postgres "
                "password=postgres "
                "sslmode=disable"
            )
        finally:
            process.kill()
