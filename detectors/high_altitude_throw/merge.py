"""Which tracks are one fall: its pieces, and its mirror image in the glass.

A mirror image moves beside its thing at the same height with the same speed, all the time. Another
thing from another window does not, nor does the next thing from the same one.
"""

from __future__ import annotations

import numpy as np

from detectors.high_altitude_throw.hypotheses import Hit, Track
from detectors.high_altitude_throw.wall import Wall

BESIDE = 0.35
"""Falls at one time and this near each other across (picture heights) are one."""

ABOVE = 0.3
"""And this near down the picture. A second throw two seconds later is half a picture above."""

BAYS_BESIDE, FLOORS_ABOVE = 2.0, 2.5
"""The same before a calibrated wall. A thing 2 m before the glass and its image 2 m behind it are
4 m apart in depth; seen from below at 45 degrees that is 4 m of wall."""

LATE_S = 1.0
"""A piece begins at most this long after the one before it ended."""


def same_fall(one: list[Hit], other: list[Hit], height: int, wall: Wall | None) -> bool:
    """Whether two tracks belong to one fall. The order does not matter."""
    early, late = sorted((one, other), key=lambda hits: hits[0].t)
    if late[0].t > early[-1].t + LATE_S * 1e6:
        return False
    beside, above = _reach(height, wall)
    a, b = _path(early, height, wall), _path(late, height, wall)
    if late[0].t >= early[-1].t:
        # a piece that goes on below: after the other, not above where it ended
        gap = b[0] - a[-1]
        return abs(gap[1]) <= beside and bool(gap[2] >= -above / 2)
    low, high = late[0].t / 1e6, min(early[-1].t, late[-1].t) / 1e6
    moments = np.linspace(low, high, 5)
    off = np.array([[np.interp(moments, p[:, 0], p[:, i]) for i in (1, 2)] for p in (a, b)])
    apart = np.abs(off[0] - off[1])
    return bool(np.median(apart[0]) <= beside and np.median(apart[1]) <= above)


def _reach(height: int, wall: Wall | None) -> tuple[float, float]:
    if wall is None:
        return BESIDE * height, ABOVE * height
    return BAYS_BESIDE * wall.prior.bay_m, FLOORS_ABOVE * wall.prior.floor_m


def _path(hits: list[Hit], height: int, wall: Wall | None) -> np.ndarray:
    """Rows (t, across, down): s, and px or m."""
    places = np.array([(hit.x, hit.y) for hit in hits])
    if wall is not None:
        places = wall.facade.to_metres(places) * np.array([1.0, -1.0])
    return np.column_stack([np.array([hit.t / 1e6 for hit in hits]), places])


def drop(track: Track) -> float:
    """Way down in the picture, px."""
    return track.last.y - track.hits[0].y
