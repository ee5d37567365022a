"""A real service on real servers, for tests that kill things: broker, database, process, city."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

ROOT = Path(__file__).resolve().parent.parent
READY_S = 40.0


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
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
        "properties": {"id": "g-1", "name": "第一网格"},
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
        self, folder: Path, settings: dict[str, dict[str, Any]], roles: str = "all"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port() if roles in ("all", "center") else 0
        self.roles = roles
        self.log = folder / f"service-{roles}.log"
        self._config = folder / f"service-{roles}-{os.urandom(3).hex()}.toml"
        if self.port:
            settings = {**settings, "center": {**settings.get("center", {}), "port": self.port}}
        self._config.write_text(_toml(settings))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **env: str) -> None:
        """Start it; its log goes to a file."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gridsentry", "serve", "--config", str(self._config),
                 "--roles", self.roles],
                cwd=ROOT, stdout=out, stderr=out, start_new_session=True,
                env={**os.environ, **env},
            )  # fmt: skip

    def wait_ready(self, timeout: float = READY_S) -> None:
        """Until /readyz says so; shows the log's end when it does not."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            if self.process is not None and self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise AssertionError(f"the service is not ready:\n{self.tail()}")

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    def get(self, path: str) -> Any:
        """An answer of its API, as JSON."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return json.load(answer)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self.process is not None
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.wait(10)

    def stop(self, timeout: float = 10.0) -> int:
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
    """Publishes QoS 1 and knows what the broker has promised to keep (PUBACK)."""

    def __init__(self, port: int, name: str = "test-gateway") -> None:
        self.client = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTv5)
        self.client.max_queued_messages_set(0)
        self.client.max_inflight_messages_set(1000)
        self.client.connect("127.0.0.1", port, clean_start=False)
        self.client.loop_start()
        self.sent: list[paho.MQTTMessageInfo] = []

    def publish(self, topic: str, payload: bytes | str, **how: Any) -> None:
        """Publish; see `settle`."""
        self.sent.append(self.client.publish(topic, payload, qos=1, **how))

    def telemetry(self, device: str, ts_ms: int, **metrics: float) -> None:
        """One telemetry message of a device in district d1."""
        self.publish(
            f"gridsentry/v1/feed/d1/{device}/telemetry", json.dumps({"ts": ts_ms, "m": metrics})
        )

    def settle(self, timeout: float = 30.0) -> None:
        """Until the broker has acknowledged everything."""
        until = time.monotonic() + timeout
        for info in self.sent:
            info.wait_for_publish(max(0.01, until - time.monotonic()))
        assert all(info.is_published() for info in self.sent), "the broker did not take everything"

    def close(self) -> None:
        """Disconnect."""
        self.client.disconnect()
        self.client.loop_stop()


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
        """How many were published."""
        self._halt.set()
        self.join()
        return self.count


def rows(dsn: str, sql: str, *args: Any) -> list[tuple[Any, ...]]:
    """What a query answers."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(sql, args).fetchall()


def eventually(check: Any, timeout: float = 20.0, every: float = 0.2) -> Any:
    """The first true answer of `check`; AssertionError when there is none in time."""
    until = time.monotonic() + timeout
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > until:
            raise AssertionError(f"still not so after {timeout} s: {answer!r}")
        time.sleep(every)


def _toml(settings: dict[str, dict[str, Any]]) -> str:
    lines = []
    for table, fields in settings.items():
        lines.append(f"[{table}]")
        lines += [f"{name} = {json.dumps(value)}" for name, value in fields.items()]
    return "\n".join(lines) + "\n"
