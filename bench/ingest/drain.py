"""How long the service takes for a backlog that waits in the broker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from bench.ingest import machine
from bench.ingest.stage import WRITER, Service, Stage
from contracts.clock import monotonic

LOOK_S: Final = 0.02
LOOK_MOST_S: Final = 1.0
PATIENCE_S: Final = 60.0


class Stored(msgspec.Struct):
    """One run of one who stores. Times per message are processor time, in microseconds."""

    messages_per_s: float
    us: float
    """Of the process with its children."""
    broker_us: float
    database_us: float
    share_of_core: float
    """Of its one core, how much it used; the rest it waited (or others had it)."""


class Drained(Stored):
    """One run of the service."""

    readings_per_s: float
    rss_mb: list[float] = []
    """Resident memory, looked at evenly in time once a tenth is done."""


class Point(msgspec.Struct):
    """When, and the seconds of processor time used by now."""

    at: float
    process: float
    broker: float
    database: float


def point(stage: Stage, *pids: int) -> Point:
    """Now."""
    used = sum(machine.tree_cpu_s(pid) for pid in pids)
    return Point(monotonic(), used, stage.broker_cpu_s(), stage.database_cpu_s())


def stored_since(first: Point, last: Point, messages: int) -> Stored:
    """What lies between."""
    seconds = last.at - first.at
    per = 1e6 / messages
    return Stored(
        messages_per_s=messages / seconds,
        us=(last.process - first.process) * per,
        broker_us=(last.broker - first.broker) * per,
        database_us=(last.database - first.database) * per,
        share_of_core=(last.process - first.process) / seconds,
    )


def drain(
    stage: Stage, messages: int, readings: int, told: Callable[[int], None]
) -> Drained | None:
    """Start the service on the queued backlog and time it; None when not all of it came through.

    Starting up is not counted: the broker stands still until the service is up and waits for it.
    From the moment it is let go until the last reading is committed (visible to another
    connection, and detected before that) everything is counted, connecting included.
    """
    service = Service(stage)
    memory: list[float] = []

    with stage.connect() as connection:
        counter = Counter(connection, WRITER)

        def done_now() -> int:
            done = counter.now()
            if done >= readings / 10:
                memory.append(machine.rss_mb(service.pid))
            return done

        try:
            with stage.held():
                service.start()
                service.wait_active()
                first = point(stage, service.pid)
            last = watch(
                done_now,
                readings,
                stage,
                (service.pid,),
                service.alive,
                told,
            )
        finally:
            service.stop()
    if last is None:
        return None
    taken = stored_since(first, last, messages)
    return Drained(
        **msgspec.structs.asdict(taken),
        readings_per_s=readings / (last.at - first.at),
        rss_mb=memory,
    )


def watch(
    done_now: Callable[[], int],
    wanted: int,
    stage: Stage,
    pids: tuple[int, ...],
    alive: Callable[[], bool],
    told: Callable[[int], None],
    *,
    dear: bool = False,
) -> Point | None:
    """Until so many rows are committed; None when nothing moves any more.

    `dear`: to look costs something, so that it is done again when half of what is left should
    have come, not at every tick.
    """
    began = monotonic()
    most, moved = 0, began
    while True:
        done = done_now()
        if done >= wanted:
            return point(stage, *pids)
        now = monotonic()
        if done > most:
            most, moved = done, now
            told(done)
        if now - moved > PATIENCE_S or not alive():
            return None
        pause = LOOK_S
        if dear and done:
            pause = (wanted - done) / 2 * (now - began) / done
        stage.clock.sleep(min(max(pause, LOOK_S), LOOK_MOST_S))


class Counter:
    """Counts the readings in committed batches of some writers, from now on."""

    def __init__(self, connection: Any, *writers: str) -> None:
        self._connection = connection
        self._last = dict.fromkeys(writers, -1)
        self._sum = 0
        self.now()  # what is there already
        self._sum = 0

    def now(self) -> int:
        """How many since this counter was made. Batches are looked at once."""
        exists = self._connection.execute("SELECT to_regclass('batches') IS NOT NULL").fetchone()
        if not exists[0]:
            return self._sum
        for writer, last in self._last.items():
            row = self._connection.execute(
                "SELECT coalesce(sum((found->>'readings_new')::bigint), 0), max(number)"
                " FROM batches WHERE writer = %s AND number > %s",
                [writer, last],
            ).fetchone()
            self._sum += int(row[0])
            if row[1] is not None:
                self._last[writer] = row[1]
        return self._sum
