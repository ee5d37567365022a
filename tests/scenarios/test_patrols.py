"""Patrol rounds, as stories: by the clock, before the rain, and what they find."""

from __future__ import annotations

import pytest

from contracts.case import Ticket
from contracts.clock import iso
from contracts.governance import Patrol
from router.figures import case_of, figures
from tests.scenarios.governed import governed
from tests.scenarios.script import START, Script, between, event, moment
from tests.scenarios.town import at, place

HOUR = 3600
DAY = 24 * HOUR
# The stories begin on a Friday at 10:00 in Shanghai.
DAILY = Patrol(
    id="machines",
    name_zh="设备巡检",
    name_en="Machines",
    assets=("road-1", "lamp-1"),
    at=("10:30", "16:00"),
    within_s=HOUR,
    checklist=("外观", "供电"),
)
RAIN = Patrol(
    id="drains", name_zh="雨前查井", name_en="Drains", points=(at(400, 200),), when="rain"
)


def told(*patrols: Patrol, cut: bool | None = None) -> Script:
    return Script(governed(patrols=patrols), cut=cut)


def opened(story: Script) -> list[int]:
    """Seconds after the start at which rounds were opened."""
    tickets = [t for t in story.tickets() if t.kind == "patrol"]
    return [round((t.opened_at - START).total_seconds()) for t in tickets]


def rain(story: Script, mm_h: float, *, forecast: bool = False) -> None:
    story._restart()
    story._keep(story.router.on_rain(at(500, 500), mm_h, story.now, forecast=forecast))


# --- by the clock ---------------------------------------------------------------------------------


def test_a_round_is_a_ticket_for_the_one_who_has_the_grid() -> None:
    story = told(DAILY)
    story.at(HOUR)
    ticket = story.expect(between(1800, 1800)).ticket("opened", kind="patrol")
    assert (ticket.worker, ticket.grid, ticket.lane) == ("w-15", "g1", "self")
    assert (ticket.utility, ticket.parent, ticket.stage) == (None, None, "dispatched")
    assert ticket.reason["worker"]["by"] == "responsible"
    assert ticket.reason["patrol"]["checklist"] == ["外观", "供电"]
    assert "设备巡检" in ticket.reason["incident"]["text_zh"]
    assert ticket.deadlines.dispose == moment(1800 + HOUR)
    assert ticket.deadlines.accept == moment(1800 + HOUR / 4)


def test_rounds_come_every_day_of_the_week_that_is_theirs() -> None:
    workdays = Patrol(
        id="p", name_zh="巡", name_en="p", assets=("road-1",), at=("09:00",), weekdays=(1, 5)
    )
    story = told(workdays)
    story.at(7 * DAY)
    assert opened(story) == [0, 3 * DAY - HOUR, 7 * DAY - HOUR]  # Fri (missed), Mon, Fri


def test_a_round_that_was_missed_is_made_while_there_is_time_for_it() -> None:
    early = Patrol(id="p", name_zh="巡", name_en="p", assets=("road-1",), at=("09:30",))
    story = told(early)
    story.at(0)
    ticket = story.ticket(kind="patrol")
    assert ticket.opened_at == START
    assert ticket.deadlines.dispose == moment(1.5 * HOUR), "half an hour of it is gone"
    late = Patrol(
        id="p", name_zh="巡", name_en="p", assets=("road-1",), at=("08:30",), within_s=HOUR
    )
    story = told(late)
    story.at(HOUR)
    assert opened(story) == []


def test_restarts_never_double_a_round() -> None:
    story = told(DAILY)
    for minute in range(0, 120, 10):
        story.at(60 * minute)
        story._cut = True
        story._restart()
    story.at(7 * HOUR)
    assert opened(story) == [1800, 6 * HOUR]


def test_rounds_go_to_whom_the_city_says() -> None:
    story = told(
        Patrol(id="p", name_zh="巡", name_en="p", grid="c1", at=("10:00",), role="grid_head")
    )
    story.at(0)
    assert story.ticket(kind="patrol").worker == "h-1"


def test_a_round_nobody_is_responsible_for_goes_to_the_nearest() -> None:
    story = told(Patrol(id="p", name_zh="巡", name_en="p", points=(at(1700, 310),), at=("10:00",)))
    story.at(0)
    assert story.ticket(kind="patrol").worker == "w-32"


def test_a_round_that_nobody_makes_climbs() -> None:
    story = told(DAILY)
    story.at(3 * HOUR)
    assert story.expect(between(1800, 3 * HOUR))
    changes = [s.change for s in story.ticket(kind="patrol").timeline]
    assert "reminded" in changes
    assert "escalated" in changes


