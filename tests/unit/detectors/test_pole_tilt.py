"""Poles that lean for good, and everything that moves their sensors for a while."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest

from bench.lines import poles as bench
from contracts.city import City, Work
from contracts.event import Event
from contracts.nouns import Item, Reading
from detectors._common.drive import Known, run
from detectors._common.sample import START, city, device, reading
from detectors.pole_tilt import SPEC
from detectors.pole_tilt.config import PoleConfig
from detectors.pole_tilt.pole import middle, quartile
from detectors.pole_tilt.sites import is_pole, sites

DAY, HOUR = 86400.0, 3600.0
PAIR = ("tilt_x", "tilt_y")
Lean = Callable[[float], tuple[float, float]]
"""Seconds since START → lean along x and y, degrees."""
HIT = 20 * DAY + 1000.0


def line(*names: str, metrics: tuple[str, ...] = (*PAIR, "tilt", "vibration")) -> City:
    return city(
        devices={n: device(n, type="pole_tilt", site="line-1", metrics=metrics) for n in names}
    )


def upright(_: float) -> tuple[float, float]:
    return 0.0, 0.0


def pushed(x: float, y: float = 0.0, at: float = HIT, until: float = 1e12) -> Lean:
    return lambda t: (x, y) if at <= t < until else (0.0, 0.0)


def pole(
    lean: Lean,
    days: float,
    name: str = "p",
    every_s: float = 1800.0,
    sway: Callable[[float], float] = lambda t: 0.05,
    single: bool = False,
    seed: int = 1,
) -> list[Item]:
    """Reports of one pole: its rest, the day's warmth, sway, and how it leans."""
    rng = np.random.default_rng(seed)
    items: list[Item] = []
    for k in range(int(days * DAY / every_s)):
        t = every_s * k + float(rng.uniform(0, 20))
        warm = 0.25 * math.sin(2 * math.pi * t / DAY)
        by = lean(t)
        x = 0.6 + warm + by[0] + float(rng.normal(0, sway(t)))
        y = -0.9 + by[1] + float(rng.normal(0, sway(t)))
        if single:
            items.append(reading(name, "tilt", round(math.hypot(x, y), 2), t, k))
        else:
            items.append(reading(name, "tilt_x", round(x, 2), t, k))
            items.append(reading(name, "tilt_y", round(y, 2), t, k))
    return items


def watched(items: Iterable[Item], where: City | None = None) -> list[Known]:
    where = where or line("p")
    (site,) = sites(where, PoleConfig())
    ordered = sorted(items, key=lambda item: item.received_at)
    return run(SPEC, PoleConfig(), site, ordered, tail_s=HOUR)


def ids(known: list[Known]) -> set[str]:
    return {e.id for _, e in known}


def delay_h(known: list[Known], state: str, at: float = HIT) -> float:
    when = next(when for when, e in known if e.evidence["state"] == state)
    return ((when - START).total_seconds() - at) / HOUR


def last(known: list[Known]) -> Event:
    return known[-1][1]


def test_the_middle_of_a_coarse_sensor_lies_between_its_steps() -> None:
    assert middle([0.0] * 6 + [0.9] * 6) == pytest.approx(0.45)
    assert middle([0.0, 0.0, 0.0, 0.0, 90.0]) == 0.0
    assert quartile([0.0, 1.0, 2.0, 3.0], 0.25) == 0.75


def test_poles_and_lamp_posts_are_watched_but_no_covers_and_no_slopes() -> None:
    tilt = ("tilt",)
    assert is_pole(device("a", type="pole_tilt", metrics=tilt))
    assert is_pole(device("a", type="street_light", metrics=("lamp_current", "tilt_x")))
    assert is_pole(device("a", type="line_monitor", metrics=("voltage_a", "tilt")))
    assert not is_pole(device("a", type="line_monitor", metrics=("voltage_a",)))
    assert not is_pole(device("a", type="manhole_cover", metrics=tilt))
    assert not is_pole(device("a", type="slope", metrics=tilt))


