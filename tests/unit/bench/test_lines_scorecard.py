"""The line scorecard's plan, figures, pictures and what it keeps."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from bench._common import figure
from bench._common.jobs import Kept
from bench._common.seeds import DEVELOPMENT, score_seed
from bench.lines import breaks, cost, match, others, pictures, report, run, scene, yearly
from bench.lines.match import OURS
from bench.lines.plan import DAY_S, FEEDERS, FULL, HELD_OUT, MONITORS, Job, plan
from bench.lines.rules import Rules
from bench.lines.scene import Result, Seen
from bench.lines.watch import Episode
from detectors._common.sample import START
from simulators.lines.take import BREAKS, CONFOUNDERS
from tests.unit.bench.lines_scene import episode, saying, take, tree, volts

DARK = ("p3", "p4", "p5", "p6", "q1")


def seed_of(part: str, number: int) -> int:
    return score_seed(1, part, number)


def test_the_full_plan_has_a_thousand_breaks_of_each_class_and_300_of_each_confounder() -> None:
    jobs = plan(FULL, seed_of)
    assert jobs == plan(FULL, seed_of)
    counts: Counter[tuple[str, str | None, str]] = Counter()
    for job in jobs:
        counts[job.part, job.happening, job.monitors] += len(job.seeds)
    for what in BREAKS:
        assert all(counts["breaks", what, monitors] >= 1000 for monitors in MONITORS)
    for what in CONFOUNDERS:
        assert sum(counts["confounders", what, monitors] for monitors in MONITORS) >= 300
    assert {job.feeder for job in jobs} == set(FEEDERS) > HELD_OUT
    assert {j.feeder for j in jobs if j.happening == "neutral_open"} == {"town", "village"}
    seeds = [seed for job in jobs for seed in job.seeds]
    assert min(seeds) >= DEVELOPMENT
    assert len(set(seeds)) == len(seeds)


def test_without_the_recordings_the_drawn_feeders_are_left() -> None:
    jobs = plan(FULL, seed_of, ["town", "village"])
    assert {job.feeder for job in jobs} == {"town", "village"}


def test_orders_follow_their_seed_and_quiet_ones_last_a_day() -> None:
    jobs = plan(FULL, seed_of)
    quiet = [order for j in jobs if j.part == "quiet" for order in j.orders()]
    assert {(o.reports_s, o.before_s + o.after_s) for o in quiet} == {
        (300.0, DAY_S), (60.0, DAY_S / 5),
    }  # fmt: skip
    some = [order for job in jobs[::9] if job.part == "breaks" for order in job.orders()]
    assert {order.reports_s for order in some} == {15.0, 60.0, 300.0}
    assert all(order.before_s >= 3 * order.reports_s for order in some if order.reports_s > 60)
    assert all(order.after_s > order.reports_s for order in some)
    assert 0.04 < sum(order.loss for order in some) / len(some) < 0.06


def judged(said: list[Episode], monitors: str = "everywhere", **asked: str) -> Result:
    made = take(broken="s3", items=volts(DARK, 60.0), **asked)  # type: ignore[arg-type]
    alarms = Rules(tree(), START).run(made.items)
    seen = Seen(seed=1, broken=match.broken(made, said, alarms, tree()))
    job = Job(part="breaks", feeder="village", monitors=monitors, happening="severed", seeds=(1,))
    return Result(job=job, seen=(seen,))


def hit() -> Episode:
    return episode(62.0, (62.0, "opened", saying("s3", state="confirmed")))


def row(told: list[figure.Figure], name: str) -> figure.Figure:
    (one,) = [f for f in told if f.figure == name]
    return one


def test_a_hit_and_a_miss_make_a_half_and_the_rules_stand_beside() -> None:
    told = breaks.figures([judged([hit()]), judged([])])
    one = row(told, "severed, monitors everywhere: told")
    assert (one.value, one.n, figure.met(one)) == (0.5, 2, False)
    assert one.reference == "0.6 pu 1; topology 1; current 0"
    assert row(told, "severed, monitors everywhere: told (held-out feeders)").value == 0.5
    exact = row(told, "monitors everywhere: exact span")
    assert (exact.value, exact.n) == (1.0, 1)
    assert row(told, "first word → incident, s, p50").value == 1.0
    incidents = row(told, "incidents per break")
    assert incidents.value == 1.0
    assert incidents.reference is not None
    assert incidents.reference.startswith("0.6 pu 5; topology 1")


def test_a_double_and_a_wrong_span_are_counted() -> None:
    other = episode(63.0, (63.0, "opened", saying("s5")))
    told = breaks.figures([judged([hit(), other], monitors="leaves")])
    assert row(told, "incidents per break").value == 2.0
    wrong = breaks.figures([judged([other], monitors="leaves")])
    assert row(wrong, "leaves only: exact span").value == 0.0
    assert row(wrong, "the broken span is among those listed").value == 0.0


def test_confounders_and_quiet_days_count_what_was_said(tmp_path: Path) -> None:
    made = take(confounder="recloser")
    said = match.said(made, [hit()], {"0.6 pu": ()})
    job = Job(
        part="confounders", feeder="town", monitors="leaves", happening="recloser", seeds=(1,)
    )
    quiet = Job(part="quiet", feeder="town", monitors="leaves", happening=None, seeds=(1,))
    results = [
        Result(job=job, seen=(Seen(seed=1, how="all", said=said),)),
        Result(job=job, seen=(Seen(seed=2, how="all", said=match.Said()),)),
        Result(job=quiet, seen=(Seen(seed=3, years=2.0, said=said),)),
    ]  # fmt: skip
    assert row(others.confused(results), "called severed: recloser").value == 0.5
    rate = row(others.quiet(results, tmp_path), "false confirmed per monitor-year")
    assert (rate.value, rate.n) == (0.5, 2), "the confounder's is none of a quiet day"
    assert rate.reference is not None
    assert "no record of the field" in rate.reference


def a_take(kind: str, seed: int, said: match.Said, how: str = "") -> Result:
    """A line of a hundred monitors."""
    job = Job(
        part="confounders", feeder="town", monitors="leaves", happening=kind, seeds=(seed,)
    )  # fmt: skip
    (order,) = job.orders()
    years = 100 * (order.before_s + order.after_s) / scene.YEAR_S
    return Result(job=job, seen=(Seen(seed=seed, how=how, years=years, said=said),))


def test_false_alarms_of_a_year_are_rates_times_what_was_said_of_each_kind() -> None:
    rates = yearly.RATES
    results = [a_take(kind, k, match.Said(), rates[kind].how) for kind in rates for k in (1, 2)]
    names = [f"false {x} per monitor-year, composed of confounders a year"
             for x in ("confirmed", "suspected")]  # fmt: skip
    assert [row(yearly.composed(results), name).value for name in names] == [0.0, 0.0]
    results.append(a_take("upstream_outage", 3, match.Said(suspected=1)))
    results.append(a_take("customer_off", 4, match.Said(suspected=1), "dark"))
    results.append(a_take("customer_off", 5, match.Said(suspected=1), "lit"))
    results.append(a_take("recloser", 6, match.Said(suspected=1, confirmed=1)))
    sure, only = (row(yearly.composed(results), name) for name in names)
    assert sure.value == pytest.approx(rates["recloser"].a_line / 300)
    expected = rates["upstream_outage"].a_line / 300 + rates["customer_off"].a_monitor / 3
    assert only.value == pytest.approx(expected)
    assert only.reference is not None
    assert only.reference.startswith("customer off")
    assert all(one.value is None for one in yearly.composed(results[:4]))


def test_every_aim_of_the_table_is_there_even_when_nothing_could_be_measured(
    tmp_path: Path,
) -> None:
    told = breaks.figures([]) + others.confused([]) + others.quiet([], tmp_path)
    told += cost.figures(None, None) + yearly.composed([])
    aimed = [one for one in told if one.aim is not None]
    assert len(aimed) >= 25
    assert all(one.value is None and figure.met(one) is None for one in aimed)
    names = [one.figure for one in told]
    assert len(set(names)) == len(names)


def test_a_block_is_simulated_judged_kept_and_drawn(tmp_path: Path) -> None:
    job = Job(part="breaks", feeder="village", monitors="leaves", happening="severed", seeds=(1, 2))
    result = scene.score(job, tmp_path)
    assert result.error is None
    assert [seen.seed for seen in result.seen] == [1, 2]
    for seen in result.seen:
        assert seen.broken is not None
        assert set(seen.broken.answers) > {OURS}
    kept = Kept[Job, Result](tmp_path, "code", Result)
    kept.put(result)
    assert kept.get(job) == result
    out = io.StringIO()
    report.show([result], Console(file=out, width=200))
    assert "severed leaves village (held out)" in out.getvalue()


def test_a_take_that_fails_is_told_and_not_kept(tmp_path: Path) -> None:
    job = Job(part="breaks", feeder="ieee123", monitors="leaves", happening="severed", seeds=(1,))
    result = scene.score(job, tmp_path)
    assert result.error is not None
    assert "seed 1" in result.error
    kept = Kept[Job, Result](tmp_path, "code", Result)
    kept.put(result)
    assert kept.get(job) is None


def test_what_went_wrong_is_drawn_with_the_true_span(tmp_path: Path) -> None:
    made = take(broken="s3", items=volts(DARK, 60.0))
    rules = Rules(tree(), START)
    rules.run(made.items)
    told = episode(62.0, (62.0, "opened", saying("s4", "s5")))
    one = pictures.picture(made, [told], rules, tree(), "wrong severed", 50.0, "seed 1")
    assert [s.p for s in one.spans if s.true] == [0.0]
    assert Counter(state for _, _, state in one.monitors) == {"lost": 5, "well": 3}
    assert one.said == pytest.approx(one.true)
    drawn = pictures.draw([one], tmp_path)
    assert drawn == [tmp_path / "wrong.png"]
    assert drawn[0].stat().st_size > 1000


def test_the_cost_of_a_take_is_measured_with_each_answer() -> None:
    found = cost.measure([take(broken="s3", items=volts(DARK, 60.0))])
    assert found is not None
    assert found.readings == len(volts((), 0))
    assert found.low_us == found.high_us > 0
    assert found.answers_ms, "a line that goes dark is told of"
    told = {one.figure: one for one in cost.figures(found, None)}
    assert told["item → incident in the process, ms of CPU, p99"].value is not None


def test_rows_once_made_are_read_again_and_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    one = figure.figure("poles", (0.5, (0.1, 0.9)), 4, "<= 1")
    assert run.kept_rows(path, lambda: [one]) == [one]
    assert run.kept_rows(path, list) == [one]
    path.write_bytes(b"[{")
    assert run.kept_rows(path, list) == []
