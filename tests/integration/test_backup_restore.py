"""A backup of a working service on a fresh server: the service goes on, nothing is doubled."""

from __future__ import annotations

import http.client
import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from gridsentry.backup import manifest
from gridsentry.cli import main
from gridsentry.config import load
from gridsentry.database import database
from store import inventory
from store.connect import connect
from store.embedded import EmbeddedPostgres
from store.home import GAP, settle
from store.migrate import migrate
from store.settings import StoreSettings
from store.writer import PgWriter
from tests.rig import Gateway, ServiceProcess, Stage, drain, eventually, now_ms, rows, write_city
from tests.servers import START, postgres
from tests.unit.store.makes import at, batch, reading

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

WET, DRY = "s-0", "s-1"


class Story:
    """Readings a second apart: one street fills up, another stays dry until it is told to fill."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._began = now_ms() - 600_000
        self.sent = 0

    def say(self, first: int, last: int, second: float = 0.0) -> None:
        """Readings number first to last - 1 of both streets; said again they are the same."""
        for n in range(first, last):
            ts = self._began + 1000 * n
            depth = min(max(0.0, 0.02 * (n - 5)), 0.45)
            self._gateway.telemetry(WET, ts, depth=round(depth, 3))
            self._gateway.telemetry(DRY, ts, depth=min(second * max(0, n - first), 0.45))
        self._gateway.settle()


def tickets(dsn: str) -> dict[str, str]:
    """Tickets of floods: id → site of the first event."""
    return dict(
        rows(
            dsn,
            "SELECT t.id, e.site FROM tickets t JOIN incidents i ON i.id = t.incident "
            "JOIN events e ON e.id = i.body->'events'->>0 AND e.newest WHERE t.kind = 'flooding'",
        )
    )


def stored(dsn: str) -> int:
    """How many readings there are."""
    return int(rows(dsn, "SELECT count(*) FROM readings")[0][0])


def first_words(service: ServiceProcess, after: int) -> list[str]:
    """What the live stream says first to a reader that had everything up to `after`."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    connection.request("GET", "/api/v1/stream", headers={"Last-Event-ID": str(after)})
    answer = connection.getresponse()
    said: list[str] = []
    for raw in answer:
        if raw.startswith(b"event: "):
            said.append(raw.decode().strip().removeprefix("event: "))
        if len(said) == 2:
            break
    connection.close()
    return said


