"""What a fall did before it was noticed: the way back from its first hits.

A thing just let go is slow, and a thrown one flies across before it comes down; tracks begin only
on a clear way down. Once it is certain to be a fall its earlier pictures are looked through again,
because the window hangs on them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.high_altitude_throw.hypotheses import Hit, spread
from detectors.high_altitude_throw.space import Space

Array = NDArray[np.float64]

LEARN = 9
"""First hits that tell how it moved."""

GATE = 3.0
"""Standard deviations."""

LOST_S, LONGEST_S = 0.45, 0.7
"""Back over at most so long a gap; over the longer one, behind a canopy, when it is known within
KNOWN picture heights (one standard deviation) where the thing was."""

KNOWN = 0.02

RECENT_S = 2.0
"""Pictures are kept for so long."""

ALIKE = 0.8
"""Largest change of its size from hit to hit, as a logarithm (a factor of 2.2)."""


class Past(Protocol):
    """Candidates of a past picture."""

    t: int
    rows: Array
    place: Array
    unit: Array


def traced_back(hits: Sequence[Hit], past: Sequence[Past], space: Space, height: int) -> list[Hit]:
    """`hits` with what came before them, found in `past` (in order of time)."""
    found = list(hits)
    earlier = [one for one in past if one.t < hits[0].t and len(one.rows)]
    while earlier:
        scene = earlier.pop()
        if found[0].t - scene.t > LONGEST_S * 1e6:
            break
        index = _match(found[:LEARN], scene, space, height)
        if index is not None:
            row = scene.rows[index]
            found.insert(0, Hit(scene.t, *(round(float(value), 2) for value in row[:5])))
    return found


def _match(hits: Sequence[Hit], scene: Past, space: Space, height: int) -> int | None:
    """The candidate of `scene` that continues `hits` backwards."""
    place, unit = space.places(np.array([(hit.x, hit.y) for hit in hits]))
    t = np.array([(hit.t - hits[0].t) / 1e6 for hit in hits])
    sd = np.array([spread(hit, height) for hit in hits])[:, None] * unit
    back = (scene.t - hits[0].t) / 1e6
    rows = np.stack([np.ones_like(t), t, t * t / 2], axis=1)
    ahead = np.array([1.0, back, back * back / 2])
    off = np.zeros(len(scene.rows))
    far = -back > LOST_S
    # across it keeps its speed but for the air, down it is a fall from rest or from a throw
    for axis, (guess, loose) in enumerate(((0.0, space.wind), (space.gravity, space.gravity_sd))):
        known = rows / sd[:, axis : axis + 1]
        precision = known.T @ known + np.diag([0.0, 0.0, 1 / loose**2])
        right = known.T @ (place[:, axis] / sd[:, axis]) + np.array([0, 0, guess / loose**2])
        cover = np.linalg.inv(precision)
        at = float(ahead @ cover @ right)
        unsure = math.sqrt(float(ahead @ cover @ ahead)) / float(np.median(scene.unit[:, axis]))
        if far and unsure > KNOWN * height:
            return None
        noise = (spread(hits[0], height) * scene.unit[:, axis]) ** 2
        off += (scene.place[:, axis] - at) ** 2 / (float(ahead @ cover @ ahead) + noise)
    size = np.maximum(scene.rows[:, 2], scene.rows[:, 3]) + 2.0
    alike = np.abs(np.log(size / (max(hits[0].w, hits[0].h) + 2.0)))
    off = off + alike**2
    off[alike > ALIKE] = np.inf
    best = int(np.argmin(off))
    return best if off[best] <= GATE**2 else None
