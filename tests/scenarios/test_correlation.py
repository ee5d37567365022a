"""Many events, one thing that happened."""

from __future__ import annotations

import pytest

from contracts.case import Ticket
from router.settings import RouterSettings
from tests.scenarios.script import Script, between, event, moment
from tests.scenarios.town import place, town


def test_the_crane_case_one_incident_one_worker_two_utilities_with_helpers() -> None:
    story = Script(town())
    story.at(0).event(event("severed_cable", "L1", place(500, 400), owners=["grid-co"], error_m=40))
    first = story.ticket(kind="severed_cable", worker="w-12", utility="power", parent=None)
    assert len(first.helpers) == 2
    story.at(90).event(event("fibre_break", "F1", place(540, 410), 80))
    assert len(story.incidents()) == 1
    assert "one cause with" in story.incidents()[0].reason
    parent = story.ticket(parent=None)
    assert (parent.id, parent.worker, parent.utility) == (first.id, "w-12", None)
    parts = {t.utility: t for t in story.tickets() if t.parent == parent.id}
    assert set(parts) == {"power", "telecom"}
    assert all(t.worker is None and t.stage == "dispatched" for t in parts.values())

    story.at(200).do(parent.id, "accept", "arrive", by="w-12")
    for utility, part in parts.items():
        story.at(story_seconds(story) + 60).do(
            part.id, "accept", "arrive", "dispose", by=str(utility)
        )
    story.do(parent.id, "dispose", by="w-12")
    story.at(3000).event(
        event("severed_cable", "L1", place(500, 400), rev=2, phase="closed"),
        event("fibre_break", "F1", place(540, 410), 80, rev=2, phase="closed"),
    )
    assert {t.stage for t in story.tickets()} == {"verified"}
    refused = story.command(parent.id, "close")
    assert not refused.ok
    assert "parts" in refused.reason
    for part in parts.values():
        story.do(part.id, "close")
    story.do(parent.id, "close")
    assert not story.open_tickets()


def story_seconds(story: Script) -> float:
    return (story.now - moment(0)).total_seconds()


def test_both_owners_of_a_shared_pole_known_at_once_give_parent_and_parts() -> None:
    story = Script(town())
    owners = ["grid-co", "mobile-co"]
    story.at(0).event(event("severed_cable", "L1", place(500, 400), owners=owners))
    parent = story.expect(between(0, 0)).ticket("opened", parent=None, utility=None)
    assert {t.utility for t in story.tickets() if t.parent == parent.id} == {"power", "telecom"}


def test_a_broken_fibre_first_is_known_as_the_cable_once_the_line_tells() -> None:
    story = Script(town())
    story.at(0).event(event("fibre_break", "F1", place(500, 410)))
    before = story.ticket(kind="fibre_break", utility="telecom")
    story.at(30).event(event("severed_cable", "L1", place(500, 400), 5, owners=["grid-co"]))
    parent = story.ticket(parent=None)
    assert parent.kind == "severed_cable"
    assert parent.code == "04-08"
    assert parent.deadlines.dispose is not None
    assert before.deadlines.dispose is not None
    assert parent.deadlines.dispose < before.deadlines.dispose
    assert story.incidents()[0].kind == "severed_cable"


def test_a_cut_that_silences_ten_sensors_is_one_ticket() -> None:
    story = Script(town())
    for i in range(1, 11):
        story.at(i).event(event("sensor_silent", f"m-{i}", place(100 * i, 400), float(i)))
    story.expect(between(0, 20)).nothing("ticket")
    story.at(30).event(event("severed_cable", "L1", place(500, 400), 0, owners=["grid-co"]))
    story.at(300)
    story.expect(between(0, 300)).ticket("opened")
    cause = next(i for i in story.incidents() if i.kind == "severed_cable")
    assert len(cause.events) == 11
    assert "explains 10 x sensor silent" in cause.reason
    assert [i for i in story.incidents() if i.closed_at is None] == [cause]


def test_a_sensor_still_silent_after_the_cause_is_over_gets_its_own_ticket() -> None:
    story = Script(town())
    story.at(0).event(event("severed_cable", "L1", place(500, 400), owners=["grid-co"]))
    story.at(5).event(
        event("sensor_silent", "m-5", place(500, 400), 5),
        event("sensor_silent", "m-6", place(600, 400), 5),
    )
    story.at(500).event(event("sensor_silent", "m-6", place(600, 400), 5, rev=2, phase="closed"))
    story.at(600).event(event("severed_cable", "L1", place(500, 400), rev=2, phase="closed"))
    story.at(660)
    story.expect(between(660, 660)).ticket("opened", kind="sensor_silent", lane="self")
    assert len(story.tickets()) == 2


