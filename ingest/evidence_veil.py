"""Hides homes and people in pictures: black where nothing may be kept, a coarse mosaic elsewhere.

The mosaic keeps one colour for a square of 1/24 of the picture's height, in 16 steps per channel:
a face on it is a handful of squares (people recognise faces down to about 7 x 10 samples: Sinha et
al., Proc. IEEE 94 (2006) 1948, so nothing a street camera sees of one is left), and no sharpening
brings back what was averaged away. A light blur could be undone.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ingest.evidence_pictures import Picture
from ingest.evidence_view import Polygon, View, scaled

SQUARES = 24
"""Mosaic squares in the picture's height."""

STEP = 16
"""Colours of squares go in such steps of 256."""

MARGIN = 0.006
"""Homes are hidden with this margin (picture heights): a calibration is wrong by 2 to 5 pixels."""


class Veil:
    """The masks of one view for pictures of one shape (height, width)."""

    def __init__(self, view: View, shape: tuple[int, int]) -> None:
        height, width = shape
        factor = (width / view.size[0], height / view.size[1])
        self._shape = shape
        private = _filled(shape, view.private, factor)
        self._private = np.nonzero(private)
        shown = _filled(shape, view.wall, factor)
        margin = 2 * round(MARGIN * height) + 1
        homes = _filled(shape, view.homes, factor)
        shown[cv2.dilate(homes, np.ones((margin, margin), np.uint8)) > 0] = 0
        named = [window.polygon for window in view.windows if window.named]
        shown[_filled(shape, named, factor) > 0] = 255
        path = [(x, y) for _, x, y in view.track]
        if path and named:
            corners = np.asarray(named[0], np.float64)
            path.insert(0, (float(corners[:, 0].mean()), float(corners[:, 1].mean())))
        reach = max(1, round(view.reach * max(factor)))
        if path:
            points = scaled(path, factor)
            cv2.polylines(shown, [points], False, (255,), 2 * reach)
            for point in points[:, 0]:
                cv2.circle(shown, (int(point[0]), int(point[1])), reach, (255,), -1)
        self._hidden = np.asarray(cv2.bitwise_not(shown), np.uint8)

    def cover(self, picture: Picture) -> Picture:
        """A copy that is black where nothing may be kept."""
        out = picture.copy()
        out[self._private] = 0
        return out

    def hide(self, covered: Picture, squares: int = SQUARES) -> Picture:
        """A copy of a covered picture with homes and people beyond recognition; fewer `squares` in
        its height where it shows them larger."""
        height, width = self._shape
        side = max(1, height // squares)
        small = (max(1, width // side), max(1, height // side))
        means = np.asarray(cv2.resize(covered, small, interpolation=cv2.INTER_AREA))
        means = means // STEP * STEP + STEP // 2
        mosaic = cv2.resize(means, (width, height), interpolation=cv2.INTER_NEAREST)
        out = np.asarray(cv2.copyTo(mosaic, self._hidden, covered.copy()), np.uint8)
        return self.cover(out)


def _filled(
    shape: tuple[int, int], polygons: Sequence[Polygon], factor: tuple[float, float]
) -> Picture:
    mask = np.zeros(shape, np.uint8)
    for polygon in polygons:
        cv2.fillPoly(mask, [scaled(polygon, factor)], (255,))
    return mask
