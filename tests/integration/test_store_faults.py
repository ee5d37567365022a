"""Nothing lost, nothing doubled: the database killed, full, slow or silent at the wrong moment."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contracts.batch import Batch, Committed, OutboxRow
from contracts.clock import SystemClock, monotonic
from contracts.errors import Permanent, Temporary
from store.connect import connect
from store.desk import PgDesk
from store.embedded import EmbeddedPostgres
from store.failures import translate
from store.migrate import migrate
from store.relay import PgRelay
from store.settings import StoreSettings
from store.writer import PgWriter
from tests.servers import START, postgres
from tests.unit.store.makes import at, batch, change, letter, reading, ticket

pytestmark = pytest.mark.slow

SETTINGS = StoreSettings(copy_from=50, pool_wait_s=1.0)


def writer_on(dsn: str) -> PgWriter:
    return PgWriter(dsn, "/gridsentry/test", SETTINGS)


def setup(dsn: str) -> None:
    with connect(dsn, SETTINGS) as connection:
        migrate(connection, START)


def patiently(attempt: Callable[[], Committed], seconds: float = 30.0) -> Committed:
    until, clock = monotonic() + seconds, SystemClock()
    while True:
        try:
            return attempt()
        except Temporary:
            if monotonic() > until:
                raise
            clock.sleep(0.02)


def counted(dsn: str) -> tuple[int, int]:
    """(readings, distinct identities)."""
    with connect(dsn, SETTINGS) as connection:
        row = connection.execute(
            b"SELECT count(*), count(DISTINCT (device, metric, ts)) FROM readings"
        ).fetchone()
    assert row is not None
    return row[0], row[1]


def numbered(number: int, size: int = 100, **content: Any) -> Batch:
    first = number * size
    return batch(number, readings=[reading(first + n) for n in range(size)], **content)


@contextmanager
def tripping(dsn: str, *, after: bool) -> Iterator[tuple[str, threading.Event]]:
    """A way to the database that breaks at the first COMMIT of an armed connection: before the
    server hears it, or after it did and before its answer arrives."""
    folder = dsn.split(maxsplit=1)[0].removeprefix("host=")
    listener = socket.create_server(("127.0.0.1", 0))
    armed = threading.Event()

    def carry(client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(f"{folder}/.s.PGSQL.5432")
            tripped = threading.Event()

            def back() -> None:
                while (data := server.recv(65536)) and not tripped.is_set():
                    client.sendall(data)
                client.shutdown(socket.SHUT_RDWR)

            answering = threading.Thread(target=back)
            answering.start()
            while data := client.recv(65536):
                if armed.is_set() and b"COMMIT" in data:
                    armed.clear()
                    tripped.set()
                    if not after:
                        break
                server.sendall(data)
            server.shutdown(socket.SHUT_RDWR)
            answering.join()

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=carry, args=(client,), daemon=True))
            threads[-1].start()

    threads = [threading.Thread(target=accept, daemon=True)]
    threads[0].start()
    port = listener.getsockname()[1]
    try:
        yield dsn.replace(f"host={folder}", f"host=127.0.0.1 port={port} sslmode=disable"), armed
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in threads:
            thread.join(10)


@pytest.mark.parametrize("after", [False, True], ids=["before-commit", "after-commit"])
def test_a_connection_that_dies_during_commit_neither_loses_nor_doubles(
    pg_dsn: str, after: bool
) -> None:
    with tripping(pg_dsn, after=after) as (dsn, armed):
        writer = writer_on(dsn)
        writer.acquire("w", "me", at(0), 10)
        writer.commit(numbered(1))  # the day's partition is there from now on
        unkeyed = [reading(n, sent_at=None) for n in range(100)]
        whole = batch(2, readings=unkeyed, changes=[change(ticket())])
        armed.set()
        with pytest.raises(Temporary):
            writer.commit(whole)
        assert counted(pg_dsn)[0] == (200 if after else 100)
        found = writer.commit(whole)
        assert (found.again, found.readings_new) == (after, 100)
        assert counted(pg_dsn)[0] == 200
        assert writer.commit(numbered(3)).readings_new == 100
        writer.close()


def test_a_server_killed_again_and_again_while_batches_commit_keeps_each_once(
    tmp_path: Path,
) -> None:
    batches = 60
    with postgres(tmp_path) as server:
        setup(server.dsn)
        writer = writer_on(server.dsn)
        patiently_acquired = writer.acquire("w", "me", at(0), 1000)
        assert patiently_acquired == 1
        reached = threading.Semaphore(0)
        failures: list[BaseException] = []

        def work() -> None:
            try:
                for number in range(1, batches + 1):
                    patiently(lambda n=number: writer.commit(numbered(n)))  # type: ignore[misc]
                    reached.release()
            except BaseException as error:
                failures.append(error)
                raise

        thread = threading.Thread(target=work)
        thread.start()
        for _ in range(5):
            for _ in range(8):
                assert reached.acquire(timeout=30)
            server.kill()
            server.start()
        thread.join(60)
        assert not failures
        assert counted(server.dsn) == (batches * 100, batches * 100)
        assert [len(one.readings) for one in writer.stored_batches("w", 0)] == [100] * batches
        writer.close()


def test_a_change_that_commits_last_though_it_took_its_number_first_is_not_skipped(
    pg_dsn: str,
) -> None:
    slow, fast, relay = writer_on(pg_dsn), writer_on(pg_dsn), PgRelay(pg_dsn, SETTINGS)
    for writer, name in ((slow, "slow"), (fast, "fast")):
        assert writer.acquire(name, "me", at(0), 100) == 1
    read: list[OutboxRow] = []

    async def follow() -> None:
        desk = PgDesk(pg_dsn, SETTINGS)
        await desk.open()
        read.extend(await desk.stream(read[-1].position if read else 0, 100))
        await desk.close()

    late = batch(1, writer="slow", changes=[change(ticket("t-slow"))], dead_letters=[letter()])
    with connect(pg_dsn, SETTINGS) as blocker:
        with blocker.transaction():
            # The slow writer's transaction has its outbox row already when it comes to wait here.
            blocker.execute(b"INSERT INTO dead_letter_days VALUES ('lvl-7', %s, 1)", [at(0).date()])
            thread = threading.Thread(target=slow.commit, args=(late,))
            thread.start()
            _wait_until_blocked(pg_dsn)
            for number in (1, 2):
                changes = [change(ticket(f"t-fast-{number}"))]
                fast.commit(batch(number, writer="fast", changes=changes))
            assert relay.step() == 2
            asyncio.run(follow())
            assert [row.subject for row in read] == ["t-fast-1", "t-fast-2"]
        thread.join(10)
    assert relay.step() == 1
    asyncio.run(follow())
    assert [row.subject for row in read] == ["t-fast-1", "t-fast-2", "t-slow"]
    with connect(pg_dsn, SETTINGS) as connection:
        ids = connection.execute(b"SELECT subject FROM outbox ORDER BY id").fetchall()
    # Its own number was the lowest: a reader who goes by it would have skipped the change.
    assert ids[0] == ("t-slow",)
    for one in (slow, fast, relay):
        one.close()


def _wait_until_blocked(dsn: str) -> None:
    until, clock = monotonic() + 10, SystemClock()
    with connect(dsn, SETTINGS) as connection:
        while monotonic() < until:
            row = connection.execute(
                b"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                b"AND datname = current_database()"
            ).fetchone()
            if row is not None and row[0]:
                return
            clock.sleep(0.01)
    raise AssertionError("nobody waits")


def test_of_two_relays_one_works(pg_dsn: str) -> None:
    writer, relay = writer_on(pg_dsn), PgRelay(pg_dsn, SETTINGS)
    writer.acquire("w", "me", at(0), 10)
    writer.commit(batch(1, changes=[change(ticket())]))
    with connect(pg_dsn, SETTINGS) as other, other.transaction():
        other.execute(b"SELECT pg_advisory_xact_lock(7103, 1)")
        assert relay.step() == 0
    assert relay.step() == 1
    writer.close()
    relay.close()


def test_the_relay_runs_by_notification_and_survives_a_restart(tmp_path: Path) -> None:
    with postgres(tmp_path) as server:
        setup(server.dsn)
        relay, stop = PgRelay(server.dsn, SETTINGS), threading.Event()
        thread = threading.Thread(target=relay.run, args=(stop, 30.0))
        thread.start()
        writer = writer_on(server.dsn)
        writer.acquire("w", "me", at(0), 100)
        for number in (1, 2):
            changes = [change(ticket(f"t-{number}"))]
            patiently(lambda n=number, c=changes: writer.commit(batch(n, changes=c)))  # type: ignore[misc]
            _until_newest(server.dsn, number)
            if number == 1:
                server.kill()
                server.start()
        stop.set()
        writer.commit(batch(3, changes=[change(ticket("t-3"))]))
        thread.join(10)
        assert not thread.is_alive()
        writer.close()
        relay.close()


def _until_newest(dsn: str, position: int) -> None:
    until, clock = monotonic() + 10, SystemClock()
    with connect(dsn, SETTINGS) as connection:
        while monotonic() < until:
            if connection.execute(b"SELECT newest FROM stream").fetchone() == (position,):
                return
            clock.sleep(0.01)
    raise AssertionError(f"the stream did not reach {position}")


def test_a_follower_outlives_the_database(tmp_path: Path) -> None:
    with postgres(tmp_path) as server:
        setup(server.dsn)

        async def follow() -> None:
            desk = PgDesk(server.dsn, SETTINGS)
            await desk.open()
            following = desk.follow()
            await anext(following)
            await asyncio.to_thread(server.kill)
            await asyncio.wait_for(anext(following), 10)
            with pytest.raises(Temporary):
                await desk.ping()
            await asyncio.to_thread(server.start)
            until = monotonic() + 10
            while True:
                try:
                    await desk.ping()
                    break
                except Temporary:
                    assert monotonic() < until
                    await asyncio.sleep(0.05)
            await asyncio.wait_for(anext(following), 10)
            await following.aclose()  # type: ignore[attr-defined]
            await desk.close()

        asyncio.run(follow())


def test_a_full_disk_is_temporary_and_passes_once_there_is_room(tmp_path: Path) -> None:
    """A real full disk (tmpfs); needs root for the mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    mount = ["mount", "-t", "tmpfs", "-o", "size=88m,mode=0755", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this container may not mount a tmpfs")
    server = EmbeddedPostgres(disk / "pg", options={"max_wal_size": "32MB", "min_wal_size": "32MB"})
    try:
        server.start()
        setup(server.dsn)
        writer = writer_on(server.dsn)
        writer.acquire("w", "me", at(0), 100)
        number = 0
        with pytest.raises(Temporary) as full:
            while number < 400:
                number += 1
                writer.commit(numbered(number, 2000))
        assert "full" in str(full.value) or "database" in str(full.value)
        subprocess.run(["mount", "-o", "remount,size=400m", str(disk)], check=True)

        def again() -> Committed:
            if server.pid is None or not Path(f"/proc/{server.pid}").exists():
                server.start()
            return writer.commit(numbered(number, 2000))

        patiently(again)
        number += 1
        patiently(again)
        assert counted(server.dsn) == (number * 2000, number * 2000)
        writer.close()
    finally:
        server.stop()
        subprocess.run(["umount", "-l", str(disk)], check=False)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("53100", "disk is full"),
        ("57P01", "shutting down"),
        ("40P01", "waited for each other"),
        ("40001", "said so"),
        ("55P03", "lock"),
        ("57014", "longer"),
        ("53300", "no free connection"),
        ("25006", "said so"),
    ],
)
def test_what_passes_by_itself_is_temporary_and_undoes_the_batch(
    pg_dsn: str, state: str, words: str
) -> None:
    writer = writer_on(pg_dsn)
    writer.acquire("w", "me", at(0), 10)
    with connect(pg_dsn, SETTINGS) as connection:
        connection.execute(
            b"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
            b"$$ BEGIN RAISE EXCEPTION 'the server said so' USING ERRCODE = '"
            + state.encode()
            + b"'; END $$; CREATE TRIGGER fail BEFORE INSERT ON batches EXECUTE FUNCTION fail()"
        )
        with pytest.raises(Temporary, match=words):
            writer.commit(numbered(1))
        connection.execute(b"DROP TRIGGER fail ON batches")
    assert counted(pg_dsn)[0] == 0
    assert writer.commit(numbered(1)).readings_new == 100
    writer.close()


def test_a_statement_that_is_wrong_is_no_passing_trouble() -> None:
    assert isinstance(translate(psycopg.errors.UndefinedTable("no table")), Permanent)
    assert isinstance(translate(psycopg.OperationalError("gone")), Temporary)


def test_no_database_at_all_is_temporary(tmp_path: Path) -> None:
    writer = writer_on(f"host={tmp_path} user=x dbname=x")
    with pytest.raises(Temporary, match="cannot be reached"):
        writer.acquire("w", "me", at(0), 10)
