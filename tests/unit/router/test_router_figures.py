"""Figures over tickets: the field's rates, against published numbers and ones counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from router.figures import Case, Figures, case_of, figures, league
from tests.scenarios.script import Script, event, moment
from tests.scenarios.town import place, town

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def case(number: int, **fields: object) -> Case:
    opened = BEGIN + timedelta(minutes=30 * number)
    given = {
        "id": f"t-{number}",
        "kind": "flooding",
        "opened_at": opened,
        "dispose_due": opened + 2 * HOUR,
        "close_due": opened + 4 * HOUR,
        **fields,
    }
    return Case(**given)  # type: ignore[arg-type]


def closed_after(number: int, hours: float) -> Case:
    opened = BEGIN + timedelta(minutes=30 * number)
    return case(number, closed_at=opened + hours * HOUR)


def test_the_published_month_of_tianmen_comes_out() -> None:
    # 972 due, 911 closed = 93.72 %, 737 on time = 75.82 % (hbcic.net.cn 74587).
    month = [
        *(closed_after(i, 3) for i in range(737)),
        *(closed_after(i, 5) for i in range(737, 911)),
        *(case(i) for i in range(911, 972)),
    ]
    found = figures(month, BEGIN, END)
    assert (found.due, found.closed, found.on_time, found.deferred) == (972, 911, 737, 0)
    assert found.closing_rate == pytest.approx(0.9372, abs=5e-5)
    assert found.on_time_rate == pytest.approx(0.7582, abs=5e-5)


def test_what_was_deferred_is_not_held_against_them() -> None:
    # Jinhua: 按期结案率 = 按期结案数 ÷ (应结案数 − 缓办数).
    granted = case(3, first_due=END - HOUR, close_due=END + 30 * HOUR)
    overdue_all_the_same = case(4, first_due=END - 9 * HOUR, close_due=END - HOUR)
    kept = case(5, first_due=END - 9 * HOUR, close_due=END - HOUR, closed_at=END - 2 * HOUR)
    month = [closed_after(0, 3), closed_after(1, 5), case(2, suspended=True), granted]
    found = figures([*month, overdue_all_the_same, kept], BEGIN, END)
    assert (found.due, found.deferred, found.on_time) == (6, 2, 2)
    assert found.on_time_rate == 0.5


def test_a_case_of_which_the_time_ends_next_month_is_not_due_yet() -> None:
    late = Case(id="t", kind="flooding", opened_at=END - HOUR, close_due=END + HOUR)
    found = figures([late], BEGIN, END)
    assert (found.filed, found.due, found.on_time_rate) == (1, 0, None)


def test_void_ones_were_reported_and_are_no_case() -> None:
    found = figures([case(0), case(1, void=True), case(2, void=True), case(3)], BEGIN, END)
    assert (found.reported, found.filed, found.filing_rate, found.due) == (4, 2, 0.5, 2)


def test_rates_of_rework_and_return_and_times_are_counted_by_hand() -> None:
    def took(number: int, minutes: int, **fields: object) -> Case:
        opened = BEGIN + timedelta(minutes=30 * number)
        return case(
            number,
            answered_at=opened + timedelta(minutes=minutes),
            disposed_at=opened + timedelta(minutes=10 * minutes),
            **fields,
        )

    month = [took(0, 2), took(1, 4, reworks=1), took(2, 6, returns=2), took(3, 20), case(4)]
    found = figures(month, BEGIN, END)
    assert found.rework_rate == 1 / 4
    assert found.return_rate == 1 / 5
    assert found.first_response.n == 4
    assert found.first_response.mean == 480.0
    assert found.first_response.p50 == 240.0
    assert found.first_response.p90 == 1200.0
    assert found.disposed_on_time_rate == 3 / 5  # 200 min and the open one are late


def test_satisfaction_is_the_residents_and_the_score_the_grids() -> None:
    month = [case(0, satisfaction=(5, 4), score=4.0), case(1, satisfaction=(2,), score=1.0)]
    found = figures(month, BEGIN, END)
    assert found.satisfaction == pytest.approx(11 / 3)
    assert found.satisfied_rate == pytest.approx(2 / 3)
    assert found.score == 2.5


def test_departments_stand_in_a_league_the_most_punctual_first() -> None:
    month = [
        of(closed_after(0, 5), "water"),
        of(closed_after(1, 3), "power"),
        of(closed_after(2, 3), "power"),
        closed_after(3, 3),
    ]
    table = league(month, "utility", BEGIN, END)
    assert list(table) == ["power", "water"]
    assert [f.on_time_rate for f in table.values()] == [1.0, 0.0]
    assert isinstance(table["water"], Figures)


def of(one: Case, utility: str) -> Case:
    return msgspec.structs.replace(one, utility=utility)


def test_nothing_has_no_rates() -> None:
    found = figures([], BEGIN, END)
    assert found.closing_rate is found.on_time_rate is found.satisfaction is found.score is None
    assert found.disposal.n == 0


def test_a_ticket_of_the_router_becomes_a_case() -> None:
    story = Script(town())
    story.at(0).event(event("flooding", "road-1", place(400, 200)))
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", by="w-12")
    story.at(600).do(ticket, "arrive", "dispose", by="w-12")
    story.command(ticket, "rework", "center", reason="still wet")
    story.at(900).do(ticket, "dispose", by="w-12")
    story.at(1000).event(event("flooding", "road-1", place(400, 200), rev=2, phase="closed"))
    story.at(1100).command(ticket, "rate", "resident:wang", score=4, note="fast")
    story.do(ticket, "close")
    story.command(ticket, "evaluate", "center", score=5)
    found = case_of(story.ticket())
    assert found.answered_at == moment(60)
    assert found.disposed_at == moment(900)
    assert found.verified_at == moment(1000)
    assert found.closed_at == moment(1100)
    assert (found.reworks, found.returns, found.satisfaction, found.score) == (1, 0, (4,), 5.0)
    assert (found.worker, found.utility, found.grid) == ("w-12", "water", "g1")
