"""Crews against a small center over real HTTP: they answer, go, work, report, and survive it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contracts.errors import Wrong
from contracts.geo import Point, distance_m
from simulators.duty.center import Center
from simulators.duty.live import Crews, Manners
from simulators.duty.manners import Manner, UtilityManner
from simulators.world import World
from tests.unit.simulators.duty_desk import Desk

HOME = Point(118.19, 26.17)
PLACE = {"lon": 118.191, "lat": 26.17}
SURE = Manners(
    worker=Manner(unheard=0.0, refuses=0.0, lies=0.0), utility=UtilityManner(refuses=0.0)
)


class Field:
    """A town of people who are there a minute after they were sent."""

    def __init__(self, world: World) -> None:
        self.sent: dict[str, Point] = {}
        self.mended: list[tuple[str, str | None]] = []
        self.broken: set[str] = set()
        """Kinds that are wrong until mended."""
        self.lasting: set[str] = set()
        """Kinds that nobody can mend."""
        self._world, self._now = world, 0

    def send(
        self, worker: str, to: Point, speed_mps: float, there: Callable[[int], None] | None
    ) -> None:
        assert 1 < speed_mps < 6
        self.sent[worker] = to
        if there is not None:
            arrived = there

            def come(ms: int) -> tuple[()]:
                if worker in self.sent:
                    arrived(ms)
                return ()

            self._world.at(self._now + 60_000, come)

    def release(self, worker: str) -> None:
        self.sent.pop(worker, None)

    def where(self, worker: str) -> Point | None:
        return HOME if worker.startswith("w-") else None

    def wrong(self, kind: str, near: Point, ms: int) -> bool:
        return kind in self.broken | self.lasting

    def mend(self, kind: str, near: Point, utility: str | None, ms: int) -> bool:
        self.mended.append((kind, utility))
        self.broken.discard(kind)
        return True


class Town:
    """Crews, their world and a center; `until` plays virtual time as fast as answers come."""

    def __init__(self, desk: Desk, manners: Manners = SURE, **more: Any) -> None:
        self.desk, self.world = desk, World()
        self.field = Field(self.world)
        self.line = Center(desk.url, more.pop("token", None), pauses_s=(0.02,))
        self.crews = Crews(self.line, self.field, self.world, seed=3, manners=manners, **more)
        self.now = 0
        self.crews.start()

    def until(self, done: Callable[[], bool], hours: float = 48.0) -> None:
        """Step by step, taking in what was heard before each."""
        end, deadline = self.now + hours * 3_600_000, time.monotonic() + 5
        while not done():
            assert time.monotonic() < deadline, (self.desk.tickets, self.crews.refused)
            self._listen()
            due = self.world.next_at()
            if self.crews.waiting or due is None or due > end:
                time.sleep(0.002)
                continue
            self.now = self.field._now = max(self.now, due)
            self.world.step()

    def _listen(self) -> None:
        """Virtual time must not run ahead of the wire; what is never told is not waited for."""
        patience = time.monotonic() + 0.05
        while True:
            self.crews.hear(self.now)
            known = self.crews.tickets
            news = any(i not in known or t["rev"] > known[i].rev
                       for i, t in list(self.desk.tickets.items()))  # fmt: skip
            if not news or time.monotonic() > patience:
                return
            time.sleep(0.001)

    def reaches(self, stage: str, id_: str = "t-1") -> None:
        self.until(lambda: self.desk.tickets[id_]["stage"] == stage)


def ticket(id_: str = "t-1", **fields: Any) -> dict[str, Any]:
    base = {
        "id": id_, "rev": 1, "incident": "i-1", "kind": "manhole_cover_displaced",
        "stage": "dispatched", "lane": "direct", "worker": "w-1", "utility": "water",
        "parent": None, "place": PLACE, "severity": 3, "hands": [], "runners_up": [], "reason": {},
    }  # fmt: skip
    return {**base, **fields}


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


@pytest.fixture
def open_towns(desk: Desk) -> Iterator[Callable[..., Town]]:
    towns: list[Town] = []

    def make(*args: Any, **more: Any) -> Town:
        towns.append(Town(desk, *args, **more))
        return towns[-1]

    yield make
    for town in towns:
        town.crews.stop()


Make = Callable[..., Town]


def said(desk: Desk) -> list[tuple[str, str]]:
    return [(a["action"], a["by"]) for a in desk.actions]


def test_a_worker_accepts_goes_there_mends_and_shows_it(desk: Desk, open_towns: Make) -> None:
    desk.tickets["t-1"] = ticket()
    town = open_towns()
    town.field.broken.add("manhole_cover_displaced")
    town.reaches("disposed")
    assert said(desk) == [("accept", "w-1"), ("arrive", "w-1"), ("dispose", "w-1")]
    assert desk.actions[-1]["data"]["photos"][0]["name"] == "after"
    assert town.field.mended == [("manhole_cover_displaced", "water")]
    town.until(lambda: not town.field.sent)  # strolling again
    assert town.now > 100_000


def test_they_hear_of_new_tickets_on_the_stream(desk: Desk, open_towns: Make) -> None:
    town = open_towns()
    town.until(lambda: bool(desk.asked_from))
    time.sleep(0.05)
    desk.tell(ticket(), "dispatched")
    town.reaches("accepted")
    town.until(lambda: "w-1" in town.field.sent)
    assert distance_m(town.field.sent["w-1"], Point(**PLACE)) < 1


def test_a_cut_stream_goes_on_where_it_was(desk: Desk, open_towns: Make) -> None:
    town = open_towns()
    town.until(lambda: bool(desk.asked_from))
    time.sleep(0.05)
    desk.tell(ticket(stage="detected"))
    desk.tell(ticket("t-2", stage="detected"))
    town.until(lambda: "t-2" in town.crews.tickets)
    desk.cut()
    desk.change("t-1", "dispatched", stage="dispatched")  # while nobody listens, or just before
    town.reaches("accepted")
    assert len(desk.asked_from) >= 2
    assert desk.asked_from[0] is None
    assert int(desk.asked_from[1] or 0) >= 2


def test_who_saw_an_old_revision_looks_again(desk: Desk, open_towns: Make) -> None:
    desk.tickets["t-1"] = ticket()
    desk.move_on = True
    town = open_towns()
    town.reaches("accepted")
    assert desk.actions[0]["rev"] == 2
    assert town.crews.refused == []


def test_a_button_that_makes_no_sense_any_more_is_not_pressed_again(
    desk: Desk, open_towns: Make
) -> None:
    desk.tickets["t-1"] = ticket()
    town = open_towns()
    town.until(lambda: "t-1" in town.crews.tickets)
    desk.tickets["t-1"] = ticket(rev=4, stage="void")  # nobody told
    town.until(lambda: town.crews.tickets["t-1"].stage == "void")
    town.until(lambda: town.crews.waiting == 0)
    assert desk.actions == []


def test_a_refusal_is_kept_in_the_centers_words(desk: Desk, open_towns: Make) -> None:
    desk.tickets["t-1"] = ticket(stage="arrived")
    desk.answers = [(409, {"reason": "a photograph is missing", "rev": 1})]
    town = open_towns()
    town.until(lambda: bool(town.crews.refused))
    assert "dispose by w-1 on t-1: a photograph is missing" in town.crews.refused
    town.until(lambda: not town.field.sent)  # and they go on with their day


def test_an_overloaded_center_is_asked_again_and_told_of_once(
    desk: Desk, open_towns: Make, caplog: pytest.LogCaptureFixture
) -> None:
    desk.tickets["t-1"] = ticket()
    desk.answers = [(503, {"reason": "busy"})] * 3
    with caplog.at_level(logging.WARNING):
        town = open_towns()
        town.reaches("accepted")
    told = [r.getMessage() for r in caplog.records if "503: busy" in r.getMessage()]
    assert len(told) == 1


def test_a_token_goes_with_everything_and_a_wrong_one_is_told(
    desk: Desk, open_towns: Make, caplog: pytest.LogCaptureFixture
) -> None:
    desk.tickets["t-1"] = ticket()
    desk.answers = [(401, {"reason": "this token is not known here"})]
    with caplog.at_level(logging.WARNING):
        town = open_towns(token="secret")
        town.until(lambda: bool(town.crews.refused))
    assert set(desk.headers) == {"Bearer secret"}
    assert "this token is not known here" in caplog.text


def test_a_center_that_is_not_there_yet_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    line = Center("http://127.0.0.1:9", pauses_s=(0.01,))
    crews = Crews(line, Field(world), world, seed=1)
    with caplog.at_level(logging.WARNING):
        crews.start()
        time.sleep(0.1)
        crews.hear(0)
        crews.stop()
    assert len([r for r in caplog.records if "stream of http://127.0.0.1:9" in r.message]) == 1


def test_a_url_that_is_none_is_refused() -> None:
    with pytest.raises(Wrong, match="--crews"):
        Center("127.0.0.1:8080")


def test_who_cannot_come_says_why(desk: Desk, open_towns: Make) -> None:
    desk.tickets["t-1"] = ticket()
    open_towns(Manners(worker=Manner(unheard=0, refuses=1.0))).reaches("returned")
    assert desk.actions[0]["reason"]


def test_who_does_not_hear_it_never_answers(desk: Desk, open_towns: Make) -> None:
    desk.tickets["t-1"] = ticket()
    desk.tickets["t-2"] = ticket("t-2", worker=None, utility="water")
    manners = Manners(worker=Manner(unheard=1.0), utility=UtilityManner(refuses=0.0))
    open_towns(manners).reaches("disposed", "t-2")
    assert desk.tickets["t-1"]["stage"] == "dispatched"


def test_nobody_accepts_and_the_operator_sends_the_next(desk: Desk, open_towns: Make) -> None:
    desk.tickets["t-1"] = ticket(runners_up=[{"worker": "w-1"}, {"worker": "w-2"}])
    town = open_towns(Manners(worker=Manner(unheard=1.0)))
    town.until(lambda: "t-1" in town.crews.tickets)
    desk.change("t-1", "escalated")
    town.until(lambda: desk.tickets["t-1"]["worker"] == "w-2")
    assert said(desk) == [("reassign", "operator")]


def test_a_liar_mends_nothing_and_does_it_when_sent_back(desk: Desk, open_towns: Make) -> None:
    desk.tickets["t-1"] = ticket()
    town = open_towns(Manners(worker=Manner(unheard=0, refuses=0, lies=1.0)))
    town.field.broken.add("manhole_cover_displaced")
    town.reaches("disposed")
    assert town.field.mended == []
    town.crews._people["w-1"]._manner = SURE.worker
    desk.change("t-1", "reworked", stage="reworked")  # the sensor
    town.until(lambda: town.field.mended != [])
    town.reaches("disposed")
    assert said(desk)[-2:] == [("arrive", "w-1"), ("dispose", "w-1")]


def test_nobody_at_the_desk_verifies_what_is_not_over(desk: Desk, open_towns: Make) -> None:
    desk.tickets["t-1"] = ticket(stage="disposed")
    desk.tickets["t-2"] = ticket("t-2", stage="disposed", kind="high_altitude_throw")
    town = open_towns()
    town.field.lasting.add("manhole_cover_displaced")
    town.reaches("closed", "t-2")
    town.until(lambda: town.now > 7_200_000)
    assert desk.tickets["t-1"]["stage"] == "disposed"
    assert said(desk) == [("verify", "operator"), ("close", "operator")]


def test_a_utility_accepts_comes_and_restores_its_part(desk: Desk, open_towns: Make) -> None:
    desk.tickets["t-1"] = ticket(worker=None, utility="power", kind="severed_cable")
    town = open_towns(pace=10.0)
    town.reaches("disposed")
    by = "utility:power"
    assert said(desk) == [("accept", by), ("arrive", by), ("dispose", by)]
    assert town.field.mended == [("severed_cable", "power")]
    assert 300 < town.now / 1000 < 4000  # some two and a half hours of life, ten times faster


def test_a_part_sent_back_is_insisted_on(desk: Desk, open_towns: Make) -> None:
    desk.tickets["t-1"] = ticket(worker=None, utility="tv", stage="returned")
    town = open_towns()
    town.reaches("disposed")
    assert said(desk)[0] == ("reassign", "operator")


def test_who_guards_a_cable_waits_for_its_owner(desk: Desk, open_towns: Make) -> None:
    desk.tickets["t-1"] = ticket(kind="severed_cable", utility=None)
    town = open_towns()
    town.field.lasting.add("severed_cable")
    town.reaches("arrived")
    hour = town.now + 3 * 3_600_000
    town.until(lambda: town.now > hour)
    assert desk.tickets["t-1"]["stage"] == "arrived"
    town.field.lasting.clear()  # the utility has mended it
    town.reaches("disposed")


def test_helpers_come_and_are_free_again(desk: Desk, open_towns: Make) -> None:
    asked = [{"worker": "w-7", "state": "requested"}]
    desk.tickets["t-1"] = ticket(worker="w-elsewhere", stage="arrived", hands=asked)
    town = open_towns(Manners(worker=Manner(unheard=0.0, lies=1.0)))
    town.until(lambda: "w-7" in town.field.sent)
    assert ("accept_help", "w-7") in said(desk)
    desk.change("t-1", "closed", stage="closed")
    town.until(lambda: "w-7" not in town.field.sent)


def test_a_new_simulation_goes_on_with_open_work(desk: Desk, open_towns: Make) -> None:
    desk.tickets["t-1"] = ticket(stage="accepted")
    desk.tickets["t-2"] = ticket("t-2", stage="arrived", worker=None, utility="water")
    town = open_towns()
    town.reaches("disposed")
    town.reaches("disposed", "t-2")


def test_the_same_seed_answers_after_the_same_time(desk: Desk, open_towns: Make) -> None:
    times = []
    for _ in range(2):
        desk.tickets["t-1"] = ticket()
        town = open_towns()
        town.reaches("accepted")
        times.append(town.now)
        town.crews.stop()
    assert times[0] == times[1]
