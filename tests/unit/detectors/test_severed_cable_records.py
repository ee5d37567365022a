"""Disturbance records beside a line's monitors: evidence of their own, never an alarm."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.event import Event
from contracts.nouns import Item, Reading, Record
from detectors._common.drive import Known, run
from detectors._common.sample import START
from detectors.severed_cable import SPEC
from detectors.severed_cable.config import SeveredCableConfig
from tests.unit.detectors.records import cut as dip
from tests.unit.detectors.records import record, zipped
from tests.unit.detectors.test_severed_cable import cut, last, site, stream

LOST_AT, SENT_AT = 100.0, 112.0
RECORDER = "m8"


def recorded(
    *, phases: str = "abc", back: float | None = None, span: int = 7, lost_at: float = LOST_AT
) -> list[Item]:
    """A cable is cut above the last two poles; at the last one stands a recorder, no monitor."""
    items = [i for i in stream(cut(span)) if i.device != RECORDER]
    shown = zipped(*record(dip(0.5, phases, back), trigger="07:30:00.500000"))
    at = START + timedelta(seconds=lost_at)
    sent = Record(RECORDER, at, START + timedelta(seconds=SENT_AT), shown)
    return sorted([*items, sent], key=lambda i: i.received_at)


def watch(items: list[Item]) -> list[Known]:
    return run(SPEC, SeveredCableConfig(), site(), items, tail_s=60)


def told(items: list[Item]) -> Event:
    return last(watch(items))


def test_a_record_is_evidence_of_its_own_kind_with_phases_and_time() -> None:
    event = told(recorded())
    (one,) = event.evidence["records"]
    assert (one["device"], one["node"], one["phases"], one["lasted_s"]) == (
        RECORDER, "p8", "abc", None,
    )  # fmt: skip
    assert "record" in event.evidence["evidence_kinds"] and "p8" in event.evidence["lost"]
    assert any("disturbance record of m8" in why for why in event.evidence["why"])
    assert any("m8的录波" in why for why in event.evidence["why_zh"])


def test_one_monitor_and_a_record_confirm_what_one_monitor_alone_does_not() -> None:
    without: list[Item] = [i for i in recorded() if isinstance(i, Reading)]
    assert all(event.evidence["state"] == "suspected" for _, event in watch(without))
    event = told(recorded())
    assert event.evidence["state"] == "confirmed"
    assert event.evidence["spans"][0][0] == "s7"


def test_an_open_phase_is_told_by_its_record() -> None:
    items = [i for i in stream(cut(7, seen=(2.0, 231.0, 229.0))) if i.device != RECORDER]
    shown = next(i for i in recorded(phases="a") if isinstance(i, Record))
    event = told(sorted([*items, shown], key=lambda i: i.received_at))
    assert event.evidence["what"] == "phase_open"
    assert event.evidence["records"][0]["phases"] == "a"


@pytest.mark.parametrize("back", [0.9, 1.4])
def test_what_a_recloser_mended_within_the_record_is_none(back: float) -> None:
    event = told(recorded(back=back))
    assert "records" not in event.evidence


def test_a_record_of_another_hour_is_none() -> None:
    items = recorded(lost_at=LOST_AT - 3600)
    assert "records" not in told(items).evidence


def test_a_record_alone_opens_nothing() -> None:
    quiet = [i for i in stream(lambda name, t: (230.0, 231.0, 229.0)) if i.device != RECORDER]
    (shown,) = (i for i in recorded() if isinstance(i, Record))
    assert watch(sorted([*quiet, shown], key=lambda i: i.received_at)) == []
    broken = Record(RECORDER, shown.at, shown.received_at, b"no record at all")
    assert watch(sorted([*quiet, broken], key=lambda i: i.received_at)) == []


def test_a_cut_anywhere_between_readings_and_record_changes_nothing() -> None:
    items = recorded()
    whole = [event for _, event in watch(items)]
    place = next(k for k, i in enumerate(items) if isinstance(i, Record))
    for at in (place, place + 1):
        first = SPEC.build(SeveredCableConfig(), site(), None)
        got: list[Event] = []
        for k, item in enumerate(items):
            if k == at:
                first = SPEC.build(SeveredCableConfig(), site(), first.snapshot())
            while (due := first.wake_at()) is not None and due <= item.received_at:
                got += first.on_time(due)
            got += first.on_item(item)
        while (due := first.wake_at()) is not None and due <= items[-1].received_at + timedelta(
            seconds=60
        ):
            got += first.on_time(due)
        assert [(e.id, e.rev, e.evidence) for e in got] == [
            (e.id, e.rev, e.evidence) for e in whole
        ]
