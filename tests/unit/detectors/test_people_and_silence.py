"""Residents' reports and devices that fall silent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from contracts.detector import Site, Spec
from contracts.event import Event
from contracts.geo import Point
from contracts.nouns import Item, Report, Status
from detectors import citizen_report, sensor_silent
from detectors._common.drive import Known, run
from detectors._common.sample import START, city, device, reading


def one_site(spec: Spec[Any], **fields: Any) -> Site:
    (site,) = spec.sites(city(devices={"d": device("d", **fields)}), spec.config())
    return site


def report(id: str, t: float, kind: str | None = "flooding") -> Report:
    at = START + timedelta(seconds=t)
    received = START + timedelta(seconds=500)
    return Report("d", at, received, id, "井盖没了", Point(118.5, 31.5), kind=kind)


def reports(*items: Report) -> list[Event]:
    spec = citizen_report.SPEC
    return [e for _, e in run(spec, spec.config(), one_site(spec, type="app"), items)]


def test_every_report_is_an_event_at_its_place_and_keeps_its_kind() -> None:
    (event,) = reports(report("a", 5))
    assert (event.kind, event.phase) == ("citizen_report", "opened")
    assert (event.place.lon, event.place.lat) == (118.5, 31.5)
    assert event.evidence["kind"] == "flooding"
    assert event.evidence["text"] == "井盖没了"


def test_reports_of_one_second_or_out_of_order_are_all_kept_once() -> None:
    events = reports(report("a", 5), report("b", 5), report("c", 1), report("a", 5))
    assert len({e.id for e in events}) == len(events) == 3


def test_a_kind_nobody_knows_is_kept_as_said() -> None:
    (event,) = reports(report("a", 5, kind="外星人"))
    assert event.evidence["kind"] is None
    assert event.evidence["kind_as_said"] == "外星人"


def silence(items: list[Item], tail_s: float = 0, every_s: float | None = 60.0) -> list[Known]:
    spec = sensor_silent.SPEC
    site = one_site(spec, reports_every_s=every_s)
    return run(spec, spec.config(), site, items, tail_s=tail_s)


def test_silent_after_three_periods_and_over_when_heard() -> None:
    items: list[Item] = [reading("d", "level", 1, t) for t in (0, 60, 120, 1000)]
    (opened_at, opened), (_, closed) = silence(items)
    assert opened_at == items[2].received_at + timedelta(seconds=180)
    assert opened.at == items[2].at
    assert (opened.severity, opened.phase, closed.phase) == (1, "opened", "closed")


def test_going_offline_makes_us_wait_less_but_is_no_alarm_itself() -> None:
    at = START + timedelta(seconds=30)
    gone = Status("d", at, at, online=False)
    items: list[Item] = [reading("d", "level", 1, 0), gone]
    assert silence(items, tail_s=60) == []
    ((known_at, event),) = silence(items, tail_s=120)
    assert known_at == items[0].received_at + timedelta(seconds=120)
    assert event.evidence["offline"] is True


def test_being_back_online_in_time_is_no_alarm() -> None:
    def status(t: float, online: bool) -> Status:
        at = START + timedelta(seconds=t)
        return Status("d", at, at, online=online)

    items: list[Item] = [reading("d", "level", 1, 0), status(30, False), status(100, True)]
    assert silence(items, tail_s=170) == []


def test_a_device_that_promises_no_period_is_not_watched() -> None:
    spec = sensor_silent.SPEC
    assert list(spec.sites(city(devices={"d": device("d")}), spec.config())) == []
