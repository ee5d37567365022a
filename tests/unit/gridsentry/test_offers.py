"""What the page is told may be done is what the router's table allows."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from contracts.case import Allowed
from contracts.errors import Wrong
from contracts.wire import ticket_object
from gridsentry.live.offers import allowed
from router.stages import MOVES
from tests.scenarios.script import Script, event
from tests.scenarios.town import place, town

DAY_S = 86_400.0


def flooded() -> tuple[Script, str]:
    story = Script(town())
    story.at(0).event(event("flooding", "road-1", place(400, 200)))
    return story, story.ticket().id


def offered(story: Script, now: datetime | None = None) -> dict[str, Allowed]:
    item = ticket_object(story.ticket())
    return {o.action: o for o in allowed(item, now or story.now, appeal_s=DAY_S)}


def test_along_the_way_exactly_the_actions_of_the_table_are_offered() -> None:
    story, ticket = flooded()
    steps = ("accept", "arrive", "dispose", "verify", "close", "evaluate")
    for minutes, action in enumerate(steps, 1):
        stage = story.ticket().stage
        found = offered(story)
        assert action in found
        assert all(stage in MOVES[name].stages for name in found)
        wanted = {
            name
            for name, move in MOVES.items()
            if stage in move.stages and move.answers is None and move.who & {"center", "anyone"}
        }
        # Who helps, what is out and what was merged is not there yet.
        absent = {"accept_help", "refuse_help", "release_helper", "return_resource", "undo"}
        assert wanted - absent - set(found) <= {"take_resource"}
        judge = action in ("verify", "close", "evaluate")
        why = "seen on the spot" if action == "verify" else None
        story.at(60 * minutes).command(ticket, action, "center" if judge else "w-12", reason=why)
    assert story.ticket().stage == "evaluated"


def test_what_must_be_said_and_named_goes_with_it() -> None:
    story, _ = flooded()
    found = offered(story)
    assert found["return"].says == ("reason",)
    assert found["merge"].says == ("into", "reason")
    assert found["reassign"].says == ("whom",)
    assert (found["return"].text_zh, found["return"].text_en) == ("回退", "return")
    assert [c.id for c in found["report"].choices["facts"]] == ["road_blocked"]


def test_more_time_is_asked_in_the_name_of_who_has_the_work() -> None:
    story, _ = flooded()
    ticket = story.ticket()
    assert offered(story)["extend"].by == (ticket.worker, ticket.utility)
    assert offered(story)["supervise"].by == ("center",)


def test_an_answer_is_offered_only_while_there_is_a_question() -> None:
    story, ticket = flooded()
    assert not {"grant", "refuse", "confirm", "uphold"} & set(offered(story))
    story.at(60).command(ticket, "accept", "w-12")
    due = story.ticket().deadlines.dispose
    assert due is not None
    until = (due + timedelta(hours=1)).isoformat()
    story.command(ticket, "extend", "w-12", reason="the pump is late", until=until)
    found = offered(story)
    assert found["grant"].answers == found["refuse"].answers == "extension"
    assert (found["grant"].also, found["refuse"].says) == (("until",), ("reason",))
    assert "appeal" not in found


def test_a_verdict_may_be_appealed_by_those_it_is_on_while_it_is_new() -> None:
    story, ticket = flooded()
    story.at(60).do(ticket, "accept", "arrive", "dispose", by="w-12")
    story.command(ticket, "rework", "center", reason="still wet")
    assert "w-12" in offered(story)["appeal"].by
    later = story.now.replace(year=story.now.year + 1)
    assert "appeal" not in offered(story, later)


def test_a_lone_event_cannot_be_split() -> None:
    story, _ = flooded()
    item = ticket_object(story.ticket())
    for events, there in ((["e-1"], False), (["e-1", "e-2"], True)):
        known = {**item, "incident_detail": {"events": events}}
        names = [o.action for o in allowed(known, story.now, appeal_s=DAY_S)]
        assert ("split" in names) is there


def test_a_ticket_that_cannot_be_read_is_refused_by_name() -> None:
    story, ticket = flooded()
    with pytest.raises(Wrong, match=ticket):
        allowed({"id": ticket}, story.now, appeal_s=DAY_S)
