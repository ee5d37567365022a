"""Hydrants without pressure: one, a zone, none; and what only looks like it."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from contracts.city import City, Work
from contracts.event import Event
from contracts.nouns import Quality, Reading
from detectors._common.drive import Drive, Known
from detectors._common.sample import START, city, device, reading
from detectors.hydrant_no_pressure import SPEC
from detectors.hydrant_no_pressure.config import HydrantConfig
from simulators.water_mains.take import Order, take

CFG = HydrantConfig()
HOUR, DAY = 3600.0, 86400.0
NAMES = ("h1", "h2", "h3", "h4")
Loss = Callable[[str, float], float]
"""(hydrant, seconds) → share of its pressure that is left."""


def town(names: tuple[str, ...] = NAMES, **parts: object) -> City:
    return city(
        devices={
            n: device(n, type="hydrant", site="zone", metrics=("pressure", "battery"))
            for n in names
        },
        **parts,
    )


def drive(place: City | None = None) -> Drive:
    (site,) = SPEC.sites(place or town(), CFG)
    return Drive(SPEC, CFG, site)


def usual(n: int, t: float) -> float:
    """High at night, lower by a quarter in the morning and in the evening."""
    return (300 + 25 * n) * (1 - 0.13 * math.cos(4 * math.pi * (t / HOUR + 7) / 24))


def stream(
    until: float,
    left: Loss = lambda _n, _t: 1.0,
    every: float = 300.0,
    since: float = 0.0,
    names: tuple[str, ...] = NAMES,
) -> list[Reading]:
    rng = np.random.default_rng(3)
    items = []
    for k in range(int(since // every), int(until // every)):
        for n, name in enumerate(names):
            t = every * k + 7 * n
            kpa = max(usual(n, t) * left(name, t) + float(rng.normal(0, 2)), 0.0)
            items.append(reading(name, "pressure", round(kpa, 1), t, k))
    return items


def fold(items: list[Reading], over: Drive | None = None) -> list[Known]:
    over = over or drive()
    return [one for item in items for one in over.put(item)]


def opened(known: list[Known]) -> list[Event]:
    return [e for _, e in known if e.phase == "opened"]


def last(known: list[Known]) -> Event:
    return known[-1][1]


def only(*gone: str, begin: float, end: float = math.inf, left: float = 0.02) -> Loss:
    return lambda name, t: left if name in gone and begin <= t < end else 1.0


def test_a_hydrant_that_dies_alone_is_told_and_closes_when_its_water_is_back() -> None:
    begin, end = 2 * DAY, 2 * DAY + 2 * HOUR
    known = fold(stream(3 * DAY, only("h2", begin=begin, end=end)))
    (event,) = opened(known)
    assert (event.device, event.severity, event.evidence["cause"]) == ("h2", 3, "closed")
    assert event.evidence["zone"] == []
    assert not event.evidence["learning"]
    assert any("usual at this hour" in line for line in event.evidence["why"])
    assert len(event.evidence["why"]) == len(event.evidence["why_zh"])
    assert any("3 neighbours" in line for line in event.evidence["ruled_out"])
    assert event.at == START + timedelta(seconds=begin + 7)
    assert (last(known).phase, last(known).evidence["ended"]) == ("closed", "back")
    assert known[-1][0] - (START + timedelta(seconds=end)) < timedelta(minutes=15)


def test_all_that_fall_alike_are_one_event_that_names_the_supply() -> None:
    begin = 2 * DAY + 100
    known = fold(stream(2 * DAY + 2 * HOUR, only(*NAMES, begin=begin, left=0.15)))
    assert len(opened(known)) == 1
    assert sorted(last(known).evidence["zone"]) == list(NAMES)
    assert (last(known).evidence["cause"], last(known).severity) == ("supply", 4)
    assert opened(known)[0].site == "zone"


def test_some_that_fall_unlike_are_one_event_that_names_a_main_and_the_nearest() -> None:
    begin = 2 * DAY + 100
    share = {"h1": 0.95, "h2": 0.45, "h3": 0.1, "h4": 0.5}
    known = fold(stream(2 * DAY + 2 * HOUR, lambda n, t: share[n] if t >= begin else 1.0))
    assert len(opened(known)) == 1
    evidence = last(known).evidence
    assert evidence["cause"] == "main"
    assert (evidence["nearest"], sorted(evidence["zone"])) == ("h3", ["h2", "h3", "h4"])


def test_two_that_die_on_different_days_are_two_events() -> None:
    def left(name: str, t: float) -> float:
        return 0.02 if (name == "h1" and t >= 2 * DAY) or (name == "h4" and t >= 3 * DAY) else 1.0

    known = fold(stream(3 * DAY + 2 * HOUR, left))
    assert [e.device for e in opened(known)] == ["h1", "h4"]


def test_an_open_hydrant_falls_at_once_but_not_to_nothing() -> None:
    known = fold(stream(2 * DAY + HOUR, only("h3", begin=2 * DAY, left=0.55), every=60.0))
    (event,) = opened(known)
    assert (event.evidence["cause"], event.severity) == ("opened", 2)


def test_ten_minutes_of_drawing_water_are_no_alarm() -> None:
    draw = only("h3", begin=2 * DAY, end=2 * DAY + 600, left=0.5)
    assert fold(stream(2 * DAY + 2 * HOUR, draw, every=60.0)) == []


def test_water_hammer_in_single_reports_is_no_alarm() -> None:
    rng = np.random.default_rng(9)

    def left(_name: str, _t: float) -> float:
        return float(rng.uniform(0.0, 1.7)) if rng.random() < 0.01 else 1.0

    assert fold(stream(4 * DAY, left)) == []


def test_nights_mornings_and_other_days_are_no_alarm() -> None:
    def left(_name: str, t: float) -> float:
        return 0.93 if int(t // DAY) % 7 in (2, 3) else 1.0

    assert fold(stream(8 * DAY, left, every=900.0)) == []


@pytest.mark.parametrize("every", [60.0, 900.0, 3600.0])
def test_it_is_told_within_two_reports_however_rare_they_are(every: float) -> None:
    known = fold(stream(3 * DAY, only("h2", begin=2 * DAY), every=every))
    late = known[0][0] - (START + timedelta(seconds=2 * DAY))
    assert late <= timedelta(seconds=max(CFG.hold_s, every) + every + 10)


def test_a_daily_report_is_suspected_at_once_and_confirmed_by_the_next() -> None:
    known = fold(stream(12 * DAY, only("h2", begin=9 * DAY), every=DAY))
    first, second = (e for _, e in known)
    assert (first.evidence["state"], second.evidence["state"]) == ("suspected", "confirmed")


def test_the_first_hour_works_and_says_that_it_learns() -> None:
    known = fold(stream(HOUR, only("h2", begin=1800), every=60.0))
    (event,) = opened(known)
    assert event.evidence["learning"]
    assert any("learned" in line for line in event.evidence["why"])


def test_a_hydrant_that_never_had_pressure_is_told_mildly_and_why() -> None:
    known = fold(stream(HOUR, only("h2", begin=0.0, left=0.0), every=300.0))
    (event,) = opened(known)
    assert (event.evidence["cause"], event.severity) == ("never", 2)


def test_exactly_nothing_from_a_dying_battery_is_unknown() -> None:
    over = drive()
    fold(stream(2 * DAY), over)
    low = [reading("h2", "battery", 3.05, 2 * DAY)]
    zeros = [reading("h2", "pressure", 0.0, 2 * DAY + 300 * k, k) for k in range(1, 20)]
    assert fold([*low, *zeros], over) == []


def test_exactly_nothing_from_a_sound_gauge_is_only_suspected() -> None:
    over = drive()
    fold(stream(2 * DAY), over)
    zeros = [reading("h2", "pressure", 0.0, 2 * DAY + 300 * k, k) for k in range(1, 5)]
    (event,) = opened(fold(zeros, over))
    assert event.evidence["state"] == "suspected"
    assert any("gauge" in line for line in event.evidence["why"])


def test_faulty_readings_are_not_folded() -> None:
    over = drive()
    fold(stream(2 * DAY), over)
    at = START + timedelta(days=2)
    stuck = [
        Reading("h2", "pressure", 3.0, at + timedelta(minutes=5 * k), at + timedelta(minutes=5 * k),
                quality=int(Quality.STUCK))
        for k in range(9)
    ]  # fmt: skip
    wild = [reading("h2", "pressure", -400.0, 2 * DAY + 3000 + 300 * k) for k in range(9)]
    assert fold([*stuck, *wild], over) == []


def test_frost_is_named_for_a_dead_hydrant() -> None:
    over = drive()
    fold(stream(2 * DAY), over)
    cold = [reading("h2", "temperature", -8.0, 2 * DAY)]
    known = fold([*cold, *stream(2 * DAY + HOUR, only("h2", begin=0.0), since=2 * DAY)], over)
    assert opened(known)[0].evidence["cause"] == "frozen"


def test_planned_work_on_the_zone_is_named() -> None:
    work = Work(
        id="W-1",
        kind="mains",
        start=START + timedelta(days=1, hours=20),
        end=START + timedelta(days=3),
        point=None,
        assets=("zone",),
    )
    known = fold(
        stream(2 * DAY + HOUR, only(*NAMES, begin=2 * DAY, left=0.1)), drive(town(works=(work,)))
    )
    assert (last(known).evidence["cause"], last(known).severity) == ("works", 2)


def test_a_zone_run_lower_for_days_is_how_it_is_run_now() -> None:
    known = fold(stream(7 * DAY, only("h2", begin=2 * DAY, left=0.6), every=900.0))
    assert len(opened(known)) == 1
    assert last(known).evidence["ended"] == "adopted"


def test_a_gap_of_hours_neither_opens_nor_closes() -> None:
    over = drive()
    assert fold([*stream(2 * DAY), *stream(3 * DAY, since=2 * DAY + 5 * HOUR)], over) == []


def test_an_event_nobody_reports_on_ends_as_unknown() -> None:
    over = drive()
    fold(stream(2 * DAY + HOUR, only("h2", begin=2 * DAY)), over)
    ((when, event),) = over.run_to(START + timedelta(days=4))
    assert (event.phase, event.evidence["ended"]) == ("closed", "no_reading")
    assert when - (START + timedelta(days=2, hours=1)) < timedelta(days=1, minutes=5)


def test_hydrants_without_a_site_are_alone_and_pumps_are_not_hydrants() -> None:
    place = city(
        devices={
            "a": device("a", type="hydrant", metrics=("pressure",)),
            "b": device("b", type="fire_hydrant", metrics=("pressure",), site="z"),
            "c": device("c", type="hydrant", metrics=("pressure",), site="z"),
            "p": device("p", type="pump", metrics=("pressure",)),
        }
    )
    sites = {s.id: [d.id for d in s.devices] for s in SPEC.sites(place, CFG)}
    assert sites == {"a": ["a"], "z": ["b", "c"]}


# --- towns simulated by EPANET ------------------------------------------------------------------


def judged(order: Order) -> tuple[list[Known], float]:
    """What came of a run, and the most that any hydrant lacked."""
    run = take(order)
    (site,) = SPEC.sites(city(devices={d.id: d for d in run.devices}), CFG)
    return fold(list(run.readings), Drive(SPEC, CFG, site)), max(run.missing.values())


@pytest.mark.slow
@pytest.mark.parametrize("reports_s", [300.0, 900.0])
def test_two_calm_days_in_simulated_towns_give_no_alarm(reports_s: float) -> None:
    for seed in range(21, 24):
        assert judged(Order(seed=seed, reports_s=reports_s))[0] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trouble", "causes"),
    [
        ("valve_shut", {"closed"}),
        ("hydrant_open", {"opened", "closed"}),
        ("main_break", {"main", "supply", "opened"}),
    ],
)
def test_troubles_of_simulated_towns_are_one_event_each(trouble: str, causes: set[str]) -> None:
    for seed in range(21, 24):
        known, missing = judged(Order(seed=seed, trouble=trouble, reports_s=300.0))
        if missing < 100.0:  # a break that leaves every hydrant its water is none of ours
            continue
        assert len(opened(known)) == 1, (trouble, seed)
        assert last(known).phase == "closed"
        assert last(known).evidence["cause"] in causes, (trouble, seed)


@pytest.mark.slow
def test_a_pump_that_stands_still_is_told_once_the_tank_is_empty() -> None:
    order = Order(seed=21, trouble="pump_outage", hours=60.0, lasts_s=12 * HOUR, reports_s=300.0)
    known, _ = judged(order)
    assert len(opened(known)) == 1
    assert len(last(known).evidence["zone"]) == 12
    assert last(known).evidence["cause"] == "supply"
