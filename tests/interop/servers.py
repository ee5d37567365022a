"""The four brokers a city may run, each a real server that the test starts and stops."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Protocol

import pytest

from contracts.clock import monotonic
from ingest.broker import EmbeddedBroker, answers, free_port
from ingest.settings import MqttSettings
from tests.brokers import Mosquitto, pause

RABBIT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
START_S = 90.0
"""RabbitMQ takes a quarter of a minute on two busy cores."""


class Broker(Protocol):
    """A broker under test."""

    port: int

    def start(self) -> Broker:
        """Start it and wait until it answers."""
        ...

    def terminate(self) -> None:
        """Stop it as a service manager does."""
        ...

    def kill(self) -> None:
        """Leave nothing of it behind."""
        ...


class _Process:
    """A server program in a group of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "server.log"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, command: list[str], env: dict[str, str] | None = None) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=env, start_new_session=True, cwd=self.folder
            )
        until = monotonic() + START_S
        while not answers(self.port):
            if self.process.poll() is not None or monotonic() > until:
                self.end(signal.SIGKILL)
                pytest.fail(f"{command[0]} does not start: {self.log.read_text()[-2000:]}")
            pause(0.1)

    def end(self, how: signal.Signals) -> None:
        if self.process is not None:
            with_it, self.process = self.process, None
            try:
                os.killpg(with_it.pid, how)
            except ProcessLookupError:
                return
            with_it.wait(60)


class Nats(_Process):
    """NATS server with JetStream, which keeps its MQTT sessions."""

    def start(self) -> Nats:
        program = shutil.which("nats-server", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None:
            pytest.fail("these tests need the NATS server: sudo apt-get install nats-server")
        config = self.folder / "nats.conf"
        config.write_text(
            f'server_name: "city"\nlisten: "127.0.0.1:{free_port()}"\nmax_payload: 33554432\n'
            f'jetstream {{ store_dir: "{self.folder}/jetstream" }}\n'
            f'mqtt {{ listen: "127.0.0.1:{self.port}", max_ack_pending: 10000 }}\n'
        )
        self.run([program, "-c", str(config)])
        return self

    def terminate(self) -> None:
        self.end(signal.SIGTERM)

    def kill(self) -> None:
        self.end(signal.SIGKILL)


class Rabbit(_Process):
    """RabbitMQ with its MQTT plugin, apart from any other RabbitMQ of the machine."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._epmd = free_port()

    def start(self) -> Rabbit:
        if not RABBIT.exists():
            pytest.fail("these tests need RabbitMQ: sudo apt-get install rabbitmq-server")
        (self.folder / "plugins").write_text("[rabbitmq_mqtt].\n")
        (self.folder / "rabbit.conf").write_text(
            f"listeners.tcp = none\nmqtt.listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            "mqtt.allow_anonymous = true\nmqtt.default_user = guest\nmqtt.default_pass = guest\n"
            "mqtt.prefetch = 10000\nmqtt.subscription_ttl = 604800000\nloopback_users = none\n"
            "disk_free_limit.absolute = 50MB\n"
        )
        env = {
            **os.environ,
            "HOME": str(self.folder),
            "ERL_EPMD_PORT": str(self._epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"gs{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbit"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2",
        }
        self.run([str(RABBIT)], env)
        return self

    def terminate(self) -> None:
        self.end(signal.SIGTERM)
        self._mapper()

    def kill(self) -> None:
        self.end(signal.SIGKILL)
        self._mapper()

    def _mapper(self) -> None:
        """Erlang's port mapper outlives its node."""
        subprocess.run(["pkill", "-f", f"epmd.*{self._epmd}"], check=False, capture_output=True)
        epmd = shutil.which("epmd")
        if epmd is not None:
            env = {**os.environ, "ERL_EPMD_PORT": str(self._epmd)}
            subprocess.run([epmd, "-kill"], env=env, check=False, capture_output=True)


class Embedded:
    """The embedded broker, as `make run` starts it where Mosquitto is not to be had."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._broker = EmbeddedBroker(folder, self.port, prefer="iotcore")

    def start(self) -> Embedded:
        self._broker.start()
        return self

    def terminate(self) -> None:
        self._broker.stop()

    def kill(self) -> None:
        self._broker.stop()


BROKERS = {"mosquitto": Mosquitto, "nats": Nats, "rabbitmq": Rabbit, "embedded": Embedded}


def settings(broker: Broker, client_id: str, **more: object) -> MqttSettings:
    """Settings that reach it, quick to reconnect."""
    fields: dict[str, object] = {
        "port": broker.port, "client_id": client_id, "reconnect_min_s": 0.05,
        "reconnect_max_s": 0.2, **more,
    }  # fmt: skip
    return MqttSettings(**fields)  # type: ignore[arg-type]
