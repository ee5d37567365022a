"""Grid by place, utility by owner and rule, worker by travel time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from contracts.city import Grid, Rule, Worker
from contracts.geo import Point, distance_m
from contracts.nouns import Position
from router.assign import Roster
from router.gazetteer import Gazetteer
from router.settings import RouterSettings
from router.utility import Duties
from tests.scenarios.script import event
from tests.scenarios.town import GRIDS, at, box, place, town

SETTINGS = RouterSettings()
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


# --- gazetteer ----------------------------------------------------------------------------------


def test_the_smallest_grid_covers_the_point() -> None:
    gazetteer = Gazetteer(GRIDS)
    assert gazetteer.grid_at(at(100, 100)) == "g1"
    assert gazetteer.grid_at(at(1500, 900)) == "g4"
    assert gazetteer.ancestors("g4") == ("c2", "s", "d")
    assert gazetteer.place(at(1500, 900)).address == "鼓楼区江东街道西社区第四网格"


@pytest.mark.parametrize(("metres", "grid"), [(150, "g3"), (199, "g3"), (201, None)])
def test_outside_every_grid_the_nearest_within_200_m(metres: float, grid: str | None) -> None:
    assert Gazetteer(GRIDS).grid_at(at(2000 + metres, 250)) == grid


def test_on_a_border_the_answer_is_always_the_same() -> None:
    backwards = Gazetteer(tuple(reversed(GRIDS)))
    assert Gazetteer(GRIDS).grid_at(at(500, 500)) == backwards.grid_at(at(500, 500)) == "g1"


def test_holes_do_not_belong_and_parents_in_a_circle_do_no_harm() -> None:
    outer = box(0, 0, 1000, 1000)[0][0]
    hole = box(400, 400, 200, 200)[0][0]
    ring = Grid(id="a", name="A", level="x", parent="b", rings=((outer, hole),))
    other = Grid(id="b", name="B", level="x", parent="a", rings=box(5000, 0, 10, 10))
    gazetteer = Gazetteer((ring, other), off_grid_m=50)
    assert gazetteer.grid_at(at(500, 500)) is None
    assert gazetteer.grid_at(at(100, 100)) == "a"
    assert gazetteer.lineage("a") == ("a", "b")
    assert gazetteer.place(at(100, 100)).address == "A, B"


def test_a_city_without_grids_has_no_place() -> None:
    assert Gazetteer(()).place(at(1, 1)).grid is None


# --- utility ------------------------------------------------------------------------------------


def duties(*rules: Rule) -> Duties:
    city = town()
    city = msgspec.structs.replace(city, rules=rules or city.rules)
    return Duties(city, Gazetteer(city.grids), SETTINGS)


def test_the_assets_owner_comes_before_the_rule() -> None:
    rule = Rule(id="r", kind="flooding", utility="police")
    owned = duties(rule).of("flooding", "g1", [event("flooding", "road-1", place(400, 200))])
    assert owned.utilities == ("water",)
    assert owned.reason["by"] == "asset"
    loose = duties(rule).of("flooding", "g4", [event("flooding", "road-2", place(1700, 800))])
    assert loose.utilities == ("police",)
    assert loose.reason["by"] == "rule"


@pytest.mark.parametrize(
    ("evidence", "utilities"),
    [
        ({"owners": ["telecom-co", "mobile-co", "grid-co"]}, ("telecom", "power")),
        ({"spans": [["s-3", 0.9], ["s-4", 0.1]]}, ("power",)),
        ({"spans": [["s-99", 1.0]]}, ()),
        ({"owners": []}, ()),
    ],
)
def test_owners_are_named_by_evidence_or_by_the_likeliest_span(
    evidence: dict[str, object], utilities: tuple[str, ...]
) -> None:
    cut = event("severed_cable", "L1", place(500, 400), **evidence)  # type: ignore[arg-type]
    assert duties().of("severed_cable", "g1", [cut]).utilities == utilities


def test_the_fibres_owner_is_found_by_its_site() -> None:
    cut = event("fibre_break", "F1", place(500, 410))
    assert duties().of("fibre_break", "g1", [cut]).utilities == ("telecom",)


def test_who_owns_the_camera_is_not_responsible_for_the_throw() -> None:
    thrown = event("high_altitude_throw", "cam-1", place(300, 300))
    assert duties().of("high_altitude_throw", "g1", [thrown]).utilities == ("police",)


def test_nobody_known_is_a_joint_consultation_and_names_the_stray_owner() -> None:
    out = event("hydrant_no_pressure", "lamp-1", place(600, 600))
    duty = duties().of("hydrant_no_pressure", "g2", [out])
    assert duty.lane == "joint"
    assert duty.utilities == ()
    assert "stray-owner" in duty.reason["text_en"]
    assert "stray-owner" in duty.reason["text_zh"]


def test_a_rule_holds_for_its_grid_and_everything_inside() -> None:
    flood = [event("flooding", "road-2", place(1700, 800))]
    assert duties().of("flooding", "g4", flood).utilities == ("water",)
    assert duties().of("flooding", "g1", flood).utilities == ()
    assert duties().of("flooding", "g4", flood).skills == ("water",)


# --- worker -------------------------------------------------------------------------------------


def roster(*workers: Worker) -> Roster:
    city = town(workers=workers) if workers else town()
    return Roster(city, Gazetteer(city.grids), SETTINGS)


def person(ident: str, where: Point, **fields: object) -> Worker:
    values = {"role": "worker", "grid": None, "skills": (), "shift": "", **fields}
    return Worker(id=ident, name=ident, point=where, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(("load", "said"), [(0, "0 open tickets,"), (1, "1 open ticket,")])
def test_one_open_ticket_is_no_tickets(load: int, said: str) -> None:
    who = roster(person("w-a", at(500, 0)))
    assert said in who.choose(place(0, 0), NOW, load={"w-a": load}).reason["text_en"]


def test_travel_time_is_detour_over_walking_speed() -> None:
    who = roster(person("a", at(900, 0)))
    who.move(Position(worker="a", at=NOW, received_at=NOW, point=at(0, 0)))
    chosen = who.choose(place(300, 400), NOW)
    assert chosen.reason["distance_m"] == pytest.approx(500, abs=1)
    assert chosen.reason["travel_s"] == pytest.approx(500 * 1.3 / 1.3, abs=1)


def test_a_skilled_worker_further_away_is_preferred_but_not_from_anywhere() -> None:
    near = person("near", at(0, 0))
    for metres, who in ((600, "skilled"), (1500, "near")):
        far = person("skilled", at(metres, 0), skills=("water",))
        assert roster(near, far).choose(place(0, 0), NOW, skills=("water",)).worker == who


def test_the_one_skilled_worker_is_found_behind_a_hundred_nearer_ones() -> None:
    crowd = [person(f"p-{i}", at(i, 0)) for i in range(100)]
    far = person("skilled", at(700, 0), skills=("water",))
    choice = roster(*crowd, far).choose(place(0, 0), NOW, skills=("water",))
    assert choice.worker == "skilled"


def test_own_grid_and_load_count_like_travel() -> None:
    own, other = person("own", at(600, 250), grid="c1"), person("other", at(550, 250), grid="g3")
    who = roster(own, other)
    here = Gazetteer(GRIDS).place(at(500, 250))
    assert who.choose(here, NOW).worker == "own"
    assert who.choose(here, NOW, load={"own": 2}).worker == "other"


def test_grid_heads_go_only_when_nobody_else_can() -> None:
    head = person("head", at(10, 0), role="grid_head", grid="g1")
    away = person("night", at(50, 0), shift="20:00-08:00")
    here = person("here", at(900, 0))
    assert roster(head, away, here).choose(place(0, 0), NOW).worker == "here"
    chosen = roster(head, away).choose(Gazetteer(GRIDS).place(at(5, 5)), NOW)
    assert chosen.worker == "head"
    assert "no worker is on shift" in chosen.reason["text_en"]
    assert roster(away).choose(place(0, 0), NOW).reason["on_shift"] is False


def test_the_grid_head_is_the_nearest_one_above() -> None:
    who = roster()
    assert getattr(who.officer("grid_head", "g2"), "id", None) == "h-1"
    assert getattr(who.officer("grid_head", "g4"), "id", None) == "h-2"
    assert who.officer("grid_head", None) is None
    assert who.officer("street_center", "g4") is None


def test_officers_and_liaisons_are_not_sent_and_helpers_not_alone() -> None:
    roles = ["street_center", "district_center", "liaison", "helper"]
    crowd = [person(role, at(i, 0), role=role) for i, role in enumerate(roles)]
    worker = person("worker", at(500, 0))
    choice = roster(*crowd, worker).choose(place(0, 0), NOW, helpers=2)
    assert choice.worker == "worker"
    assert choice.helpers == ("helper",)
    assert roster(*crowd).choose(place(0, 0), NOW).worker == "helper"
    assert roster(*crowd[:3]).choose(place(0, 0), NOW).worker == "street_center"


def test_a_worker_is_found_behind_a_crowd_of_helpers() -> None:
    crowd = [person(f"h-{i}", at(i, 0), role="helper") for i in range(100)]
    choice = roster(*crowd, person("worker", at(900, 0))).choose(place(0, 0), NOW)
    assert choice.worker == "worker"


def test_older_positions_never_replace_newer_ones_and_a_fast_clock_is_not_fresh() -> None:
    who = roster(person("a", at(0, 0)))
    who.move(Position(worker="a", at=NOW, received_at=NOW, point=at(100, 0)))
    late = NOW - timedelta(seconds=5)
    who.move(Position(worker="a", at=late, received_at=NOW, point=at(900, 0)))
    assert who.choose(place(100, 0), NOW).reason["distance_m"] == 0
    ahead = NOW + timedelta(hours=5)
    who.move(Position(worker="a", at=ahead, received_at=NOW, point=at(50, 0)))
    hour = NOW + timedelta(hours=1)
    assert who.choose(place(0, 0), hour).reason["position_age_s"] is None
    who.move(Position(worker="nobody", at=NOW, received_at=NOW, point=at(50, 0)))


def test_a_position_that_is_no_number_counts_for_nothing() -> None:
    who = roster(person("a", at(0, 0)), person("b", at(900, 0)))
    nan = float("nan")
    for lon, lat in ((nan, 32.0), (118.0, nan), (float("inf"), 32.0)):
        who.move(Position(worker="a", at=NOW, received_at=NOW, point=Point(lon, lat)))
    assert who.choose(place(10, 0), NOW).worker == "a"
    exact = at(10, 0)
    who.move(Position(worker="a", at=NOW, received_at=NOW, point=exact, accuracy_m=nan))
    choice = who.choose(place(10, 0), NOW)
    assert (choice.worker, choice.reason["travel_s"]) == ("a", 0.0)


def test_the_nearest_of_five_hundred_is_the_nearest() -> None:
    crowd = [person(f"p-{i:03}", at((i * 37) % 2000, (i * 91) % 1000)) for i in range(500)]
    target = place(777, 333)
    chosen = roster(*crowd).choose(target, NOW)
    nearest = min(crowd, key=lambda w: (distance_m(w.point, Point(target.lon, target.lat)), w.id))
    assert chosen.worker == nearest.id
    assert [c.distance_m for c in chosen.runners_up] == sorted(
        c.distance_m for c in chosen.runners_up
    )
