"""Several at once: the least sum, nobody re-sent for little, and one alone as ever."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.city import Worker
from contracts.event import Place
from contracts.geo import Point
from contracts.governance import Governance, Role
from contracts.nouns import Position
from router.assign import Load, Request, Roster
from router.assign.joint import Row, match
from router.gazetteer import Gazetteer
from router.settings import RouterSettings
from tests.scenarios.town import at, town
from tests.unit.router.test_assign_who import ticket

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
S = RouterSettings()


def roster(people: dict[str, Point], **roles: Role) -> Roster:
    workers = {
        i: Worker(id=i, name=i, role="worker", grid=None, skills=(), shift="", point=p)
        for i, p in people.items()
    }
    city = msgspec.structs.replace(
        town(), workers=workers, extra={"governance": Governance(roles=roles)}
    )
    found = Roster(city, Gazetteer(()), S)
    for i, p in people.items():
        found.move(Position(worker=i, at=NOW, received_at=NOW, point=p))
    return found


def wanted(east: float, north: float = 0.0, **fields: Any) -> Request:
    return Request(place=Place(at(east, north).lon, at(east, north).lat), **fields)


def test_two_at_once_are_served_in_the_sum_where_greedy_leaves_the_second_one_far() -> None:
    who = roster({"middle": at(500, 0), "left": at(0, 0)})
    # Greedy gives the first (450) to the middle one, and the second (1200) waits for the left one.
    asks = [wanted(450), wanted(1200)]
    first = who.choose(asks[0].place, NOW)
    assert first.worker == "middle"
    joint = who.choose_many(asks, NOW)
    assert [c.worker for c in joint] == ["left", "middle"]
    assert "2 matched together: middle (1 min) is needed elsewhere" in joint[0].reason["text_en"]
    assert "统筹" in joint[0].reason["text_zh"]
    assert joint[0].runners_up[0].worker == "middle"
    assert joint[0].reason["together"] == 2


def test_one_alone_is_what_choose_says() -> None:
    who = roster({f"w-{i}": at(97 * i % 500, 31 * i % 400) for i in range(20)})
    ask = wanted(120, 80, helpers=2, severity=4)
    alone = who.choose(ask.place, NOW, helpers=2, severity=4, load={"w-3": 1})
    (joint,) = who.choose_many([ask], NOW, {"w-3": 1})
    assert joint == alone


def test_an_offer_moves_only_for_more_than_the_margin() -> None:
    for metres, stays in ((170, True), (190, False)):
        people = {"holder": at(1000, 0), "new": at(1000 - metres, 0)}
        who = roster(people)
        load = Load()
        load.change(None, ticket("t", "holder"))
        (choice,) = who.choose_many([wanted(0, holder="holder")], NOW, load)
        assert (choice.worker == "holder") is stays, metres
        if stays:
            assert choice.reason["load"] == 0, "this very offer is no load"
        assert who.figures("holder", wanted(0).place, NOW, load=load).offers == 1, "given back"


def test_more_incidents_than_people_stand_in_queues_and_all_have_an_owner() -> None:
    who = roster({"a": at(0, 0), "b": at(2000, 0)}, worker=Role(id="worker", most_open=3))
    asks = [wanted(100 * i) for i in range(21)]
    choices = who.choose_many(asks, NOW)
    assert all(c.worker for c in choices)
    near = [c.worker for c in choices]
    assert near[0] == "a"
    assert near[20] == "b"
    assert "hands full" in " ".join(c.reason["text_en"] for c in choices)
    assert who.figures("a", asks[0].place, NOW).load == 0


def test_nobody_there_is_said_for_each() -> None:
    assert [c.worker for c in roster({}).choose_many([wanted(0), wanted(1)], NOW)] == [None, None]
    assert roster({"a": at(0, 0)}).choose_many([], NOW) == []
    (returned,) = roster({"a": at(0, 0)}).choose_many([wanted(0, without=frozenset("a"))], NOW)
    assert returned.worker is None


@settings(deadline=None, max_examples=60, database=None)
@given(seed=st.integers(0, 10**6), rows=st.integers(1, 4), people=st.integers(1, 4))
def test_the_sum_is_the_least_there_is(seed: int, rows: int, people: int) -> None:
    r = np.random.default_rng(seed)
    cost = np.round(r.uniform(0, 1000, (rows, people)), 3)
    who = np.arange(people, dtype=np.int32)
    room = np.full(people, 3, dtype=np.int32)
    goes = match([Row(who, c, room) for c in cost], queue_s=250.0, margin_s=0.0)

    def total(plan: tuple[int, ...]) -> float:
        queue = sum(250.0 * k for w in set(plan) for k in range(plan.count(w)))
        return float(sum(cost[i, w] for i, w in enumerate(plan)) + queue)

    plans = itertools.product(range(people), repeat=rows)
    possible = [p for p in plans if max(p.count(w) for w in set(p)) <= 3]
    if possible and -1 not in goes:
        assert total(tuple(goes)) == pytest.approx(min(map(total, possible)))
    assert (-1 in goes) == (not possible)


def test_nobody_waits_longer_together_than_greedy_makes_them_in_sum() -> None:
    r = np.random.default_rng(3)
    spots = r.uniform(0, 3000, (40, 2))
    who = roster({f"w-{i:02}": at(*p) for i, p in enumerate(spots)})
    asks = [wanted(*r.uniform(0, 3000, 2)) for _ in range(30)]
    joint = sum(float(c.reason["travel_s"]) for c in who.choose_many(asks, NOW))
    load = Load()
    greedy = 0.0
    for k, ask in enumerate(asks):
        choice = who.choose(ask.place, NOW, load=load)
        greedy += float(choice.reason["travel_s"])
        load.change(None, ticket(f"t-{k}", choice.worker))
    assert joint < 0.95 * greedy
