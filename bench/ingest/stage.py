"""The servers of a benchmark: broker, database, and the service pinned to one core."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg
from psycopg import conninfo, sql

from bench.ingest import load, machine
from bench.ingest.pinned import Pinned
from contracts.clock import SystemClock, monotonic
from ingest.broker import EmbeddedBroker, find_mosquitto, free_port
from ingest.session import MqttSession, filters
from ingest.settings import MqttSettings
from store.embedded import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[2]
CLIENT_ID = "bench"
WRITER = "all"
READY_S = 60.0


class Stage:
    """Broker and database on the other cores, as the shipped service configures them."""

    def __init__(self, folder: Path) -> None:
        if find_mosquitto() is None:
            raise SystemExit("this benchmark needs Mosquitto: sudo apt-get install mosquitto")
        self.folder = folder
        self.core, self.others = machine.cores()
        self.clock = SystemClock()
        self.city = folder / "city"
        self.broker = EmbeddedBroker(folder / "broker", free_port())
        self.database = EmbeddedPostgres(folder / "postgres")
        self.host, self.port, self.dsn = "127.0.0.1", 0, ""
        self._databases = itertools.count(1)
        self.database_name = "first"
        self._stack = ExitStack()

    def __enter__(self) -> Stage:
        machine.pin(0, self.others)  # and so everything started from here
        load.write_city(self.city)
        self._stack.callback(self.broker.stop)
        self.host, self.port = self.broker.start()
        self._stack.callback(self.database.stop)
        self.dsn = self.database.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def subscribe(self) -> None:
        """Make the persistent session that the service will take up: its id, its topics."""
        settings = MqttSettings(host=self.host, port=self.port, client_id=f"{CLIENT_ID}-{WRITER}")
        session = MqttSession(settings, filters())
        session.start()
        try:
            if not session.wait_ready(10):
                raise SystemExit(f"the broker did not take our subscription: {session.health()}")
        finally:
            session.stop()

    def connect(self) -> psycopg.Connection[Any]:
        """A connection of our own, to look at what is committed."""
        return psycopg.connect(self.dsn, autocommit=True)

    def fresh_database(self) -> None:
        """From now on everybody writes into a new, empty database of the same server."""
        name = self.database_name = f"bench_{next(self._databases)}"
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        self.dsn = conninfo.make_conninfo(self.dsn, dbname=name)

    @contextmanager
    def held(self) -> Iterator[None]:
        """The broker stands still inside: it is connected to, and says nothing."""
        pid = self.broker.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def broker_cpu_s(self) -> float:
        """Seconds of processor time the broker has used."""
        return machine.cpu_s(self.broker.pid or 0)

    def database_cpu_s(self) -> float:
        """Seconds of processor time the database has used, all its processes."""
        return machine.tree_cpu_s(self.database.pid or 0)


class Service:
    """One process of `gridsentry serve` on one core: all roles with the command center on, or some.

    roles, shard   as the command takes them
    core           the processor it runs on (default: the measured one)
    """

    def __init__(
        self, stage: Stage, roles: str = "all", shard: str = "1/1", core: int | None = None
    ) -> None:
        self._stage = stage
        self._roles = roles
        self._shard = shard
        self._core = stage.core if core is None else core
        self.port = free_port()
        self._process: Pinned | None = None

    def start(self) -> None:
        """Start it; it begins to drain its session as soon as it is up."""
        stage = self._stage
        name = f"{self._roles}-{self._shard.replace('/', 'of')}"
        config = stage.folder / f"{name}.toml"
        tables: dict[str, dict[str, str | int | bool]] = {
            "service": {
                "city": str(stage.city),
                "state_dir": str(stage.folder / f"state-{name}-{stage.database_name}"),
                "watch_city": False,
                "log_level": "WARNING",
            },
            "mqtt": {"host": stage.host, "port": stage.port, "client_id": CLIENT_ID},
            "store": {"dsn": stage.dsn},
            "center": {"port": self.port},
        }
        config.write_text(
            "\n".join(
                f"[{name}]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in table.items())
                for name, table in tables.items()
            )
        )
        self._process = Pinned(
            [
                *(sys.executable, "-m", "gridsentry", "serve", "--config", str(config)),
                *("--roles", self._roles, "--shard", self._shard),
            ],
            folder=ROOT,
            log=stage.folder / "service.log",
            core=self._core,
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.alive()

    def wait_active(self) -> None:
        """Until its writer is built and asks the broker for messages."""
        self._wait(lambda told: [c["active"] for c in told["cores"].values()] == [True])

    def wait_connected(self) -> None:
        """Until it has a connection to the broker: for processes that serve no /readyz."""
        until = monotonic() + READY_S
        while self.alive() and monotonic() < until:
            if machine.asks(self.pid, self._stage.port):
                return
            self._stage.clock.sleep(0.05)
        raise SystemExit(f"the service did not get ready:\n{self.tail()}")

    def wait_ready(self) -> None:
        """Until /readyz says so."""
        self._wait(lambda told: bool(told["ready"]))

    def _wait(self, enough: Callable[[dict[str, Any]], bool]) -> None:
        until = monotonic() + READY_S
        while self.alive() and monotonic() < until:
            told = self._health()
            if told is not None and enough(told):
                return
            self._stage.clock.sleep(0.05)
        raise SystemExit(f"the service did not get ready:\n{self.tail()}")

    def _health(self) -> dict[str, Any] | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as reply:
                text = reply.read()
        except urllib.error.HTTPError as answer:  # 503 tells why
            text = answer.read()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return None
        told = json.loads(text)
        return told if isinstance(told, dict) and "cores" in told else None

    def stop(self) -> None:
        """SIGTERM: it commits what it took and says goodbye to the broker."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def tail(self) -> str:
        """The last lines of its log."""
        log = self._stage.folder / "service.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-15:])


@contextmanager
def serving(stage: Stage) -> Iterator[Service]:
    """The whole service, ready; stopped when left."""
    service = Service(stage)
    service.start()
    try:
        service.wait_ready()
        yield service
    finally:
        service.stop()
