"""What takes how much room is told: by the command, and by the metrics an operator watches."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.clock import ManualClock
from gridsentry.cli import main
from gridsentry.live.housekeeping import Housekeeper
from gridsentry.metrics import Metrics
from store.connect import connect
from store.embedded import EmbeddedPostgres
from store.migrate import Variant, migrate
from store.retention import let_go
from store.settings import StoreSettings
from store.storage import storage
from store.writer import PgWriter
from tests.servers import START, pglite
from tests.unit.store.makes import at, batch, reading

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SETTINGS = StoreSettings(copy="never")
DAY = 86_400


def fill(dsn: str, variant: Variant) -> None:
    """Three days of a reading each three minutes; PGlite takes no large messages."""
    writer = PgWriter(dsn, "/gridsentry/test", SETTINGS, variant=variant)
    writer.acquire("w", "me", at(0), 1e6)
    for day in range(3):
        body = [reading(DAY * day + 180 * n, value=n / 7) for n in range(300)]
        writer.commit(batch(1 + DAY * day, readings=body))
    writer.close()


@pytest.fixture(scope="module")
def hypertables() -> Iterator[str]:
    """Three days on TimescaleDB, of which two are compressed."""
    with pglite() as dsn:
        with connect(dsn, SETTINGS) as connection:
            assert migrate(connection, START) == "timescale"
        fill(dsn, "timescale")
        soon = StoreSettings(copy="never", compress_after_days=1)
        assert let_go(dsn, at(3 * DAY), soon, variant="timescale")["compress_chunks"] == 2
        yield dsn


def test_compression_is_weighed_by_the_days_that_are_compressed(hypertables: str) -> None:
    found = storage(hypertables, SETTINGS, variant="timescale")
    assert found.compressed_chunks == 2
    assert found.ratio is not None
    assert found.ratio > 2, "small as these days are"
    assert found.before_bytes > found.after_bytes > 0
    assert {"readings", "rollup_1m", "rollup_1h", "tickets"} <= found.tables.keys()
    assert found.tables["readings"] >= found.after_bytes
    assert list(found.tables.values()) == sorted(found.tables.values(), reverse=True)


def test_the_metrics_have_it(hypertables: str) -> None:
    metrics = Metrics()
    clock = ManualClock(at(3 * DAY))
    Housekeeper(hypertables, SETTINGS, "timescale", clock, metrics, None).weigh()

    def sample(name: str, **labels: str) -> float:
        value = metrics.registry.get_sample_value(name, labels)
        assert value is not None
        return value

    before = sample("gridsentry_compression_bytes", when="before")
    assert before / sample("gridsentry_compression_bytes", when="after") > 2
    assert sample("gridsentry_table_bytes", table="readings") > 0


def test_a_database_that_is_away_is_told_and_weighed_another_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = Metrics()
    keeper = Housekeeper("host=/nowhere", SETTINGS, "native", ManualClock(at(0)), metrics, None)
    with caplog.at_level(logging.WARNING):
        keeper.weigh()
    assert "not weighed" in caplog.text


def test_the_command_tells_people_and_machines(
    pg_server: EmbeddedPostgres, pg_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(pg_dsn, "native")
    config = tmp_path / "g.toml"
    config.write_text(f'[store]\ndsn = "{pg_dsn}"\n')
    assert main(["storage", "--config", str(config)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("PostgreSQL ")
    assert any(line.split()[0] == "readings" for line in lines[1:4])
    assert main(["storage", "--config", str(config), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["tables"]["readings"] > 900 * 50
    assert told["compressed_chunks"] == 0
    other = pg_server.dsn.replace("dbname=gridsentry", "dbname=postgres")
    config.write_text(f'[store]\ndsn = "{other}"\n')
    assert main(["storage", "--config", str(config)]) == 2
    assert "no tables of Gridsentry" in capsys.readouterr().err
