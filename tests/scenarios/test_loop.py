"""The loop of one ticket, as stories in virtual time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from contracts.clock import iso
from contracts.event import Place
from router.settings import RouterSettings
from tests.scenarios.script import Script, between, event, moment
from tests.scenarios.town import WORKERS, at, place, town

HOUR = 3600


def flooded(**settings: object) -> Script:
    story = Script(town(), RouterSettings(**{"policy": "each"} | settings))  # type: ignore[arg-type]
    story.at(0).event(event("flooding", "road-1", place(400, 200)))
    return story


def test_a_flooding_becomes_one_ticket_for_the_nearest_worker_and_the_owner() -> None:
    story = flooded()
    story.expect(between(0, 0)).incident("opened", kind="flooding", severity=3)
    ticket = story.expect(between(0, 0)).ticket(
        "opened", kind="flooding", worker="w-12", utility="water", stage="dispatched", grid="g1"
    )
    assert [s.change for s in ticket.timeline] == ["detected", "filed", "dispatched"]
    assert ticket.deadlines.accept == moment(360)
    assert ticket.deadlines.dispose == moment(2 * HOUR)
    assert ticket.code == "04-06"
    assert ticket.place.address == "鼓楼区江东街道东社区第一网格"
    assert {"worker", "utility", "deadlines", "incident"} <= set(ticket.reason)
    assert all("text_zh" in ticket.reason[part] for part in ("worker", "utility", "deadlines"))
    assert len(ticket.runners_up) == 5


def test_the_whole_way_with_the_sensor_verifying() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", by="w-12")
    story.at(600).do(ticket, "arrive", by="worker:w-12")
    story.at(1200).do(ticket, "dispose", by="w-12")
    story.at(1300).event(event("flooding", "road-1", place(400, 200), rev=2, phase="closed"))
    story.expect(between(1300, 1300)).incident("closed", closed_at=moment(1300))
    verified = story.expect(between(1300, 1300)).ticket("verified")
    assert verified.reason["verification"]["by"] == "sensor"
    story.at(1400).do(ticket, "close", "evaluate")
    assert [s.change for s in story.ticket().timeline] == [
        *("detected", "filed", "dispatched", "accepted", "arrived", "disposed"),
        *("verified", "closed", "evaluated"),
    ]
    assert not story.router.wake_at()


def test_done_is_verified_at_once_when_the_sensor_had_said_so_before() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", "arrive", by="w-12")
    story.at(70).event(event("flooding", "road-1", place(400, 200), rev=2, phase="closed"))
    story.expect(between(70, 70)).ticket("updated", stage="arrived")
    story.at(80).do(ticket, "dispose", by="w-12")
    assert story.ticket().stage == "verified"


def test_done_while_the_sensor_still_says_flooding_is_rework_by_itself() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", "arrive", "dispose", by="w-12")
    refused = story.command(ticket, "verify", "center")
    assert not refused.ok
    assert "sensor" in refused.reason
    story.at(60 + HOUR)
    reworked = story.expect(between(60 + HOUR, 60 + HOUR)).ticket("reworked")
    assert reworked.reason["verification"]["ok"] is False
    assert reworked.deadlines.dispose == moment(60 + 3 * HOUR)
    story.do(ticket, "arrive", "dispose", by="w-12")
    assert story.ticket().stage == "disposed"


def test_a_person_may_overrule_the_sensor_with_a_reason() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(60).do(ticket, "accept", "arrive", "dispose", by="w-12")
    assert story.command(ticket, "verify", "center", reason="the gauge is broken").ok


def test_nobody_accepts_and_the_ladder_climbs_and_is_never_silent() -> None:
    story = flooded()
    story.at(10 * HOUR)
    told = [(round((c.known_at - moment(0)).total_seconds()), c.change) for c in story.changes]
    assert told[2:] == [
        (270, "reminded"),
        (360, "escalated"),
        (360 + 1800, "escalated"),
        (360 + 3600, "escalated"),
        (360 + 3600 + 14400, "reminded"),
        (360 + 3600 + 28800, "reminded"),
    ]
    neighbour, head, center = (s for s in story.ticket().timeline if s.change == "escalated")
    assert "赵一" in neighbour.note
    assert "钱格长" in head.note
    assert "the district center; nobody is registered as the community" in center.note
    assert "本地未登记社区、街道中心，已跳过" in center.note
    assert story.ticket().reason["ladder"]["skipped"] == ["community", "street_center"]


def test_accepting_starts_the_next_clock_and_quiets_the_ladder() -> None:
    story = flooded()
    story.at(100).do(story.ticket().id, "accept", by="w-12")
    story.at(900)
    story.expect(between(101, 944)).nothing("ticket", "escalated")
    assert story.ticket().reason["ladder"]["clock"] == "arrive"


def test_no_ladder_no_reminders() -> None:
    story = flooded(ladder=False)
    story.at(10 * HOUR)
    assert len(story.changes) == 2


def test_an_acknowledgement_expires() -> None:
    story = flooded()
    story.at(300)
    story.command(story.ticket().id, "acknowledge", "w-12")
    story.at(300 + 1799)
    story.expect(between(301, 300 + 1799)).nothing()
    story.at(300 + 1800)
    story.expect(between(301, 300 + 1800)).ticket("escalated")


def test_an_acknowledgement_says_whose_and_until_when_also_where_no_clock_runs() -> None:
    story = flooded()
    story.at(300).command(story.ticket().id, "suspend", "center", reason="waiting for a pump")
    story.at(400).command(story.ticket().id, "acknowledge", "w-12")
    known = story.ticket().reason["ladder"]["acknowledged"]
    assert known == {"by": "w-12", "at": iso(moment(400)), "until": iso(moment(400 + 1800))}


def test_suspended_clocks_stand_still() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(100).command(ticket, "suspend", "center", reason="waiting for a pump")
    story.at(100 + 5 * HOUR)
    story.expect(between(101, 100 + 5 * HOUR)).nothing()
    story.do(ticket, "resume")
    resumed = story.ticket()
    assert resumed.stage == "dispatched"
    assert resumed.deadlines.accept == moment(360 + 5 * HOUR)
    assert resumed.deadlines.dispose == moment(2 * HOUR + 5 * HOUR)
    story.at(360 + 5 * HOUR)
    story.expect(between(200 + 5 * HOUR, 360 + 5 * HOUR)).ticket("escalated")


@pytest.mark.parametrize("action", ["return", "void", "suspend"])
def test_return_void_and_suspend_need_a_reason(action: str) -> None:
    story = flooded()
    answer = story.command(story.ticket().id, action)
    assert not answer.ok
    assert "needs a reason" in answer.reason
    assert story.command(story.ticket().id, action, reason="not ours").ok


def test_a_person_may_choose_whom() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(420).command(ticket, "reassign", "center", note="worker:w-11 knows the place")
    moved = story.ticket()
    assert (moved.stage, moved.worker) == ("dispatched", "w-11")
    assert moved.reason["worker"]["distance_m"] == pytest.approx(316, abs=2)
    assert moved.deadlines.accept == moment(420 + 360)
    assert not story.command(ticket, "reassign", "center", note="worker:w-99").ok
    assert story.command(ticket, "reassign", "center", worker="w-22").ok
    assert story.ticket().worker == "w-22"


def test_a_stale_revision_is_refused_with_the_newest() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(5).do(ticket, "accept", by="w-12")
    answer = story.command(ticket, "arrive", "w-12", rev=1)
    assert not answer.ok
    assert answer.rev == 2
    assert "revision 2" in answer.reason


@pytest.mark.parametrize(
    ("action", "by", "text"),
    [
        ("arrive", "w-12", "not possible while dispatched"),
        ("accept", "w-11", "not w-11's"),
        ("accept", "utility:power", "not power's"),
        ("void", "w-12", "center"),
        ("fly", "center", "unknown"),
        ("accept", " ", "who acts"),
    ],
)
def test_what_may_not_be_done_is_refused_in_words(action: str, by: str, text: str) -> None:
    story = flooded()
    before = story.ticket()
    answer = story.command(before.id, action, by, reason="x")
    assert not answer.ok
    assert text in answer.reason
    assert story.ticket() == before


def test_nobody_judges_their_own_work() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.do(ticket, "accept", "arrive", "dispose", by="w-12")
    assert not story.command(ticket, "verify", "w-12", reason="looks dry").ok
    assert story.command(ticket, "verify", "h-1", reason="looks dry").ok


def test_an_unknown_ticket_is_refused() -> None:
    story = flooded()
    assert "t-none" in story.command("t-none", "accept", rev=1).reason


def test_it_floods_again_after_it_was_verified_and_goes_back_to_work() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.do(ticket, "accept", "arrive", "dispose", by="w-12")
    story.at(100).event(event("flooding", "road-1", place(400, 200), rev=2, phase="closed"))
    assert story.ticket().stage == "verified"
    story.at(600).event(event("flooding", "road-1", place(400, 200), 590))
    assert story.ticket().stage == "reworked"
    assert len(story.incidents()) == 1
    assert story.incidents()[0].closed_at is None


def test_only_what_people_act_on_updates_the_ticket() -> None:
    story = flooded()
    again = [event("flooding", "road-1", place(401, 200), rev=r, value=r / 10) for r in (2, 3, 4)]
    story.at(10).event(*again)
    story.expect(between(10, 10)).nothing()
    story.at(20).event(event("flooding", "road-1", place(401, 200), rev=5, severity=4))
    story.expect(between(20, 20)).ticket("updated", severity=4)
    story.at(30).event(event("flooding", "road-1", place(440, 200), rev=6, severity=4))
    moved = story.expect(between(30, 30)).ticket("updated")
    assert "moved by" in moved.timeline[-1].note
    story.at(40).event(event("flooding", "road-1", place(440, 200), rev=6, severity=5))
    story.expect(between(40, 40)).nothing()


def test_a_named_window_and_the_clip_are_told_once() -> None:
    story = Script(town())
    there = place(300, 300)
    story.at(0).event(event("high_altitude_throw", "cam-1", there, phase="closed"))
    story.ticket(kind="high_altitude_throw", utility="police")
    origin = {"zone": "F17-3", "floor": 17}
    for rev in (2, 3):
        story.at(rev).event(
            event("high_altitude_throw", "cam-1", there, rev=rev, phase="closed", origin=origin)
        )
    story.at(9).event(
        event(
            *("high_altitude_throw", "cam-1", there),
            **{"rev": 4, "phase": "closed", "origin": origin, "clip": "a.mp4"},  # type: ignore[arg-type]
        )
    )
    notes = [s.note for s in story.ticket().timeline if s.change == "updated"]
    assert len(notes) == 2
    assert "F17-3" in notes[0]
    assert "clip" in notes[1]


def test_a_window_that_is_only_the_likeliest_of_several_is_told_as_such() -> None:
    story = Script(town())
    there = place(300, 300)
    story.at(0).event(event("high_altitude_throw", "cam-1", there, phase="closed"))
    for rev, p in ((2, 0.31), (3, 0.92)):
        origin = {"zone": f"F{rev}-1", "floor": rev, "p": p}
        story.at(rev).event(
            event("high_altitude_throw", "cam-1", there, rev=rev, phase="closed", origin=origin)
        )
    notes = [s.note for s in story.ticket().timeline if s.change == "updated"]
    assert "F2-1 (the likeliest of several, 31%)" in notes[0]
    assert "F3-1" in notes[1]
    assert "likeliest" not in notes[1]


def test_a_throw_that_is_over_still_needs_a_person_to_verify() -> None:
    story = Script(town())
    story.at(0).event(event("high_altitude_throw", "cam-1", place(300, 300), phase="closed"))
    ticket = story.ticket().id
    story.do(ticket, "accept", "arrive", "dispose", by=str(story.ticket().worker))
    assert story.ticket().stage == "disposed"
    story.do(ticket, "verify", "close")


def test_it_gets_worse_after_the_ticket_was_ended_and_is_called_again() -> None:
    story = flooded()
    story.at(5).command(story.ticket().id, "void", reason="a puddle")
    story.at(60).event(event("flooding", "road-1", place(400, 200), rev=2, severity=5))
    again = story.expect(between(60, 60)).ticket("opened", severity=5)
    assert len({t.id for t in story.tickets()}) == 2
    assert again.incident == story.incidents()[0].id


def test_nobody_on_shift_calls_the_grid_head_and_no_worker_at_all_is_said() -> None:
    tired = tuple(w for w in WORKERS if w.shift == "20:00-08:00" or w.role == "grid_head")
    story = Script(town(workers=tired))
    story.at(0).event(event("flooding", "road-1", place(400, 200)))
    assert story.ticket().worker == "h-1"
    assert "no worker is on shift" in story.ticket().reason["worker"]["text_en"]
    alone = Script(town(workers=()))
    alone.at(0).event(event("flooding", "road-1", place(400, 200)))
    assert alone.ticket().worker is None
    assert alone.ticket().utility == "water"


def test_positions_decide_and_old_ones_do_not() -> None:
    story = Script(town(), RouterSettings(runners_up=20))
    story.position("w-42", at(410, 200))
    story.position("w-41", at(401, 200), age_s=7200)
    story.at(10).event(event("flooding", "road-1", place(400, 200)))
    ticket = story.ticket()
    assert ticket.worker == "w-42"
    assert ticket.reason["worker"]["position_age_s"] == 10
    old = next(c for c in ticket.runners_up if c.worker == "w-41")
    assert old.distance_m > 1000
    assert "registered place" in old.note


def test_load_sends_the_next_one() -> None:
    story = Script(town())
    workers = []
    for i in range(3):
        story.at(i).event(event("flooding", f"x-{i}", place(440, 200 + 80 * i), float(i)))
        workers.append(story.tickets()[-1].worker)
    assert workers[0] == "w-12"
    assert len(set(workers)) > 1


def test_helpers_have_their_hands_full_until_the_ticket_ends() -> None:
    story = Script(town(), RouterSettings(policy="each", runners_up=20))
    story.at(0).event(event("severed_cable", "L1", place(500, 400), owners=["grid-co"]))
    first = story.ticket()
    assert len(first.helpers) == 2
    busy = first.helpers[0]
    home = next(w.point for w in WORKERS if w.id == busy)
    story.position(busy, home)
    there = Place(home.lon, home.lat)
    story.at(1).event(event("flooding", "x", there, 1))
    flood = story.ticket(kind="flooding")
    figures = {c.worker: c.load for c in flood.runners_up} | {
        flood.reason["worker"]["worker"]: flood.reason["worker"]["load"]
    }
    assert figures[busy] == 1
    story.at(2).command(first.id, "void", reason="false alarm")
    story.command(flood.id, "void", reason="false alarm")
    story.at(9).event(event("street_light_out", "y", there, 9))
    light = story.ticket(kind="street_light_out")
    assert {c.load for c in light.runners_up} == {light.reason["worker"]["load"]} == {0}


def test_friday_evening_a_lamp_waits_until_monday_and_a_cable_does_not() -> None:
    story = Script(town())
    evening = 7.5 * HOUR  # 17:30
    story.at(evening).event(event("street_light_out", "lamp-1", place(600, 600), evening))
    lamp = story.ticket(kind="street_light_out", utility="lights")
    # 2 working hours: 30 minutes on Friday, then Monday from 08:00.
    assert lamp.deadlines.accept == moment(evening) + timedelta(days=2, hours=16)
    assert lamp.reason["utility"]["unknown_owners"] == ["stray-owner"]
    story.event(event("severed_cable", "L1", place(500, 400), evening, owners=["grid-co"]))
    cable = story.ticket(kind="severed_cable")
    assert cable.deadlines.dispose == moment(evening + 2 * HOUR)


def test_without_a_ladder_the_sensor_still_contradicts() -> None:
    story = flooded(ladder=False)
    story.at(60).do(story.ticket().id, "accept", "arrive", "dispose", by="w-12")
    story.at(60 + HOUR)
    story.expect(between(60 + HOUR, 60 + HOUR)).ticket("reworked")


def test_voiding_a_ticket_takes_back_its_parts() -> None:
    story = Script(town())
    owners = ["grid-co", "telecom-co"]
    story.at(50).event(event("severed_cable", "L1", place(500, 400), 20, owners=owners))
    assert all(t.timeline[0].at == moment(20) for t in story.tickets())
    story.at(60).command(story.ticket(parent=None).id, "void", reason="false alarm")
    assert {t.stage for t in story.tickets()} == {"void"}
    cancelled = [c for c in story.changes if c.change == "cancelled"]
    assert len(cancelled) == 2


def test_a_grid_head_who_went_may_not_verify_but_may_void() -> None:
    story = Script(town(workers=tuple(w for w in WORKERS if w.role == "grid_head")))
    story.at(0).event(event("flooding", "road-1", place(400, 200)))
    ticket = story.ticket(worker="h-1").id
    story.do(ticket, "accept", "arrive", "dispose", by="h-1")
    assert not story.command(ticket, "verify", "h-1", reason="dry").ok
    assert story.command(ticket, "void", "h-1", reason="dry").ok


def test_suspension_moves_every_later_clock_by_its_length() -> None:
    story = flooded()
    before = story.ticket()
    story.at(100).command(before.id, "suspend", "center", reason="waiting for a pump")
    story.at(1100).do(before.id, "resume")
    after = story.ticket()
    later = timedelta(seconds=1000)
    for clock in ("accept", "arrive", "dispose", "verify", "close"):
        assert getattr(after.deadlines, clock) - getattr(before.deadlines, clock) == later
    moved = after.reason["deadlines"]["from"]
    assert moved["accept"] == before.reason["deadlines"]["from"]["accept"]
    assert datetime.fromisoformat(moved["verify"]) == after.deadlines.dispose


def test_a_busy_neighbour_is_not_asked_to_step_in() -> None:
    people = tuple(w for w in WORKERS if w.id in ("w-11", "w-12", "h-1"))
    story = Script(town(workers=people), RouterSettings(policy="each"))
    story.at(0).event(event("flooding", "road-1", place(400, 200)))
    story.event(event("flooding", "road-2", place(100, 120)))
    first = story.tickets()[0].id
    story.at(361)
    (told,) = [s for s in story.ticket_by_id(first).timeline if s.change == "escalated"]
    assert "钱格长" in told.note
    assert "no neighbour is on shift with free hands to step in" in told.note
    assert "无在岗且空闲的邻近网格员可接手" in told.note
    assert story.ticket_by_id(first).hands == ()


def test_a_neighbour_who_cannot_step_in_is_followed_by_the_next_rung_at_once() -> None:
    story = flooded()
    ticket = story.ticket().id
    story.at(361)
    neighbour = story.ticket().reason["ladder"]["neighbour"]
    story.at(400)
    assert story.command(ticket, "refuse_help", neighbour, reason="走不开").ok
    story.at(401)
    told = [s for s in story.ticket().timeline if s.change == "escalated"]
    assert len(told) == 2
    assert "钱格长" in told[1].note
    assert [h.state for h in story.ticket().hands] == ["refused"]
    assert "neighbour" not in story.ticket().reason["ladder"]
