"""Traps that a careful service can still walk into, each sprung on a real one."""

from __future__ import annotations

import json
import random
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from store.connect import connect
from store.settings import StoreSettings
from tests.faults.listener import Listener
from tests.rig import ServiceProcess, Stage, drain, eventually, now_ms, write_city

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("traps")]

FEED = "gridsentry/v1/feed/d1"


def running(stage: Stage, devices: int = 2, **tables: dict[str, Any]) -> ServiceProcess:
    """A ready service over that many drains."""
    write_city(stage.city, [drain(f"s-{i}", i) for i in range(devices)])
    service = stage.service("all", "1/1", **tables)
    service.start()
    service.wait_ready()
    return service


def client(stage: Stage, name: str) -> paho.Client:
    """A bare client of the stage's broker, not yet connected."""
    made = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTv5)
    stage.ends.callback(made.loop_stop)
    stage.ends.callback(made.disconnect)
    return made


def test_who_takes_our_client_id_is_named_in_readyz_and_costs_nothing(stage: Stage) -> None:
    service = running(stage, mqtt={"evicted_wait_s": 1.0})
    gateway = stage.gateway()
    began = now_ms()
    thief = client(stage, "gridsentry-all")  # reconnects by itself, as a second service would
    thief.reconnect_delay_set(1, 1)
    thief.connect("127.0.0.1", stage.port, clean_start=False)
    thief.loop_start()
    told = service.wait_red("another client uses our id")
    assert "gridsentry-all" in told
    for n in range(300):
        gateway.telemetry("s-0", began + n, depth=0.01)
    gateway.settle()
    thief.disconnect()
    thief.loop_stop()
    service.wait_ready()
    for n in range(300, 600):
        gateway.telemetry("s-0", began + n, depth=0.01)
    gateway.settle()
    # What the thief was given before it left it did not acknowledge (it never subscribed in its
    # own name, but the session is ours): the broker hands it to us again.
    newest = "SELECT count(*) FROM readings WHERE ts >= to_timestamp(%s / 1000.0)"
    eventually(lambda: stage.rows(newest, began + 300) == [(300,)], timeout=60)


