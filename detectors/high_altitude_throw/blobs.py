"""From what stands out to candidates: outlines, their boxes, centroids and strength."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
Box = Sequence[int]


def boxes(mask: Luma, most: int) -> list[Box] | None:
    """Boxes (x, y, w, h) around what is set; None: more than `most`."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if len(outlines) > most:
        return None
    return [cv2.boundingRect(outline) for outline in outlines]


def strongest(found: list[Box], out: Luma, most: int) -> list[Box]:
    """The `most` that stand out most, in the order found."""
    if len(found) <= most:
        return found
    peaks = np.array([out[y : y + h, x : x + w].max() for x, y, w, h in found])
    kept = np.sort(np.argsort(-peaks.astype(int), kind="stable")[:most])
    return [found[int(one)] for one in kept]


def clear(found: list[Box], out: Luma, level: Luma, times: float) -> list[Box]:
    """Those that somewhere exceed the threshold in their middle so many times."""
    return [
        (x, y, w, h)
        for x, y, w, h in found
        if out[y : y + h, x : x + w].max() >= times * level[y + h // 2, x + w // 2]
    ]


def measure(box: Box, out: Luma, above: Luma) -> tuple[float, ...]:
    """x, y (centroid), width, height, contrast (signed), area, all in working pixels.

    The centroid is weighted by contrast: of a thing blurred by its motion it is the middle of the
    streak, where it was in the middle of the exposure. The area is that of an even thing of the
    same contrast.
    """
    x, y, w, h = box
    # one pixel more on each side, for the faint rim; smoothing widened the thing by as much
    left, top = max(0, x - 1), max(0, y - 1)
    part = out[top : y + h + 1, left : x + w + 1]
    sums = cv2.moments(part)
    total = sums["m00"]
    peak = float(part.max())
    bright = float(above[top : y + h + 1, left : x + w + 1].sum()) * 2 >= total
    return (
        left + sums["m10"] / total,
        top + sums["m01"] / total,
        max(1.0, w - 1.0),
        max(1.0, h - 1.0),
        peak if bright else -peak,
        total / peak,
    )
