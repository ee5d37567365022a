"""A server is lost; what is back is exactly what was there at the moment asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.clock import ManualClock
from contracts.errors import Temporary, Wrong
from gridsentry.live.housekeeping import Housekeeper
from gridsentry.metrics import Metrics
from store import archive, programs
from store.connect import connect
from store.embedded import EmbeddedPostgres, binaries
from store.home import GAP, settle
from store.migrate import migrate
from store.settings import StoreSettings
from store.writer import PgWriter
from tests.rig import eventually, rows
from tests.servers import ROOT, START
from tests.unit.store.makes import at, batch, change, incident, reading, ticket

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SCRIPT = ROOT / "deploy" / "postgres" / "pitr.sh"
SETTINGS = StoreSettings()


def pitr(*words: str, dsn: str = "", fails: bool = False) -> str:
    """What the script says."""
    env, _ = programs.environment(dsn)
    env |= {"PG_BIN": str(binaries()), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["sh", str(SCRIPT), *words], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode != 0) is fails, done.stderr
    return done.stdout + done.stderr


class Lost:
    """A server that archived, and is gone; what it had at which moment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wal, self.base = folder / "wal", folder / "base"
        self.wal.mkdir(mode=0o777)
        self.wal.chmod(0o777)  # as root the server runs as somebody else
        options = archive.options(str(self.wal))
        server = EmbeddedPostgres(folder / "postgres", options=options)
        server.start()
        try:
            self._live(server.dsn)
        finally:
            server.kill()
            server.stop()
        shutil.rmtree(folder / "postgres")

    def _live(self, dsn: str) -> None:
        with connect(dsn, SETTINGS) as connection:
            migrate(connection, START)
            settle(connection)
        self._writer = PgWriter(dsn, "/gridsentry/test")
        self._writer.acquire("w", "me", at(0), 10)
        self._write(1)
        pitr("base", str(self.base), dsn=dsn)
        self._write(2)
        ((self.moment,),) = rows(dsn, "SELECT clock_timestamp()::text")
        self._write(3)
        self._writer.close()
        # The rest of the log goes out with archive_timeout; here it is asked for.
        ((last,),) = rows(dsn, "SELECT pg_walfile_name(pg_switch_wal())")
        eventually((self.wal / last).exists)

    def _write(self, number: int) -> None:
        body = [reading(100 * number + n, value=number) for n in range(50)]
        moves = [change(incident(f"i-{number}")), change(ticket(f"t-{number}"))]
        self._writer.commit(batch(number, readings=body, changes=moves))

    def restored(self, moment: str, name: str) -> EmbeddedPostgres:
        """The server on what is restored as of then (not started).

        Each on a copy of the log: what is restored begins a timeline of its own in it, and `latest`
        follows the newest.
        """
        place = self.folder / name
        wal = place / "wal"
        shutil.copytree(self.wal, wal)
        wal.chmod(0o777)
        pitr("restore", str(self.base), str(wal), moment, str(place / "pg"))
        return EmbeddedPostgres(place, options=archive.options(str(wal)), start_s=60)


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lost]:
    """One loss for all tests here. Its folder is open to the account that the server runs as."""
    folder = tmp_path_factory.mktemp("pitr")
    yield Lost(folder)


def test_it_is_as_it_was_at_the_moment_asked_for_and_goes_on_from_there(lost: Lost) -> None:
    server = lost.restored(lost.moment, "at-the-moment")
    try:
        dsn = server.start()
        assert rows(dsn, "SELECT value::int, count(*) FROM readings GROUP BY 1 ORDER BY 1") == [
            (1, 50),
            (2, 50),
        ]
        assert rows(dsn, "SELECT id FROM tickets ORDER BY 1") == [("t-1",), ("t-2",)]
        assert rows(dsn, "SELECT max(number) FROM batches") == [(2,)]
        with connect(dsn, SETTINGS) as connection:
            migrate(connection, START)
            assert settle(connection), "people may have seen what came after that moment"
        assert rows(dsn, "SELECT newest >= %s FROM stream", GAP) == [(True,)]
        writer = PgWriter(dsn, "/gridsentry/test")
        epoch = writer.acquire("w", "another", at(999), 10)
        assert epoch is not None
        found = writer.commit(batch(3, epoch=epoch, readings=[reading(200, value=2), reading(301)]))
        assert (found.readings_new, found.readings_duplicate) == (1, 1)
        writer.close()
    finally:
        server.stop()


