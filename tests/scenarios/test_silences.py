"""Silences and planned works hold tickets back for a time; events and incidents never."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.case import Incident, Silence
from contracts.city import Work
from contracts.event import Event
from router.settings import RouterSettings
from tests.scenarios.script import Script, between, event, moment
from tests.scenarios.town import at, place, town
from tests.scenarios.wired import cut, silent, wired_town

HOUR = 3600.0


def lamp(seconds: float = 0.0, **more: Any) -> Event:
    return event("street_light_out", "lamp-1", place(600, 600), seconds, **more)


def lamps() -> dict[str, Any]:
    return {"kinds": ["street_light_out"], "grid": "c1"}


def held(story: Script) -> Incident:
    (incident,) = [i for i in story.incidents() if i.held is not None]
    return incident


def test_a_silenced_incident_is_kept_with_its_reason_and_nobody_is_sent() -> None:
    story = Script(town())
    answer = story.silence("s-1", HOUR, "中心-李", reason="lamps are being renewed", **lamps())
    assert answer.ok and "until 2026-11-20 11:00" in answer.reason
    story.at(60).event(lamp(50))
    incident = held(story)
    assert incident.held is not None and incident.closed_at is None
    assert (incident.held.by, incident.held.id, incident.held.until) == (
        "silence",
        "s-1",
        moment(HOUR),
    )
    assert incident.held.text_en == (
        "held back until 2026-11-20 11:00 by 中心-李: lamps are being renewed"
    )
    assert incident.held.text_zh == "由中心-李静默至2026-11-20 11:00：lamps are being renewed"
    story.at(HOUR - 1)
    assert not story.tickets()


def test_it_expires_by_itself_and_what_still_goes_on_gets_its_ticket_then() -> None:
    story = Script(town())
    story.silence("s-1", HOUR, **lamps())
    story.at(60).event(lamp(50))
    story.at(90).event(event("street_light_out", "lamp-2", place(300, 600), 80))
    story.at(120).event(
        event("street_light_out", "lamp-2", place(300, 600), 80, rev=2, phase="closed")
    )
    story.at(2 * HOUR)
    ended = story.expect(between(HOUR, HOUR))
    ticket = ended.ticket("opened", kind="street_light_out")
    assert len(story.tickets()) == 1
    silence = next(c.body for c in story.changes if c.type == "silence" and c.change == "closed")
    assert isinstance(silence, Silence)
    assert (silence.ended_by, silence.ended_at) == ("expired", moment(HOUR))
    assert silence.still == (ticket.incident,)
    said = ticket.reason["incident"]["held"]
    assert (said["id"], said["ended_at"]) == ("s-1", "2026-11-20T03:00:00Z")
    assert "crew at work" in next(s.note for s in ticket.timeline if s.change == "filed")
    assert story.router.wake_at() is not None


def test_lifted_early_its_tickets_open_at_once() -> None:
    story = Script(town())
    story.silence("s-1", 24 * HOUR, **lamps())
    story.at(60).event(lamp(50))
    answer = story.at(600).lift("s-1", "h-1")
    assert answer.ok and "1 incidents" in answer.reason
    story.expect(between(600, 600)).ticket("opened")
    assert "ended 2026-11-20 10:10" in story.lift("s-1").reason
    assert "no silence s-9" in story.lift("s-9").reason
    story.at(25 * HOUR)
    assert len([c for c in story.changes if c.type == "silence"]) == 2


def test_what_is_grave_breaks_a_silence_at_once_or_when_it_becomes_so() -> None:
    story = Script(town())
    here = {"lon": at(400, 200).lon, "lat": at(400, 200).lat}
    story.silence("s-1", HOUR, point=here, radius_m=99)
    story.at(60).event(event("flooding", "road-1", place(400, 200), 50, severity=4))
    assert not story.tickets()
    story.at(90).event(event("flooding", "road-1", place(400, 200), 50, rev=2, severity=5))
    ticket = story.expect(between(90, 90)).ticket("opened", severity=5)
    assert ticket.reason["incident"]["held"]["id"] == "s-1"
    story.at(100).event(event("high_altitude_throw", "cam-1", place(400, 210), 100, severity=2))
    story.ticket(kind="high_altitude_throw")


def test_a_residents_report_can_break_it_by_raising_the_incident() -> None:
    story = Script(town())
    story.silence("s-1", HOUR, kinds=["flooding"])
    story.at(60).event(event("flooding", "road-1", place(400, 200), 50, severity=4))
    story.at(90).event(event("citizen_report", "app", place(400, 200), 80, kind="flooding"))
    story.expect(between(90, 90)).ticket("opened", severity=5)


def test_of_two_silences_the_longer_holds_and_what_is_left_takes_over() -> None:
    story = Script(town())
    story.silence("s-1", HOUR, kinds=["street_light_out"])
    story.silence("s-2", 2 * HOUR, sites=["lamp-1"])
    story.at(60).event(lamp(50))
    assert held(story).held == story.incidents()[0].held
    assert story.incidents()[0].held.id == "s-2"  # type: ignore[union-attr]
    story.at(120).lift("s-2")
    assert story.incidents()[0].held.id == "s-1"  # type: ignore[union-attr]
    assert not story.tickets()
    story.at(HOUR)
    story.ticket(kind="street_light_out")


def test_a_silence_that_begins_later_holds_nothing_before() -> None:
    story = Script(town())
    story.silence("s-1", 2 * HOUR, since="2026-11-20T03:00:00Z", **lamps())
    story.at(60).event(lamp(50))
    story.ticket()
    story.at(HOUR + 60).event(event("street_light_out", "lamp-2", place(300, 600), HOUR))
    assert held(story).site == "lamp-2"


def test_tickets_that_are_out_already_stay_out_and_the_answer_says_so() -> None:
    story = Script(town())
    story.event(lamp())
    answer = story.at(60).silence("s-1", HOUR, **lamps())
    assert "1 tickets of it are out already and stay" in answer.reason
    assert len(story.open_tickets()) == 1


def test_held_and_over_is_over_and_back_after_the_silence_is_a_ticket() -> None:
    story = Script(town())
    story.silence("s-1", HOUR, **lamps())
    story.at(60).event(lamp(50))
    story.at(90).event(lamp(50, rev=2, phase="closed"))
    assert story.incidents()[0].closed_at == moment(90)
    story.at(2 * HOUR)
    assert not story.tickets()
    story.event(lamp(50, rev=3, phase="updated"))
    story.expect(between(2 * HOUR, 2 * HOUR)).ticket("opened")


def _without_until(said: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in said.items() if k != "until"}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "say what is silenced"),
        ({"kinds": ["flodding"]}, "no kind is called 'flodding'"),
        ({"kinds": ["high_altitude_throw"]}, "never held back"),
        ({"sites": ["lamp-99"]}, "no device or site is called 'lamp-99'"),
        ({"grid": "g9"}, "no grid is called 'g9'"),
        ({"point": {"lon": 118.78, "lat": 32.04}}, "go together"),
        ({"kind": "flooding"}, "unknown field `kind`"),
        ({"kinds": ["flooding"], "until": "2026-11-20T01:00:00Z"}, "over before it begins"),
        ({"kinds": ["flooding"], "until": "2026-12-20T01:00:00Z"}, "no longer than 7 days"),
        ({"kinds": ["flooding"], "until": "2026-11-20T12:00:00"}, "need a zone"),
        ({"kinds": ["flooding"], "reason": " "}, "needs a reason"),
    ],
)
def test_a_silence_that_cannot_be_is_refused_with_a_reason(said: dict[str, Any], why: str) -> None:
    story = Script(town())
    answer = story.silence("s-1", said.get("until", HOUR), **_without_until(said))
    assert not answer.ok
    assert why in answer.reason
    assert not story.changes


@pytest.mark.parametrize(("by", "ok"), [("w-11", False), ("power", False), ("h-1", True)])
def test_workers_and_utilities_make_no_silences(by: str, ok: bool) -> None:
    assert Script(town()).silence("s-1", HOUR, by, **lamps()).ok is ok


# --- planned works --------------------------------------------------------------------------------


def works(**more: Any) -> Work:
    told: dict[str, Any] = {"id": "W-7", "kind": "power", "note": "计划检修"} | more
    hours = told.pop("hours", 2)
    start = told.pop("start", moment(-HOUR))
    return Work(start=start, end=start + timedelta(hours=hours), **told)


def test_a_planned_work_holds_back_what_its_crew_does_and_lets_go_when_it_ends() -> None:
    story = Script(wired_town(works(assets=("s-5",))))
    story.event(cut(5), cut(2, 1.0))
    story.at(60).event(silent("m-8", 800, 400, 55))
    assert held(story).site == "L1"
    assert "planned work W-7 (计划检修)" in held(story).held.text_en  # type: ignore[union-attr]
    assert len(story.tickets()) == 1  # the cut elsewhere on the line
    assert len(held(story).events) == 2  # what the held one explains is explained
    story.at(HOUR)
    story.expect(between(HOUR, HOUR)).ticket("opened", kind="severed_cable")


def test_what_waits_for_its_cause_is_explained_by_one_that_is_held_and_stays_held() -> None:
    story = Script(wired_town(works(assets=("s-5",))))
    story.event(silent("m-8", 800, 400, 0.0))
    story.at(30).event(cut(5, 20))
    assert [i.closed_at is None for i in story.incidents()] == [False, True]
    assert held(story).rev == 3
    assert len(held(story).events) == 2
    story.at(HOUR - 1)
    assert not story.tickets()
    story.at(HOUR)
    assert len(story.tickets()) == 1


def test_a_work_on_the_street_holds_no_flooding_and_no_report() -> None:
    story = Script(wired_town(works(point=at(400, 200), radius_m=100.0)))
    story.event(event("flooding", "road-1", place(400, 200)))
    story.event(event("citizen_report", "app", place(330, 200), kind="pole_tilt"))
    assert len(story.tickets()) == 2
    story.at(10).event(event("manhole_cover_displaced", "lid-1", place(430, 200), 5, severity=3))
    assert held(story).kind == "manhole_cover_displaced"


def test_a_silent_sensor_at_a_work_waits_for_the_end_of_the_work_and_not_for_the_grace() -> None:
    story = Script(wired_town(works(point=at(1700, 800))))
    story.event(silent("road-2", 1700, 800, 0.0))
    story.at(HOUR - 1)
    assert held(story).kind == "sensor_silent"
    assert not story.tickets()
    story.at(HOUR)
    story.ticket(kind="sensor_silent")


def test_all_can_be_exempt_by_setting() -> None:
    settings = RouterSettings(works_hold=(), never_held=("street_light_out",))
    story = Script(wired_town(works(assets=("lamp-1",))), settings)
    story.silence("s-1", HOUR, sites=["lamp-1"])
    story.event(lamp())
    story.ticket()
