"""The database dies, or its disk is full: the service waits, says so, and loses nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.embedded import EmbeddedPostgres
from tests.brokers import Mosquitto
from tests.rig import ROOT, Stage, drain, eventually, now_ms, write_city
from tests.servers import postgres

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.xdist_group("database")]

RATE = 300


@pytest.fixture
def database(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of this test's own, which it may kill."""
    with postgres(tmp_path, shared_buffers="16MB") as server:
        yield server


@pytest.fixture
def own(tmp_path: Path, database: EmbeddedPostgres, mosquitto: Mosquitto) -> Iterator[Stage]:
    """A stage on that database."""
    stage = Stage(tmp_path, database.dsn, mosquitto.port)
    yield stage
    stage.close()


def test_killed_and_started_again_it_has_everything_once(
    own: Stage, database: EmbeddedPostgres
) -> None:
    write_city(own.city, [drain(f"s-{i}", i) for i in range(10)])
    service = own.service()
    service.start()
    service.wait_ready()
    gateway = own.gateway()
    began = now_ms()
    steady = own.steady(
        RATE, lambda n: gateway.telemetry(f"s-{n % 10}", began + n * 1000 // RATE, depth=0.01)
    )
    eventually(lambda: own.count("readings") > RATE, timeout=60)
    for _ in range(3):
        database.kill()
        told = service.wait_red("database")
        assert "Traceback" not in told
        database.start()
        stood = own.count("readings")
        eventually(lambda: own.count("readings") > stood + RATE, timeout=90)  # noqa: B023
        service.wait_ready()
    count = steady.stop()
    assert gateway.settle() == count
    own.all_stored(count)
    assert service.lives
    assert service.stop() == 0


SMALL_DISK = "GRIDSENTRY_TEST_SMALL_DISK"
MOUNT = ["mount", "-t", "tmpfs", "-o", "size=160m,mode=0755", "tmpfs"]
NEEDS = (
    "this test fills a small disk and so must mount a tmpfs: run it as root (in a container: with "
    "CAP_SYS_ADMIN), or as a user who may make namespaces (`unshare -rm true` must work; Ubuntu: "
    "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0)"
)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A file system of 160 MiB; None where only a user namespace can have one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if SMALL_DISK in os.environ:
        yield Path(os.environ[SMALL_DISK])
    elif os.geteuid() != 0:
        yield None
    else:
        tried = subprocess.run([*MOUNT, str(disk)], capture_output=True, text=True, check=False)
        if tried.returncode != 0:
            pytest.fail(f"{NEEDS}. mount said: {tried.stderr.strip()}", pytrace=False)
        yield disk
        subprocess.run(["umount", "-l", str(disk)], check=False, capture_output=True)


def in_a_namespace(node: str, disk: Path) -> None:
    """Run this very test where we may mount: as root of a namespace, then as a user again."""
    disk.mkdir()
    script = (
        f'{" ".join(MOUNT)} "$0" && chmod 777 "$0" && '
        f'exec unshare -U --map-user=1000 --map-group=1000 env {SMALL_DISK}="$0" "$@"'
    )
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", node]
    command = ["unshare", "-rm", "sh", "-c", script, str(disk), *pytest_]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if "1 passed" not in ran.stdout:
        pytest.fail(f"{NEEDS}. It said:\n{ran.stdout[-3000:]}{ran.stderr[-1000:]}", pytrace=False)


def test_with_a_full_disk_it_waits_and_with_room_again_everything_is_there_once(
    tmp_path: Path,
    small_disk: Path | None,
    mosquitto: Mosquitto,
    request: pytest.FixtureRequest,
) -> None:
    if small_disk is None:
        in_a_namespace(request.node.nodeid.split("@")[0], tmp_path / "mounted")
        return
    options = {"shared_buffers": "16MB", "max_wal_size": "32MB", "min_wal_size": "32MB"}
    database = EmbeddedPostgres(small_disk / "pg", options=options)
    stage = Stage(tmp_path, database.start(), mosquitto.port)
    try:
        write_city(stage.city, [drain(f"s-{i}", i) for i in range(10)])
        service = stage.service()
        service.start()
        service.wait_ready()
        gateway = stage.gateway()
        began = now_ms()
        steady = stage.steady(
            RATE, lambda n: gateway.telemetry(f"s-{n % 10}", began + n * 1000 // RATE, depth=0.01)
        )
        eventually(lambda: stage.count("readings") > RATE, timeout=60)
        filler = small_disk / "filler"
        fill(filler)
        service.wait_red("disk is full|database", timeout=120)
        time.sleep(3)
        assert service.readyz()[0] == 503, "it does not pass by itself"
        filler.unlink()

        def again() -> bool:
            # A PostgreSQL that cannot write its log gives up; a service manager starts it again.
            database.start()
            return service.readyz()[0] == 200

        eventually(again, timeout=90, every=0.5)
        count = steady.stop()
        assert gateway.settle() == count
        stage.all_stored(count)
        service.wait_ready()
        assert service.stop() == 0
    finally:
        stage.close()
        database.stop()


def fill(path: Path) -> None:
    """Take all the room there is, then what the database sets free meanwhile."""
    with path.open("wb", buffering=0) as file:
        for piece in (2**20, 4096):
            try:
                while True:
                    file.write(bytes(piece))
            except OSError:
                continue
        os.fsync(file.fileno())
