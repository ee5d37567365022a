"""What is cut, where, and what is not a cut at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from contracts.city import Work
from contracts.detector import Site
from contracts.event import Event
from contracts.nouns import Item, Status
from detectors._common.drive import Known, run
from detectors._common.sample import START, city, device, reading
from detectors.severed_cable import SPEC
from detectors.severed_cable.config import SeveredCableConfig
from detectors.severed_cable.sample import PHASES, POLES, below, line

MONITORS = ["mt", *(f"m{i}" for i in range(1, POLES + 1)), "mc"]
Volts = Callable[[str, float], tuple[float, float, float] | None]


def site(monitors: list[str] | None = None, works: tuple[Work, ...] = ()) -> Site:
    devices = {m: device(m, type="line_monitor") for m in (monitors or MONITORS)}
    (one,) = SPEC.sites(city(devices=devices, lines=(line(),), works=works), SeveredCableConfig())
    return one


def stream(volts: Volts, until_s: float = 200, period_s: float = 10) -> list[Item]:
    """Every monitor each period, one after the other; None: it says nothing."""
    items: list[Item] = []
    for k in range(int(until_s / period_s)):
        for n, name in enumerate(MONITORS):
            t = k * period_s + 0.5 * n
            said = volts(name, t)
            if said is not None:
                items.extend(
                    reading(name, metric, v, t, k) for metric, v in zip(PHASES, said, strict=True)
                )
    return items


def watch(items: list[Item], **kw: Any) -> list[Known]:
    return run(SPEC, SeveredCableConfig(), site(**kw), items, tail_s=30)


def last(known: list[Known]) -> Event:
    assert known, "nothing was published"
    return known[-1][1]


GOOD = (230.0, 231.0, 229.0)
DEAD = (2.0, 1.0, 3.0)


def cut(span: int, after: float = 100, seen: tuple[float, float, float] = DEAD) -> Volts:
    dark = below(span)
    return lambda name, t: seen if name in dark and t >= after else GOOD


@pytest.mark.parametrize("span", range(1, POLES + 1))
def test_a_severed_span_is_named_and_confirmed(span: int) -> None:
    known = watch(stream(cut(span)))
    event = last(known)
    assert event.evidence["spans"][0][0] == f"s{span}"
    assert event.evidence["what"] == "severed"
    assert event.evidence["owners"] == ["power"]
    if len(below(span)) >= 2:
        assert (event.evidence["state"], event.severity) == ("confirmed", 5)


def test_it_is_suspected_within_a_second_of_the_first_word() -> None:
    known = watch(stream(cut(3)))
    first_word = min(
        START + timedelta(seconds=100 + 0.5 * n)
        for n, name in enumerate(MONITORS)
        if name in below(3)
    )
    assert known[0][0] - first_word < timedelta(seconds=1)
    assert known[0][1].evidence["state"] == "suspected"


@pytest.mark.parametrize(
    ("seen", "what"),
    [
        ((230.0, 3.0, 229.0), "phase_open"),
        ((127.0, 272.0, 316.0), "neutral_open"),
        ((115.0, 230.0, 114.0), "phase_open"),
    ],
)
def test_what_happened_is_told_apart(seen: tuple[float, float, float], what: str) -> None:
    event = last(watch(stream(cut(4, seen=seen))))
    assert event.evidence["what"] == what
    assert event.evidence["spans"][0][0] == "s4"


def test_one_customer_switched_off_is_no_cable() -> None:
    assert watch(stream(lambda name, t: DEAD if name == "mc" and t >= 100 else GOOD)) == []


def test_an_upstream_outage_is_no_cable() -> None:
    known = watch(stream(lambda _name, t: DEAD if t >= 100 else GOOD))
    assert all(e.evidence["state"] == "suspected" for _, e in known)
    assert not known or last(known).phase == "closed"


def test_silence_alone_says_nothing() -> None:
    dark = below(3)
    silent = stream(lambda name, t: None if name in dark and t >= 100 else GOOD)
    at = START + timedelta(seconds=120)
    silent.append(Status("m3", at, at, online=False))
    silent.sort(key=lambda i: i.received_at)
    assert watch(silent) == []


def test_a_leaning_pole_and_a_strike_alone_say_nothing() -> None:
    items = stream(lambda _n, _t: GOOD)
    for t in (50.0, 51.0, 60.0):
        items.append(reading("m3", "tilt", 0.5 if t < 55 else 40.0, t))
        items.append(reading("m3", "vibration", 90.0, t))
    items.sort(key=lambda i: i.received_at)
    assert watch(items) == []


def test_a_recloser_that_restores_within_two_seconds_is_never_confirmed() -> None:
    """Even when the neighbours upstream have already said that they have supply."""
    items = stream(lambda _n, _t: GOOD, until_s=100)
    words = [(104.0, DEAD, below(2)), (105.2, GOOD, {"mt", "m1"}), (105.6, GOOD, below(2))]
    for t, volts, who in words:
        for name in sorted(who):
            items.extend(
                reading(name, m, v, t, round(t)) for m, v in zip(PHASES, volts, strict=True)
            )
    known = watch(items)
    assert known[0][1].evidence["spans"]
    assert all(e.evidence["state"] == "suspected" for _, e in known)
    assert last(known).phase == "closed"


def test_planned_work_is_not_an_incident() -> None:
    start = START + timedelta(seconds=60)
    work = Work(id="w", kind="outage", start=start, end=start + timedelta(hours=1), assets=("s3",))
    assert watch(stream(cut(3)), works=(work,)) == []
    over = Work(id="w", kind="outage", start=START, end=START, assets=("s3",))
    assert watch(stream(cut(3)), works=(over,))


def test_leaves_alone_leave_the_spans_between_them_open() -> None:
    items = stream(cut(6))
    few = ["mt", "mc", "m8"]
    known = watch([i for i in items if i.device in few], monitors=few)
    spans = dict(last(known).evidence["spans"])
    assert {"s5", "s6", "s7", "s8"} <= set(spans)
    assert "s4" not in spans
    assert last(known).evidence["error_m"] > 50


def test_a_strike_and_a_last_gasp_are_two_kinds_of_evidence() -> None:
    items = [
        i
        for i in stream(lambda _n, _t: GOOD)
        if i.device != "m8" or i.at < START + timedelta(seconds=95)
    ]
    items.append(reading("m8", "vibration", 80.0, 98.0))
    items.append(reading("m8", "last_gasp", 1.0, 100.0))
    items.sort(key=lambda i: i.received_at)
    event = last(watch(items))
    assert {"strike", "last_gasp"} <= set(event.evidence["evidence_kinds"])
    assert event.evidence["state"] == "confirmed"


def test_restored_supply_closes_it() -> None:
    dark = below(5)
    known = watch(stream(lambda n, t: DEAD if n in dark and 60 <= t < 120 else GOOD))
    assert last(known).phase == "closed"
    assert last(known).evidence["ended"] == "restored"
    assert last(known).evidence["spans"][0][0] == "s5"
