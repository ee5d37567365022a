"""From pictures to candidates: what flies past is seen, whatever the camera does meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.high_altitude_throw.motion import Candidates, Sight, SightState
from detectors.high_altitude_throw.sample import wall

Luma = NDArray[np.uint8]
Real = NDArray[np.float64]

RATE = 25


def picture(seed: int = 0) -> Luma:
    return np.clip(wall(np.random.default_rng(seed)), 0, 255).astype(np.uint8)


def noisy(one: NDArray[np.number], rng: np.random.Generator, sigma: float = 2) -> Luma:
    return np.asarray(np.clip(one + rng.normal(0, sigma, one.shape), 0, 255), np.uint8)


def seen(pictures: list[Luma], rate: float = RATE) -> list[Candidates]:
    sight = Sight((pictures[0].shape[0], pictures[0].shape[1]))
    return [
        found
        for number, one in enumerate(pictures)
        for found in sight.add(round((number + 1) * 1e6 / rate), one)
    ]


def number_of(found: Candidates, rate: float = RATE) -> int:
    return round(found.t * rate / 1e6) - 1


def flight(number: int, begin: int, rate: float = RATE) -> tuple[float, float]:
    """Where the test's thing is: it begins to fall in picture `begin`, 60 px/m."""
    since = max(0.0, (number - begin) / rate)
    return 70.0, 20.0 + 0.5 * 9.81 * 60 * since**2


def with_thing(
    plain: Luma, place: tuple[float, float], size: float, contrast: float, speed: float = 0.0
) -> Real:
    """A soft square of `size` px, blurred along its way of `speed` px in the exposure."""
    y, x = np.mgrid[0 : plain.shape[0], 0 : plain.shape[1]]
    across = np.clip(size / 2 + 0.5 - np.abs(x - place[0]), 0, 1)
    long = size + speed
    down = np.clip(long / 2 + 0.5 - np.abs(y - place[1]), 0, 1) * (size / long)
    return np.asarray(plain + contrast * across * down, np.float64)


def falling(
    size: float, contrast: float, seed: int, change: Callable[[int, Real], Real] | None = None,
    sigma: float = 2.0,
) -> list[Luma]:  # fmt: skip
    """60 pictures; the thing falls from picture 40 on."""
    rng, plain = np.random.default_rng(seed), picture()
    out = []
    for number in range(60):
        one: Real = plain.astype(np.float64)
        if number >= 40:
            one = with_thing(plain, flight(number, 40), size, contrast)
        out.append(noisy(one if change is None else change(number, one), rng, sigma))
    return out


def share_seen(found: list[Candidates], first: int = 46, last: int = 55) -> float:
    """In how many of the pictures of the fast part of the fall it is within 2 px."""
    hits = 0
    rows_of = {number_of(one): one.rows for one in found}
    for number in range(first, last + 1):
        rows = rows_of.get(number, np.zeros((0, 5)))
        x, y = flight(number, 40)
        hits += bool(len(rows)) and np.hypot(rows[:, 0] - x, rows[:, 1] - y).min() < 2
    return hits / (last - first + 1)


@pytest.mark.parametrize(("size", "contrast"), [(3, 40), (4, 22), (6, -20), (8, 20)])
def test_small_things_are_seen_where_they_are(size: float, contrast: float) -> None:
    found = seen(falling(size, contrast, seed=1))
    assert share_seen(found) >= 0.9
    assert sum(one.crowd for one in found if 5 <= number_of(one) < 38) <= 5


def test_contrast_size_and_clearness_of_a_thing_are_told() -> None:
    found = seen(falling(8, -60, seed=2))
    one = next(one for one in found if number_of(one) == 52)
    assert one.rows.shape == (1, 5)
    assert one.snr.shape == one.area.shape == (1,)
    w, h, contrast = one.rows[0, 2:]
    assert (w, h) == (pytest.approx(8, abs=2), pytest.approx(8, abs=2))
    assert -66 < contrast < -45
    assert np.sqrt(one.area[0]) == pytest.approx(8, abs=1.5)
    assert 10 < one.snr[0] < 100


