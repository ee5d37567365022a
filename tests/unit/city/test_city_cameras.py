"""A camera's calibration: points, lines and a picture, judged so that a mistake is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from rich.console import Console

from contracts.city import Camera
from contracts.errors import Wrong
from gridsentry.city import CityProblems, load_city, read_city
from gridsentry.city.calibration import Lens
from gridsentry.city.check import check_city, print_report

SIZE = (1280, 720)
SEEN = np.array([[30.0, 4.0, 200.0], [1.5, -26.0, 700.0], [0.001, 0.006, 1.0]])
"""Metres on a wall to pixels, for a camera that looks up at it."""
BEND = (-0.18, 0.03, 0.001, 0.0)
Folder = Callable[[str], Path]


def pixel(u: float, v: float, bend: tuple[float, ...] = ()) -> list[float]:
    x, y, w = SEEN @ np.array([u, v, 1.0])
    return [float(part) for part in Lens(SIZE, bend, 1000).bent(np.array([[x / w, y / w]]))[0]]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    def write(camera: str) -> Path:
        square = [[[118.0, 32.0], [118.1, 32.0], [118.1, 32.1], [118.0, 32.0]]]
        grid = {
            "type": "Feature",
            "properties": {"id": "g-1", "name": "g", "level": "grid"},
            "geometry": {"type": "Polygon", "coordinates": square},
        }
        (tmp_path / "cameras").mkdir(exist_ok=True)
        (tmp_path / "city.toml").write_text('id = "demo"\ntimezone = "Asia/Shanghai"\n')
        (tmp_path / "grids.geojson").write_text(
            json.dumps({"type": "FeatureCollection", "features": [grid]})
        )
        (tmp_path / "devices.csv").write_text(
            "id,district,type,lon,lat\ncam-1,west,camera,118.05,32.01\n"
        )
        (tmp_path / "cameras/cam-1.toml").write_text(f"size = {list(SIZE)}\n{camera}")
        return tmp_path

    return write


def lines(
    floors: tuple[float, ...] = (0, 9, 18, 27), bays: tuple[float, ...] = (0, 8, 16, 24),
    bend: tuple[float, ...] = (), wrong: dict[float, float] | None = None,
) -> str:  # fmt: skip
    """The file's lines; `wrong` floors are written down at another height than they were seen."""
    told = wrong or {}
    rows = [
        f"{{v = {told.get(v, v)}, line = {[pixel(1, v, bend), pixel(23, v, bend)]}}}"
        for v in floors
    ]
    columns = [f"{{u = {u}, line = {[pixel(u, 1, bend), pixel(u, 26, bend)]}}}" for u in bays]
    text = f"floor_lines = [{', '.join(rows)}]\nbay_lines = [{', '.join(columns)}]\n"
    return text + (f"distortion = {list(bend)}\nfocal_px = 1000\n" if bend else "")


def camera(path: Path) -> Camera:
    return load_city(path).cameras["cam-1"]


def problem(path: Path) -> Wrong:
    with pytest.raises(CityProblems) as error:
        read_city(path)
    (one,) = error.value.problems
    return one


@pytest.mark.parametrize("bend", [(), BEND])
def test_lines_become_correspondences_where_they_meet(
    folder: Folder, bend: tuple[float, ...]
) -> None:
    points = camera(folder(lines(bend=bend))).points
    assert len(points) == 16
    for px, py, u, v in points:
        assert np.allclose(pixel(u, v, bend), (px, py), atol=0.3)


