"""The pieces of the fall detector behind the pictures, each alone."""

from __future__ import annotations

import cv2
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from contracts.city import Camera
from detectors._common.facade import Facade, mask_of
from detectors.high_altitude_throw.fall import fit_fall
from detectors.high_altitude_throw.hypotheses import Hit, Track
from detectors.high_altitude_throw.motion import Candidates
from detectors.high_altitude_throw.origin import origin_fact, origin_of
from detectors.high_altitude_throw.sample import camera
from detectors.high_altitude_throw.settings import Settings
from detectors.high_altitude_throw.tracking import Tracker
from detectors.high_altitude_throw.verdict import judge, weigh
from detectors.high_altitude_throw.wall import measure, wall_of

# --- tracking and fit -----------------------------------------------------------------------------


def hits_of(
    y: NDArray[np.float64], t: NDArray[np.float64], rng: np.random.Generator, x: float = 300
) -> list[Hit]:
    return [
        Hit(round(a * 1e6), x + rng.normal(0, 0.7), b + rng.normal(0, 0.7), 8, 8, 50)
        for a, b in zip(t, y, strict=True)
    ]


@pytest.mark.parametrize("bend", [-0.25, 0.0, 0.2])
@pytest.mark.parametrize("seed", range(5))
def test_a_fall_beats_steady_motion_whatever_the_perspective(seed: int, bend: float) -> None:
    rng = np.random.default_rng(seed)
    t = np.arange(0, 1.4, 1 / 25)
    way = (t + 0.1) ** 2
    fit = fit_fall(hits_of((100 + 250 * way) / (1 + bend * way / 2), t, rng), 720)
    assert fit is not None
    assert fit.misfit < 2
    assert fit.evidence > 4
    assert fit.acceleration > 0.2


@pytest.mark.parametrize("bend", [-0.5, -0.3, 0.0, 0.2])
@pytest.mark.parametrize("seed", range(5))
def test_what_drives_towards_the_camera_is_steady_however_it_grows(seed: int, bend: float) -> None:
    rng = np.random.default_rng(seed)
    t = np.arange(0, 1.6, 1 / 25)
    fit = fit_fall(hits_of((100 + 150 * t) / (1 + bend * t), t, rng), 720)
    assert fit is None or fit.evidence < 4


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_only_its_last_two_hits_make_a_fall_is_none(seed: int) -> None:
    rng = np.random.default_rng(seed)
    t = np.arange(0, 1.2, 1 / 25)

    def judged(hits: list[Hit]) -> str:
        track = Track(1, hits, [0.0] * 5, [0.0] * 9, hits[-1].t, 90.0, 90.0, len(hits))
        verdict = judge(track, Settings(), (720, 1280), None, ended=True)
        return verdict.against if verdict is not None else "not worth judging"

    drives = hits_of(258 + 16 * t, t, rng)
    last = drives[-1]
    strays = [
        Hit(last.t + 40_000, 300, last.y + 12, 8, 8, 50),
        Hit(last.t + 280_000, 300, last.y + 60, 8, 8, 50),
    ]
    verdict = weigh([*drives, *strays], Settings(), 720, None)
    assert verdict is not None
    assert verdict.against == "", "alone it would pass"
    assert judged([*drives, *strays]) != ""
    assert judged(hits_of(100 + 250 * (t + 0.1) ** 2, t, rng)) == ""


def test_a_track_through_rain_is_worth_less_than_one_before_a_clear_wall() -> None:
    def best(drops: int) -> float:
        rng, tracker = np.random.default_rng(0), Tracker((720, 1280))
        worth = 0.0
        for number in range(30):
            t = number / 25
            thing = [[300.0, 100 + 250 * t * t, 8, 8, 50]]
            clutter = [[*rng.uniform((0, 0), (1280, 720)), 8, 8, 50] for _ in range(drops)]
            tracker.add(Candidates(round(t * 1e6), np.array(thing + clutter), drops, True))
            worth = max([worth, *(track.best for track in tracker.tracks)])
        return worth

    assert best(0) > 2 * best(140) > 0


def test_where_something_moves_all_day_a_track_is_worth_less() -> None:
    def best(busy: bool) -> float:
        tracker = Tracker((720, 1280))
        step = 40_000
        for number in range(500 if busy else 0):
            rows = np.array([[300.0 + number % 7, 100.0 + 7 * (number % 80), 8, 8, 50]])
            tracker.add(Candidates(number * step, rows, 1, True))
        tracker.forget()
        worth = 0.0
        for number in range(30):
            rows = np.array([[300.0, 100 + 250 * (number / 25) ** 2, 8, 8, 50]])
            tracker.add(Candidates((600 + number) * step, rows, 1, True))
            worth = max([worth, *(track.best for track in tracker.tracks)])
        return worth

    assert best(busy=True) < 0.8 * best(busy=False)


# --- facade ---------------------------------------------------------------------------------------


def test_pixels_become_metres_on_the_wall_also_in_a_scaled_picture() -> None:
    for scale in (1, 2):
        facade = Facade(camera(), (240 * scale, 200 * scale))
        place = facade.to_metres(np.array([[100.0 * scale, 40.0 * scale]]))
        assert place[0] == pytest.approx([10, 20], abs=1e-6)
        per_pixel = facade.metres_per_pixel(np.array([[100.0 * scale, 40.0 * scale]]))
        assert per_pixel[0] == pytest.approx([0.1 / scale, 0.1 / scale], abs=1e-6)
    assert facade.error_m == pytest.approx(0, abs=1e-6)


