"""Intervals, seeds, the plan and the weights of the falls' scorecard."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from bench._common import seeds, stats
from bench.falls import episodes, recordings
from bench.falls.plan import CLASSES, FULL, QUICK, Job, plan
from simulators.falls.distractors import KINDS


def jobs(seed: int = 1) -> list[Job]:
    return plan(
        FULL, lambda part, k: seeds.score_seed(seed, part, k), ["p.jpg"], episodes.load()
    )  # fmt: skip


def test_wilson_gives_the_published_interval() -> None:
    # R: binom.confint(97, 100, method = "wilson")
    assert stats.wilson(97, 100) == pytest.approx((0.91548, 0.98975), abs=1e-5)
    assert stats.wilson(0, 0) is None


def test_garwood_gives_the_published_intervals() -> None:
    assert stats.garwood(0) == pytest.approx((0.0, 3.68888), abs=1e-4)
    assert stats.garwood(3) == pytest.approx((0.61867, 8.76727), abs=1e-4)


def test_a_sum_of_one_rate_has_garwoods_interval() -> None:
    value, interval = stats.summed([(2.5, 3)])
    low, high = stats.garwood(3)
    assert value == 7.5
    assert interval == pytest.approx((2.5 * low, 2.5 * high))


def test_a_sum_of_rates_without_an_event_is_bounded_by_its_largest_weight() -> None:
    value, (low, high) = stats.summed([(1.0, 0), (4.0, 0)])
    assert (value, low) == (0.0, 0.0)
    assert high == pytest.approx(4 * stats.garwood(0)[1])


def test_a_quantile_is_a_value_that_was_seen_and_lies_in_its_interval() -> None:
    told = stats.quantile([float(k) for k in range(1, 101)], 0.95)
    assert told is not None
    value, (low, high) = told
    assert (value, low < value < high) == (95.0, True)
    assert stats.quantile([], 0.5) is None


def test_the_scorecards_seeds_and_developments_never_meet() -> None:
    ours = {seeds.score_seed(seed, "recall", k) for seed in (-3, 0, 7) for k in range(500)}
    theirs = {seeds.development_seed(9_990, k) for k in range(500)}
    assert len(ours) == 1500
    assert min(ours) >= seeds.DEVELOPMENT > max(theirs)
    assert seeds.score_seed(1, "recall", 0) != seeds.score_seed(1, "mixed", 0)


def test_every_distractor_of_the_studio_has_a_weight_and_a_source() -> None:
    table = episodes.load()
    assert tuple(table.kinds) == KINDS
    assert all(e.calm + e.wet > 0 and len(e.source) > 40 for e in table.kinds.values())


def test_a_weight_without_a_source_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "episodes.toml"
    path.write_text(
        '[birds]\nseconds = 3\nper_film = 6\nweather = "calm"\ncalm = 1\nwet = 1\nsource = " "\n'
    )
    with pytest.raises(ValueError, match="`birds` names no source"):
        episodes.load(path)


def test_the_full_plan_holds_what_the_scorecard_promises() -> None:
    planned = jobs()
    falls: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for job in planned:
        if job.part == "recall":
            falls[job.group] += job.order.falls
        if job.part == "distractors":
            alone[job.group] += job.episodes
            assert [d.kind for d in job.order.distractions] == [job.group]
            assert job.order.falls == 0
    assert falls["8-20 px"] >= 250
    assert falls["4-8 px"] >= 250
    assert all(alone[kind] >= 300 for kind in KINDS)
    assert sum(j.order.seconds for j in planned if j.part == "continuous") >= 7200
    assert {j.order.size for j in planned} == {(1280, 720), (1920, 1080)}
    assert all(10 <= j.order.fps <= 30 and 2 <= j.order.mbit_s <= 4 for j in planned)
    assert len({job.order.seed for job in planned}) == len(planned)


def test_a_plan_follows_its_seed() -> None:
    assert jobs(1) == jobs(1)
    assert not {job.order.seed for job in jobs(1)} & {job.order.seed for job in jobs(2)}


def test_the_quick_plan_has_every_part_and_every_distractor() -> None:
    planned = plan(QUICK, lambda p, k: seeds.score_seed(1, p, k), [], episodes.load())
    assert {job.group for job in planned} == {*CLASSES, *KINDS, "calm", "wet"}
    assert all(job.order.place == "generated" for job in planned), "no photographs were given"


def test_every_mask_names_a_polygon_inside_its_recording() -> None:
    masks = msgspec.toml.decode(recordings.MASKS.read_bytes(), type=dict[str, recordings.Mask])
    for mask in masks.values():
        wide, high = mask.size
        for polygon in mask.detect_mask:
            assert len(polygon) >= 3
            assert all(0 <= x <= wide and 0 <= y <= high for x, y in polygon)
