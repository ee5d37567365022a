"""Which event is which true fall: one to one; what is left over is a false alarm or a double."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from scipy.optimize import linear_sum_assignment

from simulators.falls.take import Seen, TrueFall

Track = Sequence[tuple[float, float, float]]
"""(seconds, x px, y px) in order of time."""

NEAR = 0.025
"""Median distance at which a track still is the fall's, picture heights (18 px at 720p), and half
of the thing's own box beside. A mirror image in a pane further off is another track."""

LEAST_SHARED = 3
"""Hits of the track while the fall is in the picture, and half of its hits: else another thing."""

BESIDE_S = 1.0
"""An unmatched event in the time of a fall, or so long around it, is a double, not a false one."""


MIRROR_REACH = 0.35
"""How far across a mirror image may be from its fall, picture heights."""


class Matched(msgspec.Struct, frozen=True):
    """Of which fall each event is, and which events are doubles."""

    fall_of: tuple[int | None, ...]
    """Per event: the fall's number, or None."""
    double: tuple[bool, ...]
    """Per event: unmatched, but while something fell."""
    mirror: tuple[bool, ...]
    """Per event: it follows the fall's mirror image."""


def match(
    falls: Sequence[TrueFall], tracks: Sequence[Track], height: float, *, mirrored: bool = False
) -> Matched:
    """The assignment with the least distances. `height` of the picture in px.

    With `mirrored`, where a pane mirrors the falls, an event left over at the very time of a fall
    left over is that fall by its mirror image: it was reported, once; its window is judged as it
    is.
    """
    far = 1e6
    cost = np.full((len(tracks), len(falls)), far)
    for i, track in enumerate(tracks):
        for j, fall in enumerate(falls):
            apart = distance(track, fall.track, height)
            if apart is not None and apart <= 1.0:
                cost[i, j] = apart
    fall_of: list[int | None] = [None] * len(tracks)
    rows, columns = linear_sum_assignment(cost)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if cost[row, column] < far:
            fall_of[row] = column
    mirror = [False] * len(tracks)
    if mirrored:
        for i, track in enumerate(tracks):
            for j, fall in enumerate(falls):
                free = fall_of[i] is None and j not in fall_of
                if free and _is_image(track, fall, height):
                    fall_of[i], mirror[i] = j, True
    double = [
        owner is None and any(_meanwhile(track, fall) for fall in falls)
        for track, owner in zip(tracks, fall_of, strict=True)
    ]
    return Matched(tuple(fall_of), tuple(double), tuple(mirror))


def distance(track: Track, truth: Sequence[Seen], height: float) -> float | None:
    """Median distance of a track to a fall's while both last, in units of what is near enough;
    None when they hardly share any time."""
    if len(truth) < 2 or not track:
        return None
    times = np.array([seen.t for seen in truth])
    step = float(np.median(np.diff(times)))
    hits = np.array(track, float)
    shared = hits[(hits[:, 0] >= times[0] - step) & (hits[:, 0] <= times[-1] + step)]
    if len(shared) < max(LEAST_SHARED, len(hits) / 2):
        return None
    places = [middle(seen) for seen in truth]
    x = np.interp(shared[:, 0], times, [place[0] for place in places])
    y = np.interp(shared[:, 0], times, [place[1] for place in places])
    box = np.interp(shared[:, 0], times, [max(seen.w, seen.h) for seen in truth])
    apart = np.hypot(shared[:, 1] - x, shared[:, 2] - y)
    return float(np.median(apart / (NEAR * height + box / 2)))


def middle(seen: Seen) -> tuple[float, float]:
    """Middle of a true box; `Seen` names its left upper corner. Pixel middles are whole numbers,
    as detectors count."""
    return seen.x + seen.w / 2 - 0.5, seen.y + seen.h / 2 - 0.5


def _is_image(track: Track, fall: TrueFall, height: float) -> bool:
    """Whether it goes down with the fall and not far beside it."""
    if not fall.track or not track:
        return False
    inside = [hit for hit in track if fall.released_s - 0.2 <= hit[0] <= fall.landed_s + 0.2]
    if len(inside) < max(LEAST_SHARED, 0.8 * len(track)):
        return False
    x = np.interp(
        [t for t, _, _ in inside],
        [seen.t for seen in fall.track],
        [middle(seen)[0] for seen in fall.track],
    )
    across = np.abs(x - np.array([hit[1] for hit in inside]))
    return bool(np.median(across) <= MIRROR_REACH * height)


def _meanwhile(track: Track, fall: TrueFall) -> bool:
    first, last = fall.released_s - BESIDE_S, fall.landed_s + BESIDE_S
    inside = sum(first <= t <= last for t, _, _ in track)
    return inside * 2 >= len(track) > 0