@pytest.mark.parametrize(
    ("degrees", "suspected_h", "confirmed_h", "severity"),
    [(1.5, 48.0, 75.0, 2), (3.0, 14.0, 26.0, 3), (10.0, 7.0, 12.0, 4), (45.0, 1.1, 1.6, 5)],
)
def test_a_lean_is_told_the_sooner_the_larger_it_is(
    degrees: float, suspected_h: float, confirmed_h: float, severity: int
) -> None:
    known = watched(pole(pushed(0.6 * degrees, 0.8 * degrees), 26))
    assert len(ids(known)) == 1
    assert delay_h(known, "suspected") <= suspected_h
    assert delay_h(known, "confirmed") <= confirmed_h
    assert last(known).severity == severity
    assert last(known).evidence["lean"] == pytest.approx(degrees, abs=0.4)
    assert abs((last(known).at - START).total_seconds() - HIT) <= 2.1 * HOUR


def test_a_single_angle_is_enough_for_larger_leans() -> None:
    known = watched(pole(pushed(3.0), 26, single=True))
    assert len(ids(known)) == 1
    assert last(known).evidence["state"] == "confirmed"
    assert last(known).evidence["metric"] == "tilt"
    assert last(known).evidence["lines"]["rest"] == pytest.approx(1.1, abs=0.3)


@pytest.mark.parametrize("every_s", [300.0, 6 * HOUR, DAY])
def test_however_seldom_a_pole_reports(every_s: float) -> None:
    known = watched(pole(pushed(4.0, 3.0), 36, every_s=every_s))
    assert len(ids(known)) == 1
    assert last(known).evidence["state"] == "confirmed"


def test_a_pole_that_is_put_right_again_is_closed() -> None:
    known = watched(pole(pushed(4.0, until=HIT + 3 * DAY), 30))
    assert len(ids(known)) == 1
    assert last(known).phase == "closed"
    assert last(known).evidence["ended"] == "back"


def test_a_blow_and_a_jump_are_suspected_at_once_and_confirmed_when_it_stays() -> None:
    items = [*pole(pushed(4.0), 22), reading("p", "vibration", 31.0, HIT)]
    known = watched(items)
    assert known[0][1].evidence["what"] == "struck"
    assert known[0][1].evidence["vibration"] == 31.0
    assert delay_h(known, "suspected") <= 0.6
    assert delay_h(known, "confirmed") <= 2.1
    assert len(ids(known)) == 1


def test_a_blow_that_leaves_no_lean_closes_what_was_suspected() -> None:
    items = [*pole(pushed(5.0, until=HIT + 1800), 21), reading("p", "vibration", 31.0, HIT)]
    items.append(reading("p", "tilt_x", 5.6, HIT + 5))
    known = watched(items)
    assert {e.evidence["state"] for _, e in known} <= {"suspected"}
    assert last(known).evidence["ended"] == "back"


def test_a_blow_alone_is_nothing() -> None:
    assert watched([*pole(upright, 21), reading("p", "vibration", 60.0, HIT)]) == []


def test_a_storm_of_a_day_is_wind_with_two_axes_and_with_one() -> None:
    def storm(t: float) -> float:
        return 5.0 if HIT <= t < HIT + 30 * HOUR else 0.05

    for single in (False, True):
        known = watched(pole(upright, 26, sway=storm, single=single))
        assert known == []


def test_a_steady_wind_that_bends_all_poles_is_not_told_of_each() -> None:
    names = ("p", "q", "r", "s")
    gale = pushed(3.2, until=HIT + 20 * HOUR)
    items = [i for k, n in enumerate(names) for i in pole(gale, 24, n, seed=k)]
    assert watched(items, line(*names)) == []
    alone = pole(gale, 24, "p")
    calm = [i for k, n in enumerate(names[1:]) for i in pole(upright, 24, n, seed=k)]
    known = watched([*alone, *calm], line(*names))
    assert len(ids(known)) == 1
    wind = next(a for a in known[0][1].evidence["alternatives"] if a["what"] == "wind")
    assert "3 other poles" in wind["why"]
    assert wind["p"] < 0.01


def test_a_row_of_poles_that_is_pulled_down_is_told_after_the_wind() -> None:
    names = ("p", "q", "r", "s")
    items = [i for k, n in enumerate(names) for i in pole(pushed(6.0), 24, n, seed=k)]
    known = watched(items, line(*names))
    assert len(ids(known)) == 4
    assert all(delay_h(known[:1], "suspected") <= 40 for _ in "x")


def test_a_shaken_row_is_a_storm_not_four_lorries() -> None:
    names = ("p", "q", "r", "s")
    items = [i for k, n in enumerate(names) for i in pole(upright, 21, n, seed=k)]
    for n in names:
        items.append(reading(n, "vibration", 12.0, HIT + len(n)))
        items.append(reading(n, "tilt_x", 4.5, HIT + 30))
    assert watched(items, line(*names)) == []


