"""A camera that is at fault: one episode, with its reason and its proof."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from contracts.city import Camera
from contracts.nouns import Frame
from detectors._common.drive import run
from detectors._common.sample import START, city, device
from detectors.sensor_faulty import SPEC
from detectors.sensor_faulty.sample import HEIGHT, SETTINGS, WIDTH, frames, sample, wall
from gridsentry.engine.cameras import needs_proof


def test_a_knocked_camera_is_one_episode_that_says_by_how_much_and_ends_when_set_right() -> None:
    given = sample(3)
    opened, closed = [e for _, e in run(SPEC, SETTINGS, given.site, given.items)]
    assert (opened.phase, closed.phase, opened.id) == ("opened", "closed", closed.id)
    assert opened.evidence["fault"] == closed.evidence["fault"] == "moved"
    assert opened.evidence["numbers"]["off"] == pytest.approx(6, abs=0.5)
    assert " px away" in opened.evidence["why"][0] and "移位" in opened.evidence["why_zh"][0]
    knocked = START + timedelta(seconds=22)
    assert abs(opened.at - knocked) <= timedelta(seconds=6)
    assert closed.evidence["why"] == ["the camera sees again what it should"]


def test_its_proof_is_wanted_as_soon_as_it_is_known_and_not_again_when_it_ends() -> None:
    given = sample(3)
    opened, closed = [e for _, e in run(SPEC, SETTINGS, given.site, given.items)]
    assert needs_proof(opened) and not needs_proof(closed)
    assert opened.footage is not None
    assert opened.footage.start < opened.at < opened.footage.best <= opened.footage.end


def test_it_is_compared_with_the_picture_it_was_calibrated_on() -> None:
    rng = np.random.default_rng(5)
    pictures = frames(rng, 30, range(30), 0.0)  # askew from the first picture on
    plate = wall(np.random.default_rng(5)).astype(np.uint8)
    big = cv2.resize(plate, (2 * WIDTH, 2 * HEIGHT))
    calibrated = Camera(
        device="cam",
        size=(2 * WIDTH, 2 * HEIGHT),
        picture=cv2.imencode(".jpg", big)[1].tobytes(),
    )
    for camera, faults in ((calibrated, ["moved"]), (None, [])):
        town = city(
            devices={"cam": device("cam", type="camera")},
            cameras={"cam": camera} if camera else {},
        )
        (site,) = SPEC.sites(town, SETTINGS)
        events = [e for _, e in run(SPEC, SETTINGS, site, pictures)]
        assert [e.evidence["fault"] for e in events] == faults
        if events:
            assert events[0].evidence["numbers"]["off"] == pytest.approx(12, abs=1)


@pytest.mark.recordings
def test_a_handheld_camera_does_no_harm(recordings: Path) -> None:
    town = city(devices={"cam": device("cam", type="camera")})
    (site,) = SPEC.sites(town, SPEC.config())
    pictures = []
    with av.open(str(recordings / "falls" / "neg_handheld_eaves.mp4")) as video:
        for number, shown in enumerate(video.decode(video=0)):
            at = START + timedelta(seconds=number / 3)
            if number % 5 == 0:
                pictures.append(
                    Frame("cam", at, at, np.asarray(shown.to_ndarray(format="gray"), np.uint8))
                )
    assert {e.evidence["fault"] for _, e in run(SPEC, SPEC.config(), site, pictures)} <= {"moved"}
