"""The embedded broker as it is shipped: real processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest.broker import EmbeddedBroker, answers
from ingest.publisher import MqttPublisher
from ingest.session import MqttSession
from ingest.settings import MqttSettings

pytestmark = pytest.mark.slow
TOPIC = "gridsentry/v1/feed/d/dev/telemetry"


@pytest.mark.parametrize("kind", ["mosquitto", "iotcore"])
def test_the_embedded_broker_carries_messages_and_stops_without_a_trace(
    tmp_path: Path, kind: str
) -> None:
    broker = EmbeddedBroker(tmp_path / "broker", prefer=kind)
    host, port = broker.start()
    try:
        assert broker.name == kind and broker.limits and broker.pid
        assert os.getsid(broker.pid) != os.getsid(0), "Ctrl-C would reach it"
        session = MqttSession(MqttSettings(host=host, port=port, client_id="s"))
        publisher = MqttPublisher(MqttSettings(host=host, port=port, client_id="p"))
        session.start()
        publisher.start()
        assert session.wait_ready(10) and publisher.wait_ready(10)
        for n in range(300):
            publisher.publish(TOPIC, b"%d" % n)
        publisher.publish(TOPIC, bytes(1_000_000))
        assert publisher.flush(10)
        got: list[bytes] = []
        while more := session.take(100, 1.0):
            got += [arrival.payload for arrival in more]
            session.acknowledge(more)
        assert got == [*(b"%d" % n for n in range(300)), bytes(1_000_000)]
        publisher.stop()
        session.stop()
    finally:
        broker.stop()
    assert not answers(port)


def test_mosquitto_keeps_the_queue_over_its_own_restart(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path / "broker")
    host, port = broker.start()
    settings = MqttSettings(host=host, port=port, client_id="s")
    session = MqttSession(settings)
    session.start()
    assert session.wait_ready(10)
    session.stop()
    publisher = MqttPublisher(MqttSettings(host=host, port=port, client_id="p"))
    publisher.start()
    assert publisher.wait_ready(10)
    publisher.publish(TOPIC, b"kept", wait_s=5)
    publisher.stop()
    broker.stop()
    assert broker.start() == (host, port)
    session = MqttSession(settings)
    session.start()
    try:
        assert [arrival.payload for arrival in session.take(1, 5.0)] == [b"kept"]
    finally:
        session.stop()
        broker.stop()
