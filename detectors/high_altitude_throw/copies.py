"""Copies: a picture that shows nothing new is not looked at.

Cameras and gateways repeat pictures to keep a rate; the encoder then adds its own small noise. A
thing that flies would stand still in the copy and stutter. Such a copy is told by the largest
difference to the picture before, beyond what the noise of the place may be: when much less stands
out than a picture ago, and not more than encoding again may leave, what flew stands still now.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]

COPY_S = 0.15
"""Pictures are dropped only this soon after the last one kept."""

MOST_IN_A_ROW = 2
"""Copies in a row: 10 pictures a second sent as 30."""

STILL_LEVELS = 5.0
"""A picture no pixel of which differs by more than this is the one before once more."""

LEFT_BY_CODING = 8
"""Grey levels above the noise that a copy encoded again may differ by, at edges of what moved:
measured at 3 Mbit/s, smoothed differences of copies pass the noise by 5 at most, those of other
pictures with something of contrast 40 in flight by 13 and more."""

LESS = 0.35
"""Such a copy differs at most by this share of the picture before."""


LEAST_PEAK = 10
"""With less news than this a picture ago nothing was seen to fly, and all is still anyway."""


class News(NamedTuple):
    """What a picture has that the one before has not."""

    peak: int
    """Largest difference beyond the noise of its place, grey levels."""
    copy: bool


def news(now: Luma, before: Luma, level: Luma | None, peak_before: int) -> News:
    """Of picture `now`; `level`: by how much a pixel may differ for nothing, None: not known.

    `peak_before` is the peak of the last picture that was no copy.
    """
    if cv2.norm(now, before, cv2.NORM_INF) <= STILL_LEVELS:
        return News(0, True)
    if level is None:
        return News(255, False)
    beyond = cv2.subtract(cv2.blur(cv2.absdiff(now, before), (3, 3)), level)
    peak = int(cv2.minMaxLoc(beyond)[1])
    flew = peak_before >= LEAST_PEAK
    return News(peak, flew and peak <= min(LEFT_BY_CODING, LESS * peak_before))
