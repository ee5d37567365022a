"""`gridsentry import-lines`: an OpenDSS circuit becomes the city's lines, away from the source."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contracts.city import LineNetwork
from contracts.errors import Wrong
from contracts.geo import Point, distance_m
from gridsentry.city import load_city
from gridsentry.city.init import init_city
from gridsentry.cli import main
from gridsentry.opendss.lines import lines_of

DSS = """\
clear
new circuit.乡 basekv=10 bus1=src phases=3
redirect codes.dss
! written against the current's way: pole 2 is nearer to the source than pole 3
new line.a phases=3 bus1=src bus2=p2 linecode=mv length=0.3 units=km
new line.b phases=3 bus1=p3 bus2=p2 linecode=mv length=200 units=m
new line.sw phases=3 bus1=p3 bus2=p4 switch=yes
new line.tie phases=3 bus1=p4 bus2=far switch=yes
open line.tie 2
new line.fused phases=1 bus1=p2.2 bus2=p5.2 linecode=one length=100 units=m
new fuse.f monitoredobj=line.fused monitoredterm=1
new transformer.t windings=2 buses=[p4 low] conns=[delta wye] kvs=[10 0.4] kvas=[200 200]
new line.lv phases=3 bus1=low bus2=house linecode=mv length=50 units=m
new load.h bus1=house.1 phases=1 kv=0.23 kw=4
new load.m bus1=p2 phases=3 kv=10 kw=30
new load.q bus1=p2.1 phases=1 kv=5.77 kw=1
"""
CODES = "new linecode.mv nphases=3 r1=0.3 x1=0.3 units=km\nnew linecode.one nphases=1 units=km\n"
XY = "src, 0, 0\np2, 300, 0\np3, 500, 0\np4, 510, 0\nfar, 900, 0\np5, 300, 100\nhouse, 560, 0\n"
ORIGIN = Point(118.78, 31.26)


@pytest.fixture
def city(tmp_path: Path) -> Path:
    init_city(tmp_path / "city")
    return tmp_path / "city"


def write(folder: Path, text: str = DSS, xy: str | None = XY) -> Path:
    path = folder / "master.dss"
    (folder / "codes.dss").write_text(CODES)
    if xy is not None:
        (folder / "coords.csv").write_text(xy)
        text += "makebuslist\nbuscoords coords.csv\n"
    path.write_text(text, encoding="utf-8")
    return path


def imported(city: Path, *options: str) -> LineNetwork:
    path = write(city.parent)
    place = ("--origin", "118.78,31.26", "--line", "10kV-1")
    assert (
        main(["import-lines", str(path), "--city", str(city), "--replace", *place, *options]) == 0
    )
    (line,) = (one for one in load_city(city).lines if one.id == "10kV-1")
    return line


def test_a_line_that_is_disabled_is_left_out_and_said(
    city: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Written from either side, before or after the script solves."""
    path = write(
        city.parent,
        DSS + "new line.spare phases=3 bus1=p5 bus2=p9 linecode=mv length=1 units=km enabled=no\n"
        "solve\nnew line.after phases=3 bus1=p4 bus2=p8 linecode=mv length=1 units=km\n"
        "new load.there bus1=p8 phases=3 kv=10 kw=20\n"
        "new line.later phases=2 bus1=p4.1.3 bus2=far.1.3 linecode=mv length=1 units=km\n",
    )
    assert main(["import-lines", str(path), "--city", str(city), "--replace",
                 "--origin", "118.78,31.26", "--line", "10kV-1"]) == 0  # fmt: skip
    assert "are open or disabled: left out (" in (said := capsys.readouterr().out)
    assert "spare" in said
    (line,) = (one for one in load_city(city).lines if one.id == "10kV-1")
    assert "spare" not in line.spans
    assert line.spans["later"].phases == "ac"
    assert line.spans["after"].to == "p8"


def test_spans_lead_away_from_the_source_with_kv_phases_switch_and_distance(city: Path) -> None:
    line = imported(city)
    assert line.root == "src"
    spans = {
        s.id: (s.from_, s.to, s.kv, s.phases, s.switch, s.chainage_m) for s in line.spans.values()
    }
    assert spans == {
        "a": ("src", "p2", 10.0, "abc", False, 0.0),
        "b": ("p2", "p3", 10.0, "abc", False, 300.0),
        "sw": ("p3", "p4", 10.0, "abc", True, 500.0),
        "fused": ("p2", "p5", 10.0, "b", True, 300.0),
        "lv": ("p4", "house", 0.4, "abc", False, 510.0),
        "p2-c-p2": ("p2", "c-p2", 10.0, "abc", False, 300.0),
    }
    assert distance_m(line.nodes["src"].point, line.nodes["p3"].point) == pytest.approx(500, abs=1)


def test_transformers_step_down_and_loads_are_customers(city: Path) -> None:
    line = imported(city)
    what = {node.id: node.what for node in line.nodes.values()}
    assert what == {
        "src": "transformer", "p2": "pole", "p3": "pole", "p4": "transformer", "p5": "pole",
        "house": "customer", "c-p2": "customer",
    }  # fmt: skip
    drop = distance_m(line.nodes["p2"].point, line.nodes["c-p2"].point)
    assert drop == pytest.approx(12, abs=0.1)


