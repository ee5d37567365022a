"""`gridsentry import-drains`: SWMM's network becomes the city's, in metres, where it lies."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from contracts.city import DrainNetwork
from contracts.errors import Wrong
from contracts.geo import Point, distance_m
from gridsentry.city import load_city
from gridsentry.city.init import init_city
from gridsentry.cli import main
from gridsentry.swmm.drains import drains_of
from gridsentry.swmm.place import projection

INP = """\
[TITLE]
A small town
[OPTIONS]
FLOW_UNITS           {units}
LINK_OFFSETS         {offsets}
[JUNCTIONS]
;;Name Elevation MaxDepth
A      100.0     10.0   0 0 0   ; the first
B@1    95.0      0      0 0 0
[OUTFALLS]
OUT    90.0      FREE
[CONDUITS]
A      A    B@1  300  0.013  0  0  0
C2     B@1  OUT  200  0.013  {lip}  0  0
[PUMPS]
P1     A    OUT  CURVE ON
[XSECTIONS]
A      CIRCULAR  2.0  0 0 0 1
C2     EGG       3.0  0 0 0 1
[COORDINATES]
A      1000  5000
B@1    1000  4700
OUT    1000  4500
[VERTICES]
A      1100  4850
"""
METRIC = INP.format(units="CMS", offsets="DEPTH", lip=0.5)
ORIGIN = Point(118.1, 26.05)


@pytest.fixture
def city(tmp_path: Path) -> Path:
    init_city(tmp_path / "city")
    return tmp_path / "city"


def write(folder: Path, text: str) -> Path:
    path = folder / "sewer.inp"
    path.write_text(text)
    return path


def imported(city: Path, text: str, *options: str) -> DrainNetwork:
    path = write(city.parent, text)
    assert main(["import-drains", str(path), "--city", str(city), "--replace", *options]) == 0
    drains = load_city(city).drains
    assert drains is not None
    return drains


def test_heights_lengths_and_sections_come_over_and_the_city_loads(city: Path) -> None:
    drains = imported(city, METRIC, "--origin", "118.1,26.05")
    assert {n: (d.invert_m, d.rim_m) for n, d in drains.nodes.items()} == {
        "A": (100.0, 110.0),
        "B-1": (95.0, 98.5),  # no depth: up to the crown of C2, whose lip is 0.5 m up
        "OUT": (90.0, None),
    }
    pipes = {k: (p.from_, p.to, p.diameter_m, p.length_m) for k, p in drains.pipes.items()}
    assert pipes == {
        "p-A": ("A", "B-1", 2.0, 300.0),  # the manhole already has the name A
        "C2": ("B-1", "OUT", 3.0, 200.0),
        "P1": ("A", "OUT", None, None),
    }
    assert len(drains.pipes["p-A"].path) == 3
    a, out = drains.nodes["A"].point, drains.nodes["OUT"].point
    assert distance_m(a, out) == pytest.approx(500, rel=1e-3)
    assert (a.lat + out.lat) / 2 == pytest.approx(26.05, abs=1e-6)


def test_a_file_in_feet_becomes_metres(city: Path) -> None:
    drains = imported(
        city, INP.format(units="CFS", offsets="DEPTH", lip=0.5), "--origin", "118.1,26.05"
    )
    assert drains.nodes["A"].rim_m == pytest.approx(110 * 0.3048, abs=1e-3)
    assert drains.pipes["C2"].length_m == pytest.approx(200 * 0.3048, abs=1e-3)
    a, out = drains.nodes["A"].point, drains.nodes["OUT"].point
    assert distance_m(a, out) == pytest.approx(500 * 0.3048, rel=1e-3)


def test_lips_given_as_elevations_are_lips(tmp_path: Path) -> None:
    text = INP.format(units="CMS", offsets="ELEVATION", lip=95.5)
    other = drains_of(write(tmp_path, text.replace("A    B@1  300", "A    B@1  300.0")),
                      origin=ORIGIN)  # fmt: skip
    assert other.geojson == drains_of(write(tmp_path, METRIC), origin=ORIGIN).geojson


def test_a_packed_file_is_the_same(tmp_path: Path) -> None:
    plain = drains_of(write(tmp_path, METRIC), origin=ORIGIN)
    packed = tmp_path / "sewer.inp.gz"
    packed.write_bytes(gzip.compress(METRIC.encode()))
    assert drains_of(packed, origin=ORIGIN).geojson == plain.geojson
    packed.write_bytes(packed.read_bytes()[:-30])
    with pytest.raises(Wrong, match="damaged gzip"):
        drains_of(packed, origin=ORIGIN)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("A      100.0", "A      high", "line 8, [JUNCTIONS]: elevation 'high'; allowed: a number"),
        ("B@1  300", "X    300", "line 13, [CONDUITS]: there is no node X"),
        ("OUT  200", "OUT  -2", "line 14, [CONDUITS]: length '-2'; allowed: a number above 0"),
        ("OUT    1000  4500", "OUT    1000", "line 23, [COORDINATES]: 2 values"),
        ("OUT    1000  4500", "", "[COORDINATES]: node OUT has none"),
        ("CMS", "CMM", "[OPTIONS] FLOW_UNITS: CMM; allowed: CFS, GPM"),
    ],
)
def test_an_error_names_line_and_section(
    city: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, says: str
) -> None:
    path = write(city.parent, METRIC.replace(old, new, 1))
    code = main(
        ["import-drains", str(path), "--city", str(city), "--origin", "118,26", "--replace"]
    )
    assert code == 2
    assert says in capsys.readouterr().err


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    bad = METRIC.replace("A      100.0", "A      high").replace("OUT  200", "OUT  x")
    with pytest.raises(Wrong) as caught:
        drains_of(write(tmp_path, bad), origin=ORIGIN)
    assert "line 8" in str(caught.value)
    assert "line 14" in str(caught.value)


def test_without_a_place_on_earth_it_asks_for_one(tmp_path: Path) -> None:
    with pytest.raises(Wrong, match=r"x 1000 to 1000, y 4500 to 5000.*--crs EPSG"):
        drains_of(write(tmp_path, METRIC))
    with pytest.raises(Wrong, match="in the system that --crs names"):
        drains_of(write(tmp_path, METRIC), crs="EPSG:4326")


def test_what_is_there_is_not_overwritten_unasked(city: Path) -> None:
    before = (city / "drains.geojson").read_bytes()
    path = write(city.parent, METRIC)
    assert main(["import-drains", str(path), "--city", str(city), "--origin", "118,26"]) == 2
    assert (city / "drains.geojson").read_bytes() == before


def test_projections_hit_published_points() -> None:
    # The meridian's arc from the equator to 45 degrees on WGS 84 is 4,984,944.378 m.
    for crs, x in (("EPSG:4534", 500_000), ("EPSG:4513", 25_500_000), ("4491", 13_500_000)):
        there = projection(crs).to_point(x, 4_984_944.378)
        assert there.lon == pytest.approx(75)
        assert there.lat == pytest.approx(45, abs=1e-8)
    tower = projection("EPSG:32631").to_point(448_252, 5_411_943)
    assert distance_m(tower, Point(2.2945, 48.8583)) < 10  # the Eiffel Tower
    south = projection("EPSG:32756").to_point(334_873, 6_252_266)
    assert distance_m(south, Point(151.2153, -33.8568)) < 50  # Sydney Opera House
    web = projection("EPSG:3857").to_point(20_037_508.34, 5_621_521.486)
    assert web.lon == pytest.approx(180)
    assert web.lat == pytest.approx(45, abs=1e-6)
    with pytest.raises(Wrong, match="EPSG:2274"):
        projection("EPSG:2274")


def test_the_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["import-drains", "--help"])
    text = capsys.readouterr().out
    assert "where on earth?" in text
    assert "--origin 118.10,26.05" in text


@pytest.mark.recordings
def test_public_networks_import_whole(recordings: Path) -> None:
    for name, nodes, pipes in (
        ("user3", 141, 139),
        ("user4", 209, 209),
        ("Greenville_EPA", 170, 233),
    ):
        path = recordings / "drainage" / "swmm" / f"{name}.inp.gz"
        got = drains_of(path, origin=ORIGIN)
        assert (got.nodes, got.pipes) == (nodes, pipes)
