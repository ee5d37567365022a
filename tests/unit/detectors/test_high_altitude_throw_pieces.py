"""The pieces of the fall detector, each alone."""

from __future__ import annotations

import cv2
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from contracts.city import Camera, Zone
from detectors._common.facade import Facade, mask_of
from detectors.high_altitude_throw.fall import fit_fall
from detectors.high_altitude_throw.motion import Candidates, Sight
from detectors.high_altitude_throw.origin import measure, origin_fact
from detectors.high_altitude_throw.sample import camera, wall
from detectors.high_altitude_throw.settings import Settings
from detectors.high_altitude_throw.steady import shift_of, shifted_back
from detectors.high_altitude_throw.tracking import Hit, Track, Tracker
from detectors.high_altitude_throw.verdict import judge, weigh

Luma = NDArray[np.uint8]


def picture(seed: int = 0) -> Luma:
    return np.clip(wall(np.random.default_rng(seed)), 0, 255).astype(np.uint8)


# --- motion -------------------------------------------------------------------------------------


def seen(pictures: list[Luma], rate: float = 15) -> list[Candidates]:
    sight = Sight((pictures[0].shape[0], pictures[0].shape[1]))
    return [
        found
        for number, one in enumerate(pictures)
        for found in sight.add(round(number * 1e6 / rate), one)
    ]


def noisy(one: Luma, rng: np.random.Generator, sigma: float = 2) -> Luma:
    return np.clip(one + rng.normal(0, sigma, one.shape), 0, 255).astype(np.uint8)


def test_a_small_thing_is_seen_where_it_is_in_the_middle_picture() -> None:
    rng, plain = np.random.default_rng(1), picture()
    pictures = []
    for number in range(20):
        one = plain.copy()
        if number >= 15:
            cv2.circle(one, (60, 40 + 12 * (number - 15)), 3, (20,), -1)
        pictures.append(noisy(one, rng))
    found = {one.t: one.rows for one in seen(pictures)}
    for number in range(15, 19):
        rows = found[round(number * 1e6 / 15)]
        off = np.hypot(rows[:, 0] - 60, rows[:, 1] - (40 + 12 * (number - 15)))
        assert off.min() < 1
        assert rows[int(off.argmin()), 4] < 0  # darker than the wall


def test_noise_alone_shows_next_to_nothing() -> None:
    rng, plain = np.random.default_rng(2), picture()
    found = seen([noisy(plain, rng, 5) for _ in range(60)])
    assert sum(len(one.rows) for one in found[5:]) <= 3


def test_a_step_of_exposure_shows_nothing() -> None:
    rng, plain = np.random.default_rng(3), picture()
    pictures = [noisy(plain, rng) for _ in range(20)]
    pictures += [noisy(np.minimum(plain, 225) + np.uint8(30), rng) for _ in range(20)]
    assert sum(len(one.rows) for one in seen(pictures)[5:]) <= 3


def test_after_the_camera_was_turned_it_sees_nothing_for_two_seconds() -> None:
    rng = np.random.default_rng(4)
    blocks = rng.integers(0, 255, (12, 10), dtype=np.uint8)
    turned = np.asarray(cv2.resize(blocks, (200, 240)), np.uint8)
    pictures = [noisy(picture(), rng) for _ in range(20)]
    pictures += [noisy(turned, rng) for _ in range(40)]
    found = seen(pictures)
    assert all(one.seen for one in found if one.t < 18e6 / 15)
    blind = [one.t for one in found if not one.seen]
    assert blind
    assert (max(blind) - min(blind)) / 1e6 == pytest.approx(2, abs=0.3)
    assert found[-1].seen


def test_pictures_too_far_apart_are_not_compared() -> None:
    rng, plain = np.random.default_rng(5), picture()
    assert seen([noisy(plain, rng) for _ in range(10)], rate=2) == []


# --- sway ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dx", "dy"), [(1, 0), (0, -2), (-2, 1)])
def test_a_shift_of_the_whole_picture_is_found_and_undone(dx: int, dy: int) -> None:
    rng, plain = np.random.default_rng(6), picture()
    moved = np.roll(plain, (dy, dx), (0, 1))
    assert shift_of(noisy(moved, rng), noisy(plain, rng)) == (dx, dy)
    back = shifted_back(moved, plain)
    assert np.array_equal(back[5:-5, 5:-5], plain[5:-5, 5:-5])


def test_something_that_moves_before_a_still_wall_is_no_shift() -> None:
    one, other = picture(), picture()
    cv2.circle(one, (80, 100), 15, (10,), -1)
    cv2.circle(other, (84, 103), 15, (10,), -1)
    assert shift_of(one, other) == (0, 0)


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
        verdict = judge(track, Settings(), 720, None, ended=True)
        assert verdict is not None
        return verdict.against

    drives = hits_of(258 + 16 * t, t, rng)
    last = drives[-1]
    strays = [
        Hit(last.t + 40_000, 300, last.y + 12, 8, 8, 50),
        Hit(last.t + 280_000, 300, last.y + 60, 8, 8, 50),
    ]
    verdict = weigh([*drives, *strays], Settings(), 720, None)
    assert verdict is not None
    assert verdict.against == "", "alone it would pass"
    assert judged([*drives, *strays]) == "only its last hits make it a fall"
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
        tracker.tracks, tracker.recent = [], []
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


def test_a_tilted_camera_is_mapped_through_its_perspective() -> None:
    # a camera that looks up: what is higher is farther and smaller
    def pixel(u: float, v: float) -> tuple[float, float]:
        depth = 30 + 0.6 * v
        return 640 + 900 * u / depth, 700 - 900 * v / depth

    points = [(*pixel(u, v), u, v) for u in (-8.0, 0.0, 8.0) for v in (1.0, 12.0, 30.0)]
    facade = Facade(Camera(device="c", size=(1280, 720), points=tuple(points)), (720, 1280))
    place = facade.to_metres(np.array([pixel(3, 21)]))
    assert place[0] == pytest.approx([3, 21], abs=1e-6)


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


def test_probabilities_of_zones_sum_to_what_the_zones_cover() -> None:
    square = ((0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0))
    beside = ((2.0, 0.0), (4.0, 0.0), (4.0, 2.0), (2.0, 2.0))
    zones = (Zone(id="a", polygon=square), Zone(id="b", polygon=beside))
    here = msgspec.structs.replace(camera(), zones=zones)
    ranked = Facade(here, (240, 200)).probabilities(np.array([2.0, 1.0]), 0.25 * np.eye(2))
    chances = {zone.id: p for zone, p in ranked}
    # one standard deviation to each side up and down: 0.954; half of it on each side
    assert chances["a"] == pytest.approx(0.954 / 2, abs=0.03)
    assert chances["b"] == pytest.approx(0.954 / 2, abs=0.03)


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
    v = 20 - 9.81 / 2 * t**2
    kept = v <= 20 - hidden * (20 - v[-1])
    hits = [
        Hit(round(a * 1e6), 60 + rng.normal(0, 0.5), 240 - 10 * b + rng.normal(0, 0.5), 4, 4, 50)
        for a, b in zip(t[kept], v[kept], strict=True)
    ]
    metric = measure(hits, Facade(camera(), (240, 200)), 240)
    assert metric.place == pytest.approx((6, 20), abs=1.0)
    assert metric.acceleration == pytest.approx(9.81, rel=0.1)
    assert abs(metric.place[1] - 20) < 3 * metric.sd[1]
    fact = origin_fact(metric)
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
        return measure(hits, Facade(camera(), (240, 200)), 240).sd[1]

    assert deviation(6) > 1.3 * deviation(0.5)
