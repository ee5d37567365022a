"""Does a camera still see what it was set up to see?"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import av
import cv2
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from contracts.errors import Wrong
from detectors._common.match import Comparer
from detectors._common.scene import SceneState, SceneWatch
from tests.unit.detectors.views import (
    BEGIN,
    HEIGHT,
    WIDTH,
    Change,
    Picture,
    facade,
    moved,
    ramp,
    sent,
    watch,
)

pytestmark = pytest.mark.slow


def dusk(p: Picture, s: float) -> Any:
    return p * (1 - 0.97 * ramp(s, 30, 70))


def windows_at_night(p: Picture, s: float) -> Any:
    night = np.asarray(dusk(p, s), np.float32)
    for i in range(40):
        x, y = 16 + 56 * (i * 7 % 9), 62 + 42 * (i * 5 % 7)
        if s > 40 + i:
            night[y : y + 26, x : x + 30] += 120
    return night


def fog(p: Picture, s: float) -> Any:
    thick = 0.95 * ramp(s, 30, 70)
    return p * (1 - thick) + 180 * thick


def lorry(p: Picture, s: float) -> Any:
    """A flat white side as wide as the picture, 15 s in view."""
    here = p.copy()
    x = int(-WIDTH + (s - 40) * 2 * WIDTH / 15)
    here[40:, max(0, x) : max(0, x + WIDTH)] = 220
    return here


def rain(p: Picture, s: float) -> Any:
    rng = np.random.default_rng(round(s * 100))
    here = p.copy()
    for x, y, long in rng.integers((0, 0, 10), (WIDTH, HEIGHT, 40), (150, 3)):
        cv2.line(here, (int(x), int(y)), (int(x) + 2, int(y + long)), (225.0,), 1)
    return here


def shadow(p: Picture, s: float) -> Any:
    edge = 100 + 4 * s - 0.5 * np.arange(HEIGHT)[:, None]
    return np.where(np.arange(WIDTH)[None, :] < edge, 0.4 * p, p)


QUIET: dict[str, Change] = {
    "nothing": lambda p, s: p,
    "night falls": dusk,
    "windows are lit": windows_at_night,
    "fog comes up": fog,
    "exposure steps up": lambda p, s: p * (2.2 if 40 < s < 80 else 1),
    "exposure steps down": lambda p, s: p * (0.3 if 40 < s < 80 else 1),
    "a lorry passes": lorry,
    "rain": rain,
    "a shadow wanders": shadow,
    "wind sways the mast": lambda p, s: moved(p, 6 * np.sin(2 * np.pi * s / 2.3), 1),
    "a slow sway": lambda p, s: moved(p, 5 * np.sin(2 * np.pi * s / 9)),
    "a short push": lambda p, s: moved(p, 12 * (50 < s < 58)),
}


@pytest.mark.parametrize("what", QUIET)
def test_what_is_not_the_cameras_fault_is_not_held_against_it(what: str) -> None:
    over, told = watch(QUIET[what])
    assert [fault for _, fault in told if fault] == []
    assert over.trusted


AT = 40.0
FAULTY: dict[str, tuple[str, Change]] = {
    "shifted by 4 px": ("moved", lambda p, s: moved(p, 4 * (s > AT))),
    "turned by a degree": ("moved", lambda p, s: moved(p, turn=1.0 * (s > AT))),
    "zoomed by 3 %": ("moved", lambda p, s: moved(p, zoom=1 + 0.03 * (s > AT))),
    "far away": ("moved", lambda p, s: moved(p, 150 * (s > AT), 60 * (s > AT))),
    "quite elsewhere": ("moved", lambda p, s: p if s < AT else facade(9)[::-1, ::-1]),
    "at dusk": (
        "moved",
        lambda p, s: moved(p, 8 * (s > AT + 20)) * (1 - 0.8 * ramp(s, AT, AT + 15)),
    ),
    "a bag over it": ("covered", lambda p, s: p if s < AT else p * 0 + 110),
    "black": ("covered", lambda p, s: p if s < AT else p * 0 + 5),
    "half pasted over": (
        "covered",
        lambda p, s: p if s < AT else np.where(np.arange(WIDTH) < 0.6 * WIDTH, 90, p),
    ),
    "out of focus": ("blurred", lambda p, s: p if s < AT else cv2.GaussianBlur(p, (0, 0), 3)),
    "far out of focus": ("blurred", lambda p, s: p if s < AT else cv2.GaussianBlur(p, (0, 0), 9)),
}


@pytest.mark.parametrize("what", FAULTY)
def test_a_fault_is_named_once_and_until_it_ends_nothing_is_trusted(what: str) -> None:
    fault, change = FAULTY[what]
    over, told = watch(change)
    assert [found for _, found in told if found] == [fault]
    assert told[-1][0] - AT <= 45 + 20 * (what == "at dusk")
    assert not over.trusted
    found = over.fault
    assert found is not None and found.en in over.why
    assert AT - 1 <= (found.since - BEGIN) / 1e6 <= AT + 30


def test_shift_turn_and_zoom_are_told_in_pixels_of_the_calibrated_picture() -> None:
    plate = facade()
    calibrated = cv2.resize(plate, (3 * WIDTH, 3 * HEIGHT)).astype(np.uint8)
    reference = cv2.imencode(".jpg", calibrated)[1].tobytes()
    over = SceneWatch(reference, (3 * WIDTH, 3 * HEIGHT))
    watch(lambda p, s: moved(p, 1.5, -2), seconds=40, over=over)
    assert over.s.numbers["shift_x"] == pytest.approx(4.5, abs=0.5)
    assert over.s.numbers["shift_y"] == pytest.approx(-6, abs=0.5)
    assert over.fault is not None and over.fault.what == "moved"


def test_a_shift_is_found_to_a_tenth_of_a_pixel_whatever_the_light() -> None:
    plate = facade()
    comparer = Comparer((WIDTH, HEIGHT))
    then = comparer.view(sent(plate, 0))
    lights: list[Change] = [
        lambda p, s: p,
        lambda p, s: 0.3 * p,
        lambda p, s: shadow(p, 50),
        lambda p, s: 255 - p,  # what was dark is lit and the other way round
    ]
    for number, light in enumerate(lights, 1):
        now = comparer.view(sent(light(moved(plate, 2.3, -1.6, turn=0.2), 0), number))
        found = comparer.match(then, now)
        assert found is not None
        assert (found.dx, found.dy) == pytest.approx((2.3, -1.6), abs=0.15)
        assert np.degrees(-found.turn) == pytest.approx(0.2, abs=0.03)


def test_two_different_scenes_do_not_match() -> None:
    comparer = Comparer((WIDTH, HEIGHT))
    # facades drawn by one rule share their grid of windows, so these are blots
    blots = [np.random.default_rng(seed).uniform(0, 255, (30, 50)) for seed in range(6)]
    views = [comparer.view(sent(cv2.resize(blot, (WIDTH, HEIGHT)), 0)) for blot in blots]
    views.append(comparer.view(np.zeros((HEIGHT, WIDTH), np.uint8)))
    for i, j in itertools.permutations(range(len(views)), 2):
        assert comparer.match(views[i], views[j]) is None
        assert comparer.far(views[i], views[j]) is None


def test_a_camera_put_back_is_trusted_again() -> None:
    over, told = watch(lambda p, s: moved(p, 9 * (AT < s < AT + 40)), seconds=140)
    assert [found for _, found in told] == ["moved", ""]
    assert over.trusted


def frozen(*, clock: bool, noise: float, seconds: int, gop: int = 1) -> list[str]:
    """Pictures that stand still from 50 s on; `gop`: only every so many differ before."""
    over, told = SceneWatch(), [""]
    plate = facade()
    last: NDArray[np.uint8] = np.zeros((HEIGHT, WIDTH), np.uint8)
    for s in range(seconds):
        if s < 50 * gop and s % gop == 0:
            last = sent(plate, s, noise)
        luma: NDArray[np.uint8] = last.copy()
        if clock:
            cv2.putText(luma, f"{s:06d}", (10, 20), cv2.FONT_HERSHEY_PLAIN, 1.0, (255,), 2)
        over.add(BEGIN + s * 1_000_000, luma)
        found = over.fault
        told.append(found.what if found is not None else "")
    return sorted(set(told) - {""})


def test_a_picture_that_stands_still_is_frozen_even_under_a_running_clock() -> None:
    assert frozen(clock=False, noise=3, seconds=120) == ["frozen"]
    assert frozen(clock=True, noise=3, seconds=120) == ["frozen"]


def test_the_same_second_of_video_again_and_again_is_frozen() -> None:
    over, plate, faults = SceneWatch(), facade(), set[str]()
    loop = [sent(plate, s, 3) for s in range(41, 50)]
    for s in range(120):
        over.add(BEGIN + s * 1_000_000, loop[s % 9] if s >= 50 else sent(plate, s, 3))
        faults |= {over.fault.what} if over.fault is not None else set()
    assert faults == {"frozen"}


def test_a_quiet_scene_is_not_frozen() -> None:
    # no noise at all, as of a drawn scene
    assert frozen(clock=False, noise=0, seconds=120) == []
    # compressed so hard that only a key frame every 8 s brings anything new
    assert frozen(clock=False, noise=3, seconds=8 * 50, gop=8) == []


def test_calibrated_anew_means_compared_with_the_new_picture() -> None:
    def reference(dx: float) -> bytes:
        shown = np.clip(moved(facade(), dx), 0, 255).astype(np.uint8)
        return cv2.imencode(".png", shown)[1].tobytes()

    size = (WIDTH, HEIGHT)
    over, _ = watch(lambda p, s: moved(p, 9), seconds=40, over=SceneWatch(reference(0), size))
    assert not over.trusted
    same, new = SceneWatch(reference(0), size), SceneWatch(reference(9), size)
    for one in (same, new):
        one.restore(over.state())
    assert not same.trusted
    watch(lambda p, s: moved(p, 9), seconds=40, over=new)
    assert new.trusted and new.s.numbers["agree"]


def test_stopped_and_resumed_it_says_the_same() -> None:
    plate = facade()
    whole, cut = SceneWatch(), SceneWatch()
    for number in range(80):
        s = float(number)
        luma = sent(moved(plate, 7 * (s > 30)), number)
        whole.add(BEGIN + round(s * 1e6), luma)
        cut.add(BEGIN + round(s * 1e6), luma)
        if number % 11 == 0:
            kept = msgspec.msgpack.decode(msgspec.msgpack.encode(cut.state()), type=SceneState)
            cut = SceneWatch()
            cut.restore(kept)
        assert (cut.why, cut.s.numbers) == (whole.why, whole.s.numbers)
    assert whole.fault is not None


def test_a_reference_that_is_no_picture_is_refused_with_a_reason() -> None:
    with pytest.raises(Wrong, match="JPEG or PNG"):
        SceneWatch(b"not a picture")


@pytest.mark.recordings
@pytest.mark.parametrize(
    "name",
    [
        "neg_birds_feeding.mp4",
        "neg_brightness_step.avi",
        "neg_motorway_traffic.mp4",
        "neg_rain_yard_upright.mp4",
        "neg_road_bgs_video.avi",
        "neg_swaying_tree.avi",
        "pos_office1_box.mp4",
    ],
)
def test_no_fixed_camera_is_accused(name: str, recordings: Path) -> None:
    over = SceneWatch()
    with av.open(str(recordings / "falls" / name)) as video:
        rate = float(video.streams.video[0].average_rate or 25)
        pictures = [
            np.asarray(frame.to_ndarray(format="gray"), np.uint8)
            for number, frame in enumerate(itertools.islice(video.decode(video=0), 250))
            if number % round(rate) == 0
        ]
    rounds = 1 + 40 // len(pictures)
    there_and_back = (pictures + pictures[::-1]) * rounds
    for second, picture in enumerate(there_and_back):
        over.add(BEGIN + 1_000_000 * second, picture)
        assert over.fault is None
    assert over.s.learned is not None, "nothing was compared"


@pytest.mark.recordings
@pytest.mark.parametrize("name", ["neg_rain_yard_upright.mp4", "pos_office1_box.mp4"])
@pytest.mark.parametrize(
    ("fault", "change"),
    [
        ("moved", lambda p: moved(p, 5)),
        ("moved", lambda p: moved(p, turn=1.0)),
        ("blurred", lambda p: cv2.GaussianBlur(p, (0, 0), p.shape[1] / 400 + 0.6)),
        ("covered", lambda p: np.where(np.arange(p.shape[1]) < 0.6 * p.shape[1], 90.0, p)),
    ],
)
def test_on_real_scenes_too(name: str, fault: str, change: Any, recordings: Path) -> None:
    over, found = SceneWatch(), set()
    with av.open(str(recordings / "falls" / name)) as video:
        pictures = [
            np.asarray(frame.to_ndarray(format="gray"), np.uint8)
            for number, frame in enumerate(itertools.islice(video.decode(video=0), 160))
            if number % 12 == 0
        ]
    for second in range(85):
        picture = pictures[second % len(pictures)]
        if second >= 45:
            picture = np.asarray(change(picture.astype(np.float32)), np.float32).astype(np.uint8)
        over.add(BEGIN + 1_000_000 * second, picture)
        if over.fault is not None:
            found.add(over.fault.what)
    assert found == {fault}