def test_a_tilted_camera_is_mapped_through_its_perspective_and_found() -> None:
    # 4 m above the ground, 30 m before the wall, looks up by 20 degrees
    focal, sine, cosine = 900.0, np.sin(np.radians(20)), np.cos(np.radians(20))

    def pixel(u: float, v: float, w: float = 0) -> tuple[float, float]:
        up, away = v - 4, 30 - w
        depth = cosine * away + sine * up
        return 640 + focal * u / depth, 360 - focal * (cosine * up - sine * away) / depth

    points = [(*pixel(u, v), u, v) for u in (-8.0, 0.0, 8.0) for v in (1.0, 12.0, 30.0)]
    facade = Facade(Camera(device="c", size=(1280, 720), points=tuple(points)), (720, 1280))
    place = facade.to_metres(np.array([pixel(3, 21)]))
    assert place[0] == pytest.approx([3, 21], abs=0.02)
    assert facade.pose.place == pytest.approx([0, 4, 30], abs=1.5)
    assert facade.pose.focal_px == pytest.approx(900, rel=0.05)
    # and so what stands out of the wall
    out = facade.pose.project(np.array([[3.0, 21.0, 3.0]]))[0]
    assert out == pytest.approx(pixel(3, 21, 3), abs=3)


def test_a_wall_whose_u_runs_to_the_left_is_seen_from_its_front() -> None:
    points = tuple(
        (640 - 900 * u / 30, 360 - 900 * v / 30, u, v) for u in (-8.0, 8.0) for v in (-8.0, 8.0)
    )
    facade = Facade(Camera(device="c", size=(1280, 720), points=points), (720, 1280))
    assert facade.to_metres(np.array([[550.0, 360.0]]))[0] == pytest.approx([3, 0], abs=0.02)
    assert facade.pose.place[2] > 5


def test_lens_distortion_is_taken_out() -> None:
    matrix = np.array([[800, 0, 640], [0, 800, 360], [0, 0, 1.0]])
    bent = (-0.2, 0.05, 0.0, 0.0)

    def pixel(u: float, v: float) -> tuple[float, float]:
        ray = np.array([[[u, -v, 20.0]]])
        seen_at, _ = cv2.projectPoints(ray, np.zeros(3), np.zeros(3), matrix, np.array(bent))
        return float(seen_at[0, 0, 0]), float(seen_at[0, 0, 1])

    points = tuple((*pixel(u, v), u, v) for u in (-12.0, 0.0, 12.0) for v in (-7.0, 0.0, 7.0))
    here = Camera(device="c", size=(1280, 720), points=points, distortion=bent, focal_px=800)
    place = Facade(here, (720, 1280)).to_metres(np.array([pixel(6, 5)]))
    assert place[0] == pytest.approx([6, 5], abs=0.02)
    straight = msgspec.structs.replace(here, distortion=())
    assert Facade(straight, (720, 1280)).error_m > 0.05


@pytest.mark.parametrize(
    "points",
    [
        ((0.0, 0.0, 0.0, 0.0), (1.0, 0.0, 1.0, 0.0), (1.0, 1.0, 1.0, 1.0)),
        tuple((float(i), float(i), float(i), float(i)) for i in range(4)),
    ],
)
def test_correspondences_that_do_not_span_a_plane_are_refused(
    points: tuple[tuple[float, float, float, float], ...],
) -> None:
    with pytest.raises(ValueError, match=r"camera c: .*(at least 4|span a plane)"):
        Facade(Camera(device="c", size=(100, 100), points=points), (100, 100))


def test_masks_scale_with_the_picture() -> None:
    polygon = ((0.0, 0.0), (99.0, 0.0), (99.0, 199.0), (0.0, 199.0))
    mask = mask_of([polygon], (200, 200), (100, 100))
    assert mask is not None
    assert mask[50, 25] == 255
    assert mask[50, 75] == 0
    assert mask_of([], (200, 200), (100, 100)) is None


# --- origin ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [0.0, 0.4])
def test_the_release_is_found_also_when_the_first_part_of_the_way_is_hidden(hidden: float) -> None:
    rng = np.random.default_rng(11)
    t = np.arange(0, 1.7, 1 / 25)
    v = 19.5 - 9.81 / 2 * t**2
    kept = v <= 19.5 - hidden * (19.5 - v[-1])
    hits = [
        Hit(round(a * 1e6), 60 + rng.normal(0, 0.5), 240 - 10 * b + rng.normal(0, 0.5), 4, 4, 50)
        for a, b in zip(t[kept], v[kept], strict=True)
    ]
    wall = wall_of(camera(), (240, 200))
    metric = measure(hits, wall, 240)
    assert metric is not None
    assert metric.acceleration == pytest.approx(9.81, rel=0.1)
    origin = origin_of(hits, wall, 240)
    assert origin is not None
    assert origin.place == pytest.approx((6, 19.5), abs=1.5)
    assert abs(origin.place[1] - 19.5) < 3 * origin.sd[1]
    fact = origin_fact(origin)
    assert fact is not None
    assert fact["zone"] == "F7-2"
    assert fact["floor"] == 7


def test_less_certain_tracks_give_a_less_certain_place() -> None:
    def deviation(noise: float) -> float:
        rng = np.random.default_rng(11)
        hits = []
        for a in np.arange(0, 1.2, 1 / 12):
            x, y = 60 + rng.normal(0, noise), 45 + 49 * a**2 + rng.normal(0, noise)
            hits.append(Hit(round(a * 1e6), x, y, 10 * noise, 10 * noise, 50))
        origin = origin_of(hits, wall_of(camera(), (240, 200)), 240)
        assert origin is not None
        return origin.sd[1]

    assert deviation(6) > 1.3 * deviation(0.5)
