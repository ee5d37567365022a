"""FADE's protocol: boxes of each picture against the truth, and the time range of each fall.

FADE (Z. Tu et al., "FADE: A Dataset for Detecting Falling Objects around Buildings in Video",
IEEE TIFS 2025, arXiv 2408.05750) counts a box as right when its intersection over union with the
true one is at least .3, sums over all pictures of all videos, and gives F = 2PR / (P + R). Its
time range overlap (TRO) compares when something falls with when something was said to fall. The
paper's formula could not be read here; ours is the intersection over union of the pictures in
which something truly falls (at least VISIBLE of it to be seen) and of those in which a box was
given, per film with a fall, averaged over the films. A film without any detection gives 0, and a
box in a picture without a fall makes it smaller, as a false box must.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec
import numpy as np

from bench.falls.match import middle
from simulators.falls.take import TrueFall

IOU = 0.3
VISIBLE = 0.25
"""A picture in which less of the thing can be seen has no true box: an annotator sees none."""

Box = tuple[float, float, float, float]
"""Middle x, middle y, width, height, px."""


class Boxes(msgspec.Struct, frozen=True):
    """Counts of one film."""

    right: int
    false: int
    missed: int
    beside: int
    """Of the missed: with a box in the same picture that was too far off or of another size."""
    overlap: float | None
    """Time range overlap; None where nothing falls."""
    any_false: bool
    """Whether at least one box was false."""


def compare(
    falls: Sequence[TrueFall],
    boxes: Sequence[tuple[float, float, float, float, float]],
    times: Sequence[float],
) -> Boxes:
    """`boxes` are (seconds, middle x, middle y, width, height); `times` of the pictures."""
    if not times:
        return Boxes(0, len(boxes), 0, 0, None, bool(boxes))
    clock = np.array(times)
    truth: dict[int, list[Box]] = defaultdict(list)
    hidden: dict[int, list[Box]] = defaultdict(list)
    for fall in falls:
        for seen in fall.track:
            into = truth if seen.visible >= VISIBLE else hidden
            into[_picture(clock, seen.t)].append((*middle(seen), seen.w, seen.h))
    given: dict[int, list[Box]] = defaultdict(list)
    for t, x, y, w, h in boxes:
        given[_picture(clock, t)].append((x, y, w, h))
    right = false = beside = 0
    for picture, found in given.items():
        open_ = list(truth.get(picture, ()))
        for box in found:
            best = max(open_, key=lambda true: iou(box, true), default=None)
            if best is not None and iou(box, best) >= IOU:
                open_.remove(best)
                right += 1
            elif not any(iou(box, one) >= IOU for one in hidden.get(picture, ())):
                false += 1
        beside += len(open_)
    missed = sum(len(those) for those in truth.values()) - right
    overlap = None
    if truth:
        overlap = len(truth.keys() & given.keys()) / len(truth.keys() | given.keys())
    return Boxes(right, false, missed, beside, overlap, false > 0)


def f_measure(right: int, false: int, missed: int) -> float | None:
    """2PR / (P + R); None where there is nothing to find and nothing was found."""
    total = 2 * right + false + missed
    return 2 * right / total if total else None


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    wide = min(a[0] + a[2] / 2, b[0] + b[2] / 2) - max(a[0] - a[2] / 2, b[0] - b[2] / 2)
    high = min(a[1] + a[3] / 2, b[1] + b[3] / 2) - max(a[1] - a[3] / 2, b[1] - b[3] / 2)
    if wide <= 0 or high <= 0:
        return 0.0
    both = wide * high
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def _picture(clock: np.ndarray, t: float) -> int:
    """Number of the picture nearest in time."""
    return int(np.abs(clock - t).argmin())