def test_duplicates_are_known_by_their_key_in_whatever_order_they_come(stage: Stage) -> None:
    service = running(stage)
    gateway = stage.gateway()
    began = now_ms()
    readings = [(f"s-{n % 2}", began + n // 2, n / 100_000) for n in range(800)]
    dice = random.Random()
    for _ in range(3):
        dice.shuffle(readings)
        for device, ts, depth in readings:
            gateway.telemetry(device, ts, depth=depth)
    gateway.telemetry("s-0", began, depth=0.4321)  # the same key with another value
    gateway.settle()
    stage.all_stored(len(readings))

    def counted() -> bool:
        readings_ = {
            name.split('"')[1]: value
            for name, value in service.metrics().items()
            if name.startswith("gridsentry_readings_total{")
        }
        return readings_ == {"new": 800, "duplicate": 1600, "conflict": 1}

    eventually(counted, timeout=60)
    assert stage.rows(
        "SELECT value FROM readings WHERE device = 's-0' AND ts = to_timestamp(%s / 1000.0)", began
    ) == [(0.0,)], "the first stands"
    assert stage.count("reading_conflicts") == 1


def test_a_clock_that_is_off_is_flagged_and_still_raises_the_alarm(stage: Stage) -> None:
    service = running(stage)
    gateway = stage.gateway()
    off = datetime.now(UTC) + timedelta(days=800)  # noqa: TID251 - a device's own, wrong clock
    wrong = int(off.timestamp() * 1000)
    for n in range(60):
        depth = min(0.02 * n, 0.5) + 0.004 * (n % 3)  # water ripples; what lies still is debris
        gateway.telemetry("s-0", wrong + 1000 * n, depth=depth)
        gateway.telemetry("s-0", wrong + 1000 * n, depth=depth)
        time.sleep(0.1)  # its own clock says nothing: when it is heard is when it was
    gateway.settle()
    stage.all_stored(60)
    (ticket,) = eventually(lambda: service.items("/api/v1/tickets"), timeout=60)
    assert ticket["kind"] == "flooding"
    items = service.items("/api/v1/readings?device=s-0")
    assert all("clock_off" in item["quality"] for item in items)
    years = {item["ts"][:4] for item in items}
    assert years == {str(off.year)}, "identity is what the device said"
    opened = datetime.fromisoformat(ticket["opened_at"])
    assert abs(datetime.now(UTC) - opened) < timedelta(minutes=5)  # noqa: TID251
    (event,) = service.items("/api/v1/events")
    assert abs(datetime.fromisoformat(event["at"]) - opened) < timedelta(minutes=5)


COPY = """
INSERT INTO outbox (key, type, subject, rev, kind, district, change, at, data)
SELECT 'ticket:t-slow:1:opened', type, 't-slow', rev, kind, district, change, at,
    convert_to(replace(convert_from(data, 'UTF8'), subject, 't-slow'), 'UTF8')
FROM outbox WHERE type = 'ticket' AND change = 'opened' ORDER BY id LIMIT 1
"""


def test_a_change_that_commits_last_is_still_heard_by_page_and_broker(stage: Stage) -> None:
    """Another writer took its number first; readers of the stream must not pass it by."""
    service = running(stage, devices=3)
    gateway = stage.gateway()
    alerts: list[str] = []
    heard = threading.Event()
    listener = client(stage, "alerts-listener")

    def on_message(_c: Any, _u: Any, message: paho.MQTTMessage) -> None:
        alerts.append(json.loads(message.payload)["subject"])
        heard.set()

    listener.on_message = on_message
    listener.on_connect = lambda c, *_: c.subscribe("gridsentry/v1/alert/#", 1)
    subscribed = threading.Event()
    listener.on_subscribe = lambda *_: subscribed.set()
    listener.connect("127.0.0.1", stage.port)
    listener.loop_start()
    assert subscribed.wait(30)
    page = Listener(stage, service, 0)

    def flood(device: str) -> None:
        began = now_ms() - 60_000
        for n in range(30):
            gateway.telemetry(device, began + 1000 * n, depth=min(0.04 * n, 0.5))
        gateway.settle()

    def tickets() -> list[str]:
        return [key.split(":")[1] for key in page.heard.values() if key.startswith("ticket:")]

    flood("s-0")
    eventually(lambda: len(set(tickets())) == 1, timeout=60)
    with psycopg.connect(stage.dsn) as slow:
        slow.execute(COPY)  # has its number now, and is not committed
        flood("s-1")
        eventually(lambda: len(set(tickets())) == 2, timeout=60)
        assert "t-slow" not in tickets()
        eventually(lambda: len(set(alerts)) == 2, timeout=60)
        slow.commit()
    flood("s-2")
    eventually(lambda: len(set(tickets())) == 4, timeout=60)
    eventually(lambda: len(set(alerts)) == 4, timeout=60)
    assert set(tickets()) == set(alerts)
    assert "t-slow" in tickets()
    lower = stage.rows("SELECT count(*) FROM outbox o JOIN outbox s ON s.subject = 't-slow' "
                       "WHERE o.id > s.id AND o.position < s.position")  # fmt: skip
    assert lower[0][0] > 0, "otherwise this test proves nothing"


def test_a_writer_that_stands_still_in_a_transaction_does_not_hold_its_stand_by_up(
    stage: Stage,
) -> None:
    """A suspended machine keeps its row locks; the database ends its session in time."""
    write_city(stage.city, [drain("s-0")])
    with connect(stage.dsn, StoreSettings()) as frozen:
        frozen.execute(
            b"INSERT INTO leases (name, holder, epoch, expires_at) "
            b"VALUES ('all', 'frozen:1', 1, now() - interval '1 second')"
        )
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout), frozen.transaction():
            frozen.execute(b"SELECT 1 FROM leases WHERE name = 'all' FOR SHARE")
            service = stage.service(store={"lock_timeout_s": 1.0})
            service.start()
            service.wait_ready()
            frozen.execute(b"SELECT 1")
    gateway = stage.gateway()
    gateway.telemetry("s-0", now_ms(), depth=0.01)
    stage.all_stored(1)
