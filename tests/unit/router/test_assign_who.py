"""Who may go and who had better not: roles, hands full, unanswered offers, coverage, old
positions; and what is round a river."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from contracts.case import Candidate, Deadlines, Hand, Ticket
from contracts.city import City, Worker
from contracts.event import Place
from contracts.geo import Point
from contracts.governance import Barrier, Governance, Role
from contracts.nouns import Position
from router.assign import Load, Roster
from router.assign.barriers import BarrierMap
from router.gazetteer import Gazetteer
from router.settings import RouterSettings
from tests.scenarios.town import at, box, town

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
S = RouterSettings()


def person(ident: str, where: Point, **fields: Any) -> Worker:
    values = {"role": "worker", "grid": None, "skills": (), "shift": "", **fields}
    return Worker(id=ident, name=ident, point=where, **values)


def city_of(*people: Worker, **said: Any) -> City:
    return msgspec.structs.replace(
        town(), workers={p.id: p for p in people}, extra={"governance": Governance(**said)}
    )


def roster(*people: Worker, **said: Any) -> Roster:
    city = city_of(*people, **said)
    found = Roster(city, Gazetteer(city.grids), S)
    for p in people:  # everybody was seen just now
        found.move(Position(worker=p.id, at=NOW, received_at=NOW, point=p.point))
    return found


def _one(value: float) -> Any:
    return np.array([value])


def place(east: float, north: float) -> Place:
    return Gazetteer(town().grids).place(at(east, north))


def ticket(ident: str, worker: str | None, stage: str = "dispatched", **fields: Any) -> Ticket:
    values: dict[str, Any] = {"helpers": (), "incident": f"i-{ident}", **fields}
    return Ticket(
        id=ident,
        rev=1,
        kind="flooding",
        stage=stage,
        lane="self",
        worker=worker,
        utility=None,
        parent=None,
        grid=None,
        reason={},
        runners_up=(),
        deadlines=Deadlines(),
        severity=3,
        place=place(0, 0),
        opened_at=NOW,
        updated_at=NOW,
        **values,
    )


# --- roles, load, offers --------------------------------------------------------------------------


def test_roles_of_the_profile_say_who_goes_and_how_fast() -> None:
    roles = {
        "rider": Role(id="rider", speed_mps=5.0),
        "teller": Role(id="teller", duty="report"),
        "aunt": Role(id="aunt", duty="help"),
    }
    found = roster(
        person("teller", at(0, 0), role="teller"),
        person("aunt", at(10, 0), role="aunt"),
        person("walker", at(300, 0)),
        person("rider", at(900, 0), role="rider"),
        roles=roles,
    ).choose(place(0, 0), NOW)
    assert found.worker == "rider"
    assert found.reason["travel_s"] == pytest.approx(900 * 1.3 / 5.0, abs=1)
    assert [c.worker for c in found.runners_up] == ["aunt", "walker"]
    assert "not alone" in found.runners_up[0].note
    assert "riding" in found.reason["text_en"]
    assert "骑行" in found.reason["text_zh"]


def test_whose_hands_are_full_goes_only_when_nobody_else_is_there() -> None:
    roles = {"worker": Role(id="worker", most_open=2)}
    who = roster(person("near", at(0, 0)), person("far", at(1900, 0)), roles=roles)
    assert who.choose(place(0, 0), NOW, load={"near": 1}).worker == "near"
    assert who.choose(place(0, 0), NOW, load={"near": 2}).worker == "far"
    both = who.choose(place(0, 0), NOW, load={"near": 2, "far": 2})
    assert both.worker == "near"
    assert "hands full" in both.reason["text_en"]
    assert who.choose(place(0, 0), NOW, load={}).worker == "near"


def test_an_offer_nobody_answers_weighs_more_than_a_ticket_in_hand() -> None:
    who = roster(person("asked", at(0, 0)), person("busy", at(50, 0)))
    load = Load()
    load.change(None, ticket("a", "asked"))
    load.change(None, ticket("b", "busy", "accepted"))
    choice = who.choose(place(0, 0), NOW, load=load)
    assert choice.worker == "busy"
    assert choice.runners_up[0].offers == 1
    assert "asked is nearer" in choice.reason["text_en"]
    load.change(ticket("a", "asked"), ticket("a", "asked", "accepted"))
    assert who.choose(place(0, 0), NOW, load=load).worker == "asked"


def test_nobody_gets_a_fourth_offer_while_three_are_unanswered() -> None:
    who = roster(person("silent", at(0, 0)), person("far", at(9000, 0)))
    load = Load()
    for n in range(3):
        load.change(None, ticket(f"t-{n}", "silent"))
    assert who.choose(place(0, 0), NOW, load=load).worker == "far"
    load.change(ticket("t-0", "silent"), ticket("t-0", None, "returned"))
    assert who.choose(place(0, 0), NOW, load=load).worker == "silent"


def test_a_load_follows_tickets_and_is_what_counting_anew_would_give() -> None:
    load = Load()
    told: list[tuple[str, int, int]] = []
    load.follow(lambda *what: told.append(what))
    hands = (Hand(worker="h", state="requested", at=NOW, by="router"),)
    first = ticket("a", "w", helpers=("h",), hands=hands)
    load.change(None, first)
    assert (dict(load), load.offers("w"), load.offers("h")) == ({"w": 1, "h": 1}, 1, 1)
    accepted = msgspec.structs.replace(first, stage="accepted", hands=())
    load.change(first, accepted)
    assert (dict(load), load.offers("w"), load.offers("h")) == ({"w": 1, "h": 1}, 0, 0)
    load.change(accepted, msgspec.structs.replace(accepted, stage="closed"))
    assert dict(load) == {}
    assert told[-2:] in ([("w", 0, 0), ("h", 0, 0)], [("h", 0, 0), ("w", 0, 0)])


def test_who_returned_it_is_not_asked_again_and_nobody_is_called_out_of_bed() -> None:
    who = roster(
        person("a", at(0, 0)),
        person("b", at(500, 0)),
        person("night", at(9, 0), shift="20:00-08:00"),
    )
    assert who.choose(place(0, 0), NOW, without={"a"}).worker == "b"
    nobody = who.choose(place(0, 0), NOW, without={"a", "b"})
    assert nobody.worker is None
    assert "nobody else" in nobody.reason["text_en"]


def test_who_follows_a_load_needs_no_telling_and_counts_others_for_one_choice_only() -> None:
    who = roster(person("near", at(0, 0)), person("far", at(250, 0)))
    load = Load()
    who.follow(load)
    assert who.choose(place(0, 0), NOW).worker == "near"
    load.change(None, ticket("t", "near"))
    assert who.choose(place(0, 0), NOW).worker == "far"
    assert who.choose(place(0, 0), NOW, load={}).worker == "near"
    load.change(None, ticket("u", "far", "accepted"))
    for _ in range(3):
        assert who.figures("near", place(0, 0), NOW).load == 1
        assert who.figures("far", place(0, 0), NOW, load=load).load == 1
        assert who.figures("far", place(0, 0), NOW, load={"near": 7}).load == 0
    load.change(ticket("t", "near"), None)
    assert who.choose(place(0, 0), NOW).worker == "near"


# --- coverage -------------------------------------------------------------------------------------


def test_a_community_is_not_emptied_for_a_street_light_but_for_a_fall() -> None:
    who = roster(
        person("only-one-of-c1", at(950, 100), grid="g1"),
        person("one-of-c2", at(1200, 100), grid="g3"),
        person("two-of-c2", at(1600, 100), grid="g3"),
    )
    light = who.choose(place(1010, 100), NOW, severity=1)
    assert light.worker == "one-of-c2"
    last = next(c for c in light.runners_up if c.worker == "only-one-of-c1")
    assert last.last_free == "东社区"
    assert "the last free one of 东社区" in light.reason["text_en"]
    assert "东社区最后一名空闲人员" in light.reason["text_zh"]
    # 60 m against 190 m is 130 s, another grid 30 s: severity 1 weighs 180 s, severity 5 nothing.
    assert who.choose(place(1010, 100), NOW, severity=5).worker == "only-one-of-c1"
    home = who.choose(place(900, 100), NOW, severity=1)
    assert home.worker == "only-one-of-c1", "at home nobody is taken away"


def test_free_people_are_counted_as_loads_and_shifts_change() -> None:
    people = (
        person("a", at(950, 100), grid="g1"),
        person("b", at(10, 100), grid="g1", shift="08:00-20:00"),
        person("c", at(1500, 100), grid="g3"),
        person("d", at(1600, 100), grid="g3"),
    )

    def last(load: dict[str, int], hours: int = 0) -> str | None:
        who = roster(*people)
        later = NOW + timedelta(hours=hours)
        for p in people:
            who.move(Position(worker=p.id, at=later, received_at=later, point=p.point))
        who.choose(place(1010, 100), NOW, load={"c": 1})  # what was before leaves nothing behind
        return who.figures("a", place(1010, 100), later, load=load, severity=1).last_free

    assert last({}) is None
    assert last({"b": 1}) == "东社区"
    assert last({"a": 1}) is None, "who is busy is not free to be taken"
    assert last({}, hours=12) == "东社区", "at 22:00 the other one is off shift"


# --- positions ------------------------------------------------------------------------------------


def test_an_old_position_is_a_disc() -> None:
    who = roster(person("old", at(0, 0)), person("new", at(0, 0)))
    seen = NOW + timedelta(seconds=300)
    who.move(Position(worker="new", at=seen, received_at=seen, point=at(20, 0)))
    choice = who.choose(place(0, 0), seen)
    assert choice.worker == "new"
    old = choice.runners_up[0]
    assert old.within_m == pytest.approx(390)  # 300 s at 1.3 m/s
    assert old.travel_s == pytest.approx(390 * 1.3 / 2**0.5 / 1.3, abs=0.2)
    assert old.worst_s == pytest.approx(390, abs=0.2)
    blurred = Position(worker="new", at=seen + timedelta(1), received_at=seen, point=at(0, 0),
                       accuracy_m=500.0)  # fmt: skip
    who.move(blurred)
    assert who.choose(place(0, 0), seen).worker == "old"


def test_a_position_is_believed_for_half_an_hour_to_the_second() -> None:
    home, away = at(0, 0), at(1000, 0)
    who = roster(person("a", home))
    who.move(Position(worker="a", at=NOW + timedelta(seconds=1), received_at=NOW, point=away))
    for seconds, metres in ((1799, 1000), (1800, 1000), (1800.001, 0), (99_999, 0)):
        now = NOW + timedelta(seconds=seconds)
        found = who.figures("a", place(0, 0), now)
        assert found.distance_m == pytest.approx(metres, abs=2), seconds
    back = NOW + timedelta(seconds=99_990)
    who.move(Position(worker="a", at=back, received_at=back, point=away))
    assert who.figures("a", place(0, 0), back).distance_m == pytest.approx(1000, abs=2)


# --- barriers -------------------------------------------------------------------------------------

RIVER = Barrier(
    id="river", rings=box(400, -3000, 200, 8000)[0], crossings=(at(500, 900), at(480, 4000))
)


def test_across_the_river_is_farther_than_it_looks() -> None:
    who = roster(
        person("across", at(380, 0)), person("beside", at(1400, 100)), barriers=(RIVER,)
    )  # fmt: skip
    choice = who.choose(place(620, 0), NOW)
    assert choice.worker == "beside"
    across = choice.runners_up[0]
    assert across.by == "crossing"
    # 900 m up, over the bridge, 900 m down, the usual detour on all of it.
    assert across.way_m == pytest.approx((2 * 900.5 + 200 + 2) * 1.3, rel=0.01)
    assert "across is nearer (240 m) but" in choice.reason["text_en"]


def test_a_barrier_is_gone_round_where_that_is_shorter_and_a_wall_without_gate_is_no_way() -> None:
    pond = Barrier(id="pond", rings=box(100, 100, 300, 300)[0])
    a, b = at(90, 250), at(410, 250)
    trip = BarrierMap([pond], 1.0).trip(b.lon, b.lat, (_one(a.lon), _one(a.lat)))
    metres = trip.way(np.zeros(1, dtype=np.int32), _one(320.0), _one(False))
    assert metres[0] == pytest.approx(2 * (150**2 + 10**2) ** 0.5 + 300, rel=0.02)
    outer, inner = box(0, 0, 1000, 1000)[0][0], box(10, 10, 980, 980)[0][0]
    wall = Barrier(id="wall", rings=(outer, inner))
    inside = roster(person("in", at(500, 500)), person("out", at(4000, 500)), barriers=(wall,))
    choice = inside.choose(place(1200, 500), NOW)
    assert choice.worker == "out"
    shut = choice.runners_up[0]
    assert (shut.by, "no way there" in shut.note) == ("none", True)


def test_the_way_round_is_the_shortest_of_all_there_are() -> None:
    r = np.random.default_rng(2)
    barriers = [
        Barrier(id=f"b{k}", rings=box(*r.uniform(0, 900, 2), *r.uniform(50, 400, 2))[0])
        for k in range(6)
    ]
    map_ = BarrierMap([*barriers, RIVER], 1.0)
    spots = [at(*p) for p in r.uniform(-100, 1400, (60, 2))]
    lon, lat = np.array([p.lon for p in spots]), np.array([p.lat for p in spots])
    ends = map_.ashore(map_.plane(lon, lat))
    trip = map_.trip(lon[0], lat[0], (lon, lat))
    who = np.arange(60, dtype=np.int32)
    way = trip.way(who, np.zeros(60), np.zeros(60, dtype=np.bool_))
    nodes = map_.nodes
    goal = np.broadcast_to(ends[0], nodes.shape)
    last = np.where(map_.free(nodes, goal), np.hypot(*(nodes - goal).T), np.inf)
    rest = np.min(map_.between + last[None, :], axis=1)
    for i in range(1, 60):
        here = np.broadcast_to(ends[i], nodes.shape)
        first = np.where(map_.free(nodes, here), np.hypot(*(nodes - here).T), np.inf)
        straight = bool(map_.free(ends[i : i + 1], ends[:1])[0])
        want = 0.0 if straight else float(np.min(first + rest))
        assert way[i] == pytest.approx(want), i


def test_who_stands_in_the_river_is_ashore() -> None:
    who = roster(person("boat", at(590, 0)), person("far", at(1500, 0)), barriers=(RIVER,))
    assert who.choose(place(620, 0), NOW).worker == "boat"


def test_candidates_say_what_decided() -> None:
    choice = roster(person("a", at(0, 0), grid="g1"), person("b", at(50, 0))).choose(
        place(10, 0), NOW
    )  # fmt: skip
    figures = msgspec.convert(choice.reason, Candidate)
    assert figures.cost_s == pytest.approx(figures.travel_s)
    assert (figures.grid, figures.by, figures.speed_mps) == ("g1", "crow-fly", 1.3)
    assert choice.runners_up[0].cost_s == pytest.approx(
        choice.runners_up[0].travel_s + S.outside_cost_s
    )
    assert choice.reason["compared"] == 2
