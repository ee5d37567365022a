"""Residents' reports and devices that fall silent."""

from __future__ import annotations

from collections.abc import Container
from datetime import timedelta
from typing import Any

from contracts.detector import Site, Spec
from contracts.event import Event
from contracts.geo import Point
from contracts.nouns import Item, Pulse, Report, Status
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


def silence(*items: Item, others_until: float) -> list[Known]:
    """Events of device `d` while `other` of its district reports every 30 s."""
    spec = sensor_silent.SPEC
    names = {n: device(n, reports_every_s=60.0) for n in ("d", "other")}
    (site,) = spec.sites(city(devices=names), spec.config())
    others = [reading("other", "level", 1, float(t)) for t in range(5, int(others_until) + 1, 30)]
    return run(spec, spec.config(), site, sorted([*items, *others], key=lambda i: i.received_at))


def test_silent_after_three_periods_and_over_when_heard() -> None:
    items = [reading("d", "level", 1, t) for t in (0, 60, 120, 1000)]
    (opened_at, opened), (closed_at, closed) = silence(*items, others_until=1000)
    # Noticed in the first message of the other one after 180 s of listening.
    waited = opened_at - items[2].received_at
    assert timedelta(seconds=180) <= waited <= timedelta(seconds=210)
    assert closed_at == items[3].received_at
    assert (opened.at, opened.site, opened.device) == (items[2].at, "d", "d")
    assert (opened.severity, opened.phase, closed.phase) == (1, "opened", "closed")


def test_a_wrong_period_in_the_register_is_learned_after_a_few_pauses() -> None:
    items = [reading("d", "level", 1, 300.0 * n) for n in range(12)]
    opened = [e for _, e in silence(*items, others_until=3300) if e.phase == "opened"]
    assert 1 <= len(opened) <= 5, "each pause was an alarm before the habit was known"
    gone = [e for _, e in silence(*items, others_until=6000) if e.phase == "opened"]
    assert len(gone) == len(opened) + 1, "truly gone it is noticed all the same"


def test_when_nothing_is_heard_of_anybody_nobody_is_silent() -> None:
    before = [reading("d", "level", 1, t) for t in (0, 60, 120)]
    assert silence(*before, others_until=125) == []
    hours_later = [reading("d", "level", 1, 9000.0), reading("other", "level", 1, 8990.0)]
    assert silence(*before, *hours_later, others_until=125) == []


def test_going_offline_makes_us_wait_less_but_is_no_alarm_itself() -> None:
    at = START + timedelta(seconds=30)
    gone = Status("d", at, at, online=False)
    assert silence(reading("d", "level", 1, 0), gone, others_until=110) == []
    ((known_at, event),) = silence(reading("d", "level", 1, 0), gone, others_until=160)
    assert timedelta(seconds=120) <= known_at - START <= timedelta(seconds=160)
    assert event.evidence["offline"] is True


def test_being_back_online_in_time_is_no_alarm() -> None:
    def status(t: float, online: bool) -> Status:
        at = START + timedelta(seconds=t)
        return Status("d", at, at, online=online)

    said: list[Item] = [reading("d", "level", 1, 0), status(30, False), status(100, True)]
    assert silence(*said, others_until=215) == []


def test_a_device_that_promises_no_period_is_not_watched() -> None:
    spec = sensor_silent.SPEC
    assert list(spec.sites(city(devices={"d": device("d")}), spec.config())) == []


def test_a_camera_that_sends_no_more_video_is_silent_and_comes_back() -> None:
    """No period stands in its row; the only sensor of the district reports every ten minutes."""
    spec = sensor_silent.SPEC
    slow = {"d": device("d", reports_every_s=600.0), "cam": device("cam", type="Camera")}
    (site,) = spec.sites(city(devices=slow), spec.config())
    items: list[Item] = [reading("d", "level", 1, float(t)) for t in range(5, 3200, 600)]
    for t in [*range(300), *range(3000, 3300)]:
        at = START + timedelta(seconds=t)
        items.append(Pulse("cam", at, at + timedelta(milliseconds=400)))
    items.sort(key=lambda item: item.received_at)
    gone, back = [e for _, e in run(spec, spec.config(), site, items)]
    assert (gone.device, gone.phase, gone.at) == ("cam", "opened", START + timedelta(seconds=299))
    assert (back.phase, back.id) == ("closed", gone.id)


def test_nobody_is_silent_while_all_cameras_and_sensors_are() -> None:
    spec = sensor_silent.SPEC
    town = {name: device(name, type="camera") for name in ("a", "b")}
    (site,) = spec.sites(city(devices=town), spec.config())
    times = [*range(60), *range(1200, 1260)]  # the broker was away for nineteen minutes
    items = [
        Pulse(name, START + timedelta(seconds=t), START + timedelta(seconds=t))
        for t in times
        for name in town
    ]
    assert run(spec, spec.config(), site, items) == []


def quick_and_rare(quick: Container[int], rare: Container[int]) -> list[str | None]:
    """Who is told of: a gauge every minute beside two levels every quarter of an hour."""
    names = {"gauge": 60.0, "lv-1": 900.0, "lv-2": 900.0}
    town = city(devices={n: device(n, reports_every_s=s) for n, s in names.items()})
    (site,) = sensor_silent.SPEC.sites(town, sensor_silent.SPEC.config())
    items: list[Item] = []
    for minute in range(600):
        if minute in quick:
            items.append(reading("gauge", "rain_rate", 0.0, 60.0 * minute, minute))
        for place, name in enumerate(("lv-1", "lv-2")):
            if minute % 15 == 7 * place and minute in rare:
                items.append(reading(name, "level", 0.2, 60.0 * minute + 20, minute))
    events = run(sensor_silent.SPEC, sensor_silent.SPEC.config(), site, items)
    return [event.device for _, event in events if event.phase == "opened"]


def test_the_quickest_sensor_of_a_district_is_missed_too() -> None:
    assert quick_and_rare(range(300), range(600)) == ["gauge"]


def test_reports_every_quarter_of_an_hour_and_a_gap_of_two_hours_for_all_accuse_nobody() -> None:
    heard = range(600)
    assert quick_and_rare(heard, heard) == []
    both = [m for m in heard if not 200 <= m < 320]
    assert quick_and_rare(both, both) == []


def test_why_it_is_silent_is_said_in_both_languages() -> None:
    told = silence(reading("d", "level", 0.2, 0.0), others_until=900.0)
    (why,), (why_zh,) = told[0][1].evidence["why"], told[0][1].evidence["why_zh"]
    assert "nothing of it since" in why and "无上报" in why_zh
