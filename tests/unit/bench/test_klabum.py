"""Counting alarms in and out of storms, on records where the answer is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.water import klabum
from bench.water.klabum import Sensor, Storm

TEN = 600.0
DAY = 86400.0


def record(days: float, *steps: tuple[float, float, float], seed: int = 0) -> Sensor:
    """Ten-minute readings around 0.5 m; (begin, end, height) in days and metres are added."""
    t = np.arange(0, days * DAY, TEN)
    v = 0.5 + np.random.default_rng(seed).normal(0, 0.002, len(t))
    for begin, end, height in steps:
        v[(t >= begin * DAY) & (t < end * DAY)] += height
    return Sensor(f"s{seed}", True, t, v)


def test_the_rolling_median_is_that_of_the_last_two_days() -> None:
    sensor = record(6, (3, 4.5, 1.0))
    usual = klabum.rolling_median(sensor.t, sensor.v)
    for i in (0, 1, 200, 500, 640, 863):
        window = sensor.v[(sensor.t > sensor.t[i] - 2 * DAY) & (sensor.t <= sensor.t[i])]
        assert usual[i] == pytest.approx(np.median(window))


def test_alarms_half_a_day_apart_are_one() -> None:
    sensor = record(8, (3.0, 3.1, 0.3), (3.4, 3.5, 0.3), (5.0, 5.1, 0.3))
    begins = [begin / DAY for begin, _ in klabum.baselines(sensor)["median"]]
    assert begins == pytest.approx([3.0, 5.0], abs=0.01)


def test_a_single_reading_is_no_alarm_to_the_rules_that_wait() -> None:
    sensor = record(6, (3.0, 3.005, 0.5))
    found = klabum.baselines(sensor)
    assert len(found["median"]) == 1
    assert found["stays"] == found["gate"] == []


def test_the_gate_refuses_leaps_and_what_a_sensor_often_does() -> None:
    leap = record(6, (3.0, 3.1, 0.5))
    assert klabum.baselines(leap)["stays"]
    assert klabum.baselines(leap)["gate"] == [] or klabum.baselines(leap)["gate"][0][0] > 3 * DAY


def test_alarms_are_counted_where_they_began() -> None:
    sensor = record(100)
    storms = [Storm(10 * DAY, 12 * DAY), Storm(50 * DAY, 52 * DAY), Storm(400 * DAY, 401 * DAY)]
    reference = {sensor.name: [(11 * DAY, 13 * DAY), (51 * DAY, 51 * DAY), (70 * DAY, 70 * DAY)]}
    mine = {sensor.name: [(10.5 * DAY, 11 * DAY), (49.9 * DAY, 51 * DAY)]}
    tally = klabum.tally([sensor], storms, mine, reference)
    assert (tally.pairs, tally.kept) == (2, 1)
    assert tally.outside == 1
    assert tally.years == pytest.approx(96 / 365.25, rel=0.01)
    assert tally.per_year == pytest.approx(365.25 / 96, rel=0.01)
    assert tally.share_kept == 0.5
    # One alarm in 96 days outside: two windows of two days would hold 4 % of one by chance.
    assert tally.chance == pytest.approx(2 * (1 - np.exp(-2 / 96)), rel=0.02)


def test_gaps_are_not_watched() -> None:
    t = np.concatenate([np.arange(0, DAY, TEN), np.arange(50 * DAY, 51 * DAY, TEN)])
    sensor = Sensor("g", True, t, np.zeros(len(t)))
    tally = klabum.tally([sensor], [], {"g": []}, {"g": []})
    assert tally.years == pytest.approx(2 / 365.25, rel=0.05)


def with_a_rise(seed: int, height: float = 0.6) -> Sensor:
    n = 216
    rise = np.array([height * min(1.0, i / 9) * np.exp(-max(0, i - 9) / 24) for i in range(n)])
    sensor = record(8, seed=seed)
    sensor.v[3 * 144 : 3 * 144 + n] += rise
    return sensor


def test_ours_is_the_shipped_detector_in_a_town_of_these_sensors() -> None:
    (alarm,) = klabum.ours([with_a_rise(0)])["s0"]
    assert 3 * DAY < alarm[0] < 3 * DAY + 3600
    assert alarm[1] > alarm[0]
    assert klabum.ours([record(8, seed=1)]) == {"s1": []}
    # Ten that rise: an eleventh that is lifted for one report is told of at once.
    lifted = record(8, (3.2, 3.206, 0.2), seed=11)
    assert klabum.ours([lifted]) == {"s11": []}
    told = klabum.ours([*(with_a_rise(seed) for seed in range(10)), lifted])
    assert [len(told[f"s{seed}"]) for seed in range(10)] == [1] * 10
    assert [begin / DAY for begin, _ in told["s11"]] == pytest.approx([3.2], abs=0.01)


def test_in_a_bare_storm_ours_must_stand_at_some_time() -> None:
    bare = [Storm(10 * DAY, 11 * DAY), Storm(20 * DAY, 21 * DAY), Storm(30 * DAY, 31 * DAY)]
    reference = [(10.5 * DAY, 11 * DAY), (19.9 * DAY, 20.5 * DAY), (30.1 * DAY, 30.2 * DAY)]
    found = klabum.within(record(1), bare, [(9.0 * DAY, 10.1 * DAY)], reference)
    assert (found.pairs, found.kept) == (2, 1)


@pytest.mark.recordings
def test_the_storms_and_sensors_are_the_manifests(recordings: Path) -> None:
    storms = klabum.storms(recordings, 0.0)
    assert len(storms) == 47
    assert all(s.begin <= s.end for s in storms)
    assert storms[0].begin == 1618116000.0  # 2021-04-11 04:40 UTC
    sensors = klabum.load(recordings, every=20)
    assert sensors
    for sensor in sensors:
        assert (np.diff(sensor.t) > 0).all()
        assert np.isfinite(sensor.v).all()
    wider = klabum.storms(recordings)
    assert wider[0].begin == storms[0].begin - klabum.MARGIN_S


@pytest.mark.recordings
@pytest.mark.slow
def test_a_few_real_sensors_alarm_less_outside_storms_and_as_much_in_them(
    recordings: Path,
) -> None:
    windows = klabum.storms(recordings)
    sensors = [sensor for sensor in klabum.load(recordings, every=12) if sensor.clean]
    alarms = {s.name: {**klabum.baselines(s), "ours": klabum.ours([s])[s.name]} for s in sensors}

    def of(rule: str) -> dict[str, klabum.Alarms]:
        return {name: by_rule[rule] for name, by_rule in alarms.items()}

    found = {
        rule: klabum.tally(sensors, windows, of(rule), of("stays")) for rule in ("ours", "median")
    }
    assert found["ours"].sensors >= 2
    assert found["ours"].per_year < found["median"].per_year
    assert found["ours"].share_kept >= 0.8
