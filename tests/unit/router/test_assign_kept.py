"""What a roster keeps as it goes is what a new one finds: after any moves, tickets and hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.case import Ticket
from contracts.nouns import Position
from router.assign import Load, Roster
from router.gazetteer import Gazetteer
from router.settings import RouterSettings
from tests.scenarios.town import at
from tests.unit.router.test_assign_exact import crowd
from tests.unit.router.test_assign_who import ticket

START = datetime(2026, 11, 20, 11, 55, tzinfo=UTC)  # 19:55 in Shanghai: a shift ends soon
STAGES = ("dispatched", "accepted", "arrived", "returned", "suspended", "closed", "void")


@settings(deadline=None, max_examples=25, database=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 120), many=st.integers(4, 12))
def test_a_roster_that_went_on_and_a_new_one_choose_the_same(
    seed: int, steps: int, many: int
) -> None:
    r = np.random.default_rng(seed)
    city, _, _, place = crowd(seed, many, 2000.0)
    names = sorted(city.workers)
    gazetteer = Gazetteer(city.grids)
    load, now = Load(), START
    kept = Roster(city, gazetteer, RouterSettings())
    kept.follow(load)
    newest: dict[str, Position] = {}
    tickets: dict[str, Ticket] = {}
    for _ in range(steps):
        now += timedelta(
            seconds=float(
                r.choice([0.0, 1.0, 60.0, 700.0, 30_000.0], p=[0.4, 0.3, 0.2, 0.07, 0.03])
            )
        )
        what = int(r.integers(0, 4))
        who = str(r.choice(names))
        if what == 0:
            seen = now - timedelta(seconds=float(r.choice([0, 5, 1500, 4000])))
            position = Position(
                worker=who, at=seen, received_at=now, point=at(*r.uniform(0, 2000, 2))
            )
            kept.move(position)
            known = newest.get(who)
            if known is None or seen > known.at:
                newest[who] = position
        elif what == 1:
            ident = f"t-{r.integers(0, 12)}"
            fresh: Ticket | None = ticket(ident, who, str(r.choice(STAGES)), helpers=(names[0],))
            load.change(tickets.pop(ident, None), fresh)
            if fresh is not None:
                tickets[ident] = fresh
        elif what == 2 and tickets:
            load.change(tickets.pop(next(iter(tickets))), None)
        else:
            kept.choose(place, now, load=None if r.random() < 0.7 else {who: 2})
    new = Roster(city, gazetteer, RouterSettings())
    for worker in reversed(names):  # the store hands them out in another order
        if worker in newest:
            new.move(newest[worker])
    again = Load()
    for one in tickets.values():
        again.change(None, one)
    new.follow(again)
    wishes: list[dict[str, Any]] = [{}, {"severity": 1, "helpers": 2}, {"without": {names[-1]}}]
    for later in (0, 900, 2000, 40_000):
        then = now + timedelta(seconds=later)
        for wish in wishes:
            assert kept.choose(place, then, **wish) == new.choose(place, then, **wish)
        for worker in names:
            found = kept.figures(worker, place, then, severity=1)
            assert found == new.figures(worker, place, then, severity=1)