def test_a_silent_sensor_alone_is_a_ticket_after_the_grace() -> None:
    story = Script(town())
    story.at(0).event(event("sensor_silent", "road-2", place(1700, 800), severity=1))
    story.at(59)
    story.expect(between(0, 59)).nothing("ticket")
    story.at(60)
    ticket = story.expect(between(60, 60)).ticket("opened", kind="sensor_silent", utility=None)
    assert ticket.lane == "self"
    story.at(90).event(event("sensor_silent", "road-2", place(1700, 800), rev=2, phase="closed"))
    story.expect(between(90, 90)).ticket("cancelled", stage="void")


def test_silence_that_ends_within_the_grace_troubles_nobody() -> None:
    story = Script(town())
    story.at(0).event(event("sensor_silent", "road-2", place(1700, 800), severity=1))
    story.at(30).event(event("sensor_silent", "road-2", place(1700, 800), rev=2, phase="closed"))
    story.at(1000)
    assert not story.tickets()
    assert story.incidents()[0].closed_at == moment(30)


def test_three_cameras_one_fall() -> None:
    story = Script(town())
    for i in range(3):
        story.at(i).event(event("high_altitude_throw", f"c-{i}", place(300 + 9 * i, 300), i * 0.5))
    assert len(story.incidents()) == 1
    assert len(story.incidents()[0].events) == 3
    story.at(60).event(event("high_altitude_throw", "c-0", place(300, 300), 59))
    assert len(story.incidents()) == 2


@pytest.mark.parametrize(("metres", "incidents"), [(45, 1), (55, 2)])
def test_fifty_metres_make_the_difference(metres: float, incidents: int) -> None:
    story = Script(town())
    story.at(0).event(event("flooding", "a", place(400, 200)))
    story.at(9).event(event("flooding", "b", place(400 + metres, 200), 9))
    assert len(story.incidents()) == incidents


def test_other_kinds_at_the_same_place_stay_apart() -> None:
    story = Script(town())
    story.at(0).event(event("flooding", "a", place(400, 200)))
    story.at(9).event(event("pole_tilt", "b", place(400, 200), 9))
    assert len(story.incidents()) == 2


def test_a_residents_report_joins_the_sensors_incident_and_raises_it() -> None:
    story = Script(town())
    story.at(0).event(event("flooding", "road-1", place(400, 200)))
    story.at(900).event(event("citizen_report", "app", place(430, 200), 890, kind="flooding"))
    assert len(story.incidents()) == 1
    raised = story.expect(between(900, 900)).ticket("updated", severity=4)
    assert "resident" in raised.timeline[-1].note
    story.at(910).event(event("citizen_report", "app", place(430, 200), 905, kind="pole_tilt"))
    assert len(story.incidents()) == 2


def test_the_sensor_confirms_what_a_resident_said_first() -> None:
    story = Script(town())
    story.at(0).event(event("citizen_report", "app", place(430, 200), kind="flooding"))
    assert story.ticket(kind="citizen_report").lane == "self"
    story.at(600).event(event("flooding", "road-1", place(400, 200), 590))
    ticket = story.ticket(kind="flooding", utility="water", lane="direct")
    assert ticket.code == "04-06"
    assert len(story.incidents()) == 1


def test_a_report_ends_with_its_work() -> None:
    story = Script(town())
    story.at(0).event(event("citizen_report", "app", place(430, 200), text="smell"))
    ticket: Ticket = story.ticket()
    story.do(ticket.id, "accept", "arrive", "dispose", by=str(ticket.worker))
    story.do(ticket.id, "verify", "close")
    assert story.incidents()[0].closed_at == moment(0)


def test_a_new_flood_days_later_is_a_new_incident() -> None:
    story = Script(town(), RouterSettings(ladder=False))
    story.at(0).event(event("flooding", "road-1", place(400, 200)))
    story.at(600).event(event("flooding", "road-1", place(400, 200), rev=2, phase="closed"))
    story.at(7200).event(event("flooding", "road-1", place(400, 200), 7200))
    assert len(story.incidents()) == 2