def test_lines_and_points_count_together_and_floors_take_their_range(folder: Folder) -> None:
    more = (
        f"points = [{[*pixel(12, 4), 12, 4]}, {[*pixel(20, 20), 20, 20]}]\nfloors = 9\nbays = 6\n"
    )
    found = camera(folder(lines((0, 27), (0, 24)) + more))
    assert len(found.points) == 6 and len(found.zones) == 54
    assert found.zones[0].polygon[2] == (4.0, 3.0)


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        (lines(floors=(0,)), "floor_lines", "1"),
        (lines(bays=()), "bay_lines", "0"),
        (lines(wrong={9: 18}), "floor_lines", "two at 18 m"),
        (
            lines(floors=(0,)).replace(
                "floor_lines = [", "floor_lines = [{v = 3, line = [[5, 5], [9, 9]]}, "
            ),
            "floor_lines 1, line",
            "shorter than 20 px",
        ),
        ("floor_lines = [{v = 3}]\n", "floor_lines 1, line", "missing"),
        ("bay_lines = [{u = 3, line = [[1, 2]]}]\n", "bay_lines 1, line", "[[1, 2]]"),
    ],
)  # fmt: skip
def test_lines_that_cannot_be_meant_are_refused(
    folder: Folder, text: str, where: str, said: str
) -> None:
    found = problem(folder(text))
    assert found.where == f"cameras/cam-1.toml, {where}"
    assert said in found.found and found.allowed


def test_a_good_calibration_is_told_and_not_warned_of(folder: Folder) -> None:
    loaded = read_city(folder(lines()))
    assert loaded.facts == ("cameras/cam-1.toml: 16 correspondences, rms 0.00 m, 0.0 px",)
    assert not loaded.warnings


def test_a_floor_line_of_the_wrong_height_is_named(folder: Folder) -> None:
    (warning,) = read_city(folder(lines(wrong={18: 21}))).warnings
    assert warning.startswith("cameras/cam-1.toml, floor line v = 21: ")
    assert "look again" in warning


@pytest.mark.parametrize("which", range(6))
def test_a_point_of_the_wrong_window_is_named(folder: Folder, which: int) -> None:
    rng = np.random.default_rng(which)
    places = [(0, 0), (24, 0), (24, 27), (0, 27), (12, 9), (4, 18), (20, 12), (8, 3)]
    points = [[*(np.array(pixel(u, v)) + rng.normal(0, 1, 2)), u, v] for u, v in places]
    points[which][3] += 3.0
    rows = [[float(number) for number in point] for point in points]
    warnings = read_city(folder(f"points = {rows}\n")).warnings
    (warning,) = [text for text in warnings if "look again" in text]
    assert f"point {which + 1} [" in warning


def test_four_points_say_that_nothing_is_checked(folder: Folder) -> None:
    rows = [[*pixel(u, v), u, v] for u, v in ((0, 0), (24, 0), (24, 27), (0, 27))]
    loaded = read_city(folder(f"points = {rows}\n"))
    assert "nothing is checked" in loaded.facts[0]


def test_a_calibration_that_is_bad_all_over_is_warned_of(folder: Folder) -> None:
    rng = np.random.default_rng(1)
    places = [(u, v) for u in (0, 8, 16, 24) for v in (0, 9, 18, 27)]
    rows = [
        [*(float(x) for x in np.array(pixel(u, v)) + rng.normal(0, 25, 2)), u, v] for u, v in places
    ]
    warnings = read_city(folder(f"points = {rows}\n")).warnings
    assert any("more than 0.3 m" in text or "look again" in text for text in warnings)


def test_check_shows_what_the_calibration_is_worth(folder: Folder) -> None:
    console = Console(record=True, width=200)
    print_report(check_city(folder(lines())), console)
    assert "16 correspondences, rms 0.00 m" in console.export_text()


# --- the picture -------------------------------------------------------------------------------


def picture(path: Path, size: tuple[int, int], name: str = "cam.jpg") -> Path:
    grey = np.tile(np.arange(size[0], dtype=np.uint8), (size[1], 1))
    (path / "cameras").mkdir(exist_ok=True)
    assert cv2.imwrite(str(path / "cameras" / name), grey)
    return path


def decoded(found: Camera) -> np.ndarray[Any, Any]:
    assert found.picture is not None
    return np.asarray(cv2.imdecode(np.frombuffer(found.picture, np.uint8), cv2.IMREAD_GRAYSCALE))


