"""Where a fall began: back along the fall in metres on the wall, to where it stood still.

The track, mapped to the wall, is fitted with `v = c0 + c1 t + c2 t²` (and u steady), with gravity
as prior knowledge: it decides when little of the way was seen. The place of release is then the
top of the parabola, known as well as fit, calibration and throw allow; a probability for each
zone follows from that, and where the zones do not hold most of it, no window is named.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from detectors._common.facade import Facade
from detectors.high_altitude_throw.fall import log_odds
from detectors.high_altitude_throw.tracking import Hit, spread

FALL, FALL_SD = 9.3, 1.2
"""Prior of the acceleration, m/s²: 9.81 less some drag, and what leaving the wall's
plane feigns."""

THROW_SD = 1.5
"""Vertical speed of release, m/s: hands that drop or throw outwards give little of it."""

PLANE_SD = 0.25
"""Hands and sills stand out of the wall: metres of place on it, each way."""

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


def measure(hits: Sequence[Hit], facade: Facade, height: int) -> Metric:
    """The fall in metres on the wall, and which zones it may have begun in (6 hits at least)."""
    t = np.array([(hit.t - hits[0].t) / 1e6 for hit in hits])
    pixels = np.array([(hit.x, hit.y) for hit in hits])
    place = facade.to_metres(pixels)
    noise = facade.metres_per_pixel(pixels) * np.array([[spread(h, height)] for h in hits])
    noise = np.maximum(noise, 0.01)
    span = max(float(t[-1]), 0.1)
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

    # gravity as one more observation of c2
    known = np.vstack([free / np.sqrt(inflate), [0, 0, 2 / FALL_SD]])
    seen = np.append(place[:, 1] / noise[:, 1] / np.sqrt(inflate), -FALL / FALL_SD)
    cover = np.linalg.inv(known.T @ known)
    c0, c1, c2 = (float(value) for value in cover @ known.T @ seen)
    c2 = min(c2, -0.5)
    top = min(0.0, -c1 / (2 * c2))
    v = c0 + c1 * top + c2 * top**2
    slope = np.array([1.0, top, top**2])
    v_var = float(slope @ cover @ slope) + PLANE_SD**2 + facade.error_m**2
    extra = THROW_SD**2 / (2 * FALL)
    v_var += 2 * extra**2

    line = rows[:, :2] / noise[:, :1]
    line_cover = np.linalg.inv(line.T @ line)
    d0, d1 = (float(value) for value in line_cover @ line.T @ (place[:, 0] / noise[:, 0]))
    off = (place[:, 0] - rows[:, :2] @ np.array([d0, d1])) / noise[:, 0]
    u_inflate = max(1.0, float(off @ off) / max(1, len(t) - 2))
    back = np.array([1.0, top])
    u_var = float(back @ line_cover @ back) * u_inflate + PLANE_SD**2 + facade.error_m**2
    where = np.array([d0 + d1 * top, v - (extra if top < 0 else 0.0)])

    ranked = facade.probabilities(where, np.diag([u_var, v_var]))
    fall = c1 + 2 * c2 * span
    return Metric(
        acceleration=acceleration,
        acceleration_sd=acceleration_sd,
        evidence=evidence,
        speed=float(np.hypot(fall, d1)),
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
