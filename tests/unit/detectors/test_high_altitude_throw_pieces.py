"""The pieces of the fall detector that look at pictures, each alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.high_altitude_throw.motion import Candidates, Sight
from detectors.high_altitude_throw.sample import wall
from detectors.high_altitude_throw.steady import shift_of, shifted_back

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
