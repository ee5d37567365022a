"""The same claims on four brokers: what each cannot do stands in docs/brokers.md, found here."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contracts.clock import monotonic
from contracts.errors import GridsentryError
from contracts.nouns import Arrival
from ingest.publisher import MqttPublisher
from ingest.session import MqttSession
from tests.brokers import pause
from tests.interop.servers import BROKERS, Broker, settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.xdist_group("interop")]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "brokers.md"
YES, NO = "yes", "no"
BACKLOG = 3_000
BIG = 30_000_000
"""Bytes: the largest segment of video that the wire allows."""


class Bench:
    """One broker with names of topics and clients that nobody used before."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self._count = 0

    def fresh(self, what: str) -> str:
        self._count += 1
        return f"{what}{self._count}"

    @contextmanager
    def session(self, topic: str, client: str = "", back: bool = False) -> Iterator[MqttSession]:
        """`back`: it was here before, and what waits for it may come before anything else."""
        session = MqttSession(settings(self.broker, client or self.fresh("s")), [topic])
        session.start()
        try:
            assert back or session.wait_ready(20), session.health()
            yield session
        finally:
            session.stop()

    @contextmanager
    def publisher(self, **more: Any) -> Iterator[MqttPublisher]:
        publisher = MqttPublisher(settings(self.broker, self.fresh("p")), **more)
        publisher.start()
        try:
            assert publisher.wait_ready(20), publisher.health()
            yield publisher
        finally:
            publisher.stop()

    def publish(self, topic: str, *payloads: bytes, **more: Any) -> None:
        with self.publisher() as publisher:
            for payload in payloads:
                publisher.publish(topic, payload, **more)
            assert publisher.flush(60), publisher.health()


def taken(session: MqttSession, count: int, within_s: float = 20.0) -> list[Arrival]:
    """Up to so many messages, acknowledged."""
    out: list[Arrival] = []
    until = monotonic() + within_s
    while len(out) < count and monotonic() < until:
        some = session.take(500, 0.5)
        out += some
        session.acknowledge(some)
    return out


# --- the claims: each answers with the cell of the table ------------------------------------------


def in_order(bench: Bench) -> str:
    topic = bench.fresh("order")
    sent = [b"%d" % n for n in range(500)]
    with bench.session(topic) as session:
        bench.publish(topic, *sent)
        got = [a.payload for a in taken(session, 500)]
        return YES if got == sent else NO


def again(bench: Bench) -> str:
    """What was not acknowledged comes again, what was does not."""
    topic, client = bench.fresh("again"), bench.fresh("s")
    with bench.session(topic, client) as session:
        bench.publish(topic, b"1", b"2", b"3")
        some: list[Arrival] = []
        until = monotonic() + 20
        while len(some) < 3 and monotonic() < until:
            some += session.take(10, 0.5)
        session.acknowledge(some[:1])
        pause(0.5)
    with bench.session(topic, client, back=True) as session:
        got = [a.payload for a in taken(session, 2, 40)]
        more = taken(session, 1, 1.0)
        return YES if got == [b"2", b"3"] and not more else NO


def at_most_once(bench: Bench) -> str:
    topic = bench.fresh("loose")
    with bench.session(topic) as session:
        bench.publish(topic, b"1", b"2", qos=0)
        return YES if [a.payload for a in taken(session, 2)] == [b"1", b"2"] else NO


def retained(bench: Bench) -> str:
    topic = bench.fresh("kept")
    try:
        bench.publish(topic, b"online", retain=True)
    except (GridsentryError, AssertionError):
        return NO
    with bench.session(topic) as session:
        got = taken(session, 1, 5.0)
        return YES if [(a.payload, a.retained) for a in got] == [(b"online", True)] else NO


