"""What is faintly suspected is looked at before its owner is called, as stories."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.case import Ticket
from router.settings import RouterSettings
from tests.scenarios.script import Script, between, event
from tests.scenarios.town import place, town

CUT = place(500, 400)


def told(rev: int = 1, at: float = 0.0, **more: Any) -> Any:
    fields: dict[str, Any] = {
        "state": "suspected",
        "severity": 3,
        "spans": [["s-5", 0.2]],
        "owners": ["grid-co"],
    }
    return event("severed_cable", "L1", CUT, at, rev=rev, **(fields | more))


def story_of(**more: Any) -> Script:
    story = Script(town(), RouterSettings(policy="each"))
    story.at(0).event(told(**more))
    return story


def root(story: Script) -> Ticket:
    return next(t for t in story.tickets() if t.parent is None)


def test_a_faint_suspicion_sends_somebody_to_look_and_calls_nobody_else() -> None:
    story = story_of()
    (ticket,) = story.tickets()
    assert (ticket.lane, ticket.utility) == ("self", None)
    assert ticket.worker is not None
    why = ticket.reason["utility"]
    assert (why["by"], why["check"], why["owners"]) == ("check", ["power"], {})
    assert "先派网格员现场核实" in why["text_zh"]
    assert "供电公司" in why["text_zh"]
    assert "a grid worker looks first" in why["text_en"]


@pytest.mark.parametrize(
    "more", [{"state": "confirmed"}, {"severity": 4}, {"state": "confirmed", "severity": 5}]
)
def test_what_is_confirmed_or_likely_calls_the_owner_at_once(more: dict[str, Any]) -> None:
    ticket = root(story_of(**more))
    assert (ticket.lane, ticket.utility) == ("direct", "power")


def test_the_owner_is_called_when_it_is_confirmed() -> None:
    story = story_of()
    story.at(300).event(told(2, 0.0, state="confirmed", severity=5))
    moved = story.expect(between(300, 300)).ticket("updated")
    assert (moved.lane, moved.utility, moved.severity) == ("direct", "power", 5)
    assert "also concerns power" in moved.timeline[-1].note
    assert "check" not in moved.reason["utility"]


def test_two_owners_get_a_part_each_when_it_is_confirmed() -> None:
    owners = ["grid-co", "telecom-co"]
    story = story_of(owners=owners)
    assert len(story.tickets()) == 1
    story.at(300).event(told(2, 0.0, state="confirmed", severity=5, owners=owners))
    assert {t.utility for t in story.tickets() if t.parent} == {"power", "telecom"}


def test_a_resident_who_saw_it_is_no_faint_suspicion() -> None:
    story = story_of()
    story.at(60).event(
        event("citizen_report", "app", CUT, 60.0, kind="severed_cable", text="电线掉了")
    )
    assert root(story).utility == "power"


def test_who_looks_names_the_owner_when_it_is_torn() -> None:
    story = story_of()
    ticket = root(story)
    story.do(ticket.id, "accept", "arrive", by=str(ticket.worker))
    assert not story.command(ticket.id, "assign", "w-42", utility="power").ok
    assert story.command(ticket.id, "assign", str(ticket.worker), utility="power").ok
    (part,) = [t for t in story.tickets() if t.parent == ticket.id]
    assert (part.utility, part.stage) == ("power", "dispatched")
    # The sensor's own word that it is so calls nobody twice.
    story.at(300).event(told(2, 0.0, state="confirmed", severity=5))
    assert len([t for t in story.tickets() if t.utility == "power"]) == 1


def test_when_it_was_nothing_the_check_is_over_with_the_suspicion() -> None:
    story = story_of()
    ticket = root(story)
    story.do(ticket.id, "accept", "arrive", by=str(ticket.worker))
    story.at(600).event(told(2, 0.0, phase="closed"))
    story.do(ticket.id, "dispose", by=str(ticket.worker))
    assert root(story).stage in ("disposed", "verified")


def test_a_city_may_want_the_owner_at_once() -> None:
    story = Script(town(), RouterSettings(check_first=()))
    story.at(0).event(told())
    assert root(story).utility == "power"
