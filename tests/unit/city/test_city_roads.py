"""`roads.osm.gz`: which ways count, where they are cut, and what is said of a file that is none."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pytest

from contracts.geo import Point, distance_m
from contracts.governance import Roads, governance
from gridsentry.city import init
from gridsentry.city.load import read_city
from gridsentry.city.notes import CityProblems, Notes
from gridsentry.city.roads import SOURCE, read_roads, there
from gridsentry.city.ways import BUSY, PUSHED, SHARED, STEPS_ON_FOOT, pace

M = 1 / 111_195.08  # degrees of latitude in a metre


def osm(nodes: dict[int, tuple[float, float]], ways: list[tuple[list[int], dict[str, str]]]) -> str:
    """An extract; nodes at (east, north) metres from 118.78 E on the equator."""
    text = [
        f'<node id="{n}" lon="{118.78 + e * M}" lat="{north * M}"/>'
        for n, (e, north) in nodes.items()
    ]
    for i, (refs, tags) in enumerate(ways):
        inner = "".join(f'<nd ref="{r}"/>' for r in refs)
        inner += "".join(f'<tag k="{k}" v="{v}"/>' for k, v in tags.items())
        text.append(f'<way id="{i}">{inner}</way>')
    return f'<?xml version="1.0"?><osm version="0.6">{"".join(text)}</osm>'


def read(tmp_path: Path, text: str, name: str = "roads.osm.gz") -> tuple[Roads | None, Notes]:
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    notes = Notes()
    return read_roads(path, (), notes), notes


def edges(roads: Roads) -> dict[tuple[float, float], tuple[float, float, float]]:
    """(from, to) as metres east → (metres, on foot, riding)."""
    east = [round((lon - 118.78) / M) for lon in roads.lon]
    assert roads.riding is not None
    return {
        (east[a], east[b]): (round(float(m), 1), round(float(f), 3), round(float(r), 3))
        for a, b, m, f, r in zip(
            roads.from_, roads.to, roads.metres, roads.factor, roads.riding, strict=True
        )
    }


def test_ways_are_cut_where_they_meet_and_every_80_metres(tmp_path: Path) -> None:
    nodes = {n: (9.0 * n, 0.0) for n in range(16)} | {50: (27.0, 79.0)}
    roads, notes = read(
        tmp_path,
        osm(nodes, [(list(range(16)), {"highway": "residential"}), ([3, 50], {"highway": "path"})]),
    )
    assert roads is not None
    found = edges(roads)
    assert set(found) >= {(0, 27), (27, 99), (99, 135), (135, 99), (99, 27), (27, 0)}
    assert found[27, 99] == (72.0, 1.0, 1.0)
    assert len(roads.lon) == 5
    assert roads.source == SOURCE
    assert notes.facts == ["roads.osm.gz: 5 places, 4 pieces, 0 km; " + SOURCE]


def test_metres_are_along_the_way_not_from_end_to_end(tmp_path: Path) -> None:
    nodes = {1: (0.0, 0.0), 2: (30.0, 40.0), 3: (60.0, 0.0)}
    roads, _ = read(tmp_path, osm(nodes, [([1, 2, 3], {"highway": "footway"})]), "roads.osm")
    assert roads is not None
    # Two pieces of 50 m: one of 100 m would be longer than 80.
    assert sorted(np.round(roads.metres)) == [50, 50, 50, 50]


def test_a_one_way_street_is_walked_both_ways_and_ridden_one_way(tmp_path: Path) -> None:
    nodes = {1: (0.0, 0.0), 2: (50.0, 0.0), 3: (90.0, 0.0)}
    ways = [
        ([1, 2], {"highway": "residential", "oneway": "yes"}),
        ([2, 3], {"highway": "service", "oneway": "-1"}),
    ]
    roads, _ = read(tmp_path, osm(nodes, ways))
    assert roads is not None
    assert edges(roads) == {
        (0, 50): (50.0, 1.0, 1.0),
        (50, 0): (50.0, 1.0, PUSHED),
        (50, 90): (40.0, 1.0, PUSHED),
        (90, 50): (40.0, 1.0, 1.0),
    }


@pytest.mark.parametrize(
    ("tags", "foot", "ride"),
    [
        ({"highway": "motorway"}, None, None),
        ({"highway": "motorway_link"}, None, None),
        ({"highway": "primary", "motorroad": "yes"}, None, None),
        ({"highway": "construction"}, None, None),
        ({"building": "yes"}, None, None),
        ({"highway": "steps"}, STEPS_ON_FOOT, 0.1),
        ({"highway": "footway"}, 1.0, SHARED),
        ({"highway": "footway", "bicycle": "no"}, 1.0, PUSHED),
        ({"highway": "path", "bicycle": "designated"}, 1.0, 1.0),
        ({"highway": "cycleway"}, 1.0, 1.0),
        ({"highway": "cycleway", "foot": "no"}, 0.0, 1.0),
        ({"highway": "trunk"}, BUSY, 1.0),
        ({"highway": "trunk", "sidewalk": "right"}, 1.0, 1.0),
        ({"highway": "residential", "access": "private"}, 1.0, 1.0),
        ({"highway": "service", "access": "no"}, None, None),
        ({"highway": "service", "access": "no", "foot": "yes"}, 1.0, PUSHED),
        ({"highway": "track", "surface": "mud"}, 0.5, SHARED / 2),
        ({"route": "ferry"}, 0.1, 0.1),
        ({"route": "ferry", "foot": "no"}, None, None),
    ],
)
def test_classes(tags: dict[str, str], foot: float | None, ride: float | None) -> None:
    found = pace(tags)
    assert (
        (foot, ride) == (None, None) if found is None else (found.foot, found.ride) == (foot, ride)
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<osm><node", "not XML to the end"),
        (b"<gpx></gpx>", "an XML file of <gpx>"),
        (b"<osm></osm>", "no street or path in it"),
        (b'<osm><way><nd ref="1"/></way></osm>', "no street or path in it"),
    ],
)
def test_what_is_no_map_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "roads.osm.gz").write_bytes(gzip.compress(content))
    notes = Notes()
    assert read_roads(tmp_path / "roads.osm.gz", (), notes) is None
    assert said in str(notes.problems[0])


def test_half_a_file_is_said(tmp_path: Path) -> None:
    whole = gzip.compress(osm({1: (0, 0), 2: (9, 9)}, [([1, 2], {"highway": "path"})]).encode())
    for part in (whole[: len(whole) // 2], b"PK\x03\x04 is a zip", b""):
        (tmp_path / "roads.osm.gz").write_bytes(part)
        notes = Notes()
        assert read_roads(tmp_path / "roads.osm.gz", (), notes) is None
        assert len(notes.problems) == 1


def test_a_form_we_do_not_read_says_how_to_convert_it(tmp_path: Path) -> None:
    (tmp_path / "roads.osm.pbf").write_bytes(b"\x00")
    notes = Notes()
    assert there(tmp_path, notes) is None
    assert "osmium cat roads.osm.pbf -o roads.osm.gz" in str(notes.problems[0])


def test_places_outside_the_extract_and_a_map_of_elsewhere_are_said(tmp_path: Path) -> None:
    folder = tmp_path / "city"
    init.init_city(folder)
    text = osm({1: (0, 0), 2: (50, 0)}, [([1, 2, 3], {"highway": "path"})])
    (folder / "roads.osm").write_text(text)
    loaded = read_city(folder)
    roads = governance(loaded.city).roads
    assert roads is not None
    assert len(roads.from_) == 2
    said = " ".join(loaded.warnings)
    assert "1 places of ways are not in the file" in said
    assert "none of the city's grids" in said
    (folder / "roads.osm").write_text("<osm>")
    with pytest.raises(CityProblems, match="not XML"):
        read_city(folder)


@pytest.mark.recordings
@pytest.mark.parametrize(
    ("name", "km"), [("krems", 226), ("monaco", 84), ("campo-grande", 1484)]
)  # fmt: skip
def test_real_extracts_are_read_and_hang_together(recordings: Path, name: str, km: int) -> None:
    notes = Notes()
    roads = read_roads(recordings / "roads" / f"{name}.osm.gz", (), notes)
    assert roads is not None
    assert not notes.problems
    assert float(roads.metres.sum()) / 2000 == pytest.approx(km, rel=0.02)
    for i in range(0, len(roads.from_), 97):
        a, b = (
            Point(float(roads.lon[n]), float(roads.lat[n])) for n in (roads.from_[i], roads.to[i])
        )
        assert roads.metres[i] >= distance_m(a, b) * 0.9999
    assert not math.isnan(float(roads.factor.sum()))
