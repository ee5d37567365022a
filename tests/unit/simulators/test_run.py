"""Live: gateways with wills, a buffer while the broker is away, and the clock handshake."""

from __future__ import annotations

import itertools
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from contracts.errors import Refused, Temporary
from simulators.run import CLOCK_TOPIC, PublisherFactory, Simulation, Uplink
from simulators.settings import SimSettings
from simulators.town import Town
from simulators.world import Outgoing

START = datetime(2026, 6, 3, 6, 0, tzinfo=UTC)


class LeapClock:
    """A clock that jumps ahead where live code would wait; every question costs a moment."""

    def __init__(self, step_ms: float) -> None:
        self._now, self._step = START, timedelta(milliseconds=step_ms)

    def now(self) -> datetime:
        self._now += self._step
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class LeapStop(threading.Event):
    """Waiting for it moves the clock instead."""

    def __init__(self, clock: LeapClock) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self.clock.sleep(timeout or 0.0)
        return self.is_set()


class Broker:
    """Takes what publishers bring; may be away."""

    def __init__(self, stop_after: int = 0, stop: threading.Event | None = None) -> None:
        self.messages: list[tuple[str, str, bytes, bool]] = []
        self.wills: dict[str, tuple[str | None, bytes | None]] = {}
        self.running: set[str] = set()
        self.away = False
        self._stop_after, self._stop = stop_after, stop

    def factory(self, name: str, topic: str | None, payload: bytes | None) -> BrokerPublisher:
        self.wills[name] = (topic, payload)
        return BrokerPublisher(self, name)

    def take(self, name: str, topic: str, payload: bytes, retain: bool) -> None:
        if self.away:
            raise Temporary("not connected")
        self.messages.append((name, topic, payload, retain))
        if self._stop and len(self.messages) >= self._stop_after:
            self._stop.set()


class BrokerPublisher:
    def __init__(self, broker: Broker, name: str) -> None:
        self._broker, self._name = broker, name

    def start(self) -> None:
        self._broker.running.add(self._name)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        wait_s: float | None = None,
    ) -> None:
        assert self._name in self._broker.running
        self._broker.take(self._name, topic, payload, retain)

    def stop(self) -> None:
        self._broker.running.discard(self._name)


def settings(**knobs: float) -> SimSettings:
    return SimSettings(cameras=0, fibre_first_s=0.0, **knobs)  # type: ignore[arg-type]


def run(town: Town, broker: Broker, stop: LeapStop, **knobs: float) -> Simulation:
    factory: PublisherFactory = broker.factory
    follower = "sim" if knobs.get("speed", 1) != 1 else None
    simulation = Simulation(town, settings(**knobs), factory, stop.clock, follower=follower)
    simulation.run(stop)
    return simulation


def test_every_gateway_comes_online_and_goes_offline_retained_with_its_will(town: Town) -> None:
    stop = LeapStop(LeapClock(0.2))
    broker = Broker(400, stop)
    run(town, broker, stop)
    assert broker.running == set()
    gateways = {name for name in broker.wills if name != "sim-clock"}
    assert gateways == set(town.gateways.values()) - {t.camera for t in town.towers}
    for name in gateways:
        topic = f"gridsentry/v1/feed/qingxi/{name}/status"
        assert broker.wills[name] == (topic, b"offline")
        own = [json.loads(p)["state"] for n, t, p, r in broker.messages if t == topic and r]
        assert own == ["online", "offline"]


def test_gateways_publish_only_for_their_own_devices(town: Town) -> None:
    stop = LeapStop(LeapClock(0.2))
    broker = Broker(800, stop)
    run(town, broker, stop)
    for name, topic, _, _ in broker.messages:
        parts = topic.split("/")
        if parts[2] == "worker":
            assert name == "grid-app"
        else:
            assert town.gateways[parts[4]] == name


def test_only_status_is_retained_at_normal_speed(town: Town) -> None:
    stop = LeapStop(LeapClock(0.2))
    broker = Broker(600, stop)
    run(town, broker, stop)
    assert {t.split("/")[-1] for _, t, _, retain in broker.messages if retain} == {"status"}


