"""A calibration proposed from a picture is near the truth, honest, and never writes over a hand's
work."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from contracts.city import Camera
from gridsentry import cli
from gridsentry.calibrate.background import _moved, background
from gridsentry.calibrate.propose import Asked, Nothing, Proposal, propose
from gridsentry.city.calibration import Lens, mapped, wall_map
from simulators.falls.film import film
from simulators.falls.take import Distraction, Order

Picture = NDArray[np.uint8]
WALL = (0, 3, 6, 9, 12, 15, 18, 21, 24)


def drawn_wall(seed: int = 0) -> tuple[Picture, NDArray[np.float64]]:
    """A plain facade of eight floors and six bays seen from below, and metres to its pixels."""
    up = np.array([[34.0, 5.0, 330.0], [1.0, -29.0, 690.0], [0.0004, 0.0075, 1.0]])
    wall = np.full((1120, 1200), 215, np.uint8)  # 40 px a metre, row 0 at 27 m, column 0 at -6 m
    rng = np.random.default_rng(seed)

    def box(u0: float, v0: float, u1: float, v1: float, grey: int) -> None:
        corner = (round((u0 + 6) * 40), round((27 - v1) * 40))
        other = (round((u1 + 6) * 40), round((27 - v0) * 40))
        cv2.rectangle(wall, corner, other, (grey,), -1)

    box(0, 0, 18, 24, 150)
    for v in WALL[:-1]:
        for bay in range(6):
            u = 3 * bay
            box(u + 0.7, v + 0.9, u + 2.3, v + 2.5, int(rng.integers(30, 80)))
            box(u + 1.45, v + 0.9, u + 1.55, v + 2.5, 190)
    to_metres = np.array([[1 / 40, 0, -6], [0, -1 / 40, 27], [0, 0, 1]])
    seen = cv2.warpPerspective(wall, up @ to_metres, (1280, 720), borderValue=215)
    noisy = seen.astype(np.float32) + rng.normal(0, 2, seen.shape)
    grey = np.clip(cv2.GaussianBlur(noisy, (0, 0), 0.8), 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8), up


def read(path: Path) -> Picture:
    found = cv2.imread(str(path))
    assert found is not None
    return np.asarray(found, np.uint8)


def written(folder: Path, picture: Picture, *more: str) -> int:
    path = folder / "scene.png"
    assert cv2.imwrite(str(path), picture)
    return cli.main(["calibrate", str(path), "--out", str(folder), "--device", "cam", *more])


def floors_in_metres(
    found: Proposal, to_metres: NDArray[np.float64], lens: Lens
) -> NDArray[np.float64]:
    """Where the proposed floor lines really lie: v at their middles."""
    out: list[float] = []
    for _, line in found.floor_lines:
        straight = lens.straight(np.array(line))
        out.append(float(mapped(to_metres, straight.mean(axis=0)[None])[0, 1]))
    return np.array(out)


def test_floors_and_bays_of_a_plain_wall_are_found() -> None:
    picture, up = drawn_wall()
    found = propose(picture, None, Asked())
    assert isinstance(found, Proposal), found
    there = floors_in_metres(
        found, np.asarray(np.linalg.inv(up), np.float64), Lens((1280, 720), (), None)
    )
    told = np.array([v for v, _ in found.floor_lines])
    shift = there - told
    assert np.abs(shift - 3 * np.round(shift.mean() / 3)).max() < 0.4, "floors lie on slabs"
    assert np.ptp(shift) < 0.2, "and keep their distance"
    assert len(found.floors) - 1 in (7, 8) and len(found.bays) - 1 == 6
    assert np.allclose(np.diff(found.bays), 3.0, atol=0.5)


def test_what_the_person_knows_counts() -> None:
    picture, _ = drawn_wall()
    found = propose(
        picture, None, Asked(floor_m=3.3, floor_m_given=True, first_floor=5, bays=3, bay_m=6.0)
    )
    assert isinstance(found, Proposal)
    assert found.floors[0] == pytest.approx(13.2) and np.allclose(np.diff(found.floors), 3.3)
    assert len(found.bays) == 4 and found.bays[-1] == pytest.approx(18.0)
    assert not any("--floor-height" in doubt for doubt in found.doubts)


@pytest.mark.parametrize("seed", [3, 4])
def test_on_a_film_the_floors_are_where_they_are(tmp_path: Path, seed: int) -> None:
    order = Order(
        seed=seed, seconds=1.0, calibration_px=0.0, distractions=(Distraction("laundry", 0.3),)
    )
    take = film(order)
    video = tmp_path / "film.mp4"
    video.write_bytes(take.segments[0][1])
    scene = background(video, 7)
    assert scene.taken == 7 and scene.moved_px < 1
    found = propose(scene.picture, None, Asked())
    assert isinstance(found, Proposal), found
    truth = take.camera
    heights = edges(truth)
    floor_m = float(np.median(np.diff(heights)))
    points = np.array(truth.points)
    lens = Lens(truth.size, truth.distortion, truth.focal_px)
    up = wall_map(lens.straight(points[:, :2]), points[:, 2:])
    assert up is not None
    back = np.asarray(np.linalg.inv(up), np.float64)
    there = floors_in_metres(found, back, lens) - heights[0]
    steps = there / floor_m
    told = np.array([v for v, _ in found.floor_lines]) / 3.0
    assert np.ptp(steps - told) < 0.15, "every line is on the same place of its floor"
    assert np.abs(steps - np.round(steps)).max() < 0.35


def test_other_light_is_not_taken_for_a_camera_that_moves() -> None:
    rng = np.random.default_rng(8)
    wall = rng.integers(60, 200, (240, 320, 3), np.uint8)
    lit = [rng.integers(0, 255, (240, 320, 3), np.uint8) for _ in range(5)]
    assert _moved([wall, wall, wall, *lit]) < 0.5
    assert _moved([wall, *([np.roll(wall, 6, axis=1)] * 3), *lit]) == pytest.approx(6, abs=0.5)


def edges(camera: Camera) -> NDArray[np.float64]:
    """Boundaries of floors, metres."""
    windows = [zone for zone in camera.zones if zone.floor and not zone.what.startswith("roof")]
    return np.array(sorted({round(v, 3) for zone in windows for _, v in zone.polygon}))


@pytest.mark.recordings
def test_a_photograph_of_a_facade_gives_its_rows_of_windows(recordings: Path) -> None:
    scene = background(recordings / "falls" / "plate_campus_day_2592x1520.jpg")
    found = propose(scene.picture, None, Asked())
    assert isinstance(found, Proposal), found
    assert len(found.floors) - 1 in (5, 6)
    # Read off the photograph at its left edge: between the second and the third row of windows
    # there is wall from the sills at y = 430 to the heads of the windows below at 545.
    (_, y), _ = dict(found.floor_lines)[found.floors[2]]
    assert 430 < y < 545
    assert found.distortion is not None and -0.5 < found.distortion[0] < -0.1


@pytest.mark.parametrize("kind", ["noise", "grey", "upright lines only"])
def test_where_there_is_no_facade_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    picture = np.full((360, 640, 3), 128, np.uint8)
    if kind == "noise":
        picture = np.random.default_rng(0).integers(0, 255, picture.shape, dtype=np.uint8)
    elif kind == "upright lines only":
        picture[:, ::20] = 0
    assert written(tmp_path, picture) == 1
    said = capsys.readouterr()
    assert "no calibration could be proposed" in said.err and "by hand" in said.err
    assert "found: " in said.out
    assert not (tmp_path / "cam.toml").exists()
    assert (tmp_path / "cam.jpg").exists() and (tmp_path / "cam.overlay.png").exists()


def test_nothing_names_what_is_missing() -> None:
    found = propose(np.full((360, 640, 3), 128, np.uint8), None, Asked())
    assert isinstance(found, Nothing) and "too few" in found.missing


def test_a_corrected_file_is_not_written_over_and_masks_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, _ = drawn_wall()
    assert written(tmp_path, picture) == 0
    file = tmp_path / "cam.toml"
    mine = file.read_text().replace(
        "# privacy_mask", "privacy_mask = [[[0, 0], [300, 0], [300, 200], [0, 200]]]\n# was"
    )
    file.write_text(mine)
    assert written(tmp_path, picture) == 2
    assert "--force" in capsys.readouterr().err and file.read_text() == mine
    assert written(tmp_path, picture, "--force") == 0
    again = tomllib.loads(file.read_text())
    assert again["privacy_mask"] == [[[0, 0], [300, 0], [300, 200], [0, 200]]]
    kept = read(tmp_path / "cam.jpg")
    assert kept[:190, :290].mean() < 5
    assert kept[300:, 500:].mean() > 50


def test_a_corrected_file_is_drawn_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, _ = drawn_wall()
    assert written(tmp_path, picture) == 0
    before = read(tmp_path / "cam.overlay.png")
    file = tmp_path / "cam.toml"
    table = tomllib.loads(file.read_text())
    line = table["floor_lines"][2]["line"]
    text = file.read_text().replace(
        f"[[{line[0][0]:g}, {line[0][1]:g}]", f"[[{line[0][0]:g}, {line[0][1] + 60:g}]"
    )
    file.write_text(text)
    capsys.readouterr()
    redraw = ["calibrate", "--redraw", "--out", str(tmp_path), "--device", "cam"]
    assert cli.main(redraw) == 0
    assert "look again" in capsys.readouterr().out
    after = read(tmp_path / "cam.overlay.png")
    assert before.shape == after.shape and not np.array_equal(before, after)
    assert file.read_text() == text
    file.write_text("size = [1280, 720\n")
    assert cli.main(redraw) == 2


def test_the_proposal_is_a_file_that_a_city_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, _ = drawn_wall()
    city = tmp_path / "city"
    assert cli.main(["init", str(city)]) == 0
    scene = tmp_path / "scene.png"
    assert cv2.imwrite(str(scene), picture)
    usual = ["calibrate", str(scene), "--city", str(city)]
    assert cli.main([*usual, "--device", "cam-9"]) == 2
    assert "cam-1" in capsys.readouterr().err, "the known devices are named"
    assert cli.main([*usual, "--device", "cam-1", "--force", "--first-floor", "3"]) == 0
    assert cli.main(["check", str(city)]) == 0
    said = capsys.readouterr().out
    assert "correspondences, rms" in said and "0 problems" in said
    assert "left aside" not in said
    zones = json.dumps(tomllib.loads((city / "cameras/cam-1.toml").read_text())["floors"])
    assert '"id": 3' in zones


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "VIDEO: missing"),
        (["nothing.mp4"], "there is no file"),
        (["--redraw"], "is not there"),
        (["x.mp4", "--floors", "1"], "--floors: 1"),
        (["x.mp4", "--floor-height", "30"], "--floor-height: 30"),
        (["x.mp4", "--city", "nowhere"], "no devices.csv"),
    ],
)
def test_wrong_usage_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert cli.main(["calibrate", *arguments, "--out", str(tmp_path), "--device", "cam"]) == 2
    assert said in capsys.readouterr().err
