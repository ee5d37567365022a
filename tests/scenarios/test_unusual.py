"""Unusual cities and junk from people: an answer or a clear refusal, never a crash or a `None`."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from contracts.case import Command, Ticket
from router.gazetteer import Gazetteer
from router.settings import RouterSettings
from router.who import Who
from tests.scenarios.script import START, Script, event
from tests.scenarios.town import WORKERS, place, town


def _flooded(script: Script) -> Ticket:
    script.event(event("flooding", "road-1", place(400, 200)))
    return script.ticket(kind="flooding", parent=None)


@pytest.mark.parametrize(
    "entry", [{"name": [], "ref": "a"}, {"name": {}, "ref": "a"}, {"ref": "a"}, [], None]
)
def test_a_photograph_without_a_proper_name_is_refused(entry: Any) -> None:
    script = Script(town())
    ticket = _flooded(script)
    answer = script.command(ticket.id, "accept", "w-12", photos=[entry])
    assert not answer.ok
    assert "data.photos" in answer.reason


@pytest.mark.parametrize("entry", [[], {}, 5, None])
def test_a_split_that_names_no_events_is_refused(entry: Any) -> None:
    script = Script(town())
    ticket = _flooded(script)
    answer = script.command(ticket.id, "split", reason="another one", events=[entry])
    assert not answer.ok
    assert "data.events" in answer.reason


@pytest.mark.parametrize(
    ("lon", "lat", "radius_m"),
    [
        (1118.8, 32.0, 50.0),
        (118.8, 132.0, 50.0),
        (118.8, 32.0, float("inf")),
        (float("nan"), 32.0, 50.0),
        (118.8, 32.0, float("nan")),
    ],
)
def test_a_silence_that_is_nowhere_is_refused(lon: float, lat: float, radius_m: float) -> None:
    script = Script(town())
    answer = script.silence("s-1", 3600, point={"lon": lon, "lat": lat}, radius_m=radius_m)
    assert not answer.ok
    assert "radius_m at most" in answer.reason


def test_what_nobody_has_is_returned_to_the_center_and_to_no_one_called_none() -> None:
    city = msgspec.structs.replace(town(), workers={}, utilities={}, rules=())
    script = Script(city)
    ticket = _flooded(script)
    script.do(ticket.id, "accept")
    assert script.command(ticket.id, "return", reason="not ours").ok
    ticket = script.ticket_by_id(ticket.id)
    assert ticket.worker is None
    assert not [step.note for step in ticket.timeline if "None" in step.note]
    assert "尚无首接单位，由区中心牵头" in ticket.timeline[-1].note


def test_nobodys_ticket_is_not_said_to_be_with_none() -> None:
    script = Script(msgspec.structs.replace(town(), utilities={}, rules=()))
    ticket = _flooded(script)
    nobodys = msgspec.structs.replace(ticket, worker=None, helpers=(), hands=())
    city = town()
    who = Who(city, Gazetteer(city.grids), RouterSettings())
    command = Command(id="k", ticket=ticket.id, action="accept", by="w-42", rev=1, at=START)
    refused = who.refusal(nobodys, command, None, START) or ""
    assert "it is with nobody yet / w-42 不是本工单承办人，该工单暂无承办人" in refused


def test_a_neighbour_off_shift_is_not_called_unregistered() -> None:
    workers = tuple(msgspec.structs.replace(w, shift="08:00-09:00") for w in WORKERS)
    script = Script(town(workers=workers))
    ticket = _flooded(script)
    script.at(3600)
    notes = [s.note for s in script.ticket_by_id(ticket.id).timeline if s.change == "escalated"]
    assert "no neighbour is on shift" in notes[0]
    assert not [note for note in notes if "邻近网格员、" in note or "未登记邻近" in note]


def test_a_helper_whose_place_was_given_away_hears_why() -> None:
    script = Script(town())
    script.event(event("severed_cable", "L1", place(300, 400)))
    ticket = script.tickets()[0]
    silent = ticket.helpers[0]
    script.do(ticket.id, "accept", by=str(ticket.worker))
    script.at(1000)
    assert silent not in script.ticket_by_id(ticket.id).helpers
    answer = script.command(ticket.id, "accept_help", silent)
    assert not answer.ok
    assert "did not answer in time, and another was asked" in answer.reason
    assert "因未答复已改请他人" in answer.reason
    # A person may ask them all the same, and then they can answer.
    assert script.command(ticket.id, "request_helper", worker=silent).ok
    assert script.command(ticket.id, "accept_help", silent).ok


def test_a_question_climbs_one_rung_each_time_and_stays_at_the_top() -> None:
    script = Script(town())
    script.event(event("severed_cable", "L1", place(300, 400), owners=["grid-co", "telecom-co"]))
    part = next(t for t in script.tickets() if t.utility == "power")
    script.do(part.id, "accept", by="power")
    assert script.command(part.id, "return", "power", reason="not ours").ok
    script.at(6 * 3600)
    steps = script.ticket_by_id(part.id).timeline
    asked = [(s.change, s.note) for s in steps if "no answer since" in s.note]
    assert [change for change, _ in asked[:3]] == ["escalated", "escalated", "reminded"]
    assert "to the grid head" in asked[0][1]
    assert all("to the district center" in note for _, note in asked[1:])


def test_who_said_nothing_is_not_asked_to_step_in() -> None:
    script = Script(town(), RouterSettings())
    ticket = _flooded(script)
    script.at(400)
    ticket = script.ticket_by_id(ticket.id)
    silent = {past["worker"] for past in ticket.reason["resent"] if past["silent"]}
    assert len(silent) >= 2
    assert ticket.reason["ladder"]["neighbour"] not in silent
