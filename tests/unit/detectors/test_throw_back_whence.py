"""What begins like a fall and is none; when it reached the ground; what is said meanwhile."""

from __future__ import annotations

from datetime import datetime

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from contracts.detector import Site
from contracts.event import Event
from detectors._common.sample import START
from detectors._common.scene import SceneWatch
from detectors.high_altitude_throw import Settings, ThrowDetector, sites
from detectors.high_altitude_throw.fall import fit_fall
from detectors.high_altitude_throw.hypotheses import Hit
from detectors.high_altitude_throw.landing import rest_s
from detectors.high_altitude_throw.sample import HEIGHT, WIDTH, camera, frames, town
from detectors.high_altitude_throw.wall import wall_of
from detectors.high_altitude_throw.whence import in_picture, in_space

Array = NDArray[np.float64]

WALL = wall_of(camera(), (HEIGHT, WIDTH))


def seen(t: Array, u: Array, v: Array, size: float = 6.0) -> list[Hit]:
    """A thing at (u, v) metres before the sample's wall."""
    rng = np.random.default_rng(3)
    return [
        Hit(
            round(a * 1e6), 10 * b + rng.normal(0, 0.3), 240 - 10 * c + rng.normal(0, 0.3),
            size, size, 50.0,
        )
        for a, b, c in zip(t.tolist(), u.tolist(), v.tolist(), strict=True)
    ]  # fmt: skip


def of_picture(hits: list[Hit]) -> str:
    fit = fit_fall(hits, HEIGHT)
    assert fit is not None
    return in_picture(hits, fit, (HEIGHT, WIDTH))


def test_a_drop_and_a_throw_come_from_somewhere() -> None:
    t = np.arange(0, 1.6, 1 / 15)
    for across in (0.2, 3.0):
        hits = seen(t, 6 + across * t, 18 - 9.81 / 2 * t**2)
        assert in_space(hits, WALL, HEIGHT) == ""
        assert of_picture(hits) == ""


def test_a_leaf_that_a_gust_carries_down_and_on_is_let_go_nowhere() -> None:
    t = np.arange(0, 1.6, 1 / 15)
    swings = 6 + 0.9 * np.sin(5 * t)
    hits = seen(t, swings, 18 - 3.0 * t - 1.0 * t**2 + 0.5 * np.sin(9 * t))
    assert in_space(hits, WALL, HEIGHT) == "no flight from a hand or a sill fits it"


def test_a_stoop_that_pulls_out_is_let_go_nowhere() -> None:
    t = np.arange(0, 1.2, 1 / 15)
    f = t / 1.2
    hits = seen(t, 3 + 6 * t, 20 - 12 * f * f * (3 - 2 * f))
    assert in_space(hits, WALL, HEIGHT) != ""


def test_what_dives_by_an_uncalibrated_camera_has_hardly_sped_up() -> None:
    t = np.arange(0, 0.9, 1 / 25)
    hits = seen(t, 6 + 2 * t, 23 - 16 * t - 2 * t**2)
    assert of_picture(hits) == "it has hardly sped up"


def test_drops_near_an_uncalibrated_camera_fall_before_too_little_wall() -> None:
    t = np.arange(0, 0.75, 1 / 15)
    # 4 m fill the picture: 9.81 m/s² are 59 of the sample's metres
    hits = seen(t, np.full(len(t), 9.0), 22 - 59 / 2 * t**2)
    assert of_picture(hits) == "it falls before less than a floor or two of wall"


def test_what_enters_from_the_side_of_an_uncalibrated_picture_flew() -> None:
    t = np.arange(0, 1.6, 1 / 15)
    down = 18 - 9.81 / 2 * t**2
    assert of_picture(seen(t, 0.2 + 5 * t, down)) == "it comes in from the side"
    assert of_picture(seen(t, 5 + 5 * t, down)) == ""


def test_the_rest_of_a_fall_follows_gravity_and_air() -> None:
    assert rest_s(10.0, 14.0, 1e3) == pytest.approx(
        (np.sqrt(14**2 + 2 * 9.81 * 10) - 14) / 9.81, 1e-2
    )
    assert rest_s(10.0, 5.0, 5.0) == pytest.approx(2.0)
    assert rest_s(-0.3, 5.0, 5.0) == 0.0