def test_the_centroid_of_a_blurred_thing_is_where_it_was_in_the_middle_of_the_exposure() -> None:
    rng, plain = np.random.default_rng(3), np.full((240, 200), 120, np.uint8)
    errors = []
    pictures = [noisy(plain, rng) for _ in range(20)]
    for number in range(12):
        place = (60.3, 20.0 + 17.4 * number)
        pictures.append(noisy(with_thing(plain, place, 5, 70, speed=12), rng))
    for one in seen(pictures):
        if 21 <= (number := number_of(one)) <= 29:
            x, y = one.rows[0, :2]
            errors.append((x - 60.3, y - 20.0 - 17.4 * (number - 20)))
    assert len(errors) == 9
    assert np.abs(np.mean(errors, axis=0)).max() < 0.25
    assert np.std(errors, axis=0).max() < 0.5


@pytest.mark.parametrize("rate", [10, 12])
def test_a_slow_camera_sees_it_too(rate: float) -> None:
    rng, plain = np.random.default_rng(4), picture()
    pictures = [noisy(plain, rng) for _ in range(15)]
    places = [flight(number, 0, rate) for number in range(9)]
    pictures += [noisy(with_thing(plain, place, 6, 40), rng) for place in places]
    rows = {number_of(one, rate): one.rows for one in seen(pictures, rate)}
    for number in range(3, 8):
        x, y = places[number]
        found = rows[15 + number]
        assert np.hypot(found[:, 0] - x, found[:, 1] - y).min() < 2


def test_noise_alone_shows_next_to_nothing() -> None:
    rng, plain = np.random.default_rng(5), picture()
    found = seen([noisy(plain, rng, 5) for _ in range(60)])
    assert sum(len(one.rows) for one in found[5:]) <= 3


def test_a_step_of_exposure_shows_nothing_and_hides_nothing() -> None:
    def step(number: int, one: Real) -> Real:
        return one * 1.15 if number >= 50 else one

    found = seen(falling(6, 50, 6, step))
    assert share_seen(found) >= 0.9
    assert sum(len(one.rows) for one in found) <= 20 + 5


def test_flicker_of_the_light_shows_nothing_and_hides_nothing() -> None:
    rng = np.random.default_rng(7)
    gains = 1 + 0.05 * rng.standard_normal(60)
    found = seen(falling(6, 50, 7, lambda number, one: one * gains[number]))
    assert share_seen(found) >= 0.9
    assert sum(len(one.rows) for one in found) <= 20 + 8
    assert all(one.seen for one in found)


def test_a_swaying_camera_sees_the_thing_and_not_the_wall() -> None:
    def sway(number: int, one: Real) -> Real:
        dx, dy = 1.7 * np.sin(number * 0.43), 0.8 * np.sin(number * 0.61 + 1)
        move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
        soft = cv2.GaussianBlur(one.astype(np.float32), (0, 0), 0.7)
        size = (one.shape[1], one.shape[0])
        edge = cv2.BORDER_REPLICATE
        swayed = cv2.warpAffine(soft, move, size, flags=cv2.INTER_CUBIC, borderMode=edge)
        return np.asarray(swayed, np.float64)

    found = seen(falling(7, -70, 8, sway))
    hits = 0
    for one in found:
        number = number_of(one)
        if 46 <= number <= 55:
            x, y = flight(number, 40)
            x, y = x + 1.7 * np.sin(number * 0.43), y + 0.8 * np.sin(number * 0.61 + 1)
            hits += len(one.rows) and np.hypot(one.rows[:, 0] - x, one.rows[:, 1] - y).min() < 2
    assert hits >= 8
    assert np.mean([one.crowd for one in found if 10 <= number_of(one) < 38]) < 2
    assert all(one.seen for one in found)


def test_a_window_light_switched_on_shows_nothing() -> None:
    def switch(number: int, one: Real) -> Real:
        if number >= 30:
            one[42:56, 52:68] += 120
        return one

    found = seen(falling(4, 0, 9, switch))
    assert sum(len(one.rows) for one in found) == 0


