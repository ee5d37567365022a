"""The broker of docker-compose.yml, run here: who gets in, and who may say what."""

from __future__ import annotations

import gc
import os
import pwd
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from contracts.clock import monotonic
from gridsentry.reference.deploy import mosquitto_conf
from ingest.broker import answers, find_mosquitto, free_port
from ingest.publisher import MqttPublisher
from ingest.settings import MqttSettings

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


class Shipped(NamedTuple):
    """A real Mosquitto with the shipped files."""

    port: int
    tls_port: int
    certificate: Path


def certify(folder: Path) -> None:
    """A certificate for this machine, in the files that tls.conf.example names."""
    if shutil.which("openssl") is None:
        pytest.fail("these tests need openssl: sudo apt-get install -y openssl")
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(folder / "server.key"), "-out", str(folder / "server.crt")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    shutil.copy(folder / "server.crt", folder / "ca.crt")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shipped]:
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
    port, tls_port = free_port(), free_port()
    certify(folder / "config" / "conf.d")
    example = (DEPLOY / "conf.d" / "tls.conf.example").read_text(encoding="utf-8")
    here = example.replace("8883\n", f"{tls_port}\n").replace("/mosquitto/", f"{folder}/")
    (folder / "config" / "conf.d" / "tls.conf").write_text(here, encoding="utf-8")
    user = pwd.getpwuid(os.geteuid()).pw_name
    (folder / "mosquitto.conf").write_text(mosquitto_conf(str(folder), port=port, user=user))
    if os.geteuid() == 0:  # the setup gave the file to the image's user; here root runs it
        os.chown(folder / "secrets" / "passwords", 0, 0)
    log = (folder / "log").open("wb")
    broker = subprocess.Popen(
        [program, "-c", str(folder / "mosquitto.conf")], stdout=log, stderr=log
    )
    try:
        until, pause = monotonic() + 10, threading.Event()
        while not (answers(port) and answers(tls_port)):
            assert broker.poll() is None, (folder / "log").read_text()
            assert monotonic() < until
            pause.wait(0.02)
        yield Shipped(port, tls_port, folder / "config" / "conf.d" / "ca.crt")
    finally:
        broker.terminate()
        broker.wait(10)
        log.close()


@pytest.fixture
def port(shipped: Shipped) -> int:
    return shipped.port


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


def connects(shipped: Shipped, host: str, certificate: Path | None) -> bool:
    """Whether our own client gets in over TLS."""
    publisher = MqttPublisher(
        MqttSettings(
            host=host,
            port=shipped.tls_port,
            client_id="over-tls",
            username="gridsentry",
            password=PASSWORDS["gridsentry"],
            tls=True,
            tls_ca=str(certificate) if certificate else None,
        )
    )
    publisher.start()
    try:
        return publisher.wait_ready(1.0)
    finally:
        publisher.stop()
        gc.collect()


def test_our_client_speaks_tls_with_the_shipped_example(shipped: Shipped) -> None:
    assert connects(shipped, "127.0.0.1", shipped.certificate)


# paho leaves the socket of a failed handshake to the garbage collector (see `connects`).
LEFT_TO_GC = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@LEFT_TO_GC
def test_our_client_refuses_a_certificate_it_does_not_know(
    shipped: Shipped, caplog: pytest.LogCaptureFixture
) -> None:
    assert not connects(shipped, "127.0.0.1", None)
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text


@LEFT_TO_GC
def test_our_client_refuses_a_certificate_of_another_name(
    shipped: Shipped, caplog: pytest.LogCaptureFixture
) -> None:
    assert not connects(shipped, "127.0.0.2", shipped.certificate)
    assert "mismatch" in caplog.text


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
