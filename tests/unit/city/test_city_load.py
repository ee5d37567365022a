"""The city folder is read strictly, whole, and with errors that a person can act on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.city import City
from contracts.errors import Wrong
from contracts.geo import Point, along, distance_m, length_m, wgs84_to_gcj02
from detectors.severed_cable import SPEC
from gridsentry.city import CityProblems, load_city, read_city

Folder = Callable[..., Path]
SQUARE = [[[118.0, 32.0], [118.1, 32.0], [118.1, 32.1], [118.0, 32.1], [118.0, 32.0]]]


def feature(shape: str | None, coordinates: Any, **properties: Any) -> dict[str, Any]:
    geometry = None if shape is None else {"type": shape, "coordinates": coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def collection(*features: dict[str, Any], **more: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features, **more})


GRIDS = collection(
    feature("Polygon", SQUARE, id="g-1", name="金山社区", level="community"),
    feature("Polygon", SQUARE, id="g-1-1", name="第一网格", parent="g-1", level="grid"),
)
DEVICES = (
    "id,district,type,lon,lat,owner,site,reports_every_s,metrics\n"
    "lv-1,west,water_level,118.05,32.05,water,net-1,60,level;rain_rate\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Writes a minimal folder; files given by name replace or join it."""

    def write(files: dict[str, str | bytes] | None = None) -> Path:
        every: dict[str, str | bytes] = {
            "city.toml": 'id = "demo"\ntimezone = "Asia/Shanghai"\n',
            "grids.geojson": GRIDS,
            "devices.csv": DEVICES,
            **(files or {}),
        }
        for name, content in every.items():
            path = tmp_path / "city" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / "city"

    return write


def problems(path: Path) -> list[Wrong]:
    with pytest.raises(CityProblems) as caught:
        load_city(path)
    return caught.value.problems


def test_the_three_required_files_make_a_city(folder: Folder) -> None:
    city = load_city(folder())
    assert (city.id, city.timezone, city.profile.name) == ("demo", "Asia/Shanghai", "cn-default")
    assert [grid.name for grid in city.grids] == ["金山社区", "第一网格"]
    device = city.devices["lv-1"]
    assert device.metrics == ("level", "rain_rate")
    assert (device.site, device.owner, device.reports_every_s) == ("net-1", "water", 60)
    assert city.drains is None
    assert city.lines == ()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    found = problems(tmp_path)
    assert [problem.where for problem in found] == ["city.toml", "grids.geojson", "devices.csv"]


def test_every_wrong_cell_is_reported_with_line_column_value_and_what_is_allowed(
    folder: Folder,
) -> None:
    rows = (
        "id,district,type,lon,lat\n\nok,west,camera,118,32\n"
        "bad id,west,camera,118,132\nno-lat,west,camera,118,\nnan,west,camera,nan,32\n"
    )
    found = problems(folder({"devices.csv": rows}))
    assert [(p.where, p.found) for p in found] == [
        ("devices.csv, line 4, column id", "'bad id'"),
        ("devices.csv, line 4, column lat", "'132'"),
        ("devices.csv, line 5, column lat", "missing"),
        ("devices.csv, line 6, column lon", "'nan'"),
    ]
    assert "-90 to 90" in found[1].allowed


def test_problems_of_all_files_come_at_once(folder: Folder) -> None:
    path = folder(
        {
            "city.toml": 'id = "demo"\ntimezone = "Asia/Peking"\nprofil = "x"\n',
            "workers.csv": "id,name,grid,shift,lon,lat\nw-1,张三,g-9,08:00-18:00,118,32\n",
            "rules.toml": '[[rule]]\nkind = "floding"\nutility = "nobody"\n',
        }
    )
    places = [problem.where for problem in problems(path)]
    assert "city.toml, profil" in places
    assert "workers.csv, line 2, column grid" in places
    assert "rules.toml, rule 1, kind" in places
    assert "rules.toml, rule 1, utility" in places


def test_an_unknown_column_is_refused_with_the_nearest_name(folder: Folder) -> None:
    (found,) = problems(folder({"devices.csv": "id,district,type,lonn,lat\nx,w,t,1,1\n"}))
    assert found.where == "devices.csv, line 1, column lonn"
    assert "did you mean lon?" in found.allowed


def test_byte_order_mark_and_crlf_are_read(folder: Folder) -> None:
    city = load_city(
        folder({"devices.csv": b"\xef\xbb\xbf" + DEVICES.replace("\n", "\r\n").encode()})
    )
    assert list(city.devices) == ["lv-1", "web"]


