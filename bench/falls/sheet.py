"""Pictures of what went wrong: where a thing moved, drawn as a strobe, with truth and track."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.falls.watch import Segments, seconds, segments_of
from ingest.video import decode
from simulators.falls.take import Seen

WIDE, HIGH = 220, 420
"""Pictures are at most so wide and high, px."""
AROUND_PX = 40
TRUTH, HIDDEN, TRACK = (80, 220, 80), (220, 160, 80), (60, 60, 255)


def strobe(
    parts: Segments,
    *,
    truth: Sequence[Seen] = (),
    track: Sequence[tuple[float, float, float]] = (),
) -> bytes | None:
    """A JPEG of the way: the extremes of each pixel while it happened; ticks at true places green
    (blue where hidden), at the track's red. None where there is nothing to draw."""
    places = [(s.t, s.x + s.w / 2, s.y + s.h / 2) for s in truth] or list(track)
    if not places:
        return None
    first, last = places[0][0] - 0.2, places[-1][0] + 0.2
    middle: NDArray[np.uint8] | None = None
    farthest: NDArray[np.uint8] | None = None
    x0 = y0 = 0
    for segment in segments_of(parts):
        if seconds(segment.received_at) < first or seconds(segment.at) > last:
            continue
        for frame in decode(segment):
            if not first <= seconds(frame.at) <= last:
                continue
            high, wide = frame.luma.shape
            if middle is None or farthest is None:
                x0 = int(np.clip(min(p[1] for p in places) - AROUND_PX, 0, wide - 1))
                y0 = int(np.clip(min(p[2] for p in places) - AROUND_PX, 0, high - 1))
                x1 = int(np.clip(max(p[1] for p in places) + AROUND_PX, x0 + 1, wide))
                y1 = int(np.clip(max(p[2] for p in places) + AROUND_PX, y0 + 1, high))
                middle = frame.luma[y0:y1, x0:x1].copy()
                farthest = middle.copy()
                continue
            now = frame.luma[y0 : y0 + middle.shape[0], x0 : x0 + middle.shape[1]]
            closer = cv2.absdiff(now, middle) > cv2.absdiff(farthest, middle)
            farthest = np.where(closer, now, farthest)
    if farthest is None:
        return None
    return _drawn(farthest, x0, y0, truth, track)


def _drawn(
    crop: NDArray[np.uint8],
    x0: int,
    y0: int,
    truth: Sequence[Seen],
    track: Sequence[tuple[float, float, float]],
) -> bytes:
    scale = min(2.0, WIDE / crop.shape[1], HIGH / crop.shape[0])
    size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    picture = cv2.cvtColor(cv2.resize(crop, size, interpolation=way), cv2.COLOR_GRAY2BGR)
    # ticks beside the thing, so that it can be seen: the truth to its left, the track to its right
    for seen in truth:
        spot = _whole(((seen.x - x0) * scale - 5, (seen.y + seen.h / 2 - y0) * scale))
        cv2.line(picture, (spot[0] - 6, spot[1]), spot, TRUTH if seen.visible >= 0.25 else HIDDEN)
    for _, x, y in track:
        spot = _whole(((x - x0) * scale + 8, (y - y0) * scale))
        cv2.line(picture, spot, (spot[0] + 6, spot[1]), TRACK)
    done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return jpeg.tobytes() if done else b""


def _whole(place: tuple[float, float]) -> tuple[int, int]:
    return round(place[0]), round(place[1])
