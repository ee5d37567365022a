"""When, where and how a thing was let go: a flight in space is fitted to where it was seen.

The place in the picture of a flight (`flight`) through a camera (`pose`) is a fraction whose
numerator and denominator are linear in the flight's parameters; with the denominator (the
depth) taken from where it is seen, the fit is linear least squares. What is not linear, the
moment of the release and the terminal speed, is weighed on a grid: every cell gives a Gaussian of
the release place and, by its evidence (Laplace's integral is exact here), a weight. Errors are

- of each hit, independent;
- of the calibration, the same for all hits (`Pose.doubt`);
- of the flight: tumbling and gusts, an acceleration that wanders at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors._common.facade import Facade
from detectors.high_altitude_throw.flight import GRAVITY, basis, fallen, falling, lifted
from detectors.high_altitude_throw.hypotheses import Hit, spread

Array = NDArray[np.float64]

TERMINAL = np.array([1.5, 2.2, 3.2, 4.5, 6.5, 9.0, 12.5, 17.0, 25.0, 40.0, 80.0])
"""Terminal speeds weighed, m/s, all alike before the fit: from tissue to steel."""

BETWEEN, POINT = 0.11, 1e-3
"""Standard deviation about each of them, as a share of it. BETWEEN: each stands for all up to half
way to the next (0.37 / sqrt 12), as where it began needs: after some seconds of sinking c is known
to 3 %, and a flight with a c beside it fits only with a false beginning. POINT: none but those, as
the limits of judging (`whence`, `sinking`) were measured, where a bird need not fit so well."""

EARLY_S = 0.12
"""The release may be so long after the first hit (a hand that moves)."""

STEP_S = 0.07
"""Step of the moments weighed: a vertical speed of 0.7 m/s at release makes up for it."""

LONGEST_S, HIGHEST_M = 7.0, 70.0
"""A fall is followed back so long and so far at most."""

MEAN = np.array([0.0, 0.0, 0.3, 0.0, 0.0, 0.8, 0.0, 0.0, 0.0])
SD = np.array([300.0, 300.0, 0.3, 1.2, 0.9, 1.5, 1.2, 0.5, BETWEEN])
"""Prior of `flight.PARAMS`: hands reach 0.3 m out; dropped or tossed (0.8 +- 1.5 m/s outwards, a
throw of 4 m/s is within two deviations); light wind, which blows along a wall more than out of it.
u and v count from the first hit."""

OUT, OUT_SD = 1.5, 3.0
"""Metres out of the wall, in the middle of what is seen: things fall close to where they were."""

WANDER, WANDER_TO = 0.4, 5.0
"""Tumbling and gusts: deviation of the speed each way, m/s, for terminal speeds up to WANDER_TO;
above it falls with the root of the terminal speed (0.1 m/s for a stone). A tissue flutters by a
fifth of its terminal speed."""

MEMORY = 0.6
"""It lasts for so many times c/g seconds: air pulls a thing back to its own way of falling, the
sooner the lighter it is."""

GUESS_WORTH = 8.0
"""The expected noise of hits counts as so many of them when it is measured on the track itself."""

REACH_S = 0.055
"""Between the three pictures that are compared: what has moved less than itself meanwhile shows
only one of its edges, and its middle is wrong by up to half of what is not shown."""

EDGE = 0.35
"""Of what is not shown: standard deviation of that error."""

MOST_HITS = 28
"""More hits than this are averaged in neighbouring groups."""

SEEN_AT_ONCE = 0.65
"""Chance that a thing is seen as soon as it can be, and was not hidden before its first hit."""

LAG_S = 0.12
"""And then within about so long after it is fast enough (three hits, one of five missed)."""

FAST_ENOUGH = 9.0
"""Sizes a second: what moves by less than half of itself between the three pictures that are
compared (0.055 s) hardly stands out."""

HIDDEN_M = 25.0
"""Otherwise it was hidden for about this way, the longer the less likely: behind trees, canopies,
before bright sky."""


class Release(msgspec.Struct, frozen=True):
    """What is known about a release: a mixture of Gaussians over (u, v), m."""

    weights: Array
    """(k,), they sum to 1; the largest first."""
    places: Array
    """(k, 2)."""
    covers: Array
    """(k, 2, 2)."""
    misfit: float
    """Reduced chi² of the best flight."""
    log_evidence: float
    """Log of the probability of the hits, for comparing models of the same hits."""
    steady_log_evidence: float
    """The same when it moves at a steady velocity in space instead."""
    terminal: float
    """Terminal speed of the mean flight, m/s (geometric mean)."""
    since: float
    """Seconds from the release to the first hit, mean."""
    speed: float
    """m/s at the last hit."""
    outward: float
    """Speed out of the wall at the release, m/s, of the best flight."""
    height: float
    """v at the last hit, m, mean."""
    height_sd: float

    @property
    def place(self) -> Array:
        """Mean (u, v)."""
        return np.asarray(self.weights @ self.places)

    @property
    def cover(self) -> Array:
        """Covariance (2, 2) about the mean."""
        off = self.places - self.place
        spreads = self.covers + off[:, :, None] * off[:, None, :]
        return np.asarray(np.einsum("k,kij->ij", self.weights, spreads))


class _Sight(msgspec.Struct, frozen=True):
    """The hits as linear equations on a place in space."""

    t: Array
    """(n,), seconds after the first hit."""
    rows: Array
    """(n, 2, 4): px off = rows @ (u, v, w, 1)."""
    noise: Array
    """(2 n, 2 n), px²: the hits' own errors and the calibration's."""
    first: Array
    """(u, v) of the first hit, were it on the wall."""


def thinned(hits: Sequence[Hit], height: int) -> tuple[Array, Array, Array]:
    """Times (s after the first), places (n, 2) and variances (n,) in px; n at most MOST_HITS."""
    t = np.array([(hit.t - hits[0].t) / 1e6 for hit in hits])
    where = np.array([(hit.x, hit.y) for hit in hits])
    # a thing's outline errs alike in neighbouring pictures: half of the error averages out
    variance = np.array([spread(hit, height) ** 2 for hit in hits])
    variance = variance * _as_seen(t, where, variance) + _one_edge(t, where, hits) ** 2
    group = -(-len(hits) // MOST_HITS)
    if group > 1:
        starts = np.arange(0, len(hits), group)
        count = np.diff(np.append(starts, len(hits)))
        t = np.add.reduceat(t, starts) / count
        where = np.add.reduceat(where, starts, axis=0) / count[:, None]
        variance = np.add.reduceat(variance, starts) / count * (0.5 + 0.5 / count)
    return t, where, variance


def _as_seen(t: Array, where: Array, variance: Array) -> float:
    """Factor on the variance of the hits by how much they jump about a smooth curve (degree 4)."""
    if len(t) < 8:
        return 1.0
    weight = 1 / np.sqrt(variance)
    span = t / t[-1] * 2 - 1
    rows = np.polynomial.chebyshev.chebvander(span, 4) * weight[:, None]
    seen = where * weight[:, None]
    off = seen - rows @ np.linalg.lstsq(rows, seen, rcond=None)[0]
    freedom = 2 * (len(t) - 5)
    factor = (float(np.sum(off**2)) + GUESS_WORTH) / (freedom + GUESS_WORTH)
    return min(3.0, max(0.25, factor))


def _one_edge(t: Array, where: Array, hits: Sequence[Hit]) -> Array:
    """Standard deviation (n,) px of a slow thing's middle, of which only an edge stands out."""
    sizes = sorted(max(hit.w, hit.h) for hit in hits)
    size = sizes[len(sizes) // 2]
    rate = float(np.median(np.diff(t)))
    # two pictures each way: the speed of one pair is mostly noise
    span = np.arange(len(t))
    low, high = np.maximum(span - 2, 0), np.minimum(span + 2, len(t) - 1)
    speed = np.hypot(*(where[high] - where[low]).T) / np.maximum(t[high] - t[low], 1e-6)
    hidden = np.maximum(0.0, 1.0 - speed * max(REACH_S, rate) / size)
    return np.asarray(EDGE * size * hidden)


def _sight(hits: Sequence[Hit], facade: Facade, height: int) -> _Sight:
    t, where, variance = thinned(hits, height)
    pixels = facade.straight(where)
    wall = np.column_stack([facade.to_metres(where), np.zeros(len(t))])
    matrix = facade.pose.matrix
    depth = facade.pose.depth(wall)
    rows = (matrix[None, :2, :] - pixels[:, :, None] * matrix[None, 2:, :]) / depth[:, None, None]
    # typical way out of the wall, for what the focal length's error does
    typical = wall + np.array([0.0, 0.0, 0.5]) + t[:, None] * np.array([0.0, 0.0, 0.8])
    own = np.repeat(variance, 2) * np.tile(facade.scale**2, len(t))
    noise = facade.pose.doubt(typical) + np.diag(own)
    return _Sight(t, rows, noise, wall[0, :2])


def _wander(t: Array, terminal: float) -> tuple[Array, float, float]:
    """Covariance (n, n), m², of how far a thing has wandered from its flight at `t`; and the
    deviation of its speed and the time that this lasts (an integrated Ornstein–Uhlenbeck
    process)."""
    lasts = MEMORY * terminal / GRAVITY
    speed = WANDER * min(1.0, WANDER_TO / terminal) ** 0.5
    fade = np.exp(-t / lasts)
    alike = np.exp(-np.abs(t[:, None] - t[None, :]) / lasts)
    both = 2 * np.minimum(t[:, None], t[None, :]) / lasts - 1
    return (speed * lasts) ** 2 * (both + fade[:, None] + fade[None, :] - alike), speed, lasts


def moments(terminal: float) -> Array:
    """Seconds from release to first hit that are weighed, rising."""
    longest = LONGEST_S
    while float(fallen(np.asarray(longest), np.asarray(terminal))) > HIGHEST_M:
        longest *= 0.9
    fine = np.arange(-EARLY_S, min(1.6, longest), STEP_S)
    count = max(0, round(8 * np.log(max(longest, 1.6) / 1.6)) + 1)
    coarse = np.geomspace(fine[-1] + STEP_S, max(longest, fine[-1] + 2 * STEP_S), count + 1)
    return np.concatenate([fine, coarse])


def _first_seen(since: Array, terminal: float, size_m: float, edge_m: float) -> Array:
    """Density (per s) that a thing is seen first `since` after its release, up to a constant.

    What comes from beyond the picture's edge, `edge_m` above the first hit, cannot be seen earlier.
    """
    c = np.asarray(terminal)
    whole = fallen(since, c)
    way = np.minimum(whole, max(edge_m, 0.0))
    seen_from = FAST_ENOUGH * size_m
    # from rest it needs so long to be fast enough; a light thing may never be: then at half of c
    needed = min(seen_from, 0.7 * terminal)
    ready = terminal / GRAVITY * np.arctanh(needed / terminal)
    reach = float(fallen(np.asarray(ready + LAG_S), c)) - float(fallen(np.asarray(ready), c))
    late = np.maximum(0.0, way - float(fallen(np.asarray(ready), c))) / max(reach, 0.3)
    at_once = np.exp(-late) / (float(fallen(np.asarray(ready), c)) + max(reach, 0.3))
    hidden = np.exp(-whole / HIDDEN_M) / HIDDEN_M
    density = SEEN_AT_ONCE * at_once + (1 - SEEN_AT_ONCE) * hidden
    return np.asarray(density * np.maximum(falling(since, c), 1.0))


def _solve(
    sight: _Sight, whiten: Array, since: Array, terminal: float, sd: Array
) -> tuple[Array, Array, Array, Array]:
    """Log evidence (k,), parameters (k, 9), covariance (k, 9, 9), chi² (k,) for each moment.

    `sd` is the prior's, as `SD`.
    """
    n, k, m = len(sight.t), len(since), len(sd)
    matrix, fixed = basis(since[:, None] + sight.t[None, :], terminal)
    by = np.einsum("nij,knjp->knip", sight.rows[:, :, :3], matrix).reshape(k, 2 * n, m)
    at = np.array([*sight.first, 0.0])
    off = -np.einsum("nij,knj->kni", sight.rows[:, :, :3], fixed + at) - sight.rows[:, :, 3]
    both = np.ascontiguousarray(np.concatenate([by, off.reshape(k, 2 * n, 1)], axis=2))
    white = whiten @ both
    gram = white.transpose(0, 2, 1) @ white
    middle, _ = basis(since + sight.t[len(sight.t) // 2], terminal)
    out = np.concatenate([middle[:, 2, :], np.full((k, 1), OUT)], axis=1) / OUT_SD
    gram = gram + out[:, :, None] * out[:, None, :]
    precision = gram[:, :m, :m] + np.diag(1 / sd**2)
    right = gram[:, :m, m] + MEAN / sd**2
    cover = np.linalg.inv(precision)
    params = np.einsum("kij,kj->ki", cover, right)
    chi = gram[:, m, m] + np.sum((MEAN / sd) ** 2) - np.einsum("ki,ki->k", params, right)
    _, volume = np.linalg.slogdet(precision)
    inside = -float(np.sum(np.log(np.diag(whiten))))
    log = -0.5 * chi - 0.5 * volume - inside - float(np.sum(np.log(sd)))
    return log, params, cover, chi


def _steady(sight: _Sight, whiten: Array) -> tuple[float, float]:
    """Log evidence and chi² of a steady velocity in space: drives, flies, sinks."""
    n = len(sight.t)
    by = np.zeros((n, 2, 6))
    by[:, :, :3] = sight.rows[:, :, :3]
    by[:, :, 3:] = sight.rows[:, :, :3] * sight.t[:, None, None]
    at = np.array([*sight.first, 0.0])
    off = -(sight.rows[:, :, :3] @ at) - sight.rows[:, :, 3]
    both = np.column_stack([by.reshape(2 * n, 6), off.reshape(2 * n)])
    white = whiten @ both
    # anywhere before the wall, at up to some tens of m/s any way
    sd = np.array([300.0, 300.0, 5.0, 10.0, 10.0, 10.0])
    gram = white.T @ white
    precision = gram[:6, :6] + np.diag(1 / sd**2)
    right = gram[:6, 6]
    chi = float(gram[6, 6] - right @ np.linalg.solve(precision, right))
    log = -0.5 * chi - 0.5 * float(np.linalg.slogdet(precision)[1])
    inside = -float(np.sum(np.log(np.diag(whiten))))
    return log - inside - float(np.sum(np.log(sd))), chi


def fit_release(
    hits: Sequence[Hit], facade: Facade, height: int, *, between: bool = False
) -> Release | None:
    """The release of a fall (6 hits at least); None when the place is not before the camera.

    `height` is that of the picture, px; `between` whether terminal speeds between those of TERMINAL
    are taken as well (see BETWEEN): for where it began, not for judging.
    """
    return _fit(tuple(hits), facade, height, between)


@lru_cache(maxsize=32)  # several questions are asked about the same hits, one after the other
def _fit(hits: tuple[Hit, ...], facade: Facade, height: int, between: bool) -> Release | None:
    sd = SD if between else np.array([*SD[:-1], POINT])
    sight = _sight(hits, facade, height)
    if not np.all(np.isfinite(sight.rows)) or np.any(
        sight.noise[range(len(sight.noise)), range(len(sight.noise))] > 1e6
    ):
        return None  # fmt: skip
    n = len(sight.t)
    metric = sight.rows[:, :, :2].reshape(2 * n, 2)
    by_metre = metric @ metric.T
    sizes = sorted(max(hit.w, hit.h) for hit in hits)
    pixel_m = float(facade.metres_per_pixel(np.array([[hits[0].x, hits[0].y]]))[0, 1])
    size_m = sizes[len(sizes) // 4] * pixel_m
    edge_m = max(0.0, hits[0].y - sizes[len(sizes) // 2]) * pixel_m
    logs, params, covers, chis, times, speeds = [], [], [], [], [], []
    steady = (-np.inf, np.inf)
    for terminal in TERMINAL:
        wander, astray, lasts = _wander(sight.t, float(terminal))
        alike = np.kron(wander, np.ones((2, 2))) * by_metre
        # small matrices one by one: threads of the linear algebra only wait for each other here
        whiten: Array = np.asarray(np.linalg.inv(np.linalg.cholesky(sight.noise + alike)))
        since = moments(float(terminal))
        log, theta, cover, chi = _solve(sight, whiten, since, float(terminal), sd)
        width = np.gradient(since)
        log = log + np.log(_first_seen(since, float(terminal), size_m, edge_m) * width)
        # wandering while it was not seen yet
        past = np.maximum(since, 0.0)
        unseen = 2 * astray**2 * lasts * (past - lasts * (1 - np.exp(-past / lasts)))
        cover = cover + unseen[:, None, None] * np.diag([1.0, 1.0, *[0.0] * 7])
        logs.append(log)
        params.append(theta)
        covers.append(cover)
        chis.append(chi)
        times.append(since)
        speeds.append(np.full(len(since), terminal))
        steady = max(steady, _steady(sight, whiten))
    log, theta, cover = np.concatenate(logs), np.concatenate(params), np.concatenate(covers)
    chi, since, speed = np.concatenate(chis), np.concatenate(times), np.concatenate(speeds)
    best = int(np.argmax(log))
    misfit = float(chi[best]) / max(1, 2 * n - 5)
    inflate = max(1.0, misfit)
    odds = np.exp((log - log[best]) / inflate)
    total = float(odds.sum()) / len(TERMINAL)
    odds /= odds.sum()
    order = np.argsort(-odds, kind="stable")
    order = order[: max(1, int(np.searchsorted(np.cumsum(odds[order]), 0.999)) + 1)]
    weights = odds[order] / odds[order].sum()
    places = theta[order][:, :2] + sight.first
    end = since[order] + sight.t[-1]
    speed = speed[order] * (1 + np.clip(theta[order][:, 8], -0.5, 0.5))
    down = (
        falling(end, speed)
        - theta[order][:, 4] / np.cosh(np.minimum(GRAVITY * np.maximum(end, 0) / speed, 50.0)) ** 2
    )
    lift = lifted(end, speed)
    height_then = places[:, 1] + theta[order][:, 4] * lift - fallen(end, speed)
    mean_height = float(weights @ height_then)
    return Release(
        weights=weights,
        places=places,
        covers=cover[order][:, :2, :2] * inflate,
        misfit=misfit,
        log_evidence=float(log[best]) / inflate + float(np.log(total)),
        steady_log_evidence=steady[0] / max(1.0, inflate),
        terminal=float(np.exp(weights @ np.log(speed))),
        since=float(weights @ since[order]),
        speed=float(weights @ np.abs(down)),
        outward=float(theta[best][5]),
        height=mean_height,
        height_sd=float(np.sqrt(weights @ (height_then - mean_height) ** 2)),
    )