def a_site(calibrated: bool = True) -> Site:
    return next(iter(sites(town(calibrated), Settings())))


@pytest.mark.parametrize("lowest", [0, 60])
def test_a_closed_fall_says_when_it_landed_also_when_its_end_is_hidden(lowest: int) -> None:
    begun, height = 1.0, 19.5
    detector = ThrowDetector(Settings(), a_site(), None)
    events: list[Event] = []
    for frame in frames(np.random.default_rng(4), 4.2, (6.0, height), begins_s=begun):
        luma = frame.luma.copy()
        luma[HEIGHT - lowest :] = 90
        luma.setflags(write=False)
        events += detector.on_item(msgspec.structs.replace(frame, luma=luma))
    assert [event.phase for event in events] == ["opened", "closed"]
    assert "landing_at" not in events[0].evidence, "it is still falling"
    told = events[-1].evidence
    landed = (datetime.fromisoformat(told["landing_at"]) - START).total_seconds()
    off = landed - (begun + np.sqrt(2 * height / 9.81))
    assert abs(off) <= 0.15
    assert abs(off) <= 3 * told["landing_sd_s"]
    assert told["landing_sd_s"] <= 0.3


def test_an_uncalibrated_camera_does_not_know_when_it_landed() -> None:
    detector = ThrowDetector(Settings(), a_site(calibrated=False), None)
    pictures = frames(np.random.default_rng(4), 4.2, (6.0, 19.5))
    events = [event for frame in pictures for event in detector.on_item(frame)]
    assert events[-1].phase == "closed"
    assert "landing_at" not in events[-1].evidence


def test_rain_is_a_condition_and_a_clear_wall_is_none() -> None:
    detector = ThrowDetector(Settings(), a_site(calibrated=False), None)
    rng = np.random.default_rng(9)
    assert detector.condition() is None
    for frame in frames(rng, 3.0, None):
        list(detector.on_item(frame))
    assert detector.condition() is None
    for frame in frames(rng, 9.0, None)[45:]:
        luma = frame.luma.copy()
        for x, y in rng.uniform((0, 0), (WIDTH - 3, HEIGHT - 10), (120, 2)).astype(int):
            luma[y : y + 8, x : x + 2] += 45
        luma.setflags(write=False)
        list(detector.on_item(msgspec.structs.replace(frame, luma=luma)))
    told = detector.condition()
    assert told is not None
    assert "1.5 times" in told
    again = ThrowDetector(Settings(), a_site(calibrated=False), detector.snapshot())
    assert again.condition() == told


def test_a_camera_that_was_turned_says_that_it_names_no_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    detector = ThrowDetector(Settings(), a_site(), None)
    list(detector.on_item(frames(np.random.default_rng(5), 0.2, None)[0]))
    assert detector.condition() is None
    monkeypatch.setattr(SceneWatch, "why", "the camera is turned")
    told = detector.condition()
    assert told is not None
    assert "no window is named" in told


@pytest.mark.parametrize(("other", "late"), [(19.5, 0.0), (16.5, 0.0), (10.5, 0.2)])
def test_two_things_at_once_from_windows_far_apart_are_two_events(
    other: float, late: float
) -> None:
    detector = ThrowDetector(Settings(), a_site(), None)
    left = frames(np.random.default_rng(4), 5.2, (3.0, 19.5))
    right = frames(np.random.default_rng(4), 5.2, (15.0, other), begins_s=1.0 + late)
    events: list[Event] = []
    for one, two in zip(left, right, strict=True):
        luma = np.minimum(one.luma, two.luma)
        luma.setflags(write=False)
        events += detector.on_item(msgspec.structs.replace(one, luma=luma))
    closed = [event for event in events if event.phase == "closed"]
    floor = int(other // 3) + 1
    assert {(e.evidence["origin"] or {}).get("zone") for e in closed} == {"F7-1", f"F{floor}-4"}
    assert len({event.id for event in events}) == len(closed) == 2
