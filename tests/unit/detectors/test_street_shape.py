"""Water in a street: how likely it comes to its line, by its shape so far."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from contracts.nouns import Item
from detectors._common.drive import Known, run
from detectors._common.sample import START, city, device, reading
from detectors.flooding import SPEC
from detectors.flooding.config import FloodingConfig
from detectors.flooding.forecast import paces
from detectors.flooding.shape import features, likely

CFG = FloodingConfig()
LINE = 0.27
DRY = [(60.0 * i, 0.0) for i in range(40)]


def steady(cm_a_minute: float, to: float, every_s: float = 60.0) -> list[tuple[float, float]]:
    """Rises from a dry road to that share of the line."""
    pace = cm_a_minute / 6000
    count = round(to * LINE / pace / every_s)
    dry = [(every_s * i, 0.0) for i in range(40)]
    return (dry + [(every_s * (39 + i), pace * every_s * i) for i in range(1, count + 1)])[-60:]


def tide(peak: float, metres: float = 0.8) -> list[tuple[float, float]]:
    """What of a half-daily tide comes over the road, up to its turn."""
    omega = 2 * math.pi / 44_700
    half = math.acos(1 - peak / metres) / omega
    count = round(half / 60)
    rise = [
        (60.0 * (40 + i), peak - metres * (1 - math.cos(omega * 60 * (count - i))))
        for i in range(count + 1)
    ]
    return DRY + [(t, max(v, 0.0)) for t, v in rise]


def watch(series: list[tuple[float, float]]) -> list[Known]:
    place = city(devices={"s": device("s", metrics=("depth",))})
    items: list[Item] = [reading("s", "depth", v, t, i) for i, (t, v) in enumerate(series)]
    (site,) = SPEC.sites(place, CFG)
    return run(SPEC, CFG, site, items, tail_s=0)


def test_faster_and_fuller_water_is_likelier_to_reach_the_line() -> None:
    """Beyond a centimetre a minute it hardly matters how fast: such water is told of."""
    by_pace = [likely(steady(pace, 0.5), 0.0, LINE) for pace in (0.1, 0.2, 0.3, 0.5, 1.0)]
    assert by_pace == sorted(by_pace)
    for pace in (1.0, 2.0, 4.0, 8.0):
        assert likely(steady(pace, 0.6), 0.0, LINE) > CFG.street_chance + 0.1
    by_height = [likely(steady(0.6, to), 0.0, LINE) for to in (0.2, 0.4, 0.6, 0.8, 0.95)]
    assert by_height == sorted(by_height)
    assert by_pace[-1] > CFG.street_chance > by_pace[0]


def test_water_that_slows_down_is_less_likely_than_water_that_does_not() -> None:
    slowed = [(t, LINE * 0.5 * (1 - math.exp(-i / 6))) for i, (t, _) in enumerate(DRY[:20])]
    slowed = [(t - 3600.0, 0.0) for t, _ in DRY] + slowed
    height = slowed[-1][1] / LINE
    assert likely(slowed, 0.0, LINE) < 0.5 * likely(steady(1.0, height), 0.0, LINE)


def test_a_tide_that_turns_well_below_the_line_is_not_told() -> None:
    assert watch(tide(0.12)) == []


def test_a_tide_that_comes_over_the_line_is_told_before() -> None:
    series = tide(0.36)
    reached = next(t for t, v in series if v >= LINE)
    first = watch(series)[0][0]
    assert first < START + timedelta(seconds=reached - 600)


@pytest.mark.parametrize("every", [5.0, 20.0, 60.0, 300.0, 900.0, 7200.0])
def test_reports_at_any_rate_give_a_probability(every: float) -> None:
    for pace in (0.01, 0.3, 3.0, 30.0):
        points = [(t * every / 60, v) for t, v in steady(pace, 0.9)]
        assert all(map(math.isfinite, features(points, 0.0, LINE)))
        assert 0.0 <= likely(points, 0.0, LINE) <= 1.0


def test_a_gap_of_two_hours_is_no_shower() -> None:
    after = [*DRY, (DRY[-1][0] + 7200.0, 0.10)]
    at_once = [*DRY, (DRY[-1][0] + 60.0, 0.10)]
    assert likely(after, 0.0, LINE) < 0.2 < likely(at_once, 0.0, LINE)


def test_only_the_way_to_the_line_counts_not_the_datum() -> None:
    points = steady(1.0, 0.6)
    raised = [(t + 1e6, v + 40.0) for t, v in points]
    assert likely(raised, 40.0, 40.0 + LINE) == pytest.approx(likely(points, 0.0, LINE), rel=1e-6)


def test_one_reading_alone_has_no_pace() -> None:
    assert paces([(0.0, 0.2)]) == (0.0, 0.0, 0.0)
    assert watch([(0.0, 0.2)]) == []


def test_the_chance_is_told_in_words_of_streets() -> None:
    first = watch(steady(2.0, 0.9))[0][1].evidence
    assert first["chance"] >= CFG.street_chance
    assert any("streets that filled like this" in told for told in first["why"])
    assert any("路段" in told for told in first["why_zh"])
