"""How long the service takes for a backlog that waits in the broker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from bench.ingest import machine
from bench.ingest.stage import WRITER, Service, Stage
from contracts.clock import monotonic

LOOK_S = 0.02
PATIENCE_S = 60.0


class Drained(msgspec.Struct):
    """One run. Times per message or reading are processor time, in microseconds."""

    readings_per_s: float
    messages_per_s: float
    service_us: float
    """Per message."""
    broker_us: float
    database_us: float
    share_of_core: float
    """Of its one core, how much the service used; the rest it waited (or others had it)."""


def drain(
    stage: Stage, messages: int, readings: int, told: Callable[[int], None]
) -> Drained | None:
    """Start the service on the queued backlog and time it; None when not all of it came through.

    Starting up is not counted: the broker stands still until the service is up and waits for it.
    From the moment it is let go until the last reading is committed (visible to another
    connection, and detected before that) everything is counted, connecting included.
    """
    service = Service(stage)
    with stage.connect() as connection:
        before = _committed(connection)
        try:
            with stage.held():
                service.start()
                service.wait_active()
                first = _point(stage, service)
            last = _watch(stage, service, connection, before + readings, told)
        finally:
            service.stop()
    if last is None:
        return None
    seconds = last[0] - first[0]
    used = [b - a for a, b in zip(first[1], last[1], strict=True)]
    return Drained(
        readings_per_s=readings / seconds,
        messages_per_s=messages / seconds,
        service_us=used[0] / messages * 1e6,
        broker_us=used[1] / messages * 1e6,
        database_us=used[2] / messages * 1e6,
        share_of_core=used[0] / seconds,
    )


Point = tuple[float, tuple[float, float, float]]
"""When, and the seconds of processor time used by service, broker and database."""


def _point(stage: Stage, service: Service) -> Point:
    used = machine.cpu_s(service.pid), stage.broker_cpu_s(), stage.database_cpu_s()
    return monotonic(), used


def _watch(
    stage: Stage,
    service: Service,
    connection: Any,
    wanted: int,
    told: Callable[[int], None],
) -> Point | None:
    """Until so many readings are committed; None when nothing moves any more."""
    most, moved = 0, monotonic()
    while True:
        done = _committed(connection)
        if done >= wanted:
            return _point(stage, service)
        now = monotonic()
        if done > most:
            most, moved = done, now
            told(done)
        if now - moved > PATIENCE_S or not service.alive():
            return None
        stage.clock.sleep(LOOK_S)


def _committed(connection: Any) -> int:
    """Readings in committed batches of the writer that is measured."""
    exists = connection.execute("SELECT to_regclass('batches') IS NOT NULL").fetchone()
    if not exists[0]:
        return 0
    row = connection.execute(
        "SELECT coalesce(sum((found->>'readings_new')::bigint), 0) FROM batches WHERE writer = %s",
        [WRITER],
    ).fetchone()
    return int(row[0])
