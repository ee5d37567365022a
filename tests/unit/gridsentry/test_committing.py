"""A batch aside: the loop goes on, and nothing is acknowledged before it is durable."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.batch import Batch, Committed
from contracts.errors import LeaseLost, Temporary
from contracts.nouns import Arrival
from gridsentry.live.committing import Committing, Work
from gridsentry.live.parts import CoreSettings
from gridsentry.metrics import Metrics

AT = datetime(2026, 3, 1, tzinfo=UTC)


class Store:
    """Commits when it is let; raises what it is told to."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.asked = threading.Event()
        self.errors: list[Exception] = []
        self.batches: list[int] = []

    def commit(self, batch: Batch) -> Committed:
        self.asked.set()
        assert self.let.wait(10)
        if self.errors:
            raise self.errors.pop(0)
        self.batches.append(batch.number)
        return Committed(readings_new=0, readings_duplicate=0, conflicts=0)


class Inbox:
    """What was acknowledged, in order."""

    def __init__(self) -> None:
        self.acknowledged: list[Any] = []

    def acknowledge(self, arrivals: Any) -> None:
        self.acknowledged += [a.topic for a in arrivals]


class Rig:
    def __init__(self) -> None:
        self.store, self.inbox, self.done = Store(), Inbox(), list[int]()
        telemetry: Any = self.inbox
        store: Any = self.store
        self.committing = Committing("all", store, CoreSettings(), Metrics(), telemetry, bulk=None)

    def work(self, number: int) -> Work:
        batch = Batch(writer="all", number=number, epoch=1, at=AT)
        light = [Arrival(f"t/{number}", b"{}", AT)]
        return Work(batch, light, [], lambda: self.done.append(number))


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.store.let.set()
    rig.committing.abandon()


def test_the_loop_goes_on_and_nothing_is_acknowledged_before_it_is_durable(rig: Rig) -> None:
    rig.committing.aside(rig.work(0))
    assert rig.store.asked.wait(10)
    assert rig.committing.busy
    assert not rig.inbox.acknowledged
    assert not rig.done
    rig.store.let.set()
    rig.committing.settle()
    assert rig.inbox.acknowledged == ["t/0"]
    assert rig.done == [0]


def test_one_after_the_other_in_order(rig: Rig) -> None:
    rig.store.let.set()
    for number in range(20):
        (rig.committing.aside if number % 3 else rig.committing.here)(rig.work(number))
    rig.committing.settle()
    assert rig.store.batches == rig.done == list(range(20))
    assert rig.inbox.acknowledged == [f"t/{number}" for number in range(20)]


def test_a_lost_lease_comes_out_when_it_is_settled(rig: Rig) -> None:
    rig.store.errors.append(LeaseLost("another process took over"))
    rig.store.let.set()
    rig.committing.aside(rig.work(0))
    with pytest.raises(LeaseLost):
        rig.committing.settle()
    assert not rig.committing.busy
    assert not rig.inbox.acknowledged
    assert not rig.done


def test_what_fails_for_a_while_is_told_and_tried_again(rig: Rig) -> None:
    rig.store.errors.append(Temporary("the database cannot be reached"))
    rig.committing.aside(rig.work(0))
    rig.store.let.set()
    rig.committing.settle()
    assert rig.store.batches == [0]
    assert rig.committing.trouble is None


def test_a_generation_that_ends_gives_up_what_cannot_be_committed(rig: Rig) -> None:
    rig.store.errors += [Temporary("the disk is full") for _ in range(99)]
    rig.store.let.set()
    rig.committing.aside(rig.work(0))
    rig.committing.abandon()
    assert not rig.committing.busy
    assert rig.committing.trouble == "the disk is full"
    assert not rig.inbox.acknowledged
    rig.store.errors.clear()
    rig.committing.begin()
    rig.committing.here(rig.work(0))
    assert rig.inbox.acknowledged == ["t/0"]


def test_who_is_to_stop_stays_in_a_hurry_whatever_begins_after(rig: Rig) -> None:
    rig.store.errors += [Temporary("the disk is full") for _ in range(99)]
    rig.store.let.set()
    rig.committing.aside(rig.work(0))
    rig.committing.hurry()
    rig.committing.abandon()
    rig.committing.begin()
    with pytest.raises(Temporary):
        rig.committing.here(rig.work(0))
    assert not rig.inbox.acknowledged
