"""Outside gateways in the writer's loop: own sessions, own breakers, state in the batch's
transaction, and what was to be said is said after it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contracts.batch import UnknownMessage
from contracts.city import City
from contracts.clock import ManualClock
from contracts.errors import Permanent
from contracts.nouns import Arrival
from gridsentry.city import load_city
from gridsentry.config import Settings
from gridsentry.engine.rooms import detector_configs
from gridsentry.live.build import Builder
from gridsentry.live.core import Core
from gridsentry.live.outside import earlier
from gridsentry.live.parts import CoreSettings
from gridsentry.live.roles import Plan as Role
from gridsentry.metrics import Metrics
from ingest.adapting.dispatch import Adapted, Told
from ingest.adapting.kit import Adapter, Outgoing, Said, Setting, blaming, readings
from ingest.adapting.plan import Plan
from ingest.breaker import Breaker
from ingest.sessions import Sessions
from store.memory import MemoryStore
from store.memory_writer import MemoryWriter
from tests.rig import drain, write_city
from tests.unit.store.makes import batch

pytestmark = pytest.mark.usefixtures("small_heap")

NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)


class Counting(Adapter):
    """Every message of device `device` is the next number of a count that is its state."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._count = int(setting.state or b"0")

    def decode(self, arrival: Arrival, /) -> Sequence[Said]:
        name = arrival.topic.rpartition("/")[2]
        device = self._setting.register.device(name)
        with blaming(device):
            if arrival.payload == b"bad":
                raise Permanent("bad", "not a thing")
            self._count += 1
            made = readings(device, {"n": float(self._count)}, arrival, self._setting.rule,
                            arrival.received_at - timedelta(seconds=1))  # fmt: skip
            return [*made, Outgoing("back", b"%d" % self._count)]

    def snapshot(self) -> bytes | None:
        return b"%d" % self._count


PLANS = (
    Plan(name="one", use="one", topics=("one/#",), build=Counting, limit=99, speaks=True),
    Plan(name="two", use="two", topics=("two/#",), build=Counting, limit=99),
)


class Backlog:
    """A session that hands over what waits and remembers what was acknowledged."""

    def __init__(self) -> None:
        self.waiting: list[Arrival] = []
        self.acknowledged: list[Any] = []

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def revive(self) -> None: ...

    def taken(self, limit: int) -> list[Arrival]:
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return taken

    def take(self, limit: int, wait_s: float) -> list[Arrival]:
        return self.taken(limit)

    def acknowledge_tokens(self, tokens: list[Any]) -> None:
        self.acknowledged += tokens

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        self.acknowledge_tokens([a.token for a in arrivals])

    def health(self) -> dict[str, Any]:
        return {"connected": True}


class Outside:
    """Like `gridsentry.live.outside.Outside`, without a broker."""

    def __init__(self) -> None:
        self.breakers = {plan.name: Breaker() for plan in PLANS}
        self.said: list[tuple[str, bytes, int]] = []
        self.store: MemoryStore | None = None

    def reasons(self) -> list[str]:
        return [f"adapter {n}: {b.reason}" for n, b in self.breakers.items() if b.reason]

    def begin(self, adapted: Adapted, now: datetime) -> None: ...

    def end(self) -> None: ...

    def committed(self, told: Told) -> None:
        batches = len(self.store.batches) if self.store is not None else 0
        self.said += [(name, said.payload, batches) for name, said in told.outgoing]


@pytest.fixture
def city(tmp_path: Path) -> City:
    write_city(tmp_path / "city", [drain(f"s-{i}", i) for i in range(8)])
    return load_city(tmp_path / "city")


def core(
    city: City, store: MemoryStore, clock: ManualClock, tmp: Path
) -> tuple[Core, Any, Backlog, dict[str, Backlog], Outside]:
    """A writer's loop with sessions of its own for both adapters, built from the store."""
    outside, own, others = Outside(), Backlog(), {"one": Backlog(), "two": Backlog()}
    breaker = Breaker()
    every = {"": breaker, **outside.breakers}
    sessions = Sessions(own, others, threading.Event(), lambda n: bool(every[n].reason))  # type: ignore[arg-type]
    writer = MemoryWriter(store, "/gridsentry/test")
    builder = Builder(
        lambda: city, Settings(), detector_configs({}), writer,
        Role(writer="all", telemetry=True, routes=True), clock,
        spool=None, bulk_session=None, evidence=tmp, originals=tmp, adapters=lambda: PLANS,
    )  # fmt: skip
    made = Core(
        "all", "me", writer, builder, clock, CoreSettings(linger_ms=0), Metrics(),
        telemetry=sessions, breaker=breaker, outside=outside,  # type: ignore[arg-type]
    )  # fmt: skip
    outside.store = store
    writer.release("all", "me")
    assert made._acquire()
    made._rebuild()
    return made, made._parts, own, others, outside


def message(topic: str, payload: bytes, at: datetime, token: object = None) -> Arrival:
    return Arrival(topic, payload, at, False, token)