def test_told_again_changes_nothing() -> None:
    story = Script(town())
    first = event("flooding", "road-1", place(400, 200))
    story.at(0).event(first, first)
    story.at(1).event(first)
    assert len(story.changes) == 2


def test_a_fibre_that_breaks_after_the_cable_was_restored_is_another_incident() -> None:
    story = Script(town())
    story.at(0).event(event("severed_cable", "L1", place(500, 400), owners=["grid-co"]))
    story.at(200).event(event("severed_cable", "L1", place(500, 400), rev=2, phase="closed"))
    story.at(300).event(event("fibre_break", "F1", place(510, 410), 290))
    assert len(story.incidents()) == 2


def test_no_clock_gets_longer_when_the_kind_is_corrected() -> None:
    story = Script(town())
    story.at(0).event(event("fibre_break", "F1", place(500, 410)))
    before = story.ticket().deadlines
    story.at(590).event(event("severed_cable", "L1", place(500, 400), 580, owners=["grid-co"]))
    after = story.ticket(parent=None).deadlines
    assert after.accept == before.accept == moment(900)
    assert after.dispose == moment(590 + 7200)


def test_a_utility_that_a_person_chose_is_not_called_twice() -> None:
    story = Script(town())
    story.at(0).event(event("severed_cable", "Lx", place(500, 100)))
    ticket = story.ticket(lane="joint", utility=None).id
    story.at(10).command(ticket, "reassign", note="utility:power")
    story.at(20).event(event("severed_cable", "Lx", place(500, 100), rev=2, owners=["grid-co"]))
    assert len(story.tickets()) == 1
    assert story.ticket().utility == "power"


def test_a_utility_that_a_person_replaced_is_not_called_again() -> None:
    story = Script(town())
    story.at(0).event(event("severed_cable", "L1", place(500, 400), owners=["grid-co"]))
    story.at(10).command(story.ticket().id, "reassign", note="utility:lights")
    story.at(20).event(
        event("severed_cable", "L1", place(500, 400), rev=2, severity=5, owners=["grid-co"])
    )
    assert story.ticket(utility="lights").severity == 5


def test_a_cause_known_late_takes_its_symptoms_and_gives_them_back() -> None:
    story = Script(town())
    story.at(0).event(event("fibre_break", "F1", place(500, 410)))
    story.at(100).event(event("sensor_silent", "m-6", place(600, 400), 90))
    story.at(130).event(event("severed_cable", "L1", place(500, 400), 110, owners=["grid-co"]))
    silent = next(i for i in story.incidents() if i.kind == "sensor_silent")
    assert silent.closed_at == moment(130)
    story.at(400).event(
        event("severed_cable", "L1", place(500, 400), 110, rev=2, phase="closed"),
        event("fibre_break", "F1", place(500, 410), rev=2, phase="closed"),
    )
    story.at(600).event(event("sensor_silent", "m-6", place(600, 400), 90, rev=2, severity=4))
    later = [i for i in story.incidents() if i.kind == "sensor_silent" and i.closed_at is None]
    assert [i.severity for i in later] == [4]
    story.ticket(kind="sensor_silent", severity=4)


def test_the_cause_keeps_what_it_explained_when_both_are_over() -> None:
    story = Script(town())
    story.at(0).event(event("fibre_break", "F1", place(500, 410)))
    story.at(100).event(event("sensor_silent", "m-6", place(600, 400), 90))
    story.at(130).event(event("severed_cable", "L1", place(500, 400), 110, owners=["grid-co"]))
    story.at(200).event(event("sensor_silent", "m-6", place(600, 400), 90, rev=2, phase="closed"))
    story.at(400).event(
        event("severed_cable", "L1", place(500, 400), 110, rev=2, phase="closed"),
        event("fibre_break", "F1", place(500, 410), rev=2, phase="closed"),
    )
    story.at(500).event(
        event("sensor_silent", "m-6", place(600, 400), 90, rev=3, phase="closed", severity=5)
    )
    cause = next(i for i in story.incidents() if i.kind == "severed_cable")
    assert cause.severity == 5


def test_a_sensor_silenced_by_a_cut_does_not_make_its_owner_responsible() -> None:
    story = Script(town())
    story.at(0).event(event("severed_cable", "L1", place(500, 400), owners=["grid-co"]))
    water = event("sensor_silent", "m-5", place(500, 400), 5, owners=["drainage"])
    story.at(5).event(water)
    story.at(400)
    assert {t.utility for t in story.tickets()} == {"power"}