def will(bench: Bench) -> str:
    topic = bench.fresh("will")
    with bench.session(topic) as session, bench.publisher(will=(topic, b"gone", False)) as dying:
        client = dying._outbox._client
        assert client is not None
        sock: Any = client.socket()
        dying._outbox._stopping.set()
        sock.shutdown(socket.SHUT_RDWR)
        return YES if [a.payload for a in taken(session, 1, 10.0)] == [b"gone"] else NO


def version_5(bench: Bench) -> str:
    with bench.session(bench.fresh("v")) as session:
        return YES if session.health()["version"] == "5" else NO


def shared(bench: Bench) -> str:
    """Two sessions of a group divide the messages; together they get each once."""
    topic = bench.fresh("shared")
    group = f"$share/g/{topic}"
    sent = {b"%d" % n for n in range(200)}
    try:
        with bench.session(group) as one, bench.session(group) as two:
            bench.publish(topic, *sent)
            first: list[Arrival] = []
            second: list[Arrival] = []
            until = monotonic() + 8
            while len(first) + len(second) < 200 and monotonic() < until:
                first += taken(one, 100, 0.3)
                second += taken(two, 100, 0.3)
            got = [a.payload for a in (*first, *second)]
            return YES if first and second and sorted(got) == sorted(sent) else NO
    except AssertionError:  # the subscription was refused
        return NO


def while_away(bench: Bench) -> str:
    topic, client = bench.fresh("away"), bench.fresh("s")
    with bench.session(topic, client):
        pass
    bench.publish(topic, *(b"%d" % n for n in range(BACKLOG)))
    with bench.session(topic, client, back=True) as session:
        got = [int(a.payload) for a in taken(session, BACKLOG, 30)]
        return "all" if got == list(range(BACKLOG)) else "some are lost"


def over_restart(bench: Bench) -> str:
    topic, client = bench.fresh("restart"), bench.fresh("s")
    with bench.session(topic, client):
        pass
    bench.publish(topic, b"1", b"2")
    bench.broker.terminate()
    bench.broker.start()
    with bench.session(topic, client, back=True) as session:
        return YES if [a.payload for a in taken(session, 2, 10)] == [b"1", b"2"] else NO


def big(bench: Bench) -> str:
    topic = bench.fresh("big")
    with bench.session(topic) as session:
        try:
            bench.publish(topic, bytes(BIG))
        except (GridsentryError, AssertionError):
            return NO
        return YES if [len(a.payload) for a in taken(session, 1, 30)] == [BIG] else NO


CLAIMS: dict[str, Callable[[Bench], str]] = {
    "QoS 1, in order": in_order,
    "unacknowledged comes again": again,
    "QoS 0": at_most_once,
    "last will": will,
    "retained": retained,
    "MQTT 5": version_5,
    "shared subscriptions": shared,
    "3,000 while we are away": while_away,
    "30 MB in one message": big,
    "kept over its restart": over_restart,
}
NEEDED = ("QoS 1, in order", "unacknowledged comes again", "QoS 0", "last will")
"""Without these a broker is of no use to us."""


def table() -> dict[str, dict[str, str]]:
    """The page's table: broker → claim → cell."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    head, _, *body = rows
    names = [re.sub(r"\W", "", name.split(" ")[0]).lower() for name in head[1:]]
    return {name: {row[0]: row[place] for row in body} for place, name in enumerate(names, start=1)}


@pytest.fixture(scope="module", params=list(BROKERS))
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    broker = BROKERS[request.param](tmp_path_factory.mktemp(request.param) / "broker")
    broker.start()
    yield request.param, Bench(broker)
    broker.kill()


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_broker_does_what_the_page_says(bench: tuple[str, Bench], claim: str) -> None:
    name, one = bench
    found = CLAIMS[claim](one)
    assert found == table()[name][claim], f"{name}: {claim}"
    if claim in NEEDED:
        assert found == YES


def test_the_page_has_every_broker_and_claim() -> None:
    assert {name: set(row) for name, row in table().items()} == {
        name: set(CLAIMS) for name in BROKERS
    }
