"""What the sensor and the codec do to a picture: noise, then H.264 as a camera's encoder makes it.

Noise: the variance grows with the light (photons) above a floor (reading out), as in the EMVA 1288
model; a little of it is common to neighbours because cameras interpolate colours and smooth.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
BASE = 90_000
"""Ticks a second of the time stamps."""
_SPARE = 64
_POOL = 3


class Noise:
    """Noise of one camera: a few large sheets, each picture takes a random cut of one."""

    def __init__(self, rng: np.random.Generator, plate: Luma, read: float, photon: float) -> None:
        """`read` is the deviation in the dark, `photon` the one added at white, grey levels."""
        h, w = plate.shape
        self._rng = rng
        light = cv2.GaussianBlur(plate, (0, 0), 1.5).astype(np.float32) / 255
        self._deviation = np.sqrt(read**2 + photon**2 * light)
        self._sheets = []
        for _ in range(_POOL):
            sheet = rng.standard_normal((h + _SPARE, w + _SPARE), dtype=np.float32)
            smooth = np.asarray(cv2.GaussianBlur(sheet, (0, 0), 0.45), np.float32)
            self._sheets.append(smooth / smooth.std())
        self._sum = np.empty((h, w), np.float32)

    def add(self, y: Luma, out: Luma) -> None:
        """`y` with the noise of one picture into `out`."""
        h, w = y.shape
        which, down, right = self._rng.integers((_POOL, _SPARE, _SPARE))
        cut = self._sheets[which][down : down + h, right : right + w]
        cv2.multiply(cut, self._deviation, self._sum)
        cv2.add(y, self._sum, out, dtype=cv2.CV_8U)


def encode(
    pictures: Iterator[tuple[float, NDArray[np.uint8]]],
    *,
    size: tuple[int, int],
    fps: float,
    mbit_s: float,
    preset: str,
) -> list[tuple[float, bytes]]:
    """MP4 segments of about a second, (seconds of the first picture, bytes).

    `pictures` yields (seconds, I420 of shape (height · 3 / 2, width)) with rising times. One
    encoder runs over all of them with a keyframe each second, no B-pictures and a rate that may
    not burst beyond 1.5 times for a second, as cameras are set up.
    """
    whole = io.BytesIO()
    with av.open(whole, "w", format="mp4", options={"fflags": "+bitexact"}) as out:
        stream: Any = out.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = int(mbit_s * 1e6)
        stream.time_base = Fraction(1, BASE)
        stream.codec_context.time_base = Fraction(1, BASE)
        stream.options = {
            "preset": preset,
            "threads": "1",
            "forced-idr": "1",
            "x264-params": (
                f"keyint=100000:min-keyint=1:scenecut=0:bframes=0:sliced-threads=0:rc-lookahead=0"
                f":mbtree=0:vbv-maxrate={int(1500 * mbit_s)}:vbv-bufsize={int(1500 * mbit_s)}"
                ":force-cfr=0"
            ),
        }
        second = -1
        for t, picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts = round(t * BASE)
            frame.time_base = Fraction(1, BASE)
            if int(t + 1e-3) != second:
                second = int(t + 1e-3)
                frame.pict_type = av.video.frame.PictureType.I
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return list(_cut(whole.getvalue()))


def _cut(film: bytes) -> Iterator[tuple[float, bytes]]:
    """Split an MP4 at its keyframes."""
    with av.open(io.BytesIO(film), mode="r") as container:
        stream = container.streams.video[0]
        group: list[Any] = []
        for packet in container.demux(stream):
            if packet.pts is None:
                continue
            if packet.is_keyframe and group:
                yield _muxed(group, stream)
                group = []
            group.append(packet)
        if group:
            yield _muxed(group, stream)


def _muxed(packets: Sequence[Any], stream: Any) -> tuple[float, bytes]:
    buffer = io.BytesIO()
    first = packets[0].pts
    start = float(first * packets[0].time_base)
    with av.open(buffer, "w", format="mp4", options={"fflags": "+bitexact"}) as out:
        copy = out.add_stream_from_template(stream)
        for packet in packets:
            packet.pts -= first
            packet.dts = packet.pts
            packet.stream = copy
            out.mux(packet)
    return start, buffer.getvalue()