def test_a_gbk_table_is_told_to_be_saved_as_utf8(folder: Folder) -> None:
    rows = "id,name,grid,lon,lat\nw-1,王五,g-1,118,32\n".encode("gbk")
    (found,) = problems(folder({"workers.csv": rows}))
    assert found.where == "workers.csv, line 2"
    assert "GBK" in found.found
    assert "UTF-8" in found.allowed


def test_an_id_given_twice_is_refused(folder: Folder) -> None:
    (found,) = problems(folder({"devices.csv": DEVICES + DEVICES.splitlines()[1] + "\n"}))
    assert found.where == "devices.csv, line 3, column id"


def test_positions_in_gcj02_become_wgs84(folder: Folder) -> None:
    true = Point(118.05, 32.05)
    shifted = wgs84_to_gcj02(true)
    assert distance_m(true, shifted) > 100
    row = f"id,district,type,lon,lat,crs\nx,w,t,{shifted.lon},{shifted.lat},gcj02\n"
    assert distance_m(load_city(folder({"devices.csv": row})).devices["x"].point, true) < 0.1


def test_a_grid_needs_an_existing_parent_and_no_circle(folder: Folder) -> None:
    lost = collection(feature("Polygon", SQUARE, id="a", name="a", parent="zz"))
    assert problems(folder({"grids.geojson": lost}))[0].found == "there is no grid zz"
    circle = collection(
        feature("Polygon", SQUARE, id="a", name="a", parent="b"),
        feature("Polygon", SQUARE, id="b", name="b", parent="a"),
    )
    assert "inside itself" in problems(folder({"grids.geojson": circle}))[0].found


def test_a_level_may_be_a_number(folder: Folder) -> None:
    grids = collection(feature("Polygon", SQUARE, id=320101, name="一", level=3))
    (grid,) = load_city(folder({"grids.geojson": grids})).grids
    assert (grid.id, grid.level) == ("320101", "3")


def test_an_unknown_profile_is_named_by_file_and_field(folder: Folder) -> None:
    toml = 'id = "demo"\ntimezone = "Asia/Shanghai"\nprofile = "national"\n'
    (found,) = problems(folder({"city.toml": toml}))
    assert found.where == "city.toml, profile"
    assert "cn-default" in found.allowed
    assert "file" in found.allowed


def test_a_polygon_that_crosses_itself_is_refused(folder: Folder) -> None:
    bow = [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]
    (found,) = problems(folder({"grids.geojson": collection(feature("Polygon", bow, id="a"))}))
    assert found.where == "grids.geojson, feature 1 (a), geometry"
    assert "Self-intersection" in found.found


def test_files_nobody_reads_are_said(folder: Folder) -> None:
    loaded = read_city(folder({"device.csv": "x", "notes.md": "x"}))
    assert [w for w in loaded.warnings if "left aside" in w] == [
        "device.csv: not a file of a city folder: left aside"
    ]


def test_a_profile_file_of_the_folder_is_used(folder: Folder) -> None:
    city = load_city(
        folder(
            {
                "city.toml": 'id = "d"\ntimezone = "UTC"\nprofile = "mine.toml"\n',
                "mine.toml": 'base = "cn-default"\nname = "mine"\n',
            }
        )
    )
    assert city.profile.name == "mine"
    (found,) = problems(
        folder({"city.toml": 'id = "d"\ntimezone = "UTC"\nprofile = "other.toml"\n'})
    )
    assert found.where == "city.toml, profile"


def test_workers_utilities_rules_works_and_resources_are_read(folder: Folder) -> None:
    city = load_city(
        folder(
            {
                "workers.csv": "id,name,role,grid,skills,shift,电话,lon,lat\n"
                "w-1,张三,网格员,g-1-1,drain;first_aid,8:00-12:00;14:00-18:00,660017,118.05,32.05\n"
                "w-2,李四,helper,g-1,,,,,\n",
                "utilities.csv": "id,name,owners,restricted\nwater,水务集团,water;drainage,true\n",
                "rules.toml": '[[rule]]\nkind = ["flooding", "drain_blocked"]\ngrid = "g-1"\n'
                'department = "water"\nlane = "joint"\nhelpers = 2\n',
                "works.csv": "id,kind,start,end,lon,lat,assets,note\n"
                "wk,repair,2026-05-01 08:00,2026-05-01T18:00:00+08:00,118.05,32.05,lv-1,\n",
                "resources.csv": "id,type,name,lon,lat,count\np1,pump,6寸泵,118,32,3\n",
            }
        )
    )
    assert city.workers["w-1"].shift == "08:00-12:00;14:00-18:00"
    assert (city.workers["w-1"].phone, city.workers["w-2"].phone) == ("660017", "")
    assert city.workers["w-1"].skills == ("drain", "first_aid")
    assert 118.0 < city.workers["w-2"].point.lon < 118.1
    assert city.utilities["water"].owners == ("water", "drainage", "水务集团")
    assert city.utilities["water"].restricted
    assert [(r.kind, r.utility, r.helpers) for r in city.rules] == [
        ("flooding", "water", 2),
        ("drain_blocked", "water", 2),
    ]
    assert city.works[0].start.isoformat() == "2026-05-01T00:00:00+00:00"
    assert city.resources["p1"].count == 3


