"""The laws are proved by mutation: each deliberately broken detector is caught, each by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from contracts.city import City
from contracts.detector import Many, Site, Spec
from contracts.event import Event
from contracts.nouns import Item, Reading, Status
from contracts.rows import Rows
from detectors._common import drive as drive_module
from detectors._common.episode import Episode, Ledger, revise
from detectors._common.laws import LAWS, LawBroken
from detectors._common.reorder import Reorder
from detectors._common.sample import Sample, city, device, reading

KIND = "loud_sound"
LOUD = 80.0


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """None."""


class State(msgspec.Struct):
    ledger: Ledger
    episode: Episode | None = None
    count: int = 0
    loud: float = 0.0
    quiet_at: datetime | None = None


class Honest:
    """Loud for three readings opens an episode; a minute without a loud one closes it."""

    def __init__(self, cfg: Config, site: Site, snapshot: bytes | None) -> None:
        self.site = site
        self.state = msgspec.msgpack.decode(snapshot, type=State) if snapshot else State(Ledger())

    def on_item(self, item: Reading | Status, /) -> Iterable[Event]:
        if isinstance(item, Status):
            return ()
        state = self.state
        if item.value < LOUD:
            return ()
        state.count += 1
        state.loud = max(state.loud, item.value)
        state.quiet_at = item.received_at + timedelta(seconds=60)
        if state.episode is None and state.count >= 3:
            state.episode = state.ledger.open(KIND, self.site.id, item.at)
            return (self.revise(),)
        return ()

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        events = [self.revise(closed=True)] if self.state.episode else []
        self.state.episode, self.state.quiet_at = None, None
        self.state.count, self.state.loud = 0, 0.0
        return events

    def wake_at(self) -> datetime | None:
        return self.state.quiet_at

    def snapshot(self) -> bytes:
        return msgspec.msgpack.encode(self.state)

    def revise(self, closed: bool = False, **more: Any) -> Event:
        assert self.state.episode is not None
        return revise(
            self.state.episode,
            kind=KIND,
            site=self.site.id,
            device="mic",
            point=self.site.point,
            severity=2,
            evidence={"loudest": self.state.loud, "count": self.state.count, **more},
            closed=closed,
        )


class ForgetsSnapshot(Honest):
    def snapshot(self) -> bytes:
        return b""


class CounterBesideSnapshot(Honest):
    def __init__(self, cfg: Config, site: Site, snapshot: bytes | None) -> None:
        super().__init__(cfg, site, snapshot)
        self.heard = 0

    def on_item(self, item: Reading | Status, /) -> Iterable[Event]:
        self.heard += 1
        return super().on_item(item)

    def revise(self, closed: bool = False, **more: Any) -> Event:
        return super().revise(closed, heard=self.heard)


class ForgetsLedger(Honest):
    """Resumes with everything but the ledger, so an episode's revision starts anew."""

    def snapshot(self) -> bytes:
        state = self.state
        episode = state.episode and msgspec.structs.replace(state.episode, rev=0)
        return msgspec.msgpack.encode(msgspec.structs.replace(state, episode=episode))


class RememberedByTheClass(Honest):
    seen = 0

    def on_item(self, item: Reading | Status, /) -> Iterable[Event]:
        RememberedByTheClass.seen += 1
        return super().on_item(item)

    def revise(self, closed: bool = False, **more: Any) -> Event:
        return super().revise(closed, seen=RememberedByTheClass.seen)


class WorksInBatches(Honest):
    """Says what it has found only when the batch ends and its snapshot is taken."""

    def __init__(self, cfg: Config, site: Site, snapshot: bytes | None) -> None:
        super().__init__(cfg, site, snapshot)
        self.batch = 0

    def on_item(self, item: Reading | Status, /) -> Iterable[Event]:
        self.batch += 1
        return super().on_item(item)

    def snapshot(self) -> bytes:
        self.batch = 0
        return super().snapshot()

    def revise(self, closed: bool = False, **more: Any) -> Event:
        return super().revise(closed, batch=self.batch)


class CountsRetained(Honest):
    """Takes every retained status, delivered again at each subscribe, for news."""

    def on_item(self, item: Reading | Status, /) -> Iterable[Event]:
        if isinstance(item, Status):
            self.state.count += 1
        return super().on_item(item)


class FiresOnQuiet(Honest):
    def on_item(self, item: Reading | Status, /) -> Iterable[Event]:
        if isinstance(item, Reading) and item.value < LOUD:
            item = msgspec.structs.replace(item, value=LOUD + item.value)
        return super().on_item(item)


class NeverSleeps(Honest):
    def on_time(self, now: datetime, /) -> Iterable[Event]:
        events = list(super().on_time(now))
        self.state.quiet_at = now + timedelta(seconds=1)
        return events


class StopsTime(Honest):
    def on_time(self, now: datetime, /) -> Iterable[Event]:
        events = list(super().on_time(now))
        self.state.quiet_at = now
        return events


class WakesInThePast(Honest):
    def wake_at(self) -> datetime | None:
        at = self.state.quiet_at
        return at - timedelta(seconds=90) if at else None


