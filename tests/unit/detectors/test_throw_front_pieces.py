"""The pieces before tracking, each alone: what a picture passes on its way to candidates."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.high_altitude_throw.blobs import boxes, measure, strongest
from detectors.high_altitude_throw.copies import news
from detectors.high_altitude_throw.exposure import coarse, evened, is_new_scene, line
from detectors.high_altitude_throw.field import FINE, Field
from detectors.high_altitude_throw.kept import Kept, pack, unpack
from detectors.high_altitude_throw.noise import FLOOR, NoiseMap
from detectors.high_altitude_throw.regime import Weather
from detectors.high_altitude_throw.sample import wall
from detectors.high_altitude_throw.steady import Shift, finely, overlap, profiles, shift_of, sways

Luma = NDArray[np.uint8]


def picture(seed: int = 0) -> Luma:
    return np.clip(wall(np.random.default_rng(seed)), 0, 255).astype(np.uint8)


def noisy(one: Luma, rng: np.random.Generator, sigma: float = 2) -> Luma:
    return np.clip(one + rng.normal(0, sigma, one.shape), 0, 255).astype(np.uint8)


def moved(one: Luma, dx: float, dy: float) -> Luma:
    """`one` shifted by parts of a pixel, as a lens would: drawn large, moved, averaged."""
    large = cv2.GaussianBlur(np.kron(one, np.ones((8, 8), np.uint8)), (0, 0), 6)
    rolled = np.roll(large, (round(8 * dy), round(8 * dx)), (0, 1))
    height, width = one.shape
    return np.asarray(cv2.resize(rolled, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


# --- field --------------------------------------------------------------------------------------


def test_a_picture_up_to_the_limit_is_looked_at_pixel_by_pixel_as_a_view() -> None:
    one = picture()
    field = Field((240, 200))
    assert field.fold == 1
    assert np.shares_memory(field.working(one), one)


@pytest.mark.parametrize(("height", "fold"), [(FINE, 1), (1080, 2), (2160, 3)])
def test_a_large_picture_is_averaged(height: int, fold: int) -> None:
    field = Field((height, 1920))
    assert field.fold == fold
    assert field.working(np.zeros((height, 1920), np.uint8)).shape == field.shape
    assert field.shape == (height // fold, 1920 // fold)


@pytest.mark.parametrize("shape", [(240, 200), (1080, 1920), (2160, 640)])
def test_a_place_comes_back_from_the_working_picture(shape: tuple[int, int]) -> None:
    mask = np.zeros(shape, np.uint8)
    mask[21:201, 31:189] = 255
    field = Field(shape, mask)
    one = np.zeros(shape, np.uint8)
    one[100:112, 72:84] = 120  # middle of its pixels: (77.5, 105.5)
    out = field.working(one).copy()
    field.smooth(out)
    sums = cv2.moments(out)
    x, y = field.place(sums["m10"] / sums["m00"], sums["m01"] / sums["m00"])
    assert (x, y) == pytest.approx((77.5, 105.5), abs=0.02)


def test_only_the_box_around_the_mask_is_worked_on_and_in_it_only_the_mask() -> None:
    mask = np.zeros((1080, 1920), np.uint8)
    cv2.fillPoly(mask, [np.array([[400, 100], [900, 100], [650, 900]])], (255,))
    field = Field(mask.shape, mask)
    assert field.shape[0] * field.shape[1] < 0.25 * 1080 * 1920 / 4
    assert field.mask is not None
    assert cv2.countNonZero(field.mask) / field.mask.size == pytest.approx(0.5, abs=0.02)


def test_a_mask_of_nothing_does_not_break_the_field() -> None:
    field = Field((1080, 1920), np.zeros((1080, 1920), np.uint8))
    assert field.mask is not None
    assert cv2.countNonZero(field.mask) == 0


# --- copies -------------------------------------------------------------------------------------


def test_the_same_picture_is_a_copy_whatever_is_known() -> None:
    one = picture()
    assert news(one, one, None, 0).copy
    assert not news(picture(1), one, None, 0).copy


def test_a_copy_encoded_again_is_told_by_how_little_moves_in_it() -> None:
    rng, plain = np.random.default_rng(0), picture()
    level = np.full(plain.shape, 10, np.uint8)
    flying = plain.copy()
    flying[60:68, 60:68] = 20
    first = news(noisy(flying, rng), noisy(plain, rng), level, 0)
    assert first.peak > 30
    assert not first.copy
    again = news(noisy(flying, rng, 3), noisy(flying, rng, 3), level, first.peak)
    assert again.copy
    on = plain.copy()
    on[70:78, 60:68] = 20
    assert not news(noisy(on, rng), noisy(flying, rng), level, first.peak).copy


def test_a_faint_thing_that_flies_on_is_no_copy() -> None:
    level = np.full((240, 200), 10, np.uint8)
    plain = np.full((240, 200), 100, np.uint8)
    places = [plain.copy() for _ in range(3)]
    for number, one in enumerate(places):
        one[60 + 9 * number : 68 + 9 * number, 60:68] = 115
    first = news(places[1], places[0], level, 0)
    assert 0 < first.peak < 8
    assert not news(places[2], places[1], level, first.peak).copy


# --- exposure -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("gain", "offset"), [(1.1, 0.0), (0.85, 5.0), (1.0, -12.0)])
def test_a_change_of_light_is_found_and_undone(gain: float, offset: float) -> None:
    rng, plain = np.random.default_rng(1), picture()
    brighter = np.clip(plain * gain + offset, 0, 255).astype(np.uint8)
    cv2.circle(brighter, (80, 90), 20, (5,), -1)  # something large moved too
    by = line(coarse(noisy(plain, rng)), coarse(noisy(brighter, rng)))
    assert by is not None
    assert by.gain == pytest.approx(gain, abs=0.03)
    left = np.abs(evened(plain, by).astype(int) - brighter)
    assert np.median(left) <= 1


def test_steady_light_is_left_alone() -> None:
    rng, plain = np.random.default_rng(2), picture()
    assert line(coarse(noisy(plain, rng)), coarse(noisy(plain, rng))) is None
    assert evened(plain, None) is plain


def test_a_picture_burnt_out_says_nothing_about_light() -> None:
    white = np.full((240, 200), 255, np.uint8)
    assert line(coarse(white), coarse(picture())) is None


def test_a_cut_is_a_new_scene_and_a_step_of_exposure_is_none() -> None:
    plain = picture()
    turned = np.ascontiguousarray(plain[:, ::-1] // 2 + np.arange(200, dtype=np.uint8) // 2)
    assert is_new_scene(coarse(plain), coarse(turned))
    assert not is_new_scene(coarse(plain), coarse(np.minimum(plain, 195) + np.uint8(60)))


# --- sway ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dx", "dy"), [(1, 0), (0, -2), (-2, 1)])
def test_whole_pixels_of_sway_are_found_and_the_overlap_is_the_same_scene(dx: int, dy: int) -> None:
    rng, plain = np.random.default_rng(6), picture()
    swayed = np.roll(plain, (dy, dx), (0, 1))
    shift = shift_of(profiles(noisy(swayed, rng)), profiles(noisy(plain, rng)), 240)
    assert (shift.dx, shift.dy) == (dx, dy)
    assert sways(shift)
    part = overlap(plain.shape, shift, Shift())
    assert np.array_equal(swayed[part.a], plain[part.c])
    assert np.array_equal(plain[part.b], plain[part.c])


@pytest.mark.parametrize(("dx", "dy"), [(0.5, 0.25), (-0.375, 0.5), (1.25, -0.625), (0.0, 0.25)])
def test_parts_of_a_pixel_are_found_and_undone(dx: float, dy: float) -> None:
    plain, swayed = moved(picture(), 0, 0), moved(picture(), dx, dy)
    shift = shift_of(profiles(swayed), profiles(plain), 240)
    assert shift.dx + shift.rest_x == pytest.approx(dx, abs=0.08)
    assert shift.dy + shift.rest_y == pytest.approx(dy, abs=0.08)
    part = overlap(plain.shape, shift, Shift())
    middle = (slice(8, -8), slice(8, -8))
    left = cv2.absdiff(finely(swayed, shift)[part.a], plain[part.c])[middle]
    before = cv2.absdiff(swayed, plain)[middle]
    assert np.percentile(left, 99.5) < 0.35 * np.percentile(before, 99.5)


def test_something_that_moves_before_a_still_wall_is_no_sway() -> None:
    one, other = picture(), picture()
    cv2.circle(one, (80, 100), 8, (10,), -1)
    cv2.circle(other, (84, 103), 8, (10,), -1)
    shift = shift_of(profiles(one), profiles(other), 240)
    assert (shift.dx, shift.dy) == (0, 0)
    assert finely(one, Shift(0, 0, 0.03, -0.05)) is one


def test_noise_is_no_sway() -> None:
    rng, plain = np.random.default_rng(7), picture()
    shifts = [
        shift_of(profiles(noisy(plain, rng, 4)), profiles(noisy(plain, rng, 4)), 240)
        for _ in range(10)
    ]
    assert not any(map(sways, shifts))


# --- noise --------------------------------------------------------------------------------------


def level_of(noise: NoiseMap) -> Luma:
    level = noise.level()
    assert level is not None
    return level


def learn(noise: NoiseMap, rng: np.random.Generator, mean: float, seconds: float) -> None:
    for _ in range(round(seconds * 25)):
        noise.learn(rng.poisson(mean, noise.shape).astype(np.uint8), 0.04)


def test_the_threshold_rises_where_it_is_noisy_and_falls_when_it_is_calm_again() -> None:
    rng, noise = np.random.default_rng(8), NoiseMap((240, 200), 240)
    assert noise.level() is None
    learn(noise, rng, 0.3, 2)
    calm = level_of(noise)
    assert FLOOR <= np.median(calm) <= FLOOR + 5
    learn(noise, rng, 3, 4)
    assert np.median(level_of(noise)) > FLOOR + 20
    learn(noise, rng, 0.3, 8)
    assert np.median(level_of(noise)) < np.median(calm) + 4


def test_what_passes_does_not_blind_its_way() -> None:
    rng, noise = np.random.default_rng(9), NoiseMap((240, 200), 240)
    learn(noise, rng, 0.3, 3)
    before = int(level_of(noise)[120, 100])
    for number in range(6):  # a thing of 20 px, 0.25 s in one place
        out = rng.poisson(0.3, noise.shape).astype(np.uint8)
        out[100 + 4 * number : 120 + 4 * number, 90:110] = 120
        noise.learn(out, 0.04)
    assert int(level_of(noise)[100:160, 90:110].max()) <= before + 5


def test_noise_comes_back_from_its_bytes() -> None:
    rng, noise = np.random.default_rng(10), NoiseMap((240, 200), 240)
    learn(noise, rng, 1, 1)
    again = NoiseMap((240, 200), 240)
    again.unpack(noise.pack(), noise.count)
    assert np.array_equal(level_of(noise), level_of(again))
    assert again.sigma_at(100, 100) == noise.sigma_at(100, 100)
    empty = NoiseMap((240, 200), 240)
    empty.unpack(empty.pack(), 0)
    assert empty.level() is None


# --- blobs --------------------------------------------------------------------------------------


def test_a_blob_is_measured_by_its_contrast() -> None:
    out = np.zeros((60, 60), np.uint8)
    out[20:30, 12:16] = 40
    mask = (out > 10).astype(np.uint8)
    (box,) = boxes(mask, 5) or []
    x, y, w, h, contrast, area = measure(box, out, np.zeros_like(out))
    assert (x, y) == (13.5, 24.5)
    assert (w, h) == (3, 9)  # smoothing, not done here, widens by one
    assert contrast == -40
    assert area == 40
    assert measure(box, out, out)[4] == 40


def test_too_many_outlines_are_not_looked_at_and_the_strongest_are_kept() -> None:
    out = np.zeros((60, 60), np.uint8)
    out[::6, ::6] = np.arange(100, dtype=np.uint8).reshape(10, 10) + 20
    mask = (out > 0).astype(np.uint8)
    assert boxes(mask, 99) is None
    found = boxes(mask, 100) or []
    kept = strongest(found, out, 10)
    assert {int(out[y, x]) for x, y, _, _ in kept} == set(range(110, 120))
    assert strongest(found, out, 100) is found
    level = np.full_like(out, 55)
    above = strongest(found, out, 100, level, 2.0)
    assert {int(out[y, x]) for x, y, _, _ in above} == set(range(110, 120))
    assert strongest([], out, 100, level, 2.0) == []


# --- kept pictures ------------------------------------------------------------------------------


def test_pictures_come_back_exactly_and_take_little_room() -> None:
    rng, plain = np.random.default_rng(11), noisy(picture(), np.random.default_rng(3), 6)
    pictures = [Kept(number, plain.copy()) for number in range(5)]
    for number, one in enumerate(pictures):
        one.luma[10 * number : 10 * number + 20] = rng.integers(0, 255)
    packed = pack(pictures)
    back = unpack(packed)
    assert [one.t for one in back] == [0, 1, 2, 3, 4]
    assert all(np.array_equal(a.luma, b.luma) for a, b in zip(pictures, back, strict=True))
    assert sum(len(png) for _, png in packed[1:]) < len(packed[0][1])


def test_a_damaged_picture_is_said() -> None:
    with pytest.raises(ValueError, match="snapshot is damaged"):
        unpack([(1, b"no picture")])


# --- regime -------------------------------------------------------------------------------------


def weather_after(
    weather: Weather, rng: np.random.Generator, count: int, seconds: float, *, wide: float = 1.0
) -> str:
    for _ in range(round(seconds * 25)):
        places = rng.uniform(0, 1, (count, 2)) * np.array([1920 * wide, 1080])
        weather.add(places, (1080, 1920), True, 0.04)
    return weather.regime


def test_many_things_all_over_for_seconds_are_rain_until_they_are_gone() -> None:
    rng, weather = np.random.default_rng(12), Weather()
    assert weather_after(weather, rng, 3, 2) == "clear"
    assert weather_after(weather, rng, 60, 0.2) == "clear"  # a flock flies up
    assert weather_after(weather, rng, 60, 3) == "rain"
    assert weather_after(weather, rng, 14, 3) == "rain"  # less, but no end of it
    assert weather_after(weather, rng, 3, 4) == "clear"


def test_a_tree_in_the_wind_is_no_rain() -> None:
    assert weather_after(Weather(), np.random.default_rng(13), 60, 5, wide=0.2) == "clear"


def test_pictures_that_say_nothing_for_long_are_blindness() -> None:
    weather, nothing = Weather(), np.zeros((0, 2))
    regimes = [weather.add(nothing, (1080, 1920), False, 0.04) for _ in range(60)]
    assert regimes[5] == "clear"
    assert regimes[-1] == "blind"
    assert weather_after(weather, np.random.default_rng(14), 1, 3) == "clear"