def test_the_picture_is_loaded_as_it_is(folder: Folder, tmp_path: Path) -> None:
    path = picture(tmp_path, SIZE)
    found = camera(folder(lines() + 'picture = "cam.jpg"\n'))
    assert found.picture == (path / "cameras/cam.jpg").read_bytes()
    assert not read_city(path).warnings


def test_a_smaller_copy_is_scaled_and_that_is_said(folder: Folder, tmp_path: Path) -> None:
    picture(tmp_path, (640, 360))
    path = folder(lines() + 'picture = "cam.jpg"\n')
    assert decoded(camera(path)).shape == (720, 1280)
    assert any("scaled" in text for text in read_city(path).warnings)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no.jpg", "cannot be read"),
        ("../city.toml", "'../city.toml'"),
        ("cam-1.toml", "'cam-1.toml'"),
        ("broken.png", "no picture"),
        ("square.png", "not the shape"),
    ],
)
def test_a_picture_that_cannot_be_used_is_refused(
    folder: Folder, tmp_path: Path, name: str, said: str
) -> None:
    picture(tmp_path, (700, 700), "square.png")
    (tmp_path / "cameras/broken.png").write_bytes(b"\x89PNG broken")
    found = problem(folder(lines() + f'picture = "{name}"\n'))
    assert found.where == "cameras/cam-1.toml, picture" and said in found.found and found.allowed


def test_other_pictures_are_said_to_be_left_aside(folder: Folder, tmp_path: Path) -> None:
    picture(picture(tmp_path, SIZE, "other.jpg"), SIZE, "cam-1.overlay.png")
    (warning,) = read_city(folder(lines())).warnings
    assert warning.startswith("cameras/other.jpg")


def test_a_missing_picture_says_what_is_allowed(folder: Folder) -> None:
    found = problem(folder(lines() + 'picture = "no.jpg"\n'))
    assert found.allowed.startswith("a JPEG or PNG beside this file")


def test_a_scene_that_waits_for_its_calibration_is_no_stranger(
    folder: Folder, tmp_path: Path
) -> None:
    path = folder(lines())
    picture(tmp_path, SIZE, "cam-1.jpg")
    (path / "cameras/cam-1.toml").unlink()
    assert not read_city(path).warnings


def test_a_file_that_is_no_toml_is_named_with_its_folder(folder: Folder) -> None:
    assert problem(folder("size = [1280, 720")).where == "cameras/cam-1.toml"


# --- zones -------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["window", "balcony", "corridor", "roof_edge"])
def test_zones_are_what_things_are_thrown_from(folder: Folder, what: str) -> None:
    zone = f'[[zones]]\nid = "z"\nwhat = "{what}"\npolygon = [[0, 0], [4, 0], [4, 3], [0, 3]]\n'
    assert camera(folder(lines() + zone)).zones[0].what == what


def test_other_zones_are_refused_by_name(folder: Folder) -> None:
    zone = '[[zones]]\nid = "z"\nwhat = "garden"\npolygon = [[0, 0], [4, 0], [4, 3]]\n'
    found = problem(folder(lines() + zone))
    assert found.allowed.startswith("window, balcony, corridor, roof_edge")


def test_an_outline_that_crosses_itself_is_refused(folder: Folder) -> None:
    zone = '[[zones]]\nid = "z"\npolygon = [[0, 0], [4, 3], [4, 0], [0, 3]]\n'
    found = problem(folder(lines() + zone))
    assert found.where == "cameras/cam-1.toml, zones, z"


def test_a_focal_length_nobody_gave_is_marked_as_assumed(folder: Folder) -> None:
    bent = lines(bend=BEND)
    assert not camera(folder(bent)).focal_assumed
    found = camera(folder(bent.replace("focal_px = 1000\n", "")))
    assert found.focal_assumed and found.focal_px == 1280
    assert not camera(folder(lines())).focal_assumed