def test_a_shift_that_is_none_is_refused(folder: Folder) -> None:
    (found,) = problems(
        folder({"workers.csv": "id,name,grid,shift,lon,lat\nw,王,g-1,8 to 6,118,32\n"})
    )
    assert found.where == "workers.csv, line 2, column shift"


def test_a_worker_far_away_and_a_shift_without_an_end_are_warned_of(folder: Folder) -> None:
    loaded = read_city(
        folder(
            {
                "workers.csv": "id,name,grid,shift,lon,lat\n"
                "w-1,张三,g-1,08:00-08:00,118.05,32.05\n"
                "w-2,李四,g-1,22:00-06:00,108.05,32.05\n"
                "w-3,王五,,,108.05,32.05\n"
                "w-4,赵六,g-1,,118.15,32.05\n"
            }
        )
    )
    said = [str(problem) for problem in loaded.warnings if "workers.csv" in str(problem)]
    assert len(said) == 3
    assert "08:00-08:00 begins when it ends: taken as day and night" in said[0]
    assert "w-2 is 937 km from their grid g-1: are they right?" in said[1]
    assert "w-3 is 937 km from any grid of the city" in said[2]
    assert loaded.city.workers["w-2"].shift == "22:00-06:00"


def test_an_owner_without_utility_is_said(folder: Folder) -> None:
    loaded = read_city(folder({"utilities.csv": "id,name\npower,国网\n"}))
    assert any("owner water belongs to no utility" in text for text in loaded.warnings)


# --- drains ---------------------------------------------------------------------------------


def test_drains_are_nodes_pipes_and_closing_lines(folder: Folder) -> None:
    drains = collection(
        feature("Point", [118.0, 32.0], id="m1", invert_m=3.2, rim_m=5.0),
        feature("Point", [118.001, 32.0], id="m2"),
        feature(
            "LineString", [[118.001, 32.0], [118.0, 32.0]], id="p1", **{"from": "m1", "to": "m2"}
        ),
        feature(None, None, id="lv-1", warn_m=0.15, close_m=0.27),
    )
    drained = load_city(folder({"drains.geojson": drains})).drains
    assert drained is not None
    assert drained.nodes["m1"].invert_m == 3.2
    assert drained.nodes["lv-1"].close_m == 0.27
    assert drained.nodes["lv-1"].point == Point(118.05, 32.05)
    assert drained.pipes["p1"].path[0] == Point(118.0, 32.0)  # turned to run from m1


def test_closing_lines_of_a_device_need_no_id_of_their_own(folder: Folder) -> None:
    drains = collection(feature(None, None, device="lv-1", warn_m=0.1, close_m=0.27))
    city = load_city(folder({"drains.geojson": drains}))
    assert city.drains is not None
    assert city.drains.nodes["lv-1"].close_m == 0.27


def test_a_pipe_to_nowhere_and_crossed_closing_lines_are_refused(folder: Folder) -> None:
    drains = collection(
        feature("Point", [118.0, 32.0], id="m1", warn_m=2, close_m=1),
        feature("LineString", [[118, 32], [118.1, 32]], id="p", **{"from": "m1", "to": "m7"}),
    )
    assert [problem.where for problem in problems(folder({"drains.geojson": drains}))] == [
        "drains.geojson, feature 1 (m1), warn_m",
        "drains.geojson, feature 2 (p), to",
    ]


# --- lines ----------------------------------------------------------------------------------

LINE_DEVICES = (
    "id,district,type,lon,lat,owner,site,reports_every_s,metrics\n"
    "otdr-1,west,otdr,118.0,32.0,telecom,f-1,3600,\n"
    "v1,west,line_monitor,118.0000,32.01,power,feeder,60,voltage_a;voltage_b\n"
    "v2,west,line_monitor,118.0019,32.01,power,feeder,60,voltage_a\n"
)
PATH = [[118.0, 32.0], [118.02, 32.0]]


