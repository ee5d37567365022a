"""The bench of the router: a small province, the scan beside, streets and a river."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from bench.router import clocked, rivers, world
from bench.router.__main__ import NIGHT, NOW
from bench.router.clocked import Night
from bench.router.naive import Scan
from bench.router.world import Plan, Province
from router.assign import Roster
from router.gazetteer import Gazetteer
from router.settings import RouterSettings

TINY = Plan(
    counties=2,
    streets=4,
    communities=20,
    grids=100,
    microgrids=400,
    full_time=80,
    roads_side=30,
)


@pytest.fixture(scope="module")
def province() -> Province:
    return Province(TINY, 3, lambda n: None)


def test_every_part_lies_in_its_parent_and_the_numbers_are_the_plans(province: Province) -> None:
    counts = [len(boxes) for boxes in province.boxes.values()]
    assert counts == [2, 4, 20, 100, 400]
    by_id = {g.id: g for g in province.grids}
    for grid in province.grids:
        if grid.parent is not None:
            outer = shapely.Polygon(by_id[grid.parent].rings[0][0]).buffer(1e-9)
            assert outer.covers(shapely.Polygon(grid.rings[0][0]))
    assert len(province.workers()) == 480
    again = Province(TINY, 3, lambda n: None)
    assert again.grids == province.grids
    assert Province(TINY, 4, lambda n: None).grids != province.grids


def test_the_scan_beside_says_the_same_by_day_and_by_night(province: Province) -> None:
    city = province.city(province.workers())
    settings = RouterSettings()
    gazetteer = Gazetteer(city.grids)
    asked = clocked.asked(gazetteer, world.places(province, 60, 5), 5)
    for now in (NOW, NIGHT):
        night = Night(Roster(city, gazetteer, settings), now)
        night.run(asked, lambda n: None, Scan(city, gazetteer, settings))
        assert all(night.agreed)
        assert len(night.seconds) == len(night.cpu_s) == 60
        assert sum(night.load.values()) == 60


def test_streets_and_river_are_asked(province: Province) -> None:
    workers = province.workers()
    gazetteer = Gazetteer(tuple(province.grids))
    box = province.densest(3000.0)
    roads = province.streets(box)
    assert len(roads.lon) == 30 * 30
    by_road = Night(Roster(province.city(workers, roads=roads), gazetteer, RouterSettings()), NOW)
    by_road.run(clocked.asked(gazetteer, world.places(province, 10, 1, box), 1), lambda n: None)
    assert {c.reason["by"] for c in by_road.chosen} == {"road"}
    river = province.river()
    city = province.city(workers, barriers=(river,))
    beside = Night(Roster(city, gazetteer, RouterSettings()), NOW)
    beside.run(clocked.asked(gazetteer, world.places(province, 10, 1), 1), lambda n: None)
    assert {c.reason["by"] for c in beside.chosen} == {"crossing"}


def test_positions_are_taken_and_counted(province: Province) -> None:
    workers = province.workers()
    city = province.city(workers)
    roster = Roster(city, Gazetteer(city.grids), RouterSettings())
    stream = clocked.positions([workers[w] for w in sorted(workers)], 400, NOW, 2)
    rates = clocked.rates(roster.move, stream, 4)
    assert len(rates) == 4
    assert min(rates) > 0
    assert clocked.rss_mb() > 1


@pytest.mark.recordings
def test_crow_fly_is_wrong_in_a_river_town(recordings: object) -> None:
    from tests.conftest import RECORDINGS

    town = rivers.compare(RECORDINGS / "roads" / "krems.osm.gz", 30, 1)
    assert town is not None
    assert town.wrong == len(town.times_longer)
    assert 0.15 < town.wrong / town.draws < 0.75
    assert all(t > rivers.LATE and math.isfinite(t) for t in town.times_longer)
    assert np.median(town.times_longer) > 1.3
    assert rivers.compare(RECORDINGS / "roads" / "nowhere.osm.gz", 3, 1) is None
