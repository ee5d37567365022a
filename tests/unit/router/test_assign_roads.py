"""By road in a real town on a river with few crossings (Krems on the Danube)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pytest

from contracts.city import City, Worker
from contracts.event import Place
from contracts.geo import Point
from contracts.governance import Governance, Roads, Role
from contracts.nouns import Position
from gridsentry.city.notes import Notes
from gridsentry.city.roads import read_roads
from router.assign import Roster
from router.gazetteer import Gazetteer
from router.settings import RouterSettings
from tests.scenarios.town import at, town

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
SOUTH_BANK = Place(15.6060, 48.3975)  # Mautern, on the southern bank
NORTH_BANK = Point(15.6060, 48.4085)  # Stein, 1.2 km north of it across the Danube
SAME_BANK = Point(15.6220, 48.3920)  # 1.3 km along the southern bank


def roster(people: dict[str, Point], roads: Roads | None, role: str = "worker") -> Roster:
    workers = {
        i: Worker(id=i, name=i, role=role, grid=None, skills=(), shift="", point=p)
        for i, p in people.items()
    }
    said = Governance(roads=roads, roles={"rider": Role(id="rider", speed_mps=5.0)})
    city: City = msgspec.structs.replace(
        town(), grids=(), workers=workers, extra={"governance": said}
    )
    found = Roster(city, Gazetteer(()), RouterSettings())
    for i, p in people.items():
        found.move(Position(worker=i, at=NOW, received_at=NOW, point=p))
    return found


@pytest.fixture(scope="module")
def krems() -> Any:
    from tests.conftest import RECORDINGS

    return read_roads(RECORDINGS / "roads" / "krems.osm.gz", (), Notes())


@pytest.mark.recordings
def test_across_the_danube_is_not_near(krems: Roads) -> None:
    people = {"across": NORTH_BANK, "beside": SAME_BANK}
    assert roster(people, None).choose(SOUTH_BANK, NOW).worker == "across"
    choice = roster(people, krems).choose(SOUTH_BANK, NOW)
    assert choice.worker == "beside"
    across = choice.runners_up[0]
    assert across.by == "road"
    assert across.way_m is not None
    assert across.way_m > 2.5 * across.distance_m
    assert "OpenStreetMap" in choice.reason["source"]
    assert "across is nearer" in choice.reason["text_en"]
    assert "沿道路" in choice.reason["text_zh"]


@pytest.mark.recordings
def test_by_road_nobody_is_ever_sent_later_than_crow_fly_would(krems: Roads) -> None:
    r = np.random.default_rng(5)
    nodes = r.choice(len(krems.lon), (20, 31))
    wrong = 0
    for draw in nodes:
        spots = [Point(float(krems.lon[n]), float(krems.lat[n])) for n in draw]
        people = {f"w-{i:02}": p for i, p in enumerate(spots[1:])}
        place = Place(spots[0].lon, spots[0].lat)
        by_road = roster(people, krems)
        fast = by_road.choose(place, NOW)
        crow = roster(people, None).choose(place, NOW).worker
        assert crow is not None
        late = by_road.figures(crow, place, NOW)
        assert fast.reason["travel_s"] <= late.travel_s
        wrong += late.travel_s > 1.05 * fast.reason["travel_s"]
    assert wrong >= 3, "in a river town crow-fly often sends the wrong one"


@pytest.mark.recordings
def test_far_from_every_road_it_is_crow_fly(krems: Roads) -> None:
    people = {"a": Point(15.61, 48.41), "b": Point(15.2, 48.41)}
    choice = roster(people, krems).choose(Place(15.21, 48.41), NOW)
    assert (choice.worker, choice.reason["by"]) == ("b", "crow-fly")


def ladder(riding: np.ndarray[Any, Any] | None = None) -> Roads:
    """Two ways from west to east: short steps, and a street round; and an island."""
    spots = [at(0, 0), at(400, 0), at(200, 300), at(3000, 0), at(3100, 0)]
    ends = [(0, 1), (0, 2), (2, 1), (3, 4)]
    both = [*ends, *((b, a) for a, b in ends)]
    return Roads(
        lon=np.array([p.lon for p in spots]),
        lat=np.array([p.lat for p in spots]),
        from_=np.array([a for a, _ in both], dtype=np.int32),
        to=np.array([b for _, b in both], dtype=np.int32),
        metres=np.full(8, 1.0, dtype=np.float32),
        factor=np.array([0.5, 1, 1, 1] * 2, dtype=np.float32),
        riding=riding,
    )


def test_riders_go_round_where_steps_are_quicker_on_foot() -> None:
    riding = np.array([0.1, 1, 1, 1] * 2, dtype=np.float32)
    goal = Place(at(400, 0).lon, at(400, 0).lat)
    for role, factors, metres in (
        ("worker", riding, 2 * 200 * 13**0.5 / 2),  # 721 m round against 400 m of steps at half
        ("rider", riding, 2 * 200 * 13**0.5 / 2),
        ("worker", np.array([0, 1, 1, 1] * 2, dtype=np.float32), 721.1),
    ):
        found = roster({"a": at(0, 0)}, ladder(factors), role).choose(goal, NOW)
        assert found.reason["way_m"] == pytest.approx(metres, rel=0.01)
    steps = ladder(riding)
    quick = msgspec.structs.replace(steps, factor=np.array([0.8, 1, 1, 1] * 2, dtype=np.float32))
    assert roster({"a": at(0, 0)}, quick).choose(goal, NOW).reason["way_m"] == pytest.approx(500)
    assert roster({"a": at(0, 0)}, quick, "rider").choose(goal, NOW).reason["way_m"] == (
        pytest.approx(721.1, rel=0.01)
    )


def test_whoever_is_on_an_island_comes_last_and_is_said_to() -> None:
    people = {"island": at(3000, 0), "far": at(-4000, 0)}
    goal = Place(at(400, 0).lon, at(400, 0).lat)
    choice = roster(people, ladder()).choose(goal, NOW)
    assert choice.worker == "far"
    lost = choice.runners_up[0]
    assert lost.by == "none"
    assert lost.way_m == pytest.approx(2600 * 1.3, rel=0.01)
    assert "no way there is known" in lost.note


def test_a_road_never_is_shorter_than_crow_fly_whatever_the_file_says() -> None:
    found = roster({"a": at(0, 0)}, ladder()).choose(Place(at(200, 300).lon, at(200, 300).lat), NOW)
    assert found.reason["way_m"] == pytest.approx(200 * 13**0.5 / 2, rel=0.01)


def test_a_moved_worker_stands_elsewhere_on_the_map() -> None:
    who = roster({"a": at(0, 0)}, ladder())
    goal = Place(at(400, 0).lon, at(400, 0).lat)
    before = who.figures("a", goal, NOW).way_m
    who.move(Position(worker="a", at=NOW.replace(hour=3), received_at=NOW, point=at(200, 300)))
    after = who.figures("a", goal, NOW).way_m
    assert before == pytest.approx(2 * after, rel=0.01) if after else False
