"""Nothing lost, nothing doubled: killed at 20 random moments under 500 messages/s."""

from __future__ import annotations

import contextlib
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.rig import Gateway, ServiceProcess, Steady, drain, eventually, rows, write_city

pytestmark = pytest.mark.slow

RATE = 500
KILLS = 20
DEVICES = 20
FLOODED = 5


class Kills:
    """One service, one gateway; device n mod DEVICES says reading n."""

    def __init__(self, tmp_path: Path, dsn: str, broker_port: int, acknowledge: str) -> None:
        names = [f"s-{i:02d}" for i in range(DEVICES)]
        write_city(tmp_path / "city", [drain(name, i) for i, name in enumerate(names)])
        self.dsn = dsn
        self.gateway = Gateway(broker_port)
        self.service = ServiceProcess(
            tmp_path,
            {
                "service": {"city": str(tmp_path / "city"), "state_dir": str(tmp_path / "state")},
                "store": {"dsn": dsn},
                "mqtt": {"port": broker_port},
                "core": {"acknowledge": acknowledge},
            },
        )
        self.began = int(time.time() * 1000)  # noqa: TID251 - the devices' own clocks

    def publish(self, n: int) -> None:
        """Reading n: a device's own time, 2 ms apart from the last; some streets fill up."""
        device = n % DEVICES
        ts = self.began + n * 1000 // RATE
        depth = 0.0
        if device < FLOODED:
            minutes = n / RATE / 2 - 2 * device  # each later than the one before, 2 cm/s or so
            depth = min(max(0.0, minutes * 0.05), 0.45)
        self.gateway.telemetry(f"s-{device:02d}", ts, depth=round(depth, 4))

    def run(self, kills: int, seed: int) -> int:
        """Kill it that often while readings come in; how many were published."""
        dice = random.Random(seed)
        self.service.start()
        self.service.wait_ready()
        steady = Steady(RATE, self.publish)
        steady.start()
        for kill in range(kills):
            if kill % 4 == 3:
                # Exactly between commit and acknowledgement (or between the two in the control).
                self.service.process.wait(30)  # type: ignore[union-attr]
            else:
                time.sleep(dice.uniform(0.2, 1.2))
                self.service.kill()
            armed = kill % 4 == 2
            point = f"{'after' if dice.random() < 0.7 else 'before'}_commit:{dice.randrange(5, 60)}"
            self.service.start(**({"GRIDSENTRY_FAULT_POINT": point} if armed else {}))
            self.service.wait_ready() if not armed else None
        count = steady.stop()
        self.gateway.settle()
        self.gateway.close()
        return count

    def stored(self) -> int:
        """Readings in the store."""
        return int(rows(self.dsn, "SELECT count(*) FROM readings")[0][0])


def settled(kills: Kills, count: int) -> Any:
    """Wait until the store no longer grows; what it holds."""
    last = -1

    def still() -> bool:
        nonlocal last
        now, last = kills.stored(), kills.stored()
        return now == last and now >= count

    with contextlib.suppress(AssertionError):  # the caller says what is missing
        eventually(still, timeout=30, every=1.0)
    return kills.stored()


def test_every_reading_once_and_every_ticket_once_over_20_kills(
    tmp_path: Path, pg_dsn: str, mosquitto: Any
) -> None:
    kills = Kills(tmp_path, pg_dsn, mosquitto.port, "after_commit")
    count = kills.run(KILLS, seed=int(time.monotonic() * 1000) % 100_000)
    assert count > 5000
    assert settled(kills, count) == count
    distinct = rows(kills.dsn, "SELECT count(DISTINCT (device, ts)) FROM readings")[0][0]
    assert distinct == count
    tickets = eventually(lambda: tickets_of(kills), timeout=20)
    kills.service.stop()
    assert len(tickets) == FLOODED, tickets
    assert len({t[1] for t in tickets}) == FLOODED, "one ticket for one incident"
    events = rows(kills.dsn, "SELECT site, count(DISTINCT id) FROM events GROUP BY site")
    assert dict(events) == {f"s-{i:02d}": 1 for i in range(FLOODED)}


def tickets_of(kills: Kills) -> list[tuple[Any, ...]]:
    """Tickets once there are as many as flooded streets."""
    found = rows(kills.dsn, "SELECT id, incident FROM tickets WHERE kind = 'flooding'")
    return found if len(found) >= FLOODED else []


def test_the_control_that_acknowledges_before_the_commit_loses_some(
    tmp_path: Path, pg_dsn: str, mosquitto: Any
) -> None:
    kills = Kills(tmp_path, pg_dsn, mosquitto.port, "before_commit")
    count = kills.run(8, seed=1)
    kept = settled(kills, count)
    kills.service.stop()
    assert kept < count, "the proof above would be blind if this lost nothing"
