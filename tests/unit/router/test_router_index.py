"""What lies near is found without looking at everything."""

from __future__ import annotations

import random

import msgspec
import pytest

from contracts.case import Incident
from contracts.event import Event, Place
from contracts.geo import Point, distance_m
from router.book import Book
from router.correlate import Correlator
from router.joinable import ANY, Joinable
from router.near import Near
from router.networks import Networks
from router.settings import RouterSettings
from tests.scenarios.script import event, moment
from tests.scenarios.wired import cut, silent, wired_town

SETTINGS = RouterSettings()


def somewhere(dice: random.Random, lat: float, span: float) -> Place:
    return Place(118.0 + dice.uniform(0, span), lat + dice.uniform(0, span))


@pytest.mark.parametrize("lat", [-33.0, 0.0, 32.0, 69.0])
@pytest.mark.parametrize("metres", [5.0, 50.0, 550.0, 20_000.0])
def test_nothing_within_the_radius_is_missed_at_any_latitude(lat: float, metres: float) -> None:
    dice = random.Random(7)
    places = {str(i): somewhere(dice, lat, 0.05) for i in range(300)}
    near = Near()
    for key, place in places.items():
        near.put(key, [place])
    for _ in range(30):
        here = somewhere(dice, lat, 0.05)
        truth = {
            key
            for key, place in places.items()
            if distance_m(Point(place.lon, place.lat), Point(here.lon, here.lat)) <= metres
        }
        assert truth <= set(near.within(here, metres))


def test_what_moved_is_found_where_it_is_and_what_was_dropped_nowhere() -> None:
    near = Near()
    a, b = Place(118.0, 32.0), Place(118.1, 32.0)
    near.put("x", [a])
    near.put("x", [b, a])
    near.put("y", [a])
    assert set(near.within(b, 10)) == {"x"}
    near.put("x", [b])
    assert set(near.within(a, 10)) == {"y"}
    near.drop("x")
    near.drop("x")
    assert set(near.within(b, 10)) == set()
    assert len(near) == 1


def of(told: Event, number: int) -> tuple[Incident, Event]:
    told = msgspec.structs.replace(told, id=f"e-{number}")
    return Incident(
        id=f"i-{number}",
        rev=1,
        kind=told.kind,
        events=(told.id,),
        reason="",
        place=told.place,
        site=told.site,
        severity=told.severity,
        opened_at=told.at,
    ), told


def test_an_incident_is_reached_by_its_own_error_too_and_no_longer_when_it_ended() -> None:
    joinable = Joinable((), 500.0)
    wide, told = of(event("fibre_break", "F", Place(118.0, 32.0), error_m=400.0), 1)
    joinable.put(wide, [told])
    there = Place(118.004, 32.0)  # 377 m
    assert set(joinable.near("fibre_break", there, 50.0)) == {"i-1"}
    assert set(joinable.near(ANY, there, 50.0)) == {"i-1"}
    assert set(joinable.near("flooding", there, 50.0)) == set()
    joinable.drop("i-1")
    narrow, told = of(event("fibre_break", "F", Place(118.0, 32.0)), 1)
    joinable.put(narrow, [told])
    assert set(joinable.near("fibre_break", there, 50.0)) == set()


# --- ten thousand open incidents -----------------------------------------------------------------

KINDS = ("flooding", "sensor_silent", "street_light_out", "citizen_report", "pole_tilt")


def storm_night(count: int) -> tuple[Correlator, Book, random.Random]:
    """That many open incidents in a town of 11 km by 9 km: 100 times as dense as any real one."""
    dice = random.Random(11)
    city = wired_town()
    networks = Networks(city, fed_reach_m=30.0, drain_reach_m=500.0)
    book = Book(SETTINGS)
    for number in range(count):
        kind = dice.choice(KINDS) if number % 200 else "severed_cable"
        place = Place(118.78 + dice.uniform(0, 0.1), 32.04 + dice.uniform(0, 0.1))
        incident, told = of(event(kind, f"x-{number}", place, 0.1 * number), number)
        book.put_event(told)
        book.put_incident(incident)
    return Correlator(SETTINGS, networks), book, dice