def test_a_round_that_nobody_makes_lapses_as_not_done_and_counts_so() -> None:
    story = told(DAILY)
    story.at(3 * HOUR)
    ticket = story.ticket(kind="patrol")
    assert (ticket.stage, ticket.timeline[-1].change) == ("void", "cancelled")
    assert ticket.timeline[-1].at == moment(1800 + HOUR)
    words = ticket.reason["lapsed"]
    assert words["text_zh"] == "未完成：截至2026-11-20 11:30仍为“已派遣”（微一）", words
    assert words["text_en"].startswith("not done by 2026-11-20 11:30: dispatched with")
    assert story.incidents()[0].closed_at == moment(1800 + HOUR)
    story.expect(between(1801 + HOUR, 3 * HOUR)).nothing("ticket", "escalated")
    found = figures([case_of(ticket)], moment(0), moment(DAY))
    assert (found.reported, found.filed, found.not_done, found.closed) == (1, 1, 1, 0)
    assert (found.due, found.on_time_rate, found.disposed_on_time_rate) == (1, 0.0, 0.0)
    # The next one comes as if nothing had been.
    story.at(6 * HOUR + 60)
    assert opened(story) == [1800, 6 * HOUR]


def test_a_round_that_is_being_made_may_end_late() -> None:
    story = told(DAILY)
    story.at(2000)
    ticket = story.ticket(kind="patrol")
    story.do(ticket.id, "accept", "arrive", by=str(ticket.worker))
    story.at(1800 + HOUR + 600)
    assert story.ticket(kind="patrol").stage == "arrived"
    story.at(1800 + 2 * HOUR)
    assert story.ticket(kind="patrol").stage == "void"


def test_more_time_granted_is_more_time() -> None:
    story = told(DAILY)
    story.at(2000)
    ticket = story.ticket(kind="patrol")
    until = iso(moment(3 * HOUR))
    assert story.command(ticket.id, "extend", "w-15", reason="雨大", until=until).ok
    assert story.command(ticket.id, "grant", "center").ok
    story.at(2 * HOUR)
    assert story.ticket(kind="patrol").stage == "dispatched"
    story.at(3 * HOUR)
    assert story.ticket(kind="patrol").stage == "void"


# --- before the rain ------------------------------------------------------------------------------


def test_rain_calls_for_a_round_once() -> None:
    story = told(RAIN)
    story.at(60)
    rain(story, 7.9)
    assert opened(story) == []
    rain(story, 8.0)
    rain(story, 20.0)
    story.at(HOUR)
    rain(story, 30.0)
    assert opened(story) == [60]
    assert "实测雨强8毫米/小时" in story.ticket(kind="patrol").reason["incident"]["text_zh"]


def test_the_next_rain_calls_again_once_the_last_round_is_made_and_some_time_ago() -> None:
    story = told(RAIN)
    rain(story, 10.0, forecast=True)
    ticket = story.ticket(kind="patrol")
    story.at(HOUR).do(ticket.id, "accept", "arrive", by=str(ticket.worker))
    assert story.command(ticket.id, "dispose", str(ticket.worker), note="均正常").ok
    assert story.ticket(kind="patrol").reason["findings"]["list"][0]["text"] == "均正常"
    story.at(5 * HOUR)
    rain(story, 10.0)
    assert opened(story) == [0]
    story.at(7 * HOUR)
    rain(story, 10.0)
    assert opened(story) == [0, 7 * HOUR]


def test_far_rain_calls_for_nothing() -> None:
    story = told(RAIN)
    far = at(8000, 500)
    assert story.router.on_rain(far, 50.0, story.now) == []
    assert story.router.on_rain(far, 50.0, story.now, forecast=True), "a forecast reaches further"


def test_a_flooding_that_is_forecast_calls_for_the_same_round() -> None:
    story = told(RAIN)
    story.at(60).event(event("flooding", "road-1", place(400, 200), 60.0, stage="forecast"))
    assert opened(story) == [60]
    assert "预计积水" in story.ticket(kind="patrol").reason["incident"]["text_zh"]
    story.at(120).event(event("flooding", "road-2", place(700, 200), 120.0, stage="observed"))
    assert opened(story) == [60]


# --- what was found -------------------------------------------------------------------------------


def on_the_way() -> tuple[Script, Ticket]:
    story = told(DAILY)
    story.at(2000)
    ticket = story.ticket(kind="patrol")
    story.do(ticket.id, "accept", "arrive", by=str(ticket.worker))
    return story, ticket


def test_a_round_ends_by_itself_when_it_is_made() -> None:
    story, ticket = on_the_way()
    found = [{"asset": "road-1", "ok": True}, {"asset": "lamp-1", "ok": True}]
    assert story.at(2100).command(ticket.id, "dispose", "w-15", findings=found).ok
    done = story.ticket(kind="patrol")
    assert done.stage == "closed"
    assert [s.change for s in done.timeline][-3:] == ["disposed", "verified", "closed"]
    assert done.reason["findings"]["text_en"] == "2 looked at, 0 not all right"
    assert story.incidents()[0].closed_at == moment(2100)


