"""The last question to a track that looks like a fall: could it have been let go there?

A bird that stoops and a leaf in a gust speed up like a fall for a while. What they do not do:

- before a calibrated wall: fly as gravity, air and the hand's prior allow (`release`), from where
  somebody may have stood, and better so than steadily;
- before any wall: come from rest within sight or shortly above it (a fall that is seen for T has
  at least doubled its speed unless it began more than T before), fall far for its acceleration
  (which is 9.81 m/s² and so gives the picture's scale), and not enter from the side.
"""

from __future__ import annotations

import numpy as np

from detectors._common.zones import Prior
from detectors.high_altitude_throw.fall import Fit
from detectors.high_altitude_throw.flight import GRAVITY
from detectors.high_altitude_throw.hypotheses import Hit
from detectors.high_altitude_throw.release import Release, fit_release
from detectors.high_altitude_throw.wall import Wall

MISFIT = 1.5
"""Largest reduced chi² of the flight in space. Rendered falls of 2 to 20 px: 0.81 at most when they
are first certain; leaves that pass all else: 1.4 to 7, or an unlikely flight."""

ODDS = -6.0
"""Least log odds of that flight over steady motion in space, whose prior is wide. Falls: -3.7 and
more; leaves -11."""

OFF_SD = 3.0
"""A release so many standard deviations, and one bay or floor, beside all zones is none."""

GRAVITY_EVIDENCE, GRAVITY_MISFIT = 15.0, 1.0
"""What speeds up with so much evidence in the picture and on the wall alike, and is fitted so well,
needs no such odds. Of the leaves, bags and mirrored things looked at the lesser is below 5."""

CLEARLY = 2.0
"""Log odds; what clearly flies, and fits well, may begin anywhere: zones may be listed for a part
of a facade only."""

NEAREST_M_S2 = 2.0
"""Picture heights per s²: what speeds up more falls before less than 5 m of wall: drops off an eave
near the camera (2.2 to 2.9), leaves near it."""

LEAST_WAY_M = 1.8
"""Metres, by the scale that the acceleration gives: falls are first certain after 2.1 and more,
leaves after 0.6 to 1.3."""

FROM_REST = 1.0
"""A fall began at most so many times its own seen time before it was seen. Falls: 0.8; birds that
dive by have hardly sped up."""

BEYOND_DOUBT = 30.0
"""With so much evidence of speeding up it may have begun earlier."""

RIM, SIDEWAYS = 0.03, 0.3
"""Share of the picture's width that is its rim, and way across per way down of what enters there.
A thing is let go before the wall; what comes in from the side flew."""


def in_space(hits: list[Hit], wall: Wall, height: int, evidence: float = 0.0) -> str:
    """Why it was not let go before this wall; empty where it may have been.

    `evidence` that it speeds up, the lesser of the picture's and the wall's.
    """
    release = fit_release(hits, wall.facade, height)
    if release is None or release.misfit > MISFIT:
        return "no flight from a hand or a sill fits it"
    odds = release.log_evidence - release.steady_log_evidence
    falls = evidence >= GRAVITY_EVIDENCE and release.misfit <= GRAVITY_MISFIT
    if odds < ODDS and not falls:
        return "steady motion in space explains it better"
    if odds > CLEARLY and release.misfit < MISFIT / 2:
        return ""
    if beside_zones(release, wall.prior):
        return "nobody can have let it go there"
    return ""


def beside_zones(release: Release, prior: Prior) -> bool:
    """Whether it was let go beside all zones or above them; where none are listed nobody knows."""
    if not prior.zones:
        return False
    (u, v), (u_sd, v_sd) = release.place, np.sqrt(np.diag(release.cover))
    left, right = prior.sides
    beside = max(left - u, u - right) - prior.bay_m
    return bool(beside > OFF_SD * u_sd or v - prior.high - prior.floor_m > OFF_SD * v_sd)


def in_picture(hits: list[Hit], fit: Fit, size: tuple[int, int]) -> str:
    """The same where metres are not known; `size` is the picture's (height, width), px."""
    if fit.acceleration > NEAREST_M_S2:
        return "it falls before less than a floor or two of wall"
    if fit.drop * GRAVITY < LEAST_WAY_M * fit.acceleration:
        return "it has hardly fallen for its acceleration"
    if -fit.start > FROM_REST * fit.span and fit.evidence < BEYOND_DOUBT:
        return "it has hardly sped up"
    first, last = hits[0], hits[-1]
    width = size[1]
    inward = last.x - first.x if first.x < width / 2 else first.x - last.x
    rim = min(first.x, width - first.x) <= RIM * width
    if rim and inward > SIDEWAYS * (last.y - first.y):
        return "it comes in from the side"
    return ""
