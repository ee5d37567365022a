"""A real service on real servers, for tests that kill things: broker, database, process, city."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.brokers import Mosquitto

ROOT = Path(__file__).resolve().parent.parent
READY_S = 90.0
"""Generous: on a loaded machine an interpreter alone takes seconds to start."""


def free_port() -> int:
    """A port that nothing listens on, below those that outgoing connections take."""
    while True:
        port = secrets.randbelow(12_000) + 20_000
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port


def write_city(folder: Path, devices: list[str]) -> None:
    """A small city: one grid, the given device rows, a worker and a utility."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "city.toml").write_text(
        'id = "test"\ntimezone = "Asia/Shanghai"\nprofile = "cn-default"\n'
    )
    ring = [[118.0, 26.0], [118.1, 26.0], [118.1, 26.1], [118.0, 26.1], [118.0, 26.0]]
    grid = {
        "type": "Feature",
        "properties": {"id": "g-1", "name": "第一网格", "level": "grid"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    (folder / "grids.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [grid]}, ensure_ascii=False)
    )
    head = "id,district,type,lon,lat,owner,site,reports_every_s,metrics"
    (folder / "devices.csv").write_text("\n".join([head, *devices]) + "\n")
    (folder / "workers.csv").write_text(
        "id,name,role,grid,skills,shift,lon,lat\nw-1,林小梅,grid_worker,g-1,,,118.05,26.05\n"
    )
    (folder / "utilities.csv").write_text(
        "id,name,owners,phone,restricted\nwater,城区排水公司,water,,false\n"
    )


def drain(device: str, place: int = 0) -> str:
    """A street sensor's row; different places are 400 m apart, so they are different incidents."""
    return f"{device},d1,drain,{118.005 + 0.004 * place:.4f},26.05,water,{device},,depth"


class ServiceProcess:
    """`gridsentry serve` as a process of its own."""

    def __init__(
        self,
        folder: Path,
        settings: dict[str, dict[str, Any]],
        roles: str = "all",
        shard: str = "1/1",
        adapters: Iterable[dict[str, Any]] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        names = roles.split(",")
        self.port = free_port() if {"all", "center"} & set(names) else 0
        self._arguments = ["--roles", roles, "--shard", shard]
        name = f"{'-'.join(names)}-{os.urandom(3).hex()}"
        self.log = folder / f"service-{name}.log"
        self._config = folder / f"service-{name}.toml"
        if self.port:
            settings = {**settings, "center": {**settings.get("center", {}), "port": self.port}}
        self._config.write_text(_toml(settings, adapters))
        self.process: subprocess.Popen[bytes] | None = None
        self._log_from = 0

    def start(self, **env: str) -> None:
        """Start it; its log goes to a file."""
        self._log_from = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gridsentry", "serve", "--config", str(self._config),
                 *self._arguments],
                cwd=ROOT, stdout=out, stderr=out, start_new_session=True,
                env={**os.environ, **env},
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    @property
    def lives(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and self.process.poll() is None

    def wait_ready(self, timeout: float = READY_S) -> None:
        """Until /readyz says so; shows the log's end when it does not."""
        until = time.monotonic() + timeout
        while self.lives and time.monotonic() < until:
            if self.readyz()[0] == 200:
                return
            time.sleep(0.1)
        raise AssertionError(f"the service is not ready: {self.readyz()}\n{self.tail()}")

    def wait_said(self, text: str, timeout: float = READY_S) -> None:
        """Until this run of it has written `text` to its log."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            if text in self.said():
                return
            if not self.lives:
                break
            time.sleep(0.1)
        raise AssertionError(f"it never said {text!r}:\n{self.tail()}")

    def readyz(self) -> tuple[int, str]:
        """The status and text of /readyz; 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def wait_red(self, words: str, timeout: float = 60.0) -> str:
        """Until /readyz is red and says `words` (a regular expression); what it says."""

        def red() -> str:
            status, text = self.readyz()
            return text if status == 503 and re.search(words, text) else ""

        try:
            told: str = eventually(red, timeout)
        except AssertionError:
            raise AssertionError(
                f"/readyz never said {words!r}: {self.readyz()}\n{self.tail()}"
            ) from None
        return told

    def said(self) -> str:
        """What this run of it has written to its log."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._log_from)
            return log.read().decode(errors="replace")

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    def get(self, path: str) -> Any:
        """An answer of its API, as JSON."""
        return json.loads(self.fetch(path))

    def fetch(self, path: str) -> bytes:
        """What it serves at that path."""
        url = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(url, timeout=20) as answer:
            body: bytes = answer.read()
            return body

    def items(self, path: str) -> list[dict[str, Any]]:
        """Every item of a listing, over all its pages."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self.get(f"{path}{'&' if '?' in path else '?'}limit=500{after}")
            found += page["items"]
            if page["next"] is None:
                return found
            after = f"&after={page['next']}"

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another command of ours with the same configuration."""
        return subprocess.run(
            [sys.executable, "-m", "gridsentry", *words, "--config", str(self._config)],
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def metrics(self) -> dict[str, float]:
        """Every sample at /metrics by its name with labels."""
        lines = self.fetch("/metrics").decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def memory_mib(self, what: str = "VmRSS") -> float:
        """Resident memory now, or `VmHWM`: at the most so far."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(rf"{what}:\s+(\d+) kB", status)[0]) / 1024

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL (also when stopped), and wait until it is gone."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.wait(30)

    def stop(self, timeout: float = 30.0) -> int:
        """SIGTERM; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not stop within {timeout} s:\n{self.tail()}") from None


class Gateway:
    """Publishes QoS 1 and knows how much the broker has promised to keep (PUBACK).

    What it publishes while the broker is away goes out once that is back.
    """

    def __init__(self, port: int, name: str = "test-gateway") -> None:
        self.sent = 0
        self._promised = 0
        self._more = threading.Condition()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTv5)
        self.client.max_queued_messages_set(0)
        self.client.max_inflight_messages_set(1000)
        self.client.reconnect_delay_set(1, 2)
        self.client.on_publish = self._on_publish
        self.client.connect("127.0.0.1", port, clean_start=False)
        self.client.loop_start()

    def _on_publish(self, *_: Any) -> None:
        with self._more:
            self._promised += 1
            self._more.notify_all()

    def publish(self, topic: str, payload: bytes | str, **how: Any) -> None:
        """Publish; see `settle`."""
        self.client.publish(topic, payload, qos=1, **how)
        self.sent += 1

    def telemetry(self, device: str, ts_ms: int, **metrics: float) -> None:
        """One telemetry message of a device in district d1."""
        self.publish(
            f"gridsentry/v1/feed/d1/{device}/telemetry", json.dumps({"ts": ts_ms, "m": metrics})
        )

    def settle(self, timeout: float = 60.0) -> int:
        """Until the broker has acknowledged everything; how many messages that were."""
        with self._more:
            done = self._more.wait_for(lambda: self._promised >= self.sent, timeout)
        assert done, f"the broker has taken {self._promised} of {self.sent} messages"
        return self.sent

    def close(self) -> None:
        """Disconnect."""
        self.client.disconnect()
        self.client.loop_stop()


class Stage:
    """What one test needs: a city, services and gateways on its broker and database.

    Everything that was started through it is ended with the test, however the test ends.
    """

    def __init__(self, folder: Path, dsn: str, port: int) -> None:
        self.folder = folder
        self.dsn = dsn
        self.port = port
        self.city = folder / "city"
        self.state = folder / "state"
        self.ends = ExitStack()
        """What is called in opposite order once the test is over."""

    def service(
        self, roles: str = "all", shard: str = "1/1", adapters: Any = (), **tables: dict[str, Any]
    ) -> ServiceProcess:
        """A service (not yet started) on the city, broker and database of this stage; `adapters`
        are its `[[adapters]]` tables."""
        settings: dict[str, dict[str, Any]] = {
            "service": {"city": str(self.city), "state_dir": str(self.state)},
            "store": {"dsn": self.dsn},
            "mqtt": {
                "port": self.port,
                "reconnect_min_s": 0.1,
                "reconnect_max_s": 1.0,
            },
        }
        for table, fields in tables.items():
            settings[table] = {**settings.get(table, {}), **fields}
        service = ServiceProcess(self.folder, settings, roles, shard, adapters)
        self.ends.callback(service.kill)
        return service

    def gateway(self, name: str = "test-gateway") -> Gateway:
        """A connected gateway."""
        gateway = Gateway(self.port, name)
        self.ends.callback(gateway.close)
        return gateway

    def steady(self, rate: float, publish: Any) -> Steady:
        """A thread that publishes from now on."""
        steady = Steady(rate, publish)
        self.ends.callback(steady.stop)
        steady.start()
        return steady

    def rows(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        """What a query answers."""
        return rows(self.dsn, sql, *args)

    def count(self, table: str) -> int:
        """Rows of a table."""
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])

    def all_stored(self, count: int, timeout: float = 120.0) -> None:
        """Until that many readings are stored: fails when there are fewer, or ever more."""

        def there() -> bool:
            stored = self.count("readings")
            assert stored <= count, f"{stored} readings are stored, {count} were published"
            return stored == count

        try:
            eventually(there, timeout, every=0.5)
        except AssertionError:
            stored = self.count("readings")
            assert stored == count, f"{stored} of {count} published readings are stored"

    def close(self) -> None:
        """End everything."""
        self.ends.close()


@pytest.fixture
def stage(tmp_path: Path, pg_dsn: str, mosquitto: Mosquitto) -> Iterator[Stage]:
    """A stage on the session's PostgreSQL and a Mosquitto with our configuration."""
    stage = Stage(tmp_path, pg_dsn, mosquitto.port)
    yield stage
    stage.close()


def now_ms() -> int:
    """A device's own clock."""
    return int(time.time() * 1000)  # noqa: TID251 - devices have clocks of their own


class Steady(threading.Thread):
    """Calls `publish(n)` for n = 0, 1, … at a steady rate until told to stop."""

    def __init__(self, rate: float, publish: Any) -> None:
        super().__init__(daemon=True)
        self._period = 1 / rate
        self._publish = publish
        self._halt = threading.Event()
        self.count = 0

    def run(self) -> None:
        """Publish on schedule, catching up when late."""
        start = time.monotonic()
        while not self._halt.is_set():
            due = int((time.monotonic() - start) / self._period)
            while self.count < due:
                self._publish(self.count)
                self.count += 1
            time.sleep(0.005)

    def stop(self) -> int:
        """How many were published. May be called again."""
        self._halt.set()
        if self.is_alive():
            self.join()
        return self.count


def rows(dsn: str, sql: str, *args: Any) -> list[tuple[Any, ...]]:
    """What a query answers."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(sql, args).fetchall()


def eventually(check: Any, timeout: float = 20.0, every: float = 0.2, why: Any = None) -> Any:
    """The first true answer of `check`; AssertionError when there is none in time, with what `why`
    then says."""
    until = time.monotonic() + timeout
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > until:
            said = answer if why is None else why()
            raise AssertionError(f"still not so after {timeout} s: {said!r}")
        time.sleep(every)


def _toml(settings: dict[str, dict[str, Any]], adapters: Iterable[dict[str, Any]] = ()) -> str:
    lines = []
    tables = [(f"[{name}]", fields) for name, fields in settings.items()]
    for heading, fields in [*tables, *(("[[adapters]]", one) for one in adapters)]:
        lines.append(heading)
        lines += [f"{name} = {json.dumps(value)}" for name, value in fields.items()]
    return "\n".join(lines) + "\n"