def with_lines(folder: Folder, *features: dict[str, Any], **files: str | bytes) -> City:
    return load_city(
        folder({"lines.geojson": collection(*features), "devices.csv": LINE_DEVICES, **files})
    )


def span(name: str, start: str, end: str) -> dict[str, Any]:
    return feature(None, None, id=name, **{"from": start, "to": end})


def pole(name: str, lon: float, **more: Any) -> dict[str, Any]:
    return feature("Point", [lon, 32.01], id=name, **more)


def test_an_overhead_line_gets_its_root_its_name_and_its_monitors(folder: Folder) -> None:
    city = with_lines(
        folder,
        pole("t", 118.0, kind="transformer", device="v1"),
        pole("a", 118.001),
        pole("b", 118.002),
        span("s1", "t", "a"),
        span("s2", "b", "a"),  # written towards the root
    )
    (line,) = city.lines
    assert (line.id, line.root) == ("feeder", "t")
    assert {node.id: node.device for node in line.nodes.values()} == {
        "t": "v1",
        "a": None,
        "b": "v2",
    }
    assert (line.spans["s2"].from_, line.spans["s2"].to) == ("a", "b")
    assert line.nodes["a"].what == "pole"


def test_a_recorder_beside_a_monitor_pushes_nobody_to_the_next_pole(folder: Folder) -> None:
    rec = "r1,west,fault_recorder,118.0019,32.01,power,feeder,,\n"
    city = with_lines(
        folder,
        pole("t", 118.0, kind="transformer", device="v1"),
        pole("a", 118.001),
        pole("b", 118.002),
        span("s1", "t", "a"),
        span("s2", "a", "b"),
        **{"devices.csv": LINE_DEVICES + rec},
    )
    (line,) = city.lines
    assert {n.id: n.device for n in line.nodes.values()} == {"t": "v1", "a": None, "b": "v2"}
    (at,) = SPEC.sites(city, SPEC.config())
    assert "r1" in {device.id for device in at.devices}, "its records are heard all the same"


def test_a_shared_pole_says_whose_cables_hang_on_it(folder: Folder) -> None:
    city = with_lines(
        folder,
        pole("t", 118.0, kind="transformer", owner="power"),
        pole("a", 118.001, owner="power;telecom", carries=["tv", "telecom"]),
        feature(
            None,
            None,
            **{"id": "s1", "from": "t", "to": "a", "kv": 0.4, "phases": "abcn", "switch": True},
            owner=["power", "tv"],
        ),
    )
    (line,) = city.lines
    assert (line.nodes["t"].owner, line.nodes["t"].carries) == ("power", ())
    assert (line.nodes["a"].owner, line.nodes["a"].carries) == ("power", ("telecom", "tv"))
    found = line.spans["s1"]
    assert (found.owner, found.carries) == ("power", ("tv",))
    assert (found.kv, found.phases, found.switch) == (0.4, "abcn", True)


def test_conductors_nobody_has_are_refused(folder: Folder) -> None:
    wrong = feature(None, None, **{"id": "s1", "from": "t", "to": "a", "phases": "xyz"})
    lines = collection(pole("t", 118.0, kind="transformer"), pole("a", 118.001), wrong)
    (found,) = problems(folder({"lines.geojson": lines, "devices.csv": LINE_DEVICES}))
    assert found.where.endswith("phases")
    assert "a, b, c, n" in str(found)


def test_a_customer_that_says_its_pole_hangs_on_it(folder: Folder) -> None:
    city = with_lines(
        folder,
        pole("t", 118.0, kind="transformer"),
        pole("a", 118.001),
        pole("v1", 118.0011, kind="customer", **{"from": "a"}),
        pole("v2", 118.0012, **{"from": "a"}),  # a point with `from` can be nothing else
        span("s1", "t", "a"),
    )
    (line,) = city.lines
    assert {node.id: node.what for node in line.nodes.values()} == {
        "t": "transformer",
        "a": "pole",
        "v1": "customer",
        "v2": "customer",
    }
    assert {(s.from_, s.to) for s in line.spans.values()} == {("t", "a"), ("a", "v1"), ("a", "v2")}
    with pytest.raises(CityProblems, match="there is no node z"):
        with_lines(folder, pole("v1", 118.0011, kind="customer", **{"from": "z"}))


