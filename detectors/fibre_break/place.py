"""From metres of light to a place on the map: piecewise linear between what is known.

Light goes further than the map says: fibres lie in a helix (0.3 to 1.5 %), and each splice keeps 10
to 30 m of spare cable. Between two known places the excess is spread evenly, and half of what
cannot be known of it is the error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from contracts.city import Fibre
from contracts.geo import Point, along, length_m

HELIX = (0.003, 0.009, 0.015)
"""Light over map, per metre: least, usual, most."""
SLACK_M = 20.0
"""Spare cable at a splice, give or take 10 m (YD 5121 and usual practice)."""
DRUM_M = 2000.0
"""Usual distance between splices."""
FITS = (0.997, 1.05)
"""Healthy end over the path's length where the fibre ends with its path."""
MARK_M = 8.0
"""How well a surveyed place is known."""


class Knot(msgspec.Struct, frozen=True):
    """A known place: metres of light, metres along the path from the OTDR, and their error."""

    light_m: float
    way_m: float
    error_m: float


class Spot(msgspec.Struct, frozen=True):
    """A place on the map and its standard error."""

    point: Point
    chainage_m: float
    error_m: float


def knots(fibre: Fibre, healthy_end_m: float, events_m: Sequence[float]) -> list[Knot]:
    """The known places in order: the OTDR, splices, the far end where the path goes so far."""
    total = length_m(fibre.path)
    far = total - fibre.start_m if fibre.forward else fibre.start_m
    known = [Knot(0.0, 0.0, 0.0)]
    ends = far > 0 and FITS[0] <= healthy_end_m / far <= FITS[1] + 60.0 / far
    stretch = healthy_end_m / far if ends else 1 + HELIX[1] + SLACK_M / DRUM_M
    pending = 0
    for light, chainage in fibre.marks:
        way = chainage - fibre.start_m if fibre.forward else fibre.start_m - chainage
        if light is None:
            found = _matched(known[-1], way, pending, stretch, events_m)
            pending += 1
            if found is None:
                continue
            known.append(found)
        elif light > known[-1].light_m and way >= known[-1].way_m:
            known.append(Knot(light, way, MARK_M))
        else:
            continue
        pending = 0
    if ends and healthy_end_m > known[-1].light_m and far > known[-1].way_m:
        known.append(Knot(healthy_end_m, far, 10.0))
    return known


def _matched(
    before: Knot, way: float, pending: int, stretch: float, events_m: Sequence[float]
) -> Knot | None:
    """The event on the trace that is this splice: light comes later than the map says, by helix
    and by the slack of this splice and those since the last known place."""
    further = way - before.way_m
    if further <= 0:
        return None
    low = before.light_m + further * (1 + HELIX[0]) - MARK_M - before.error_m
    high = before.light_m + further * (1 + HELIX[2]) + (pending + 1) * (SLACK_M + 15.0) + MARK_M
    usual = before.light_m + further * stretch
    inside = sorted((e for e in events_m if low <= e <= high), key=lambda e: abs(e - usual))
    if not inside:
        return None
    rest = abs(inside[1] - inside[0]) / 2 if len(inside) > 1 else 0.0
    return Knot(inside[0], way, math.hypot(MARK_M, rest))


def place(fibre: Fibre, known: Sequence[Knot], light_m: float, error_m: float) -> Spot:
    """Where light that went `light_m` (standard error `error_m`) is on the map."""
    if len(fibre.path) < 2:
        return Spot(fibre.path[0], 0.0, error_m)
    i = max((k for k, knot in enumerate(known) if knot.light_m <= light_m), default=0)
    near = known[i]
    gone = light_m - near.light_m
    if i + 1 < len(known):
        after = known[i + 1]
        span, way = after.light_m - near.light_m, after.way_m - near.way_m
        share = gone / span
        excess = abs(span - way)
        way_m = near.way_m + way * share
        loose = excess * math.sqrt(share * (1 - share)) * 0.5
        error = math.hypot(near.error_m * (1 - share), after.error_m * share)
    else:
        way_m = near.way_m + gone
        if len(known) > 1:
            way_m = near.way_m + gone / (1 + HELIX[1])
        loose = gone * (HELIX[1] + SLACK_M / DRUM_M * 0.5)
        error = near.error_m
    chainage = fibre.start_m + (way_m if fibre.forward else -way_m)
    chainage = min(max(chainage, 0.0), length_m(fibre.path))
    total = math.sqrt(error_m**2 + loose**2 + error**2)
    return Spot(along(fibre.path, chainage), chainage, total)
