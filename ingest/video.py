"""Video segments and stills become frames of luma; pictures are upright.

H.264 and H.265 in MP4 or MPEG-TS are decoded in memory by PyAV (which releases the GIL); only
the Y plane is kept.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import av
import cv2
import msgspec
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from contracts.errors import Permanent
from contracts.nouns import Frame, Segment, Still
from ingest.codec import jpeg

MAX_PICTURES: Final = 600
"""10 s at 60 pictures a second: the longest segment of the wire contract."""
MAX_PIXELS: Final = 40_000_000
_FULL_PLANES: Final = frozenset(
    {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "nv21", "gray"}
)
"""Pixel formats whose first plane is 8-bit luma as it stands."""
_STEP = timedelta(microseconds=1)


class Probe(msgspec.Struct, frozen=True):
    """What a video file is."""

    width: int
    height: int
    """Of the upright picture."""
    frames_per_s: float
    seconds: float
    codec: str
    rotation: int
    """Degrees clockwise by which pictures are turned to stand upright."""
    keyframe_s: tuple[float, ...]
    """Times of the keyframes, from the first picture."""


def decode(
    segment: Segment, *, max_pixels: int = MAX_PIXELS, max_pictures: int = MAX_PICTURES
) -> Iterator[Frame]:
    """The pictures of a segment in order; `at` rises strictly from `segment.at`.

    Raises Permanent `bad_video` (also in the middle: the pictures before were good), `no_picture`
    when there is none, `too_large` for pictures or counts beyond the limits.
    """
    count = 0
    first: float | None = None
    last: datetime | None = None
    try:
        with av.open(io.BytesIO(segment.data), mode="r", metadata_errors="ignore") as container:
            if not container.streams.video:
                raise Permanent("no_picture", "the video has no picture stream in it")
            stream = container.streams.video[0]
            stream.thread_type = "SLICE"  # frame threads would hold pictures back
            context = stream.codec_context
            _check_size(context.width, context.height, max_pixels)
            for picture in container.decode(stream):
                if count >= max_pictures:
                    raise Permanent(
                        "too_large", f"the segment has more than {max_pictures} pictures"
                    )
                _check_size(picture.width, picture.height, max_pixels)
                seconds = picture.time if picture.time is not None else count / 25
                first = seconds if first is None else first
                at = segment.at + timedelta(seconds=seconds - first)
                if last is not None and at <= last:
                    at = last + _STEP
                last = at
                count += 1
                yield Frame(segment.device, at, segment.received_at, luma(picture))
    except (FFmpegError, OSError, ValueError, IndexError) as error:
        raise Permanent("bad_video", f"the video cannot be decoded: {error}") from None
    if not count:
        raise Permanent("no_picture", "the video has a picture stream without a single picture")


def luma(picture: av.VideoFrame) -> NDArray[np.uint8]:
    """The upright Y plane, read-only, shape (height, width); a view where it stands as it is."""
    if picture.format.name in _FULL_PLANES:
        plane = picture.planes[0]
        # A line of the plane is longer than the picture is wide (alignment).
        lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        y: NDArray[np.uint8] = lines[: picture.height, : picture.width]
    else:
        y = np.asarray(picture.reformat(format="gray").to_ndarray(), np.uint8)
    turned = _upright(y, picture.rotation)
    turned.setflags(write=False)
    return turned


def still(picture: Still) -> Frame:
    """A camera's JPEG as a frame. Raises Permanent `bad_jpeg`, `jpeg_too_big`."""
    jpeg.size(picture.data)
    try:
        y: Any = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error as error:
        raise Permanent("bad_jpeg", f"the JPEG cannot be decoded: {error}") from None
    if y is None:
        raise Permanent("bad_jpeg", "the JPEG has a header but no picture that can be decoded")
    y.setflags(write=False)
    return Frame(picture.device, picture.at, picture.received_at, y)


def probe(path: Path) -> Probe:
    """What a video file is, from its packets; only the first picture is decoded.

    Raises Permanent `bad_video`, `no_picture`.
    """
    try:
        with av.open(str(path), mode="r", metadata_errors="ignore") as container:
            if not container.streams.video:
                raise Permanent("no_picture", f"{path.name} has no picture stream in it")
            stream = container.streams.video[0]
            first = next(container.decode(stream), None)
            if first is None:
                raise Permanent("no_picture", f"{path.name} has no picture in it")
            container.seek(0)
            packets = [p for p in container.demux(stream) if p.pts is not None and p.time_base]
            times = [float(p.pts * p.time_base) for p in packets if p.pts is not None]
            keys = [
                float(p.pts * p.time_base) for p in packets if p.is_keyframe and p.pts is not None
            ]
            rate = float(stream.average_rate or stream.guessed_rate or 25)
            start = min(times, default=0.0)
            width, height = first.width, first.height
            turn = -round(first.rotation) % 360
            if turn in (90, 270):
                width, height = height, width
            return Probe(
                width=width,
                height=height,
                frames_per_s=rate,
                seconds=max(times, default=0.0) - start + 1 / rate,
                codec=stream.codec_context.name,
                rotation=turn,
                keyframe_s=tuple(sorted(key - start for key in keys)),
            )
    except (FFmpegError, OSError, ValueError, IndexError) as error:
        raise Permanent("bad_video", f"{path.name} cannot be read: {error}") from None


def _upright(y: NDArray[np.uint8], rotation: int) -> NDArray[np.uint8]:
    """`rotation` is the display matrix's, degrees counterclockwise."""
    turns = round(rotation / 90) % 4
    return np.rot90(y, turns) if turns else y


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise Permanent(
            "too_large", f"pictures of {width} x {height} pixels; allowed are {max_pixels:,} pixels"
        )
