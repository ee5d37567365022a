"""The branches of the loop: 回退 返工 延期 督办 申诉 挂账, reopening, confirming."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import pytest

from contracts.case import Ticket
from contracts.clock import iso
from router.settings import RouterSettings
from tests.scenarios.script import Script, between, event, moment
from tests.scenarios.town import WORKERS, place, town

HOUR = 3600.0
DAY = 24 * HOUR


def flooded(**settings: object) -> Script:
    story = Script(town(), RouterSettings(**{"policy": "each"} | settings))  # type: ignore[arg-type]
    story.at(0).event(event("flooding", "road-1", place(400, 200)))
    return story


def cut() -> tuple[Script, Ticket, dict[str, Ticket]]:
    """A cable with power and telecom on it: the worker's ticket and its parts by utility."""
    story = Script(town())
    owners = ["grid-co", "telecom-co"]
    story.at(0).event(event("severed_cable", "L1", place(500, 400), owners=owners))
    root = story.ticket(parent=None)
    return story, root, {str(t.utility): t for t in story.tickets() if t.parent}


def dry(story: Script, seconds: float, rev: int = 2) -> None:
    closed = event("flooding", "road-1", place(400, 200), rev=rev, phase="closed", value=0.02)
    story.at(seconds).event(closed)


def told(ticket: Ticket) -> str:
    return ticket.timeline[-1].note


# --- 回退 ---------------------------------------------------------------------------------------


def test_a_returned_ticket_goes_to_the_next_able_worker_by_itself() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).command(ticket, "return", "w-12", reason="my scooter broke down")
    story.expect(between(60, 60)).ticket("returned", worker="w-12")
    moved = story.expect(between(60, 60)).ticket("dispatched")
    assert moved.worker not in (None, "w-12")
    assert moved.utility == "water"
    assert moved.deadlines.accept == moment(60 + 360)
    assert moved.deadlines.dispose == moment(2 * HOUR)  # the residents wait no longer for that
    (chain,) = moved.reason["returns"]
    assert (chain["name"], chain["reason"]) == ("钱二 (w-12)", "my scooter broke down")
    assert chain["next"] == moved.worker
    assert "my scooter broke down" in told(moved)
    assert "回退" in told(moved)


def test_nobody_gets_back_what_they_returned_and_then_the_grid_head_decides() -> None:
    story = flooded()
    ticket, had = story.ticket().id, []
    for i in range(3):
        had.append(story.ticket().worker)
        story.at(60.0 * (i + 1)).command(ticket, "return", str(had[-1]), reason=f"no {i}")
    assert len(set(had)) == 3
    now = story.ticket()
    assert (now.worker, now.stage, now.lane) == ("h-1", "dispatched", "joint")
    assert [r["reason"] for r in now.reason["returns"]] == ["no 0", "no 1", "no 2"]
    assert now.reason["worker"]["first_receiver"] == had[0]
    assert "钱格长" in told(now)
    # The grid head returns it too: nobody is left, the first receiver leads a consultation.
    story.command(ticket, "return", "h-1", reason="the river police")
    last = story.ticket()
    assert (last.worker, last.stage) == (had[0], "returned")
    assert "首接" in told(last)
    story.at(DAY)
    assert len([c for c in story.changes if c.change in ("escalated", "reminded")]) >= 5


def test_an_off_shift_neighbour_is_not_called_by_a_return() -> None:
    alone = tuple(w for w in WORKERS if w.id in ("w-12", "w-31", "h-1"))  # w-31 works by night
    story = Script(town(workers=alone))
    story.at(0).event(event("flooding", "road-1", place(400, 200)))
    story.at(9).command(story.ticket().id, "return", "w-12", reason="ill")
    assert story.ticket().worker == "h-1"


def test_a_utilitys_part_that_is_returned_is_consulted_on_and_it_leads() -> None:
    story, root, parts = cut()
    part = parts["telecom"].id
    story.at(60).command(part, "return", "telecom", reason="that strand is the TV company's")
    returned = story.ticket(id=part)
    assert (returned.stage, returned.lane, returned.utility) == ("returned", "joint", "telecom")
    assert "首接单位" in returned.reason["questions"]["consultation"]["text_zh"]
    assert "电信公司" in told(story.ticket_by_id(root.id))
    story.at(60 + 1800)
    asked = story.expect(between(1860, 1860)).ticket("escalated", id=part)
    assert "钱格长" in told(asked)
    answer = story.command(part, "reassign", "h-1", utility="lights", reason="the lamp's own wire")
    assert answer.ok, answer.reason
    settled = story.ticket(id=part)
    assert (settled.stage, settled.utility, settled.lane) == ("dispatched", "lights", "direct")
    assert settled.reason["questions"]["consultation"]["answer"] == "lights"


