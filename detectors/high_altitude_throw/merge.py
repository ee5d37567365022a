"""Which tracks are one fall: its pieces, and its mirror image in the glass.

A mirror image moves beside its thing at the same height with the same speed, all the time. Another
thing from another window does not, nor does the next thing from the same one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.high_altitude_throw.hypotheses import Hit, Track
from detectors.high_altitude_throw.wall import Wall

Array = NDArray[np.float64]

BESIDE = 0.35
"""Falls at one time and this near each other across (picture heights) are one."""

ABOVE = 0.3
"""And this near down the picture. A second throw two seconds later is half a picture above."""

BAYS_BESIDE, FLOORS_ABOVE = 2.0, 2.5
"""The same before a calibrated wall. A thing 2 m before the glass and its image 2 m behind it are
4 m apart in depth; seen from below at 45 degrees that is 4 m of wall."""

OFF_LINE_M, OFF_LINE = 1.0, 0.1
"""A mirror image lies on the line from the camera's own foot on the wall to its thing, within so
many metres and so much of its distance from that foot."""

NEAREST = 0.2
"""And at least so much as far from it: a thing two thirds of the way to the camera."""

LESS = 0.6
"""A way down that is less than this share of another's is only a piece."""

HIGHER = 0.01
"""Picture heights by which a thing is clearly higher than its image."""

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
    one_at, other_at = _together(a, b)
    if wall is not None and _mirrored(one_at, other_at, wall):
        return True
    apart = np.abs(one_at - other_at)
    return bool(np.median(apart[0]) <= beside and np.median(apart[1]) <= above)


def is_image(one: list[Hit], other: list[Hit], height: int, wall: Wall | None) -> bool:
    """Whether `one` is the mirror image of `other` in the wall's glass (calibrated cameras)."""
    if wall is None:
        return False
    early, late = sorted((one, other), key=lambda hits: hits[0].t)
    if late[0].t >= early[-1].t:
        return False
    a, b = _together(_path(one, height, wall), _path(other, height, wall))
    return _mirrored(a, b, wall) and _from_foot(a, wall) < _from_foot(b, wall)


def _from_foot(places: Array, wall: Wall) -> float:
    u, v, _ = wall.facade.pose.place
    return float(np.median(np.hypot(places[0] - u, places[1] + v)))


def _mirrored(one: Array, other: Array, wall: Wall) -> bool:
    """Whether places (2, n) at the same moments are a thing's and its image's in the wall's glass.

    The thing stands w out of the wall, its image w behind it. Seen from the camera, D from the
    wall, both appear on the ray from the camera's foot on the wall, farther by D / (D - w) and
    nearer by D / (D + w).
    """
    u, v, _ = wall.facade.pose.place
    foot = np.array([[u], [-v]])
    a, b = one - foot, other - foot
    if np.median(np.hypot(*a)) < np.median(np.hypot(*b)):
        a, b = b, a
    far, near = np.hypot(*a), np.hypot(*b)
    if np.any(far < 1e-6):
        return False
    off_line = np.abs(a[0] * b[1] - a[1] * b[0]) / far
    share = np.sum(a * b, axis=0) / far**2
    return bool(
        np.median(off_line) <= OFF_LINE_M + OFF_LINE * np.median(near)
        and np.all(share > NEAREST)
        and np.all(np.diff(share) < 0.05)
    )


def _together(a: Array, b: Array) -> tuple[Array, Array]:
    """(across, down) of two paths at 5 moments that they share, shape (2, 5) each."""
    moments = np.linspace(max(a[0, 0], b[0, 0]), min(a[-1, 0], b[-1, 0]), 5)
    one, other = (np.array([np.interp(moments, p[:, 0], p[:, i]) for i in (1, 2)]) for p in (a, b))
    return one, other


def _reach(height: int, wall: Wall | None) -> tuple[float, float]:
    if wall is None:
        return BESIDE * height, ABOVE * height
    return BAYS_BESIDE * wall.prior.bay_m, FLOORS_ABOVE * wall.prior.floor_m


def _path(hits: list[Hit], height: int, wall: Wall | None) -> Array:
    """Rows (t, across, down): s, and px or m."""
    places = np.array([(hit.x, hit.y) for hit in hits])
    if wall is not None:
        places = wall.facade.to_metres(places) * np.array([1.0, -1.0])
    return np.column_stack([np.array([hit.t / 1e6 for hit in hits]), places])


def leads(one: Track, other: Track, height: int) -> bool:
    """Whether `one` rather than `other` is the thing itself.

    The camera looks up; a thing is nearer to it than its image behind the glass and so stands
    higher in the picture, all the way down to the height of the camera. What hardly differs in
    height are parts of one thing: then what shows more.
    """
    if _drop(one) < LESS * _drop(other) or _drop(other) < LESS * _drop(one):
        return _drop(one) > _drop(other)
    early, late = sorted((one, other), key=lambda track: track.hits[0].t)
    if late.hits[0].t < early.last.t:
        a, b = _together(_path(one.hits, height, None), _path(other.hits, height, None))
        higher = float(np.median(b[1] - a[1]))
        if abs(higher) > HIGHER * height:
            return higher > 0
    return _strength(one) > _strength(other)


def _strength(track: Track) -> float:
    """Grey levels times px² (median)."""
    values = sorted(abs(hit.contrast) * hit.w * hit.h for hit in track.hits)
    return values[len(values) // 2]


def _drop(track: Track) -> float:
    """Way down in the picture, px."""
    return track.last.y - track.hits[0].y
