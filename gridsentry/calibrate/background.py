"""The scene with nobody in it: the median of pictures spread over a video."""

from __future__ import annotations

import math
from pathlib import Path

import av
import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.errors import Wrong
from gridsentry.record import mux

Picture = NDArray[np.uint8]

PICTURES = 25
"""Enough for what moves to be gone where the wall is seen in more than half of them."""
STILL_PX = 1.5
"""Pictures that moved further against each other blur their median."""
LEAST_PEAK = 0.1
"""Where light alone has changed the peak of the correlation is about 0.05 and lies anywhere; where
the scene is seen again it is 0.4 and more (measured)."""


class Background(msgspec.Struct, frozen=True):
    """What the camera sees when nothing happens."""

    picture: Picture
    """(height, width, 3), blue, green, red; upright."""
    taken: int
    """Pictures it was made of."""
    moved_px: float
    """How far the scene moved between them (median)."""


def background(path: Path, pictures: int = PICTURES) -> Background:
    """Of a video or of a single picture (JPEG, PNG). Raises Wrong."""
    if not path.is_file():
        raise Wrong("VIDEO", f"there is no file {path}", "a video of the camera, or a picture")
    if path.suffix.lower() in (".jpg", ".jpeg", ".png"):
        one = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        if one is None:
            raise Wrong("VIDEO", f"{path} is no picture that can be decoded", "a JPEG or PNG")
        return Background(np.asarray(one, np.uint8), 1, 0.0)
    try:
        found = _spread(path, pictures)
    except (av.error.FFmpegError, OSError) as error:
        raise Wrong("VIDEO", f"{path} cannot be read ({error})", "a video or picture") from error
    if not found:
        raise Wrong("VIDEO", f"{path} has no picture that can be decoded", "a video or picture")
    shape = found[0].shape
    found = [one for one in found if one.shape == shape]
    middle = np.median(np.stack(found), axis=0).astype(np.uint8)
    return Background(middle, len(found), _moved(found))


def _spread(path: Path, wanted: int) -> list[Picture]:
    """So many pictures, spread evenly."""
    with av.open(str(path)) as container:
        if not container.streams.video:
            raise Wrong("VIDEO", f"{path} has no video in it", "a video or picture")
        stream = container.streams.video[0]
        count = sum(1 for packet in container.demux(stream) if packet.size)
    every = max(1, count // wanted)
    found: list[Picture] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        turn: mux.Turn | None = None
        for number, frame in enumerate(container.decode(stream)):
            if number % every or len(found) >= wanted:
                continue
            if turn is None or not turn.fits(frame):
                turn = mux.Turn(frame, rotate=True)
            found.append(np.asarray(turn(frame).to_ndarray(format="bgr24"), np.uint8))
    return found


def _moved(pictures: list[Picture]) -> float:
    """Median shift against the first picture, px (phase correlation), of those where it is one."""
    if len(pictures) < 2:
        return 0.0
    grey = [cv2.cvtColor(one, cv2.COLOR_BGR2GRAY).astype(np.float32) for one in pictures[:9]]
    window = cv2.createHanningWindow((grey[0].shape[1], grey[0].shape[0]), cv2.CV_32F)
    found = [cv2.phaseCorrelate(grey[0], one, window) for one in grey[1:]]
    far = [math.hypot(x, y) for (x, y), peak in found if peak >= LEAST_PEAK]
    return float(np.median(far)) if far else 0.0
