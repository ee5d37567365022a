"""One ingest process, and two that share the city's districts, on the same backlog.

Both processes of two have a core of their own (the second one's is also the broker's and the
database's where the machine has only two). What is counted is committed rows, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.ingest import sessions
from bench.ingest.drain import Counter, Stored, point, stored_since, watch
from bench.ingest.stage import CLIENT_ID, Service, Stage


def names(of: int) -> list[str]:
    """Writers of so many processes (`gridsentry.live.roles`)."""
    return ["ingest"] if of == 1 else [f"ingest-{i}of{of}" for i in range(1, of + 1)]


def remember(stage: Stage, of: int) -> None:
    """Make their sessions: each has the districts of its share."""
    for i, name in enumerate(names(of), 1):
        topic = sessions.FILTER if of == 1 else f"gridsentry/v1/feed/d{i}/+/telemetry"
        sessions.remember(stage, f"{CLIENT_ID}-{name}", topic, five=True)


def forget(stage: Stage, of: int) -> None:
    """End them."""
    for name in names(of):
        sessions.forget(stage, f"{CLIENT_ID}-{name}")


def drain(stage: Stage, of: int, messages: int, told: Callable[[int], None]) -> Stored | None:
    """Start `of` ingest processes on their filled sessions; time them together."""
    cores = [stage.core, *sorted(stage.others, reverse=True)]
    services = [
        Service(stage, "ingest", f"{i}/{of}", core=cores[(i - 1) % len(cores)])
        for i in range(1, of + 1)
    ]

    def alive() -> bool:
        return all(service.alive() for service in services)

    with stage.connect() as connection:
        counter = Counter(connection, *names(of))
        try:
            with stage.held():
                for service in services:
                    service.start()
                for service in services:
                    service.wait_connected()
                pids = tuple(service.pid for service in services)
                first = point(stage, *pids)
            last = watch(counter.now, messages, stage, pids, alive, told)
        finally:
            for service in services:
                service.stop()
    return None if last is None else stored_since(first, last, messages)
