"""Storm nights: the same from the same seed, honestly counted, and recorded ones played again."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from contracts.event import Event
from contracts.geo import Point
from router import profiles
from router.engine import GridRouter
from simulators.duty.journal import Course, Journal
from simulators.duty.manners import Manner
from simulators.duty.night import MIX, SIDE_M, Order, borough, point, troubles
from simulators.duty.recorded import Recorded
from simulators.duty.recorded import troubles as recorded
from tests.scenarios.script import event, moment
from tests.scenarios.town import place, town

PROFILE = profiles.load("cn-default")
SOUND = Manner(unheard=0.0, refuses=0.0, lies=0.0)


def test_a_night_is_the_same_from_the_same_seed_and_another_from_another() -> None:
    order = Order(seed=3, troubles=80, people=25)
    assert troubles(order) == troubles(order)
    assert borough(order, PROFILE) == borough(order, PROFILE)
    other = Order(seed=4, troubles=80, people=25)
    assert troubles(other) != troubles(order)
    assert borough(other, PROFILE).workers != borough(order, PROFILE).workers


def test_what_happens_does_not_hang_on_how_many_people_are_there() -> None:
    few, many = (troubles(Order(seed=3, troubles=80, people=n)) for n in (10, 90))
    assert few == many


def test_a_night_happens_in_the_borough_in_order_within_its_hours() -> None:
    order = Order(seed=5, troubles=150, hours=6.0)
    happens = troubles(order)
    assert len(happens) == 150
    assert [t.at for t in happens] == sorted(t.at for t in happens)
    assert all(order.start <= t.at <= order.start + timedelta(hours=6) for t in happens)
    low, high = point(0, 0), point(order.columns * SIDE_M, order.rows * SIDE_M)
    assert all(low.lon <= t.point.lon <= high.lon for t in happens)
    assert all(low.lat <= t.point.lat <= high.lat for t in happens)
    assert {t.kind for t in happens} == set(MIX)


def test_who_was_never_reached_waits_until_the_end() -> None:
    journal = Journal()
    for name, reached in (("a", 600.0), ("b", None)):
        journal.courses[name] = Course(
            trouble=name,
            kind="flooding",
            severity=3,
            at=moment(60),
            reached_at=None if reached is None else moment(reached),
        )
    journal.end = moment(3660)
    assert journal.waits().tolist() == [540.0, 3600.0]
    assert journal.waits(upto=moment(1060)).tolist() == [540.0, 1000.0]
    assert journal.unreached() == 1


# --- recorded nights ------------------------------------------------------------------------


def flood(rev: int, phase: str = "opened", severity: int = 3) -> Event:
    return event(
        "flooding", "road-1", place(400, 200), rev=rev, phase=phase,  # type: ignore[arg-type]
        severity=severity,
    )  # fmt: skip


def night(*told: tuple[float, Event], seed: int = 1, hours: float = 6.0) -> Recorded:
    city = town()
    story = [(moment(at), said) for at, said in told]
    played = Recorded(GridRouter(city), city, story, seed=seed, manner=SOUND)
    played.run(story[-1][0] + timedelta(hours=hours))
    return played


def test_people_mend_what_was_recorded_and_the_record_then_has_no_more_to_say() -> None:
    played = night((0, flood(1)), (18_000, flood(2, "updated", severity=5)))
    (course,) = played.journal.courses.values()
    assert course.reached_at is not None
    assert course.mended_at is not None
    (ticket,) = (t for t in played.tickets.values() if t.parent is None)
    assert ticket.stage == "closed"
    assert ticket.severity == 3
    assert played.went[ticket.id] == [ticket.worker]


def test_what_closes_by_itself_in_the_record_closes_here() -> None:
    played = night((0, flood(1)), (20, flood(2, "closed")))
    (course,) = played.journal.courses.values()
    assert course.mended_at == moment(20)


def test_a_momentary_event_still_wants_somebody_to_look() -> None:
    throw = event("high_altitude_throw", "cam-1", place(300, 300), phase="closed")
    played = night((0, throw))
    (course,) = played.journal.courses.values()
    assert course.reached_at is not None


def test_a_recorded_trouble_begins_when_it_was_known_and_its_work_hangs_on_the_seed() -> None:
    told = [(moment(90), flood(1)), (moment(100), flood(2, "updated"))]
    (one,) = recorded(told, seed=1)
    assert (one.at, one.site, one.severity) == (moment(90), "road-1", 3)
    assert one.point == Point(flood(1).place.lon, flood(1).place.lat)
    assert recorded(told, seed=1) == [one]
    works = [recorded(told, seed=n)[0].work_s for n in range(200)]
    assert np.median(works) == pytest.approx(1500, rel=0.15)
