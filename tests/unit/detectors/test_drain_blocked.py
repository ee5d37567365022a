"""A blocked drain: found by sensors above and below it, told from rain, mornings and faults."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from contracts.event import Event
from contracts.nouns import Quality, Reading
from detectors._common.drive import run
from detectors._common.sample import START, city, device, reading
from detectors.drain_blocked import SPEC
from detectors.drain_blocked.belief import Look, believe, held_back
from detectors.drain_blocked.config import DrainBlockedConfig
from detectors.drain_blocked.detect import DrainBlocked
from detectors.drain_blocked.flow import carried, level_at
from detectors.drain_blocked.gauge import Gauge, Sky
from detectors.drain_blocked.pair import Bond, Pair
from detectors.drain_blocked.sample import main_sewer, sample
from detectors.drain_blocked.shape import Course, course_of, creeps, fault_odds
from detectors.drain_blocked.sites import Layout, sites

CFG = DrainBlockedConfig()
FIVE = {"a": 0, "b": 1, "c": 2, "e": 4, "g": 6}
"""Sensors and the manholes they hang in: the pipes between c and e are p2 and p3."""
HOUR = 3600.0

Level = Callable[[int, float], float]
"""(manhole, seconds) → level, metres."""


def town(sensors: dict[str, int], rain: bool = False) -> Layout:
    return Layout(next(iter(sites(place(sensors, rain), CFG))), CFG)


def place(sensors: dict[str, int], rain: bool = False):  # type: ignore[no-untyped-def]
    network = main_sewer()
    devices = {
        name: device(name, metrics=("level",), point=network.nodes[f"m{k}"].point)
        for name, k in sensors.items()
    }
    if rain:
        devices["rain"] = device("rain", type="rain_gauge", metrics=("rain_rate",))
    return city(devices=devices, drains=network)


def told(
    sensors: dict[str, int],
    level: Level,
    hours: float = 10.0,
    every_s: float = 60.0,
    rain: Callable[[float], float] | None = None,
    backlog_h: float = 0.0,
) -> list[Event]:
    """What is told; of the first `backlog_h` hours everything comes at their end, device by
    device."""
    (site,) = sites(place(sensors, rain is not None), CFG)
    items: list[Reading] = []
    for step in range(int(hours * HOUR / every_s)):
        t = every_s * step
        if rain is not None:
            items.append(reading("rain", "rain_rate", rain(t), t + 1, step))
        for n, (name, k) in enumerate(sensors.items()):
            wave = 0.002 * math.sin(7.3 * step + 2.1 * n)  # never twice the same
            at = t + 5 + 3 * n
            items.append(reading(name, "level", round(level(k, at) + wave, 4), at, step))
    connected = START + timedelta(hours=backlog_h)
    late = sorted((i for i in items if i.at < connected), key=lambda item: item.device)
    items = [msgspec.structs.replace(i, received_at=connected) for i in late] + [
        i for i in items if i.at >= connected
    ]
    return [event for _, event in run(SPEC, CFG, site, items)]


def lagging(level: Level) -> list[Reading]:
    """Ten hours of readings, each minute."""
    return [
        reading(
            name, "level", round(level(k, 60.0 * n) + 0.002 * math.sin(7.3 * n + k), 4), 60.0 * n, n
        )
        for n in range(600)
        for name, k in FIVE.items()
    ]


def usual(k: int, t: float) -> float:
    """Households' water grows towards the outfall and with the morning."""
    return (0.08 + 0.01 * k) * (1 + 0.25 * math.sin(2 * math.pi * t / (24 * HOUR)))


def blocked(at: int, begin: float, grows: float = HOUR) -> Level:
    """That pipe shuts: a metre of pool above it, a trickle below."""

    def level(k: int, t: float) -> float:
        shut = min(max((t - begin) / grows, 0.0), 1.0)
        pool = shut - 0.5 * (at - k)
        return max(usual(k, t), pool) if k <= at else usual(k, t) * (1 - 0.6 * shut)

    return level


