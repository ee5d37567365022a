"""Falls on real videos: the one fall once and where it was, and no fall where there is none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from contracts.event import Event
from contracts.nouns import Frame
from detectors._common.sample import START
from detectors.high_altitude_throw import Settings, ThrowDetector, sites
from detectors.high_altitude_throw.sample import town

pytestmark = [pytest.mark.recordings, pytest.mark.slow]

Luma = NDArray[np.uint8]

NEGATIVES = (
    "neg_birds_feeding.mp4",
    "neg_brightness_step.avi",
    "neg_handheld_eaves.mp4",
    "neg_motorway_traffic.mp4",
    "neg_rain_yard_upright.mp4",
    "neg_road_bgs_video.avi",
    "neg_swaying_tree.avi",
)


def decode(path: Path) -> Iterator[Luma]:
    """The Y planes of a video's pictures."""
    with av.open(str(path)) as container:
        for picture in container.decode(video=0):
            planar = picture.reformat(format="yuv420p")
            plane = planar.planes[0]
            whole = np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, plane.line_size)
            yield whole[:, : plane.width].copy()


def encode_again(pictures: list[Luma], rate: float, folder: Path, crf: int) -> Iterator[Luma]:
    """The same pictures after H.264 with a keyframe every second."""
    height, width = pictures[0].shape
    file = folder / "again.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=round(rate))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": str(crf), "g": str(round(rate)), "preset": "veryfast"}
        grey = np.full((height // 2, width), 128, np.uint8)
        for luma in pictures:
            frame = av.VideoFrame.from_ndarray(np.vstack([luma, grey]), format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    yield from decode(file)


def watch(pictures: Iterable[Luma], rate: float, start: datetime = START) -> list[Event]:
    site = next(iter(sites(town(calibrated=False), Settings())))
    detector = ThrowDetector(Settings(), site, None)
    events: list[Event] = []
    for number, luma in enumerate(pictures):
        at = start + timedelta(microseconds=round(number * 1e6 / rate))
        events.extend(detector.on_item(Frame("cam", at, at, luma)))
    wake = detector.wake_at()
    return events + (list(detector.on_time(wake)) if wake is not None else [])


@pytest.fixture(scope="module")
def manifest(recordings: Path) -> dict[str, dict[str, Any]]:
    entries = json.loads((recordings / "falls" / "manifest.json").read_text())
    return {entry["file"]: entry for entry in entries}


@pytest.fixture(scope="module")
def fall(recordings: Path) -> list[Luma]:
    return list(decode(recordings / "falls" / "pos_office1_box.mp4"))


def assert_is_the_box(
    events: list[Event], truth: dict[str, Any], rate: float, *, scale: float = 1, every: int = 1
) -> None:
    """One event, begun within a second of the truth, its track within 10 px of it (median)."""
    assert len({event.id for event in events}) == 1
    last = events[-1]
    assert last.phase == "closed"
    real = truth["events"][0]
    onset = (last.at - START).total_seconds() * rate
    assert abs(onset - real["first_frame"]) < rate
    places = {frame: (x, y) for frame, x, y in real["track_frames_xy"]}
    errors = []
    for at, x, y in last.evidence["track"]:
        frame = round((datetime.fromisoformat(at) - START).total_seconds() * rate)
        if frame in places:
            true_x, true_y = places[frame]
            errors.append(float(np.hypot(x / scale - true_x, y / scale - true_y)))
    assert len(errors) >= 20 / every
    assert np.median(errors) <= 10


def test_the_falling_box_is_one_event_and_its_mirror_image_none(
    fall: list[Luma], manifest: dict[str, dict[str, Any]]
) -> None:
    truth = manifest["pos_office1_box.mp4"]
    events = watch(fall, truth["fps"])
    assert_is_the_box(events, truth, truth["fps"])
    assert events[-1].evidence["tracks"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("crf", [18, 23, 28])
def test_the_box_survives_encoding_again(
    fall: list[Luma], manifest: dict[str, dict[str, Any]], tmp_path: Path, crf: int
) -> None:
    truth = manifest["pos_office1_box.mp4"]
    events = watch(encode_again(fall, truth["fps"], tmp_path, crf), truth["fps"])
    assert_is_the_box(events, truth, truth["fps"])


@pytest.mark.slow
@pytest.mark.parametrize("scale", [0.75, 0.5])
def test_the_box_survives_a_smaller_picture(
    fall: list[Luma], manifest: dict[str, dict[str, Any]], scale: float
) -> None:
    truth = manifest["pos_office1_box.mp4"]
    small = (
        np.asarray(
            cv2.resize(one, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
        for one in fall
    )
    assert_is_the_box(watch(small, truth["fps"]), truth, truth["fps"], scale=scale)


@pytest.mark.slow
def test_the_box_survives_half_and_a_third_of_the_pictures(
    fall: list[Luma], manifest: dict[str, dict[str, Any]]
) -> None:
    truth = manifest["pos_office1_box.mp4"]
    site = next(iter(sites(town(calibrated=False), Settings())))
    for every in (2, 3):
        detector = ThrowDetector(Settings(), site, None)
        events: list[Event] = []
        for number, luma in enumerate(fall[::every]):
            at = START + timedelta(microseconds=round(number * every * 1e6 / truth["fps"]))
            events.extend(detector.on_item(Frame("cam", at, at, luma)))
        wake = detector.wake_at()
        events.extend(detector.on_time(wake) if wake is not None else [])
        assert_is_the_box(events, truth, truth["fps"], every=every)


@pytest.mark.slow
def test_the_box_survives_noise_less_light_and_a_turned_wall(
    fall: list[Luma], manifest: dict[str, dict[str, Any]]
) -> None:
    truth = manifest["pos_office1_box.mp4"]
    rng = np.random.default_rng(0)
    noisy = (
        np.clip(one + rng.standard_normal(one.shape, np.float32) * 4, 0, 255).astype(np.uint8)
        for one in fall
    )
    assert_is_the_box(watch(noisy, truth["fps"]), truth, truth["fps"])
    darker = ((one * 0.6).astype(np.uint8) for one in fall)
    assert_is_the_box(watch(darker, truth["fps"]), truth, truth["fps"])
    turned = (one[:, ::-1].copy() for one in fall)
    assert len({event.id for event in watch(turned, truth["fps"])}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", NEGATIVES)
def test_nothing_falls_where_nothing_fell(
    recordings: Path, manifest: dict[str, dict[str, Any]], name: str
) -> None:
    pictures = list(decode(recordings / "falls" / name))
    rate = manifest[name]["fps"]
    assert watch(pictures, rate) == []
    # and half the pictures, as a slower camera would send them
    assert watch(pictures[::2], rate / 2) == []


@pytest.mark.slow
def test_every_video_without_a_fall_is_tried(manifest: dict[str, dict[str, Any]]) -> None:
    assert {name for name, one in manifest.items() if one["is_positive"] is False} == set(NEGATIVES)
