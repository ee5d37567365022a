"""The broker of docker-compose.yml, run here: who gets in, and who may say what."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.clock import monotonic
from gridsentry.reference.deploy import mosquitto_conf
from ingest.broker import answers, find_mosquitto, free_port

DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "mosquitto"
PASSWORDS = {
    "gridsentry": "service-secret",
    "gw-sample": "gateway-secret",
    "w-1": "worker-secret",
    "water": "utility-secret",
}

pytestmark = pytest.mark.slow


def setup(folder: Path, more: str) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ,
        "SECRETS_DIR": str(folder),
        "MQTT_SERVICE_PASSWORD": PASSWORDS["gridsentry"],
        "MQTT_GATEWAY_PASSWORD": PASSWORDS["gw-sample"],
        "MQTT_MORE_USERS": more,
    }
    return subprocess.run(
        ["/bin/sh", str(DEPLOY / "setup.sh")], env=env, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real Mosquitto with the shipped files."""
    program = find_mosquitto()
    if program is None:
        pytest.fail("these tests need Mosquitto: sudo apt-get install -y mosquitto")
    folder = tmp_path_factory.mktemp("mosquitto")
    for name in ("config", "secrets", "data"):
        (folder / name).mkdir()
    shutil.copytree(DEPLOY / "conf.d", folder / "config" / "conf.d")
    shutil.copy(DEPLOY / "acl", folder / "config" / "acl")
    done = setup(folder / "secrets", "w-1:worker-secret water:utility-secret")
    assert done.returncode == 0, done.stderr
    free = free_port()
    user = pwd.getpwuid(os.geteuid()).pw_name
    (folder / "mosquitto.conf").write_text(mosquitto_conf(str(folder), port=free, user=user))
    if os.geteuid() == 0:  # the setup gave the file to the image's user; here root runs it
        os.chown(folder / "secrets" / "passwords", 0, 0)
    log = (folder / "log").open("wb")
    broker = subprocess.Popen(
        [program, "-c", str(folder / "mosquitto.conf")], stdout=log, stderr=log
    )
    try:
        until, pause = monotonic() + 10, threading.Event()
        while not answers(free):
            assert broker.poll() is None, (folder / "log").read_text()
            assert monotonic() < until
            pause.wait(0.02)
        yield free
    finally:
        broker.terminate()
        broker.wait(10)
        log.close()


def say(
    port: int, user: str, topic: str, password: str | None = None, *, retain: bool = False
) -> bool:
    """Whether the broker takes it."""
    done = subprocess.run(
        [
            *("mosquitto_pub", "-V", "5", "-p", str(port), "-q", "1", "-t", topic, "-m", "x"),
            *("-u", user, "-P", password or PASSWORDS[user]),
            *(["-r"] if retain else []),
        ],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return done.returncode == 0 and "not authori" not in done.stderr.lower()


def hears(port: int, user: str, topic: str) -> bool:
    """Whether a (retained) message of the service on that topic reaches the user."""
    assert say(port, "gridsentry", topic, retain=True)
    done = subprocess.run(
        [
            *("mosquitto_sub", "-V", "5", "-p", str(port), "-q", "1", "-t", topic),
            *("-u", user, "-P", PASSWORDS[user], "-C", "1", "-W", "2"),
        ],
        capture_output=True,
        timeout=20,
        check=False,
    )
    return done.returncode == 0 and done.stdout == b"x\n"


def test_nobody_gets_in_without_the_password(port: int) -> None:
    assert not say(port, "gw-sample", "gridsentry/v1/feed/sample/level-1/telemetry", "wrong")
    assert not say(port, "stranger", "gridsentry/v1/feed/sample/level-1/telemetry", "x")


def test_a_gateway_speaks_for_its_own_district_only(port: int) -> None:
    assert say(port, "gw-sample", "gridsentry/v1/feed/sample/level-1/telemetry")
    assert not say(port, "gw-sample", "gridsentry/v1/feed/other/level-1/telemetry")
    assert not say(port, "gw-sample", "gridsentry/v1/alert/sample/flooding/opened")
    assert not say(port, "gw-sample", "gridsentry/v1/worker/w-1/position")


def test_a_worker_says_where_it_is_itself_and_no_more(port: int) -> None:
    assert say(port, "w-1", "gridsentry/v1/worker/w-1/position")
    assert not say(port, "w-1", "gridsentry/v1/worker/w-2/position")
    assert not say(port, "w-1", "gridsentry/v1/feed/sample/level-1/telemetry")
    assert not say(port, "w-1", "gridsentry/v1/worker/w-1/ticket")


def test_everybody_gets_the_own_tickets_only(port: int) -> None:
    assert hears(port, "w-1", "gridsentry/v1/worker/w-1/ticket")
    assert not hears(port, "w-1", "gridsentry/v1/worker/w-2/ticket")
    assert hears(port, "water", "gridsentry/v1/utility/water/ticket")
    assert not hears(port, "water", "gridsentry/v1/utility/power/ticket")


def test_setup_names_a_wrong_entry_without_telling_secrets(tmp_path: Path) -> None:
    done = setup(tmp_path, "nopassword")
    assert done.returncode == 2
    assert "name:password" in done.stderr
    assert "nopassword" not in done.stderr
    assert not (tmp_path / "passwords").exists()


def test_setup_writes_no_password_in_clear(tmp_path: Path) -> None:
    assert setup(tmp_path, "w-1:worker-secret").returncode == 0
    text = (tmp_path / "passwords").read_text()
    assert [line.partition(":")[0] for line in text.splitlines()] == [
        "gridsentry",
        "gw-sample",
        "w-1",
    ]
    assert "secret" not in text
    assert (tmp_path / "passwords").stat().st_mode & 0o077 == 0
