"""Roles as processes of their own, and one of each killed or frozen: the other takes over."""

from __future__ import annotations

import json
import re
import signal
import time
from typing import Any

import pytest

from tests.faults.listener import Listener
from tests.rig import Stage, drain, eventually, now_ms, write_city

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.xdist_group("roles")]

RATE = 200
DEVICES = 8
LEASE = {"lease_s": 2.0}
HELD = "holds its lease"


def flood(stage: Stage) -> Any:
    """A publisher of reading n: every device's street fills up, one after the other."""
    gateway = stage.gateway()
    began = now_ms()

    def publish(n: int) -> None:
        device = n % DEVICES
        seconds = n / RATE - device
        depth = min(max(0.0, seconds * 0.025), 0.45)
        gateway.telemetry(f"s-{device:02d}", began + n * 1000 // RATE, depth=round(depth, 4))

    return gateway, publish


def test_one_ingest_one_router_and_one_center_killed_the_others_carry_on(stage: Stage) -> None:
    write_city(stage.city, [drain(f"s-{i:02d}", i) for i in range(DEVICES)])
    cameras = stage.service("cameras", core=LEASE)
    router = [stage.service("router", core=LEASE) for _ in range(2)]
    ingest = [stage.service("ingest", core=LEASE) for _ in range(2)]
    center = [stage.service("center") for _ in range(2)]
    for service in (ingest[0], center[0], router[0], cameras):
        service.start()
    ingest[0].wait_said("is subscribed")
    for service in (ingest[1], center[1], router[1]):
        service.start()
    for service in (router[0], cameras):
        service.wait_said(HELD)
    for service in center:
        service.wait_ready()
    for service in (ingest[1], router[1]):
        service.wait_said("gridsentry: ready")
        assert HELD not in service.said(), "of two for the same share one must stand by"

    gateway, publish = flood(stage)
    steady = stage.steady(RATE, publish)
    first = Listener(stage, center[0], 0)
    eventually(lambda: len(first.heard) >= 3, timeout=90)
    center[0].kill()
    ingest[0].kill()
    router[0].kill()
    first.join(10)
    assert not first.is_alive(), "its stream ended with it"
    ingest[1].wait_said(HELD)
    router[1].wait_said(HELD)

    last = max(first.heard)
    second = Listener(stage, center[1], last)

    def tickets() -> list[dict[str, Any]]:
        return center[1].items("/api/v1/tickets")

    eventually(lambda: len(tickets()) >= DEVICES, timeout=120)
    count = steady.stop()
    assert gateway.settle() == count
    stage.all_stored(count)
    assert len(tickets()) == DEVICES
    assert len({ticket["incident"] for ticket in tickets()}) == DEVICES

    def quiet() -> bool:
        waiting = stage.rows("SELECT count(*) FROM outbox WHERE position IS NULL")[0][0]
        unrouted = stage.rows("SELECT count(*) FROM events WHERE NOT routed")[0][0]
        newest = stage.rows("SELECT newest FROM stream")[0][0]
        return not waiting and not unrouted and max(second.heard, default=0) == newest

    eventually(quiet, timeout=60)
    second.close()
    assert min(second.heard) == last + 1, "the other center goes on where the first one ended"
    heard = {**first.heard, **second.heard}
    told = dict(stage.rows("SELECT position, key FROM outbox"))
    assert heard == told, "over both streams every change was heard, at its place"
    assert len(set(told.values())) == len(told)
    assert dict(stage.rows("SELECT site, count(DISTINCT id) FROM events GROUP BY site")) == {
        f"s-{i:02d}": 1 for i in range(DEVICES)
    }
    for service in (ingest[1], center[1], router[1], cameras):
        assert service.stop() == 0, service.tail()


def test_a_writer_frozen_past_its_lease_comes_back_and_doubles_nothing(stage: Stage) -> None:
    write_city(stage.city, [drain(f"s-{i:02d}", i) for i in range(DEVICES)])
    first, second = stage.service(core=LEASE), stage.service(core=LEASE)
    first.start()
    first.wait_ready()
    second.start()
    second.wait_said("gridsentry: ready")
    gateway, publish = flood(stage)
    steady = stage.steady(RATE, publish)
    eventually(lambda: stage.count("readings") > RATE, timeout=60)
    first.signal(signal.SIGSTOP)
    second.wait_said(HELD)
    time.sleep(2)
    first.signal(signal.SIGCONT)
    first.wait_said("standing by")
    second.wait_ready()
    count = steady.stop()
    assert gateway.settle() == count
    stage.all_stored(count)
    eventually(lambda: "standing by for another process" in first.readyz()[1], timeout=20)
    assert first.readyz()[0] == 503
    epochs = stage.rows("SELECT DISTINCT epoch FROM batches ORDER BY epoch")
    assert epochs == [(1,), (2,)], "the one that was frozen did not take the lease back"
    assert re.search("lease of all is lost", first.said())


def test_two_shards_share_the_districts(stage: Stage) -> None:
    rows = [drain(f"s-{i:02d}", i) for i in range(4)]
    rows[2:] = [row.replace(",d1,", ",d2,") for row in rows[2:]]
    write_city(stage.city, rows)
    shards = [stage.service("ingest", shard=f"{i}/2", core=LEASE) for i in (1, 2)]
    for shard in shards:
        shard.start()
    for shard in shards:
        shard.wait_said("is subscribed")
    gateway = stage.gateway()
    began = now_ms()
    for n in range(100):
        district = "d1" if n % 4 < 2 else "d2"
        gateway.publish(
            f"gridsentry/v1/feed/{district}/s-{n % 4:02d}/telemetry",
            json.dumps({"ts": began + n, "m": {"depth": 0.01}}),
        )
    gateway.publish("gridsentry/v1/feed/d1/late/telemetry", '{"ts": 1, "m": {"depth": 0.0}}')
    gateway.settle()
    stage.all_stored(100)
    by_writer = stage.rows(
        "SELECT writer, sum((found->>'readings_new')::int), "
        "sum((found->>'readings_duplicate')::int) FROM batches GROUP BY writer ORDER BY writer"
    )
    assert by_writer == [("ingest-1of2", 50, 0), ("ingest-2of2", 50, 0)]