def test_without_a_transformer_the_root_is_the_node_no_span_leads_to(folder: Folder) -> None:
    city = with_lines(
        folder, pole("x", 118.2), pole("y", 118.3), span("s", "y", "x"), pole("alone", 118.4)
    )
    assert [(line.id, line.root) for line in city.lines] == [("y", "y")]


@pytest.mark.parametrize(
    ("more", "start", "forward"),
    [
        ({"start": 12.5, "direction": "forward"}, 12.5, True),
        ({"start": "0", "direction": -1}, 0.0, False),
        ({"start": "otdr-1"}, 0.0, True),
        ({"start": [118.02, 32.0]}, 1885.98, False),
        ({"start": "far"}, 1885.98, False),
        ({"start": "far", "direction": "otdr-1"}, 1885.98, False),
        ({"kind": "fibre"}, 0.0, True),
        ({"start": "end"}, 1885.98, False),
    ],
)
def test_a_fibre_says_where_its_zero_is_and_which_way_it_looks(
    folder: Folder, more: dict[str, Any], start: float, forward: bool
) -> None:
    city = with_lines(
        folder,
        feature("LineString", PATH, id="f-1", **more),
        feature("Point", [118.02, 32.0], id="far", kind="splice"),
    )
    fibre = city.fibres["f-1"]
    assert fibre.device == "otdr-1"
    assert fibre.start_m == pytest.approx(start, abs=0.1)
    assert fibre.forward is forward
    assert length_m(fibre.path) == pytest.approx(1885.98, abs=0.2)
    assert along(fibre.path, 0) == Point(118.0, 32.0)


def test_the_baseline_trace_is_read_and_a_missing_one_refused(folder: Folder) -> None:
    line = feature("LineString", PATH, id="f-1", start=0, baseline="traces/ok.sor")
    city = with_lines(folder, line, **{"traces/ok.sor": b"Map\0rest"})
    assert city.fibres["f-1"].baseline == b"Map\0rest"
    lost = feature("LineString", PATH, id="f-1", start=0, baseline="lost.sor")
    (found,) = problems(folder({"lines.geojson": collection(lost)}))
    assert found.where == "lines.geojson, feature 1 (f-1), baseline"


def test_splices_along_a_fibre_are_its_known_places(folder: Folder) -> None:
    """Drawn ones only tell where; one whose chainage counts spare cable tells the light too."""
    joints = [
        feature("Point", [118.005, 32.0001], id="j1", kind="splice", owner="telecom"),
        feature("Point", [118.01, 32.0], id="j2", kind="splice", owner="telecom", chainage_m=990),
        feature("Point", [118.012, 32.0], id="j3", kind="splice", owner="power"),
        feature("Point", [118.015, 32.001], id="j4", kind="splice", owner="telecom"),
    ]
    line = feature("LineString", PATH, id="f-1", start=0, owner="telecom")
    marks = with_lines(folder, *joints, line).fibres["f-1"].marks
    assert [light for light, _ in marks] == [None, 990]
    assert [chainage for _, chainage in marks] == pytest.approx([471.5, 943], abs=1)
    back = feature("LineString", PATH, id="f-1", start="end", direction="backward",
                   owner="telecom", marks=[[120, 1700], [None, 900]])  # fmt: skip
    assert with_lines(folder, *joints, back).fibres["f-1"].marks == ((120, 1700), (None, 900))
    wrong = feature("LineString", PATH, id="f-1", start=0, marks=[[5, 9000]])
    (found,) = problems(folder({"lines.geojson": collection(wrong)}))
    assert found.where == "lines.geojson, feature 1 (f-1), marks"


def test_a_fibre_without_a_route_and_a_line_that_is_nothing_are_refused(folder: Folder) -> None:
    found = problems(
        folder(
            {
                "lines.geojson": collection(
                    feature("Point", [118, 32], id="f", start=0, direction="forward"),
                    feature("LineString", PATH, id="what"),
                    feature("Point", [118, 32], id="p", kind="polle"),
                    span("s", "p", "q"),
                )
            }
        )
    )
    assert [problem.where for problem in found] == [
        "lines.geojson, feature 2 (what)",
        "lines.geojson, feature 3 (p), kind",
        "lines.geojson, feature 1 (f), geometry",
        "lines.geojson, feature 4 (s), from",
        "lines.geojson, feature 4 (s), to",
    ]


# --- cameras --------------------------------------------------------------------------------

