"""A recording becomes history: each reading once, whatever is imported how often, nobody told."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.clock import ManualClock
from contracts.errors import Refused, Temporary, Wrong
from contracts.nouns import Arrival
from gridsentry.backtest import importing
from gridsentry.backtest.importing import Cutter, Importer, Tally, digest, summary
from gridsentry.city import load_city
from ingest.decoder import NativeDecoder
from store.memory import MemoryStore
from store.memory_writer import MemoryWriter
from tests.rig import drain, write_city

START = datetime(2026, 5, 1, tzinfo=UTC)
NOW = datetime(2026, 5, 20, tzinfo=UTC)


def said(n: float, topic: str, payload: Any) -> Arrival:
    return Arrival(topic, json.dumps(payload).encode(), START + timedelta(seconds=n))


def depth(n: int, device: str = "s-0", **more: Any) -> Arrival:
    ts = int((START + timedelta(seconds=n)).timestamp() * 1000)
    return said(
        n + 0.2, f"gridsentry/v1/feed/d1/{device}/telemetry", {"ts": ts, "m": {"depth": 0.2}} | more
    )


def unkeyed(n: int, device: str = "s-0") -> Arrival:
    return said(n, f"gridsentry/v1/feed/d1/{device}/telemetry", {"m": {"depth": 0.01 * n}})


class Desk:
    """A store in memory, and imports into it of a city with these devices."""

    def __init__(self, folder: Path) -> None:
        self.store = MemoryStore()
        self.folder = folder
        self.clock = ManualClock(NOW)

    def take(
        self, arrivals: Iterable[Arrival], *devices: str, holder: str = "me", sha: str = "ab" * 32
    ) -> Tally:
        write_city(self.folder, [drain(name) for name in devices or ("s-0",)])
        city = load_city(self.folder)
        tally = Tally()
        decoder = NativeDecoder(city.devices, city.workers)
        writer = MemoryWriter(self.store, "/gridsentry/test")
        oldest = NOW - timedelta(days=90)
        Importer(writer, decoder, self.clock, holder, oldest, tally).run(sha, arrivals)
        return tally

    def values(self) -> list[tuple[str, float]]:
        return sorted((r.device, r.value) for r, *_ in self.store.readings.values())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "city")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of a few messages."""
    monkeypatch.setattr(importing, "BATCH_BYTES", 300)


MIXED = [depth(60), unkeyed(70), depth(80), unkeyed(90, "s-9"), unkeyed(100), depth(120, "s-9")]


@pytest.mark.usefixtures("small")
def test_the_same_recording_twice_changes_nothing_and_says_so(desk: Desk) -> None:
    first = desk.take(MIXED * 5)
    before = dict(desk.store.readings)
    assert (first.readings, first.new, first.before, first.changed()) == (20, 12, 0, True)
    again = desk.take(MIXED * 5)
    assert desk.store.readings == before
    assert (again.new, again.duplicate, again.conflicts, again.before) == (0, 20, 0, 1)
    assert not again.changed()
    assert "imported before; nothing was new: the store is as it was" in summary(again, 90)


@pytest.mark.usefixtures("small")
def test_devices_registered_later_are_all_that_is_new_the_second_time(desk: Desk) -> None:
    recording = [one for n in range(20) for one in (unkeyed(3 * n, "s-9"), unkeyed(3 * n + 1))]
    first = desk.take(recording)
    assert (first.new, first.unknown) == (20, {"s-9": 20})
    assert any("s-9" in line and "register" in line for line in summary(first, 90))
    second = desk.take(recording, "s-0", "s-9")
    assert (second.new, second.duplicate) == (20, 20), "readings without a key keep their place"
    assert len(desk.values()) == 40