def test_the_first_receiver_may_take_it_after_all() -> None:
    story, _, parts = cut()
    part = parts["telecom"].id
    story.at(60).command(part, "return", "telecom", reason="not ours?")
    story.at(120).do(part, "accept", by="utility:telecom")
    taken = story.ticket(id=part)
    assert taken.stage == "accepted"
    story.at(1900)  # nobody is asked any more whose it is
    story.expect(between(1860, 1860)).nothing("ticket", "escalated")
    assert taken.reason["questions"]["consultation"]["state"] == "withdrawn"


def test_a_utility_that_shares_the_workers_ticket_gets_a_part_to_be_consulted_on() -> None:
    story = flooded()
    root = story.ticket().id
    story.at(60).do(root, "accept", "arrive", by="w-12")
    story.at(90).command(root, "return", "water", reason="a private yard")
    mine, part = story.ticket_by_id(root), story.ticket(parent=root)
    assert (mine.stage, mine.worker, mine.utility) == ("arrived", "w-12", None)
    assert (part.stage, part.utility, part.lane) == ("returned", "water", "joint")
    assert part.deadlines.dispose == mine.deadlines.dispose
    assert part.reason["returns"][0]["reason"] == "a private yard"


# --- 返工 ---------------------------------------------------------------------------------------


def test_rework_says_who_and_why_and_is_counted() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", "arrive", "dispose", by="w-12")
    story.at(90).command(ticket, "rework", "h-1", reason="the grate is still shut")
    now = story.ticket()
    assert now.stage == "reworked"
    (verdict,) = now.reason["verdicts"]
    assert (verdict["what"], verdict["by"]) == ("rework", "h-1")
    assert "grate" in told(now)
    assert now.deadlines.dispose == moment(90 + 2 * HOUR)


# --- 延期 ---------------------------------------------------------------------------------------


def test_more_time_is_asked_for_and_granted_by_another() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", "arrive", by="w-12")
    no_date = story.command(ticket, "extend", "w-12", reason="the pump is far")
    assert "2026-11-23T09:30:00+08:00" in no_date.reason
    until = moment(5 * HOUR)
    assert story.command(ticket, "extend", "w-12", reason="a pump is far", until=iso(until)).ok
    assert not story.command(ticket, "grant", "w-12").ok
    assert story.ticket().deadlines.dispose == moment(2 * HOUR)  # asked is not granted
    assert story.command(ticket, "grant", "h-1").ok
    now = story.ticket()
    assert now.deadlines.dispose == until
    assert now.deadlines.verify == moment(6 * HOUR)
    assert now.reason["extensions"][0]["from"] == iso(moment(2 * HOUR))
    assert now.reason["questions"]["extension"]["answer"] == "granted"
    story.at(4.9 * HOUR)
    story.expect(between(61, 4.9 * HOUR)).nothing("ticket", "escalated")


def test_a_request_for_more_time_is_not_forgotten_and_may_be_refused() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", "arrive", by="w-12")
    story.command(ticket, "extend", "w-12", reason="tired", until=iso(moment(9 * HOUR)))
    story.at(60 + 1800)
    assert "tired" in told(story.expect(between(1860, 1860)).ticket("escalated"))
    assert not story.command(ticket, "refuse", "center").ok  # without a reason
    assert story.command(ticket, "refuse", "center", reason="it is a main road").ok
    assert story.ticket().deadlines.dispose == moment(2 * HOUR)
    assert "没有待批" in story.command(ticket, "grant", "center").reason


# --- 督办 ---------------------------------------------------------------------------------------


