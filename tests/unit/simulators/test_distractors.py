"""What is before a facade and is no fall moves as its physics says, in any order of asking."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from contracts.city import Camera
from simulators.falls.distractors import KINDS, make
from simulators.falls.distractors._eye import PITCH, Eye
from simulators.falls.distractors._movers import Movers
from simulators.falls.distractors._quiet import Quiet
from simulators.falls.distractors._strokes import strokes
from simulators.falls.distractors.birds import SPECIES, Bird, birds
from simulators.falls.distractors.drips import dropped_m
from simulators.falls.distractors.leaves import leaves
from simulators.falls.distractors.lift_cage import Cage, lift_cage
from simulators.falls.distractors.plastic_bag import plastic_bag
from simulators.falls.distractors.rain import Rain, terminal_m_s
from simulators.falls.distractors.shake import Shake
from simulators.falls.distractors.snow import Snow
from simulators.falls.distractors.traffic import Passer, traffic
from simulators.falls.layers import Layer, Luma, Sensor

DT = 0.04


class FakeView:
    """A grey wall with a few dark panes, 40 px a metre."""

    def __init__(self, size: tuple[int, int] = (640, 360), seconds: float = 12.0) -> None:
        self.size = size
        self.seconds = seconds
        self.fps = 25.0
        self.exposure_s = 1 / 200
        self.pixels_per_m = size[0] / 32
        self.panes = [(x, y, x + 30, y + 32) for x in range(40, 600, 90) for y in (60, 160, 260)]
        self.ground_y = size[1] * 1.02
        plate = np.full((size[1], size[0]), 120, np.uint8)
        plate[::7] = 130
        for x0, y0, x1, y1 in self.panes:
            plate[y0:y1, x0:x1] = 50
        self.plate: Luma = plate
        self.camera = Camera(device="cam", size=size)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def shown(what: Layer | Sensor, view: FakeView, t: float) -> np.ndarray:
    """The picture at `t`, or what the sensor says, as an array."""
    if hasattr(what, "draw"):
        y = view.plate.copy()
        what.draw(y, t)
        return y
    gain = what.gain(t)
    return np.concatenate([np.ravel(gain).astype(float), np.array(what.shift(t))])


@pytest.fixture(scope="module")
def view() -> FakeView:
    return FakeView()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_does_something_that_changes(kind: str, view: FakeView) -> None:
    for seed in range(4):
        what = make(kind, 0.7, view, rng(seed))
        times = np.arange(0, view.seconds, 0.5)
        pictures = [shown(what, view, float(t)) for t in times]
        still = view.plate if hasattr(what, "draw") else None
        if still is not None:
            assert any((p != still).sum() >= 4 for p in pictures), f"{kind} {seed} draws nothing"
        assert any((a != b).any() for a, b in pairwise(pictures))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_dice_give_the_same_pictures_in_any_order(kind: str, view: FakeView) -> None:
    times = [3.0, 0.4, 3.04, 7.5, 0.44]
    one, two = (make(kind, 0.6, view, rng(5)) for _ in range(2))
    forward = {t: shown(one, view, t) for t in sorted(times)}
    for t in times:
        assert np.array_equal(forward[t], shown(two, view, t)), f"{kind} at {t}"


@pytest.mark.parametrize("kind", KINDS)
def test_it_works_at_the_ends_of_strength_and_outside_the_scene(kind: str) -> None:
    view = FakeView((320, 180), seconds=0.4)
    view.panes = []
    for strength in (0.0, 1.0):
        what = make(kind, strength, view, rng(2))
        for t in (-1.0, 0.0, 0.3, 50.0):
            assert np.isfinite(shown(what, view, t)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_layers_and_sensors_have_what_their_protocol_asks(kind: str, view: FakeView) -> None:
    what = make(kind, 0.5, view, rng())
    if not isinstance(what, Quiet):
        assert isinstance(getattr(what, "behind", None), bool)
        assert callable(getattr(what, "draw", None)) and not hasattr(what, "gain")
        return
    assert not hasattr(what, "draw")
    gain = what.gain(1.0)
    assert isinstance(gain, float) or (gain.dtype == np.uint8 and gain.shape == view.plate.shape)
    assert all(isinstance(d, float) for d in what.shift(1.0))


def test_an_unknown_kind_and_a_wrong_strength_are_refused(view: FakeView) -> None:
    with pytest.raises(ValueError, match="there are: rain"):
        make("meteors", 0.5, view, rng())
    with pytest.raises(ValueError, match="0 to 1"):
        make("rain", 1.5, view, rng())


def test_raindrops_fall_as_gunn_and_kinzer_measured() -> None:
    measured = {1.0e-3: 4.03, 2.0e-3: 6.49, 3.0e-3: 8.06, 4.0e-3: 8.83, 5.0e-3: 9.09}
    speeds = terminal_m_s(np.array(list(measured)))
    assert np.allclose(speeds, list(measured.values()), rtol=0.03)


def test_streaks_of_rain_are_as_long_as_speed_and_shutter_say(view: FakeView) -> None:
    for exposure in (1 / 60, 1 / 250):
        long = FakeView()
        long.exposure_s = exposure
        field = Rain(0.0, long, rng(3)).field
        assert field.speed.min() > 2.0 and field.speed.max() < 10.2
        heights = []
        for t in np.arange(0, 6, 0.5):
            y = long.plate.copy()
            field.draw(y, float(t))
            found = cv2.connectedComponentsWithStats((y != long.plate).astype(np.uint8))[2]
            heights += found[1:, cv2.CC_STAT_HEIGHT].tolist()
        # drops are half a metre away or more, and 1 to 5 mm wide
        most = (9.65 * 1.05 * exposure + 0.012) * 640 / 0.5 + 3
        assert 3 < max(heights) < most


def test_snow_sinks_at_one_to_two_metres_a_second(view: FakeView) -> None:
    speed = Snow(0.6, view, rng()).field.speed
    assert len(speed) > 50
    assert speed.min() > 0.8 and speed.max() < 2.0


def test_drips_accelerate_from_rest_until_the_air_holds_them() -> None:
    t = np.array([0.0, 0.1, 0.2, 10.0, 11.0])
    way = dropped_m(t, np.full(5, 8.8))
    assert way[0] == pytest.approx(0.0, abs=1e-12)
    assert way[1] == pytest.approx(0.5 * 9.81 * 0.01, rel=0.01)
    assert way[2] == pytest.approx(4 * way[1], rel=0.03)
    assert way[4] - way[3] == pytest.approx(8.8, rel=1e-3)


def test_leaves_swing_and_sink_without_gathering_speed(view: FakeView) -> None:
    swinging = 0
    for leaf in leaves(0.8, view, rng(4)).movers[:20]:
        at = np.array([leaf.place(leaf.start + s) for s in np.arange(0.6, 6.6, DT)])
        sink = -np.diff(at[:, 1]) / DT
        assert 0.3 < sink.mean() < 2.1
        assert sink.max() < 4.0  # a thing that falls freely has 6 m/s after its first 2 m
        assert abs(sink[:75].mean() - sink[75:].mean()) < 0.5
        level = np.linspace(at[0], at[-1], len(at))
        off = np.linalg.norm((at - level)[:, [0, 2]], axis=1)
        swinging += bool(off.max() > 0.05)
    assert swinging > 5


def test_no_bird_falls_freely_for_longer_than_it_takes_to_open_its_wings(view: FakeView) -> None:
    seen = set()
    for seed in range(12):
        for bird in birds(1.0, view, rng(seed)).movers:
            assert isinstance(bird, Bird)
            seen.add(bird.manner)
            times = np.arange(bird.start, bird.end, DT)
            up = np.array([bird.place(float(t))[1] for t in times])
            sink = -np.diff(up) / DT
            assert sink.max() < 26.0  # a kestrel's stoop
            # whoever sinks fast has stopped doing so when it leaves
            if sink.max() > 5.0:
                assert sink[-1] < 0.5 * sink.max()
    assert {"cross", "swoop", "drop_off"} <= seen
    assert {s.name for s in SPECIES} >= {"feral pigeon", "tree sparrow"}


def test_shake_rings_out_around_where_the_camera_was(view: FakeView) -> None:
    for seed in range(5):
        shake = Shake(1.0, view, rng(seed))
        at = np.array([shake.shift(float(t)) for t in np.arange(0, 60, 0.03)])
        peak = np.abs(at).max()
        assert 0.1 < peak <= 6.0
        assert np.abs(at.mean(axis=0)).max() < 0.05 * peak


def test_strokes_conserve_their_ink() -> None:
    total = []
    for shift in np.linspace(0, 1, 7):
        y = np.zeros((60, 60), np.uint8)
        begin = np.array([[20.3 + shift, 15.2 + shift]])
        strokes(y, begin, begin + np.array([[3.0, 22.0]]), np.array([1.5]), np.array([0.9]), 255.0)
        total.append(y.sum())
    expected = 0.9 * 255 * 1.5 * 1.5
    assert np.allclose(total, expected, rtol=0.12)


def test_strokes_that_leave_the_picture_are_cut_and_never_wrap_round() -> None:
    y = np.full((40, 50), 90, np.uint8)
    begin = np.array([[-30.0, 5.0], [49.0, 35.0], [20.0, -50.0], [400.0, 10.0]])
    end = np.array([[10.0, 5.0], [80.0, 60.0], [20.0, 90.0], [440.0, 20.0]])
    strokes(y, begin, end, np.full(4, 3.0), np.ones(4), 400.0)
    assert (y[:, 30:45] == 90).all()
    assert y[5, 3] > 90 and y[20, 20] > 90
    assert y.min() == 90


def test_the_eye_looks_up_and_finds_its_places_again(view: FakeView) -> None:
    eye = Eye(view)
    pixels = np.array([[10.0, 20.0], [320.0, 180.0], [600.0, 350.0]])
    seen, depth = eye.project(eye.world(pixels, np.array([2.0, 5.0, 9.0])))
    assert np.allclose(seen, pixels) and np.allclose(depth, [2.0, 5.0, 9.0])
    # up is up, and the vertical leans toward the axis: looked at from below
    here = eye.world(np.array([[320.0, 180.0]]), 10.0)[0]
    above, far = eye.project(here + np.array([0, 1.0, 0]))
    assert above[0, 1] < 180 and far[0] == pytest.approx(10 + np.sin(PITCH))
    assert eye.px_per_m(here) == pytest.approx(eye.focal / 10)


def test_the_eye_takes_the_vertical_from_the_calibration(view: FakeView) -> None:
    pitch, focal, back = np.radians(20.0), 640.0, 20.0
    points = []
    for u, v in ((-6, 2), (6, 2), (6, 14), (-6, 14), (0, 8)):
        y, z = v * np.cos(pitch) - back * np.sin(pitch), v * np.sin(pitch) + back * np.cos(pitch)
        points.append((320 + focal * u / z, 180 - focal * y / z, float(u), float(v)))
    calibrated = FakeView()
    calibrated.camera = Camera(
        device="cam", size=calibrated.size, focal_px=focal, points=tuple(points)
    )
    up = Eye(calibrated).project(np.array([[0.0, 1e6, 1e-3]]))[0][0]
    assert up[1] == pytest.approx(180 - focal / np.tan(pitch), rel=0.01)


MOVING = ("birds", "insects", "leaves", "traffic", "plastic_bag", "flyers", "lift_cage", "spider")


@pytest.mark.parametrize("kind", MOVING)
def test_nothing_here_falls_freely_for_a_whole_floor(kind: str, view: FakeView) -> None:
    """At the facade, that is: half a second at about g, 1.2 m, is what a bird may do."""
    step, count = 0.02, 0
    for seed in range(6):
        layer = make(kind, 1.0, view, rng(seed))
        assert isinstance(layer, Movers)
        for mover in layer.movers:
            begin, end = max(mover.start, 0.0), min(mover.end, view.seconds)
            if end - begin < 0.2:
                continue
            up = np.array([mover.place(float(t))[1] for t in np.arange(begin, end, step)])
            pull = -np.diff(up, 2) / step**2
            run = longest = 0
            for free in (pull > 7.0) & (pull < 12.5):
                run = run + 1 if free else 0
                longest = max(longest, run)
            assert longest * step < 0.5, f"{kind} {seed}"
            count += 1
    assert count >= 6


def test_lifts_keep_to_the_speed_and_the_acceleration_of_their_kind(view: FakeView) -> None:
    step = 0.02
    for seed in range(12):
        for cage in lift_cage(1.0, view, rng(seed)).movers:
            assert isinstance(cage, Cage)
            up = np.array([cage.place(float(t))[1] for t in np.arange(0, 60, step)])
            speed = np.diff(up) / step
            assert np.abs(speed).max() <= cage.speed_m_s * 1.02
            assert np.abs(np.diff(speed)).max() / step <= cage.pull_m_s2 * 1.1


def test_who_comes_toward_the_camera_goes_down_and_grows(view: FakeView) -> None:
    came = 0
    for seed in range(6):
        for passer in traffic(0.6, view, rng(seed)).movers:
            assert isinstance(passer, Passer)
            if not passer.comes:
                continue
            seen = [passer.outlines(float(t)) for t in np.linspace(passer.start, passer.end, 12)]
            feet = [o[0][0][:, 1].max() for o in seen if o]
            tall = [np.ptp(o[0][0][:, 1]) for o in seen if o]
            assert (np.diff(feet) > 0).all() and (np.diff(tall) > 0).all()
            assert np.diff(feet)[-1] > 2 * np.diff(feet)[0]
            came += 1
    assert came > 3


def test_bags_hang_in_the_updraught(view: FakeView) -> None:
    rose = sank = 0
    for seed in range(10):
        for bag in plastic_bag(0.8, view, rng(seed)).movers:
            up = np.array([bag.place(float(t))[1] for t in np.arange(bag.start, bag.end, DT)])
            speed = np.diff(up) / DT
            assert speed.min() > -4.0
            rose += bool(speed.max() > 0.1)
            sank += bool(speed.max() <= 0)
    assert rose > 2 and sank > 2


def test_rain_and_snow_stay_within_what_is_drawn_whatever_the_shutter() -> None:
    for exposure in (1 / 25, 1 / 100, 1 / 1000, 1 / 8000):
        for size in ((640, 360), (1920, 1080)):
            view = FakeView(size)
            view.exposure_s = exposure
            for strength in (0.0, 0.3, 0.7, 1.0):
                for field in (Rain(strength, view, rng()).field, Snow(strength, view, rng()).field):
                    assert 0 <= field.visible <= 700 * size[0] / 1280
                    assert len(field.speed) < 3 * 700 * size[0] / 1280
