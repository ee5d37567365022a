"""Who goes where is thought over again, as stories."""

from __future__ import annotations

from typing import Any

from contracts.city import Worker
from contracts.event import Place
from router.settings import RouterSettings
from tests.scenarios.script import Script, between, event, moment
from tests.scenarios.town import WORKERS, place, town


def two(*names: str) -> tuple[Worker, ...]:
    return tuple(w for w in WORKERS if w.id in names)


def story_of(*names: str, **settings: Any) -> Script:
    return Script(town(workers=two(*names)), RouterSettings(policy="joint", **settings))


def flood(story: Script, site: str, where: Place, **more: Any) -> str:
    at = (story.now - moment(0)).total_seconds()
    before = {t.id for t in story.tickets()}
    story.event(event("flooding", site, where, at, **more))
    (new,) = [t.id for t in story.tickets() if t.id not in before]
    return new


def test_an_offer_that_nobody_answers_goes_to_the_next_and_the_clock_runs_on() -> None:
    story = story_of("w-11", "w-12", "h-1")
    ticket = flood(story, "road-1", place(400, 200))
    assert story.ticket().worker == "w-12"
    due = story.ticket().deadlines.accept
    story.at(121)
    moved = story.expect(between(120, 121)).ticket("dispatched")
    assert moved.worker == "w-11"
    assert moved.deadlines.accept == due
    (past,) = moved.reason["resent"]
    assert (past["worker"], past["silent"]) == ("w-12", True)
    note = moved.timeline[-1].note
    assert "钱二2分钟未应答" in note
    assert "has not answered for 2 min" in note
    assert not story.command(ticket, "accept", "w-12").ok
    story.do(ticket, "accept", by="w-11")


def test_who_has_said_a_word_is_not_passed_over() -> None:
    story = story_of("w-11", "w-12")
    ticket = flood(story, "road-1", place(400, 200))
    story.at(60).do(ticket, "acknowledge", by="w-12")
    story.at(400)
    assert story.ticket().worker == "w-12"


def test_what_a_person_decided_stays() -> None:
    story = story_of("w-11", "w-12", "w-13")
    ticket = flood(story, "road-1", place(400, 200))
    story.at(10).command(ticket, "reassign", "center", note="worker:w-13")
    story.at(500)
    assert story.ticket().worker == "w-13"


def test_when_nobody_else_is_there_that_is_said_once_and_the_ladder_goes_on() -> None:
    story = story_of("w-12", "h-1")
    flood(story, "road-1", place(400, 200))
    story.at(3600)
    notes = [s.note for s in story.ticket().timeline if "暂无其他人员可派" in s.note]
    assert len(notes) == 1
    assert any(s.change == "escalated" for s in story.ticket().timeline)


def test_whoever_is_free_again_takes_what_waits_for_somebody_busy() -> None:
    story = story_of("w-11", "w-12")
    first = flood(story, "road-1", place(400, 200))
    second = flood(story, "road-3", place(50, 100))
    assert [t.worker for t in story.tickets()] == ["w-12", "w-11"]
    story.at(30).do(first, "accept", "arrive", by="w-12")
    story.do(second, "accept", "arrive", by="w-11")
    story.at(60)
    third = flood(story, "road-4", place(300, 150))
    holder = story.ticket_by_id(third).worker
    story.at(70).do(third, "accept", by=str(holder))
    due = story.ticket_by_id(third).deadlines.arrive
    other, done = ("w-11", second) if holder == "w-12" else ("w-12", first)
    story.at(200).do(done, "dispose", by=other)
    moved = story.expect(between(200, 200)).ticket("dispatched")
    assert (moved.id, moved.worker) == (third, other)
    assert moved.deadlines.arrive == due
    assert "一并统筹" in moved.timeline[-1].note