def test_a_finding_opens_an_incident_where_it_is() -> None:
    story, ticket = on_the_way()
    found = [
        {"asset": "road-1", "ok": False, "kind": "drain_blocked", "text": "落叶堵塞"},
        {"asset": "lamp-1", "ok": False, "text": "灯罩破损"},
    ]
    assert story.command(ticket.id, "dispose", "w-15", findings=found).ok
    blocked = story.ticket(kind="drain_blocked")
    assert (blocked.stage, blocked.grid) == ("dispatched", "g1")
    assert "落叶堵塞" in blocked.reason["incident"]["text_zh"]
    assert "w-15" in blocked.reason["incident"]["text_en"]
    assert story.ticket(kind="citizen_report").grid == "g2"
    # What was found is worked off like anything else.
    story.do(blocked.id, "accept", "arrive", "dispose", by=str(blocked.worker))
    story.do(blocked.id, "verify", "close")
    assert {i.kind for i in story.incidents() if i.closed_at is None} == {"citizen_report"}


def test_a_round_ends_with_what_was_found_and_says_what_was_left_out() -> None:
    story, ticket = on_the_way()
    answer = story.at(2100).command(ticket.id, "dispose", "w-15")
    assert not answer.ok
    assert "a round ends with what was found" in answer.reason
    assert "巡查须填写巡查结果" in answer.reason
    found = [{"asset": "road-1", "ok": True}]
    assert story.command(ticket.id, "dispose", "w-15", findings=found).ok
    told = story.ticket(kind="patrol").reason["findings"]
    assert told["left"] == ["lamp-1"]
    assert told["text_zh"] == "检查1处，异常0处；未查：lamp-1"


@pytest.mark.parametrize(
    ("finding", "says"),
    [
        ("all fine", "not an object"),
        ({"asset": "road-1"}, "ok is missing"),
        ({"ok": False}, "needs a text or a kind"),
        ({"ok": False, "kind": "patrol"}, "unknown"),
        ({"ok": False, "text": "x", "severity": 9}, "severity"),
        ({"ok": True, "asset": "road-99"}, "no asset"),
        ({"ok": True, "colour": "red"}, "allowed: asset"),
        ({"ok": False, "text": "x", "lon": 500, "lat": 1}, "degrees"),
    ],
)
def test_a_finding_that_says_nothing_is_refused(finding: object, says: str) -> None:
    story, ticket = on_the_way()
    answer = story.command(ticket.id, "dispose", "w-15", findings=[finding])
    assert not answer.ok
    assert says in answer.reason
    assert story.ticket(kind="patrol").stage == "arrived"


def test_both_ways_end_alike() -> None:
    """The whole of it, straight and with a restart before every act."""
    ends = []
    for cut in (False, True):
        story = told(DAILY, RAIN, cut=cut)
        story.at(60)
        rain(story, 12.0)
        story.at(2000).event(event("flooding", "road-1", place(400, 200), 2000.0))
        ticket = next(
            t for t in story.tickets() if t.reason.get("patrol", {}).get("id") == "drains"
        )
        story.do(ticket.id, "accept", "arrive", by=str(ticket.worker))
        findings = [{"ok": False, "text": "井盖松动", "kind": "manhole_cover_displaced"}]
        story.command(ticket.id, "dispose", str(ticket.worker), findings=findings)
        story.at(2 * DAY)
        ends.append((story.told(), story.tickets(), story.incidents()))
    assert ends[0] == ends[1]


def test_what_happens_beside_a_round_is_no_part_of_it() -> None:
    story = told(DAILY)
    story.at(2000)
    story.event(event("citizen_report", "app", place(400, 200), 2000.0))
    story.event(event("citizen_report", "app", place(405, 200), 2001.0, kind="drain_blocked"))
    story.event(event("flooding", "road-1", place(400, 200), 2002.0))
    assert not story.incidents()[0].events
    story.at(2100)
    assert {i.kind for i in story.incidents() if i.events} >= {"flooding"}


def test_a_report_of_what_a_round_found_already_does_no_harm() -> None:
    story, ticket = on_the_way()
    found = [{"asset": "road-1", "ok": False, "text": "积水", "kind": "flooding"}]
    assert story.command(ticket.id, "dispose", "w-15", findings=found).ok
    before = len(story.open_tickets())
    story.at(2200).event(event("citizen_report", "app", place(402, 200), 2200.0, kind="flooding"))
    story.at(2300).event(event("flooding", "road-1", place(400, 200), 2300.0))
    story.at(2400).event(
        event("flooding", "road-1", place(400, 200), 2300.0, rev=2, phase="closed")
    )
    assert len(story.open_tickets()) >= before
    assert all(t.worker for t in story.open_tickets() if t.parent is None)
