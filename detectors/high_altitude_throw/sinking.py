"""Things that come down at their terminal speed: cloth, bags, boxes that have fallen for long.

They do not speed up, so gravity cannot vouch for them. What does: they sink faster than anything
that lowers itself, they are as large as what people throw, they stay one thing picture after
picture, and a flight through space with air fits every wobble of their way. A leaf before the
wall is too small for that; one near the camera, a bird or a mirrored bird does not fit the flight;
drones and lifts sink too slowly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.high_altitude_throw.fall import Fit
from detectors.high_altitude_throw.glimpse import ground
from detectors.high_altitude_throw.hypotheses import Hit
from detectors.high_altitude_throw.release import fit_release
from detectors.high_altitude_throw.wall import Metric, Wall
from detectors.high_altitude_throw.whence import beside_zones

SPEED = (2.9, 14.0)
"""m/s, mean from the first hit, the speeding up included. Rope lifts and gondolas do at most 2.5,
drones hardly 3 (their makers' limit), snow and leaves 0.5 to 2 (Kashiyama 1996; Norberg 1973).
Cloth and bags of 0.4 to 0.7 kg/m² end at sqrt(2 m g / (rho C A)) = 3.0 to 4.0, boxes at 10."""

FASTEST, DIVES = 45.0, 3.0
"""What comes straight down even faster than SPEED, up to FASTEST m/s (a stone after 100 m), has
fallen for long and came out from behind a tree; then it must still speed up, by DIVES (m/s², a
standard deviation to spare)."""

FLOORS, PANES = 1.7, 2.55
"""So many floors of it, with the tolerance of calibration: two; and three, over which what is
mirrored is missing more than once."""

SIZE_M = (0.12, 1.5)
"""Its shorter side: leaves are smaller, cabins and vehicles larger."""

SEEN_PX = 9.0
"""Its longer side, median: smaller things tell nothing but their place, and there are many."""

ASIDE = 1.0
"""Way across per way down, on the wall: a light breeze of 3.5 m/s (Beaufort 2 to 3) carries a cloth
so far. Birds glide flatter, and the flight does not fit them."""

MISFIT, MISFIT_FLAPPING = 0.6, 1.15
"""Largest reduced chi² of its flight through space; the second for what flaps: a sheet that swings
by a third of its weight wanders at 0.5 to 1 m/s, more than a flight expects of tumbling things."""

FLAPS = (0.25, 0.3)
"""Standard deviation of the logarithm of its size at which a thing begins to flap, and surely does:
cloth and bags fold and unfold, birds and leaves change by 0.1 to 0.25. Between the two the misfit
that is allowed grows evenly: of thirty pictures the deviation is known to an eighth."""

RIGID = 0.08
"""With less than this nothing folds or tumbles: a drone or a kite that glides down (0.03 to 0.07;
cloths and boxes of the same films 0.09 to 0.47)."""

MOST_ACCELERATION = 14.0
"""m/s² either way, with three standard deviations to spare: more is a mistaken continuation."""

DIVING_MISFIT = 4.0
"""Largest reduced chi² of what dives, about its best curve."""

HITS, SPAN_S = 10, 0.9
"""Least pictures and seconds."""

SEEN = 0.78
"""Share of the pictures between its first and last that must show it; over PANES floors its longest
gap is left out (a tree hides it once). What moves behind the camera is mirrored in the panes and
missing between them, floor by floor (0.58 to 0.76); what sinks is seen in 0.85 and more."""


def dives(metric: Metric) -> bool:
    """Whether it is faster than anything at its terminal speed, and speeds up still."""
    sure = metric.acceleration - metric.acceleration_sd >= DIVES
    return SPEED[1] < metric.sinking <= FASTEST and sure


def sinks(hits: Sequence[Hit], fit: Fit, metric: Metric, wall: Wall, height: int) -> bool:
    """Whether it comes down before the wall as light things do at their terminal speed."""
    if not _steadily(fit, metric, wall):
        return False
    if dives(metric):
        fits = min(fit.misfit, fit.steady_misfit) <= DIVING_MISFIT
        return fits and _seen(hits, metric, wall) and _flies(hits, wall, height)
    if not SPEED[0] <= metric.sinking <= SPEED[1]:
        return False
    return _is_one_thing(hits, metric, wall) and _flies(hits, wall, height)


def _steadily(fit: Fit, metric: Metric, wall: Wall) -> bool:
    prior = wall.prior
    left, right = prior.sides
    return (
        _floors(metric, wall) >= FLOORS
        and metric.size <= SIZE_M[1]
        and metric.aside <= ASIDE * metric.drop
        and left - prior.bay_m <= metric.u <= right + prior.bay_m
        and fit.wobble <= 0.01 + 0.01 * fit.drop
        and abs(metric.acceleration) - 3 * metric.acceleration_sd <= MOST_ACCELERATION
    )


def _floors(metric: Metric, wall: Wall) -> float:
    return (metric.top - max(metric.foot, ground(wall))) / wall.prior.floor_m


def _is_one_thing(hits: Sequence[Hit], metric: Metric, wall: Wall) -> bool:
    """Whether it is large enough to be known again in each picture, and long enough in sight."""
    sizes = sorted(max(hit.w, hit.h) for hit in hits)
    if len(hits) < HITS or hits[-1].t - hits[0].t < SPAN_S * 1e6:
        return False
    if not _seen(hits, metric, wall) or flapping(hits) < RIGID:
        return False
    return sizes[len(sizes) // 2] >= SEEN_PX and metric.size >= SIZE_M[0]


def _seen(hits: Sequence[Hit], metric: Metric, wall: Wall) -> bool:
    """Whether nearly every picture shows it, but for one gap on a long way."""
    gaps = np.diff([hit.t for hit in hits])
    rate = float(np.median(gaps))
    gap = float(gaps.max()) - rate if _floors(metric, wall) >= PANES else 0.0
    return len(hits) >= SEEN * ((hits[-1].t - hits[0].t - gap) / rate + 1)


def flapping(hits: Sequence[Hit]) -> float:
    """Standard deviation of the logarithm of its size."""
    return float(np.std(np.log([max(hit.w, hit.h) + 2.0 for hit in hits])))


def _flies(hits: Sequence[Hit], wall: Wall, height: int) -> bool:
    """Whether a flight through space fits it that somebody at this wall may have begun."""
    release = fit_release(hits, wall.facade, height)
    if release is None:
        return False
    if release.misfit > float(np.interp(flapping(hits), FLAPS, (MISFIT, MISFIT_FLAPPING))):
        return False
    return not beside_zones(release, wall.prior)