@contextmanager
def another(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A fresh server on a machine of its own, so to say."""
    folder.mkdir()
    with postgres(folder, fsync="off") as server:
        yield server


def test_a_service_goes_on_from_its_backup_and_doubles_nothing(
    stage: Stage, tmp_path: Path
) -> None:
    write_city(stage.city, [drain(WET), drain(DRY, 10)])
    story, service = Story(stage.gateway()), stage.service()
    service.start()
    service.wait_ready()
    story.say(0, 40)
    stage.all_stored(80)
    eventually(lambda: len(tickets(stage.dsn)) == 1)
    before = tickets(stage.dsn)
    evidence = stage.state / "evidence" / "cam-1" / "still.jpg"
    evidence.parent.mkdir(parents=True)
    evidence.write_bytes(b"a still")

    # --- while it runs
    kept = tmp_path / "backup"
    done = service.command("backup", str(kept))
    assert done.returncode == 0, done.stderr
    assert "80 readings" in done.stdout
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    told = manifest.read(kept)
    assert (told.database.rows["readings"], told.database.rows["tickets"]) == (80, 1)
    assert (kept / "city" / "devices.csv").is_file()
    assert (kept / "evidence.secret").is_file()

    # --- then the second street fills up as well, people are told, and the server is lost
    story.say(40, 80, second=0.02)
    stage.all_stored(160)
    eventually(lambda: len(tickets(stage.dsn)) == 2)
    lost = eventually(
        lambda: (
            service.get("/api/v1/tickets")["items"][0]["id"] not in before
            and rows(stage.dsn, "SELECT newest FROM stream")[0][0]
        )
    )
    assert service.stop() == 0
    # while it is away: a broker keeps what comes, and a gateway says again what was heard
    story.say(30, 40)
    story.say(80, 100)

    # --- back on a fresh server, with nothing else left
    with another(tmp_path / "fresh") as server:
        stage.dsn, stage.state = server.dsn, tmp_path / "other-state"
        city, stage.city = stage.city, tmp_path / "other-city"
        again = stage.service()
        done = again.command("restore", str(kept))
        assert done.returncode == 0, done.stderr
        assert "Restored as of" in done.stdout
        assert "counted and the same: 80 readings, 1 tickets" in done.stdout
        assert (tmp_path / "other-state" / "evidence" / "cam-1" / "still.jpg").exists()
        assert (stage.city / "devices.csv").read_bytes() == (city / "devices.csv").read_bytes()
        with connect(server.dsn, StoreSettings()) as connection:
            assert inventory.differences(told.database, inventory.take(connection)) == []

        again.start()
        again.wait_ready()
        eventually(lambda: stored(server.dsn) == 120)  # 80 and the 40 new ones
        assert tickets(server.dsn) == before, "the flood that goes on is the same ticket"
        assert first_words(again, lost) == ["hello", "reset"], "its reader saw what is lost"
        assert rows(server.dsn, "SELECT newest >= %s FROM stream", GAP) == [(True,)]

        # --- and it goes on: the second street is told of (anew), on positions nobody ever had
        story.say(100, 140, second=0.02)
        eventually(lambda: stored(server.dsn) == 200)
        eventually(lambda: len(tickets(server.dsn)) == 2)
        assert before.items() <= tickets(server.dsn).items()
        positions = [n for (n,) in rows(server.dsn, "SELECT position FROM outbox ORDER BY 1")]
        assert len(positions) == len(set(positions))
        assert min(n for n in positions if n > told.database.position) > max(lost, GAP)
        assert rows(server.dsn, "SELECT count(DISTINCT (device, ts)) FROM readings") == [(200,)]
        assert rows(server.dsn, "SELECT sum((found->>'faults')::int) FROM batches") == [(0,)]


def config(folder: Path, dsn: str) -> list[str]:
    """A configuration on that database with folders of its own."""
    folder.mkdir(exist_ok=True)
    path = folder / "g.toml"
    tables = {
        "service": {"city": str(folder / "city"), "state_dir": str(folder / "state")},
        "store": {"dsn": dsn},
    }
    lines = [
        line
        for table, fields in tables.items()
        for line in (f"[{table}]", *(f"{k} = {json.dumps(v)}" for k, v in fields.items()))
    ]
    path.write_text("\n".join(lines) + "\n")
    return ["--config", str(path)]


@pytest.fixture
def backup(pg_dsn: str, tmp_path: Path) -> Path:
    """A backup of an empty city."""
    ours = config(tmp_path / "one", pg_dsn)
    write_city(tmp_path / "one" / "city", [drain(WET)])
    assert main(["backup", str(tmp_path / "kept"), *ours]) == 0
    return tmp_path / "kept"


def test_a_database_that_has_something_is_kept_aside_and_never_overwritten(
    backup: Path, pg_server: EmbeddedPostgres, pg_dsn: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    ours = config(tmp_path / "one", pg_dsn)
    with psycopg.connect(pg_dsn, autocommit=True) as connection:
        connection.execute(b"INSERT INTO targets VALUES ('since', 7)")
    assert main(["restore", str(backup), *ours]) == 1
    assert "not empty" in capsys.readouterr().err

    with connect(pg_dsn, StoreSettings()):  # a service that runs
        assert main(["restore", str(backup), *ours, "--replace"]) == 1
        assert "stop the service" in capsys.readouterr().err

    assert main(["restore", str(backup), *ours, "--replace"]) == 0
    out = capsys.readouterr().out
    name = out.partition("is gridsentry_before_")[2].split()[0]
    assert rows(pg_dsn, "SELECT count(*) FROM targets") == [(0,)]
    aside = pg_dsn.partition("dbname=")[0] + f"dbname=gridsentry_before_{name}"
    assert rows(aside, "SELECT position FROM targets") == [(7,)]
    admin = pg_server.dsn.replace("dbname=gridsentry", "dbname=postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "gridsentry_before_{name}"'.encode())


def test_what_was_spoilt_or_is_of_a_newer_program_is_refused_before_anything_is_touched(
    backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # a database that cannot be reached: it is never asked
    nowhere = config(tmp_path / "two", "host=/nowhere dbname=none")

    def refused(words: str, code: int) -> None:
        assert main(["restore", str(backup), *nowhere]) == code
        assert words in capsys.readouterr().err

    book, dump = backup / "backup.json", backup / "database.dump"
    text, body = book.read_text(), dump.read_bytes()
    dump.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
    refused("not what was written", 1)
    dump.write_bytes(body)
    (backup / "city" / "devices.csv").write_text("changed\n")
    refused("city has", 1)
    book.write_text(text.replace('"format": 1', '"format": 2'))
    refused("has format 2", 2)
    book.unlink()
    refused("has no backup.json", 2)


def test_a_dump_of_a_newer_schema_is_refused_with_the_migration_it_has(
    backup: Path, pg_server: EmbeddedPostgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = json.loads((backup / "backup.json").read_text())
    book["database"]["migrations"].append({"number": 9999, "name": "later", "checksum": "x"})
    (backup / "backup.json").write_text(json.dumps(book))
    ours = config(tmp_path / "two", pg_server.dsn.replace("dbname=gridsentry", "dbname=postgres"))
    assert main(["restore", str(backup), *ours]) == 2
    assert "9999_later" in capsys.readouterr().err


def test_backups_do_not_go_over_one_another_and_need_a_database_of_ours(
    backup: Path, pg_server: EmbeddedPostgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = config(tmp_path / "one", pg_server.dsn)
    assert main(["backup", str(backup), *ours]) == 1
    assert "is not empty" in capsys.readouterr().err
    other = config(tmp_path / "two", pg_server.dsn.replace("dbname=gridsentry", "dbname=postgres"))
    assert main(["backup", str(tmp_path / "new"), *other]) == 2
    assert "has no tables of Gridsentry" in capsys.readouterr().err
    assert not (tmp_path / "new" / "backup.json").exists()


def test_a_restore_that_breaks_off_leaves_the_database_empty(
    backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dump = backup / "database.dump"
    dump.write_bytes(dump.read_bytes()[:-2000])
    book = json.loads((backup / "backup.json").read_text())
    book["dump_sha256"] = manifest.digest(dump)  # the backup itself was written broken
    (backup / "backup.json").write_text(json.dumps(book))
    with another(tmp_path / "fresh") as server:
        ours = config(tmp_path / "two", server.dsn)
        assert main(["restore", str(backup), *ours]) == 1
        assert "pg_restore" in capsys.readouterr().err
        assert rows(server.dsn, "SELECT count(*) FROM pg_class WHERE relname = 'readings'") == [
            (0,)
        ]


def test_an_embedded_service_is_backed_up_and_restored_without_any_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No dsn: the commands start the embedded database for as long as they need it."""
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
        (folder / "g.toml").write_text(
            f'[service]\ncity = "{folder}/city"\nstate_dir = "{folder}/state"\n'
        )
    write_city(one / "city", [drain(WET)])
    first, second = ["--config", str(one / "g.toml")], ["--config", str(two / "g.toml")]
    assert main(["backup", str(tmp_path / "kept"), *first]) == 2
    assert "has no database" in capsys.readouterr().err
    assert not (tmp_path / "kept").exists()

    with database(load(one / "g.toml"), make=True) as dsn:
        writer_of_one_reading(dsn)
    assert main(["backup", str(tmp_path / "kept"), *first]) == 0
    assert main(["restore", str(tmp_path / "kept"), *second, "--dry-run"]) == 0
    assert "the database is empty" in capsys.readouterr().out
    assert main(["restore", str(tmp_path / "kept"), *second]) == 0
    assert "1 readings" in capsys.readouterr().out
    with database(load(two / "g.toml")) as dsn:
        assert stored(dsn) == 1
        # its stream goes on elsewhere, once
        with connect(dsn, StoreSettings()) as connection:
            assert settle(connection)
            assert not settle(connection)


def writer_of_one_reading(dsn: str) -> None:
    """A service that had one reading."""
    with connect(dsn, StoreSettings()) as connection:
        migrate(connection, START)
        assert not settle(connection)
    writer = PgWriter(dsn, "/gridsentry/test")
    writer.acquire("w", "me", at(0), 10)
    writer.commit(batch(1, readings=[reading()]))
    writer.close()