def test_an_event_looks_at_its_neighbours_however_many_incidents_are_open() -> None:
    looks = {}
    for count in (1_000, 10_000):
        correlator, book, dice = storm_night(count)
        most = 0
        for number in range(200):
            place = Place(118.78 + dice.uniform(0, 0.1), 32.04 + dice.uniform(0, 0.1))
            before = book.joinable.looked
            told = event(dice.choice(KINDS), f"new-{number}", place, 2000.0)
            correlator.find(told, book, moment(2000.0))
            most = max(most, book.joinable.looked - before)
        looks[count] = most
    assert looks[10_000] < 1_000
    assert looks[10_000] < 3 * looks[1_000]


def test_the_index_finds_what_looking_at_everything_finds() -> None:
    correlator, book, dice = storm_night(600)
    joined = 0
    for number in range(300):
        place = Place(118.78 + dice.uniform(0, 0.02), 32.04 + dice.uniform(0, 0.02))
        told = event(dice.choice(KINDS), f"x-{dice.randrange(600)}", place, 100.0 + number)
        found = correlator.find(told, book, moment(2000.0))
        everything = {
            incident.id
            for incident in book.incidents.values()
            if correlator.relations.of(
                told, incident, book.joinable.entries[incident.id], book, moment(2000.0)
            )
        }
        assert (found is None) == (not everything)
        assert found is None or found.incident in everything
        joined += found is not None
    assert joined > 20


# --- the lines and the drains --------------------------------------------------------------------


def networks() -> Networks:
    return Networks(wired_town(), fed_reach_m=30.0, drain_reach_m=500.0)


def test_what_hangs_behind_a_span_is_fed_through_it() -> None:
    told = networks()
    fed = told.fed(silent("m-8", 800, 400, 0.0), [cut(5)])
    assert fed is not None and fed.yes and (fed.span, fed.p) == ("s-5", 0.9)
    ahead = told.fed(silent("m-3", 300, 400, 0.0), [cut(5)])
    assert ahead is not None and not ahead.yes
    assert told.fed(silent("road-9", 800, 100, 0.0), [cut(5)]) is None
    unsure = cut(5, spans=[["s-2", 0.5], ["s-5", 0.4], ["s-9", 0.01]])
    third = told.fed(silent("m-3", 300, 400, 0.0), [unsure])
    assert third is not None and third.yes and third.span == "s-2"


def test_a_span_with_another_way_round_tells_nothing() -> None:
    city = wired_town()
    line = city.lines[0]
    ring = msgspec.structs.replace(line.spans["s-1"], id="s-ring", from_="p-1", to="p-7")
    closed = msgspec.structs.replace(line, spans=line.spans | {"s-ring": ring})
    city = msgspec.structs.replace(city, lines=(closed,))
    told = Networks(city, fed_reach_m=30.0, drain_reach_m=500.0)
    behind = told.fed(silent("m-6", 600, 400, 0.0), [cut(3)])
    round_it = told.fed(silent("m-8", 800, 400, 0.0), [cut(3)])
    assert behind is not None and behind.yes
    assert round_it is not None and not round_it.yes
    loop = msgspec.structs.replace(line.spans["s-1"], id="s-loop", from_="p-1", to="p-2")
    double = msgspec.structs.replace(line, spans=line.spans | {"s-loop": loop})
    told = Networks(
        msgspec.structs.replace(city, lines=(double,)), fed_reach_m=30.0, drain_reach_m=500.0
    )
    assert told.fed(silent("m-8", 800, 400, 0.0), [cut(1)]) is None


def test_pipes_touch_when_one_runs_into_the_other_within_reach() -> None:
    told = networks()

    def at(pipe: int) -> Event:
        return event("drain_blocked", f"x-{pipe}", Place(0, 0), pipes=[[f"q-{pipe}", 0.8]])

    assert told.same(at(3), [at(3)], 50.0)
    assert told.same(at(3), [at(7)], 50.0)
    assert told.same(at(7), [at(3)], 50.0)
    assert not told.same(at(1), [at(9)], 50.0)
    assert told.same(event("drain_blocked", "x", Place(0, 0)), [at(3)], 50.0) is None