def test_urging_is_counted_and_quickens_the_ladder() -> None:
    def escalations(urged: int) -> list[float]:
        story = flooded()
        for i in range(urged):
            assert story.at(10.0 + i).command(story.ticket().id, "supervise", "h-1", note="!").ok
        story.at(4 * HOUR)
        return [
            (c.known_at - moment(0)).total_seconds()
            for c in story.changes
            if c.change in ("escalated", "reminded") and c.body.timeline[-1].by == "router"  # type: ignore[union-attr]
        ]

    usual, hurried = escalations(0), escalations(2)
    assert len(hurried) > len(usual)
    assert min(b - a for a, b in pairwise(hurried[2:])) == 450.0
    story = flooded()
    story.at(1).command(story.ticket().id, "supervise", "center", note="the mayor asks")
    urged = story.ticket().reason["supervised"]
    assert (urged["count"], urged["by"]) == (1, "center")
    assert "督办" in told(story.ticket())
    assert not story.command(story.ticket().id, "supervise", "w-12").ok


# --- 申诉 ---------------------------------------------------------------------------------------


def test_a_rework_is_struck_on_appeal_and_no_longer_counts() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", "arrive", "dispose", by="w-12")
    nothing = story.command(ticket, "appeal", "w-12", reason="unfair")
    assert not nothing.ok
    assert "没有针对" in nothing.reason
    story.at(90).command(ticket, "rework", "h-1", reason="looks wet")
    assert story.command(ticket, "appeal", "w-12", reason="that is the fountain").ok
    assert not story.command(ticket, "overturn", "h-1", reason="no").ok  # their own verdict
    assert story.command(ticket, "overturn", "center", reason="the fountain it is").ok
    now = story.ticket()
    assert now.stage == "disposed"
    assert now.reason["verdicts"][0]["struck"]["by"] == "center"
    assert now.deadlines.verify == moment(90 + HOUR)


def test_an_upheld_verdict_stands_and_cannot_be_appealed_against_again() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", "arrive", "dispose", by="w-12")
    story.at(90).command(ticket, "rework", "h-1", reason="looks wet")
    story.command(ticket, "appeal", "utility:water", reason="it is dry")
    assert "已有申诉" in story.command(ticket, "appeal", "w-12", reason="dry").reason
    assert story.command(ticket, "uphold", "center", reason="see the photo").ok
    assert story.ticket().stage == "reworked"
    assert not story.command(ticket, "appeal", "w-12", reason="dry!").ok


def test_an_evaluation_is_struck_and_given_anew() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", "arrive", "dispose", by="w-12")
    dry(story, 90)
    story.do(ticket, "close")
    story.command(ticket, "evaluate", "h-1", score=1, note="slow")
    assert story.command(ticket, "appeal", "water", reason="within every limit").ok
    story.at(90 + 1800)
    story.expect(between(1890, 1890)).ticket("escalated")  # an open appeal is not forgotten
    story.command(ticket, "overturn", "center", reason="all clocks were kept")
    assert story.ticket().stage == "closed"
    assert "person" not in story.ticket().reason["evaluation"]
    story.command(ticket, "evaluate", "center", score=5)
    assert story.ticket().reason["evaluation"]["person"]["score"] == 5


def test_a_ticket_that_was_taken_away_is_given_back_on_appeal() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).command(ticket, "return", "h-1", reason="he is slow")
    assert story.ticket().worker != "w-12"
    assert story.command(ticket, "appeal", "w-12", reason="I was at the door").ok
    assert story.command(ticket, "overturn", "center", reason="he was").ok
    assert story.ticket().worker == "w-12"


def test_a_sensor_that_was_wrong_about_rework_is_not_believed_again() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", "arrive", "dispose", by="w-12")
    story.at(60 + HOUR)
    assert story.ticket().stage == "reworked"
    assert story.command(ticket, "appeal", "w-12", reason="a leaf on the gauge").ok
    assert story.command(ticket, "overturn", "center", reason="seen on the camera").ok
    story.at(10 * HOUR)
    assert story.ticket().stage == "disposed"
    assert not story.command(ticket, "verify", "h-1", reason="dry").ok
    photo = [{"name": "处置后", "ref": "p-1"}]
    assert story.command(ticket, "verify", "h-1", photos=photo).ok
    assert story.ticket().reason["photos"]["after"][0]["by"] == "h-1"


def test_more_time_that_was_refused_is_granted_on_appeal() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", "arrive", by="w-12")
    until = iso(moment(6 * HOUR))
    story.command(ticket, "extend", "w-12", reason="the pump is in Suzhou", until=until)
    story.command(ticket, "refuse", "h-1", reason="try harder")
    assert story.command(ticket, "appeal", "w-12", reason="it is", against="refuse").ok
    assert story.command(ticket, "overturn", "center", reason="so it is").ok
    assert story.ticket().deadlines.dispose == moment(6 * HOUR)
    assert story.ticket().reason["extensions"][0]["by"] == "center"


