"""Grids in time, special grids, and what becomes of a grid that is no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contracts.city import Grid
from contracts.governance import Governance, GridVersion, SpecialGrid
from router.gazetteer import Gazetteer
from tests.scenarios.town import GRIDS, at, box

SPLIT = datetime(2026, 6, 30, 16, tzinfo=UTC)
BEFORE = SPLIT - timedelta(microseconds=1)
WEST = Grid(id="g1a", name="甲网格", level="grid", parent="c1", rings=box(0, 0, 400, 500))
EAST = Grid(id="g1b", name="乙网格", level="grid", parent="c1", rings=box(400, 0, 600, 500))
MARKET = Grid(id="market", name="菜场", level="special", parent="g2", rings=box(100, 600, 50, 50))
PARK = Grid(id="park", name="湖区", level="special", parent="c2", rings=box(900, 900, 400, 100))
G1 = next(grid for grid in GRIDS if grid.id == "g1")
GOVERNED = Governance(
    versions=(
        GridVersion(grid=G1, until=SPLIT),
        GridVersion(grid=WEST, since=SPLIT),
        GridVersion(grid=EAST, since=SPLIT),
    ),
    special=(
        SpecialGrid(grid=MARKET, what="market"),
        SpecialGrid(grid=PARK, what="scenic_area", kinds=("flooding",)),
    ),
)


@pytest.fixture
def gazetteer() -> Gazetteer:
    now = (*(g for g in GRIDS if g.id != "g1"), WEST, EAST, MARKET, PARK)
    return Gazetteer(now, governed=GOVERNED)


def test_a_split_takes_place_at_its_moment(gazetteer: Gazetteer) -> None:
    assert gazetteer.grid_at(at(100, 100), BEFORE) == "g1"
    assert gazetteer.grid_at(at(100, 100), SPLIT) == "g1a"
    assert gazetteer.grid_at(at(500, 100), SPLIT) == "g1b"
    assert gazetteer.grid_at(at(100, 100)) == "g1a"  # as the city was read


def test_an_ended_grid_keeps_its_meaning(gazetteer: Gazetteer) -> None:
    assert gazetteer.heirs("g1") == ("g1b", "g1a")
    assert gazetteer.lineage("g1") == ("g1", "g1b", "g1a", "c1", "s", "d")
    assert gazetteer.lineage("g1a") == ("g1a", "c1", "s", "d")
    assert gazetteer.place(at(100, 100), at=BEFORE).address == "鼓楼区江东街道东社区第一网格"


def test_a_redrawn_grid_has_the_name_of_its_time() -> None:
    renamed = Grid(id="g1", name="新一网格", level="grid", parent="c1", rings=G1.rings)
    versions = (GridVersion(grid=renamed, since=SPLIT), GridVersion(grid=G1, until=SPLIT))
    for read in (GRIDS, (*(g for g in GRIDS if g.id != "g1"), renamed)):
        found = Gazetteer(read, governed=Governance(versions=versions))
        assert str(found.place(at(100, 100), at=BEFORE).address).endswith("第一网格")
        assert str(found.place(at(100, 100), at=SPLIT).address).endswith("新一网格")
        assert found.grids["g1"] == renamed, "whatever the day the folder was read"


def test_heirs_of_heirs_and_of_merged_grids_are_found() -> None:
    later = SPLIT + timedelta(days=30)
    merged = Grid(id="g9", name="并网格", level="grid", parent="c1", rings=box(0, 0, 1000, 500))
    versions = (
        GridVersion(grid=G1, until=SPLIT),
        GridVersion(grid=WEST, since=SPLIT, until=later),
        GridVersion(grid=EAST, since=SPLIT, until=later),
        GridVersion(grid=merged, since=later),
    )
    found = Gazetteer((*GRIDS, merged), governed=Governance(versions=versions))
    assert found.heirs("g1") == ("g1b", "g1a", "g9")
    assert found.heirs("g1b") == ("g9",)
    assert found.grid_at(at(100, 100), later) == "g9"


def test_a_neighbour_that_only_touches_is_no_heir(gazetteer: Gazetteer) -> None:
    assert "g2" not in gazetteer.heirs("g1")
    assert "c1" not in gazetteer.heirs("g1")


def test_a_special_grid_stands_over_the_others(gazetteer: Gazetteer) -> None:
    assert gazetteer.grid_at(at(120, 620), kind="pole_tilt") == "market"
    assert gazetteer.lineage("market") == ("market", "g2", "c1", "s", "d")
    assert gazetteer.grid_at(at(160, 660)) == "g2"
    assert gazetteer.specials_at(at(120, 620)) == ("market",)


def test_a_special_grid_may_be_for_some_kinds_only(gazetteer: Gazetteer) -> None:
    assert gazetteer.grid_at(at(1100, 950), kind="flooding") == "park"
    assert gazetteer.grid_at(at(1100, 950), kind="pole_tilt") == "g4"
    assert gazetteer.grid_at(at(1100, 950)) == "g4"


def test_near_a_special_grid_is_not_in_it(gazetteer: Gazetteer) -> None:
    alone = Gazetteer((MARKET,), governed=Governance(special=GOVERNED.special))
    assert alone.grid_at(at(160, 620), SPLIT) is None
    assert gazetteer.grid_at(at(-150, 100), SPLIT) == "g1a"


def test_hierarchies_of_any_depth() -> None:
    deep = [Grid(id="d0", name="甲", level="l0", rings=box(0, 0, 1000, 1000))]
    for n in range(1, 9):
        rings = box(0, 0, 1000 - 100 * n, 1000 - 100 * n)
        deep.append(Grid(id=f"d{n}", name=f"{n}", level=f"l{n}", parent=f"d{n - 1}", rings=rings))
    gazetteer = Gazetteer(deep)
    assert gazetteer.grid_at(at(50, 50)) == "d8"
    assert gazetteer.ancestors("d8") == tuple(f"d{n}" for n in range(7, -1, -1))


def test_a_grid_of_several_parts() -> None:
    rings = (*box(0, 0, 100, 100), *box(500, 0, 100, 100))
    gazetteer = Gazetteer((Grid(id="two", name="两块", level="grid", rings=rings),), 10)
    assert [gazetteer.grid_at(at(x, 50)) for x in (50, 300, 550)] == ["two", None, "two"]
