"""Where a fall began: back along the fall in metres on the wall, to where it stood still.

The height on the wall is fitted with a fall from rest through air,

    v(t) = v0 - (c²/g) ln cosh(g (t - t0) / c) + k (t - t0),

whose only unknowns are the release (t0, v0), the terminal speed c (a tissue 2 m/s, a box 15, a
brick 60) and a small k for what hands add and for what leaving the wall's plane feigns. All
combinations of t0 and c are weighed, v0 and k follow in closed form; the release is the weighted
mean and its spread is honest about what little of the way was seen. A probability for each zone
follows from that, and where the zones do not hold most of it, no window is named.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors._common.facade import Facade
from detectors.high_altitude_throw.fall import independent, log_odds
from detectors.high_altitude_throw.tracking import Hit, spread

Array = NDArray[np.float64]

GRAVITY = 9.81

TERMINAL = np.array([3.0, 4.5, 6.5, 9.0, 12.0, 16.0, 22.0, 32.0, 50.0, 100.0])
"""Terminal speeds weighed, m/s, all alike before the fit: from paper to stone."""

BEFORE_S, AFTER_S, STEP_S = 1.5, 0.3, 0.03
"""Moments of release weighed: from so long before the first hit to so long after it."""

HANDS_SD = 0.8
"""Standard deviation of k, m/s: vertical speed of release, and 20 m up at 30 m distance an outward
speed of 1.5 m/s looks like 1 m/s upwards."""

PLANE_SD = 0.25
"""Hands and sills stand out of the wall: metres of place on it, each way."""

EARLY_S = 0.8
"""The way across is taken from the beginning of the track, before air has slowed it."""

NAMED = 0.5
"""Zones must hold at least this much of the probability, or no window is named."""


class Metric(msgspec.Struct, frozen=True):
    """A fall in metres."""

    acceleration: float
    """m/s², from the track alone."""
    acceleration_sd: float
    evidence: float
    """Log likelihood ratio of speeding up over steady motion, on the wall."""
    speed: float
    """m/s at the last hit, along the wall."""
    drop: float
    """m, first hit to last."""
    place: tuple[float, float]
    """(u, v) of the release."""
    sd: tuple[float, float]
    """Standard deviations of it."""
    zones: tuple[tuple[str, int | None, int | None, float], ...]
    """(zone, floor, bay, probability), most probable first."""


class Release(msgspec.Struct, frozen=True):
    """When and how high a fall began."""

    moment: float
    """Seconds after the first hit, mostly negative."""
    height: float
    variance: float
    speed: float
    """m/s downwards at the last hit."""


def _release(t: Array, height: Array, noise: Array) -> Release:
    moments = np.arange(-BEFORE_S, AFTER_S, STEP_S)
    start, terminal = (one.ravel() for one in np.meshgrid(moments, TERMINAL, indexing="ij"))
    since = np.maximum(t[None, :] - start[:, None], 0.0)
    x = GRAVITY * since / terminal[:, None]
    # ln cosh x without overflow
    way = terminal[:, None] ** 2 / GRAVITY * (x + np.log1p(np.exp(-2 * x)) - np.log(2.0))
    weight = 1 / noise**2
    seen = height[None, :] + way
    # v0 and k by least squares, k with its prior; two unknowns in closed form
    a11 = np.full(len(start), weight.sum())
    a12 = since @ weight
    a22 = since**2 @ weight + 1 / HANDS_SD**2
    b1, b2 = seen @ weight, (seen * since) @ weight
    determinant = a11 * a22 - a12**2
    v0 = (a22 * b1 - a12 * b2) / determinant
    k = (a11 * b2 - a12 * b1) / determinant
    residual = (seen - v0[:, None] - k[:, None] * since) / noise
    chi = np.sum(residual**2, axis=1) + (k / HANDS_SD) ** 2
    best = int(np.argmin(chi))
    inflate = max(1.0, float(chi[best]) / max(1, len(t) - 3))
    share = independent(residual[best]) / len(t)
    odds = np.exp(-0.5 * (chi - chi[best]) / inflate * share)
    odds /= odds.sum()
    # released at the top of the fall, or on its way up to it: then the first hit is nearest
    risen = start > 0
    place = np.where(risen, height[0], v0)
    variance = np.where(risen, noise[0] ** 2, a22 / determinant * inflate / share)
    mean = float(odds @ place)
    return Release(
        moment=float(odds @ start),
        height=mean,
        variance=float(odds @ (variance + (place - mean) ** 2)),
        speed=float(odds @ (terminal * np.tanh(x[:, -1]) - k)),
    )


def measure(hits: Sequence[Hit], facade: Facade, height: int) -> Metric:
    """The fall in metres on the wall, and which zones it may have begun in (6 hits at least)."""
    t = np.array([(hit.t - hits[0].t) / 1e6 for hit in hits])
    pixels = np.array([(hit.x, hit.y) for hit in hits])
    place = facade.to_metres(pixels)
    noise = facade.metres_per_pixel(pixels) * np.array([[spread(h, height)] for h in hits])
    noise = np.maximum(noise, 0.01)
    rows = np.stack([np.ones_like(t), t, t * t], axis=1)

    free = rows / noise[:, 1:]
    inverse = np.linalg.inv(free.T @ free)
    alone = inverse @ free.T @ (place[:, 1] / noise[:, 1])
    residual = (place[:, 1] - rows @ alone) / noise[:, 1]
    line_of = np.linalg.lstsq(free[:, :2], place[:, 1] / noise[:, 1], rcond=None)[0]
    steady = (place[:, 1] - rows[:, :2] @ line_of) / noise[:, 1]
    freedom = max(1, len(t) - 3)
    chi = float(residual @ residual) / freedom
    evidence = log_odds(float(steady @ steady), chi * freedom, residual, freedom)
    inflate = max(1.0, chi)
    acceleration, acceleration_sd = (
        -2 * float(alone[2]),
        2 * float(np.sqrt(inverse[2, 2] * inflate)),
    )

    release = _release(t, place[:, 1], noise[:, 1])
    v, top = release.height, min(0.0, release.moment)
    v_var = release.variance + PLANE_SD**2 + facade.error_m**2

    early = (t <= EARLY_S) | (np.arange(len(t)) < 8)
    line = (rows[:, :2] / noise[:, :1])[early]
    line_cover = np.linalg.inv(line.T @ line)
    d0, d1 = (float(value) for value in line_cover @ line.T @ (place[:, 0] / noise[:, 0])[early])
    off = ((place[:, 0] - rows[:, :2] @ np.array([d0, d1])) / noise[:, 0])[early]
    u_inflate = max(1.0, float(off @ off) / max(1, len(off) - 2))
    back = np.array([1.0, top])
    u_var = float(back @ line_cover @ back) * u_inflate + PLANE_SD**2 + facade.error_m**2
    where = np.array([d0 + d1 * top, v])

    ranked = facade.probabilities(where, np.diag([u_var, v_var]))
    return Metric(
        acceleration=acceleration,
        acceleration_sd=acceleration_sd,
        evidence=evidence,
        speed=float(np.hypot(release.speed, d1)),
        drop=float(place[0, 1] - place[-1, 1]),
        place=(float(where[0]), float(where[1])),
        sd=(float(np.sqrt(u_var)), float(np.sqrt(v_var))),
        zones=tuple((zone.id, zone.floor, zone.bay, p) for zone, p in ranked),
    )


def origin_fact(metric: Metric) -> dict[str, object] | None:
    """The wire's `origin`, or None when no window can be named."""
    if sum(p for *_, p in metric.zones) < NAMED:
        return None
    (zone, floor, bay, p), *others = metric.zones
    return {
        "zone": zone,
        "floor": floor,
        "bay": bay,
        "p": round(p, 3),
        "others": [[other, round(chance, 3)] for other, _, _, chance in others[:4]],
    }
