"""What is usual at a sensor without any line, and what is water beyond doubt."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from contracts.city import City, DrainNetwork, Node
from contracts.geo import Point
from contracts.nouns import Item, Reading
from detectors._common.drive import Known, run
from detectors._common.laws import duplicates_change_nothing, every_cut, reorder_changes_nothing
from detectors._common.sample import START, Sample, city, device, reading
from detectors.flooding import SPEC
from detectors.flooding.config import FloodingConfig
from detectors.flooding.lonely import HOLD_S, SEVERITY, SEVERITY_LEARNING
from detectors.flooding.usual import HIGH, HOURS, TAIL, UNSURE, USUAL, Usual

DAY = 86400
TEN = 600.0
HERE = Point(118.78, 31.26)


def town(**fields: Any) -> City:
    return city(devices={"s": device("s", type="level", metrics=("level",), **fields)})


def still(days: float, period_s: float = TEN, seed: int = 0, flicker: float = 0.003) -> list[float]:
    """A stream in dry weather."""
    rng = np.random.default_rng(seed)
    return [0.5 + float(x) for x in rng.normal(0, flicker, int(days * DAY / period_s))]


def storm(peak: float = 0.6, period_s: float = TEN, rise_s: float = 5400.0) -> list[float]:
    """A rise along an S and a recession; metres above what was before."""
    n = int(36 * 3600 / period_s)
    out = []
    for i in range(n):
        t = i * period_s
        up = 0.5 - 0.5 * math.cos(math.pi * t / rise_s)
        out.append(peak * (up if t < rise_s else math.exp(-(t - rise_s) / 14400)))
    return out


def watch(values: list[float], period_s: float = TEN, tail_s: float = 0.0) -> list[Known]:
    place = town()
    items: list[Item] = [reading("s", "level", v, period_s * i, i) for i, v in enumerate(values)]
    (site,) = SPEC.sites(place, FloodingConfig())
    return run(SPEC, FloodingConfig(), site, items, tail_s=tail_s)


def opened(known: list[Known]) -> list[float]:
    """Seconds after the first reading."""
    return [(at - START).total_seconds() for at, e in known if e.phase == "opened"]


def with_storm(before: list[float], peak: float = 0.6, period_s: float = TEN) -> list[float]:
    return before + [0.5 + height for height in storm(peak, period_s)]


@pytest.mark.parametrize("period_s", [60.0, 300.0, 600.0, 900.0, 3600.0])
def test_a_storm_is_told_once_at_any_rate_of_reports(period_s: float) -> None:
    values = with_storm(still(3, period_s), period_s=period_s)
    (at,) = opened(watch(values, period_s))
    reached = 3 * DAY + 1800  # a third of the way up
    assert reached - 600 <= at <= reached + max(2400, 3 * period_s)


def test_a_dry_month_with_noise_says_nothing() -> None:
    assert watch(still(30, flicker=0.02)) == []


def test_a_storm_recedes_and_is_over() -> None:
    known = watch(with_storm(still(3)) + still(1))
    stages = [e.evidence["stage"] for _, e in known]
    assert stages[0] == "observed"
    assert stages[-1] == "receding"
    assert known[-1][1].phase == "closed"
    assert known[-1][1].evidence["ended"] == "usual"


def test_it_says_why_in_two_languages_and_what_it_does_not_know() -> None:
    event = watch(with_storm(still(3)))[0][1]
    facts = event.evidence
    assert event.severity == SEVERITY < 3
    assert facts["overflow_at"] is None
    assert facts["lines"]["source"] == "usual"
    assert facts["lines"]["close"] is None
    assert facts["usual"] == pytest.approx(0.5, abs=0.01)
    assert len(facts["why"]) == len(facts["why_zh"]) >= 3
    assert "未设警戒线" in facts["why_zh"][2]
    times = [t for t, _ in facts["curve"]]
    assert times == sorted(times)
    msgspec.json.encode(event)


def test_a_new_sensor_is_useful_in_its_first_hours_and_says_that_it_learns() -> None:
    known = watch(with_storm(still(0.03)))  # 43 minutes
    assert opened(known)
    assert known[0][1].severity == SEVERITY_LEARNING
    assert known[0][1].evidence["learning"] is True
    assert "still learning" in " ".join(known[0][1].evidence["why"])
    later = watch(with_storm(still(3)))
    assert later[0][1].evidence["learning"] is False


def test_a_record_that_begins_in_a_flood_is_not_a_flood_that_recedes() -> None:
    assert watch([0.5 + h for h in storm()[9:]]) == []


def test_debris_that_lies_still_is_no_water_however_long() -> None:
    values = still(3) + [v + 0.3 for v in still(0.8, seed=1)] + still(2, seed=2)
    assert watch(values) == []


def test_a_great_leap_must_move_like_water_for_two_hours() -> None:
    fallen = [0.5 + 2.0 * math.exp(-i / 30) for i in range(100)]  # a dam that broke
    (at,) = opened(watch(still(3) + fallen))
    assert 3 * DAY + 5400 <= at <= 3 * DAY + 9000


def test_bursts_of_false_echoes_are_no_water() -> None:
    rng = np.random.default_rng(3)
    values = still(20)
    for at in rng.integers(0, len(values) - 6, 120):
        for i in range(int(rng.integers(1, 4))):
            values[int(at) + i] += float(rng.uniform(0.3, 1.5))
    assert watch(values) == []


def test_a_storm_is_seen_through_false_echoes() -> None:
    rng = np.random.default_rng(4)
    values = with_storm(still(10), peak=0.8)
    for at in rng.integers(0, len(values), len(values) // 12):
        values[int(at)] += 1.0
    (at_s,) = opened(watch(values))
    assert at_s >= 10 * DAY


def test_a_sensor_that_goes_up_every_day_is_not_told_of_it() -> None:
    # A weir: half a metre up within two hours every day, at no fixed hour, and slowly down.
    rng = np.random.default_rng(5)
    values = still(25)
    for day in range(25):
        at = 144 * day + int(rng.integers(0, 100))
        for i, height in enumerate(storm(0.4)[:140]):
            if at + i < len(values):
                values[at + i] += height
    told = opened(watch(values))
    assert len(told) <= 4
    assert not [t for t in told if t > 10 * DAY]


def test_a_river_that_swells_for_days_is_not_news_at_fifteen_centimetres() -> None:
    values = [v + 0.17 * min(1.0, i / 288) for i, v in enumerate(still(4, seed=7))]
    assert watch(still(3) + values) == []


def sewage(i: int) -> float:
    """Twice a day 20 cm, at ten-minute reports."""
    return 0.2 * math.sin(2 * math.pi * i / 144) ** 4


def test_the_shape_of_the_day_is_learned_and_taken_off() -> None:
    values = [v + sewage(i) for i, v in enumerate(still(20))]
    usual = Usual()
    off = []
    for i, v in enumerate(values):
        usual.fold(TEN * i, v, alarmed=False)
        if i > 10 * 144:
            off.append(abs(usual.expected - v))
    assert usual.shaped
    assert usual.gate == pytest.approx(0.15)
    assert max(off) < 0.1
    assert watch(values) == []
    # A shower on the morning's peak is seen at once, though it comes no higher than two peaks.
    wet = [v + (0.2 if i >= 144 * 15 + 36 else 0.0) * min(1.0, (i - 144 * 15 - 36) / 6)
           for i, v in enumerate(values)]  # fmt: skip
    assert opened(watch(wet))[0] == pytest.approx(15 * DAY + 36 * TEN, abs=7200)


def test_without_a_shape_none_is_used() -> None:
    rng = np.random.default_rng(6)
    usual = Usual()
    level = 0.0
    for i in range(144 * 20):
        level = 0.98 * level + float(rng.normal(0, 0.02))
        usual.fold(TEN * i, 0.5 + level, alarmed=False)
    assert not usual.shaped


def test_nothing_is_learned_while_it_rains_but_where_the_level_is() -> None:
    usual = Usual()
    for i, v in enumerate(still(10)):
        usual.rain(TEN * i, 3.0)
        usual.fold(TEN * i, v + 0.2 * (i % 72 > 36), alarmed=False)
    assert usual.habit == 0.0
    assert usual.shape == []
    assert usual.rained(TEN * 1440)


def test_rain_is_a_reason_to_be_sure_sooner() -> None:
    dry, wet = Usual(), Usual()
    values = with_storm(still(3))
    first: dict[str, int] = {}
    for i, v in enumerate(values):
        if i > 3 * 144 - 3:
            wet.rain(TEN * i, 8.0)
        for name, usual in (("dry", dry), ("wet", wet)):
            if usual.fold(TEN * i, v, alarmed=False) == HIGH:
                first.setdefault(name, i)
    assert first["wet"] < first["dry"]


def test_what_stays_up_for_a_day_is_what_is_usual() -> None:
    usual = Usual()
    for i, v in enumerate(still(3) + [v + 1.0 for v in still(2, seed=1)]):
        says = usual.fold(TEN * i, v, alarmed=False)
        assert says in (USUAL, UNSURE)
    assert usual.expected == pytest.approx(1.5, abs=0.02)


def test_after_a_week_of_silence_it_learns_anew() -> None:
    usual = Usual()
    for i, v in enumerate(still(3)):
        usual.fold(TEN * i, v, alarmed=False)
    before = usual.learning
    assert usual.fold(12 * DAY, 3.0, alarmed=False) == USUAL
    assert (before, usual.learning) == (False, True)
    assert usual.expected == 3.0


def test_memory_is_bounded() -> None:
    usual = Usual()
    for i, v in enumerate(still(40, period_s=60.0)):
        usual.fold(60.0 * i, v, alarmed=False)
    assert len(usual.hours) == len(usual.flat) == HOURS
    assert len(usual.tail) <= TAIL
    assert len(msgspec.msgpack.encode(usual)) < 2500
    assert usual.flat == sorted(usual.flat)


def test_a_gap_in_the_recession_is_no_new_rise() -> None:
    values = storm(1.2)
    items: list[Item] = [
        reading("s", "level", v, TEN * i, i)
        for i, v in enumerate(still(3) + [0.5 + h for h in values[:20]])
    ]
    gap = 13 * 3600  # the episode is given up
    begin = TEN * len(items) + gap
    items += [
        reading("s", "level", 0.5 + h * 2.0, begin + TEN * i, 9000 + i)
        for i, h in enumerate(values[60:100])
    ]
    (site,) = SPEC.sites(town(), FloodingConfig())
    known = run(SPEC, FloodingConfig(), site, items, tail_s=0)
    assert len(opened(known)) == 1
    assert [e.evidence.get("ended") for _, e in known if e.phase == "closed"] == ["no_reading"]


def test_a_line_of_the_citys_wins() -> None:
    lined = city(
        devices={"s": device("s", type="level", metrics=("level",))},
        drains=DrainNetwork(nodes={"s": Node(id="s", point=HERE, close_m=2.0)}, pipes={}),
    )
    (site,) = SPEC.sites(lined, FloodingConfig())
    items: list[Item] = [
        reading("s", "level", v, TEN * i, i) for i, v in enumerate(with_storm(still(3)))
    ]
    assert run(SPEC, FloodingConfig(), site, items, tail_s=0) == []  # 1.1 m of 2 m
    items = [reading("s", "level", v, TEN * i, i) for i, v in enumerate(with_storm(still(3), 1.8))]
    known = run(SPEC, FloodingConfig(), site, items, tail_s=0)
    assert known[0][1].evidence["lines"]["source"] == "city"


def test_a_neighbours_level_is_not_this_sensors() -> None:
    place = city(
        devices={
            "s": device("s", type="level", metrics=("level",)),
            "g": device("g", type="gauge", metrics=("rain_rate", "level")),
        }
    )
    (site,) = SPEC.sites(place, FloodingConfig())
    items: list[Item] = []
    for i, v in enumerate(with_storm(still(3))):
        items.append(reading("s", "level", 0.5, TEN * i, i))
        items.append(reading("g", "level", v, TEN * i, i))
    known = run(SPEC, FloodingConfig(), site, items, tail_s=0)
    assert {e.device for _, e in known} == {e.site for _, e in known} == {"g"}


def _sample(seed: int) -> Sample:
    """Two days, a storm, half a day: the detector's laws at 15-minute reports."""
    period = 900.0
    values = with_storm(still(2, period, seed), 0.5, period)
    (site,) = SPEC.sites(town(), FloodingConfig())
    return Sample(
        city=town(),
        site=site,
        items=tuple(reading("s", "level", v, period * i, i) for i, v in enumerate(values)),
        quiet_items=tuple(
            reading("s", "level", v, period * i, i) for i, v in enumerate(still(2, period))
        ),
    )


@pytest.mark.parametrize("law", [every_cut, duplicates_change_nothing, reorder_changes_nothing])
def test_the_laws_hold(law: Any) -> None:
    law(SPEC, _sample(1))


def test_showers_hours_apart_are_one_flood() -> None:
    first, second = storm(0.5)[:40], storm(0.6)
    values = still(3) + [0.5 + h for h in first] + [0.5 + first[-1] * 0.3 + h for h in second]
    assert len(opened(watch(values))) == 1
    assert HOLD_S > 3600


def test_time_runs_from_the_readings_alone() -> None:
    values = with_storm(still(3))
    shift = timedelta(days=1000, hours=5)
    (site,) = SPEC.sites(town(), FloodingConfig())
    base = [reading("s", "level", v, TEN * i, i) for i, v in enumerate(values)]
    moved: list[Item] = [
        msgspec.structs.replace(
            r, at=r.at + shift, received_at=r.received_at + shift, sent_at=r.at + shift
        )
        for r in base
        if isinstance(r, Reading)
    ]
    known = run(SPEC, FloodingConfig(), site, moved, tail_s=0)
    assert [(at - START - shift).total_seconds() for at, e in known if e.phase == "opened"] == (
        opened(watch(values))
    )
