"""From what stands out to candidates: outlines, their boxes, centroids and strength."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
Box = Sequence[int]

CORE = 0.15
"""Share of the peak that belongs to a thing. On a real box that falls past palm fronds the median
error of the centroid is 1.1 px with 0.1 to 0.2 and 2.7 px with 0.4 (its faint sides are lost); with
0 a frond that it passes pulls it aside by 6 px."""


def boxes(mask: Luma, most: int) -> list[Box] | None:
    """Boxes (x, y, w, h) around what is set; None: more than `most`."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if len(outlines) > most:
        return None
    return [cv2.boundingRect(outline) for outline in outlines]


def strongest(
    found: list[Box], out: Luma, most: int, level: Luma | None = None, times: float = 1.0
) -> list[Box]:
    """The `most` that stand out most, in the order found.

    With `level`: of those that somewhere exceed the threshold of their middle `times` over.
    """
    if len(found) <= most and level is None:
        return found
    peaks = np.array([out[y : y + h, x : x + w].max() for x, y, w, h in found], np.float64)
    if level is not None and found:
        around = np.array(found)
        middle = around[:, :2] + around[:, 2:] // 2
        peaks[peaks < times * level[middle[:, 1], middle[:, 0]]] = 0
    order = np.argsort(-peaks, kind="stable")[:most]
    return [found[int(one)] for one in np.sort(order[peaks[order] > 0])]


def measure(box: Box, out: Luma, above: Luma) -> tuple[float, ...]:
    """x, y (centroid), width, height, contrast (signed), area, all in working pixels.

    Only what has CORE of the peak counts, so that a faint leaf that touches a thing does not pull
    at it. The centroid is weighted by contrast: of a thing blurred by its motion it is the middle
    of the streak, where it was in the middle of the exposure. The area is that of an even thing of
    the same contrast.
    """
    x, y, w, h = box
    left, top = max(0, x - 1), max(0, y - 1)
    part = out[top : y + h + 1, left : x + w + 1]
    peak = float(part.max())
    core = cv2.threshold(part, CORE * peak, 0, cv2.THRESH_TOZERO)[1]
    sums = cv2.moments(core)
    total = sums["m00"]
    _, _, width, height = cv2.boundingRect(core)
    # the sign by what is above and what is below in the whole part
    bright = 2 * cv2.sumElems(above[top : y + h + 1, left : x + w + 1])[0] >= total
    return (
        left + sums["m10"] / total,
        top + sums["m01"] / total,
        max(1.0, width - 1.0),  # smoothing widened it
        max(1.0, height - 1.0),
        peak if bright else -peak,
        total / peak,
    )