def test_a_pipe_that_blocks_on_a_dry_day_is_found_within_half_an_hour_and_named() -> None:
    events = told(FIVE, blocked(2, 6 * HOUR))
    first = events[0]
    known = first.evidence["sensors"]
    assert first.phase == "opened"
    assert first.evidence["pipes"][0][0] in ("p2", "p3")
    assert sum(p for _, p in first.evidence["pipes"]) == pytest.approx(1, abs=0.01)
    assert START + timedelta(hours=6) <= first.at <= START + timedelta(hours=6, minutes=30)
    assert {s["side"] for s in known} >= {"above"}
    assert len(first.evidence["why"]) == len(first.evidence["why_zh"]) >= 2


def test_the_event_says_where_the_likeliest_pipe_is() -> None:
    event = told(FIVE, blocked(2, 6 * HOUR))[0]
    pipe = main_sewer().pipes[event.evidence["pipes"][0][0]]
    assert min(p.lat for p in pipe.path) < event.place.lat < max(p.lat for p in pipe.path)
    assert event.site == "drains-m7"


def test_when_levels_are_usual_again_it_closes() -> None:
    def jetted(k: int, t: float) -> float:
        return blocked(2, 4 * HOUR)(k, t) if t < 6 * HOUR else usual(k, t)

    events = told(FIVE, jetted)
    assert [e.phase for e in events if e.phase != "updated"] == ["opened", "closed"]
    assert events[-1].evidence["ended"] == "below"
    assert len({e.id for e in events}) == 1


@pytest.mark.parametrize("every_s", [300.0, 900.0])
def test_rare_reports_are_enough(every_s: float) -> None:
    assert told(FIVE, blocked(2, 6 * HOUR), every_s=every_s, hours=12)[0].phase == "opened"


def test_a_day_of_nothing_but_households_is_quiet() -> None:
    assert told(FIVE, usual, hours=24, every_s=300) == []


def test_rain_on_all_of_them_is_no_blockage() -> None:
    def storm(k: int, t: float) -> float:
        return usual(k, t) * (1 + 2.0 * math.exp(-(((t - 6.5 * HOUR) / 1800) ** 2)))

    def rain(t: float) -> float:
        return 20.0 if 5.5 * HOUR < t < 7 * HOUR else 0.0

    assert told(FIVE, storm, rain=rain) == []
    assert told(FIVE, storm) == []


def test_a_backlog_device_by_device_is_compared_when_all_of_it_is_there() -> None:
    def storm(k: int, t: float) -> float:
        wet = max(0.0, 1 - abs(t - 9.5 * HOUR) / HOUR)
        return usual(k, t) * (1 + 3 * wet)

    def rain(t: float) -> float:
        return 40.0 if 8.6 * HOUR < t < 9.4 * HOUR else 0.0

    assert told(FIVE, storm, 10.5, rain=rain, backlog_h=9.2) == [], "rain for all, told in turn"
    at_once = told(FIVE, blocked(2, 6 * HOUR), 10.0)
    (first, *_) = told(FIVE, blocked(2, 6 * HOUR), 10.0, backlog_h=8.0)
    assert first.at == at_once[0].at, "as if it had been heard in time"
    named, now = dict(first.evidence["pipes"]), dict(at_once[0].evidence["pipes"])
    assert named == pytest.approx(now, abs=0.01), "looks of a backlog fall on other minutes"


def test_clocks_that_all_lag_move_time_after_an_hour() -> None:
    (site,) = sites(place(FIVE), CFG)
    items = [
        msgspec.structs.replace(i, received_at=i.at + timedelta(minutes=30))
        for i in lagging(blocked(2, 6 * HOUR))
    ]
    assert run(SPEC, CFG, site, items)


def test_a_pipe_that_presses_and_brings_little_is_blocked() -> None:
    up, down = Gauge(height=0.6), Gauge(height=0.6)
    bond = Bond(drop_m=2.0, lag_s=600.0, share=0.5, crown_m=0.6, least_log=-1.0, below_log=-1.0)
    up.value = 1.5
    for level, pressed in ((0.15, True), (0.45, False), (1.0, False)):
        down.value, down.flow = level, carried(level, 0.6)
        assert Pair.pressed(up, down, bond) is pressed, level
    up.value = 0.65  # no head to speak of
    down.value, down.flow = 0.15, carried(0.15, 0.6)
    assert not Pair.pressed(up, down, bond)
    assert not Pair.pressed(up, down, msgspec.structs.replace(bond, crown_m=None))