class LooksAtTheLastOnly:
    """Offered many at once, they fold the newest reading and leave the others out."""

    def __init__(self, detectors: Sequence[Honest]) -> None:
        self.detectors = detectors

    def on_batch(self, rows: Rows, /) -> tuple[list[tuple[int, Event]], int]:
        last = len(rows.readings) - 1
        told = [e for one in self.detectors for e in one.on_item(rows.readings[last])]
        return [(last, event) for event in told], last + 1

    def settle(self) -> None:
        """Nothing is put aside."""


class SkipsRevisions(Honest):
    def revise(self, closed: bool = False, **more: Any) -> Event:
        event = super().revise(closed)
        return msgspec.structs.replace(event, rev=2 * event.rev)


class NewIdEachTime(Honest):
    def revise(self, closed: bool = False, **more: Any) -> Event:
        event = super().revise(closed)
        return msgspec.structs.replace(event, id=f"{event.id}-{event.rev}")


class SaysNaN(Honest):
    def revise(self, closed: bool = False, **more: Any) -> Event:
        return super().revise(closed, level=float("nan"))


class KeepsAnArray(Honest):
    def revise(self, closed: bool = False, **more: Any) -> Event:
        return super().revise(closed, level=np.zeros(3))


def sites(town: City, _cfg: Config) -> Iterable[Site]:
    for one in town.devices.values():
        yield Site(id=one.id, district=one.district, point=one.point, devices=(one,))


def spec_of(
    detector: Callable[..., Any], many: Callable[[Sequence[Any]], Many] | None = None
) -> Spec[Config]:
    return Spec(
        kind=KIND,
        consumes=(Reading, Status),
        config=Config,
        sites=sites,
        build=detector,
        many=many,
    )


def sample() -> Sample:
    town = city(devices={"mic": device("mic")})
    (site,) = sites(town, Config())
    items: list[Item] = []
    quiet: list[Item] = []
    for i in range(80):
        loud = 30 <= i < 45
        items.append(reading("mic", "sound_level", 85.0 + i % 3 if loud else 50.0, 1.0 * i, i))
        quiet.append(reading("mic", "sound_level", 50.0, 1.0 * i, i))
        if i in (10, 31):
            at = items[-1].received_at + timedelta(seconds=1)
            items.append(Status("mic", at, at, online=True))
    return Sample(city=town, site=site, items=tuple(items), quiet_items=tuple(quiet))


def broken_laws(spec: Spec[Any], one: Sample) -> set[str]:
    """Names of the laws that the detector breaks."""
    broken = set()
    for name, law in LAWS.items():
        try:
            law(spec, one)
        except (LawBroken, RuntimeError, TypeError):
            broken.add(name)
    return broken


def test_an_honest_detector_breaks_no_law() -> None:
    assert broken_laws(spec_of(Honest), sample()) == set()


@pytest.mark.parametrize(
    ("detector", "law"),
    [
        (ForgetsSnapshot, "every_cut"),
        (CounterBesideSnapshot, "every_cut"),
        (ForgetsLedger, "every_cut"),
        (RememberedByTheClass, "same_input_same_events"),
        (WorksInBatches, "batches_do_not_matter"),
        (CountsRetained, "duplicates_change_nothing"),
        (FiresOnQuiet, "no_evidence_no_event"),
        (NeverSleeps, "time_goes_on"),
        (StopsTime, "time_goes_on"),
        (WakesInThePast, "time_goes_on"),
        (SkipsRevisions, "events_are_well_formed"),
        (NewIdEachTime, "events_are_well_formed"),
        (SaysNaN, "events_are_well_formed"),
        (KeepsAnArray, "events_are_well_formed"),
    ],
)
def test_a_broken_detector_is_caught_by_its_law(detector: type[Honest], law: str) -> None:
    assert law in broken_laws(spec_of(detector), sample())


class ForgetsToSettle(LooksAtTheLastOnly):
    """Puts all readings aside and never hands them back."""

    def on_batch(self, rows: Rows, /) -> tuple[list[tuple[int, Event]], int]:
        return [], len(rows.readings)


@pytest.mark.parametrize("many", [LooksAtTheLastOnly, ForgetsToSettle])
def test_many_at_once_that_is_not_the_fold_is_caught(many: type[LooksAtTheLastOnly]) -> None:
    assert broken_laws(spec_of(Honest, many), sample()) == {"many_at_once_equal_the_fold"}


class Leaky(Reorder):
    """Lets late items and duplicates through."""

    def put(self, item: Item) -> tuple[list[Item], bool]:
        ready, late = super().put(item)
        return ([item], False) if late else (ready, late)


class Impatient(Reorder):
    """Takes whatever comes for the order of things."""

    def put(self, item: Item) -> tuple[list[Item], bool]:
        return [item], False


@pytest.mark.parametrize(
    ("stage", "law"),
    [
        (Leaky, "duplicates_change_nothing"),
        (Impatient, "reorder_changes_nothing"),
    ],
)
def test_a_broken_reorder_stage_is_caught(
    stage: type[Reorder], law: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drive_module, "Reorder", stage)
    assert law in broken_laws(spec_of(Honest), sample())
