"""One storm is one parent with the streets under it; each street keeps its own ticket."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.case import Incident
from contracts.event import Event
from router.settings import RouterSettings
from tests.scenarios.script import Script, between, event, moment
from tests.scenarios.town import place, town

STREETS = {"a": (300, 300), "b": (900, 300), "c": (1500, 800), "d": (600, 900), "e": (1200, 100)}


def flood(street: str, seconds: float = 0.0, mm_h: float | None = 30.0, **more: Any) -> Event:
    """The street is under water; a gauge near it says how it rains."""
    rain = {"device": "rg-1", "mean_10_min": mm_h} if mm_h is not None else None
    where = place(*STREETS[street])
    return event("flooding", f"road-{street}", where, seconds, rain=rain, **more)


def over(street: str, seconds: float = 0.0) -> Event:
    return flood(street, seconds, rev=2, phase="closed")


def storms(story: Script) -> list[Incident]:
    return [i for i in story.incidents() if i.kind == "storm"]


def three_streets() -> Script:
    story = Script(town())
    for i, street in enumerate("abc"):
        story.at(600 * i).event(flood(street, 600.0 * i))
    return story


def test_the_third_street_in_rain_makes_a_storm_and_every_street_keeps_its_ticket() -> None:
    story = three_streets()
    storm = story.expect(between(1200, 1200)).incident("opened", kind="storm")
    assert storm.name == "Storm of 2026-11-20 10:00 / 2026-11-20 10:00 暴雨"
    assert "rain of 30 mm/h" in storm.reason and "雨强30毫米/小时" in storm.reason
    assert (storm.place.grid, storm.place.address) == ("s", "江东街道")
    streets = [i for i in story.incidents() if i.kind == "flooding"]
    assert storm.children == tuple(i.id for i in streets)
    assert {i.parent for i in streets} == {storm.id}
    assert len(story.tickets()) == 3
    assert {t.kind for t in story.tickets()} == {"flooding"}


def test_the_fourth_street_joins_it_and_its_ticket_says_so() -> None:
    story = three_streets()
    story.at(3000).event(flood("d", 3000, severity=5))
    (storm,) = storms(story)
    assert len(storm.children) == 4
    assert storm.severity == 5
    ticket = story.expect(between(3000, 3000)).ticket("opened")
    assert ticket.reason["incident"]["parent"] == storm.id
    assert story.expect(between(3000, 3000)).incident("opened").parent == storm.id


def test_the_storm_is_over_with_its_last_street_and_back_with_the_first_that_comes_back() -> None:
    story = three_streets()
    for i, street in enumerate("abc"):
        story.at(2000 + i).event(over(street, 600.0 * i))
    assert storms(story)[0].closed_at is None  # the sensors say so, but people are still out
    for i, ticket in enumerate(story.tickets()):
        story.at(2100 + 100 * i)
        story.do(ticket.id, "accept", "arrive", "dispose", by=str(ticket.worker or ticket.utility))
        story.do(ticket.id, "close")
    closed = story.expect(between(2300, 2300)).incident("closed", kind="storm")
    assert closed.closed_at == moment(2300)
    assert story.changes[-1].id == closed.id
    story.at(4000).event(flood("e", 4000))
    (storm,) = storms(story)
    assert storm.closed_at is None
    assert len(storm.children) == 4


def test_three_streets_without_rain_are_no_storm() -> None:
    for mm_h in (None, 0.4):
        story = Script(town())
        for i, street in enumerate("abcd"):
            story.at(60 * i).event(flood(street, 60.0 * i, mm_h))
        assert not storms(story)


def test_a_street_that_a_gauge_calls_dry_is_not_the_storms() -> None:
    story = three_streets()
    story.at(1300).event(flood("d", 1300, 0.0))
    assert len(storms(story)[0].children) == 3


def test_a_street_a_day_later_or_far_away_is_not_the_storms() -> None:
    story = three_streets()
    story.at(1200 + 10_801).event(flood("d", 12_000))
    assert len(storms(story)[0].children) == 3
    story = Script(town(), RouterSettings(storm_reach_m=500.0))
    for i, street in enumerate("abc"):
        story.at(i).event(flood(street, float(i)))
    assert not storms(story)


def test_rain_that_is_only_known_later_still_makes_it_a_storm() -> None:
    story = Script(town())
    for i, street in enumerate("abc"):
        story.at(60 * i).event(flood(street, 60.0 * i, None))
    assert not storms(story)
    story.at(300).event(flood("b", 60.0, 12.0, rev=2, phase="updated"))
    assert len(storms(story)[0].children) == 3


@pytest.mark.slow
def test_a_storm_of_three_hundred_streets_is_one_parent() -> None:
    story = Script(town(), RouterSettings(ladder=False), cut=False)
    for i in range(300):
        where = place(60 * (i % 33), 60 * (i // 33))
        rain = {"mean_10_min": 40.0}
        story.at(10 * i).event(event("flooding", f"r-{i}", where, 10.0 * i, rain=rain))
    (storm,) = storms(story)
    assert len(storm.children) == 300
    assert len(story.tickets()) == 300