def test_a_leap_between_rare_readings_or_in_rain_speaks_less_of_a_fault() -> None:
    gauge = Gauge(value=1.0, usual=carried(0.1, 0.6), flow=carried(1.0, 0.6), leap=0.9)
    gauge.middle = carried(0.1, 0.6)
    often = fault_odds(gauge, False, CFG)
    gauge.every_s = 900.0
    assert fault_odds(gauge, False, CFG) < often - 1
    gauge.every_s = 60.0
    assert fault_odds(gauge, True, CFG) < often - 1


def test_a_sensor_that_leaps_alone_is_its_own_fault() -> None:
    def debris(k: int, t: float) -> float:
        return 0.9 if k == 2 and t > 6 * HOUR else usual(k, t)

    assert told(FIVE, debris) == []


def test_a_course_is_a_line_after_a_hinge() -> None:
    def rows(bend: float) -> list[tuple[float, float]]:
        rises = [max(0.0, k - 10) / 20 for k in range(30)]
        return [(300.0 * k, 0.2 * rise**bend) for k, rise in enumerate(rises)]

    line, curve = course_of(rows(1.0)), course_of(rows(0.4))
    assert line is not None and curve is not None
    assert line.moved == pytest.approx(0.19, abs=0.01) and line.off < 0.002
    assert creeps(line) > 1 and creeps(curve) < 0
    assert course_of(rows(1.0)[:4]) is None
    fallen = course_of([*rows(1.0), (9000.0, 0.05)])
    assert fallen is not None and fallen.fallen == pytest.approx(0.74, abs=0.01)
    assert creeps(Course(0.04, 0.0, 0.0)) < creeps(line), "centimetres show no shape"


def test_water_missing_below_speaks_for_a_blockage_and_more_of_it_against() -> None:
    def said(lean: float, share: float = 0.8) -> float:
        return held_back(share, Look(0, None, -3.0, lean, 0.2))

    assert said(-1.0) > 1.5
    assert 0 > said(0.0) > -1 > said(1.0)
    assert said(-1.0, share=0.05) == 0, "a side branch is not missed"


def test_what_stands_higher_than_a_pool_is_not_of_it() -> None:
    layout = town(FIVE)
    looks = {
        "a": Look(1, 10.9, -3.0),
        "c": Look(1, 9.4, -3.0),
        "e": Look(0, 8.1, -3.0),
        "g": Look(0, 7.1, -3.0),
    }
    assert believe(layout, looks, {}, -2.0).members == ("a", "c")
    assert len(believe(layout, looks, {}, -2.0, slack_m=0.3).members) == 1
    assert believe(layout, looks, {}, -2.0, near={"c"}, slack_m=0.3).members == ("c",)
    assert believe(layout, looks, {}, -2.0, near={"a"}, slack_m=0.3).members == ("a",)


def test_water_that_presses_under_a_bolted_cover_is_water() -> None:
    gauge = Gauge(top=4.5)
    gauge.fold([(60.0, 0.1), (120.0, 6.3), (180.0, 6.4), (240.0, 65.535)], Sky(), False, CFG)
    assert gauge.last == [0.1, 4.5, 4.5]


def test_the_further_off_the_sooner_it_is_believed_in_rain() -> None:
    def believed_after(level: float) -> float:
        gauge, sky = Gauge(height=0.6), Sky(known=True, wet=True, ebb=1.0)
        gauge.fold([(60.0 * k, 0.1 + 0.001 * (k % 2)) for k in range(200)], sky, False, CFG)
        gauge.spread = 0.1
        for k in range(200, 400):
            gauge.fold([(60.0 * k, level + 0.001 * (k % 2))], sky, False, CFG)
            if gauge.sign:
                return 60.0 * (k - 200)
        return math.inf

    assert believed_after(2.0) < believed_after(0.5) < CFG.wet_hold_s * 1.5