def test_a_utility_appeals_against_being_named_and_the_consultation_goes_on() -> None:
    story, _, parts = cut()
    part = parts["telecom"].id
    story.at(60).command(part, "return", "telecom", reason="not ours")
    story.command(part, "reassign", "h-1", utility="lights", reason="a lamp's wire")
    appeal = story.command(part, "appeal", "lights", reason="our lamps are on the other side")
    assert appeal.ok, appeal.reason
    assert story.command(part, "overturn", "center", reason="so they are").ok
    now = story.ticket(id=part)
    assert (now.stage, now.utility, now.lane) == ("returned", "lights", "joint")
    assert now.reason["questions"]["consultation"]["state"] == "open"


# --- 挂账 ---------------------------------------------------------------------------------------


def test_a_suspended_ticket_comes_back_by_itself_with_what_was_left_of_its_clocks() -> None:
    story = flooded()
    ticket = story.ticket().id
    until = moment(100 + 5 * HOUR)
    answer = story.at(100).command(
        ticket, "suspend", "center", reason="the sea is up", until=iso(until)
    )
    assert answer.ok, answer.reason
    assert "挂账至2026-11-20 15:01" in told(story.ticket())
    story.at(100 + 5 * HOUR)
    back = story.expect(between(101, 100 + 5 * HOUR)).ticket("dispatched", stage="dispatched")
    assert back.deadlines.accept == moment(360 + 5 * HOUR)
    assert "挂账到期" in told(back)


@pytest.mark.parametrize(
    ("until", "text"),
    [
        ("2020-01-01T00:00:00Z", "past"),
        ("2030-01-01T00:00:00Z", "180 days"),
        ("soon", "data.until"),
    ],
)
def test_a_date_that_is_none_is_refused(until: str, text: str) -> None:
    story = flooded()
    answer = story.command(story.ticket().id, "suspend", "center", reason="x", until=until)
    assert not answer.ok
    assert text in answer.reason


def test_without_a_date_a_suspension_ends_after_a_week() -> None:
    story = flooded()
    story.at(100).command(story.ticket().id, "suspend", "center", reason="frost")
    story.at(100 + 7 * DAY)
    assert story.ticket().stage == "dispatched"


def test_who_was_sent_may_not_stop_their_own_clocks() -> None:
    story = flooded()
    answer = story.command(story.ticket().id, "suspend", "w-12", reason="lunch")
    assert "ask for more time" in answer.reason
    assert "申请延期" in answer.reason


def test_a_lamp_suspended_over_the_weekend_has_on_monday_what_it_had_on_friday() -> None:
    story = Script(town())
    evening = 7.5 * HOUR  # Friday 17:30: two working hours to accept
    story.at(evening).event(event("street_light_out", "lamp-1", place(600, 600), evening))
    ticket = story.ticket().id
    monday = evening + 2 * DAY + 16.5 * HOUR  # 10:00
    story.at(evening + 900).command(
        ticket, "suspend", "center", reason="no ladder", until=iso(moment(monday))
    )
    story.at(monday)
    assert story.ticket().deadlines.accept == moment(monday + 1.75 * HOUR)


def test_a_part_that_comes_later_has_clocks_of_its_own() -> None:
    story = Script(town())
    story.at(0).event(event("severed_cable", "L1", place(500, 400), owners=["grid-co"]))
    story.at(90).event(event("fibre_break", "F1", place(540, 410), 80))
    late = story.ticket(utility="telecom")
    first = story.ticket(parent=None)
    assert late.deadlines.accept == moment(90 + 360)
    assert first.deadlines.accept == moment(360)
    story.at(100).do(late.id, "accept", by="telecom")
    story.at(360)
    assert story.expect(between(101, 360)).ticket("escalated", id=first.id)
    assert story.ticket(id=late.id).reason["clocks"]["accept"]["on_time"]


# --- reopening ----------------------------------------------------------------------------------


def done(story: Script) -> str:
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", "arrive", "dispose", by="w-12")
    dry(story, 90)
    story.at(100).do(ticket, "close")
    return ticket


