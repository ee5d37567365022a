"""A map is asked for by viewport, and a city of any size answers at once."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace
from typing import Any, cast

import pytest
import shapely

from center.mapdata import MOST, Layer, grid_features, lattice, read_box, read_zoom
from center.pages.common.map import bounds
from center.problems import Problem
from center.settings import CenterSettings, check, tiles_origin
from contracts.city import City, Grid
from contracts.errors import Wrong
from tests.unit.center.conftest import Client, Serve

CELL = 0.0015


def square(x: float, y: float, side: float) -> Any:
    return ((((x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y)),),)


def city(side: int) -> City:
    """One district of side × side grids, in communities of 9 × 9."""
    grids = [Grid(id="d", name="区", level="district", rings=square(120, 30, CELL * side))]
    for cx in range(0, side, 9):
        for cy in range(0, side, 9):
            rings = square(120 + cx * CELL, 30 + cy * CELL, 9 * CELL)
            name = f"c{cx}-{cy}"
            grids.append(Grid(id=name, name="社区", level="community", parent="d", rings=rings))
            grids += [
                Grid(
                    id=f"g{x}-{y}", name="网格", level="grid", parent=name,
                    rings=square(120 + x * CELL, 30 + y * CELL, CELL),
                )
                for x in range(cx, cx + 9)
                for y in range(cy, cy + 9)
            ]  # fmt: skip
    return cast(City, SimpleNamespace(grids=tuple(grids), devices={}))


@pytest.fixture(scope="module")
def layer() -> Layer:
    return Layer(grid_features(city(108)))


def asked(layer: Layer, zoom: float, lon: float = 120.08, lat: float = 30.08) -> dict[str, Any]:
    degree = 360 / (256 * 2**zoom)
    box, zoom = lattice(
        (lon - 720 * degree, lat - 400 * degree, lon + 720 * degree, lat + 400 * degree), zoom
    )
    answer: dict[str, Any] = json.loads(layer.collection(box, zoom))
    return answer


def depths(answer: dict[str, Any]) -> set[int]:
    return {feature["properties"]["depth"] for feature in answer["features"]}


def test_what_is_too_small_to_be_seen_is_left_out_and_counted(layer: Layer) -> None:
    far = asked(layer, 11)
    assert depths(far) == {0, 1}
    assert far["left_out"] == 108 * 108
    near = asked(layer, 16)
    assert depths(near) == {0, 1, 2}
    assert near["left_out"] == 0


def test_nothing_in_view_is_missing_and_far_away_nothing_comes(layer: Layer) -> None:
    near = asked(layer, 16)
    west, south, east, north = near["bbox"]
    ids = {feature["properties"]["id"] for feature in near["features"]}
    for x in range(108):
        for y in range(108):
            lon, lat = 120 + (x + 0.5) * CELL, 30 + (y + 0.5) * CELL
            if west < lon < east and south < lat < north:
                assert f"g{x}-{y}" in ids
    assert len(ids) < 1_200


def test_a_level_is_left_out_whole_never_in_patches(layer: Layer) -> None:
    crowded = asked(layer, 13.5)
    assert len(crowded["features"]) <= MOST
    shown = [f for f in crowded["features"] if f["properties"]["depth"] == 2]
    assert not shown


def test_a_large_outline_is_cut_far_outside_the_view(layer: Layer) -> None:
    near = asked(layer, 17)
    district = next(f for f in near["features"] if f["properties"]["id"] == "d")
    west, south, east, north = near["bbox"]
    inside = shapely.from_geojson(json.dumps(district["geometry"]))
    assert inside.covers(shapely.box(west, south, east, north))
    assert inside.area < 10 * (east - west) * (north - south)


def test_outlines_are_drawn_to_the_pixel() -> None:
    ring = tuple(
        (120 + 0.01 * math.cos(i / 500 * math.tau), 30 + 0.01 * math.sin(i / 500 * math.tau))
        for i in range(500)
    )
    round_one = Grid(id="r", name="圆", level="grid", rings=(((*ring, ring[0]),),))
    layer = Layer(grid_features(cast(City, SimpleNamespace(grids=(round_one,)))))
    answer = asked(layer, 13, 120, 30)
    shape = shapely.from_geojson(json.dumps(answer["features"][0]["geometry"]))
    pixel = 360 / (256 * 2**13)
    assert shapely.get_num_coordinates(shape) < 60
    assert shape.hausdorff_distance(shapely.Polygon(ring)) < 1.2 * pixel


def test_people_who_look_at_about_the_same_share_an_answer() -> None:
    here, moved = (120.0, 30.0, 120.1, 30.05), (120.0005, 30.0003, 120.1004, 30.0502)
    assert lattice(here, 13.1) == lattice(moved, 13.3)
    box, zoom = lattice(here, 13.1)
    assert zoom == 13.5
    assert box[0] <= here[0]
    assert box[3] >= here[3]


@pytest.mark.parametrize("text", ["", "1,2,3", "a,b,c,d", "2,1,1,3", "1,2,nan,4", "1,2,3,95"])
def test_a_bad_box_is_refused_by_name(text: str) -> None:
    with pytest.raises(Problem) as refused:
        read_box(text)
    assert refused.value.path == "bbox"


@pytest.mark.parametrize("text", ["", "x", "-1", "25", "nan", "inf"])
def test_a_bad_zoom_is_refused_by_name(text: str) -> None:
    with pytest.raises(Problem) as refused:
        read_zoom(text)
    assert refused.value.path == "zoom"


def test_the_city_knows_its_extent() -> None:
    west, south, east, north = bounds(city(9)) or [0.0] * 4
    assert (round(west, 5), round(south, 5)) == (120, 30)
    assert (round(east, 5), round(north, 5)) == (round(120 + 9 * CELL, 5), round(30 + 9 * CELL, 5))
    assert bounds(cast(City, SimpleNamespace(grids=(), devices={}))) is None


def test_the_center_serves_the_map_by_viewport(client: Client) -> None:
    assert len(client.get("/api/v1/grids").json["features"]) == 16
    corner = "bbox=120.150,30.270,120.1501,30.2701"
    part = client.get(f"/api/v1/grids?{corner}&zoom=18")
    assert {f["properties"]["id"] for f in part.json["features"]} == {"s1", "c0", "g00"}
    again = {"If-None-Match": part.headers["etag"]}
    assert client.get(f"/api/v1/grids?{corner}&zoom=18", headers=again).status == 304
    assert client.get(f"/api/v1/grids?{corner}").json["path"] == "zoom"
    pipes = client.get("/api/v1/assets?bbox=120.15,30.27,120.17,30.28&zoom=16").json["features"]
    assert {"pipe", "drain", "span", "fibre"} <= {f["properties"]["what"] for f in pipes}


def test_devices_come_as_columns_with_what_was_heard(client: Client) -> None:
    devices = client.get("/api/v1/map/devices").json
    assert len(devices["ids"]) == len(devices["lon"]) == len(devices["state"]) == 15
    assert devices["types"][devices["type"][devices["ids"].index("cam-1")]] == "camera"
    assert "app-1" not in devices["ids"]  # an app is nowhere
    few = client.get("/api/v1/map/devices?bbox=120.15132,30.2732,120.1514,30.2734").json
    assert few["ids"] == ["lvl-0"]
    assert client.get("/api/v1/map/names?ids=c0,none,g00").json == {
        "c0": "桃园社区", "g00": "第1网格",
    }  # fmt: skip
    about = client.get("/api/v1/map").json
    assert (about["grids"], about["devices"], about["tiles"]) == (16, 16, None)


def test_tiles_open_the_policy_for_their_place_alone(serve: Serve) -> None:
    url = "https://tiles.example.cn/{z}/{x}/{y}.png"
    check(CenterSettings(tiles_url=url))
    assert tiles_origin(url) == "https://tiles.example.cn"
    policy = serve(tiles_url=url).get("/").headers["content-security-policy"]
    assert "img-src 'self' https://tiles.example.cn blob: data:;" in policy
    assert policy.count("https:") == 1
    for bad in ("//x/{z}/{x}/{y}", "https://a.cn/{z}/{x}.png", "https://a.cn; x/{z}{x}{y}"):
        with pytest.raises(Wrong, match="tiles_url"):
            check(CenterSettings(tiles_url=bad))