CAMERA = """
size = [1280, 720]
points = [[0, 0, 0, 60], [1280, 0, 20, 60], [1280, 720, 20, 0], [0, 720, 0, 0]]
"""


def with_camera(folder: Folder, text: str) -> Path:
    return folder({"cameras/lv-1.toml": CAMERA + text})


def test_floors_and_bays_make_the_windows(folder: Folder) -> None:
    path = with_camera(
        folder, "floors = 20\nbays = [0, 4.5, 9]\ndetect_mask = [[0,0],[9,0],[9,9]]\n"
    )
    camera = load_city(path).cameras["lv-1"]
    assert len(camera.zones) == 40
    window = next(zone for zone in camera.zones if zone.id == "F17-2")
    assert (window.floor, window.bay) == (17, 2)
    assert window.polygon == ((4.5, 48.0), (9.0, 48.0), (9.0, 51.0), (4.5, 51.0))
    assert camera.detect_mask == (((0, 0), (9, 0), (9, 9)),)


def test_floors_may_be_tables_and_zones_may_stand_beside_them(folder: Folder) -> None:
    path = with_camera(
        folder,
        "floors = [{floor = 3, bottom = 9, top = 12}]\nbays = [{bay = 2, left = 4, right = 8}]\n"
        'zones = [{id = "roof", what = "roof_edge", polygon = [[0, 60], [20, 60], [20, 61]]}]\n',
    )
    zones = load_city(path).cameras["lv-1"].zones
    assert [(zone.id, zone.what) for zone in zones] == [("F3-2", "window"), ("roof", "roof_edge")]


def test_points_on_one_line_calibrate_nothing_and_are_refused(folder: Folder) -> None:
    text = "size = [1280, 720]\npoints = [[1, 1, 0, 0], [2, 2, 1, 1], [3, 3, 2, 2], [9, 9, 4, 4]]\n"
    (found,) = problems(folder({"cameras/lv-1.toml": text}))
    assert found.where == "cameras/lv-1.toml, points"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("floors = [3, 2]\nbays = 2\n", "floors"),
        ("floors = 3\n", "bays"),
        ("distortion = [0.1]\n", "distortion"),
        ("privacy_mask = [[1, 2]]\n", "privacy_mask"),
        ("zonez = []\n", "zonez"),
    ],
)
def test_a_camera_that_cannot_be_meant_is_refused(folder: Folder, text: str, where: str) -> None:
    (found,) = problems(with_camera(folder, text))
    assert found.where == f"cameras/lv-1.toml, {where}"


def test_a_camera_of_an_unknown_device_is_refused(folder: Folder) -> None:
    (found,) = problems(folder({"cameras/cam-9.toml": CAMERA}))
    assert found.found == "there is no device cam-9"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("distortion = [0.1, 0, 0, 0]\n", (0.1, 0, 0, 0)),
        ("distortion = 0.1\n", (0.1, 0, 0, 0)),
        ("distortion = {k1 = 0.1, p2 = 0.2, focal_px = 900}\n", (0.1, 0, 0, 0.2, 0)),
    ],
)
def test_distortion_may_be_a_list_a_table_or_one_number(
    folder: Folder, text: str, made: tuple[float, ...]
) -> None:
    camera = load_city(with_camera(folder, text)).cameras["lv-1"]
    assert camera.distortion == made
    assert camera.focal_px == (900 if "focal" in text else 1280)


# --- what the contract leaves open ------------------------------------------------------------


def test_open_tables_leave_strange_columns_aside_and_refuse_misspelt_ones(folder: Folder) -> None:
    loaded = read_city(folder({"utilities.csv": "id,name,owner,homepage\nw,水务,water,x\n"}))
    assert loaded.city.utilities["w"].owners == ("water", "w", "水务")
    assert loaded.warnings == (
        "utilities.csv, line 1, column homepage: not a known column: left aside",
    )
    (found,) = problems(folder({"utilities.csv": "id,name,ownrs\nw,水务,water\n"}))
    assert found.where == "utilities.csv, line 1, column ownrs"


def test_rules_may_be_tables_by_kind_and_name_a_department(folder: Folder) -> None:
    city = load_city(
        folder(
            {
                "utilities.csv": "id,name,owners\nw,水务集团,water\n",
                "rules.toml": '[flooding]\ndepartment = "水务集团"\nlane = "会商"\n'
                'helpers = ["a", "b"]\n',
            }
        )
    )
    (rule,) = city.rules
    assert (rule.kind, rule.utility, rule.lane, rule.helpers) == ("flooding", "w", "joint", 2)
