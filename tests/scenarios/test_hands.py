"""More hands: helpers, departments, resources, and whose thing it is, as stories."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from contracts.case import Ticket
from contracts.governance import SpecialGrid
from router.settings import RouterSettings
from tests.scenarios.governed import MAIN_ROAD, governed
from tests.scenarios.script import Script, between, event, moment
from tests.scenarios.town import RULES, place

CUT = place(500, 400)
HOUR = 3600


def torn(**settings: object) -> Script:
    rules = tuple(rule for rule in RULES if rule.id != "cable")  # only the profile asks for helpers
    story = Script(governed(rules=rules), RouterSettings(**{"policy": "each"} | settings))  # type: ignore[arg-type]
    story.at(0).event(event("severed_cable", "L1", CUT, spans=[["s-5", 0.9]], owners=["grid-co"]))
    return story


def root(story: Script) -> Ticket:
    return next(t for t in story.tickets() if t.parent is None)


def hands(story: Script) -> dict[str, str]:
    return {hand.worker: hand.state for hand in root(story).hands}


# --- helpers --------------------------------------------------------------------------------------


def test_nearby_workers_are_asked_to_hold_a_fallen_cable() -> None:
    story = torn()
    ticket = story.expect(between(0, 0)).ticket("opened", parent=None)
    assert len(ticket.helpers) == 2
    assert ticket.worker not in ticket.helpers
    assert {hand.worker for hand in ticket.hands} == set(ticket.helpers)
    assert all(hand.state == "requested" and hand.by == "router" for hand in ticket.hands)


def test_a_helper_who_refuses_is_replaced_by_the_next_nearest() -> None:
    story = torn()
    first, second = root(story).helpers
    assert story.at(30).command(root(story).id, "accept_help", first).ok
    assert story.at(60).command(root(story).id, "refuse_help", f"worker:{second}", reason="病").ok
    ticket = root(story)
    third = ticket.helpers[1]
    assert third not in (first, second, ticket.worker)
    assert hands(story) == {first: "accepted", second: "refused", third: "requested"}
    assert "改请" in ticket.timeline[-1].note
    # Who has refused is not asked again.
    assert story.at(90).command(ticket.id, "refuse_help", third).ok
    assert second not in root(story).helpers


def test_helpers_are_released_when_the_work_is_done() -> None:
    story = torn()
    ticket = root(story)
    busy = ticket.helpers
    story.at(60).do(ticket.id, "accept", "arrive", "dispose", by=str(ticket.worker))
    assert root(story).helpers == ()
    assert set(hands(story).values()) == {"released"}
    # Their hands are free again: the next incident counts no load on them.
    story.at(120).event(event("flooding", "road-1", place(400, 200), 120.0))
    loads = {c.worker: c.load for c in story.ticket(kind="flooding").runners_up}
    assert all(loads.get(worker, 0) == 0 for worker in busy)


def test_more_help_is_asked_for_by_name_or_by_number() -> None:
    story = torn()
    ticket = root(story)
    assert story.at(60).command(ticket.id, "request_helper", str(ticket.worker), worker="w-42").ok
    assert hands(story)["w-42"] == "requested"
    before = len(root(story).helpers)
    assert story.at(70).command(ticket.id, "request_helper", str(ticket.worker), count=2).ok
    assert len(root(story).helpers) == before + 2
    assert story.at(80).command(ticket.id, "release_helper", "center", worker="w-42").ok
    assert hands(story)["w-42"] == "released"


@pytest.mark.parametrize(
    ("action", "by", "data", "says"),
    [
        ("request_helper", "center", {"worker": "nobody"}, "no worker is called"),
        ("request_helper", "center", {"count": 0}, "1 to 10"),
        ("request_helper", "w-42", {}, "not w-42's"),
        ("accept_help", "center", {"worker": "w-42"}, "not asked here"),
        ("release_helper", "center", {"worker": "w-43"}, "not asked here"),
    ],
)
def test_help_that_makes_no_sense_is_refused_with_a_reason(
    action: str, by: str, data: dict[str, Any], says: str
) -> None:
    story = torn()
    answer = story.at(60).command(root(story).id, action, by, **data)
    assert not answer.ok
    assert says in answer.reason


def test_a_helper_who_takes_the_ticket_over_is_its_worker_and_no_helper() -> None:
    story = torn()
    first, second = root(story).helpers
    story.at(60).command(root(story).id, "reassign", "center", worker=first)
    assert story.at(90).command(root(story).id, "accept_help", second).ok
    assert (root(story).worker, root(story).helpers) == (first, (second,))


def test_nobody_answers_for_another_helper() -> None:
    story = torn()
    first, second = root(story).helpers
    answer = story.at(60).command(root(story).id, "accept_help", first, worker=second)
    assert not answer.ok
    assert "answers for themselves" in answer.reason


def test_a_helper_who_says_nothing_is_replaced_while_somebody_waits_for_them() -> None:
    story = torn()
    ticket = root(story)
    first, second = ticket.helpers
    story.at(60).do(ticket.id, "accept", by=str(ticket.worker))
    story.command(ticket.id, "accept_help", first)
    story.at(659)
    assert root(story).helpers == (first, second)
    story.at(660)
    third = root(story).helpers[1]
    assert third not in (first, second)
    assert hands(story) == {first: "accepted", second: "released", third: "requested"}
    assert "未答复" in root(story).timeline[-1].note
    # Not for ever: the town's telephone is for people.
    story.at(2 * HOUR)
    silent = [h for h in root(story).hands if h.state == "released"]
    assert len(silent) <= 4


def test_nobody_is_replaced_while_nobody_is_there_to_be_helped() -> None:
    story = torn()
    asked = root(story).hands
    story.at(1200)
    assert set(asked) <= set(root(story).hands)


def test_off_shift_people_are_not_called_to_help() -> None:
    workers = tuple(
        msgspec.structs.replace(w, shift="20:00-08:00")
        for w in governed().workers.values()
        if w.role not in ("grid_head",)
    )
    story = Script(governed(workers=workers, rules=()))
    story.at(0).event(event("severed_cable", "L1", CUT, owners=["grid-co"]))
    assert root(story).helpers == ()
    answer = story.at(60).command(root(story).id, "request_helper", "center")
    assert not answer.ok
    assert "nobody else is on shift" in answer.reason


# --- departments ----------------------------------------------------------------------------------


def test_the_traffic_police_are_called_when_the_road_is_blocked_and_not_before() -> None:
    story = torn()
    worker = str(root(story).worker)
    assert not [t for t in story.tickets() if t.utility == "traffic-police"]
    story.at(60).do(root(story).id, "accept", "arrive", by=worker)
    assert story.at(400).command(root(story).id, "report", worker, road_blocked=True).ok
    part = story.expect(between(400, 400)).ticket("opened", utility="traffic-police")
    assert part.parent == root(story).id
    assert part.reason["utility"]["by"] == "response"
    assert worker in part.reason["utility"]["text_en"]
    assert "道路阻断" in part.reason["utility"]["text_zh"]
    assert part.deadlines.accept is not None
    assert [r["id"] for r in root(story).reason["responses"]] == ["cable-down", "road-blocked"]
    # Told twice, called once.
    assert story.at(500).command(root(story).id, "report", worker, road_blocked=True).ok
    assert len([t for t in story.tickets() if t.utility == "traffic-police"]) == 1


def test_what_a_utility_reports_from_the_spot_is_known_on_the_parent() -> None:
    story = Script(governed())
    owners = ["grid-co", "telecom-co"]
    story.at(0).event(event("severed_cable", "L1", CUT, owners=owners))
    power = story.ticket(utility="power")
    assert story.at(60).command(power.id, "report", "power", road_blocked=True).ok
    assert root(story).reason["facts"]["road_blocked"]["is"] is True
    assert story.ticket(utility="traffic-police").parent == root(story).id


def test_a_cable_down_on_a_main_road_blocks_it() -> None:
    road = SpecialGrid(grid=MAIN_ROAD, what="main_road")
    grids = (*governed().grids, MAIN_ROAD)
    story = Script(governed(special=(road,), grids=grids))
    story.at(0).event(event("severed_cable", "L1", CUT, owners=["grid-co"], state="confirmed"))
    assert "中山路" in story.ticket(utility="traffic-police").reason["utility"]["text_zh"]
    assert root(story).grid == "g1", "a main road is a place, and nobody's grid"
    # A cable only suspected there blocks nothing yet.
    other = Script(governed(special=(road,), grids=grids))
    other.at(0).event(event("severed_cable", "L1", CUT, owners=["grid-co"], state="suspected"))
    assert not [t for t in other.tickets() if t.utility == "traffic-police"]


def test_water_over_the_closing_line_blocks_the_road_when_it_gets_there() -> None:
    story = Script(governed())
    wet: dict[str, Any] = {"metric": "depth", "stage": "observed"}
    story.at(0).event(event("flooding", "road-1", place(400, 200), value=0.16, **wet))
    assert [t.utility for t in story.tickets()] == ["water"]
    story.at(600).event(event("flooding", "road-1", place(400, 200), rev=2, value=0.28, **wet))
    police = story.expect(between(600, 600)).ticket("opened", utility="traffic-police")
    assert "0.28" in police.reason["utility"]["text_en"]
    assert root(story).utility == "water", "the parent stays with whom it was"


def test_a_parent_closes_after_the_departments_part() -> None:
    story = torn()
    ticket = root(story)
    story.do(ticket.id, "accept", "arrive", by=str(ticket.worker))
    story.command(ticket.id, "report", str(ticket.worker), road_blocked=True)
    story.do(ticket.id, "dispose", by=str(ticket.worker))
    story.command(ticket.id, "verify", "center", reason="seen")
    assert "still open" in story.command(ticket.id, "close", "center").reason


@pytest.mark.parametrize("data", [{}, {"road_blocked": "yes"}, {"weather": True}])
def test_a_report_says_something_that_is_known(data: dict[str, Any]) -> None:
    story = torn()
    answer = story.command(root(story).id, "report", "center", **data)
    assert not answer.ok
    assert "road_blocked" in answer.reason


# --- resources ------------------------------------------------------------------------------------


def flooded(story: Script, at: float = 0.0) -> Ticket:
    story.event(event("flooding", "road-1", place(400, 200), at))
    return story.ticket(kind="flooding", parent=None)


def test_resources_are_offered_the_nearest_first() -> None:
    story = Script(governed())
    offers = flooded(story).resources
    assert [o.resource for o in offers] == ["pump-1", "fence-1", "pump-2"]
    assert offers[0].distance_m == pytest.approx(50, abs=1)
    assert offers[0].owner == "drainage"


def test_a_pump_that_is_out_is_not_offered_nor_taken_twice_until_it_is_back() -> None:
    story = Script(governed())
    ticket = flooded(story)
    assert story.at(60).command(ticket.id, "take_resource", "water", resource="pump-1").ok
    taken = story.ticket(kind="flooding").reason["resources"]["taken"]
    assert [(entry["resource"], entry["by"]) for entry in taken] == [("pump-1", "water")]
    story.at(120).event(event("flooding", "road-2", place(700, 200), 120.0, device="road-2"))
    other = next(t for t in story.tickets() if t.opened_at == moment(120))
    assert [o.resource for o in other.resources if o.what == "pump"] == ["pump-2"]
    refused = story.command(other.id, "take_resource", "center", resource="pump-1")
    assert not refused.ok
    assert ticket.id in refused.reason
    assert "pump-2" in refused.reason
    story.at(180).command(ticket.id, "return_resource", "center", resource="pump-1")
    assert story.at(200).command(other.id, "take_resource", "center", resource="pump-1").ok


def test_what_is_out_is_back_when_the_ticket_ends() -> None:
    story = Script(governed())
    ticket = flooded(story)
    story.at(10).command(ticket.id, "take_resource", "center", resource="fence-1", count=4)
    assert not story.command(ticket.id, "take_resource", "center", resource="fence-1").ok
    story.at(20).command(ticket.id, "void", "center", reason="test")
    kept = story.ticket(kind="flooding").reason["resources"]
    assert kept["taken"] == []
    assert kept["returned"][0]["returned_by"] == "router"


@pytest.mark.parametrize(
    ("action", "data", "says"),
    [
        ("take_resource", {}, "offered here: pump-1"),
        ("take_resource", {"resource": "pump-9"}, "no resource"),
        ("take_resource", {"resource": "pump-1", "count": 2}, "1 left"),
        ("return_resource", {"resource": "pump-1"}, "has 0 of"),
    ],
)
def test_what_cannot_be_taken_is_refused(action: str, data: dict[str, Any], says: str) -> None:
    story = Script(governed())
    answer = story.command(flooded(story).id, action, "center", **data)
    assert not answer.ok
    assert says in answer.reason


# --- whose is it ----------------------------------------------------------------------------------


def unowned() -> Script:
    story = Script(governed())
    story.at(0).event(event("pole_tilt", "lamp-1", place(600, 600), device="lamp-1"))
    return story


def test_unclear_ownership_names_its_first_receiver() -> None:
    ticket = unowned().ticket()
    assert (ticket.lane, ticket.utility) == ("joint", None)
    found = ticket.reason["consultation"]
    assert (found["receiver"], found["role"]) == ("h-1", "grid_head")
    assert "首接负责：钱格长" in found["text_zh"]


def test_the_first_receiver_names_the_utility_and_it_gets_its_part() -> None:
    story = unowned()
    answer = story.at(600).command(story.ticket().id, "assign", "h-1", utility="lights")
    assert answer.ok, answer.reason
    part = story.expect(between(600, 600)).ticket("opened", utility="lights")
    assert part.deadlines.accept is not None
    assert part.deadlines.accept > moment(600), "its clocks start when it is named"
    ticket = root(story)
    assert part.parent == ticket.id
    assert ticket.reason["consultation"]["named"][0]["by"] == "h-1"
    assert ticket.reason["utility"]["by"] == "consultation"


def test_nobody_named_in_time_goes_up_and_is_never_silent() -> None:
    story = unowned()
    story.at(2 * HOUR)
    up = [t for t in told(story) if "nobody named in time" in t[1]]
    assert [at for at, _ in up] == [], "the town has no officer above the grid head"
    asked = [t for t in told(story) if "whose is it" in t[1]]
    assert [at for at, _ in asked] == [2 * HOUR]
    story.at(2 * HOUR + 14_400)
    assert len([t for t in told(story) if "whose is it" in t[1]]) == 2


def test_nobody_named_in_time_goes_to_the_next_officer() -> None:
    workers = tuple(
        msgspec.structs.replace(w, role="street_center", grid="s") if w.id == "h-2" else w
        for w in governed().workers.values()
    )
    story = Script(governed(workers=workers))
    story.at(0).event(event("pole_tilt", "lamp-1", place(600, 600), device="lamp-1"))
    story.at(2 * HOUR)
    found = story.ticket().reason["consultation"]
    assert (found["receiver"], found["role"]) == ("h-2", "street_center")


def told(story: Script) -> list[tuple[int, str]]:
    ticket = root(story)
    return [(round((s.at - moment(0)).total_seconds()), s.note) for s in ticket.timeline]


@pytest.mark.parametrize(
    ("by", "data", "says"),
    [
        ("h-1", {}, "assign names a utility"),
        ("h-1", {"utility": "nobody"}, "known: lights"),
        ("w-22", {"utility": "lights"}, ""),
    ],
)
def test_only_the_receiver_or_an_officer_names_a_utility_that_exists(
    by: str, data: dict[str, Any], says: str
) -> None:
    story = unowned()
    answer = story.command(story.ticket().id, "assign", by, **data)
    assert not answer.ok
    assert says in answer.reason


def test_after_some_refusals_nobody_else_is_asked_and_that_is_said() -> None:
    story = torn()
    asked = 0
    for step in range(12):
        waiting = [h.worker for h in root(story).hands if h.state == "requested"]
        if not waiting:
            break
        asked += 1
        assert story.at(30 + step).command(root(story).id, "refuse_help", waiting[0]).ok
    assert asked == 2 + 3
    assert root(story).helpers == ()
    assert "不再自动改请，请电话联系" in root(story).timeline[-1].note
