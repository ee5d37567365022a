"""What makes the measured path fast changes nothing of what it does."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from bench.ingest import load
from contracts.batch import Batch, Committed
from contracts.city import City
from contracts.clock import ManualClock, epoch_ms
from contracts.errors import LeaseLost
from contracts.event import Event
from contracts.nouns import Arrival, Poison, Reading
from gridsentry.city import load_city
from gridsentry.engine.rooms import build_engine, detector_configs
from gridsentry.engine.runner import SiteRunner
from gridsentry.live.batching import watch_poison
from gridsentry.live.core import Core
from gridsentry.live.parts import CoreSettings, Parts
from gridsentry.metrics import Metrics
from ingest.breaker import Breaker
from ingest.decoder import NativeDecoder
from router.settings import RouterSettings
from store import pack
from tests.unit.store.makes import at, reading

pytestmark = pytest.mark.usefixtures("small_heap")

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    folder: Path = tmp_path_factory.mktemp("city")
    load.write_city(folder)
    return load_city(folder)


class Queue:
    """A session that hands over what it is given, and remembers what was acknowledged."""

    def __init__(self, messages: Sequence[tuple[str, bytes]]) -> None:
        self.waiting = [Arrival(topic, payload, NOW, False, n) for n, (topic, payload) in
                        enumerate(messages)]  # fmt: skip
        self.acknowledged: list[int] = []

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def take(self, limit: int, wait_s: float) -> list[Arrival]:
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return taken

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        self.acknowledged += [arrival.token for arrival in arrivals]


class Store:
    """A writer that commits to a list; `done` is set when all that was expected is there."""

    def __init__(self, queue: Queue, expected: int) -> None:
        self.queue = queue
        self.expected = expected
        self.batches: list[tuple[list[Reading], int]] = []
        self.done = threading.Event()
        self.loses_lease = False

    def acquire(self, *_: object) -> int:
        return 1

    def release(self, *_: object) -> None: ...

    def wait(self, seconds: float) -> bool:
        return False

    def commands(self, *_: object, **__: object) -> list[object]:
        return []

    unrouted = intake = commands

    def commit(self, batch: Batch) -> Committed:
        if self.loses_lease and self.batches:
            self.loses_lease = False
            raise LeaseLost("another one has it")
        self.batches.append((batch.readings, len(self.queue.acknowledged)))
        if sum(len(r) for r, _ in self.batches) >= self.expected:
            self.done.set()
        return Committed(len(batch.readings), 0, 0)


def _core(city: City, queue: Queue, store: Store, **settings: int) -> Core:
    def build(_epoch: int) -> Parts:
        engine = build_engine(city, RouterSettings(), detector_configs({}))
        engine.now = NOW
        return Parts(engine=engine, decoder=NativeDecoder(city.devices, city.workers))

    return Core(
        "all", "me", store, build, ManualClock(NOW + timedelta(seconds=1)),  # type: ignore[arg-type]
        msgspec.structs.replace(CoreSettings(), **settings), Metrics(),
        telemetry=queue, breaker=Breaker(),  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_batch_ends_with_the_message_that_fills_it(city: City) -> None:
    queue = Queue(list(load.batched(9, epoch_ms(NOW) - 3_600_000)))
    store = Store(queue, 900)
    core = _core(city, queue, store, max_readings=250)
    core.start()
    assert store.done.wait(30)
    core.stop(10)
    sizes = [len(readings) for readings, _ in store.batches if readings]
    assert sizes == [300, 300, 300]
    # Acknowledged is what the batches before have committed, in order, and in the end all of it.
    assert [acknowledged for r, acknowledged in store.batches if r] == [0, 3, 6]
    assert queue.acknowledged == list(range(9))


def test_what_a_lost_batch_left_over_is_taken_once_when_it_comes_again(city: City) -> None:
    queue = Queue(list(load.batched(9, epoch_ms(NOW) - 3_600_000)))
    again = queue.waiting[3:]
    store = Store(queue, 900)
    store.loses_lease = True

    def stop() -> None:
        queue.waiting = list(again) if not store.done.is_set() else []

    queue.stop = stop  # type: ignore[method-assign]
    core = _core(city, queue, store, max_readings=250)
    core.start()
    assert store.done.wait(30)
    core.stop(10)
    assert not store.loses_lease
    assert queue.acknowledged == list(range(9))
    keys = [(r.device, r.metric, r.sent_at) for readings, _ in store.batches for r in readings]
    assert len(keys) == len(set(keys)) == 900


def test_the_breaker_hears_every_reading_and_every_poison() -> None:
    breaker = Breaker()
    good = reading(0)
    bad = Poison("t", NOW, "code", "reason", b"", "dev")
    stranger = msgspec.structs.replace(bad, code="unknown_device")
    watch_poison(breaker, [good, bad, good, stranger, good], NOW)
    (slot,) = breaker._slots
    assert (slot.good, slot.bad, slot.devices) == (3, 1, {"dev"})


def test_a_stream_in_pieces_is_the_stream_in_one() -> None:
    rows = pack.rows(
        [
            reading(n, sent_at=at(n) if n % 2 else None, seq=n if n % 3 else None, boot=2**64 - n)
            for n in range(1, 50)
        ],
        [],
        7,
    )
    packer = pack.Packer()
    whole = packer.copy(rows)
    assert whole == b"".join(packer.pieces(rows, size=4)) == pack.Packer().copy(rows)
    direct = b"".join(packer.pieces(rows, pack.stored("w-1", 7)))
    extra = len(pack.stored("w-1", 7)) - len(pack.STAGED)
    assert len(direct) == len(whole) + extra * len(rows)


def test_a_wakeup_asked_for_by_a_message_comes_before_the_next_of_the_same_moment(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = build_engine(city, RouterSettings(), detector_configs({}))
    woken: list[int] = []
    runner = engine.roster.by_metric[load.device(0), load.WATCHED][0]
    engine.advance(NOW)
    arrival = Arrival("t", b"", NOW)
    engine.take(arrival, [reading(0)])

    def wake(_runner: SiteRunner, _moment: datetime) -> list[Event]:
        woken.append(engine.readings)
        return []

    monkeypatch.setattr(SiteRunner, "wake_at", lambda _: None if woken else NOW)
    monkeypatch.setattr(SiteRunner, "wake", wake)
    engine._schedule(runner)
    engine.take(arrival, [reading(1)])
    assert woken == [1]
