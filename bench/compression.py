"""`python -m bench.compression`: how much smaller TimescaleDB's compression makes days of readings.

Three kinds of days, each in a database of its own, written by the service's own writer and
compressed by its own retention:

- *town*: the simulated town's telemetry as its gateways send it, receipt times included
  (MINUTES=90 of it, SEED=7 which town);
- *levels*: real sewer level sensors, a reading each ten minutes (DAYS=5 of up to STATIONS=90);
- *river*: a real stream gauge, a reading each five minutes.

Real ones need the recordings (GRIDSENTRY_RECORDINGS, as the tests). Times of receipt are not in
those files: each reading is received 0.2 to 2 s after it was measured, to the microsecond (seeded),
which compresses worst. Runs on what `make test` installs, PGlite with TimescaleDB; the format of
tables and compressed chunks is that of the extension, its pages are those of a 32-bit build.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.table import Table

from contracts.batch import Batch
from contracts.nouns import Reading
from gridsentry.city import load_city
from gridsentry.cli import main as gridsentry
from gridsentry.config import Settings
from gridsentry.record.format import read
from gridsentry.record.series import read_mapping, read_series
from ingest.decoder import NativeDecoder
from store.connect import connect
from store.migrate import migrate
from store.retention import let_go
from store.settings import StoreSettings
from store.storage import storage
from store.writer import PgWriter
from tests.conftest import RECORDINGS
from tests.servers import START, pglite

SETTINGS = StoreSettings(copy="never", readings_days=36_500, pool_max=1)
AT_ONCE = 500
FAR = timedelta(days=30)
CHUNKS = """
SELECT before_compression_total_bytes::float8 / after_compression_total_bytes
FROM chunk_compression_stats('readings') WHERE compression_status = 'Compressed'
"""


def town(folder: Path) -> Iterator[Reading]:
    """The simulated town's readings, in the order they were received."""
    seed, minutes = os.environ.get("SEED", "7"), os.environ.get("MINUTES", "90")
    city, out = folder / "city", folder / "town.jsonl"
    for more in (["--city", str(city)], ["--record", str(out), "--minutes", minutes]):
        at = ["--start", "2026-05-01T08:00:00+08:00", "--set", "cameras=0"]
        assert gridsentry(["simulate", "--seed", seed, *more, *at]) == 0
    known = load_city(city)
    decoder = NativeDecoder(known.devices, known.workers, Settings().decoder)
    for arrival in read(out):
        for noun in decoder.decode(arrival):
            if isinstance(noun, Reading):
                yield noun


def levels(_: Path) -> Iterator[Reading]:
    """Real sewers: some weeks of many stations, by time."""
    days = timedelta(days=int(os.environ.get("DAYS", "5")))
    found: list[Reading] = []
    files = sorted((RECORDINGS / "drainage" / "klabum_water_level").glob("*.parquet"))
    mapping = [read_mapping("depth_mm=level*0.001")]
    for path in files[: int(os.environ.get("STATIONS", "90"))]:
        rows = read_series(path, "t", mapping, zone=None, at=None).rows
        last = rows[-1].at if rows else START
        # Each station's last weeks, moved to one end: a town has all of its sensors at once.
        shift = (START - last) // timedelta(days=1) * timedelta(days=1)
        for row in rows:
            if row.at > last - days:
                found += _said(path.stem, row.at + shift, row.values)
    yield from sorted(found, key=lambda one: one.received_at)


def river(_: Path) -> Iterator[Reading]:
    """A real stream gauge in June 2018."""
    path = RECORDINGS / "drainage" / "usgs" / "deadrun_instant.parquet"
    mapping = [read_mapping("USGS:01589330:00065:00000=level*0.3048")]
    for row in read_series(path, "datetimeUTC", mapping, zone=None, at=None).rows:
        yield from _said("dead-run", row.at, row.values)


_dice = random.Random(7)


def _said(device: str, at: datetime, values: dict[str, float]) -> list[Reading]:
    received = at + timedelta(seconds=_dice.uniform(0.2, 2.0))
    return [Reading(device, name, value, at, received, at) for name, value in values.items()]


def stored(dsn: str, readings: Iterable[Reading]) -> tuple[int, datetime]:
    """Write them in the service's batches; how many, and when the newest was received."""
    with connect(dsn, SETTINGS) as connection:
        migrate(connection, START)
    writer = PgWriter(dsn, "/gridsentry/bench", SETTINGS, variant="timescale")
    count, number, newest = 0, 0, START
    stream = iter(readings)
    while part := list(islice(stream, AT_ONCE)):
        newest = max(one.received_at for one in part)
        if number == 0:
            assert writer.acquire("w", "bench", newest, 1e9) == 1
        number += 1
        positions = list(range(len(part)))
        batch = Batch(
            writer="w", number=number, epoch=1, at=newest, readings=part,
            positions_in_batch=positions,
        )  # fmt: skip
        count += writer.commit(batch).readings_new
    writer.close()
    return count, newest


def row(name: str, readings: Iterable[Reading]) -> list[str]:
    """One line of the table."""
    with pglite() as dsn:
        count, newest = stored(dsn, readings)
        let_go(dsn, newest + FAR, SETTINGS, variant="timescale")
        found = storage(dsn, SETTINGS, variant="timescale")
        with connect(dsn, SETTINGS) as connection:
            ratios = sorted(r for (r,) in connection.execute(CHUNKS.encode()))
            pairs = connection.execute(
                b"SELECT device, metric, ts::date, count(*) FROM readings GROUP BY 1, 2, 3"
            ).fetchall()
    per_day = statistics.median(pair[3] for pair in pairs)
    return [
        name, f"{count:,}", str(found.compressed_chunks), f"{per_day:,.0f}",
        f"{found.before_bytes / count:.0f}", f"{found.after_bytes / count:.1f}",
        f"{found.ratio or 0:.1f}", f"{ratios[0]:.1f} – {ratios[-1]:.1f}",
    ]  # fmt: skip


def main() -> None:
    """Measure and print."""
    table = Table(title="Compression by device and metric, a chunk a day (TimescaleDB in PGlite)")
    for heading in ("what", "readings", "days", "a day of one metric", "bytes a reading before",
                    "after", "ratio", "over days"):  # fmt: skip
        table.add_column(heading, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        for make in (town, levels, river):
            table.add_row(*row(make.__name__, make(Path(folder))))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
