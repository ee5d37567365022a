"""A process of somebody else on the measured core, timed until its last row is committed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from psycopg import conninfo, sql

from bench.ingest.drain import Stored, point, stored_since, watch
from bench.ingest.pinned import Pinned
from bench.ingest.stage import Stage
from contracts.clock import monotonic

READY_S: Final = 60.0


class Process:
    """Started pinned, its output in a file, ended when left.

    ready   what it says once it asks the broker for its messages
    """

    def __init__(
        self,
        stage: Stage,
        command: list[str],
        folder: Path,
        ready: str,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._stage = stage
        self._command = command
        self._folder = folder
        self._ready = ready
        where = conninfo.conninfo_to_dict(stage.dsn)
        self._environ = {
            **os.environ,
            "BENCH_MQTT_PORT": str(stage.port),
            "BENCH_PGHOST": str(where["host"]),
            "BENCH_PGUSER": str(where["user"]),
            "BENCH_PGDATABASE": str(where["dbname"]),
            **(environ or {}),
        }
        self._log = folder / "output.log"
        self._process: Pinned | None = None

    def __enter__(self) -> Process:
        self._log.unlink(missing_ok=True)  # what an earlier one said is not its
        self._process = Pinned(
            self._command,
            folder=self._folder,
            log=self._log,
            core=self._stage.core,
            environ=self._environ,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.end()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.alive()

    def wait_ready(self) -> None:
        """Until it has said that it is ready."""
        until = monotonic() + READY_S
        while self.alive() and monotonic() < until:
            if self._ready in self.tail():
                return
            self._stage.clock.sleep(0.05)
        raise SystemExit(f"{' '.join(self._command[:3])} did not start:\n{self.tail()}")

    def tail(self) -> str:
        """The end of what it said."""
        return self._log.read_text(errors="replace")[-2000:]


def drain(
    process: Process,
    stage: Stage,
    table: str,
    create: str,
    count: int,
    told: Callable[[int], None],
    fill: Callable[[], None] | None = None,
) -> Stored | None:
    """Start it on its queued session and time it as the service is timed: from the moment the
    broker is let go until the last row is committed in `table`. None when not all came through.

    fill   publishes the messages, for one that cannot take up a queued session: it is timed from
           the moment this begins
    """
    counting = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))

    def rows(connection: Any) -> int:
        return int(connection.execute(counting).fetchone()[0])

    with stage.connect() as connection:
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(table)))
        connection.execute(create.encode())
        with process:
            if fill is None:
                with stage.held():
                    process.wait_ready()
                    first = point(stage, process.pid)
            else:
                process.wait_ready()
                first = point(stage, process.pid)
                fill()
            last = watch(
                lambda: rows(connection),
                count,
                stage,
                (process.pid,),
                process.alive,
                told,
                dear=True,
            )
    return None if last is None else stored_since(first, last, count)