def test_another_speed_without_a_following_service_is_refused_in_words(town: Town) -> None:
    broker = Broker()
    for follower in (None, "live"):
        with pytest.raises(Refused, match="--clock sim"):
            Simulation(town, settings(speed=10.0), broker.factory, LeapClock(1), follower=follower)
    assert broker.messages == []


def test_with_a_following_service_the_clock_is_told_and_never_passes_its_messages(
    town: Town,
) -> None:
    stop = LeapStop(LeapClock(0.2))
    broker = Broker(1500, stop)
    run(town, broker, stop, speed=60.0)
    told = [(k, int(m[2])) for k, m in enumerate(broker.messages) if m[1] == CLOCK_TOPIC]
    assert len(told) > 10
    assert all(m[3] for m in broker.messages if m[1] == CLOCK_TOPIC)
    times = [ms for _, ms in told]
    assert times == sorted(times)
    for (k, ms), (following, _) in itertools.pairwise(told):
        for name, topic, payload, _ in broker.messages[k + 1 : following]:
            if topic.endswith("/telemetry") and name == "gw-line-1":
                sent = json.loads(payload)["ts"]
                # what leaves after the clock was told was measured at most its latency before;
                # held-back messages (a gateway's reordering) are older on purpose
                assert sent > ms - 13_000


def test_the_clock_is_told_before_anything_else_however_late_it_connects(town: Town) -> None:
    class Late(BrokerPublisher):
        tries = 0

        def publish(
            self,
            topic: str,
            payload: bytes,
            *,
            qos: int = 1,
            retain: bool = False,
            wait_s: float | None = None,
        ) -> None:
            self.tries += 1
            if self.tries <= 3:
                raise Temporary("not connected")
            super().publish(topic, payload, qos=qos, retain=retain, wait_s=wait_s)

    class Slow(Broker):
        def factory(self, name: str, topic: str | None, payload: bytes | None) -> BrokerPublisher:
            if name == "sim-clock":
                return Late(self, name)
            return super().factory(name, topic, payload)

    clock = LeapClock(0.5)
    stop = LeapStop(clock)
    broker = Slow(40, stop)
    run(town, broker, stop, speed=30.0)
    _, topic, payload, retained = broker.messages[0][:4]
    assert topic == CLOCK_TOPIC and retained
    assert int(payload) == min(int(m[2]) for m in broker.messages if m[1] == CLOCK_TOPIC)


def test_a_buffer_keeps_the_order_while_the_broker_is_away() -> None:
    broker = Broker()
    uplink = Uplink("gw", broker.factory("gw", None, None))
    uplink.start()
    broker.away = True
    for k in range(5):
        uplink.send(Outgoing(at=k, gateway="gw", topic=f"t/{k}", payload=b"x"))
    assert broker.messages == []
    broker.away = False
    uplink.flush()
    assert [t for _, t, _, _ in broker.messages] == [f"t/{k}" for k in range(5)]


def test_a_full_buffer_gives_up_the_oldest_media_first() -> None:
    broker = Broker()
    uplink = Uplink("cam", broker.factory("cam", None, None))
    uplink.start()
    broker.away = True
    uplink.send(Outgoing(at=0, gateway="cam", topic="status", payload=b"s"))
    big = bytes(10 * 1024 * 1024)
    for k in range(6):
        uplink.send(Outgoing(at=k, gateway="cam", topic=f"v/{k}", payload=big, file="mp4"))
    broker.away = False
    uplink.flush()
    assert [t for _, t, _, _ in broker.messages] == ["status", "v/2", "v/3", "v/4", "v/5"]
    assert uplink.dropped == 2


def test_crews_hear_while_the_town_plays_and_hang_up_at_the_end(town: Town) -> None:
    told: list[str] = []
    times: list[int] = []

    class People:
        def start(self) -> None:
            told.append("start")

        def hear(self, ms: int) -> None:
            times.append(ms)

        def stop(self) -> None:
            told.append("stop")

    stop = LeapStop(LeapClock(0.2))
    broker = Broker(300, stop)
    people = People()
    Simulation(
        town,
        settings(),
        broker.factory,
        stop.clock,
        crews=lambda director: people,  # type: ignore[arg-type,return-value]
    ).run(stop)
    assert told == ["start", "stop"]
    assert times == sorted(times)
    assert len(times) > 100
