"""Evidence: a short clip and one still, cut from the spool, with the track drawn in.

What the privacy mask covers is black in both. The same input gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import cv2
import msgspec
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from contracts.errors import Permanent, Temporary
from contracts.event import Footage
from contracts.nouns import Segment

MAX_SECONDS: Final = 15.0
_WIDEST: Final = 1920
_TIME_BASE: Final = Fraction(1, 90_000)
_RED, _YELLOW, _WHITE, _BLACK = (0, 0, 255), (0, 255, 255), (255, 255, 255), (0, 0, 0)

Polygon = Sequence[tuple[float, float]]
Track = Sequence[tuple[datetime, float, float]]
Picture = NDArray[np.uint8]


class Cut(msgspec.Struct, frozen=True):
    """File names below the output folder."""

    clip: str
    still: str


def cut(
    segments: Sequence[Segment],
    footage: Footage,
    out_dir: Path,
    stem: str,
    *,
    track: Track | None = None,
    label: str | None = None,
    privacy_mask: Sequence[Polygon] = (),
) -> Cut:
    """Write `{stem}.mp4` (H.264, plays in browsers) and `{stem}.jpg` of `footage`.

    `track` is [(time, x_px, y_px), …] in pixels of the upright picture; a longer footage than 15 s
    keeps the 15 s that end with it. Raises Permanent `no_footage` when the segments hold nothing
    of it, Temporary when the disk fails.
    """
    start = max(footage.start, footage.end - timedelta(seconds=MAX_SECONDS))
    out_dir.mkdir(parents=True, exist_ok=True)
    clip, picture = out_dir / f"{stem}.mp4", out_dir / f"{stem}.jpg"
    best: tuple[timedelta, Picture, datetime] | None = None
    rough = out_dir / f"{stem}.mp4.part"
    writer: _Writer | None = None
    try:
        for at, image in _pictures(segments, start, footage.end):
            covered = _cover(image, privacy_mask)
            if writer is None:
                writer = _Writer(rough, covered.shape[1], covered.shape[0], at)
            writer.add(_drawn(covered, track, at, label, whole=False), at)
            distance = abs(at - footage.best)
            if best is None or distance < best[0]:
                best = (distance, covered, at)
        if writer is None or best is None:
            raise Permanent("no_footage", f"the spool holds no picture of {footage.device} then")
        writer.close()
        _, encoded = cv2.imencode(
            ".jpg",
            _drawn(best[1], track, best[2], label, whole=True),
            [cv2.IMWRITE_JPEG_QUALITY, 88],
        )
        rough.replace(clip)
        temporary = out_dir / f"{stem}.jpg.part"
        temporary.write_bytes(encoded.tobytes())
        temporary.replace(picture)
    except OSError as error:  # PyAV's errors of writing are of this kind too
        raise Temporary(f"cannot write evidence to {out_dir}: {error}") from error
    return Cut(clip.name, picture.name)


class _Writer:
    """An MP4 that starts at once in a browser. One thread, no dates: the same bytes each time."""

    def __init__(self, path: Path, width: int, height: int, start: datetime) -> None:
        scale = min(1.0, _WIDEST / max(width, height))
        self._size = (max(2, int(width * scale) & ~1), max(2, int(height * scale) & ~1))
        self._start = start
        self._last = -1
        self._container = av.open(
            str(path),
            mode="w",
            format="mp4",
            options={"movflags": "+faststart", "fflags": "+bitexact"},
        )
        stream: Any = self._container.add_stream("libx264", rate=25)
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = _TIME_BASE
        stream.codec_context.thread_count = 1
        stream.options = {
            "preset": "veryfast",
            "crf": "26",
            "threads": "1",
            # With its lookahead x264 gave three different files in 25 runs of the same input.
            "x264-params": "rc-lookahead=0:mbtree=0",
        }
        stream.codec_context.flags |= 0x00800000  # AV_CODEC_FLAG_BITEXACT
        self._stream = stream

    def add(self, image: Picture, at: datetime) -> None:
        if (image.shape[1], image.shape[0]) != self._size:
            image = _array(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA))
        # FFmpeg's own conversion reads past the end of lines: bytes would differ between runs.
        planes = _array(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420))
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = max(self._last + 1, round((at - self._start).total_seconds() / _TIME_BASE))
        frame.time_base = _TIME_BASE
        self._last = frame.pts
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        self._container.mux(self._stream.encode())
        self._container.close()


def _pictures(
    segments: Sequence[Segment], start: datetime, end: datetime
) -> Iterator[tuple[datetime, Picture]]:
    """Upright colour pictures between the two moments, in order; broken segments end early."""
    last: datetime | None = None
    for segment in sorted(segments, key=lambda s: s.at):
        if segment.at > end:
            continue
        try:
            with av.open(io.BytesIO(segment.data), mode="r", metadata_errors="ignore") as container:
                if not container.streams.video:
                    continue
                first: float | None = None
                for frame in container.decode(container.streams.video[0]):
                    seconds = frame.time or 0.0
                    first = seconds if first is None else first
                    at = segment.at + timedelta(seconds=seconds - first)
                    if not start <= at <= end or (last is not None and at <= last):
                        continue
                    last = at
                    turns = round(frame.rotation / 90) % 4
                    image = frame.to_ndarray(format="bgr24")
                    yield at, np.ascontiguousarray(np.rot90(image, turns))
        except FFmpegError:
            continue  # the detector's stage has set it aside already; the rest is still evidence


def _cover(image: Picture, polygons: Sequence[Polygon]) -> Picture:
    for polygon in polygons:
        cv2.fillPoly(image, [np.round(np.array(polygon)).astype(np.int32)], _BLACK)
    return image


def _drawn(
    image: Picture, track: Track | None, at: datetime, label: str | None, *, whole: bool
) -> Picture:
    """A copy with the track up to `at` (or the whole of it), the object and the label."""
    out = image.copy()
    wide = max(1, round(image.shape[1] / 640))
    if track:
        seen = [(x, y) for when, x, y in track if whole or when <= at]
        if len(seen) > 1:
            points = np.round(np.array(seen)).astype(np.int32)
            cv2.polylines(out, [points], False, _YELLOW, wide, cv2.LINE_AA)
        now = min(track, key=lambda point: abs(point[0] - at))
        if abs(now[0] - at) <= timedelta(seconds=0.2):
            center = (round(now[1]), round(now[2]))
            cv2.circle(out, center, 10 * wide, _RED, wide, cv2.LINE_AA)
    if label:
        text = label.encode("ascii", "replace").decode()  # OpenCV's fonts know ASCII only
        height = 22 * wide
        out[-height:] = 0
        cv2.putText(
            out,
            text,
            (6 * wide, out.shape[0] - 7 * wide),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.5 * wide,
            _WHITE,
            wide,
            cv2.LINE_AA,
        )
    return out


def _array(image: Any) -> Picture:
    return np.asarray(image, dtype=np.uint8)