def test_a_resident_says_it_is_not_done_and_it_goes_back_to_work() -> None:
    story = flooded()
    ticket = done(story)
    assert not story.command(ticket, "reopen", "w-11", reason="mine").ok
    assert story.at(3 * HOUR).command(ticket, "reopen", "resident:li", reason="my cellar").ok
    assert story.ticket().stage == "reworked"
    story.do(ticket, "arrive", "dispose", by="w-12")
    assert story.ticket().stage == "disposed"  # the gauge saw nothing of the cellar
    photo = [{"name": "after", "ref": "p"}]
    assert story.command(ticket, "verify", "h-1", photos=photo).ok


def test_a_day_later_it_is_a_new_matter() -> None:
    story = flooded()
    ticket = done(story)
    story.at(100 + DAY - 1).command(ticket, "note", note="keep it")
    story.at(200 + DAY)
    answer = story.command(ticket, "reopen", "resident:li", reason="my cellar")
    assert "24" in answer.reason
    assert "重新上报" in answer.reason


def test_the_sensor_relapses_after_closing_and_the_ticket_is_opened_again() -> None:
    story = flooded()
    ticket = done(story)
    again = event("flooding", "road-1", place(400, 200), rev=3, phase="updated")
    story.at(300).event(again)
    now = story.ticket(id=ticket)
    assert now.stage == "reworked"
    assert now.reason["reopened"][0]["by"] == "sensor"
    dry(story, 400, rev=4)
    story.do(ticket, "arrive", "dispose", by="w-12")
    assert story.ticket(id=ticket).stage == "verified"  # its word counts as before


def test_a_new_episode_soon_after_closing_opens_the_same_ticket_and_a_later_one_a_new_one() -> None:
    story = flooded()
    ticket = done(story)  # closed at 100 s
    story.at(1000).event(event("flooding", "road-1", place(400, 200), 990, severity=5))
    assert [(t.id, t.stage) for t in story.tickets()] == [(ticket, "reworked")]
    assert len(story.incidents()) == 1
    later = flooded()
    done(later)
    later.at(100 + 1801).event(event("flooding", "road-1", place(400, 200), 1900))
    assert [t.stage for t in later.tickets()] == ["closed", "dispatched"]


def test_it_gets_worse_after_a_person_overruled_the_sensor_and_closed_it() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", "arrive", "dispose", by="w-12")
    story.command(ticket, "verify", "center", reason="a leaf on the gauge")
    story.do(ticket, "close")
    story.at(900).event(event("flooding", "road-1", place(400, 200), rev=2, severity=5))
    assert [t.stage for t in story.tickets()] == ["closed", "dispatched"]


def test_a_part_that_is_opened_again_opens_its_parent() -> None:
    story, root, parts = cut()
    for ticket in (*parts.values(), root):
        by = str(ticket.utility or ticket.worker)
        story.do(ticket.id, "accept", "arrive", "dispose", by=by)
    closed = event("severed_cable", "L1", place(500, 400), rev=2, phase="closed")
    story.at(50).event(closed)
    for ticket in (*parts.values(), root):
        story.do(ticket.id, "close")
    assert {t.stage for t in story.tickets()} == {"closed"}
    story.at(90).command(parts["power"].id, "reopen", "center", reason="no light at number 7")
    assert story.ticket(id=parts["power"].id).stage == "reworked"
    assert story.ticket(id=root.id).stage == "reworked"
    assert story.ticket(id=parts["telecom"].id).stage == "closed"


# --- verification -------------------------------------------------------------------------------


def test_recovery_before_anybody_came_asks_a_person_who_answers() -> None:
    story = flooded()
    ticket = story.ticket().id
    assert not story.command(ticket, "confirm", "w-12").ok
    story.at(60).do(ticket, "accept", by="w-12")
    dry(story, 100)
    assert "请现场确认" in told(story.ticket())
    story.at(100 + 1800)
    asked = story.expect(between(101, 1900)).ticket("escalated")  # only this, no arrive clock
    assert "no answer since" in told(asked)
    story.do(ticket, "confirm", by="w-12")
    now = story.ticket()
    assert now.stage == "verified"
    assert now.reason["verification"]["with"] == "sensor"


def test_a_question_that_nobody_answers_is_never_silent() -> None:
    story = flooded()
    dry(story, 100)
    story.at(2 * DAY)
    times = [c.known_at for c in story.changes if c.change in ("escalated", "reminded")]
    gaps = [(b - a).total_seconds() for a, b in pairwise(times)]
    assert len(times) > 10
    assert max(gaps) <= 4 * HOUR


