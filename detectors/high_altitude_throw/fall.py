"""Is a track a fall? Two physical models compete for it, and the picture's scale plays no part.

Things on a straight line in space appear on a straight line in the picture, at
`y = (y0 + p s) / (1 + q s)` where `s` is how far they have come: the projective map of a line
(Hartley, Zisserman: Multiple View Geometry, 2.4), with any camera and any tilt.
What differs is `s`:

- a fall: `s = (t - t0)²`, at rest (or at the top of its throw) at `t0`;
- anything that drives, flies or drips at a steady speed: `s = t`.

Both are linear in y0, p, q for a given t0. The log likelihood ratio of the two decides, and the
fall must also fit well by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.high_altitude_throw.hypotheses import Hit, spread

Array = NDArray[np.float64]


LEAST_MISFIT = 0.15
"""Noise is at least sqrt(0.15) = 0.4 of what is expected; a better fit is luck."""


class Fit(msgspec.Struct, frozen=True):
    """How the fall model fits a track. Lengths in picture heights, times in seconds."""

    drop: float
    """Way down, last hit minus first."""
    aside: float
    """Way across, absolute."""
    start: float
    """t0, relative to the first hit."""
    span: float
    """First hit to last."""
    acceleration: float
    """Down the picture, mean over the track, heights/s²."""
    speed: float
    """Down the picture at the last hit, heights/s."""
    depth_ratio: float
    """Distance from the camera at the last hit over that at the first, as perspective says."""
    misfit: float
    """Reduced chi² of the fall down the picture."""
    steady_misfit: float
    """Reduced chi² of the best steady motion."""
    evidence: float
    """Log likelihood ratio, fall over steady motion, penalised for the extra parameter (BIC)."""
    wobble: float
    """Rms residual across, from a smooth curve, heights."""
    back: float
    """Largest way up between two hits, heights."""


def _projective(s: Array, y: Array, weight: Array) -> tuple[Array, float]:
    """(y0, p, q) and chi² of y = (y0 + p s) / (1 + q s), by reweighted linear least squares."""
    bend = np.ones_like(s)
    best: Array = np.array([float(y.mean()), 0.0, 0.0])
    for _ in range(3):
        rows = np.stack([np.ones_like(s), s, -s * y], axis=1) * (weight / bend)[:, None]
        best = np.asarray(np.linalg.lstsq(rows, y * weight / bend, rcond=None)[0], np.float64)
        bend = 1 + best[2] * s
        if np.any(bend < 0.1):
            return best, math.inf
    residual = (y - (best[0] + best[1] * s) / bend) * weight
    return best, float(residual @ residual)


def independent(residual: Array) -> float:
    """How many independent values a series of residuals is worth (AR(1) correlation)."""
    total = float(residual @ residual)
    alike = max(0.0, float(residual[1:] @ residual[:-1]) / total) if total > 0 else 0.0
    return len(residual) * (1 - alike) / (1 + alike)


def log_odds(other_chi: float, chi: float, residual: Array, freedom: int) -> float:
    """Log likelihood ratio of a model over another with one parameter less (BIC).

    `residual` are the model's, in standard deviations, `chi` their sum of squares, `other_chi` the
    other's. The scale of the noise is taken from the fit itself, but not below LEAST_MISFIT. Waves
    in the residuals say that the model is wrong or that neighbouring hits err together: they are
    not independent evidence, so fewer count (effective number of an AR(1) series).
    """
    n, count = len(residual), independent(residual)
    least = LEAST_MISFIT * freedom
    return 0.5 * count * math.log(max(other_chi, least) / max(chi, least)) - 0.5 * math.log(n)


def fit_fall(hits: Sequence[Hit], height: int) -> Fit | None:
    """The fall model against steady motion on `hits` (at least 6); None when nothing fits."""
    if len(hits) < 6:
        return None
    t = np.array([(hit.t - hits[0].t) / 1e6 for hit in hits])
    y = np.array([hit.y for hit in hits]) / height
    x = np.array([hit.x for hit in hits]) / height
    weight = height / np.array([spread(hit, height) for hit in hits])
    span = float(t[-1])
    _, steady_chi = _projective(t, y, weight)
    if not math.isfinite(steady_chi):
        line = np.polyfit(t, y, 1, w=weight)
        steady_chi = float(np.sum(((np.polyval(line, t) - y) * weight) ** 2))
    # the top of the fall: at most as long before the first hit as the track is long, or within
    # its first half (thrown upwards); a coarse grid, then a fine one about its best
    low, high, chi, t0 = -1.5 * span, 0.5 * span, math.inf, 0.0
    found: Array = np.zeros(3)
    for steps in (17, 9, 9):
        for start in np.linspace(low, high, steps):
            params, value = _projective((t - start) ** 2, y, weight)
            if value < chi:
                found, chi, t0 = params, value, float(start)
        reach = (high - low) / (steps - 1)
        low, high = t0 - reach, t0 + reach
    if not math.isfinite(chi):
        return None
    y0, p, q = (float(value) for value in found)
    first, last = 1 + q * t0**2, 1 + q * (span - t0) ** 2
    # dy/ds = (p - q y0) / (1 + q s)²
    speed = (p - q * y0) / last**2 * 2 * (span - t0)
    slow = (p - q * y0) / first**2 * 2 * (0 - t0)
    freedom = max(1, len(hits) - 4)
    n = len(hits)
    residual = (y - (y0 + p * (t - t0) ** 2) / (1 + q * (t - t0) ** 2)) * weight
    misfit = chi / freedom
    evidence = log_odds(steady_chi, chi, residual, freedom)
    curve = np.polyfit(t, x, 2, w=weight)
    wobble = float(np.sqrt(np.mean((np.polyval(curve, t) - x) ** 2)))
    return Fit(
        drop=float(y[-1] - y[0]),
        aside=abs(float(x[-1] - x[0])),
        start=t0,
        span=span,
        acceleration=(speed - slow) / span,
        speed=speed,
        depth_ratio=last / first,
        misfit=misfit,
        steady_misfit=steady_chi / max(1, n - 3),
        evidence=evidence,
        wobble=wobble,
        back=float(max(0.0, -np.min(np.diff(y)))),
    )
