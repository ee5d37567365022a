"""The router's scorecard: the desk beside, the best plan, who counts what, what is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from bench._common.figure import met
from bench._common.seeds import DEVELOPMENT, score_seed
from bench.nights import __main__ as card
from bench.nights import figures, scene
from bench.nights.greedy import UNANSWERED, GreedyNearest
from bench.nights.offline import Plan
from bench.nights.offline import plan as best_plan
from bench.nights.plan import FULL, POLICIES, Job, plan
from bench.nights.scene import Result
from bench.nights.watched import Watched
from contracts.case import Change, Command, Ticket
from contracts.city import City
from contracts.errors import Wrong
from contracts.event import Event
from contracts.geo import Point, distance_m
from router import profiles
from simulators.duty.manners import Manner
from simulators.duty.night import Order, borough, point
from simulators.duty.night import troubles as happening
from simulators.duty.trouble import Trouble

NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
PACE = Manner(answer_s=0.0, setout_s=0.0, speed_mps=1.0, detour=1.0)


def town(*metres_east: float) -> City:
    """Workers w-000, w-001, … so many metres east of the corner."""
    city = borough(Order(seed=1, people=len(metres_east)), profiles.load("cn-default"))
    people = {
        id_: msgspec.structs.replace(worker, point=point(x, 0))
        for (id_, worker), x in zip(city.workers.items(), metres_east, strict=True)
    }
    return msgspec.structs.replace(city, workers=people)


def trouble(number: int, east: float, after_s: float = 0.0, work_s: float = 600.0) -> Trouble:
    return Trouble(
        id=f"x-{number}",
        at=NOW + timedelta(seconds=after_s),
        kind="flooding",
        site=f"s-{number}",
        point=point(east, 0),
        severity=3,
        work_s=work_s,
    )


def told(router: Any, one: Trouble, now: datetime) -> list[Ticket]:
    return sent(router.on_events([said(router, one)], now))


def said(router: Any, one: Trouble) -> Event:
    return one.told(1, router.place(one.point), over=False)


def sent(changes: Sequence[Change]) -> list[Ticket]:
    return [c.body for c in changes if isinstance(c.body, Ticket)]


def command(ticket: Ticket, action: str) -> Command:
    return Command(
        id="k", ticket=ticket.id, action=action, by=str(ticket.worker), rev=ticket.rev, at=NOW
    )


# --- the desk beside ------------------------------------------------------------------------


def test_greedy_sends_the_nearest_who_is_free_and_then_the_first_who_waits() -> None:
    desk = GreedyNearest(town(0, 1000))
    (first,) = told(desk, trouble(1, 400), NOW)
    (second,) = told(desk, trouble(2, 100), NOW)
    assert (first.worker, second.worker) == ("w-000", "w-001")
    assert told(desk, trouble(3, 900), NOW) == []
    assert told(desk, trouble(4, 0), NOW) == []  # nearer, and later: it waits its turn
    changes, answer = desk.on_command(command(first, "dispose"), NOW)
    assert answer.ok
    freed = [t for t in sent(changes) if t.stage == "dispatched"]
    assert [(t.worker, round(t.place.lon, 6)) for t in freed] == [
        ("w-000", round(trouble(3, 900).point.lon, 6))
    ]


def test_greedy_passes_over_who_does_not_answer_in_time() -> None:
    desk = GreedyNearest(town(0, 1000))
    (first,) = told(desk, trouble(1, 400), NOW)
    assert desk.wake_at() == NOW + UNANSWERED
    tickets = sent(desk.on_time(NOW + UNANSWERED))
    assert [(t.stage, t.worker) for t in tickets] == [("returned", None), ("dispatched", "w-001")]
    desk.on_command(command(tickets[-1], "accept"), NOW)
    assert desk.on_time(NOW + 3 * UNANSWERED) == []
    assert first.worker == "w-000"


# --- the best plan --------------------------------------------------------------------------


def test_waits_along_a_way_are_those_computed_by_hand() -> None:
    made = Plan(town(0), [trouble(1, 300), trouble(2, 100, 50), trouble(3, 100, 5000)], PACE)
    # 300 s there and 600 at work; 200 back, 850 after it began; idle until the third one begins.
    waits = made.waits(0, [0, 1, 2])
    assert np.allclose(waits, [300, 300 + 600 + 200 - 50, 0], atol=1.0)
    told_first = msgspec.structs.replace(PACE, answer_s=40.0, setout_s=60.0)
    later = Plan(town(0), [trouble(1, 300)], told_first)
    assert later.waits(0, [0]) == pytest.approx([400], abs=1.0)


def test_what_is_put_in_costs_what_the_whole_way_says() -> None:
    rng = np.random.default_rng(4)
    happens = [
        trouble(i, float(rng.uniform(0, 3000)), float(rng.uniform(0, 4000))) for i in range(12)
    ]
    made = Plan(town(0, 2000), happens, PACE)
    for i in range(11):
        made.insert(i)
    free = made.total()
    cheapest = min(
        _with(made, worker, at, 11) - free
        for worker, route in enumerate(made.routes)
        for at in range(len(route) + 1)
    )
    made.insert(11)
    assert made.total() - free == pytest.approx(cheapest)


def _with(made: Plan, worker: int, at: int, i: int) -> float:
    """Seconds of waiting in all when `i` is put there, computed anew."""
    routes = [list(route) for route in made.routes]
    routes[worker].insert(at, i)
    return sum(sum(made.waits(w, r)) for w, r in enumerate(routes))


def test_the_search_is_never_worse_than_its_start_serves_everything_and_repeats_itself() -> None:
    order = Order(seed=2, people=6, troubles=40)
    city, happens = borough(order, profiles.load("cn-default")), happening(order)
    start, found, again = (best_plan(city, happens, seed=2, rounds=n) for n in (0, 40, 40))
    assert found.total() < start.total()
    assert sorted(i for route in found.routes for i in route) == list(range(40))
    assert found.routes == again.routes
    assert (found.all_waits() >= found.least() - 1e-6).all()
    assert found.all_waits().sum() == pytest.approx(found.total())


# --- what is played and counted -------------------------------------------------------------


def seed_of(part: str, number: int) -> int:
    return score_seed(1, part, number)


def test_every_policy_and_number_of_people_meets_the_same_held_out_nights() -> None:
    jobs = plan(FULL, seed_of)
    assert len({job.number for job in jobs}) == 20
    assert len({job.seed for job in jobs}) == 20
    assert min(job.seed for job in jobs) >= DEVELOPMENT
    for policy in POLICIES:
        own = {(j.seed, j.people) for j in jobs if j.policy == policy}
        assert own == {(j.seed, p) for j in jobs for p in FULL.people}


def test_a_sent_ticket_counts_once_and_each_change_of_hands_again() -> None:
    desk = Watched(GreedyNearest(town(0, 1000)))
    (ticket,) = told(desk, trouble(1, 400), NOW)
    assert desk.resent == 0
    (_, other) = sent(desk.on_command(command(ticket, "return"), NOW)[0])
    assert (other.worker, desk.resent) == ("w-001", 1)
    assert len(desk.spent_s) == 2


def result(policy: str, number: int, minutes: Sequence[float], people: int = 20) -> Result:
    job = Job(policy=policy, people=people, number=number, seed=number, rounds=0)
    return Result(
        job=job,
        waits=[60 * m for m in minutes],
        severities=[3] * len(minutes),
        closed=len(minutes),
        decisions=len(minutes),
        spent_s=0.01,
        km=1.0,
        refused=["accept by w-1: no"] if policy == "joint" and number == 1 else [],
    )


def test_ratios_are_taken_night_by_night_and_refusals_are_named() -> None:
    ours = [result("joint", 0, [5] * 9 + [40]), result("joint", 1, [10] * 10)]
    greedy = [result("greedy", 0, [10] * 9 + [80]), result("greedy", 1, [8] * 10)]
    lines = {f.figure: f for f in figures.figures([*ours, *greedy])}
    mean = lines["mean wait over greedy's, 20 people, scarce"]
    assert mean.value == pytest.approx((0.5 + 1.25) / 2)
    assert (mean.n, mean.aim, met(mean)) == (2, "<= 0.90", True)
    decile = lines["worst decile wait over greedy's, 20 people, scarce"]
    assert decile.value == pytest.approx((0.5 + 1.25) / 2)
    assert (decile.aim, met(decile)) == ("<= 0.80", False)
    refused = lines["commands refused"]
    assert (refused.value, refused.reference, met(refused)) == (1, "accept × 1", False)
    assert not any("enough" in name for name in lines)


def test_with_enough_people_the_aim_is_to_be_no_worse() -> None:
    some = [
        result(policy, n, [m] * 10, people=60)
        for n in range(3)
        for policy, m in (("joint", 10.3), ("greedy", 10.0))
    ]
    lines = {f.figure: f for f in figures.figures(some)}
    mean = lines["mean wait over greedy's, 60 people, enough"]
    assert (mean.aim, met(mean)) == ("<= 1.02", False)
    assert lines["mean wait over greedy's, people enough: its highest of any night"].value == (
        pytest.approx(1.03)
    )


def test_the_card_is_written_kept_and_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(card, "OUT", tmp_path / "build" / "score")
    monkeypatch.setattr(card, "ROOT", tmp_path)
    asked = {"NIGHTS": "1", "PEOPLE": "90", "POLICIES": "greedy", "WORKERS": "1"}
    assert card.main(asked) == 0
    assert "1 of 1 nights" in capsys.readouterr().out
    assert card.main(asked) == 0
    assert "1 of 1 nights were already judged by this code" in capsys.readouterr().out
    (line,) = (
        one
        for one in json.loads((tmp_path / "build/score/router.json").read_text())
        if one["figure"] == "nights that failed"
    )
    assert line["value"] == 0
    assert set(line) == {"figure", "value", "low", "high", "n", "aim", "reference"}


def test_what_is_kept_hangs_on_the_policys_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def marks() -> dict[str, bytes]:
        monkeypatch.setattr(scene, "_MARKS", {})
        return {
            policy: scene.mark(Job(policy=policy, people=1, number=0, seed=0, rounds=0))
            for policy in POLICIES
        }

    before = marks()
    monkeypatch.setitem(scene.DECIDES, "joint", ("router/engine.py",))
    after = marks()
    assert [p for p in POLICIES if before[p] != after[p]] == ["joint"]


def test_a_policy_that_is_none_is_told() -> None:
    with pytest.raises(Wrong, match="joint, each, greedy, offline"):
        card.policies({"POLICIES": "greedy,best"})
    with pytest.raises(Wrong, match="PEOPLE"):
        card.amounts({"PEOPLE": "twenty"}, quick=True)


def test_a_night_that_cannot_be_played_says_why() -> None:
    found = scene.score(Job(policy="greedy", people=0, number=0, seed=1, rounds=0))
    assert found.error is not None


def test_metres_of_the_plan_are_those_of_the_map() -> None:
    made = Plan(town(0), [trouble(1, 3000)], PACE)
    metres = distance_m(Point(119.6, 32.2), trouble(1, 3000).point)
    assert made.waits(0, [0]) == pytest.approx([metres], rel=0.01)