def test_up_to_the_latest_everything_that_was_archived_is_there(lost: Lost) -> None:
    server = lost.restored("latest", "latest")
    try:
        dsn = server.start()
        assert rows(dsn, "SELECT count(*) FROM readings") == [(150,)]
    finally:
        server.stop()


def test_a_moment_that_the_log_does_not_reach_is_told_and_not_guessed(lost: Lost) -> None:
    server = lost.restored("2099-01-01 00:00:00+00", "too-late")
    try:
        with pytest.raises(Temporary, match="before configured recovery target was reached"):
            server.start()
    finally:
        server.stop()


def test_what_is_not_empty_or_not_clear_is_refused(lost: Lost, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "x").touch()
    ours = ("restore", str(lost.base), str(lost.wal))
    assert "is not empty" in pitr(*ours, "latest", str(full), fails=True)
    assert "has no zone" in pitr(*ours, "2026-05-01 08:00", str(tmp_path / "new"), fails=True)
    assert "no base backup" in pitr(
        "restore", str(full), str(lost.wal), "latest", str(tmp_path / "new"), fails=True
    )
    assert "is not empty" in pitr("base", str(full), fails=True)


def test_a_spoilt_base_backup_is_found_before_a_server_starts_on_it(
    lost: Lost, tmp_path: Path
) -> None:
    spoilt = tmp_path / "base"
    shutil.copytree(lost.base, spoilt)
    inside = tmp_path / "inside"
    inside.mkdir()
    for command in (
        ["tar", "-xzf", str(spoilt / "base.tar.gz"), "-C", str(inside)],
        ["rm", str(inside / "base" / "1" / "PG_VERSION")],
        ["tar", "-czf", str(spoilt / "base.tar.gz"), "-C", str(inside), "."],
    ):
        subprocess.run(command, check=True)
    told = pitr("restore", str(spoilt), str(lost.wal), "latest", str(tmp_path / "new"), fails=True)
    assert "is spoilt" in told


def test_the_same_log_twice_is_fine_and_another_under_its_name_never_is(tmp_path: Path) -> None:
    """As the script does it, and as the embedded server's setting does."""
    inline = archive.options(str(tmp_path))["archive_command"]
    piece = tmp_path / "piece"
    for number, command in enumerate((f'sh "{SCRIPT}" archive "%p" "%f" "{tmp_path}"', inline)):
        name = f"00000001000000000000000{number}"
        filled = command.replace("%p", str(piece)).replace("%f", name)
        for content, code in ((b"one", True), (b"one", True), (b"two", False)):
            piece.write_bytes(content)
            done = subprocess.run(["sh", "-c", filled], capture_output=True, check=False)
            assert (done.returncode == 0) is code, done.stderr
        assert (tmp_path / name).read_bytes() == b"one"
        assert not (tmp_path / f"{name}.part").exists()


def test_log_that_no_base_backup_needs_goes(lost: Lost, tmp_path: Path) -> None:
    wal = tmp_path / "wal"
    shutil.copytree(lost.wal, wal)
    older = wal / "000000010000000000000000"
    older.touch()
    needed = {path.name for path in lost.wal.iterdir()}
    pitr("prune", str(lost.base), str(wal))
    left = {path.name for path in wal.iterdir()}
    assert not older.exists()
    assert left < needed or left == needed
    assert max(needed) in left


def test_a_folder_that_cannot_be_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(Wrong, match="no folder"):
        archive.options(str(tmp_path / "missing"))
    with pytest.raises(Wrong, match="quotes"):
        archive.options("/backup/it's")
    assert archive.options(None) == {}


def test_a_folder_that_takes_no_log_is_told_by_the_service(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wal = tmp_path / "wal"
    wal.mkdir()
    server = EmbeddedPostgres(tmp_path / "postgres", options=archive.options(str(wal)))
    try:
        dsn = server.start()
        with connect(dsn, SETTINGS) as connection:
            migrate(connection, START)
        wal.rmdir()  # the disk behind it went away
        rows(dsn, "SELECT pg_switch_wal()")
        keeper = Housekeeper(dsn, SETTINGS, "native", ManualClock(at(0)), Metrics(), None)

        def told() -> bool:
            keeper.weigh()
            return "cannot archive its log" in caplog.text

        eventually(told, timeout=60, every=1.0)
    finally:
        server.stop()
