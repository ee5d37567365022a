"""Stopped anywhere and built again from the store: the same events, incidents and tickets.

The writer's real loop on the store's in-memory twin, fed by the demo town in virtual time.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.clock import ManualClock
from contracts.nouns import Arrival
from contracts.wire import body_object
from gridsentry.city import load_city
from gridsentry.config import Settings
from gridsentry.engine.rooms import detector_configs
from gridsentry.live.build import Builder
from gridsentry.live.core import Core
from gridsentry.live.parts import CoreSettings
from gridsentry.live.roles import Plan
from gridsentry.metrics import Metrics
from gridsentry.record.format import read
from simulators.recording import record
from simulators.settings import SimSettings
from simulators.town import build, write_city
from store.memory import MemoryStore
from store.memory_writer import MemoryWriter

pytestmark = pytest.mark.usefixtures("small_heap")

START = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
SETTINGS = SimSettings(seed=11, cameras=0, fibre_first_s=60, worker_every_s=(30.0, 60.0))


class Backlog:
    """A session that hands over what it is given and counts what was acknowledged."""

    def __init__(self) -> None:
        self.waiting: deque[Arrival] = deque()
        self.acknowledged = 0

    def start(self) -> None:
        """Nothing to connect to."""

    def take(self, limit: int, wait_s: float) -> list[Arrival]:
        """What waits."""
        return [self.waiting.popleft() for _ in range(min(limit, len(self.waiting)))]

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Count them."""
        self.acknowledged += len(arrivals)

    def stop(self) -> None:
        """Nothing to leave."""

    def health(self) -> dict[str, Any]:
        """Always well."""
        return {"connected": True}


class Night:
    """The town's night through the real loop; `cuts` are batches after which the writer dies."""

    def __init__(self, city_dir: Path, tmp: Path, most: int = 5000) -> None:
        """`most` messages are a batch: where more wait, one is folded while another commits."""
        self.most = most
        self.city = load_city(city_dir)
        self.store = MemoryStore()
        self.clock = ManualClock(START)
        self.backlog = Backlog()
        self._configs = detector_configs({})
        self._tmp = tmp
        self.rebuilt = 0

    def core(self) -> tuple[Core, Any]:
        """A new process: everything it knows comes from the store."""
        writer = MemoryWriter(self.store, "/gridsentry/test")
        builder = Builder(
            lambda: self.city,
            Settings(),
            self._configs,
            writer,
            Plan(writer="all", telemetry=True, routes=True),
            self.clock,
            spool=None,
            bulk_session=None,
            evidence=self._tmp,
            originals=self._tmp,
        )
        core = Core(
            "all", f"holder-{self.rebuilt}", writer, builder, self.clock,
            CoreSettings(max_messages=self.most), Metrics(), telemetry=self.backlog,
        )  # fmt: skip
        self.rebuilt += 1
        writer.release("all", f"holder-{self.rebuilt - 2}")
        assert core._acquire()
        core._rebuild()
        return core, core._parts

    def play(
        self, arrivals: Iterable[Arrival], sizes: random.Random, cuts: float, again: bool
    ) -> dict[str, Any]:
        """Batches of random size; after some the writer is gone and, with `again`, was not able
        to acknowledge: the broker sends that batch once more."""
        core, parts = self.core()
        batch: list[Arrival] = []
        want = sizes.randint(1, 60)
        for arrival in arrivals:
            batch.append(arrival)
            if len(batch) < want:
                continue
            self._step(core, parts, batch)
            if sizes.random() < cuts:
                core, parts = self.core()
                if again:
                    self._step(core, parts, [_redelivered(a, batch[-1]) for a in batch])
            batch, want = [], sizes.randint(1, 60)
        self._step(core, parts, batch)
        self.clock.advance_to(self.clock.now() + timedelta(minutes=10))
        core._step(parts)
        assert parts.engine.book.determinism_faults == 0
        return self.outcome()

    def _step(self, core: Core, parts: Any, batch: list[Arrival]) -> None:
        for start in range(0, len(batch), self.most):
            piece = batch[start : start + self.most]
            self.clock.advance_to(piece[-1].received_at)
            self.backlog.waiting.extend(piece)
            core._step(parts)
        core._committing.settle()

    def outcome(self) -> dict[str, Any]:
        """The last word on every event, incident and ticket, and how often each was changed."""
        newest: dict[str, Any] = {}
        for change in (waiting.change for waiting in self.store.outbox.values()):
            newest[change.id] = body_object(change.body)
        return newest


def _redelivered(arrival: Arrival, last: Arrival) -> Arrival:
    """The same message once more: it is received later, and says the same."""
    return Arrival(arrival.topic, arrival.payload, last.received_at)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Arrival]]:
    """Four minutes of the town: a flood, a cut cable, a broken fibre, workers on their rounds."""
    folder = tmp_path_factory.mktemp("town")
    made = build(11)
    write_city(made, folder / "city")
    record(made, SETTINGS, folder / "town.jsonl", START, 4.0)
    return folder / "city", list(read(folder / "town.jsonl"))


def test_batches_do_not_matter(town: tuple[Path, list[Arrival]], tmp_path: Path) -> None:
    city, arrivals = town
    first = Night(city, tmp_path).play(arrivals, random.Random(1), 0.0, again=False)
    second = Night(city, tmp_path, most=7).play(arrivals, random.Random(2), 0.0, again=False)
    assert first == second
    kinds = {body["kind"] for body in first.values()}
    assert {"flooding", "severed_cable", "fibre_break"} <= kinds


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "most"), [(1, 5000), (2, 7), (3, 1)])
@pytest.mark.parametrize("again", [False, True], ids=["acknowledged", "delivered-again"])
def test_stopped_anywhere_the_same_comes_out(
    town: tuple[Path, list[Arrival]], tmp_path: Path, seed: int, most: int, again: bool
) -> None:
    city, arrivals = town
    whole = Night(city, tmp_path).play(arrivals, random.Random(seed), 0.0, again=False)
    night = Night(city, tmp_path, most)
    cut = night.play(arrivals, random.Random(seed), 0.25, again=again)
    assert night.rebuilt > 5
    assert cut == whole