def test_slow_drift_is_followed_but_months_of_creep_are_told() -> None:
    def creeps(t: float) -> tuple[float, float]:
        return 0.022 * t / DAY, 0.0

    drift = watched(pole(lambda t: (0.008 * t / DAY, 0.0), 150, every_s=4 * HOUR))
    assert drift == []
    known = watched(pole(creeps, 150, every_s=4 * HOUR))
    assert known[0][1].evidence["what"] == "creep"
    assert len(ids(known)) == 1


def test_a_wild_reading_is_no_fall() -> None:
    items = [*pole(upright, 21), reading("p", "tilt_x", 71.0, HIT)]
    assert watched(items) == []


def test_a_sensor_that_was_mounted_anew_is_no_fall() -> None:
    before = pole(upright, 20, single=True)
    after = pole(lambda t: (165.0, 0.0), 30, single=True)
    items = [i for i in after if (i.received_at - START).total_seconds() > 25 * DAY]
    assert watched([*before, *items]) == []


def test_a_change_after_a_silence_says_that_the_sensor_may_sit_otherwise() -> None:
    items = [
        i
        for i in pole(pushed(8.0, at=22 * DAY), 27)
        if not 20 * DAY < (i.received_at - START).total_seconds() < 24 * DAY
    ]
    known = watched(items)
    moved = next(a for a in known[0][1].evidence["alternatives"] if a["what"] == "sensor_moved")
    assert moved["p"] > 0.3
    assert any("silent" in w for w in known[0][1].evidence["why"])


def test_planned_works_at_the_pole_explain_how_it_stands_afterwards() -> None:
    work = Work(
        id="W-7",
        kind="pole",
        start=START + timedelta(seconds=HIT - HOUR),
        end=START + timedelta(seconds=HIT + 6 * HOUR),
        assets=("p",),
    )
    where = msgspec.structs.replace(line("p"), works=(work,))
    assert watched(pole(pushed(6.0), 26), where) == []


def test_silence_ends_an_open_event_as_unknown_and_says_nothing_else() -> None:
    items = [i for i in pole(pushed(6.0), 24) if i.received_at < START + timedelta(days=22)]
    where = line("p")
    (site,) = sites(where, PoleConfig())
    known = run(SPEC, PoleConfig(), site, items, tail_s=20 * DAY)
    assert last(known).evidence["ended"] == "no_reading"
    assert watched(pole(upright, 3)) == []


def test_every_revision_says_why_in_both_languages_and_shows_a_curve() -> None:
    known = watched(pole(pushed(3.0, 1.0), 24))
    for _, event in known:
        assert event.evidence["why"]
        assert len(event.evidence["why"]) == len(event.evidence["why_zh"])
        assert len(event.evidence["curve"]) > 10
        assert {a["what"] for a in event.evidence["alternatives"]} == {
            "wind", "sensor_moved", "works",
        }  # fmt: skip
        assert any("15/1000" in w for w in event.evidence["why"])


@pytest.mark.recordings
def test_the_real_tower_leans_never_where_a_threshold_says_so_every_day(recordings: Path) -> None:
    sway = bench.tower(recordings)
    days = bench.days_heard(sway.at)
    tilt = np.hypot(sway.xy[:, 0], sway.xy[:, 1])
    assert bench.onsets(tilt, 1) * 365 / days > 200
    for single in (False, True):
        assert bench.watch(bench.as_heard(sway, single)) == []


@pytest.mark.recordings
def test_leans_upon_the_towers_own_sway_are_found(recordings: Path) -> None:
    pieces = bench.blocks(bench.tower(recordings))
    for degrees, single in ((1.5, False), (3.0, False), (3.0, True), (45.0, True)):
        rng = np.random.default_rng(11)
        told = [bench.leaned(rng, pieces, degrees, single, 7.0) for _ in range(4)]
        assert all(one.suspected_h is not None for one in told), (degrees, single)


def test_readings_out_of_this_world_are_left_out() -> None:
    wild = [
        Reading(
            "p", "tilt_x", v, START + timedelta(seconds=HIT + k), START + timedelta(seconds=HIT + k)
        )
        for k, v in enumerate((-999.0, 1e9, -3276.8, 655.35))
    ]
    assert watched([*pole(upright, 21), *wild]) == []
