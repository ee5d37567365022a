"""Lines, stages and what is no flood."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from contracts.city import City, DrainNetwork, Node
from contracts.geo import Point
from contracts.nouns import Item, Quality
from detectors._common.drive import Known, run
from detectors._common.sample import START, city, device, reading
from detectors.flooding import SPEC
from detectors.flooding.config import FloodingConfig
from detectors.flooding.lines import Lines, lines_of

HERE = Point(118.78, 31.26)


def town(metrics: tuple[str, ...], node: Node | None = None, **fields: Any) -> City:
    drains = DrainNetwork(nodes={node.id: node}, pipes={}) if node else None
    return city(devices={"d": device("d", metrics=metrics, **fields)}, drains=drains)


def watch(values: list[float], period_s: float = 60.0, where: City | None = None) -> list[Known]:
    place = where or town(("depth",))
    metric = "depth" if "depth" in place.devices["d"].metrics else "level"
    items: list[Item] = [reading("d", metric, v, period_s * i, i) for i, v in enumerate(values)]
    (site,) = SPEC.sites(place, FloodingConfig())
    return run(SPEC, FloodingConfig(), site, items, tail_s=0)


def node(id: str = "d", **fields: Any) -> Node:
    return Node(id=id, point=HERE, **fields)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (town(("depth",)), {"depth": Lines(0.15, 0.27, "default")}),
        (
            town(("level",), node(warn_m=1.0, close_m=1.5)),
            {"level": Lines(1.0, 1.5, "city")},
        ),
        (
            town(("depth",), node("elsewhere", warn_m=0.1, close_m=0.2)),
            {"depth": Lines(0.1, 0.2, "city")},
        ),
        (
            town(("level",), node("n", invert_m=2.0, rim_m=4.0), site="n"),
            {"level": Lines(1.6, 2.0, "rim")},
        ),
        (
            town(("level", "depth"), node(invert_m=0, rim_m=2.0, warn_m=0.1, close_m=0.3)),
            {"depth": Lines(0.1, 0.3, "city"), "level": Lines(1.6, 2.0, "rim")},
        ),
    ],
)
def test_lines_come_from_the_city_then_the_rim_then_the_defaults(
    where: City, expected: dict[str, Lines]
) -> None:
    (site,) = SPEC.sites(where, FloodingConfig())
    assert lines_of(site, FloodingConfig()) == expected


def test_a_level_without_line_or_rim_has_none() -> None:
    (site,) = SPEC.sites(town(("level",)), FloodingConfig())
    assert lines_of(site, FloodingConfig()) == {}


def test_a_node_too_far_away_lends_no_lines() -> None:
    far = Node(id="far", point=Point(118.79, 31.26), warn_m=0.01, close_m=0.02)
    (site,) = SPEC.sites(town(("depth",), far), FloodingConfig())
    assert lines_of(site, FloodingConfig())["depth"].source == "default"


def test_a_flood_goes_through_its_stages_once() -> None:
    rise = [0.02 * i for i in range(20)]
    fall = [0.38 - 0.01 * i for i in range(38)]
    known = watch([0.0] * 30 + rise + fall + [0.0] * 20)
    stages = [e.evidence["stage"] for _, e in known]
    assert list(dict.fromkeys(stages)) == ["forecast", "observed", "receding"]
    assert known[-1][1].phase == "closed"
    assert len({e.id for _, e in known}) == 1


def test_the_forecast_brackets_the_truth_on_a_steady_rise() -> None:
    values = [0.0] * 30 + [0.01 * i for i in range(40)]
    first = watch(values)[0][1].evidence["overflow_at"]
    truth = START + timedelta(seconds=60 * (30 + 27))
    assert first["low"] <= first["at"] <= first["high"]
    assert first["low"] <= truth.strftime("%Y-%m-%dT%H:%M:%SZ") <= first["high"]


@pytest.mark.parametrize("flag", [Quality.STUCK, Quality.OUT_OF_RANGE])
def test_a_faulty_reading_is_no_flood(flag: Quality) -> None:
    (site,) = SPEC.sites(town(("depth",)), FloodingConfig())
    bad = msgspec.structs.replace(reading("d", "depth", 3.0, 600), quality=int(flag))
    items = [reading("d", "depth", 0.0, 60.0 * i) for i in range(10)]
    assert run(SPEC, FloodingConfig(), site, [*items, bad]) == []


def test_a_spike_is_taken_back_by_the_reading_that_returns() -> None:
    """The screen marks the reading that came back; the one before it was the spike."""
    (site,) = SPEC.sites(town(("depth",)), FloodingConfig())
    items = [reading("d", "depth", 0.24 if i == 10 else 0.0, 60.0 * i) for i in range(60)]
    items[11] = msgspec.structs.replace(items[11], quality=int(Quality.SPIKE))
    opened, closed = run(SPEC, FloodingConfig(), site, items)
    assert closed[0] - opened[0] == timedelta(seconds=60)
    assert closed[1].evidence["ended"] == "spike"


def test_a_leap_that_no_water_makes_is_believed_only_when_the_next_reading_says_so_too() -> None:
    assert watch([0.0] * 30 + [0.5] + [0.0] * 10) == []
    known = watch([0.0] * 30 + [0.5, 0.52])
    assert known[0][0] - START < timedelta(minutes=31, seconds=1)
    assert known[0][1].evidence["stage"] == "observed"


def test_one_wild_low_reading_does_not_move_what_is_usual() -> None:
    where = town(("level",), node(warn_m=1.0, close_m=1.5))
    calm = [0.3] * 200
    rise = [0.3 + 0.03 * i for i in range(50)]
    fall = [1.8 - 0.05 * i for i in range(30)]
    known = watch([*calm, -4.0, *calm[:20], *rise, *fall, *calm], where=where)
    assert len({e.id for _, e in known}) == 1
    assert known[-1][1].phase == "closed"


@pytest.mark.parametrize("period", [1.0, 60.0, 900.0])
def test_a_slow_small_puddle_is_no_flood_at_any_rate_of_reports(period: float) -> None:
    count = round(6 * 3600 / period)
    values = [0.12 * min(1.0, i / (0.7 * count)) for i in range(count)]
    assert watch(values, period) == []


@pytest.mark.parametrize("period", [5.0, 60.0, 300.0, 900.0])
def test_a_real_rise_is_known_before_the_line_at_any_rate_of_reports(period: float) -> None:
    """27 cm in 90 minutes."""
    values = [0.0] * 20 + [0.27 * i * period / 5400 for i in range(round(6000 / period))]
    known = watch(values, period)
    reached = next(i for i, v in enumerate(values) if v >= 0.27)
    assert known[0][0] < START + timedelta(seconds=period * reached)


def test_rare_reports_warn_before_the_report_that_would_be_too_late() -> None:
    """As a real street did: every five minutes 0, 13 and 40 cm."""
    known = watch([0.0] * 12 + [0.128, 0.398], 300.0)
    assert known[0][1].evidence["value"] == 0.128


def test_revisions_come_at_most_once_a_minute_unless_the_stage_changes() -> None:
    values = [0.0] * 60 + [0.0004 * i for i in range(900)]
    known = watch(values, 1.0)
    for (at, before), (later, after) in itertools.pairwise(known):
        same = before.evidence["stage"] == after.evidence["stage"]
        assert not same or before.severity != after.severity or later - at >= timedelta(seconds=60)


def test_a_flood_nobody_measures_any_more_ends_as_unknown() -> None:
    (site,) = SPEC.sites(town(("depth",)), FloodingConfig())
    items = [reading("d", "depth", 0.4, 60.0 * i) for i in range(5)]
    known = run(SPEC, FloodingConfig(), site, items, tail_s=86400)
    assert known[-1][1].phase == "closed"
    assert known[-1][1].evidence["ended"] == "no_reading"


def test_water_that_stands_above_the_line_from_the_first_reading_is_a_flood() -> None:
    assert watch([0.4, 0.4])[0][1].evidence["stage"] == "observed"
