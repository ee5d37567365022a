"""Evidence: a clip and a still cut from the spool, each in a shown and an original version.

In the shown one homes and people beside the path are beyond recognition and the path is drawn in;
the original is the picture as the camera took it. What the privacy mask covers is black in both.
The same input gives the same bytes.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import cv2
import msgspec
import numpy as np

from contracts.errors import Permanent, Temporary
from contracts.event import Footage
from contracts.nouns import Segment
from ingest.evidence_draw import drawn
from ingest.evidence_film import Film
from ingest.evidence_pictures import Picture, pictures
from ingest.evidence_veil import Veil
from ingest.evidence_view import View

MAX_SECONDS: Final = 15.0
LONG_SIDE, SHORT_SIDE = 1920, 1080
SHOWN_CRF, ORIGINAL_CRF = 26, 20
_QUALITY: Final = [cv2.IMWRITE_JPEG_QUALITY, 90]


class Cut(msgspec.Struct, frozen=True):
    """What was cut. File names are the same below both folders."""

    clip: str
    still: str
    size: tuple[int, int]
    """(width, height) of clip and still."""
    first: datetime
    last: datetime
    """Times of the clip's first and last picture."""
    best: datetime
    """Time of the still."""
    pictures: int


def cut(
    segments: Sequence[Segment],
    footage: Footage,
    view: View,
    stem: str,
    *,
    shown: Path,
    originals: Path,
) -> Cut:
    """Write `{stem}.mp4` (H.264) and `{stem}.jpg` of `footage` below both folders, durably.

    Of a footage longer than 15 s the first 15 s are kept: they show where it came from. Pictures
    above 1080p are scaled down. Raises Permanent `no_footage` when the segments hold nothing of it,
    Temporary when the disk fails.
    """
    end = min(footage.end, footage.start + timedelta(seconds=MAX_SECONDS))
    best_at = min(max(footage.best, footage.start), end)
    try:
        with _Pair(shown, originals, stem) as pair:
            films: list[Film] = []
            veil: Veil | None = None
            size = (0, 0)
            first = last = footage.start
            count = 0
            best: tuple[timedelta, datetime, Picture] | None = None
            try:
                for at, taken in pictures(segments, footage.start, end):
                    if veil is None:
                        size, first = _fitting(taken), at
                        veil = Veil(view, (size[1], size[0]))
                        films = [
                            Film(pair.part(0, "mp4"), size, at, SHOWN_CRF),
                            Film(pair.part(1, "mp4"), size, at, ORIGINAL_CRF),
                        ]
                    covered = veil.cover(_of_size(taken, size))
                    films[0].add(drawn(veil.hide(covered), view, at, whole=False), at)
                    films[1].add(covered, at)
                    last, count = at, count + 1
                    distance = abs(at - best_at)
                    if best is None or distance < best[0]:
                        best = (distance, at, covered)
                for film in films:
                    film.close()
            except BaseException:
                for film in films:
                    with contextlib.suppress(OSError, ValueError):  # the first error is told
                        film.abandon()
                raise
            if veil is None or best is None:
                raise Permanent(
                    "no_footage", f"the spool holds no picture of {footage.device} then"
                )
            _, moment, covered = best
            _write(pair.part(0, "jpg"), drawn(veil.hide(covered), view, moment, whole=True))
            _write(pair.part(1, "jpg"), drawn(covered, view, moment, whole=True))
            pair.keep()
    except OSError as error:  # PyAV's errors of writing are of this kind too
        raise Temporary(f"cannot write evidence to {shown}: {error}") from error
    return Cut(f"{stem}.mp4", f"{stem}.jpg", size, first, last, moment, count)


class _Pair:
    """Files in the making in both folders; renamed together once whole, else deleted."""

    def __init__(self, shown: Path, originals: Path, stem: str) -> None:
        self._folders = (shown, originals)
        self._stem = stem
        # two processes may cut the same event for a moment, when one takes over
        self._own = f"{os.getpid()}-{threading.get_ident()}"

    def __enter__(self) -> _Pair:
        self._folders[0].mkdir(parents=True, exist_ok=True)
        self._folders[1].mkdir(parents=True, exist_ok=True, mode=0o700)
        return self

    def part(self, which: int, suffix: str) -> Path:
        return self._folders[which] / f".{self._stem}.{suffix}.{self._own}.part"

    def _all(self) -> Iterator[tuple[Path, Path]]:
        for which, folder in enumerate(self._folders):
            for suffix in ("mp4", "jpg"):
                yield self.part(which, suffix), folder / f"{self._stem}.{suffix}"

    def keep(self) -> None:
        for part, whole in self._all():
            durable(part)
            part.replace(whole)
        for folder in self._folders:
            durable(folder)

    def __exit__(self, *_error: object) -> None:
        for part, _whole in self._all():
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)


def durable(path: Path) -> None:
    """Wait until that file, or the names in that folder, would survive a power cut."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _fitting(picture: Picture) -> tuple[int, int]:
    """(width, height), even, at most 1920 x 1080 or upright 1080 x 1920."""
    height, width = picture.shape[:2]
    scale = min(1.0, LONG_SIDE / max(width, height), SHORT_SIDE / min(width, height))
    return max(2, round(width * scale) & ~1), max(2, round(height * scale) & ~1)


def _of_size(picture: Picture, size: tuple[int, int]) -> Picture:
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _write(path: Path, picture: Picture) -> None:
    _, encoded = cv2.imencode(".jpg", picture, _QUALITY)
    path.write_bytes(encoded.tobytes())