@pytest.mark.usefixtures("small")
def test_what_broke_off_is_taken_up_without_doubling(desk: Desk) -> None:
    recording = [unkeyed(n) for n in range(30)]

    def broken() -> Iterator[Arrival]:
        yield from recording[:17]
        raise Wrong("rec.jsonl, line 18", "no JSON")

    with pytest.raises(Wrong, match="line 18"):
        desk.take(broken())
    assert len(desk.values()) == 17, "what stands before the error is in"
    assert desk.take(recording).new == 13


def test_nobody_is_told_and_nobodys_whereabouts_change(desk: Desk) -> None:
    worker = said(5, "gridsentry/v1/worker/w-1/position", {"ts": 1, "lon": 118.0, "lat": 26.0})
    status = said(6, "gridsentry/v1/feed/d1/s-0/status", {"state": "offline"})
    tally = desk.take([depth(60, m={"depth": 0.9}), worker, status, depth(70, "nobody")])
    store = desk.store
    assert (tally.new, tally.items, tally.positions, tally.dead) == (1, 1, 1, {})
    told: list[Any] = [store.events, store.incidents, store.tickets, store.outbox]
    assert not any(told)
    taken_up: list[Any] = [store.unknown, store.intake, store.positions, store.statuses]
    assert not any([*taken_up, store.snapshots]), "the service would take it up as if it came now"


def test_what_nobody_can_read_is_a_dead_letter_once_with_its_reason(desk: Desk) -> None:
    bad = [said(1, "gridsentry/v1/feed/d1/s-0/telemetry", {"oops": 1}), depth(60)]
    for _ in range(2):
        tally = desk.take(bad)
        assert sum(tally.dead.values()) == 1
        assert any("the first:" in line for line in summary(tally, 90))
    assert len(desk.store.dead_letters) == 1


def test_receipt_times_are_the_recordings(desk: Desk) -> None:
    desk.take([depth(60)])
    ((reading, *_),) = desk.store.readings.values()
    assert reading.received_at == START + timedelta(seconds=60.2)


def test_readings_before_what_is_kept_are_said(desk: Desk) -> None:
    tally = desk.take([depth(-200 * 86_400)])
    assert tally.old == 1
    assert any("readings_days = 90" in line for line in summary(tally, 90))


def test_two_processes_do_not_import_the_same_at_once(desk: Desk) -> None:
    def other() -> Iterator[Arrival]:
        yield depth(60)
        with pytest.raises(Refused, match="another process"):
            desk.take([depth(60)], holder="other")
        assert desk.take([depth(60)], holder="other", sha="cd" * 32).readings == 1

    assert desk.take(other()).readings == 1


def test_a_database_that_is_away_for_a_moment_is_waited_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, tries = MemoryWriter.commit, []

    def away(self: MemoryWriter, batch: Any) -> Any:
        tries.append(batch.number)
        if len(tries) < 3:
            raise Temporary("away")
        return commit(self, batch)

    monkeypatch.setattr(MemoryWriter, "commit", away)
    monkeypatch.setattr(desk.clock, "sleep", lambda _: None)
    assert desk.take([depth(60)]).new == 1
    assert tries == [1, 1, 1]


def test_places_follow_from_the_bytes_before_alone() -> None:
    cutter = Cutter()
    places = [cutter.place(b"x" * 200_000) for _ in range(6)]
    assert places == [(1, 0), (1, 200_000), (2, 0), (2, 200_000), (3, 0), (3, 200_000)]
    assert cutter.place(b"x" * 3_000_000) == (4, 0), "a big one has a batch of its own"
    assert cutter.place(b"x") == (5, 0)


def test_packed_or_not_a_recording_is_the_same(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.jsonl", tmp_path / "a.jsonl.gz"
    plain.write_bytes(b"{}\n{}\n")
    packed.write_bytes(gzip.compress(b"{}\n{}\n"))
    assert digest(plain) == digest(packed)
    assert digest(plain).lines == 2
    plain.write_bytes(b"{}\n{ }\n")
    assert digest(plain) != digest(packed)
