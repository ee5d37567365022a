"""The part of a picture that is looked at, and how finely.

Only the box around the detection mask is kept. Pictures of more than FINE rows are averaged two by
two (three by three at 4K) before anything else: of a thing of four pixels at least one average is
filled whatever its place, sensor noise falls by half, edges forgive half a pixel more of sway, and
all later work is a quarter. An average keeps the centroid.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]

FINE = 800
"""Rows that are worked on one by one: 720p is, 1080p is averaged to 540."""


class Field:
    """From pictures of `shape` (height, width) to working pictures, and places back."""

    def __init__(self, shape: tuple[int, int], mask: Luma | None = None) -> None:
        """Only where `mask` is not 0; None: everywhere."""
        height, width = shape
        self.fold = math.ceil(height / FINE)
        """Picture pixels per working pixel, each way."""
        x, y, w, h = (0, 0, width, height) if mask is None else cv2.boundingRect(mask)
        if w == 0 or h == 0:
            x, y, w, h = 0, 0, width, height
        # whole working pixels, and enough of them for tiles and profiles
        w, h = (max(size // self.fold * self.fold, min(32, whole) // self.fold * self.fold)
                for size, whole in ((w, width), (h, height)))  # fmt: skip
        self.left, self.top = min(x, width - w), min(y, height - h)
        self.right, self.bottom = self.left + w, self.top + h
        self.shape = (h // self.fold, w // self.fold)
        """Of working pictures."""
        self.rows_whole = height / self.fold
        """Height of the whole picture in working pixels: limits in picture heights refer to it."""
        part = None if mask is None else mask[self.top : self.bottom, self.left : self.right]
        self.mask: Luma | None = None
        if part is not None and cv2.countNonZero(part) < part.size:
            thin = cv2.resize(part, self.shape[::-1], interpolation=cv2.INTER_AREA)
            self.mask = np.where(np.asarray(thin) > 127, 255, 0).astype(np.uint8)

    def working(self, picture: Luma) -> Luma:
        """The part looked at, averaged; a view of `picture` where nothing is averaged."""
        part = picture[self.top : self.bottom, self.left : self.right]
        if self.fold == 1:
            return part
        return np.asarray(
            cv2.resize(part, self.shape[::-1], interpolation=cv2.INTER_AREA), np.uint8
        )

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Of a place in a working picture: the place in the picture (centres of pixels whole)."""
        # an even average moves by half a working pixel what it makes
        half = (self.fold - 1) / 2 + (0 if self.fold == 1 else 0.5 * self.fold)
        return self.left + x * self.fold + half, self.top + y * self.fold + half

    def smooth(self, out: Luma) -> None:
        """Average what stands out with its neighbours, in place: 3 by 3 pixels, 4 by 4 of pictures
        that were averaged before.

        The encoder's errors are single pixels of ten grey levels; a thing of three pixels is not.
        Measured on facades at 3 Mbit/s: false candidates per picture from 12 to 0.4 at 720p with
        the same share of 4 px things found.
        """
        if self.fold == 1:
            cv2.blur(out, (3, 3), dst=out)
        else:
            cv2.blur(out, (2, 2), dst=out, anchor=(0, 0))
