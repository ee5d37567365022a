"""Instruments that say what is not so: which fault, since when, what to do, and when it is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import numpy as np
import pytest

from contracts.city import City, DrainNetwork, Node
from contracts.event import Event
from contracts.nouns import Frame, Reading
from detectors._common.drive import run
from detectors._common.sample import city, device, reading
from detectors.sensor_faulty import SPEC
from detectors.sensor_faulty.told import TODO, WHATS

CFG = SPEC.config()
Value = Callable[[int], float | None]


def network(every_s: float = 60.0) -> City:
    """Four levels and a gauge of one street."""
    fields = {"reports_every_s": every_s, "site": "street"}
    names = {
        "lv-1": "level",
        "lv-2": "level",
        "lv-3": "level",
        "lv-4": "level",
        "rain-1": "rain_rate",
    }
    return city(devices={n: device(n, metrics=(m,), **fields) for n, m in names.items()})


def day(minute: float) -> float:
    return 0.3 + 0.05 * float(np.sin(2 * np.pi * minute / 1440))


def stream(
    minutes: int,
    first: Callable[[float, float], float | None],
    every: int = 1,
    rain: Value = lambda _: 0.0,
    water: Callable[[float], float] = day,
    seed: int = 1,
) -> list[Reading]:
    """`first(minute, healthy)` is what lv-1 says, None: nothing; the others are well."""
    rng = np.random.default_rng(seed)
    items = []
    for minute in range(0, minutes, every):
        for place, name in enumerate(("lv-1", "lv-2", "lv-3", "lv-4")):
            well = round(water(minute) * (1 + 0.2 * place) + float(rng.normal(0, 0.003)), 3)
            value = first(minute, well) if place == 0 else well
            if value is not None:
                items.append(reading(name, "level", value, 60.0 * minute + 10 * place, minute))
        items.append(
            reading("rain-1", "rain_rate", rain(minute) or 0.0, 60.0 * minute + 50, minute)
        )
    return items


def told(items: list[Reading], town: City | None = None) -> list[Event]:
    (site,) = SPEC.sites(town or network(), CFG)
    return [event for _, event in run(SPEC, CFG, site, items)]


def faults(events: list[Event]) -> list[str]:
    return [e.evidence["fault"] for e in events if e.phase == "opened"]


def test_healthy_instruments_are_left_alone_in_dry_weather_and_in_a_storm() -> None:
    def storm(minute: float) -> float:
        return day(minute) + 1.2 * float(np.exp(-(((minute - 400) / 40) ** 2)))

    wet: Value = lambda minute: 40.0 if 330 <= minute < 420 else 0.0  # noqa: E731
    for every in (1, 5, 15):
        assert told(stream(720, lambda _, v: v, every, wet, storm), network(60.0 * every)) == []


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("stuck", lambda m, v: 0.312 if 300 <= m < 420 else v),
        ("out_of_range", lambda m, v: -9999.0 if 300 <= m < 360 else v),
        ("out_of_range", lambda m, v: 65.535 if 300 <= m < 360 else v),
        ("debris", lambda m, v: max(v, 1.1 + 0.003 * (m % 3)) if 300 <= m < 360 else v),
        ("spike", lambda m, v: v + 1.5 if m in (300, 333, 371) else v),
        ("drift", lambda m, v: v + 0.06 * max(m - 700, 0) / 60),
    ],
)
def test_each_fault_is_named_with_numbers_and_says_what_to_do(
    what: str, says: Callable[[float, float], float | None]
) -> None:
    events = told(stream(1400 if what == "drift" else 480, says))
    assert faults(events) == [what]
    first = events[0]
    assert (first.site, first.device, first.severity) == ("lv-1", "lv-1", CFG.reading_severity)
    assert first.evidence["why"] and first.evidence["why_zh"]
    assert first.evidence["todo"] == [TODO[what][0]]
    assert first.evidence["faults"][0]["numbers"]
    since = (first.at - told_begin()).total_seconds() / 60
    assert abs(since - (700 if what == "drift" else 300)) <= (90 if what == "drift" else 2)


def told_begin() -> datetime:
    return reading("x", "level", 0.0, 0.0).at


def test_it_is_over_after_it_was_well_for_a_while_and_not_before() -> None:
    events = told(stream(520, lambda m, v: 0.312 if 300 <= m < 420 else v))
    assert [e.phase for e in events] == ["opened", "closed"]
    over = datetime.fromisoformat(events[1].evidence["seen_at"]) - told_begin()
    assert timedelta(minutes=429) <= over <= timedelta(minutes=435)
    assert events[1].evidence["fault"] == "stuck"


def test_two_faults_of_one_device_are_one_episode_that_names_both() -> None:
    def both(m: float, v: float) -> float:
        return 0.312 if 300 <= m < 420 else v + (1.5 if m in (422, 425, 428) else 0.0)

    events = told(stream(480, both))
    assert {e.id for e in events} == {events[0].id}
    assert any(len(e.evidence["faults"]) == 2 for e in events)


@pytest.mark.parametrize("off_s", [-900.0, 1500.0])
def test_a_clock_that_is_off_is_told_and_a_backlog_is_not(off_s: float) -> None:
    def shifted(item: Reading) -> Reading:
        sent = item.at - timedelta(seconds=off_s)
        believed = sent if off_s > 0 else item.received_at
        return msgspec.structs.replace(item, sent_at=sent, at=believed)

    well = stream(480, lambda _, v: v)
    start = told_begin()
    items = [
        shifted(i) if i.device == "lv-1" and (i.at - start) >= timedelta(minutes=200) else i
        for i in well
    ]
    events = told(items)
    assert faults(events) == ["clock_skew"]
    assert events[0].evidence["faults"][0]["numbers"]["off_s"] == pytest.approx(off_s, abs=2)

    away = start + timedelta(minutes=260)
    late = [
        msgspec.structs.replace(i, received_at=max(i.received_at, away))
        if i.device == "lv-1" and i.at - start >= timedelta(minutes=200)
        else i
        for i in well
    ]
    assert told(sorted(late, key=lambda i: i.received_at)) == []


def test_a_device_that_comes_and_goes_is_told_unless_all_of_them_do() -> None:
    def patchy(minute: float, v: float) -> float | None:
        return None if minute >= 200 and minute % 20 < 8 else v

    items = stream(400, patchy)
    assert faults(told(items)) == ["dropout"]
    everybody = [i for i in stream(400, lambda _, v: v) if i.seq is None or patchy(i.seq, 1.0)]
    assert told(everybody) == []


def test_what_stands_still_by_nature_is_not_stuck() -> None:
    still = {"tilt": 0.4, "tension": 5200.0, "lamp_current": 0.0, "battery": 3.6, "depth": 0.0}
    town = city(devices={n: device(n, metrics=(n,), reports_every_s=60.0) for n in still})
    for site in SPEC.sites(town, CFG):
        name = site.devices[0].id
        items = [reading(name, name, still[name], 60.0 * m, m) for m in range(600)]
        assert [e for _, e in run(SPEC, CFG, site, items)] == []


def test_one_spike_is_nobodys_way() -> None:
    assert told(stream(480, lambda m, v: v + 1.5 if m == 300 else v)) == []


def test_a_leap_that_all_make_in_the_rain_is_water() -> None:
    def burst(minute: float) -> float:
        return day(minute) + (0.0 if minute < 300 else 0.9 * float(np.exp(-(minute - 300) / 60)))

    wet: Value = lambda minute: 90.0 if 290 <= minute < 330 else 0.0  # noqa: E731
    assert told(stream(600, lambda _, v: v, 15, wet, burst), network(900.0)) == []


def test_water_at_the_brim_of_a_manhole_stands_still_and_below_it_does_not() -> None:
    def flat_at(level: float) -> list[Event]:
        (site,) = SPEC.sites(network(), CFG)
        mh = Node(id="mh", point=site.devices[0].point, invert_m=2.0, rim_m=5.0)
        site = msgspec.structs.replace(site, drains=DrainNetwork(nodes={"lv-1": mh}, pipes={}))
        items = stream(600, lambda m, v: level if m >= 300 else v)
        return [e for _, e in run(SPEC, CFG, site, items)]

    assert "stuck" not in faults(flat_at(3.0))
    assert "stuck" in faults(flat_at(0.36))


def test_in_rain_a_leap_is_debris_only_where_it_is_alone_and_lies_still() -> None:
    def wet(minute: int) -> float:
        return 60.0 if 290 <= minute < 330 else 0.0

    def leapt(minute: float) -> float:
        return day(minute) + (0.9 if 300 <= minute < 420 else 0.0)

    def lies(minute: float, v: float) -> float:
        return v + 0.9 if 300 <= minute < 420 else v

    def heaves(minute: float, v: float) -> float:
        return lies(minute, v) + (0.06 * (2 * (minute % 2) - 1) if 300 <= minute < 420 else 0.0)

    assert faults(told(stream(480, lies, rain=wet))) == ["debris"]
    assert "debris" not in faults(told(stream(480, heaves, rain=wet)))
    assert "debris" not in faults(told(stream(480, lambda _, v: v, rain=wet, water=leapt)))


def test_a_pool_that_fills_behind_a_blockage_bends_and_is_no_drift() -> None:
    def fills(minute: float, v: float) -> float:
        return v + 0.6 * (1.0 - float(np.exp(-max(minute - 700, 0) / 300)))

    assert told(stream(1400, fills)) == []


def test_cameras_fold_pictures_and_everything_else_readings() -> None:
    town = city(
        devices={
            "cam": device("cam", type="camera"),
            "lv": device("lv", metrics=("level",)),
            "cam-t": device("cam-t", type="camera", metrics=("temperature",)),
        }
    )
    nouns = {(site.id, site.consumes) for site in SPEC.sites(town, CFG)}
    assert nouns == {
        ("cam", (Frame,)),
        ("cam-t", (Frame,)),
        ("cam-t.readings", (Reading,)),
        ("lv", (Reading,)),
    }


def test_every_fault_says_what_to_do_in_both_languages() -> None:
    assert set(TODO) == set(WHATS)
    assert all(en and zh for en, zh in TODO.values())


def test_a_pool_that_climbs_evenly_but_answers_to_the_flow_is_no_drift() -> None:
    def climbs(minute: float, v: float) -> float:
        since = max(minute - 700, 0) / 60
        return v + 0.03 * since + 0.012 * float(np.sin(1.9 * since)) * (since > 0)

    assert told(stream(1400, climbs)) == []
    straight = told(stream(1400, lambda m, v: v + 0.03 * max(m - 700, 0) / 60))
    assert faults(straight) == ["drift"]


@pytest.mark.parametrize(("value", "stuck"), [(-0.0034, True), (0.0, False)])
def test_a_flow_meter_is_stuck_below_zero_and_rests_at_zero(value: float, stuck: bool) -> None:
    town = city(devices={"fl-1": device("fl-1", metrics=("flow",), reports_every_s=900.0)})
    rng = np.random.default_rng(4)
    said = [value if 50 <= n < 62 else round(float(rng.normal(0, 0.004)), 4) for n in range(70)]
    items = [reading("fl-1", "flow", v, 900.0 * n, n) for n, v in enumerate(said)]
    assert faults(told(items, town)) == ["stuck"] * stuck


def test_a_fine_head_that_reports_each_quarter_of_an_hour_is_stuck_within_three_hours() -> None:
    items = stream(1400, lambda m, v: 0.312 if 900 <= m < 1050 else v, every=15)
    (opened, *_) = told(items, network(900.0))
    assert opened.evidence["fault"] == "stuck"
    late = datetime.fromisoformat(opened.evidence["seen_at"]) - told_begin()
    assert late <= timedelta(minutes=900 + 180)


def test_a_coarse_head_that_often_stands_still_may_stand_a_little_longer() -> None:
    def stands(minute: float, _: float) -> float:
        return round(0.3 + 0.01 * (minute // (60 if minute < 900 else 110) % 2), 2)

    assert told(stream(1300, stands, every=5), network(300.0)) == []
