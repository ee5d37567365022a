"""Who had no network could not look first: their step is taken as the ticket stands, if the loop
still allows it."""

from __future__ import annotations

from contracts.case import AS_IT_STANDS
from contracts.clock import iso
from contracts.people import concerned, parts, was_concerned
from contracts.wire import ticket_object
from tests.scenarios.script import Script, event
from tests.scenarios.town import place, town


def flooded() -> tuple[Script, str, str]:
    story = Script(town())
    story.at(0).event(event("flooding", "road-1", place(400, 200)))
    ticket = story.ticket()
    assert ticket.worker is not None
    return story, ticket.id, ticket.worker


def test_a_step_that_the_loop_still_allows_is_taken_whatever_the_revision() -> None:
    story, ticket, worker = flooded()
    story.at(30).command(ticket, "note", note="the pump is on its way")  # unseen in a tunnel
    stale = story.at(60).command(ticket, "accept", worker, rev=1)
    assert not stale.ok
    assert story.command(ticket, "accept", worker, rev=AS_IT_STANDS).ok
    assert story.command(ticket, "arrive", worker, rev=AS_IT_STANDS).ok
    assert story.ticket().stage == "arrived"


def test_a_step_that_it_no_longer_allows_is_refused_in_both_languages() -> None:
    story, ticket, worker = flooded()
    story.at(60).command(ticket, "accept", worker)
    again = story.at(90).command(ticket, "accept", worker, rev=AS_IT_STANDS)
    assert not again.ok
    assert "not possible while accepted" in again.reason and "不能执行" in again.reason
    other = next(w for w in sorted(town().workers) if w != worker)
    assert story.at(120).command(ticket, "reassign", worker=other).ok
    late = story.at(180).command(ticket, "arrive", worker, rev=AS_IT_STANDS)
    assert not late.ok
    assert story.ticket().worker == other
    noted = story.command(ticket, "note", worker, rev=AS_IT_STANDS, note="was there at 14:03")
    assert noted.ok


def test_when_it_was_done_stands_in_the_ticket() -> None:
    story, ticket, worker = flooded()
    done = story.at(60).now
    story.at(900).command(ticket, "accept", worker, rev=AS_IT_STANDS, done_at=iso(done))
    (late,) = story.ticket().reason["late"]
    assert late == {
        "action": "accept", "by": worker, "done_at": iso(done), "at": iso(story.now),
    }  # fmt: skip
    story.command(ticket, "arrive", worker, rev=AS_IT_STANDS, done_at="yesterday")
    assert len(story.ticket().reason["late"]) == 1


def test_whom_a_ticket_concerns_follows_the_loop() -> None:
    story, ticket, worker = flooded()
    before = ticket_object(story.ticket())
    assert parts(before, worker) >= {"worker"}
    assert worker in concerned(before)
    story.at(60).command(ticket, "accept", worker)
    story.at(90).command(ticket, "return", worker, reason="not mine")
    after = ticket_object(story.ticket())
    if after["worker"] != worker:
        assert "worker" not in parts(after, worker)
    assert was_concerned(after, worker)
    assert not was_concerned(after, "w-nobody")
