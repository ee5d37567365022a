"""Merge and split by hand: reasons on both, what comes later follows, and undo restores both."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.case import Incident, Ticket
from router.settings import RouterSettings
from tests.scenarios.script import Script, between, event, moment
from tests.scenarios.town import place, town
from tests.scenarios.wired import cut, silent, wired_town


def incident(story: Script, name: str) -> Incident:
    return next(i for i in story.incidents() if i.id == name)


def two_floods() -> tuple[Script, Ticket, Ticket]:
    """80 m apart: two incidents, though it is one crossing."""
    story = Script(town(), RouterSettings(ladder=False))
    story.event(event("flooding", "road-1", place(400, 200)))
    story.at(60).event(event("flooding", "road-2", place(480, 200), 60, severity=4))
    first, second = story.tickets()
    return story, first, second


def test_merged_the_ticket_ends_and_both_say_why_and_the_worker_is_told() -> None:
    story, first, second = two_floods()
    answer = story.at(300).command(second.id, "merge", "h-1", reason="one crossing", into=first.id)
    assert answer.ok, answer.reason
    gone = story.expect(between(300, 300)).ticket("cancelled", id=second.id)
    assert (gone.stage, gone.worker) == ("void", second.worker)
    assert f"merged into {first.id}" in gone.timeline[-1].note
    assert str(first.worker) in gone.timeline[-1].note
    assert gone.timeline[-1].by == "h-1"
    kept = story.ticket_by_id(first.id)
    assert any(s.by == "h-1" and second.id in s.note for s in kept.timeline)
    assert kept.severity == 4
    assert len(kept.reason["incident"]["events"]) == 2
    a, b = incident(story, second.incident), incident(story, first.incident)
    assert (a.merged_into, a.closed_at) == (b.id, moment(300))
    assert "merged into" in a.reason and "并入" in a.reason
    assert len(b.events) == 2


def test_what_comes_later_follows_the_merge_by_event_and_by_place() -> None:
    story, first, second = two_floods()
    story.at(300).command(second.id, "merge", reason="one crossing", into=first.id)
    story.at(400).event(event("flooding", "road-2", place(480, 200), 60, rev=2, severity=5))
    assert story.ticket_by_id(first.id).severity == 5
    story.at(500).event(event("citizen_report", "app", place(520, 200), 490, kind="flooding"))
    assert len(story.incidents()) == 2
    assert len(incident(story, first.incident).events) == 3
    story.at(600).event(event("flooding", "road-1", place(400, 200), rev=2, phase="closed"))
    assert incident(story, first.incident).closed_at is None
    story.at(700).event(
        event("flooding", "road-2", place(480, 200), 60, rev=3, severity=5, phase="closed")
    )
    assert incident(story, first.incident).closed_at == moment(700)


def test_undone_both_are_as_they_were_and_what_came_since_goes_with_the_nearer() -> None:
    story, first, second = two_floods()
    story.at(200).do(second.id, "accept", by=str(second.worker))
    was_a, was_b = story.ticket_by_id(second.id), story.ticket_by_id(first.id)
    story.at(300).command(second.id, "merge", reason="one crossing", into=first.id)
    story.at(400).event(event("citizen_report", "app", place(520, 200), 390, kind="flooding"))
    assert story.at(900).command(second.id, "undo", reason="two pumps after all").ok
    now_a, now_b = story.ticket_by_id(second.id), story.ticket_by_id(first.id)
    assert (now_a.stage, now_a.worker) == (was_a.stage, was_a.worker)
    left = (was_a.deadlines.arrive or moment(0)) - moment(300)
    assert (now_a.deadlines.arrive or moment(0)) - moment(900) == left
    assert (now_b.severity, now_b.deadlines) == (was_b.severity, was_b.deadlines)
    a, b = incident(story, second.incident), incident(story, first.incident)
    assert (a.merged_into, a.closed_at, len(a.events)) == (None, None, 2)
    assert (b.severity, b.also, len(b.events)) == (3, (), 1)
    assert "merged" not in a.reason
    story.at(1000).event(event("flooding", "road-2", place(480, 200), 60, rev=2, severity=5))
    assert [t.severity for t in story.tickets()] == [3, 5]
    assert "nothing was merged" in story.command(second.id, "undo", reason="again").reason


def test_undo_on_the_ticket_that_stayed_does_the_same() -> None:
    story, first, second = two_floods()
    story.at(300).command(second.id, "merge", reason="one crossing", into=first.id)
    assert story.at(900).command(first.id, "undo", reason="no").ok
    assert [t.stage for t in story.tickets()] == ["dispatched", "dispatched"]
    assert [len(i.events) for i in story.incidents()] == [1, 1]


def test_merging_brings_the_other_owners_parts_and_undoing_takes_them_back() -> None:
    story = Script(town(), RouterSettings(ladder=False))
    story.event(event("severed_cable", "L1", place(500, 400), owners=["grid-co"]))
    story.at(5000).event(event("fibre_break", "F1", place(530, 410), 5000, owners=["telecom-co"]))
    power, telecom = story.tickets()
    assert (power.utility, telecom.utility) == ("power", "telecom")
    story.at(5100).command(telecom.id, "merge", reason="the same pole", into=power.id)
    parts = [t for t in story.open_tickets() if t.parent == power.id]
    assert {t.utility for t in parts} == {"power", "telecom"}
    story.at(5200).command(telecom.id, "undo", reason="no")
    assert {t.id for t in story.open_tickets()} == {power.id, telecom.id}
    assert story.ticket_by_id(power.id).utility == "power"


def test_a_later_decision_is_undone_first() -> None:
    story, first, second = two_floods()
    story.at(70).event(event("flooding", "road-9", place(560, 200), 70))
    third = story.tickets()[2]
    story.at(300).command(second.id, "merge", reason="x", into=first.id)
    story.at(400).command(first.id, "merge", reason="y", into=third.id)
    refused = story.command(second.id, "undo", reason="z")
    assert not refused.ok and "has ended" in refused.reason
    story.at(500).command(third.id, "undo", reason="z")
    assert story.command(second.id, "undo", reason="z").ok
    assert [len(i.events) for i in story.incidents()] == [1, 1, 1]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({}, "data names an open ticket"),
        ({"into": "t-nobody"}, "data names an open ticket"),
        ({"into": "itself"}, "one incident already"),
        ({"into": "ended"}, "has ended"),
    ],
)
def test_what_cannot_be_merged_is_refused_with_a_reason(data: dict[str, Any], why: str) -> None:
    story, first, second = two_floods()
    story.at(70).command(second.id, "void", reason="test")
    into = {"itself": first.id, "ended": second.id}.get(data.get("into", ""))
    said = {"into": into} if into else data
    answer = story.command(first.id, "merge", reason="x", **said)
    assert not answer.ok and why in answer.reason
    assert not story.command(first.id, "merge", str(first.worker), reason="x", **said).ok


# --- split ----------------------------------------------------------------------------------------


def two_lamps() -> tuple[Script, Ticket, list[str]]:
    """30 m apart, joined as one, but each has a crew of its own."""
    story = Script(town(), RouterSettings(ladder=False))
    story.event(event("street_light_out", "lamp-1", place(600, 600)))
    story.at(60).event(event("street_light_out", "lamp-2", place(630, 600), 60, severity=4))
    return story, story.ticket(), list(story.incidents()[0].events)


def test_split_the_events_are_an_incident_with_a_ticket_of_its_own() -> None:
    story, ticket, (one, two) = two_lamps()
    answer = story.at(300).command(
        ticket.id, "split", "h-1", reason="another circuit", events=[two]
    )
    assert answer.ok, answer.reason
    first, second = story.incidents()
    assert (first.events, second.events) == ((one,), (two,))
    assert (second.split_from, second.place.lon) == (first.id, place(630, 600).lon)
    assert "split from" in second.reason and "拆出" in second.reason
    other = story.expect(between(300, 300)).ticket("opened", incident=second.id)
    notes = [s.note for s in story.ticket_by_id(other.id).timeline]
    assert any(ticket.id in note and "another circuit" in note for note in notes)
    assert any("another circuit" in s.note for s in story.ticket_by_id(ticket.id).timeline)


def test_after_a_split_each_event_goes_with_its_own_side() -> None:
    story, ticket, (_, two) = two_lamps()
    story.at(300).command(ticket.id, "split", reason="another circuit", events=[two])
    story.at(400).event(event("street_light_out", "lamp-2", place(630, 600), 60, rev=2, severity=5))
    assert [i.severity for i in story.incidents()] == [3, 5]
    story.at(500).event(
        event("citizen_report", "app", place(640, 600), 490, kind="street_light_out")
    )
    assert [len(i.events) for i in story.incidents()] == [1, 2]
    story.at(600).event(event("street_light_out", "lamp-1", place(600, 600), rev=2, phase="closed"))
    assert [i.closed_at is None for i in story.incidents()] == [False, True]


def test_a_symptom_that_was_split_off_is_not_explained_again() -> None:
    story = Script(wired_town(), RouterSettings(ladder=False))
    story.event(cut(5))
    story.at(5).event(silent("m-8", 800, 400, 5))
    ticket = story.ticket()
    quiet = story.incidents()[0].events[1]
    story.at(60).command(ticket.id, "split", reason="its battery was stolen", events=[quiet])
    assert story.ticket(kind="sensor_silent").worker is not None
    story.at(90).event(cut(5, rev=2, phase="updated", severity=4))
    story.at(120).event(silent("m-8", 800, 400, 5, rev=2))
    assert sum(i.closed_at is None for i in story.incidents()) == 2


@pytest.mark.parametrize("on", ["first", "second"])
def test_a_split_is_undone_from_either_ticket(on: str) -> None:
    story, ticket, (one, two) = two_lamps()
    story.at(300).command(ticket.id, "split", reason="another circuit", events=[two])
    other = story.tickets()[1]
    story.at(400).event(event("street_light_out", "lamp-3", place(650, 600), 390))
    acted = {"first": ticket.id, "second": other.id}[on]
    answer = story.at(500).command(acted, "undo", reason="one circuit after all")
    assert answer.ok, answer.reason
    assert story.ticket_by_id(other.id).stage == "void"
    first, second = story.incidents()
    assert second.merged_into == first.id
    assert first.events[:2] == (one, two)
    assert len(first.events) == 3
    assert len(story.open_tickets()) == 1


def test_nothing_is_split_that_leaves_a_side_empty() -> None:
    story, ticket, events = two_lamps()
    for wanted in ([], events, ["e-nobody"], "all"):
        answer = story.command(ticket.id, "split", reason="x", events=wanted)
        assert not answer.ok
