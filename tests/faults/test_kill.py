"""Nothing lost, nothing doubled: killed at 20 random moments under 500 messages/s."""

from __future__ import annotations

import random
import time

import pytest

from tests.rig import ServiceProcess, Stage, drain, eventually, now_ms, write_city

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("kill")]

RATE = 500
KILLS = 20
DEVICES = 20
FLOODED = 5


class Killing:
    """One service, one gateway; device n mod DEVICES says reading n."""

    def __init__(self, stage: Stage, acknowledge: str) -> None:
        names = [f"s-{i:02d}" for i in range(DEVICES)]
        write_city(stage.city, [drain(name, i) for i, name in enumerate(names)])
        self.stage = stage
        self.gateway = stage.gateway()
        # One process, so nobody else may take its lease: the next life need not wait long for it.
        self.service: ServiceProcess = stage.service(
            core={"acknowledge": acknowledge, "lease_s": 0.5}
        )
        self.early = acknowledge == "before_commit"
        self.began = now_ms()

    def publish(self, n: int) -> None:
        """Reading n: a device's own time, 2 ms apart from the last; some streets fill up."""
        device = n % DEVICES
        ts = self.began + n * 1000 // RATE
        depth = 0.0
        if device < FLOODED:
            seconds = n / RATE - 2 * device  # each later than the one before, 2.5 cm/s
            depth = min(max(0.0, seconds * 0.025), 0.45)
        self.gateway.telemetry(f"s-{device:02d}", ts, depth=round(depth, 4))

    def run(self, kills: int) -> int:
        """Kill it that often while readings come in; how many were published.

        Of four kills, one comes while it starts or soon after, two while it works, and one exactly
        between commit and acknowledgement (or before the commit), by a fault point.
        """
        dice = random.Random()
        self.service.start()
        self.service.wait_ready()  # the broker keeps messages from the first subscription on
        self.service.kill()
        steady = self.stage.steady(RATE, self.publish)
        for kill in range(kills):
            if kill % 4 == 3:
                point = "after_commit" if kill % 8 == 3 and not self.early else "before_commit"
                # In the control the acknowledgement is given to the network by then, and out.
                pause = ":0.1" if self.early else ""
                point = f"{point}:{dice.randrange(2, 30)}{pause}"
                self.service.start(GRIDSENTRY_FAULT_POINT=point)
                assert self.service.process is not None
                assert self.service.process.wait(120) == -9, self.service.tail()
                continue
            self.service.start()
            if kill % 4 == 2:
                time.sleep(dice.uniform(0.5, 3.0))
            else:
                self.service.wait_said("holds its lease")
                time.sleep(dice.uniform(0.0, 0.8))
            self.service.kill()
        self.service.start()
        self.service.wait_ready()
        count = steady.stop()
        assert self.gateway.settle() == count
        return count


def test_every_reading_once_and_every_ticket_once_over_20_kills(stage: Stage) -> None:
    killing = Killing(stage, "after_commit")
    count = killing.run(KILLS)
    stage.all_stored(count)
    assert stage.rows("SELECT count(DISTINCT (device, ts)) FROM readings") == [(count,)]
    (lives,) = stage.rows("SELECT count(DISTINCT epoch) FROM batches")[0]
    assert lives > KILLS // 2, f"only {lives} lives committed anything: the kills came too early"
    duplicates = stage.rows("SELECT sum((found->>'readings_duplicate')::int) FROM batches")[0][0]
    assert duplicates > 0, "no kill fell between a commit and its acknowledgement"

    streets = {f"s-{i:02d}" for i in range(FLOODED)}

    def tickets() -> list[tuple[str, str]]:
        return stage.rows("SELECT id, incident FROM tickets WHERE kind = 'flooding'")

    eventually(lambda: len(tickets()) >= FLOODED, timeout=60)
    assert killing.service.stop() == 0
    assert len(tickets()) == FLOODED
    assert len({incident for _, incident in tickets()}) == FLOODED, "one ticket for one incident"
    sites = dict(stage.rows("SELECT site, count(DISTINCT id) FROM events GROUP BY site"))
    assert sites == dict.fromkeys(streets, 1)
    faults = stage.rows("SELECT sum((found->>'faults')::int) FROM batches")
    assert faults == [(0,)], "a revision was said again with other content"
    opened = stage.rows(
        "SELECT subject, count(position) FROM outbox WHERE type = 'ticket' "
        "AND change = 'opened' GROUP BY subject"
    )
    assert [n for _, n in opened] == [1] * FLOODED, "each ticket is announced once"


def test_the_control_that_acknowledges_before_the_commit_loses_some(stage: Stage) -> None:
    killing = Killing(stage, "before_commit")
    count = killing.run(8)
    last = -1

    def still() -> bool:
        nonlocal last
        before, last = last, stage.count("readings")
        return before == last

    eventually(still, timeout=60, every=2.0)
    assert killing.service.stop() == 0
    assert stage.count("readings") < count, "the proof above would be blind if this lost nothing"
