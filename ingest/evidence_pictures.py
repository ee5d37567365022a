"""The pictures of a camera between two moments, upright and in colour, from what its spool kept."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import av
import cv2
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from contracts.nouns import Segment

Picture = NDArray[np.uint8]
"""Blue, green, red; shape (height, width, 3)."""

_JPEG = b"\xff\xd8\xff"


def pictures(
    segments: Sequence[Segment], start: datetime, end: datetime
) -> Iterator[tuple[datetime, Picture]]:
    """Pictures between the two moments, `at` strictly rising.

    A segment is a piece of video or a single JPEG; where a camera sends both, the video is shown.
    Of pictures that overlapping segments hold twice the earlier segment's is taken; over a gap
    there is none. A broken segment ends early: the detector's stage has set it aside already, and
    the rest is still evidence.
    """
    videos = [s for s in segments if not s.data.startswith(_JPEG)]
    last: datetime | None = None
    for segment in sorted(videos or segments, key=lambda s: s.at):
        if segment.at > end:
            break
        for at, frame in _of(segment):
            if not start <= at <= end or (last is not None and at <= last):
                continue
            picture = _jpeg(frame) if isinstance(frame, bytes) else _upright(frame)
            if picture is not None:
                last = at
                yield at, picture


def _of(segment: Segment) -> Iterator[tuple[datetime, bytes | av.VideoFrame]]:
    if segment.data.startswith(_JPEG):
        yield segment.at, segment.data
        return
    try:
        with av.open(io.BytesIO(segment.data), mode="r", metadata_errors="ignore") as container:
            if not container.streams.video:
                return
            first: float | None = None
            for count, frame in enumerate(container.decode(container.streams.video[0])):
                seconds = frame.time if frame.time is not None else count / 25
                first = seconds if first is None else first
                yield segment.at + timedelta(seconds=seconds - first), frame
    except (FFmpegError, OSError, ValueError, IndexError):
        return


def _upright(frame: av.VideoFrame) -> Picture:
    turns = round(frame.rotation / 90) % 4
    colours = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    return np.ascontiguousarray(np.rot90(colours, turns)) if turns else colours


def _jpeg(data: bytes) -> Picture | None:
    try:
        colours: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if colours is None else np.asarray(colours, np.uint8)
