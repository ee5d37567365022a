"""A bang alone sends nobody; with a fall or a cut line it raises the odds, and says so."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from contracts.clock import iso
from contracts.event import Event
from router.ears import Ears
from router.settings import RouterSettings
from tests.scenarios.script import Script, between, event, moment
from tests.scenarios.town import place, town

WALL, NEAR, FAR = place(500, 400), place(534.3, 400), place(800, 400)
"""The microphone is 34.3 m from where the fall is seen: a tenth of a second for sound."""


def fall(rev: int = 1, **more: Any) -> Event:
    """Seen from 10 s on; it ends on the ground at 12.5 s."""
    track = [[iso(moment(10 + t / 10)), 100.0, 10.0 * t] for t in range(26)]
    phase: Any = "closed" if rev > 1 else "opened"
    evidence = {"track": track[: 26 if rev > 1 else 12], "confidence": 0.9, **more}
    return event("high_altitude_throw", "cam", WALL, 10, rev=rev, phase=phase, **evidence)


def bang(at: float = 12.65, where: Any = NEAR, ordinal: int = 0, **more: Any) -> Event:
    evidence = {"onset_sd_s": 0.01, "over_db": 21.0, **more}
    return event(
        "loud_sound", "mic", where, at, phase="closed", severity=1, ordinal=ordinal, **evidence
    )


def test_a_bang_alone_is_an_incident_without_a_ticket_however_often_it_bangs() -> None:
    story = Script(town())
    for number in range(20):
        story.at(number * 3).event(bang(number * 3.0))
    story.at(3600)
    assert not story.tickets()
    assert len(story.incidents()) == 20
    assert all(i.closed_at is not None and len(i.events) == 1 for i in story.incidents())


@pytest.mark.parametrize("order", ["bang first", "bang last", "bang between"])
def test_a_fall_and_the_bang_of_its_landing_are_one_ticket_with_raised_odds(order: str) -> None:
    story = Script(town())
    acts = [fall(1), fall(2)]
    acts.insert({"bang first": 0, "bang last": 2, "bang between": 1}[order], bang())
    for number, act in enumerate(acts):
        story.at(13 + number).event(act)
    ticket = story.ticket(kind="high_altitude_throw")
    assert len(story.tickets()) == 1
    sound = ticket.reason["sound"]
    assert sound["device"] == "mic"
    assert sound["late_s"] == pytest.approx(0.05, abs=0.005)
    chance = 1 - math.exp(-818 / 3600 * 2 * (0.4 + 0.02))
    factor = (0.84 + 0.16 * chance) / chance
    assert sound["factor"] == pytest.approx(factor, abs=0.01)
    odds = 0.9 / 0.1 * factor
    assert sound["confidence_after"] == pytest.approx(odds / (1 + odds), abs=1e-4)
    assert "90% becomes 97" in sound["text_en"] and "90%升至97" in sound["text_zh"]
    incident = next(i for i in story.incidents() if i.kind == "high_altitude_throw")
    assert set(incident.events) == {fall().id, bang().id}
    assert "odds times" in incident.reason and "听到异响" in incident.reason
    assert "odds times" in ticket.reason["incident"]["text"]
    assert "odds times" in ticket.reason["incident"]["text_en"]
    assert "听到异响" in ticket.reason["incident"]["text_zh"]
    others = [i for i in story.incidents() if i.kind == "loud_sound"]
    assert [f"({incident.id}, ticket {ticket.id})" in i.reason for i in others] == (
        [] if order == "bang last" else [True]
    )


@pytest.mark.parametrize(
    "other",
    [
        bang(14.0),  # too late
        bang(11.0),  # before it landed
        bang(12.65, FAR),  # 300 m away
    ],
)
def test_a_bang_elsewhere_or_at_another_time_is_not_its_landing(other: Event) -> None:
    story = Script(town())
    story.at(13).event(fall(1), other, fall(2))
    assert "sound" not in story.ticket(kind="high_altitude_throw").reason


def test_a_fall_that_is_lost_from_sight_is_waited_for_as_long_as_it_must_fall_on() -> None:
    ears = Ears(RouterSettings())
    seen = fall(2, release_m=[3.0, 40.0], drop_m=20.0, speed=15.0)
    rest = (math.sqrt(15**2 + 2 * 9.81 * 20) - 15) / 9.81
    heard = ears.of(seen, bang(12.5 + rest + 0.1))
    assert heard is not None and heard.late_s == pytest.approx(0, abs=0.01)
    told = fall(2, landing_at=iso(moment(13.5)), landing_sd_s=0.05)
    heard = ears.of(told, bang(13.6))
    assert heard is not None and heard.late_s == pytest.approx(0, abs=0.01)
    assert ears.of(told, bang(12.6)) is None


def test_a_meter_that_reports_once_a_second_says_less_than_a_clip() -> None:
    ears = Ears(RouterSettings())
    clip, meter = ears.of(fall(2), bang()), ears.of(fall(2), bang(13.2, onset_sd_s=0.5))
    assert clip is not None and meter is not None
    assert clip.factor > 2 * meter.factor > 2


@pytest.mark.parametrize("bang_first", [True, False])
def test_a_cable_that_is_cut_with_a_bang_says_so_and_how_little_that_proves(
    bang_first: bool,
) -> None:
    story = Script(town())
    cut = event("severed_cable", "L1", WALL, 20, owners=["grid-co"], error_m=40)
    acts = [bang(19.0), cut] if bang_first else [cut, bang(19.0)]
    for number, act in enumerate(acts):
        story.at(21 + number).event(act)
    sound = story.ticket(kind="severed_cable").reason["sound"]
    assert 1.0 < sound["factor"] < 2 and sound["confidence_after"] is None
    story.at(900).event(
        event("severed_cable", "L1", WALL, 20, rev=2, phase="closed", owners=["grid-co"])
    )
    ended = next(i for i in story.incidents() if i.kind == "severed_cable")
    assert ended.closed_at == story.now - timedelta(0)


def test_a_resident_who_reports_a_bang_is_answered_with_a_ticket() -> None:
    story = Script(town())
    story.at(0).event(bang(0.0))
    story.at(60).event(event("citizen_report", "app", NEAR, 60, kind="loud_sound"))
    story.expect(between(60, 60)).ticket("opened")


def test_what_was_not_explained_is_soon_forgotten() -> None:
    story = Script(town())
    story.at(13).event(bang())
    story.at(13 + RouterSettings().keep_evidence_s + 1).event(fall(1), fall(2))
    assert "sound" not in story.ticket(kind="high_altitude_throw").reason
