"""Causes by name: what one cut, one blockage, one fall explains, and what it does not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from contracts.case import Incident
from tests.scenarios.script import Script, between, event, moment
from tests.scenarios.town import place
from tests.scenarios.wired import cut, silent, wired_town


def incident(story: Script, kind: str) -> Incident:
    found = [i for i in story.incidents() if i.kind == kind]
    assert len(found) == 1, [i.reason for i in found]
    return found[0]


# --- one cut ------------------------------------------------------------------------------------


def test_one_cut_span_explains_forty_meters_however_far_along_the_line() -> None:
    story = Script(wired_town())
    story.at(0).event(cut(0, line="L2"))
    for i in range(1, 41):
        story.at(i).event(silent(f"meter-{i}", 100 + 40 * i, 700, float(i)))
    story.at(600)
    story.expect(between(0, 600)).ticket("opened")
    cause = story.incidents()[0]
    assert len(cause.events) == 41
    assert "explains 40 x sensor silent within 1580 m (40 fed through span t-0)" in cause.reason
    assert "经t-0供电" in cause.reason


def test_a_meter_before_the_cut_is_silent_for_reasons_of_its_own() -> None:
    story = Script(wired_town())
    story.at(0).event(cut(20, line="L2"))
    story.at(5).event(silent("meter-15", 700, 700, 5), silent("meter-25", 1100, 700, 5))
    story.at(120)
    alone = story.ticket(kind="sensor_silent")
    assert alone.place.lon == pytest.approx(place(700, 700).lon)
    assert len(story.incidents()) == 2


def test_lamps_and_pumps_fed_through_the_cut_are_explained_others_near_it_are_not() -> None:
    story = Script(wired_town())
    story.at(0).event(cut(5))
    lamps: dict[str, Any] = {"hint": {"kind": "severed_cable", "devices": ["m-lights"]}}
    story.at(20).event(event("street_light_out", "circuit-7", place(650, 440), 20, **lamps))
    story.at(30).event(event("hydrant_no_pressure", "hyd-1", place(905, 465), 30))
    assert len(story.incidents()) == 1
    assert "1 x street light out" in story.incidents()[0].reason
    story.at(40).event(event("street_light_out", "lamp-9", place(540, 410), 40))
    story.at(50).event(event("hydrant_no_pressure", "hyd-2", place(300, 300), 50))
    assert {t.kind for t in story.tickets()} == {
        "severed_cable",
        "street_light_out",
        "hydrant_no_pressure",
    }


def test_a_dark_street_is_a_ticket_at_once_and_withdrawn_with_the_causes_name_and_ticket() -> None:
    story = Script(wired_town())
    lamps: dict[str, Any] = {"hint": {"kind": "severed_cable", "devices": ["m-lights"]}}
    story.at(0).event(event("street_light_out", "circuit-7", place(650, 440), **lamps))
    dark = story.expect(between(0, 0)).ticket("opened", kind="street_light_out")
    story.at(60).event(cut(5, 50))
    root = story.ticket(kind="severed_cable")
    gone = story.expect(between(60, 60)).ticket("cancelled", id=dark.id)
    for words in (gone.timeline[-1].note, incident(story, "street_light_out").reason):
        assert "severed cable" in words
        assert "架空线缆断裂" in words
        assert root.id in words
    cause = incident(story, "street_light_out").cause
    assert cause is not None
    assert (cause.incident, cause.ticket, cause.how) == (root.incident, root.id, "explains")


def test_the_cause_is_told_by_name_where_a_symptom_outlives_it() -> None:
    story = Script(wired_town())
    story.at(0).event(cut(5))
    story.at(5).event(silent("m-7", 700, 400, 5), silent("m-8", 800, 400, 5))
    root = story.ticket(kind="severed_cable")
    story.at(500).event(silent("m-8", 800, 400, 5, rev=2, phase="closed"))
    story.at(600).event(cut(5, rev=2, phase="closed"))
    story.at(660)  # it has the usual grace to come back by itself
    still = story.ticket(kind="sensor_silent")
    assert still.place.lon == pytest.approx(place(700, 400).lon)
    words = still.reason["incident"]
    assert f"after severed cable was over ({root.incident}, ticket {root.id})" in words["text_en"]
    assert root.id in words["text_zh"]


def test_when_the_cut_turns_out_to_be_elsewhere_what_it_explains_is_worked_out_anew() -> None:
    story = Script(wired_town())
    story.at(0).event(cut(7))
    story.at(5).event(silent("m-9", 900, 400, 5), silent("m-4", 400, 400, 5))
    story.at(90)
    story.ticket(kind="sensor_silent")
    assert len(story.incidents()[0].events) == 2
    story.at(100).event(cut(3, rev=2, phase="updated", spans=[["s-3", 0.9]]))
    assert len(story.incidents()[0].events) == 3
    assert story.ticket(kind="sensor_silent").stage == "void"
    story.at(200).event(cut(8, 0, rev=3, phase="updated", spans=[["s-8", 0.9]]))
    assert len(story.incidents()[0].events) == 2
    story.at(300)
    (again,) = [t for t in story.open_tickets() if t.kind == "sensor_silent"]
    assert again.place.lon == pytest.approx(place(400, 400).lon)


# --- two cuts -----------------------------------------------------------------------------------


def test_a_second_cut_of_one_line_hundreds_of_metres_away_is_a_second_incident() -> None:
    story = Script(wired_town())
    story.at(0).event(cut(2))
    story.at(60).event(msgspec.structs.replace(cut(7, 55), id="e-second"))
    assert len(story.incidents()) == 2
    assert len({t.incident for t in story.tickets()}) == 2


def test_the_same_span_again_and_the_next_one_join() -> None:
    story = Script(wired_town())
    story.at(0).event(cut(5))
    again = msgspec.structs.replace(cut(5, 30), id="e-again")
    beside = msgspec.structs.replace(cut(6, 31), id="e-beside")
    story.at(40).event(again, beside)
    assert len(story.incidents()) == 1
    assert len(story.incidents()[0].events) == 3


def test_two_cuts_share_the_silent_meters_by_what_each_feeds() -> None:
    story = Script(wired_town())
    story.at(0).event(cut(30, line="L2"))
    story.at(60).event(msgspec.structs.replace(cut(5, 55, line="L2"), id="e-second"))
    story.at(70).event(silent("meter-10", 500, 700, 65))
    assert len(story.incidents()) == 2
    first, second = story.incidents()
    assert (len(first.events), len(second.events)) == (1, 2)


def test_a_fibre_broken_at_two_places_is_two_incidents() -> None:
    story = Script(wired_town())
    for i, metres in enumerate((200.0, 600.0, 610.0)):
        at = place(metres, 410)
        told: dict[str, Any] = {"distance_m": metres, "error_m": 20.0, "owners": ["telecom-co"]}
        story.at(60 * i).event(event("fibre_break", "F1", at, 60.0 * i, **told))
    assert sorted(len(i.events) for i in story.incidents()) == [1, 2]


# --- drains -------------------------------------------------------------------------------------


def test_what_one_blockage_does_upstream_and_downstream_is_one_incident() -> None:
    story = Script(wired_town())
    story.at(0).event(event("drain_blocked", "north", place(350, 200), pipes=[["q-3", 0.8]]))
    story.at(60).event(event("drain_blocked", "south", place(650, 200), 60, pipes=[["q-6", 0.7]]))
    assert len(story.incidents()) == 1
    story.at(90).event(event("drain_blocked", "far", place(1000, 200), 90, pipes=[["q-9", 0.9]]))
    assert len(story.incidents()) == 2


def test_water_on_the_street_above_a_blockage_is_told_what_to_look_for_and_keeps_its_ticket() -> (
    None
):
    story = Script(wired_town())
    story.at(0).event(event("drain_blocked", "north", place(350, 200), pipes=[["q-3", 0.8]]))
    story.at(60).event(event("flooding", "road-1", place(400, 200), 60))
    flood = story.ticket(kind="flooding")
    root = story.ticket(kind="drain_blocked")
    cause = incident(story, "flooding").cause
    assert cause is not None
    assert (cause.incident, cause.how) == (root.incident, "suspected")
    assert f"blocked drain ({root.incident}, ticket {root.id})" in flood.reason["incident"]["text"]
    story.at(70).event(event("flooding", "road-2", place(100, 200), 70))
    assert [i.cause for i in story.incidents() if i.site == "road-2"] == [None]


# --- one asset ----------------------------------------------------------------------------------


def test_the_same_asset_again_joins_while_its_ticket_is_open() -> None:
    story = Script(wired_town())
    lamp = place(600, 600)
    story.at(0).event(event("street_light_out", "lamp-1", lamp))
    story.at(60).event(event("street_light_out", "lamp-1", lamp, rev=2, phase="closed"))
    story.at(86_400).event(event("street_light_out", "lamp-1", lamp, 86_400))
    assert len(story.incidents()) == 1
    ticket = story.ticket()
    story.do(ticket.id, "accept", "arrive", "dispose", by=str(ticket.worker))
    story.at(86_460).event(event("street_light_out", "lamp-1", lamp, 86_400, rev=2, phase="closed"))
    story.do(ticket.id, "close")
    story.at(90_000).event(event("street_light_out", "lamp-1", lamp, 90_000))
    assert len(story.incidents()) == 2


@pytest.mark.parametrize(("kind", "hours", "joins"), [("flooding", 13, 0), ("pole_tilt", 100, 1)])
def test_how_long_a_report_joins_depends_on_the_kind(kind: str, hours: int, joins: int) -> None:
    story = Script(wired_town())
    story.at(0).event(event(kind, "x-1", place(400, 200)))
    later = hours * 3600
    story.at(later).event(event("citizen_report", "app", place(410, 200), later, kind=kind))
    assert len(story.incidents()) == 2 - joins


def test_a_fall_its_bang_three_cameras_and_a_resident_are_one_incident() -> None:
    story = Script(wired_town())
    track = [[moment(0.0).isoformat(), 0, 0], [moment(2.0).isoformat(), 0, 9]]
    for i in range(3):
        fall = event(
            "high_altitude_throw", f"c-{i}", place(300 + 9 * i, 300), i * 0.5, phase="closed",
            track=track,
        )  # fmt: skip
        story.at(3 + i).event(fall)
    story.at(8).event(event("loud_sound", "mic", place(310, 300), 2.03, phase="closed"))
    story.at(900).event(
        event("citizen_report", "app", place(320, 300), 880, kind="high_altitude_throw")
    )
    assert len(story.tickets()) == 1
    assert len(incident(story, "high_altitude_throw").events) == 5
    assert story.ticket().severity == 4