def test_nobody_is_asked_by_night_whether_a_lamp_is_lit() -> None:
    story = Script(town())
    evening = 7.5 * HOUR  # Friday 17:30
    lamp = event("street_light_out", "lamp-1", place(600, 600), evening)
    story.at(evening).event(lamp)
    lit = event("street_light_out", "lamp-1", place(600, 600), evening, rev=2, phase="closed")
    story.at(evening + 600).event(lit)
    monday = evening + 2 * DAY + 14.5 * HOUR  # 08:00
    story.at(monday + 599)
    assert not [c for c in story.changes if c.change in ("escalated", "reminded")]
    story.at(monday + 600)  # 20 minutes of Friday, 10 of Monday
    story.expect(between(monday, monday + 600)).ticket("escalated")


def test_a_person_on_the_spot_says_that_the_sensor_is_wrong() -> None:
    story = flooded()
    ticket = story.ticket().id
    dry(story, 100)
    assert story.command(ticket, "deny", "w-12", note="knee-deep").ok
    assert "不予采信" in told(story.ticket())
    story.at(150).do(ticket, "accept", "arrive", "dispose", by="w-12")
    assert story.ticket().stage == "disposed"
    assert "处置后" in story.command(ticket, "verify", "center", reason="ok").reason


def test_it_relapses_before_anybody_confirmed_and_the_ladder_goes_on() -> None:
    story = flooded()
    dry(story, 100)
    story.at(200).event(event("flooding", "road-1", place(400, 200), rev=3, phase="updated"))
    assert story.ticket().reason["questions"]["confirm"]["state"] == "withdrawn"
    story.at(360)
    story.expect(between(300, 360)).ticket("escalated")


def test_a_silent_sensor_cannot_verify_and_a_person_must_with_a_photograph() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", "arrive", by="w-12")
    story.at(70).event(event("sensor_silent", "road-1", place(400, 200), 70))
    story.at(80).do(ticket, "dispose", by="w-12")
    said = told(story.ticket(id=ticket))
    assert "road-1" in said
    assert "传感器失联或故障" in said
    story.at(80 + 2 * HOUR)
    assert story.ticket(id=ticket).stage == "disposed"  # silence is no contradiction
    refused = story.command(ticket, "verify", "h-1", reason="looks dry")
    assert "处置后" in refused.reason
    story.command(ticket, "note", "w-12", note="see", photos=[{"name": "处置后", "ref": "p-7"}])
    assert story.command(ticket, "verify", "h-1").ok


def test_a_sensor_that_speaks_again_verifies_or_contradicts() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", "arrive", by="w-12")
    silent = event("sensor_silent", "road-1", place(400, 200), 70)
    story.at(70).event(silent)
    story.at(80).do(ticket, "dispose", by="w-12")
    back = event("sensor_silent", "road-1", place(400, 200), 70, rev=2, phase="closed")
    story.at(900).event(back)
    story.at(80 + HOUR)
    assert story.ticket(id=ticket).stage == "reworked"  # it speaks, and says it is not over


def test_a_proof_by_the_sensor_keeps_its_figures_and_closes_itself() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", "arrive", "dispose", by="w-12")
    dry(story, 90)
    proof = story.ticket().reason["verification"]
    assert proof["sensors"][0]["device"] == "road-1"
    assert proof["sensors"][0]["value"] == 0.02
    story.at(90 + 1800)
    closed = story.expect(between(91, 1890)).ticket("closed")
    assert closed.timeline[-1].by == "router"
    assert closed.reason["evaluation"]["by_times"]["score"] == 5
    assert not story.router.wake_at()


def test_the_parent_closes_itself_only_after_its_parts() -> None:
    story, root, parts = cut()
    for ticket in (root, parts["power"]):
        story.do(ticket.id, "accept", "arrive", "dispose", by=str(ticket.worker or ticket.utility))
    story.at(50).event(event("severed_cable", "L1", place(500, 400), rev=2, phase="closed"))
    story.at(4 * HOUR - 1)
    assert story.ticket(id=parts["power"].id).stage == "closed"
    assert story.ticket(id=root.id).stage == "verified"
    answer = story.command(root.id, "close")
    assert "telecom (dispatched)" in answer.reason
    assert "telecom（已派遣）" in answer.reason
    story.at(5 * HOUR).command(parts["telecom"].id, "confirm", str(root.worker))
    story.at(6 * HOUR)
    assert story.ticket(id=root.id).stage == "closed"
    times = {c.id: c.known_at for c in story.changes if c.change == "closed" and c.type == "ticket"}
    assert times[root.id] == max(times.values())


