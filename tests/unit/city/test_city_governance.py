"""How a city is governed: grids in time, special grids, barriers, responses, patrols."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.governance import Governance, governance
from gridsentry.city import CityProblems, read_city

Folder = Callable[..., Path]
BEFORE = datetime(2026, 6, 30, 15, 59, tzinfo=UTC)
AFTER = datetime(2026, 6, 30, 16, 0, tzinfo=UTC)
"""Midnight of 1 July 2026 in Shanghai."""


def box(west: float, east: float, south: float = 32.0, north: float = 32.1) -> Any:
    return [[[west, south], [east, south], [east, north], [west, north], [west, south]]]


def feature(shape: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": shape, "coordinates": coordinates},
        "properties": properties,
    }


def collection(*features: dict[str, Any]) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features})


COMMUNITY = feature("Polygon", box(118.0, 118.2), id="c-1", name="金山社区", level="community")
OLD = {"name": "旧网格", "parent": "c-1", "level": "grid", "valid_to": "2026-07-01"}
NEW = {"parent": "c-1", "level": "grid", "valid_from": "2026-07-01"}
SPLIT = collection(
    COMMUNITY,
    feature("Polygon", box(118.0, 118.2), id="g-1", **OLD),
    feature("Polygon", box(118.0, 118.1), id="g-1a", name="东网格", **NEW),
    feature("Polygon", box(118.1, 118.2), id="g-1b", name="西网格", **NEW),
)
FILES = {
    "city.toml": 'id = "demo"\ntimezone = "Asia/Shanghai"\n',
    "grids.geojson": collection(COMMUNITY),
    "devices.csv": "id,district,type,lon,lat\nlv-1,west,water_level,118.05,32.05\n",
    "utilities.csv": "id,name,owners\nwater,水务,\ntraffic-police,交警,\n",
    "resources.csv": "id,what,name,lon,lat\npump-1,pump,一号泵,118.05,32.05\n",
    "workers.csv": "id,name,role,grid,lon,lat\nw-1,张三,microgrid_worker,c-1,118.05,32.05\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    def write(**files: str) -> Path:
        path = tmp_path / "city"
        path.mkdir(exist_ok=True)
        for name, text in {**FILES, **files}.items():
            (path / name).write_text(text, encoding="utf-8")
        return path

    return write


def governed(path: Path, at: datetime = AFTER) -> Governance:
    return governance(read_city(path, at).city)


def wrong(path: Path) -> str:
    with pytest.raises(CityProblems) as caught:
        read_city(path, AFTER)
    return "\n".join(str(problem) for problem in caught.value.problems)


def test_grids_hold_from_midnight_of_the_citys_zone(folder: Folder) -> None:
    path = folder(**{"grids.geojson": SPLIT})
    assert [g.id for g in read_city(path, BEFORE).city.grids] == ["c-1", "g-1"]
    assert [g.id for g in read_city(path, AFTER).city.grids] == ["c-1", "g-1a", "g-1b"]
    versions = governed(path).versions
    assert [(v.grid.id, v.since, v.until) for v in versions] == [
        ("g-1", None, AFTER),
        ("g-1a", AFTER, None),
        ("g-1b", AFTER, None),
    ]


def test_a_worker_of_a_grid_that_is_no_more_is_said(folder: Folder) -> None:
    people = FILES["workers.csv"].replace(",c-1,", ",g-1,")
    path = folder(**{"grids.geojson": SPLIT, "workers.csv": people})
    assert any("w-1 works for g-1" in warning for warning in read_city(path, AFTER).warnings)
    assert not any("w-1" in warning for warning in read_city(path, BEFORE).warnings)


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({"valid_from": "soon"}, "valid_from: 'soon'"),
        ({"valid_from": "2026-07-01", "valid_to": "2026-06-01"}, "after valid_from"),
        ({"valid_from": "2026-06-01"}, "not within … to 2026-06-30T16:00:00Z"),
        ({"kinds": ["flooding"]}, "not special"),
        ({"special": "market", "kinds": ["floodin"]}, "did you mean flooding"),
    ],
)
def test_wrong_versions_are_told(folder: Folder, properties: dict[str, Any], says: str) -> None:
    again = feature("Polygon", box(118.0, 118.1), id="g-1", parent="c-1", **properties)
    old = feature("Polygon", box(118.0, 118.2), id="g-1", **OLD)
    assert says in wrong(folder(**{"grids.geojson": collection(COMMUNITY, old, again)}))


def test_a_grid_may_be_redrawn_under_its_own_id(folder: Folder) -> None:
    old = feature("Polygon", box(118.0, 118.2), id="g-1", **OLD)
    new = feature("Polygon", box(118.0, 118.1), id="g-1", name="新网格", **NEW)
    path = folder(**{"grids.geojson": collection(COMMUNITY, old, new)})
    assert read_city(path, BEFORE).city.grids[1].name == "旧网格"
    assert read_city(path, AFTER).city.grids[1].name == "新网格"


def test_special_grids_stand_among_the_grids_under_the_smallest_around_them(
    folder: Folder,
) -> None:
    inside = feature("Polygon", box(118.0, 118.2), id="g-1", name="一", parent="c-1", level="grid")
    market = feature("Polygon", box(118.01, 118.02), id="m-1", special="market", name="菜场")
    park = feature("Polygon", box(118.03, 118.04), id="p-1", what="park", kinds=["flooding"])
    path = folder(
        **{
            "grids.geojson": collection(COMMUNITY, inside, market),
            "special.geojson": collection(park),
        }
    )
    special = {s.grid.id: s for s in governed(path).special}
    assert special["m-1"].what == "market"
    assert special["p-1"].kinds == ("flooding",)
    by_id = {g.id: g for g in read_city(path, AFTER).city.grids}
    assert by_id["m-1"].parent == by_id["p-1"].parent == "g-1"
    assert by_id["p-1"].level == "special"


RIVER = feature("Polygon", box(118.08, 118.081), id="river", what="river")


def test_crossings_belong_to_the_barrier_they_lie_at(folder: Folder) -> None:
    bridge = feature("Point", [118.0805, 32.05], id="b-1", what="bridge")
    (river,) = governed(folder(**{"barriers.geojson": collection(RIVER, bridge)})).barriers
    assert [round(c.lat, 2) for c in river.crossings] == [32.05]
    assert len(river.rings[0]) == 5


@pytest.mark.parametrize(
    ("crossing", "says"),
    [
        ({"barrier": "rivr"}, "did you mean river"),
        ({}, "no barrier within 50 m"),
    ],
)
def test_a_crossing_of_nothing_is_wrong(
    folder: Folder, crossing: dict[str, Any], says: str
) -> None:
    far = feature("Point", [118.15, 32.05], id="b-1", **crossing)
    assert says in wrong(folder(**{"barriers.geojson": collection(RIVER, far)}))


def test_a_barrier_nobody_can_cross_is_said(folder: Folder) -> None:
    warnings = read_city(folder(**{"barriers.geojson": collection(RIVER)}), AFTER).warnings
    assert any("river has no crossing" in warning for warning in warnings)


def test_the_profiles_roles_and_responses_are_the_citys(folder: Folder) -> None:
    found = governed(folder())
    assert found.roles["microgrid_worker"].patrols
    assert found.roles["liaison"].duty == "liaise"
    by_id = {response.id: response for response in found.responses}
    assert by_id["road-blocked"].departments == ("traffic-police",)
    assert by_id["cable-down"].helpers == 2


def test_a_response_of_the_same_id_replaces_the_profiles(folder: Folder) -> None:
    own = '[[response]]\nid = "cable-down"\nkind = "severed_cable"\nhelpers = 3\n'
    by_id = {r.id: r for r in governed(folder(**{"responses.toml": own})).responses}
    assert by_id["cable-down"].helpers == 3
    assert "flooded" in by_id


def test_a_department_the_city_lacks_is_not_called_and_said(folder: Folder) -> None:
    path = folder(**{"utilities.csv": "id,name,owners\nwater,水务,\n"})
    by_id = {response.id: response for response in governed(path).responses}
    assert by_id["road-blocked"].departments == ()
    assert any("traffic-police" in fact for fact in read_city(path, AFTER).facts)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("kind = 'floodin'\nhelpers = 1", "did you mean flooding"),
        ("departments = ['polce']", "there is no utility or department polce"),
        ("when = 'road_blokked'\nhelpers = 1", "road_blocked"),
        ("severity = 9\nhelpers = 1", "1 minor to 5 extreme"),
        ("kind = 'flooding'", "nobody is called"),
        ("grid = 'x'\nhelpers = 1", "there is no grid x"),
        ("helper = 1", "not a known field"),
    ],
)
def test_wrong_responses_are_told(folder: Folder, table: str, says: str) -> None:
    text = wrong(folder(**{"responses.toml": f"[[response]]\n{table}\n"}))
    assert "responses.toml, response 1" in text
    assert says in text


PATROL = '[[patrol]]\nid = "pumps"\nname_zh = "泵站巡查"\nassets = ["lv-1"]\n'


def test_patrols_are_read(folder: Folder) -> None:
    text = PATROL + 'at = ["16:00", "08:00"]\nweekdays = [1, 2]\nwithin_s = 3600\nwhen = "rain"\n'
    (patrol,) = governed(folder(**{"patrols.toml": text})).patrols
    assert (patrol.at, patrol.weekdays, patrol.within_s) == (("08:00", "16:00"), (1, 2), 3600.0)
    assert patrol.name_zh == "泵站巡查"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("", "never called for"),
        ('at = ["8 Uhr"]', "HH:MM"),
        ('at = ["08:00"]\nweekdays = [0]', "1 (Monday)"),
        ('at = ["08:00"]\nrole = "king"', "there is no role king"),
        ('at = ["08:00"]\nwithin_s = 100000', "86400"),
        ('when = "snow"', "rain"),
        ('at = ["08:00"]\npoints = [[200, 32]]', "not a position"),
        ('at = ["08:00"]\ngrid = "x"', "there is no grid x"),
    ],
)
def test_wrong_patrols_are_told(folder: Folder, more: str, says: str) -> None:
    text = wrong(folder(**{"patrols.toml": PATROL + more + "\n"}))
    assert "patrols.toml, patrol 1" in text
    assert says in text


def test_a_patrol_of_unknown_assets_is_wrong(folder: Folder) -> None:
    text = PATROL.replace("lv-1", "lv-2") + 'at = ["08:00"]\n'
    assert "there is no asset lv-2" in wrong(folder(**{"patrols.toml": text}))
