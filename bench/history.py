"""`python -m bench.history`: how fast charts of readings are answered, on both kinds of database.

A sensor that reports each minute for a year, and a thousand sensors' last hour, by the same code as
`/api/v1/history`, JSON included. RUNS=9 how often; needs what `make test` needs (PGlite for
TimescaleDB: its figures are those of a PostgreSQL compiled to WebAssembly, on one connection).
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from center.history import as_json, grain_for
from store.connect import connect
from store.desk import PgDesk
from store.migrate import Variant, migrate
from store.partitions import ensure
from store.settings import StoreSettings
from tests.servers import pglite, postgres

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
SENSORS = 1_000
SETTINGS = StoreSettings(copy="never", pool_max=1)
FILL = """
INSERT INTO readings (device, metric, ts, ident, value, received_at, effective_at, quality, sent_at,
    boot, writer, batch, pos)
SELECT d, 'level', t, 0, random(), t, t, 0, t, 0, 'w', 1, 0
FROM unnest(%(devices)s::text[]) d,
    generate_series(%(since)s::timestamptz, %(until)s::timestamptz - interval '1 minute',
        interval '1 minute') t
"""
ROLLED = """
INSERT INTO {table} (device, metric, bucket, n, total, low, high)
SELECT 'year', 'level', t, {n}, random(), 0, 1
FROM generate_series(%(since)s::timestamptz, %(until)s::timestamptz, interval '{step}') t
"""
QUESTIONS = {
    "a year of one sensor, 365 days": (["year"], YEAR, 1_000, 50.0),
    "a year of one sensor, 8,760 hours": (["year"], YEAR, 10_000, 50.0),
    "ten days of one sensor, by quarters": (["year"], timedelta(days=10), 1_000, 50.0),
    "1,000 sensors' last hour, as read": ([], timedelta(hours=1), 1_000, 200.0),
}


def filled(dsn: str) -> Variant:
    """A database with a year of one sensor and the last hour of a thousand."""
    many = [f"s-{n}" for n in range(SENSORS)]
    with connect(dsn, SETTINGS) as connection:
        connection.prepare_threshold = None
        variant = migrate(connection, NOW)
        if variant == "native":
            ensure(connection, {(NOW - timedelta(days=n)).date() for n in range(2)})
            for table, n, step in (
                ("rollup_15m", 15, "15 minutes"), ("rollup_1h", 60, "1 hour"),
            ):  # fmt: skip
                span = {"since": NOW - YEAR, "until": NOW}
                connection.execute(ROLLED.format(table=table, n=n, step=step).encode(), span)
        else:  # its levels are made of readings
            year = {"devices": ["year"], "since": NOW - YEAR, "until": NOW}
            connection.execute(FILL.replace("1 minute", "15 minutes").encode(), year)
            for grain in ("1m", "15m", "1h"):
                call = f"CALL refresh_continuous_aggregate('rollup_{grain}', %s::timestamptz, %s)"
                connection.execute(call.encode(), (NOW - YEAR, NOW))
        given: dict[str, object] = {
            "devices": many,
            "since": NOW - timedelta(hours=1),
            "until": NOW,
        }
        connection.execute(FILL.encode(), given)
        connection.execute(b"ANALYZE")
    return variant


async def ask(desk: PgDesk, devices: list[str], period: timedelta, points: int) -> int:
    """One question, answered to the last byte of JSON; how many bytes."""
    found = await desk.history.stretches(
        devices or [f"s-{n}" for n in range(SENSORS)], ["level"], NOW - period, NOW,
        grain_for(period, period, points, desk.history.kept), zone="Asia/Shanghai", limit=1_000_000,
    )  # fmt: skip
    return len(msgspec.json.encode(as_json(found)))


async def timed(dsn: str, runs: int) -> dict[str, tuple[list[float], int]]:
    """Milliseconds of each run, and the answer's bytes."""
    desk = PgDesk(dsn, SETTINGS)
    await desk.open()
    told = {}
    try:
        for name, (devices, period, points, _) in QUESTIONS.items():
            size = await ask(desk, devices, period, points)
            took = []
            for _ in range(runs):
                began = time.perf_counter()
                await ask(desk, devices, period, points)
                took.append(1000 * (time.perf_counter() - began))
            told[name] = took, size
    finally:
        await desk.close()
    return told


@contextmanager
def servers() -> Iterator[list[str]]:
    """Both kinds of database."""
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres(Path(folder), fsync="off") as server,
        pglite() as light,
    ):
        yield [server.dsn, light]


def main() -> int:
    """Fill, ask, print."""
    console = Console(width=120)
    runs = int(os.environ.get("RUNS", "9"))
    table = Table("database", "question", "ms, median", "least - most", "aim", "KiB")
    met = True
    with servers() as dsns:
        for dsn in dsns:
            variant = filled(dsn)
            for name, (took, size) in asyncio.run(timed(dsn, runs)).items():
                aim = QUESTIONS[name][3]
                middle = statistics.median(took)
                met &= middle <= aim
                spread = f"{min(took):.1f} - {max(took):.1f}"
                cells = (variant, name, f"{middle:.1f}", spread, f"<= {aim:g}", f"{size // 1024:,}")
                table.add_row(*cells, style=None if middle <= aim else "red")
    console.print(table)
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
