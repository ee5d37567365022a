"""Falls of which little was seen: how many floors of them, and what must hold for the rest.

Half a fall may pass behind trees, and who lets go on the third floor has three floors for all of
it. Two floors in sight are enough by themselves; of less, down to one, either gravity must be
beyond doubt, or it was let go in sight, at a window, and flies as air and gravity let it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.high_altitude_throw.fall import Fit
from detectors.high_altitude_throw.hypotheses import Hit
from detectors.high_altitude_throw.release import Release, fit_release
from detectors.high_altitude_throw.settings import Settings
from detectors.high_altitude_throw.wall import Metric, Wall
from detectors.high_altitude_throw.whence import beside_zones

SHARE_OF_FLOOR = 0.85
"""Floors are counted with this tolerance of calibration and release."""

GLIMPSED_FLOORS = 1.0
"""Of a fall that vanishes in mid-air so much may do, when all of it would be enough."""

GLIMPSED_SCORE, GLIMPSED_STRICT = 1.2, 1.5
"""It must be worth so many times the score and the evidence."""

ACCELERATION, SPEED = 4.5, 7.0
"""Beyond doubt: m/s², two standard deviations to spare, and m/s at its end (a fall of 2.5 m)."""

CLEAR_ACCELERATION, CLEAR_MISFIT, CLEAR_ODDS = 2.5, 0.5, 2.0
"""Or it speeds up by so much and a flight fits it so well, clearly better than steady motion: what
has fallen for a second already was seen for too short to tell its acceleration alone."""

LET_GO_S = 0.5
"""Let go in sight: its release lies at most so long before the first picture of it."""

LET_GO_STRICT = 2.0
"""Then the evidence must be so many times the least; leaves reach 0.3 of it, cloths 3."""

LET_GO_ACCELERATION = 1.0
"""m/s² on the mean, three standard deviations to spare: a cloth ends its second second with 2."""

LET_GO_MISFIT, LET_GO_ODDS = 0.7, -4.0
"""Largest reduced chi² of its flight, and least log odds over steady motion in space: falls and
leaves that pass all else are told apart by 0.2 to 0.6 against 0.8 and more, and -1 against -8."""

LET_GO_M = 0.12
"""Its shorter side, metres: leaves are smaller."""


def ground(wall: Wall) -> float:
    """v where falls end, metres: 0, or the lowest window where that is lower. A ground floor of
    shops has no windows in the list and is fallen past all the same."""
    return min(0.0, wall.prior.low)


def floors(hits: Sequence[Hit], wall: Wall) -> float:
    """Floors between first and last hit, above the ground."""
    top, foot = _ends(hits, wall)
    return (top - max(foot, ground(wall))) / wall.prior.floor_m


def is_short(hits: Sequence[Hit], cfg: Settings, wall: Wall) -> bool:
    """Whether less was seen than a fall must show."""
    return floors(hits, wall) < cfg.least_floors * SHARE_OF_FLOOR


def from_above(hits: Sequence[Hit], cfg: Settings, wall: Wall) -> bool:
    """Whether what vanished in mid-air (behind a tree) began high enough above the ground."""
    whole = (_ends(hits, wall)[0] - ground(wall)) / wall.prior.floor_m
    return floors(hits, wall) >= GLIMPSED_FLOORS and whole >= cfg.least_floors


def _ends(hits: Sequence[Hit], wall: Wall) -> tuple[float, float]:
    ends = np.array([(hits[0].x, hits[0].y), (hits[-1].x, hits[-1].y)])
    top, foot = wall.facade.to_metres(ends)[:, 1]
    return float(top), float(foot)


def plunges(hits: Sequence[Hit], metric: Metric | None, fit: Fit, wall: Wall, height: int) -> bool:
    """Whether a glimpse of a fall is beyond doubt: gravity, and the speed of a fall."""
    if metric is None or metric.sinking + metric.acceleration * fit.span / 2 < SPEED:
        return False
    least = metric.acceleration - 2 * metric.acceleration_sd
    if least >= ACCELERATION:
        return True
    release = fit_release(hits, wall.facade, height) if least >= CLEAR_ACCELERATION else None
    return release is not None and release.misfit <= CLEAR_MISFIT and _odds(release) >= CLEAR_ODDS


def let_go_in_sight(
    hits: Sequence[Hit], metric: Metric | None, evidence: float, cfg: Settings, wall: Wall,
    height: int,
) -> bool:  # fmt: skip
    """Whether it was seen to begin at a window and flies as what was let go there does."""
    if metric is None or metric.size < LET_GO_M or evidence < LET_GO_STRICT * cfg.least_evidence:
        return False
    if metric.acceleration - 3 * metric.acceleration_sd < LET_GO_ACCELERATION:
        return False
    release = fit_release(hits, wall.facade, height)
    if release is None or release.misfit > LET_GO_MISFIT or release.since > LET_GO_S:
        return False
    return _odds(release) >= LET_GO_ODDS and not beside_zones(release, wall.prior)


def _odds(release: Release) -> float:
    return release.log_evidence - release.steady_log_evidence
