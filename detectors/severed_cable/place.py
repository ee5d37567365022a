"""Where to go: the point on the line from which the break is found with the least expected walk."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.geo import Point, along
from detectors.severed_cable.tree import Tree

STEP_M = 12.0
MOST = 240
"""Places along the candidate spans that are compared."""
SEARCH_M = 120.0
"""So far from the point a crew searches; a break further away costs that walk there and back on top
of the distance. Expected distance alone sends people between two places that are both out of reach;
on development takes with monitors at leaves (1,124 told of) this leaves median and mean as they are
and takes a sixth off the breaks further away than that."""
CERTAIN = 0.9
"""The error is the radius that holds this much of the probability."""


class Place(msgspec.Struct, frozen=True):
    """A point with its error in metres."""

    point: Point
    error_m: float


def place_of(tree: Tree, spans: NDArray[np.float64]) -> Place:
    """The point and radius from the probability of each span, shape (spans,), along which a break
    is anywhere with equal chance."""
    if not float(spans.max(initial=0.0)) > 0.0:
        spans = np.ones_like(spans)  # it is nowhere more than anywhere
    chosen = [int(i) for i in np.flatnonzero(spans >= 0.02 * float(spans.max()))]
    metres = float(tree.lengths[chosen].sum())
    step = max(STEP_M, metres / MOST)
    xy: list[tuple[float, float]] = []
    weight: list[float] = []
    for i in chosen:
        count = max(1, math.ceil(tree.lengths[i] / step))
        for k in range(count):
            xy.append(tree.metres(along(tree.paths[i], tree.lengths[i] * (k + 0.5) / count)))
            weight.append(float(spans[i]) / count)
    places, share = np.array(xy), np.array(weight) / sum(weight)
    apart = np.hypot(
        places[:, None, 0] - places[None, :, 0], places[:, None, 1] - places[None, :, 1]
    )
    walk = apart + 2.0 * SEARCH_M * (apart > SEARCH_M)
    best = int(np.argmin(walk @ share))
    far = apart[best]
    order = np.argsort(far, kind="stable")
    inside = np.cumsum(share[order])
    reach = float(far[order[min(int(np.searchsorted(inside, CERTAIN)), len(order) - 1)]])
    east, north = places[best]
    return Place(tree.point(float(east), float(north)), reach + step / 2)
