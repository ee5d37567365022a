"""Writes pictures as an MP4 that any browser plays: H.264 High, 4:2:0, index in front."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np

from ingest.evidence_pictures import Picture

_TIME_BASE: Final = Fraction(1, 90_000)
_BITEXACT: Final = 0x00800000  # AV_CODEC_FLAG_BITEXACT


class Film:
    """One file. One thread, no dates: the same pictures give the same bytes each time."""

    def __init__(self, path: Path, size: tuple[int, int], start: datetime, crf: int) -> None:
        """`size` is (width, height), both even; pictures are placed in time after `start`."""
        self._start = start
        self._last = -1
        self._container = av.open(
            str(path),
            mode="w",
            format="mp4",
            options={"movflags": "+faststart", "fflags": "+bitexact"},
        )
        stream: Any = self._container.add_stream("libx264", rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = _TIME_BASE
        stream.codec_context.thread_count = 1
        stream.options = {
            "preset": "veryfast",
            "profile": "high",
            "crf": str(crf),
            "threads": "1",
            # With its lookahead x264 gave three different files in 25 runs of the same input.
            "x264-params": "rc-lookahead=0:mbtree=0",
        }
        stream.codec_context.flags |= _BITEXACT
        self._stream = stream

    def add(self, picture: Picture, at: datetime) -> None:
        """The next picture, of the film's size."""
        # FFmpeg's own conversion reads past the end of lines: bytes would differ between runs.
        planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = max(self._last + 1, round((at - self._start).total_seconds() / _TIME_BASE))
        frame.time_base = _TIME_BASE
        self._last = frame.pts
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what is left and the index."""
        self._container.mux(self._stream.encode())
        self._container.close()

    def abandon(self) -> None:
        """Let go of an unfinished file."""
        self._container.close()