def test_a_sensor_that_repeats_itself_says_nothing() -> None:
    (site,) = sites(place(FIVE), CFG)
    items = []
    for step in range(600):
        t = 60.0 * step
        for n, (name, k) in enumerate(FIVE.items()):
            level = usual(k, t) + 0.002 * math.sin(7.3 * step + n)
            if name == "e" and step > 300:
                level = 0.02  # low, and the same for ever
            items.append(reading(name, "level", level, t + 3 * n, step))
    assert run(SPEC, CFG, site, items) == []


def test_a_lonely_sensor_warns_of_water_that_stands_for_hours() -> None:
    events = told({"c": 2}, blocked(3, 5 * HOUR), hours=14, every_s=300)
    assert events[0].phase == "opened"
    assert len(events[0].evidence["pipes"]) > 1
    assert any("rain gauge" in why for why in events[0].evidence["why"])
    assert any("雨量计" in why for why in events[0].evidence["why_zh"])


def test_readings_the_screen_found_faulty_and_impossible_levels_are_left_out() -> None:
    (site,) = sites(place({"c": 2}), CFG)
    detector = DrainBlocked(CFG, site, None)
    for step, (level, quality) in enumerate(
        [(0.1, 0), (99.99, 0), (-999.0, 0), (0.5, int(Quality.OUT_OF_RANGE)), (0.1, 0)]
    ):
        item = reading("c", "level", level, 100.0 * step, step)
        list(detector.on_item(msgspec.structs.replace(item, quality=quality)))
    state = msgspec.json.decode(msgspec.json.encode(msgspec.msgpack.decode(detector.snapshot())))
    assert state["gauges"]["c"]["last"] == [0.1]


def test_a_clock_that_runs_ahead_does_not_move_time() -> None:
    (site,) = sites(place({"c": 2}), CFG)
    detector = DrainBlocked(CFG, site, None)
    ahead = reading("c", "level", 0.1, 7200.0)
    early = msgspec.structs.replace(ahead, received_at=START)
    list(detector.on_item(early))
    assert msgspec.msgpack.decode(detector.snapshot())["turns"]["next"] == -math.inf


def test_levels_and_flows_turn_into_each_other() -> None:
    for level in (0.03, 0.1, 0.25, 0.39, 0.55):
        assert level_at(carried(level, 0.4), 0.4) == pytest.approx(level, abs=0.003)
    half, full = carried(0.2 - 0.02, 0.4), carried(0.4 - 0.02, 0.4)
    assert math.exp(half - full) == pytest.approx(0.5, abs=0.12)  # half full, half the flow


def test_the_pool_must_reach_whoever_would_stand_lower() -> None:
    layout = town(FIVE)
    high = {"c": Look(1, 10.0, -3.0)}  # its invert is at 9.0
    calm = {"e": Look(0, 8.1, -3.0), "g": Look(0, 7.1, -3.0)}
    belief = believe(layout, {**high, **calm}, {}, -2.0)
    assert belief.pipes[0][0] == "p2"
    assert dict(belief.pipes)["p4"] < 0.05  # e would stand in the pool


def test_a_water_level_between_two_sensors_that_both_changed_is_surer_than_one() -> None:
    layout = town(FIVE)
    one = believe(layout, {"c": Look(1, 9.9, -3.0), "e": Look(0, 8.1, -3.0)}, {}, -2.0)
    two = believe(
        layout, {"c": Look(1, 9.9, -3.0), "e": Look(-1, 8.02, -3.0)}, {("c", "e"): 1}, -2.0
    )
    assert two.odds > one.odds + 1


def test_a_city_without_drains_has_no_site() -> None:
    assert list(sites(city(devices={"c": device("c", metrics=("level",))}), CFG)) == []


def test_a_rain_gauge_of_the_same_place_comes_along() -> None:
    (site,) = sites(place(FIVE, rain=True), CFG)
    assert [d.id for d in site.devices] == ["a", "b", "c", "e", "g", "rain"]


def test_the_sample_is_what_it_says() -> None:
    one = sample(3)
    assert len({d.id for d in one.site.devices}) == 5
