"""The broker goes away: stopped properly nothing is lost; what a crash of it loses is measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.broker import EmbeddedBroker
from tests.brokers import Mosquitto
from tests.rig import Stage, drain, eventually, now_ms, write_city

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("broker")]

RATE = 300


def test_stopped_and_started_again_mosquitto_loses_nothing_it_promised(
    stage: Stage, mosquitto: Mosquitto
) -> None:
    write_city(stage.city, [drain(f"s-{i}", i) for i in range(10)])
    service = stage.service()
    service.start()
    service.wait_ready()
    gateway = stage.gateway()
    began = now_ms()

    def publish(n: int) -> None:
        gateway.telemetry(f"s-{n % 10}", began + n * 1000 // RATE, depth=0.01)

    steady = stage.steady(RATE, publish)
    eventually(lambda: stage.count("readings") > RATE, timeout=60)
    for _ in range(2):
        # Its message ids begin anew each time: acknowledgements of before must not take effect.
        mosquitto.terminate()
        service.wait_red("MQTT session")
        mosquitto.start()
        stood = stage.count("readings")
        eventually(lambda: stage.count("readings") > stood + RATE, timeout=60)  # noqa: B023
    service.wait_ready()
    mosquitto.terminate()
    mosquitto.start()
    count = steady.stop()
    assert gateway.settle() == count
    stage.all_stored(count)
    assert service.stop() == 0
    assert not stage.rows("SELECT code, reason FROM dead_letters")


def test_stopped_with_a_backlog_for_a_service_that_is_away_it_keeps_all(
    stage: Stage, mosquitto: Mosquitto
) -> None:
    write_city(stage.city, [drain("s-0")])
    service = stage.service(core={"lease_s": 0.5})
    service.start()
    service.wait_ready()
    service.kill()
    gateway = stage.gateway()
    began = now_ms()
    for n in range(3000):
        gateway.telemetry("s-0", began + n, depth=0.01)
    assert gateway.settle() == 3000
    mosquitto.restart()
    service.start()
    stage.all_stored(3000)


def test_a_crash_of_mosquitto_loses_what_it_had_not_saved_and_nothing_of_ours(
    stage: Stage, mosquitto: Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    """Mosquitto saves its queues every 30 s (our setting); a power cut loses what came since."""
    write_city(stage.city, [drain("s-0")])
    service = stage.service(core={"lease_s": 0.5})
    service.start()
    service.wait_ready()
    gateway = stage.gateway()
    began = now_ms()
    for n in range(1000):
        gateway.telemetry("s-0", began + n, depth=0.01)
    assert gateway.settle() == 1000
    stage.all_stored(1000)
    service.kill()
    for n in range(1000, 3000):
        gateway.telemetry("s-0", began + n, depth=0.01)
    promised = gateway.settle()
    gateway.close()
    mosquitto.kill()
    mosquitto.start()
    service.start()
    service.wait_ready()
    again = stage.gateway("another-gateway")
    again.telemetry("s-0", began + 5000, depth=0.01)
    again.settle()
    newest = "SELECT count(*) FROM readings WHERE ts = to_timestamp(%s / 1000.0)"
    eventually(lambda: stage.rows(newest, began + 5000) == [(1,)], timeout=60)
    stored = stage.count("readings") - 1
    with capsys.disabled():
        print(f"\nMosquitto SIGKILLed: {promised - stored} of {promised} messages lost by it")
    assert stage.rows(
        "SELECT count(*) FROM readings WHERE ts < to_timestamp(%s / 1000.0)", began + 1000
    ) == [(1000,)], "what we have acknowledged is stored"
    assert service.stop() == 0


def test_iotcore_forgets_its_queue_when_it_restarts_and_we_carry_on(
    tmp_path: Path, pg_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its documented limit: sessions and queues live in its memory only."""
    broker = EmbeddedBroker(tmp_path / "iotcore", prefer="iotcore")
    _, port = broker.start()
    stage = Stage(tmp_path, pg_dsn, port)
    stage.ends.callback(broker.stop)
    try:
        write_city(stage.city, [drain("s-0")])
        service = stage.service(core={"lease_s": 0.5})
        service.start()
        service.wait_ready()
        gateway = stage.gateway()
        began = now_ms()
        for n in range(500):
            gateway.telemetry("s-0", began + n, depth=0.01)
        assert gateway.settle() == 500
        stage.all_stored(500)
        service.kill()
        for n in range(500, 1000):
            gateway.telemetry("s-0", began + n, depth=0.01)
        promised = gateway.settle()
        gateway.close()
        broker.stop()
        broker.start()
        service.start()
        service.wait_ready()
        again = stage.gateway("another-gateway")
        again.telemetry("s-0", began + 5000, depth=0.01)
        again.settle()
        newest = "SELECT count(*) FROM readings WHERE ts = to_timestamp(%s / 1000.0)"
        eventually(lambda: stage.rows(newest, began + 5000) == [(1,)], timeout=60)
        stored = stage.count("readings") - 1
        with capsys.disabled():
            print(f"\niotcore restarted: {promised - stored} of {promised} messages lost by it")
        assert stored >= 500, "what we have acknowledged is stored"
        assert service.stop() == 0
    finally:
        stage.close()