def test_nobody_is_called_back_from_the_way() -> None:
    story = story_of("w-11", "w-12")
    far = flood(story, "road-5", place(1000, 450))
    holder = str(story.ticket_by_id(far).worker)
    story.at(20).do(far, "accept", by=holder)
    story.at(300)
    near = flood(story, "road-1", place(400, 200))
    story.do(near, "accept", "arrive", "dispose", by=str(story.ticket_by_id(near).worker))
    assert story.ticket_by_id(far).worker == holder


def test_each_for_itself_moves_nothing() -> None:
    story = Script(town(), RouterSettings(policy="each", ladder=False))
    flood(story, "road-1", place(400, 200))
    story.at(7200)
    story.expect(between(1, 7200)).nothing("ticket", "dispatched")


def test_who_has_come_to_a_place_is_given_what_lies_beside_it_before_they_are_done() -> None:
    story = story_of("w-11", "w-12")
    far = flood(story, "road-1", place(50, 100))
    here = flood(story, "road-2", place(450, 240))
    later = flood(story, "road-3", place(450, 900))
    beside = flood(story, "road-4", place(420, 300))
    holders = [story.ticket_by_id(t).worker for t in (far, here, later, beside)]
    assert holders == ["w-11", "w-12", "w-12", "w-11"]
    story.at(30).do(far, "accept", "arrive", by="w-11")
    story.at(60).do(beside, "accept", by="w-11")
    story.do(here, "accept", by="w-12")
    story.at(100).do(here, "arrive", by="w-12")
    moved = story.expect(between(100, 100)).ticket("dispatched")
    assert (moved.id, moved.worker) == (beside, "w-12")
    assert "钱二正在附近处置，处置完即可前往" in moved.timeline[-1].note
    assert "sooner than 赵一" in moved.timeline[-1].note
    assert moved.reason["worker"]["worker"] == "w-12"
    # Once is enough: who then comes to the other place does not take it back.
    story.at(260).do(beside, "accept", by="w-12")
    story.at(400).do(far, "dispose", by="w-11")
    assert story.ticket_by_id(beside).worker == "w-12"


def test_nobody_is_robbed_of_what_they_are_on_the_way_to_though_something_graver_waits() -> None:
    story = story_of("w-11", "w-12")
    other = flood(story, "road-3", place(100, 120))
    story.do(other, "accept", "arrive", by="w-11")
    near = flood(story, "road-1", place(440, 250))
    story.do(near, "accept", by="w-12")
    grave = flood(story, "road-2", place(460, 900), severity=4)
    story.do(grave, "accept", by="w-12")
    story.at(60).do(other, "dispose", by="w-11")
    assert story.ticket_by_id(near).worker == "w-12"
    assert story.ticket_by_id(grave).worker == "w-11", "that one may go to whoever is free"


def test_who_was_asked_to_help_and_is_then_sent_is_no_helper_any_more() -> None:
    story = story_of("w-11", "w-12")
    ticket = flood(story, "road-1", place(400, 200))
    assert story.ticket().worker == "w-12"
    assert story.command(ticket, "request_helper", "center", worker="w-11").ok
    story.at(121)
    assert story.ticket().worker == "w-11"
    assert [(h.worker, h.state) for h in story.ticket().hands] == [("w-11", "released")]


def test_what_comes_in_a_burst_is_matched_together() -> None:
    story = story_of("w-12", "w-32")
    first = flood(story, "road-1", place(960, 270))
    assert story.ticket_by_id(first).worker == "w-12", "a little nearer"
    story.at(20)
    second = flood(story, "road-2", place(50, 250))
    assert story.ticket_by_id(second).worker == "w-12"
    moved = story.ticket_by_id(first)
    assert moved.worker == "w-32"
    assert "2 matched together" in moved.timeline[-1].note
    assert "2件统筹" in moved.timeline[-1].note
    # What was accepted before the next came stays.
    story = story_of("w-12", "w-32")
    first = flood(story, "road-1", place(960, 270))
    story.at(10).do(first, "accept", by="w-12")
    story.at(20)
    second = flood(story, "road-2", place(50, 250))
    assert [story.ticket_by_id(t).worker for t in (first, second)] == ["w-12", "w-32"]
