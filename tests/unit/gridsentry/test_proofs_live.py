"""Proof in the live service: cut apart from detection, and let go by age."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts.batch import SpoolRow
from contracts.errors import Permanent, Temporary
from contracts.event import Event, Footage, Place
from gridsentry.config import EvidenceSettings
from gridsentry.engine.cameras import Proof
from gridsentry.engine.chain import File, Manifest, canonical
from gridsentry.live import proofs
from gridsentry.live.letting_go import let_go_evidence, sweep
from gridsentry.live.proofs import Order, ProofThread, Recent
from gridsentry.metrics import Metrics
from store.evidence import Due

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
EVENT = Event(
    id="e-1", rev=1, kind="high_altitude_throw", site="cam", device="cam", at=START, severity=4,
    place=Place(1, 2), phase="closed", evidence={},
)  # fmt: skip
FOOTAGE = Footage("cam", START, START + timedelta(seconds=4), START)


class Cutter:
    """Fails as told, then cuts; counts."""

    def __init__(self, *troubles: Exception) -> None:
        self.troubles = list(troubles)
        self.ordered: list[Any] = []
        self.tried = 0

    def order(self, event: Event = EVENT) -> Cutter:
        self.ordered.append(Order(self, event, FOOTAGE, START, "d"))  # type: ignore[arg-type]
        return self

    def make(self, order: Order) -> Proof:
        self.tried += 1
        if self.troubles:
            raise self.troubles.pop(0)
        return Proof(order.event.id, {"clip": "c.mp4"}, order.now, order.district)


class Bench:
    """The thread, and a way to wait for what it made."""

    def __init__(self) -> None:
        self.woken = threading.Event()
        self.metrics = Metrics()
        self.thread = ProofThread(self.woken.set, self.metrics)
        self.thread.start()

    def made(self) -> list[Proof]:
        assert self.woken.wait(10)
        self.woken.clear()
        return [o for result in self.thread.results() for o in result.outputs]  # type: ignore[misc]

    def count(self, outcome: str) -> float:
        name = "gridsentry_evidence_cuts_total"
        return self.metrics.registry.get_sample_value(name, {"outcome": outcome}) or 0.0


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(proofs, "RETRY_S", 0.01)
    made = Bench()
    yield made
    made.thread.stop()
    made.thread.join(5)
    assert not made.thread.is_alive()


def test_what_was_ordered_comes_back_once(bench: Bench) -> None:
    cutter = Cutter().order()
    bench.thread.take(cutter)  # type: ignore[arg-type]
    bench.thread.take(cutter)  # type: ignore[arg-type]
    assert [proof.event_id for proof in bench.made()] == ["e-1"]
    assert (cutter.tried, cutter.ordered, bench.count("cut")) == (1, [], 1)


def test_a_full_disk_is_waited_out(bench: Bench) -> None:
    cutter = Cutter(Temporary("disk full"), Temporary("disk full")).order()
    bench.thread.take(cutter)  # type: ignore[arg-type]
    assert len(bench.made()) == 1
    assert (cutter.tried, bench.thread.failures()) == (3, [])


def test_one_event_without_footage_does_not_hold_up_the_next(bench: Bench) -> None:
    troubles = (Permanent("no_footage", "gone"), ValueError("a fault of ours"))
    cutter = Cutter(*troubles)
    for name in ("e-1", "e-2", "e-3"):
        cutter.order(msgspec.structs.replace(EVENT, id=name))
    bench.thread.take(cutter)  # type: ignore[arg-type]
    assert [proof.event_id for proof in bench.made()] == ["e-3"]
    assert [bench.count(o) for o in ("cut", "nothing_left", "failed")] == [1, 1, 1]


def test_rows_are_found_by_time_however_many_a_second() -> None:
    recent = Recent()
    for n in range(30 * 60 * 20):  # twenty minutes of single pictures, 30 a second
        at = START + timedelta(seconds=n / 30)
        recent.add(SpoolRow("cam", at, at, f"{n}", 1, n))
    end = START + timedelta(minutes=20)
    found = recent.between(end - timedelta(minutes=14), end - timedelta(minutes=13))
    assert len(found) == 30 * 70 + 1, "a minute, and what a segment may reach back"
    assert recent.between(START, START + timedelta(minutes=2)) == []


# --- retention ------------------------------------------------------------------------------------


def manifest(name: str) -> str:
    def part(*suffixes: str) -> dict[str, File]:
        return {suffix: File(f"{name}.{suffix}", 1, "0") for suffix in suffixes}

    return canonical(
        Manifest(
            device="cam", number=1, prev="", event=name, kind="k", onset=START, sealed_at=START,
            basis="b", calibration=None, software="s",
            files={"shown": part("mp4", "jpg", "json"), "original": part("mp4", "jpg")},
        )
    )  # fmt: skip


class Links:
    """What `EvidenceStore` tells retention."""

    def __init__(self, due: list[Due], kept: list[tuple[str, bool, bool]]) -> None:
        self._due, self._kept = due, kept
        self.asked: tuple[datetime, datetime] | None = None
        self.noted: list[tuple[str, int, str]] = []
        self.folders: dict[str, Path] = {}

    def due(self, shown_before: datetime, original_before: datetime) -> list[Due]:
        self.asked = (shown_before, original_before)
        return self._due

    def let_go(self, due: Due, at: datetime) -> None:
        for path in self.folders.get(due.part, Path("/none")).glob(f"{due.number}.*"):
            assert path.is_file(), "it is written down before it goes"
        self.noted.append((due.device, due.number, due.part))

    def kept(self) -> list[tuple[str, bool, bool]]:
        return self._kept


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    made = {"shown": tmp_path / "evidence", "original": tmp_path / "originals"}
    for part, suffixes in (("shown", ("mp4", "jpg", "json")), ("original", ("mp4", "jpg"))):
        made[part].mkdir()
        for name in ("a", "b"):
            for suffix in suffixes:
                (made[part] / f"{name}.{suffix}").write_bytes(b"x")
    return made


def names(folders: dict[str, Path], part: str) -> list[str]:
    return sorted(path.name for path in folders[part].iterdir())


def test_what_is_due_goes_and_is_written_down(folders: dict[str, Path]) -> None:
    store = Links([Due("cam", 1, "original", manifest("a"))], [])
    settings = EvidenceSettings(keep_days=30, originals_days=7)
    gone = let_go_evidence(store, folders, settings, START, lambda _: True)  # type: ignore[arg-type]
    assert gone == {"shown": 0, "original": 2}
    assert store.asked == (START - timedelta(days=30), START - timedelta(days=7))
    assert store.noted == [("cam", 1, "original")]
    assert names(folders, "original") == ["b.jpg", "b.mp4"]
    assert len(names(folders, "shown")) == 6


def test_evidence_on_another_process_disk_is_left_to_it(folders: dict[str, Path]) -> None:
    store = Links([Due("cam", 1, "shown", manifest("a"))], [])
    gone = let_go_evidence(store, folders, EvidenceSettings(), START, lambda _: False)  # type: ignore[arg-type]
    assert (gone, store.noted) == ({"shown": 0, "original": 0}, [])
    assert len(names(folders, "shown")) == 6


def test_a_manifest_cannot_delete_outside_its_folder(folders: dict[str, Path]) -> None:
    outside = folders["shown"].parent / "other.mp4"
    outside.write_bytes(b"x")
    forged = manifest("../other")
    store = Links([Due("cam", 1, "shown", forged), Due("cam", 2, "shown", "junk")], [])
    let_go_evidence(store, folders, EvidenceSettings(), START, lambda _: True)  # type: ignore[arg-type]
    assert outside.is_file()


def test_old_files_that_nothing_vouches_for_are_swept(folders: dict[str, Path]) -> None:
    old = (START - timedelta(days=40)).timestamp()
    for path in [*folders["shown"].iterdir(), *folders["original"].iterdir()]:
        os.utime(path, (old, old))
    young = folders["shown"] / ".e-9.mp4.1-2.part"
    young.write_bytes(b"half")
    os.utime(young, (START.timestamp(), START.timestamp()))
    store = Links([], [(manifest("a"), True, False)])
    assert sweep(store, folders, EvidenceSettings(), START) == 3 + 4  # type: ignore[arg-type]
    assert names(folders, "shown") == [young.name, "a.jpg", "a.json", "a.mp4"]
    assert names(folders, "original") == []