def test_state_is_committed_with_the_batch_and_what_was_to_be_said_follows(
    city: City, tmp_path: Path
) -> None:
    store, clock = MemoryStore(), ManualClock(NOW)
    loop, parts, _, others, outside = core(city, store, clock, tmp_path)
    others["one"].waiting = [message("one/s-0", b"x", NOW, n) for n in range(3)]
    loop._step(parts)
    assert others["one"].acknowledged == [0, 1, 2]
    assert outside.said == [("one", b"1", 1), ("one", b"2", 1), ("one", b"3", 1)]
    again, parts, _, others, outside = core(city, store, clock, tmp_path)
    others["one"].waiting = [message("one/s-1", b"x", NOW + timedelta(seconds=9))]
    again._step(parts)
    assert [said for _, said, _ in outside.said] == [b"4"], "it goes on where it stood"


def test_one_adapters_breaker_pauses_its_session_only(city: City, tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    loop, parts, own, others, outside = core(city, MemoryStore(), clock, tmp_path)
    for minute in range(12):
        at = NOW + timedelta(minutes=minute)
        clock.advance_to(at)
        others["one"].waiting = [message(f"one/s-{i}", b"bad", at, i) for i in range(6)]
        others["two"].waiting = [message("two/s-7", b"x", at, minute)]
        native = b'{"m": {"depth": 0.01}, "seq": %d}' % minute
        own.waiting = [message("gridsentry/v1/feed/d1/s-6/telemetry", native, at, minute)]
        loop._step(parts)
    assert outside.breakers["one"].reason
    assert not outside.breakers["two"].reason
    assert loop.breaker_reason is None
    (told,) = loop.breaker_reasons()
    assert "adapter one" in told
    assert others["one"].waiting, "nothing more is taken from it"
    assert others["two"].acknowledged == own.acknowledged == list(range(12))


def test_strangers_of_a_gateway_are_taken_up_when_its_adapter_knows_them(
    city: City, tmp_path: Path
) -> None:
    store, clock = MemoryStore(), ManualClock(NOW)
    writer = MemoryWriter(store, "/gridsentry/test")
    writer.acquire("kept", "before", NOW, 10)
    kept = [
        UnknownMessage("its own name for s-2", "one/s-2", NOW, b"x"),
        UnknownMessage("nobody", "one/nobody", NOW, b"x"),
        UnknownMessage("nobody-2", "gridsentry/v1/feed/d1/nobody-2/telemetry", NOW, b"x"),
    ]
    writer.commit(batch(1, writer="kept", unknown=kept))
    loop, parts, *_ = core(city, store, clock, tmp_path)
    loop._step(parts)
    assert [m.device for m in store.unknown.values()] == ["nobody", "nobody-2"]
    assert [r.device for r, *_ in store.readings.values()] == ["s-2"]
    assert not store.intake


def test_sessions_take_in_turns_and_acknowledge_where_it_came_from() -> None:
    own, one, two = Backlog(), Backlog(), Backlog()
    paused = SimpleNamespace(name="two")
    sessions = Sessions(
        own, {"one": one, "two": two}, threading.Event(), lambda n: n == paused.name  # type: ignore[arg-type, dict-item]
    )  # fmt: skip
    own.waiting = [message("a", b"", NOW, n) for n in range(50)]
    one.waiting = [message("b", b"", NOW, n) for n in range(50)]
    two.waiting = [message("c", b"", NOW, n) for n in range(3)]
    first = sessions.take(20, 0.0)
    assert {t: sum(a.topic == t for a in first) for t in "abc"} == {"a": 10, "b": 10, "c": 0}
    paused.name = ""
    second = sessions.take(90, 0.0)
    assert {t: sum(a.topic == t for a in second) for t in "abc"} == {"a": 0, "b": 40, "c": 3}
    sessions.acknowledge([*first, *second])
    assert own.acknowledged == list(range(10))
    assert one.acknowledged == list(range(50))
    assert two.acknowledged == [0, 1, 2]
    assert sessions.take(1, 0.01) == []


def test_where_filters_overlap_a_message_is_the_earlier_adapters_and_acknowledged_by_both() -> None:
    narrow = Plan(name="narrow", use="x", topics=("v3/a/#",), build=Counting, limit=9)
    wide = Plan(name="wide", use="x", topics=("$share/g/v3/#",), build=Counting, limit=9)
    cloud = Plan(name="cloud", use="x", topics=("v3/+/x",), build=Counting, limit=9,
                 broker={"host": "cloud"})  # fmt: skip
    found = earlier([narrow, wide, cloud])
    assert {name: len(patterns) for name, patterns in found.items()} == {
        "narrow": 0, "wide": 1, "cloud": 0,
    }  # fmt: skip
    own, one, two = Backlog(), Backlog(), Backlog()

    def doubles(name: str, topic: str) -> bool:
        return any(match.fullmatch(topic) for match in found.get(name, ()))

    both = {"narrow": one, "wide": two}
    sessions = Sessions(own, both, threading.Event(), doubles=doubles)  # type: ignore[arg-type]
    one.waiting = [message("v3/a/1", b"", NOW, 1)]
    two.waiting = [message("v3/a/1", b"", NOW, 7), message("v3/b/1", b"", NOW, 8)]
    taken = sessions.take(10, 0.0)
    assert sorted(a.topic for a in taken) == ["v3/a/1", "v3/b/1"]
    assert two.acknowledged == [7]
    sessions.acknowledge(taken)
    assert (one.acknowledged, two.acknowledged) == ([1], [7, 8])
