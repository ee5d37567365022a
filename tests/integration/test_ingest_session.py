"""The session against a real Mosquitto: every trap that loses messages, and a control for each."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import Refused, Temporary
from contracts.nouns import Arrival
from ingest.publisher import MqttPublisher
from ingest.session import BULK_FILTERS, TELEMETRY_FILTERS, MqttSession
from ingest.settings import MqttSettings
from ingest.wire import CHUNK
from tests.brokers import Mosquitto, pause

pytestmark = pytest.mark.slow
TOPIC = "gridsentry/v1/feed/d/dev/telemetry"


@contextmanager
def running(settings: MqttSettings, *args: Any, **kwargs: Any) -> Iterator[MqttSession]:
    session = MqttSession(settings, *args, **kwargs)
    session.start()
    try:
        assert session.wait_ready(10), session.health()
        yield session
    finally:
        session.stop()


def numbered(count: int, start: int = 0) -> list[tuple[str, bytes]]:
    return [(TOPIC, b"%d" % n) for n in range(start, start + count)]


def take(session: MqttSession, count: int, patience: int = 100) -> list[Arrival]:
    """Up to `count` messages; given up after so many tenths of a second in which none came."""
    out: list[Arrival] = []
    silent = 0
    while len(out) < count and silent < patience:
        got = session.take(count - len(out), 0.1)
        out += got
        silent = 0 if got else silent + 1
    return out


def numbers(arrivals: list[Arrival]) -> list[int]:
    return [int(arrival.payload) for arrival in arrivals]


def eventually(condition: Any, seconds: float = 10.0) -> bool:
    for _ in range(int(seconds / 0.02)):
        if condition():
            return True
        pause(0.02)
    return bool(condition())


def offline(broker: Mosquitto, settings: MqttSettings, messages: list[tuple[str, bytes]]) -> None:
    """Subscribe, go away, and let them be published meanwhile."""
    with running(settings):
        pass
    broker.publish(messages)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
@pytest.mark.parametrize("fast", [True, False])
def test_messages_arrive_in_order_and_acknowledged_ones_do_not_come_again(
    mosquitto: Mosquitto, version: str, fast: bool
) -> None:
    settings = mosquitto.settings("one", protocol=version)
    with running(settings, fast=fast) as session:
        mosquitto.publish(numbered(3000))
        got = take(session, 3000)
        assert numbers(got) == list(range(3000))
        assert got[0].topic == TOPIC and not got[0].retained
        session.acknowledge(got[:1000])
        assert eventually(lambda: session.health()["acknowledged"] == 1000)
    with running(settings, fast=fast) as session:
        again = take(session, 2000)
        assert sorted(numbers(again)) == list(range(1000, 3000))
        session.acknowledge(again)
    with running(settings, fast=fast) as session:
        assert session.take(10, 0.3) == []


def test_a_session_without_expiry_keeps_nothing_and_ours_does(mosquitto: Mosquitto) -> None:
    forgetful = mosquitto.settings("forgetful", protocol="5", session_expiry_s=1)
    offline(mosquitto, forgetful, [])
    pause(2.2)  # Mosquitto expires sessions once a second
    mosquitto.publish(numbered(5))
    with running(forgetful) as session:
        assert session.take(10, 0.3) == [], "the control kept messages: the test is blind"
    offline(mosquitto, mosquitto.settings("ours"), numbered(5, 5))
    with running(mosquitto.settings("ours")) as session:
        assert numbers(take(session, 5)) == list(range(5, 10))


def test_the_default_queue_drops_what_was_acknowledged_and_ours_does_not(
    mosquitto: Mosquitto, bare_mosquitto: Mosquitto
) -> None:
    kept = {}
    for broker in (bare_mosquitto, mosquitto):
        offline(broker, broker.settings("x"), numbered(1800))
        with running(broker.settings("x")) as session:
            got: list[Arrival] = []
            while more := session.take(2000, 0.5):
                session.acknowledge(more)
                got += more
        kept[broker] = numbers(got)
    assert len(kept[bare_mosquitto]) < 1800, "the control dropped nothing: the test is blind"
    assert kept[mosquitto] == list(range(1800))


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_acknowledgements_of_an_older_connection_are_ignored(
    mosquitto: Mosquitto, how: str
) -> None:
    with running(mosquitto.settings("g")) as session:
        mosquitto.publish(numbered(20))
        old = take(session, 20)
        if how == "kill":
            mosquitto.kill()
            mosquitto.start()
        else:
            mosquitto.restart()
        assert eventually(lambda: session.health()["generation"] == 2)
        assert eventually(lambda: session.health()["subscribed"])
        if how == "kill":  # its queue was not saved yet: the ids begin anew
            mosquitto.publish(numbered(20, 100))
        new = take(session, 20)
        assert len(new) == 20
        session.acknowledge(old)
        pause(0.3)
        assert session.health()["acknowledged"] == 0, "an old message id acknowledged a new message"
        session.acknowledge(new)
        assert eventually(lambda: session.health()["acknowledged"] == 20)


def test_nothing_is_lost_when_the_broker_restarts(mosquitto: Mosquitto) -> None:
    seen: set[int] = set()
    with running(mosquitto.settings("r")) as session:
        for turn in range(3):
            mosquitto.publish(numbered(200, turn * 200))
            got = take(session, 100)
            seen.update(numbers(got))
            session.acknowledge(got)
            mosquitto.restart()
        while more := session.take(1000, 1.0):
            seen.update(numbers(more))
            session.acknowledge(more)
    assert seen == set(range(600))


def test_acknowledgements_go_out_in_order_of_arrival(mosquitto: Mosquitto) -> None:
    with running(mosquitto.settings("o")) as session:
        mosquitto.publish(numbered(10))
        got = take(session, 10)
        session.acknowledge(got[5:])
        pause(0.2)
        assert session.health()["acknowledged"] == 0
        session.acknowledge(got[:5])
        assert eventually(lambda: session.health()["acknowledged"] == 10)


def test_a_fault_in_the_receiving_path_is_counted_and_loses_nothing(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(mosquitto.settings("f")) as session:
        inbox = session._inbox
        whole, broken = inbox.on_input, threading.Event()

        def once(client: Any) -> None:
            if client.confirmed and not broken.is_set():
                broken.set()
                raise RuntimeError("on purpose")
            whole(client)

        monkeypatch.setattr(inbox, "on_input", once)
        mosquitto.publish(numbered(50))
        assert numbers(take(session, 50)) == list(range(50))
        health = session.health()
        assert broken.is_set() and health["faults"] == 1 and health["connected"]


def test_a_dead_network_thread_is_started_again(mosquitto: Mosquitto) -> None:
    with running(mosquitto.settings("t")) as session:
        inbox = session._inbox
        inbox.stop()
        inbox._stopping.clear()
        assert not session.health()["connected"]
        mosquitto.publish(numbered(3))
        assert numbers(take(session, 3)) == [0, 1, 2]
        assert session.health()["faults"] == 1


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_retained_messages_do_not_come_back_at_every_reconnect(
    mosquitto: Mosquitto, version: str
) -> None:
    mosquitto.publish([(TOPIC, b"junk")], retain=True)
    with running(mosquitto.settings("k", protocol=version)) as session:
        got = take(session, 1)
        assert got[0].retained
        session.acknowledge(got)
        mosquitto.restart()
        assert eventually(lambda: session.health()["generation"] == 2)
        assert session.take(1, 0.4) == []


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_of_two_clients_with_one_id_one_steps_back_and_says_why(
    mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture, version: str
) -> None:
    settings = mosquitto.settings("twin", protocol=version, evicted_wait_s=60.0)
    twins = [MqttSession(settings), MqttSession(settings)]
    try:
        for twin in twins:
            twin.start()
        assert eventually(lambda: any(twin.health()["evicted"] for twin in twins))
        pause(0.6)
        before = [twin.health()["generation"] for twin in twins]
        pause(0.6)
        assert [twin.health()["generation"] for twin in twins] == before, "they fight on"
        assert any(twin.health()["connected"] for twin in twins)
        back = next(twin for twin in twins if twin.health()["evicted"])
        assert "another client uses our id 'twin'" in back.health()["last_error"]
        assert "another client uses our id" in caplog.text
    finally:
        for twin in twins:
            twin.stop()


def test_a_30_megabyte_message_arrives_and_the_next_one_too(mosquitto: Mosquitto) -> None:
    with running(mosquitto.settings("big")) as session:
        mosquitto.publish([(TOPIC, b"x" * 30_000_000), (TOPIC, b"after")])
        got = take(session, 2)
        assert [len(arrival.payload) for arrival in got] == [30_000_000, 5]


def test_a_message_above_the_broker_s_limit_is_refused_to_its_sender(mosquitto: Mosquitto) -> None:
    publisher = MqttPublisher(mosquitto.settings("p"))
    publisher.start()
    assert publisher.wait_ready(5)
    try:
        with pytest.raises(Temporary):
            publisher.publish(TOPIC, b"x" * (50 * 2**20), wait_s=3)
    finally:
        publisher.stop()


def test_the_byte_budget_stops_reading_until_something_is_acknowledged(
    mosquitto: Mosquitto,
) -> None:
    settings = mosquitto.settings("bulk", max_unacknowledged_bytes=3_000_000)
    topic = "gridsentry/v1/feed/d/cam/segment/1"
    with running(settings, BULK_FILTERS) as session:
        mosquitto.publish([(topic, bytes(1_000_000)) for _ in range(12)])
        assert eventually(lambda: not session.health()["reading"])
        pause(0.3)
        assert session.health()["received"] < 8
        count = 0
        while got := session.take(1, 1.0):
            count += 1
            session.acknowledge(got)
        assert count == 12


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_a_broker_that_sends_more_than_the_window_is_not_read(
    mosquitto: Mosquitto, version: str
) -> None:
    """Mosquitto 2.0.11 sends all it has queued with the first acknowledgement after the window was
    full: what waits must stay with it, not in our memory, and come when there is room."""
    settings = mosquitto.settings("window", protocol=version, receive_maximum=500)
    count = 20_000
    with running(settings) as session:
        for start in range(0, count, 5000):
            mosquitto.publish(numbered(5000, start))
        arrivals = take(session, 100)
        session.acknowledge(arrivals)
        pause(1.0)  # all of it would come now
        most = session.health()["unacknowledged"]
        seen = numbers(arrivals)
        while len(seen) < count and arrivals:
            arrivals = session.take(1000, 10.0)
            seen += numbers(arrivals)
            session.acknowledge(arrivals)
            most = max(most, session.health()["unacknowledged"])
    assert seen == list(range(count))
    piece = CHUNK // 40  # messages of more than forty bytes on the wire
    assert most <= 500 + piece


def test_unconfirmed_messages_are_bounded_and_the_dropped_ones_counted(
    mosquitto: Mosquitto,
) -> None:
    with running(mosquitto.settings("q0", max_unconfirmed=100)) as session:
        mosquitto.publish(numbered(400), qos=0)
        assert eventually(lambda: session.health()["received"] == 400)
        got = session.take(1000, 0.1)
        assert numbers(got) == list(range(300, 400)) and session.health()["dropped_qos0"] == 300
        session.acknowledge(got)


def test_a_refused_subscription_is_reported(tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite other/#\n")
    config = "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n"
    broker = Mosquitto(tmp_path / "acl-broker", config + f"acl_file {acl}\n").start()
    session = MqttSession(broker.settings("s"))
    session.start()
    try:
        assert eventually(lambda: session._inbox.connected)
        # Mosquitto grants the subscription and withholds the messages, or refuses: say which.
        assert eventually(lambda: session.health()["refused"] or session.health()["subscribed"])
        if session.health()["refused"]:
            assert "refused subscriptions" in session.health()["last_error"]
    finally:
        session.stop()
        broker.kill()


def test_a_broker_that_speaks_only_3_1_1_is_understood() -> None:
    """A stub that refuses MQTT 5 with return code 1, as 3.1.1 brokers do, and accepts 3.1.1."""
    server = socket.create_server(("127.0.0.1", 0))
    versions: list[int] = []

    def serve() -> None:
        for _ in range(2):
            peer, _ = server.accept()
            with peer:
                connect = peer.recv(1000)
                at = 2 if connect[1] < 0x80 else 3
                versions.append(connect[at + 6])
                if versions[-1] == 5:
                    peer.sendall(b"\x20\x02\x00\x01")
                    continue
                peer.sendall(b"\x20\x02\x00\x00")
                packet = peer.recv(1000)
                peer.sendall(b"\x90\x06" + packet[2:4] + b"\x01\x01\x01\x01")
                peer.recv(1000)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    settings = MqttSettings(port=server.getsockname()[1], client_id="old", reconnect_min_s=0.05)
    with running(settings) as session:
        assert session.health()["version"] == "3.1.1" and versions == [5, 4]
    thread.join(5)
    server.close()


def test_the_two_sessions_share_the_feed_without_overlap(mosquitto: Mosquitto) -> None:
    base = "gridsentry/v1/feed/d/dev"
    small = [f"{base}/telemetry", f"{base}/status", base, f"{base}/wrong"]
    large = [f"{base}/segment/1", f"{base}/frame/2", f"{base}/x/y/z"]
    with (
        running(mosquitto.settings("small"), TELEMETRY_FILTERS) as telemetry,
        running(mosquitto.settings("large"), BULK_FILTERS) as bulk,
    ):
        mosquitto.publish([(topic, b"1") for topic in small + large])
        mosquitto.publish([("gridsentry/v1/worker/w/position", b"1")])
        assert {a.topic for a in take(telemetry, 5)} == {*small, "gridsentry/v1/worker/w/position"}
        assert {a.topic for a in take(bulk, 3)} == set(large)
        assert telemetry.take(1, 0.2) == [] and bulk.take(1, 0.2) == []


def test_publishing_where_nobody_listens_succeeds_and_too_much_is_refused(
    mosquitto: Mosquitto,
) -> None:
    publisher = MqttPublisher(mosquitto.settings("alone"), most_waiting=5)
    with pytest.raises(Temporary, match="not connected"):
        publisher.publish("a/b", b"x")
    publisher.start()
    assert publisher.wait_ready(5)
    publisher.publish("a/b", b"x", wait_s=5)
    assert mosquitto.process is not None
    mosquitto.process.send_signal(19)  # SIGSTOP: it answers nothing
    try:
        with pytest.raises(Refused):
            for _ in range(10):
                publisher.publish("a/b", b"x")
        with pytest.raises((Temporary, Refused)):
            publisher.publish("a/b", b"x", wait_s=0.2)
    finally:
        mosquitto.process.send_signal(18)
    assert publisher.flush(5)
    publisher.stop()


def test_the_last_will_is_published_when_a_publisher_vanishes(mosquitto: Mosquitto) -> None:
    with running(mosquitto.settings("watch")) as session:
        topic = "gridsentry/v1/feed/d/dev/status"
        dying = MqttPublisher(mosquitto.settings("gw"), will=(topic, b"offline", True))
        dying.start()
        assert dying.wait_ready(5)
        client = dying._outbox._client
        assert client is not None
        sock: Any = client.socket()
        dying._outbox._stopping.set()
        sock.shutdown(socket.SHUT_RDWR)
        assert [a.payload for a in take(session, 1)] == [b"offline"]
        dying.stop()
