"""Truth and alarms of water: what is a warning, what is found, what is false."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import numpy as np
import pytest

from bench.water import blocked, faults, flooded, rules
from bench.water.watch import Episode, series_of
from detectors._common.sample import START
from simulators.water.take import Take
from tests.unit.bench.water_scene import episode, overflow_at, take


def floods(run: Take, *episodes: Episode) -> flooded.Floods:
    return flooded.judge(run, episodes, series_of(run))


def test_an_alarm_before_the_overflow_is_a_warning_with_its_lead() -> None:
    told = floods(take(overflows=[("n2", 6, 7)]), episode("flooding", "lv-2", 5.5, 8))
    (one,) = told.overflowed
    assert one.leads["ours"] == pytest.approx(30.0)
    assert told.false == ()


@pytest.mark.parametrize(
    ("device", "begin", "end"),
    [("lv-2", 6.1, 8), ("lv-1", 5.5, 8), ("lv-2", 1.0, 2.0)],
    ids=["after it began", "at another manhole", "over long before"],
)
def test_other_alarms_warn_of_nothing(device: str, begin: float, end: float) -> None:
    told = floods(take(overflows=[("n2", 6, 7)]), episode("flooding", device, begin, end))
    assert told.overflowed[0].leads["ours"] is None
    assert len(told.false) == (begin != 6.1), "a late alarm is late, not false"


def test_overflows_close_together_are_one() -> None:
    told = floods(take(overflows=[("n2", 6, 6.2), ("n2", 6.5, 7), ("n2", 10, 11)]))
    assert [one.begin / 3600 for one in told.overflowed] == [6, 10]


def test_an_overflow_without_a_sensor_is_nobodys() -> None:
    assert floods(take(overflows=[("n9", 6, 7)])).overflowed == ()


def test_a_false_flood_at_an_instrument_at_fault_is_told_as_such() -> None:
    run = take(faults=[("lv-1", "drift", 2, 5)])
    told = floods(run, episode("flooding", "lv-1", 3, 4), episode("flooding", "lv-2", 3, 4))
    assert sorted((one.device, one.faulty) for one in told.false) == [
        ("lv-1", True),
        ("lv-2", False),
    ]


@pytest.mark.parametrize(("low", "high", "held"), [(5.5, 6.5, 1), (6.5, 8.0, 0), (5.1, 5.9, 0)])
def test_a_forecast_holds_the_truth_or_not(low: float, high: float, held: int) -> None:
    told = floods(
        take(overflows=[("n2", 6, 7)]),
        episode("flooding", "lv-2", 5, 8, overflow_at=overflow_at(low, (low + high) / 2, high)),
    )
    (one,) = told.coverage
    assert (one.published, one.held) == (1, held)


def blockages(run: Take, *episodes: Episode) -> blocked.Blockages:
    return blocked.judge(run, episodes, series_of(run))


def test_a_blockage_named_close_by_is_found_with_its_delay_and_distance() -> None:
    run = take(blockages=[("p3", 4, 5)])
    told = blockages(run, episode("drain_blocked", "lv-2", 5.25, pipes=[["p5", 0.6], ["p9", 0.4]]))
    hit = told.blocked[0].found["ours"]
    assert hit is not None
    assert hit.delay == pytest.approx(15.0)
    assert hit.apart == 2
    assert told.false == ()


def test_an_alarm_before_any_level_could_tell_is_chance() -> None:
    run = take(blockages=[("p3", 2, 9)])
    late = msgspec.structs.replace(run.blockages[0], effect=START + timedelta(hours=8))
    run = msgspec.structs.replace(run, blockages=(late,))
    told = blockages(run, episode("drain_blocked", "lv-2", 6, pipes=[["p3", 1.0]]))
    assert told.blocked[0].found["ours"] is None
    assert len(told.false) == 1


@pytest.mark.parametrize(
    ("begin", "pipe"),
    [(3.0, "p3"), (5.0, "p10"), (5.0, "nowhere")],
    ids=["early", "far", "unknown"],
)
def test_an_alarm_too_early_or_elsewhere_is_false(begin: float, pipe: str) -> None:
    run = take(blockages=[("p3", 4, 5)])
    told = blockages(run, episode("drain_blocked", "lv-2", begin, pipes=[[pipe, 1.0]]))
    assert told.blocked[0].found["ours"] is None
    assert len(told.false) == 1


def test_a_blockage_that_no_sensor_could_tell_of_is_not_counted_but_named_it_is_not_false() -> None:
    run = take(blockages=[("p3", 4, None)])
    told = blockages(run, episode("drain_blocked", "lv-2", 5, pipes=[["p3", 1.0]]))
    assert (told.blocked, told.unseen, told.false) == ((), 1, ())


def test_the_gate_needs_a_usual_level_and_waits_for_the_rain_to_pass() -> None:
    t = np.arange(0, 24 * 3600, 300.0)
    v = np.where(t < 12 * 3600, 0.1, 0.6)
    assert rules.at_least(t, blocked.gate(t, v, 2.0, []).astype(float), 1.0) == 12 * 3600
    wet = [(11 * 3600.0, 12 * 3600.0)]
    first = rules.at_least(t, blocked.gate(t, v, 2.0, wet).astype(float), 1.0)
    assert first is not None
    assert first > 15 * 3600


def test_the_slope_looks_fifteen_minutes_ahead() -> None:
    t = np.arange(0, 3600, 60.0)
    v = 0.0001 * t
    at = rules.slope(t, v, 0.27)
    assert at is not None
    assert at == pytest.approx(2700 - 900, abs=61)
    assert rules.slope(t, np.full(len(t), 0.1), 0.27) is None


def test_a_fault_of_the_right_type_is_right_and_another_type_is_a_miss_and_a_false_alarm() -> None:
    run = take(faults=[("lv-0", "drift", 2, 6), ("lv-1", "stuck", 2, 6)])
    told = faults.judge(
        run,
        [
            episode("sensor_faulty", "lv-0", 3, 7, fault="drift"),
            episode("sensor_faulty", "lv-1", 3, 7, fault="debris"),
        ],
    )
    assert told.by_type["drift"] == faults.Tally(1, 0, 0)
    assert told.by_type["stuck"] == faults.Tally(0, 0, 1)
    assert told.by_type["debris"] == faults.Tally(0, 1, 0)
    assert told.missed[0].said == "debris"


def test_silence_is_a_dropout_and_never_a_false_alarm() -> None:
    run = take(faults=[("lv-0", "dropout", 2, 6)])
    silent = [episode("sensor_silent", name, 3, 7) for name in ("lv-0", "lv-3")]
    told = faults.judge(run, silent)
    assert told.by_type["dropout"] == faults.Tally(1, 0, 0)
    assert told.false == ()


def test_f1_is_nothing_without_any_and_one_when_all_are_right() -> None:
    assert faults.f1(faults.Tally()) is None
    assert faults.f1(faults.Tally(3, 0, 0)) == 1.0
    assert faults.f1(faults.Tally(1, 1, 1)) == pytest.approx(0.5)