@pytest.mark.parametrize(("which", "customers"), [("ends", {"house"}), ("none", set[str]())])
def test_customers_may_be_left_out(city: Path, which: str, customers: set[str]) -> None:
    line = imported(city, "--customers", which)
    assert {n.id for n in line.nodes.values() if n.what == "customer"} == customers


def test_what_is_left_out_is_said(city: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported(city)
    told = capsys.readouterr().out
    assert "1 are open or disabled: left out (tie)" in told
    assert "1 are not fed from the source: left out (far)" in told
    assert "3 poles, 2 transformers, 2 customers, 6 spans" in told
    assert "a unit taken as 1 m" in told


def test_a_bus_without_a_place_is_drawn_where_its_neighbour_is(tmp_path: Path) -> None:
    got = lines_of(write(tmp_path, xy=XY.replace("p3, 500, 0\n", "")), origin=ORIGIN)
    assert any("1 have no coordinates" in one and "p3" in one for one in got.warnings)
    at = {
        f["properties"]["id"]: f["geometry"]["coordinates"]
        for f in json.loads(got.geojson)["features"]
    }
    assert at["p3"] == at["p2"]


def test_a_loop_is_kept_and_said(tmp_path: Path) -> None:
    ring = "new line.ring phases=3 bus1=src bus2=p3 linecode=mv length=500 units=m\n"
    got = lines_of(write(tmp_path, DSS + ring), origin=ORIGIN)
    assert any("1 close a loop" in one for one in got.warnings)
    assert got.counts["spans"] == 7


def test_degrees_are_taken_as_they_are(tmp_path: Path) -> None:
    xy = "src, 118.78, 31.26\np2, 118.783, 31.26\np4, 118.785, 31.26\nhouse, 118.786, 31.26\n"
    with pytest.raises(Wrong, match="--crs EPSG:4326 if these are degrees"):
        lines_of(write(tmp_path, xy=xy))
    got = lines_of(write(tmp_path, xy=xy), crs="EPSG:4326")
    assert got.west_south == Point(118.78, 31.26)


@pytest.mark.parametrize(
    ("text", "xy", "said"),
    [
        (DSS.replace("linecode=mv length=0.3", "linecode=nil length=0.3"), XY, "line: 5"),
        ("! nothing\n", XY, "OpenDSS"),
        (DSS, None, "none of 8 buses has coordinates"),
        ("clear\nnew circuit.x bus1=src\n", "src, 0, 0\n", "no line leads away from the source"),
    ],
)
def test_what_cannot_be_used_is_told_with_file_and_line(
    city: Path, capsys: pytest.CaptureFixture[str], text: str, xy: str | None, said: str
) -> None:
    path = write(city.parent, text, xy)
    args = ["import-lines", str(path), "--city", str(city), "--origin", "118.78,31.26", "--replace"]
    assert main(args) == 2
    told = capsys.readouterr().err
    assert said in told


def test_a_file_of_coordinates_beside_the_script_is_pointed_at(tmp_path: Path) -> None:
    path = write(tmp_path, xy=None)
    (tmp_path / "BusCoords.dat").write_text(XY)
    with pytest.raises(Wrong, match=r"BusCoords\.dat beside it"):
        lines_of(path, origin=ORIGIN)
    assert (
        lines_of(path, coordinates=tmp_path / "BusCoords.dat", origin=ORIGIN).counts["poles"] == 3
    )


def test_what_is_there_is_not_overwritten_unasked(city: Path) -> None:
    (city / "lines.geojson").write_text("{}")
    path = write(city.parent)
    assert main(["import-lines", str(path), "--city", str(city), "--origin", "118,26"]) == 2
    assert (city / "lines.geojson").read_text() == "{}"


def test_the_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["import-lines", "--help"])
    text = capsys.readouterr().out
    assert "where on earth?" in text and "--coords 13Bus/IEEE13Node_BusXY.csv" in text
    assert "carries" in text


@pytest.mark.recordings
@pytest.mark.parametrize(
    ("master", "coords", "spans", "switches"),
    [
        ("13Bus/IEEE13Nodeckt.dss", "13Bus/IEEE13Node_BusXY.csv", 12, 1),
        ("123Bus/IEEE123Master.dss", "123Bus/BusCoords.dat", 124, 6),
    ],
)
def test_the_ieee_feeders_import_whole(
    recordings: Path, master: str, coords: str, spans: int, switches: int
) -> None:
    folder = recordings / "lines" / "feeders"
    got = lines_of(folder / master, coordinates=folder / coords, origin=ORIGIN, customers="none")
    found = [f["properties"] for f in json.loads(got.geojson)["features"]]
    lines = [one for one in found if one["kind"] == "span"]
    assert len(lines) == got.counts["spans"] == spans
    assert sum(one.get("switch", False) for one in lines) == switches
    assert {one["kv"] for one in lines} == {4.16}
    led_to = [one["to"] for one in lines]
    assert len(set(led_to)) == len(led_to), "a tree: each node is fed once"