def test_copies_encoded_again_are_dropped() -> None:
    rng, pictures = np.random.default_rng(10), falling(8, -60, 10)
    for number in (47, 50, 53):
        pictures[number] = noisy(pictures[number - 1], rng, 1)
    numbers = {number_of(one) for one in seen(pictures)}
    assert not numbers & {47, 50, 53}
    assert {46, 48, 49, 51, 52, 54} <= numbers


def test_after_the_camera_was_turned_it_sees_nothing_for_two_seconds() -> None:
    rng = np.random.default_rng(11)
    blocks = rng.integers(0, 255, (12, 10), dtype=np.uint8)
    turned = np.asarray(cv2.resize(blocks, (200, 240)), np.uint8)
    pictures = [noisy(picture(), rng) for _ in range(30)]
    pictures += [noisy(turned, rng) for _ in range(80)]
    found = seen(pictures)
    assert all(one.seen for one in found if number_of(one) < 28)
    blind = [one.t for one in found if not one.seen]
    assert (max(blind) - min(blind)) / 1e6 == pytest.approx(2, abs=0.3)
    assert "blind" in {one.regime for one in found}
    assert found[-1].seen
    assert found[-1].regime == "clear"


def test_something_huge_that_passes_does_not_hide_something_small() -> None:
    def huge(number: int, one: Real) -> Real:
        one[150:200, 8 * (number % 10) : 8 * (number % 10) + 60] = 20
        return one

    found = seen(falling(6, 60, 12, huge))
    assert share_seen(found, 46, 52) >= 0.8
    assert all(one.seen for one in found)


def test_rain_is_said_and_bounds_what_is_reported() -> None:
    rng, plain = np.random.default_rng(13), np.full((720, 640), 120, np.uint8)
    pictures = []
    for _ in range(60):
        one = plain.astype(np.float64)
        for x, y in rng.uniform((0, 0), (638, 700), (220, 2)).astype(int):
            one[y : y + 16, x : x + 2] += 40
        pictures.append(noisy(one, rng))
    found = seen(pictures)
    assert found[-1].regime == "rain"
    assert found[-1].seen
    assert len(found[-1].rows) <= 60 < found[-1].crowd


def test_pictures_too_far_apart_are_not_compared() -> None:
    rng, plain = np.random.default_rng(14), picture()
    assert seen([noisy(plain, rng) for _ in range(10)], rate=2) == []


def test_outside_the_mask_nothing_is_seen_and_inside_places_stay() -> None:
    mask = np.zeros((240, 200), np.uint8)
    mask[30:220, 50:120] = 255
    pictures = falling(6, 60, 15)
    for part, sees in ((mask, True), (255 - mask, False)):
        sight = Sight((240, 200), part)
        found = [
            one
            for number, picture in enumerate(pictures)
            for one in sight.add(round((number + 1) * 4e4), picture)
        ]
        assert (share_seen(found, 47, 55) >= 0.8) == sees


def test_a_sight_restored_at_any_cut_sees_the_same() -> None:
    pictures = falling(6, 60, 16)
    whole = seen(pictures)
    sight = Sight((240, 200))
    found: list[Candidates] = []
    for number, one in enumerate(pictures):
        packed = msgspec.msgpack.encode(sight.state())
        sight = Sight((240, 200))
        sight.restore(msgspec.msgpack.decode(packed, type=SightState))
        found.extend(sight.add(round((number + 1) * 4e4), one))
    assert len(found) == len(whole) > 20
    for a, b in zip(found, whole, strict=True):
        assert (a.t, a.crowd, a.seen, a.regime) == (b.t, b.crowd, b.seen, b.regime)
        assert np.array_equal(a.rows, b.rows)
        assert np.array_equal(a.snr, b.snr)
        assert np.array_equal(a.area, b.area)


def test_a_snapshot_at_1080p_is_small() -> None:
    rng = np.random.default_rng(17)
    plain = np.asarray(cv2.resize(picture(), (1920, 1080)), np.uint8)
    sight = Sight((1080, 1920))
    for number in range(8):
        list(sight.add((number + 1) * 40_000, noisy(plain, rng, 3)))
    assert len(msgspec.msgpack.encode(sight.state())) < 2_000_000
