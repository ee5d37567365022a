"""The servers of the benchmark: PostgreSQL filled, a broker, and the center as its own process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType

from bench.center.town import Town
from bench.ingest import machine
from contracts.batch import Batch, PublishedEvent
from contracts.case import Change
from contracts.clock import SystemClock, monotonic
from contracts.nouns import Status
from ingest.broker import EmbeddedBroker, free_port
from store.connect import connect
from store.embedded import EmbeddedPostgres
from store.migrate import migrate
from store.relay import PgRelay
from store.settings import StoreSettings
from store.writer import PgWriter

ROOT = Path(__file__).resolve().parents[2]
READY_S = 180.0
WRITER = "bench"
AT_ONCE = 250


class Stage:
    """Enter it to have the center of the town at `url`."""

    def __init__(self, folder: Path, town: Town, say: Callable[[str], None]) -> None:
        self.folder, self.town, self._say = folder, town, say
        self.clock = SystemClock()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.started_s = 0.0
        """How long the center took from its start to its first answer."""
        self._process: subprocess.Popen[bytes] | None = None
        self._stack = ExitStack()
        self._number = 0
        self._epoch = 0

    def __enter__(self) -> Stage:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _start(self) -> None:
        self._say("writing the city folder")
        self.town.write(self.folder / "city")
        self._say("starting PostgreSQL and the broker")
        database = EmbeddedPostgres(self.folder / "postgres")
        self._stack.callback(database.stop)
        self.dsn = database.start()
        broker = EmbeddedBroker(self.folder / "broker", free_port())
        self._stack.callback(broker.stop)
        self.host, self.broker_port = broker.start()
        with connect(self.dsn, StoreSettings()) as connection:
            migrate(connection, self.clock.now())
        self._writer = PgWriter(self.dsn, "/gridsentry/capital")
        self._stack.callback(self._writer.close)
        self._fill()
        self._serve()

    def _fill(self) -> None:
        self._say(f"opening {self.town.sizes.tickets:,} tickets")
        epoch = self._writer.acquire(WRITER, "bench", self.clock.now(), 7200.0)
        assert epoch is not None
        self._epoch, left = epoch, self.town.sizes.tickets
        now = self.clock.now()
        while left > 0:
            events, changes = [], []
            for i in range(min(AT_ONCE, left)):
                opened = now - timedelta(seconds=10 * (left - i))
                more, what, _ = self.town.trouble(opened, now)
                events += more
                changes += what
            self._commit(events, changes)
            left -= AT_ONCE
        self._commit([], [], self.town.heard(now))
        relay = PgRelay(self.dsn)
        while relay.step(10_000):
            pass
        relay.close()
        with connect(self.dsn, StoreSettings()) as connection:
            connection.execute("ANALYZE")

    def _commit(
        self, events: list[PublishedEvent], changes: list[Change], heard: Sequence[Status] = ()
    ) -> None:
        self._number += 1
        batch = Batch(
            writer=WRITER, number=self._number, epoch=self._epoch, at=self.clock.now(),
            events=events, changes=changes, statuses=list(heard),
        )  # fmt: skip
        self._writer.commit(batch)

    def open_ticket(self) -> tuple[str, datetime]:
        """A new ticket of the highest severity is committed: its id, and when the commit was."""
        now = self.clock.now()
        events, changes, id_ = self.town.trouble(now, now, severity=5)
        self._commit(events, changes)
        return id_, self.clock.now()

    def _serve(self) -> None:
        self._say("starting the center")
        config = self.folder / "center.toml"
        tables: dict[str, dict[str, str | int | bool]] = {
            "service": {
                "city": str(self.folder / "city"),
                "state_dir": str(self.folder / "state"),
                "watch_city": False,
                "log_level": "WARNING",
            },
            "mqtt": {"host": self.host, "port": self.broker_port, "client_id": "bench-center"},
            "store": {"dsn": self.dsn},
            "center": {"port": self.port},
        }
        config.write_text(
            "\n".join(
                f"[{name}]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in table.items())
                for name, table in tables.items()
            )
        )
        began = monotonic()
        with (self.folder / "center.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gridsentry", "serve", "--config", str(config),
                 "--roles", "center"],
                cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._stack.callback(self._stop)
        while monotonic() - began < READY_S and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=5):
                    self.started_s = monotonic() - began
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                self.clock.sleep(0.05)
        tail = (self.folder / "center.log").read_text(errors="replace")[-3000:]
        raise SystemExit(f"the center did not start:\n{tail}")

    def cpu_s(self) -> float:
        """Seconds of processor time the center has used."""
        return machine.cpu_s(self._process.pid) if self._process is not None else 0.0

    def memory_mib(self) -> float:
        """Resident memory of the center."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def get(self, path: str) -> bytes:
        """What it answers there."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=60) as answer:
            body: bytes = answer.read()
            return body

    def _stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
