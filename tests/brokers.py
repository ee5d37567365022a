"""Real brokers for tests: Mosquitto with a configuration of the test's own, and iotcore."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from contracts.clock import monotonic
from ingest.broker import answers, find_mosquitto, free_port
from ingest.broker_config import render
from ingest.publisher import MqttPublisher
from ingest.settings import MqttSettings

BARE = "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n"
"""Mosquitto as it comes: everything else is its default."""


class Mosquitto:
    """A real Mosquitto on a free port; can be terminated, killed and started again."""

    def __init__(self, folder: Path, config: str | None = None) -> None:
        """`config` may hold `{port}` and `{data}`; None is the configuration we ship."""
        program = find_mosquitto()
        if program is None:
            pytest.fail("these tests need Mosquitto: sudo apt-get install mosquitto")
        self.program = program
        self.port = free_port()
        self.folder = folder
        self.log = folder / "mosquitto.log"
        folder.mkdir(parents=True, exist_ok=True)
        if config is None:
            text = render(port=self.port, data=folder, user="root")
        else:
            text = config.format(port=self.port, data=folder)
        self.config = folder / "mosquitto.conf"
        self.config.write_text(text)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Mosquitto:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-c", str(self.config)], stdout=log, stderr=log
            )
        until = monotonic() + 10
        while not answers(self.port):
            if self.process.poll() is not None or monotonic() > until:
                self.kill()
                pytest.fail(f"mosquitto does not start: {self.log.read_text()}")
            pause(0.02)
        return self

    def terminate(self) -> None:
        """SIGTERM, as a service manager does it: it saves its queues."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: what it has not saved is gone."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """SIGTERM and start again."""
        self.terminate()
        self.start()

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(10)
            self.process = None

    def settings(self, client_id: str, **more: object) -> MqttSettings:
        """Settings that reach it, quick to reconnect."""
        fields: dict[str, object] = {
            "port": self.port,
            "client_id": client_id,
            "reconnect_min_s": 0.05,
            "reconnect_max_s": 0.2,
        }
        return MqttSettings(**{**fields, **more})  # type: ignore[arg-type]

    def publish(
        self, messages: Sequence[tuple[str, bytes]], *, qos: int = 1, retain: bool = False
    ) -> None:
        """Publish them and wait until the broker has acknowledged every one."""
        publisher = MqttPublisher(self.settings("test-publisher"))
        publisher.start()
        try:
            assert publisher.wait_ready(5), publisher.health()
            for topic, payload in messages:
                publisher.publish(topic, payload, qos=qos, retain=retain)
            assert publisher.flush(20), publisher.health()
        finally:
            publisher.stop()


def pause(seconds: float) -> None:
    """Wait without a clock of our own."""
    threading.Event().wait(seconds)


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running Mosquitto with the configuration we ship."""
    broker = Mosquitto(tmp_path / "mosquitto").start()
    yield broker
    broker.kill()


@pytest.fixture
def bare_mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running Mosquitto as it comes from the distribution."""
    broker = Mosquitto(tmp_path / "bare", BARE).start()
    yield broker
    broker.kill()