# --- evaluation, and who may what --------------------------------------------------------------


def test_the_grid_rates_the_utility_from_its_times_and_by_a_person() -> None:
    story, root, parts = cut()
    part = parts["power"].id
    story.at(500).do(part, "accept", by="power")  # 6 min were allowed
    story.at(900).do(part, "arrive", "restored", by="utility:power")
    assert story.ticket(id=part).stage == "disposed"
    story.at(950).event(event("severed_cable", "L1", place(500, 400), rev=2, phase="closed"))
    story.do(part, "close")
    by_times = story.ticket(id=part).reason["evaluation"]["by_times"]
    assert (by_times["score"], by_times["missed"], by_times["verified_s"]) == (4, ["accept"], 950)
    assert not story.command(part, "evaluate", "power", score=5).ok
    contact = str(root.worker)
    assert story.command(part, "evaluate", contact, score=3, note="came late").ok
    person = story.ticket(id=part).reason["evaluation"]["person"]
    assert (person["score"], person["by"]) == (3, contact)


def test_residents_rate_and_only_whole_scores_count() -> None:
    story = flooded()
    ticket = done(story)
    for wrong in (0, 6, 4.5, True, "5"):
        assert not story.command(ticket, "rate", "resident:li", score=wrong).ok
    assert story.command(ticket, "rate", "resident:li", score=4, note="quick").ok
    assert story.command(ticket, "rate", "center", score=5, note="by phone").ok
    assert [s["score"] for s in story.ticket().reason["satisfaction"]] == [4, 5]


def test_the_worker_on_site_judges_the_utilitys_part_but_not_their_own() -> None:
    story, root, parts = cut()
    contact, part = str(root.worker), parts["power"].id
    story.do(part, "accept", "arrive", "dispose", by="power")
    assert story.command(part, "rework", contact, reason="one phase is missing").ok
    story.do(root.id, "accept", "arrive", "dispose", by=contact)
    assert not story.command(root.id, "rework", contact, reason="x").ok


def test_a_grid_head_of_another_place_has_no_say() -> None:
    story = flooded()
    answer = story.command(story.ticket().id, "void", "h-2", reason="x")
    assert not answer.ok
    assert "h-2" in answer.reason


def test_a_neighbour_who_was_asked_may_take_over() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(361)
    neighbour = story.ticket().reason["ladder"]["neighbour"]
    assert neighbour in story.ticket().helpers
    assert story.ticket().hands[-1].state == "requested"
    story.do(ticket, "accept", by=neighbour)
    now = story.ticket()
    assert (now.stage, now.worker) == ("accepted", neighbour)
    assert neighbour not in now.helpers
    assert "w-12" in told(now)


@pytest.mark.parametrize(
    ("photos", "ok"),
    [
        ([{"name": "处置前", "ref": "a"}, {"name": "far", "ref": "b"}], True),
        ([{"name": "selfie", "ref": "a"}], False),
        ([{"name": "near"}], False),
        ("a.jpg", False),
    ],
)
def test_photographs_have_the_fields_names(photos: object, ok: bool) -> None:
    story = flooded()
    answer = story.command(story.ticket().id, "note", "w-12", note="here", photos=photos)
    assert answer.ok is ok
    assert ok or "参照物" in answer.reason


def test_every_refusal_names_stage_and_action_in_both_languages() -> None:
    story = flooded()
    answer = story.command(story.ticket().id, "verify", "center")
    assert "verify is not possible while dispatched; now possible: accept, return" in answer.reason
    assert "当前阶段“已派遣”不能执行“核实”；可执行：接单、回退" in answer.reason
    assert "dispatched" not in answer.reason.split(" / ")[1]


def test_a_moment_said_with_another_offset_is_the_same_moment() -> None:
    story = flooded()
    until = "2026-11-20T15:00:00+08:00"
    story.command(story.ticket().id, "suspend", "center", reason="x", until=until)
    kept = datetime.fromisoformat(story.ticket().reason["suspended"]["until"])
    assert kept == moment(5 * HOUR)
