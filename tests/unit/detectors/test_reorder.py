"""The one reorder stage: order within the bound, duplicates recognised, nothing lost on resume."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.geo import Point
from contracts.nouns import Item, Reading, Report, Status, Trace
from detectors._common.reorder import RECENT, Reorder
from detectors._common.sample import START


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def reading(t: float, received: float | None = None, metric: str = "level") -> Reading:
    return Reading("d", metric, t, at(t), at(t if received is None else received), sent_at=at(t))


def clock_off(sent: float, received: float) -> Reading:
    return Reading("d", "level", 1.0, at(received), at(received), sent_at=at(sent), quality=1)


def times(items: list[Item]) -> list[float]:
    return [(item.at - START).total_seconds() for item in items]


def test_in_order_passes_at_once_and_the_same_object() -> None:
    stage, item = Reorder({}), reading(1)
    ready, late = stage.put(item)
    assert ready[0] is item
    assert not late
    assert stage.wake_at() is None


def test_without_a_bound_an_older_one_and_a_duplicate_are_late() -> None:
    stage = Reorder({})
    stage.put(reading(2))
    assert stage.put(reading(1)) == ([], True)
    assert stage.put(reading(2, 9)) == ([], True)
    assert stage.put(reading(3))[1] is False


def test_streams_do_not_hold_each_other_up() -> None:
    stage = Reorder({})
    stage.put(reading(5))
    assert stage.put(reading(1, metric="flow"))[1] is False


def test_with_a_bound_everything_waits_and_leaves_in_order() -> None:
    stage = Reorder({"d": 5})
    assert stage.put(reading(2, 2.5)) == ([], False)
    assert stage.put(reading(1, 3)) == ([], False)
    assert stage.wake_at() == at(6)
    assert times(stage.due(at(6))) == [1]
    assert stage.wake_at() == at(7)
    assert times(stage.due(at(7))) == [2]
    assert stage.wake_at() is None


def test_beyond_the_bound_it_is_late() -> None:
    stage = Reorder({"d": 5})
    stage.put(reading(2))
    stage.due(at(7))
    assert stage.put(reading(1, 8)) == ([], True)


def test_what_comes_after_its_bound_but_in_order_passes_at_once() -> None:
    stage = Reorder({"d": 5})
    assert times(stage.put(reading(1, 30))[0]) == [1]


def test_a_twin_of_a_waiting_item_is_a_duplicate() -> None:
    stage = Reorder({"d": 5})
    stage.put(reading(2, 2))
    assert stage.put(reading(2, 3)) == ([], True)


def test_a_clock_ahead_waits_no_longer_than_the_bound_from_receipt() -> None:
    stage = Reorder({"d": 5})
    stage.put(reading(100, 10))
    assert stage.wake_at() == at(15)


def test_a_redelivery_under_a_clock_that_is_off_is_recognised_by_its_key() -> None:
    stage = Reorder({})
    assert stage.put(clock_off(-9000, 1))[1] is False
    assert stage.put(clock_off(-8990, 2))[1] is False
    assert stage.put(clock_off(-9000, 3)) == ([], True)


def test_a_redelivery_without_time_is_recognised_by_boot_and_seq() -> None:
    def bare(seq: int, received: float, boot: int = 0) -> Reading:
        return Reading("d", "level", 1.0, at(received), at(received), boot=boot, seq=seq)

    stage = Reorder({})
    assert stage.put(bare(7, 1))[1] is False
    assert stage.put(bare(7, 2)) == ([], True)
    assert stage.put(bare(7, 3, boot=1))[1] is False


def test_the_memory_of_keys_is_bounded() -> None:
    stage = Reorder({})
    for i in range(3 * RECENT):
        stage.put(clock_off(-9000 + i, i + 1))
    assert len(stage.snapshot()) < 40 * RECENT
    assert stage.put(clock_off(-9000 + 3 * RECENT - 1, 9999)) == ([], True)


def test_every_report_is_its_own_stream() -> None:
    def report(id: str, t: float) -> Report:
        return Report("app", at(t), at(10), id, "x", Point(118.0, 31.0))

    stage = Reorder({})
    assert stage.put(report("a", 5))[1] is False
    assert stage.put(report("b", 5))[1] is False
    assert stage.put(report("c", 1))[1] is False
    assert stage.put(report("a", 5)) == ([], True)


def test_a_snapshot_keeps_waiting_items_with_their_arrays() -> None:
    power = np.linspace(-20, -50, 7)
    trace = Trace("d", at(1), at(1), 1.0, 0.0, power, (), 1310.0, 10.0)
    stage = Reorder({"d": 5})
    stage.put(trace)
    stage.put(Status("d", at(1), at(1), online=False))
    again = Reorder.restore({"d": 5}, stage.snapshot())
    assert again.wake_at() == stage.wake_at()
    status, whole = sorted(again.due(at(6)), key=lambda i: type(i).__name__)
    assert isinstance(whole, Trace)
    assert np.array_equal(whole.power_db, power)
    assert isinstance(status, Status)
    assert again.put(trace) == ([], True)


@settings(max_examples=60, deadline=None)
@given(
    delays=st.lists(st.floats(0, 4.9), min_size=2, max_size=25),
    cut=st.integers(0, 24),
)
def test_any_order_inside_the_bound_leaves_the_same(delays: list[float], cut: int) -> None:
    def leave(received: list[float]) -> list[tuple[float, float]]:
        stage, out = Reorder({"d": 5}), []
        items = [reading(float(i), r) for i, r in enumerate(received)]
        for n, item in enumerate(sorted(items, key=lambda i: i.received_at)):
            while (wake := stage.wake_at()) is not None and wake <= item.received_at:
                out.extend(stage.due(wake))
            ready, late = stage.put(item)
            assert not late
            out.extend(ready)
            if n == cut:
                stage = Reorder.restore({"d": 5}, stage.snapshot())
        while (wake := stage.wake_at()) is not None:
            out.extend(stage.due(wake))
        return [
            ((i.at - START).total_seconds(), (i.received_at - START).total_seconds()) for i in out
        ]

    on_time = [float(i) for i in range(len(delays))]
    assert leave([i + d for i, d in enumerate(delays)]) == leave(on_time)


@pytest.mark.parametrize("bound", [0.0, 5.0])
def test_an_empty_stage_survives_a_snapshot(bound: float) -> None:
    again = Reorder.restore({"d": bound}, Reorder({"d": bound}).snapshot())
    assert again.wake_at() is None
    assert again.due(at(0)) == []
