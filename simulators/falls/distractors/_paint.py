"""Outlines that move while the shutter is open, laid over the picture without steps."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.falls.layers import Luma

Outline = tuple[NDArray[np.float64], float]
"""Corners (n, 2) in px, and the grey of what is inside (0 to 255)."""
Shape = Callable[[float], list[Outline]]
"""What is there at a time; later outlines cover earlier ones. Empty: nothing."""

_MOST = 12  # instants that make one blurred picture


def paint(
    y: Luma, shape: Shape, t: float, exposure_s: float, opacity: float = 1.0, soft_px: float = 0.0
) -> None:
    """Draw `shape` as seen while the shutter is open around `t`.

    `opacity` is how much of what is behind it hides; `soft_px` the diameter of its defocus.
    """
    first, last = shape(t - exposure_s / 2), shape(t + exposure_s / 2)
    if not first or not last:
        first = last = shape(t)
        if not first:
            return
    count = _instants(first, last)
    parts = [first] if count == 1 else [first, last]
    if count > 2:
        inner = (t + exposure_s * (k / (count - 1) - 0.5) for k in range(1, count - 1))
        parts[1:1] = [shape(m) for m in inner]
    lay(y, parts, opacity, soft_px)


def paint_in(
    y: Luma,
    box: tuple[int, int, int, int],
    shape: Shape,
    t: float,
    exposure_s: float,
    opacity: float = 1.0,
    soft_px: float = 0.0,
) -> None:
    """Draw `shape` (corners in the picture's px) only inside a box: behind or in a pane."""
    x0, y0, x1, y1 = (max(c, 0) for c in box)
    pane = y[y0:y1, x0:x1]
    if not pane.size:
        return
    origin = np.array([x0, y0])
    paint(
        pane,
        lambda m: [(points - origin, tone) for points, tone in shape(m)],
        t,
        exposure_s,
        opacity,
        soft_px,
    )


def lay(y: Luma, parts: list[list[Outline]], opacity: float = 1.0, soft_px: float = 0.0) -> None:
    """Lay the mean of several instants over the picture."""
    corners = np.concatenate([p for outlines in parts for p, _ in outlines])
    margin = 2 + soft_px
    high, wide = y.shape
    x0, y0 = (max(int(c), 0) for c in np.floor(corners.min(axis=0) - margin))
    x1, y1 = np.ceil(corners.max(axis=0) + margin).astype(int)
    x1, y1 = min(int(x1), wide), min(int(y1), high)
    if x1 <= x0 or y1 <= y0:
        return
    area = (x1 - x0) * (y1 - y0)
    # what is out of focus needs no fine edges
    fine = 1 if soft_px > 3 or area > 16000 else 4 if area < 1600 else 2
    shape = ((y1 - y0) * fine, (x1 - x0) * fine)
    tones = {max(1, min(255, round(tone))) for outlines in parts for _, tone in outlines}
    single = len(tones) == 1
    cover = np.zeros(shape, dtype=np.float32)
    light = np.zeros((1, 1) if single else shape, dtype=np.float32)
    origin = np.array([x0, y0])
    for outlines in parts:
        once = np.zeros(shape, dtype=np.uint8)
        for points, tone in outlines:
            # fillPoly fills what its corners touch: pull in by half a fine pixel
            at = np.rint(((points - origin) * fine - 0.5) * 16).astype(np.int32)
            fill = 1 if single else max(1, min(255, round(tone)))
            cv2.fillPoly(once, [at], (fill,), shift=4)
        if single:
            cv2.accumulate(once, cover)
        else:
            cv2.accumulate(once, light)
            cv2.accumulate(np.minimum(once, 1), cover)
    scale = np.float32(opacity / len(parts))
    cover = _finish(cover, (x1 - x0, y1 - y0), fine, soft_px, scale)
    if single:
        light = cover * np.float32(tones.pop())
    else:
        light = _finish(light, (x1 - x0, y1 - y0), fine, soft_px, scale)
    under = y[y0:y1, x0:x1]
    mixed = under * (1 - cover) + light + np.float32(0.5)
    under[:] = np.minimum(mixed, 255)


def _finish(
    sheet: NDArray[np.float32], size: tuple[int, int], fine: int, soft_px: float, scale: np.float32
) -> NDArray[np.float32]:
    """The mean of the instants in pixels, out of focus."""
    if fine > 1:
        sheet = np.asarray(cv2.resize(sheet, size, interpolation=cv2.INTER_AREA), np.float32)
    if soft_px > 1:
        # a disc's standard deviation in one direction is a quarter of its diameter
        sheet = np.asarray(cv2.GaussianBlur(sheet, (0, 0), soft_px / 4), np.float32)
    return sheet * scale


def _instants(first: list[Outline], last: list[Outline]) -> int:
    """Enough of them that a thing moves at most a third of itself, or a pixel, between two."""
    travel, size = 0.0, 0.0
    for (a, _), (b, _) in zip(first, last, strict=False):
        if len(a) == len(b):
            travel = max(travel, float(np.abs(b - a).max()))
        size = max(size, float(np.ptp(a, axis=0).min()))
    if travel < 0.5:
        return 1
    return max(3, min(_MOST, math.ceil(travel / max(1.0, size / 3)) + 1))


def ellipse(a: float, b: float, count: int = 12) -> NDArray[np.float64]:
    """Corners of an ellipse around the origin with these half-axes."""
    t = np.linspace(0, 2 * math.pi, count, endpoint=False)
    return np.stack([a * np.cos(t), b * np.sin(t)], axis=-1)


def turned(points: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """Points turned around the origin by `angle`, radians."""
    c, s = math.cos(angle), math.sin(angle)
    return np.asarray(points @ np.array([[c, s], [-s, c]]))
