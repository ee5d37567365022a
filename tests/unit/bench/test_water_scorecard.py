"""The water scorecard's streets, plan, runs on disk, figures and pictures."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from bench._common import figure
from bench._common.bootstrap import bootstrap
from bench._common.figure import Figure
from bench._common.jobs import Kept
from bench._common.seeds import DEVELOPMENT, score_seed
from bench._common.worst import worst
from bench.water import floodnet, pictures, rivers, scene, sewers, streets
from bench.water.floodnet import Flood, Seen
from bench.water.halves import HELD_OUT_NETWORKS, half
from bench.water.plan import FULL, Job, plan
from bench.water.takes import Takes, packed, unpacked
from tests.unit.bench.water_scene import take

NETWORKS = ("town", "user3", "user4", "Greenville_EPA")


def seed_of(part: str, number: int) -> int:
    return score_seed(1, part, number)


def test_the_full_plan_has_two_hundred_runs_of_every_network_and_no_seed_of_development() -> None:
    jobs = plan(FULL, seed_of, NETWORKS)
    assert len(jobs) >= 200
    assert {job.order.network for job in jobs} == set(NETWORKS)
    assert sum(job.held for job in jobs) * 2 == len(jobs)
    assert min(job.order.seed for job in jobs) >= DEVELOPMENT
    assert len({job.order.seed for job in jobs}) == len(jobs)
    assert jobs == plan(FULL, seed_of, NETWORKS)
    assert {job.order.reports_s for job in jobs} == {60.0, 300.0, 900.0}


def test_half_of_the_sensors_is_held_out_whatever_they_are_called() -> None:
    share = np.mean([half(f"sensor {k}") for k in range(2000)])
    assert share == pytest.approx(0.5, abs=0.05)
    assert set(NETWORKS) > HELD_OUT_NETWORKS


def flood(peak: float = 0.4, minutes: float = 30.0, number: int = 3) -> Flood:
    t = tuple(60.0 * k for k in range(round(2 * minutes)))
    depth = tuple(peak * max(0.0, 1 - abs(s / 60 / minutes - 1)) for s in t)
    return Flood(number=number, sensor="s", tidal=False, t=t, depth=depth)


def test_a_street_flood_is_embedded_after_a_dry_day_of_the_sensors_noise() -> None:
    one = flood()
    noise = floodnet.noise_of([one])
    series = floodnet.embedded(one, noise)
    dry = [v for t, v in series if t < 0]
    assert 24 * 3600 <= -series[0][0] <= 48 * 3600
    assert all(b > a for (a, _), (b, _) in itertools.pairwise(series))
    assert 0 < max(dry) < 6 * noise.sigma + noise.step
    assert series == floodnet.embedded(one, noise)
    assert series[0][0] != floodnet.embedded(flood(number=4), noise)[0][0]


def test_a_slow_street_flood_is_warned_of_at_both_lines_and_a_puddle_is_not() -> None:
    high = floodnet.judge([flood()])
    assert [one.line for one in high] == list(floodnet.LINES)
    for one in high:
        assert one.reached is not None
        assert one.alarm is not None
        assert one.alarm < one.reached
        assert one.dry_alarms == 0
    assert all(one.alarm is None for one in floodnet.judge([flood(peak=0.03)]))


def seen(sensor: str, reached: float | None, alarm: float | None, dry: int = 0) -> Seen:
    return Seen(
        number=0, sensor=sensor, tidal=False, line=0.27, peak=0.3, reached=reached, alarm=alarm,
        dry_alarms=dry, dry_days=1.0, fans=(), rules=dict.fromkeys(floodnet.RULES),
    )  # fmt: skip


def test_recall_lead_and_precision_of_streets() -> None:
    some = [[seen("a", 1200.0, 600.0), seen("a", 1200.0, 1200.0)], [seen("b", None, 60.0, dry=1)]]
    assert streets.recall(some, "ours") == 0.5, "an alarm at the line itself is no warning"
    assert streets.in_time(some, "ours") == 0.5
    assert streets.lead(some, "ours") == 5.0
    assert streets.precision(some, "ours") == 0.5, "2 right, 1 false, 1 on a dry day"
    assert streets.recall([[]], "ours") is None


def test_a_run_on_disk_is_the_run(tmp_path: Path) -> None:
    run = take(overflows=[("n2", 6, 7)], blockages=[("p3", 4, 5)], faults=[("lv-1", "drift", 2, 5)])
    odd = msgspec.structs.replace(run.readings[0], sent_at=None, seq=7, quality=8, value=-0.5)
    run = msgspec.structs.replace(run, readings=(odd, *run.readings[1:]))
    assert unpacked(packed(run)) == run
    kept = Takes(tmp_path, "code")
    kept.put(run)
    assert kept.get(run.order) == run
    assert Takes(tmp_path, "other code").get(run.order) is None
    for file in tmp_path.glob("*.run"):
        file.write_bytes(file.read_bytes()[:100])
    assert kept.get(run.order) is None, "a damaged file is none"


def test_every_aim_of_the_table_is_there_even_when_nothing_could_be_measured() -> None:
    told = streets.figures([]) + rivers.figures([]) + sewers.figures([])
    aimed = [one for one in told if one.aim is not None]
    assert len(aimed) >= 20
    assert all(one.value is None and figure.met(one) is None for one in aimed)
    names = [one.figure for one in told]
    assert len(set(names)) == len(names)


def test_an_aim_of_two_bounds_is_met_between_them() -> None:
    one = Figure(figure="f", value=0.8, low=0.78, high=0.82, n=9, aim=">= 0.75 and <= 0.85")
    assert figure.met(one) is True
    assert not figure.too_few(one)
    assert figure.met(msgspec.structs.replace(one, value=0.9)) is False
    assert figure.too_few(msgspec.structs.replace(one, low=0.6, high=0.95))


def mean(some: Sequence[float]) -> float | None:
    return sum(some) / len(some) if some else None


def test_the_bootstrap_says_the_same_twice_and_holds_the_mean() -> None:
    values = np.random.default_rng(1).normal(5, 1, 100).tolist()
    told = bootstrap(values, mean)
    assert told == bootstrap(values, mean)
    assert told is not None
    assert told[1] is not None
    low, high = told[1]
    assert low < told[0] < high
    assert high - low == pytest.approx(2 * 1.96 * 0.1, rel=0.3)
    assert bootstrap([], mean) is None
    assert bootstrap([3.0], mean) == (3.0, None)


def test_a_run_is_judged_and_its_worst_is_drawn(tmp_path: Path) -> None:
    run = take(overflows=[("n2", 6, 7)], blockages=[("p3", 4, 5)], faults=[("lv-1", "drift", 2, 5)])
    result = scene.judge(Job(part="storm", order=run.order), run)
    assert result.error is None
    assert result.sensor_days == pytest.approx(5 * 12 / 24)
    sorts = {one.sort for one in result.pictures}
    assert {"missed overflow", "missed blockage", "missed fault"} <= sorts
    kept = Kept[Job, scene.Result](tmp_path, "code", scene.Result)
    kept.put(result)
    assert kept.get(result.job) == result
    drawn = pictures.draw(result.pictures, tmp_path / "drawn")
    assert (tmp_path / "drawn" / "missed.png") in drawn
    assert (tmp_path / "drawn" / "missed_01.png").stat().st_size > 1000


def test_a_run_that_crashes_is_told_and_not_kept(tmp_path: Path) -> None:
    job = Job(part="dry", order=msgspec.structs.replace(take().order, network="nowhere"))
    result = scene.score(job, tmp_path, Takes(tmp_path / "takes", "code"))
    assert result.error is not None
    kept = Kept[Job, scene.Result](tmp_path, "code", scene.Result)
    kept.put(result)
    assert kept.get(job) is None
    (failed,) = [f for f in sewers.figures([result]) if f.figure.endswith("failed")]
    assert (failed.value, figure.met(failed)) == (1.0, False)


def test_the_worst_ten_take_turns_among_the_sorts() -> None:
    def one(sort: str, worth: float) -> pictures.Picture:
        return pictures.Picture(sort=sort, worth=worth, title=f"{worth}", t=(0.0,), v=(0.0,))

    some = [one("missed a", k) for k in range(20)] + [one("missed b", 99.0), one("false c", 1.0)]
    found = worst(some, "missed")
    assert len(found) == 10
    assert [w.title for w in found[:3]] == ["19", "99.0", "18"]
