"""From candidates to tracks: things that move down and keep doing so.

Every track carries a Kalman filter: constant velocity across (with wind), constant acceleration
down the picture (with the slow change that perspective adds). All scales are in picture heights
and seconds, so that size and rate of the picture do not matter. How far a track is evidence and
not chance is its log likelihood ratio (Bar-Shalom, Blair 2000, track score): every hit adds
ln(P_D N(residual) / clutter density), every miss ln(1 - P_D); among raindrops the clutter density
is high and a hit says little.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.high_altitude_throw.motion import TOO_FAR_S, Candidates

FASTEST = 3.0
"""Picture heights a second; 30 m/s before a facade that shows 10 m of its height."""

GRAVITY, GRAVITY_SD = 0.7, 0.8
"""Prior of the acceleration in picture heights per s²: 9.81 m/s² where a picture shows 5 m to
100 m of facade is 2 to 0.1; the filter soon forgets it."""

WIND = 0.25
"""Process noise across, picture heights/s² (per sqrt(s)): tumbling and wind."""

JERK = 1.0
"""Process noise down, picture heights/s³ (per sqrt(s)): perspective and drag."""

SEEN = 0.8
"""P_D, chance that a flying thing stands out in a picture (0.85 to 1 on real falls)."""

GATE = 3.5
"""Standard deviations within which a candidate may continue a track."""

LOST_S = 0.35
"""A track without a hit for this long has ended (a railing or a lamp post hides 0.1 s)."""

BUSY_S = 20.0
"""Time constant of the map of where things stand out again and again: roads, trees, flags."""

BUSY_HIGH = 30
"""Rows of that map: 24 px at 720p."""

MOST_TRACKS = 60
"""Tracks kept; the weakest go first."""

MOST_PAIRS = 4000
"""More pairs than this between two pictures: too crowded to begin new tracks."""

LEAN = 1.0
"""Steepest way across per way down of a new track: 45 degrees, a hard throw's first metres."""


class Hit(msgspec.Struct, frozen=True, array_like=True):
    """One supporting detection: time in µs, centroid and extent in px."""

    t: int
    x: float
    y: float
    w: float
    h: float
    contrast: float


class Track(msgspec.Struct):
    """Hits, the filter's state and how much it is worth."""

    number: int
    hits: list[Hit]
    across: list[float]
    """x, vx, and covariance xx, xv, vv."""
    down: list[float]
    """y, vy, ay, and covariance yy, yv, ya, vv, va, aa."""
    at: int
    """Time of the filter's state, µs."""
    score: float = 0.0
    best: float = 0.0
    chances: int = 3
    """Pictures that could have shown it since its first hit."""
    misses: int = 0
    """How many of them, at the end, did not."""
    judged: int = 0
    """Hits it had when it was last judged."""
    fall: bool = False
    """Whether it was found to be a fall."""
    certain: int = 0
    """Hits it had when it was last found to be one."""

    @property
    def last(self) -> Hit:
        """The newest hit."""
        return self.hits[-1]


def spread(hit: Hit, height: int) -> float:
    """Standard deviation of a centroid, px: half a pixel, and a tenth of the size, because the
    outline of a tumbling, blurred thing changes from picture to picture."""
    return math.sqrt(0.25 + (0.1 * max(hit.w, hit.h)) ** 2) + 0.0005 * height


def _predict(track: Track, t: int, height: int) -> None:
    dt = (t - track.at) / 1e6
    x, vx, pxx, pxv, pvv = track.across
    q = (WIND * height) ** 2 * dt
    track.across = [
        x + vx * dt,
        vx,
        pxx + 2 * dt * pxv + dt * dt * pvv + q * dt * dt / 3,
        pxv + dt * pvv + q * dt / 2,
        pvv + q,
    ]
    y, v, a, yy, yv, ya, vv, va, aa = track.down
    h = dt * dt / 2
    q = (JERK * height) ** 2 * dt
    track.down = [
        y + v * dt + a * h,
        v + a * dt,
        a,
        yy + 2 * dt * yv + 2 * h * ya + dt * dt * vv + 2 * dt * h * va + h * h * aa + q * h * h / 5,
        yv + dt * ya + dt * vv + (dt * dt + h) * va + dt * h * aa + q * dt * h / 4,
        ya + dt * va + h * aa + q * h / 3,
        vv + 2 * dt * va + dt * dt * aa + q * dt * dt / 3,
        va + dt * aa + q * dt / 2,
        aa + q,
    ]
    track.at = t


def _update(track: Track, hit: Hit, noise: float) -> None:
    x, vx, pxx, pxv, pvv = track.across
    s = pxx + noise
    k0, k1, r = pxx / s, pxv / s, hit.x - x
    track.across = [x + k0 * r, vx + k1 * r, pxx - k0 * pxx, pxv - k0 * pxv, pvv - k1 * pxv]
    y, v, a, yy, yv, ya, vv, va, aa = track.down
    s = yy + noise
    g0, g1, g2, r = yy / s, yv / s, ya / s, hit.y - y
    track.down = [
        y + g0 * r,
        v + g1 * r,
        a + g2 * r,
        yy - g0 * yy,
        yv - g0 * yv,
        ya - g0 * ya,
        vv - g1 * yv,
        va - g1 * ya,
        aa - g2 * ya,
    ]
    track.hits.append(hit)


def _hit(t: int, row: NDArray[np.float64]) -> Hit:
    return Hit(t, *(round(float(value), 2) for value in row[:5]))


class TrackerState(msgspec.Struct):
    """What a tracker must remember."""

    tracks: list[Track]
    recent: list[tuple[int, list[list[float]]]]
    count: int
    busy: bytes
    last: int


class Tracker:
    """The fold over candidates.

    Its state: open tracks, the last two sets of candidates, and how many candidates each place
    has shown per picture lately. What moves where something always moves is no news: the map is
    part of the clutter density, so roads and trees mask themselves.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.height, self.width = shape
        self.tracks: list[Track] = []
        self.recent: list[tuple[int, NDArray[np.float64]]] = []
        self.count = 0
        self.last = 0
        self.tile = self.height / BUSY_HIGH
        self.busy = np.zeros((BUSY_HIGH, math.ceil(self.width / self.tile)), np.float32)

    def state(self) -> TrackerState:
        """Everything, ready for msgpack."""
        recent = [(t, rows.tolist()) for t, rows in self.recent]
        return TrackerState(self.tracks, recent, self.count, self.busy.tobytes(), self.last)

    def restore(self, state: TrackerState) -> None:
        """Continue from `state`."""
        self.tracks, self.count, self.last = state.tracks, state.count, state.last
        self.busy = np.frombuffer(state.busy, np.float32).reshape(self.busy.shape).copy()
        self.recent = [(t, np.array(rows).reshape(-1, 5)) for t, rows in state.recent]

    def add(self, found: Candidates) -> list[Track]:
        """Fold the candidates of one picture; the tracks that ended with it."""
        if not found.seen:
            self.recent = []
            return self._drop_lost(found.t)
        around = cv2.blur(self.busy, (3, 3))
        taken = np.zeros(len(found.rows), dtype=bool)
        for track in sorted(self.tracks, key=lambda one: (-one.score, one.number)):
            self._extend(track, found, taken, around)
        self._learn(found)
        ended = self._drop_lost(found.t)
        free = found.rows[~taken]
        self._begin(found.t, free)
        self.recent = [*self.recent[-1:], (found.t, free)]
        if len(self.tracks) > MOST_TRACKS:
            ranked = sorted(self.tracks, key=lambda one: (-one.score, one.number))
            kept = {one.number for one in ranked[:MOST_TRACKS]}
            self.tracks = [one for one in self.tracks if one.number in kept]
        return ended

    def _extend(
        self, track: Track, found: Candidates, taken: NDArray[np.bool_], around: NDArray[Any]
    ) -> None:
        _predict(track, found.t, self.height)
        x, y = track.across[0], track.down[0]
        if not (0 <= x < self.width and 0 <= y < self.height):
            return
        track.chances += 1
        noise = spread(track.last, self.height) ** 2
        sx, sy = track.across[2] + noise, track.down[3] + noise
        rows = found.rows
        if len(rows):
            off = (rows[:, 0] - x) ** 2 / sx + (rows[:, 1] - y) ** 2 / sy
            size = np.maximum(rows[:, 2], rows[:, 3]) + 2.0
            ratio = np.abs(np.log(size / (max(track.last.w, track.last.h) + 2.0)))
            off = off + ratio**2  # a size that doubles or halves is worth 0.7 sd
            off[taken] = np.inf
            best = int(np.argmin(off))
            if off[best] <= GATE**2:
                near = 0.15 * self.height
                crowd = int(np.sum(np.hypot(rows[:, 0] - x, rows[:, 1] - y) < near)) - 1
                usual = float(around[int(y / self.tile), int(x / self.tile)]) / self.tile**2
                area = float(self.height * self.width)
                density = max(len(rows) / area, crowd / (math.pi * near**2), usual, 1.0 / area)
                track.score += math.log(
                    SEEN * math.exp(-off[best] / 2) / (2 * math.pi * math.sqrt(sx * sy) * density)
                )
                track.best = max(track.best, track.score)
                taken[best] = True
                track.misses = 0
                _update(track, _hit(found.t, rows[best]), noise)
                return
        track.misses += 1
        track.score += math.log(1 - SEEN)

    def _learn(self, found: Candidates) -> None:
        seconds = min(0.25, (found.t - self.last) / 1e6) if self.last else 0.0
        self.last = found.t
        shown = np.zeros_like(self.busy)
        tiles = (found.rows[:, :2] / self.tile).astype(int)
        np.add.at(shown, (tiles[:, 1].clip(0, BUSY_HIGH - 1), tiles[:, 0]), 1)
        self.busy = np.asarray(self.busy + (shown - self.busy) * np.float32(seconds / BUSY_S))

    def _drop_lost(self, t: int) -> list[Track]:
        kept: list[Track] = []
        ended: list[Track] = []
        for track in self.tracks:
            silent = t - track.last.t
            gone = not (0 <= track.across[0] < self.width and 0 <= track.down[0] < self.height)
            lost = silent > LOST_S * 1e6 or (gone and silent > 0) or track.score < track.best - 12
            # three hits and then nothing is what chance makes: not worth a third of a second
            lost = lost or track.score < -2 or (len(track.hits) < 5 and silent > LOST_S * 4e5)
            (ended if lost else kept).append(track)
        self.tracks = kept
        return ended

    def _begin(self, t: int, rows: NDArray[np.float64]) -> None:
        """Begin a track wherever three pictures in a row agree on a steady way down."""
        if len(self.recent) < 2 or not len(rows):
            return
        (t1, first), (t2, second) = self.recent
        if not len(first) or not len(second):
            return
        d1, d2 = (t2 - t1) / 1e6, (t - t2) / 1e6
        if max(d1, d2) > TOO_FAR_S:
            return
        step = rows[None, :, :2] - second[:, None, :2]
        slack = 0.003 * self.height
        good = (step[..., 1] > 0) & (np.abs(step[..., 0]) <= LEAN * step[..., 1] + slack)
        good &= step[..., 1] <= FASTEST * self.height * d2
        size2 = np.maximum(second[:, 2], second[:, 3]) + 2.0
        size3 = np.maximum(rows[:, 2], rows[:, 3]) + 2.0
        good &= np.abs(np.log(size3[None, :] / size2[:, None])) < 1.1
        pairs = np.argwhere(good)
        if not len(pairs) or len(pairs) > MOST_PAIRS:
            return
        j, k = pairs[:, 0], pairs[:, 1]
        way = step[j, k]
        # back from the second by the velocity of the later step, slower by what gravity added
        guess = second[j, :2] - way * (d1 / d2)
        guess[:, 1] += GRAVITY * self.height * d1 * (d1 + d2) / 2
        reach = GRAVITY_SD * self.height * d1 * (d1 + d2) + 1.0 + 0.2 * size2[j]
        off = np.hypot(first[None, :, 0] - guess[:, None, 0], first[None, :, 1] - guess[:, None, 1])
        i = np.argmin(off, axis=1)
        miss = off[np.arange(len(i)), i] / reach
        miss[first[i, 1] > second[j, 1] + slack] = np.inf
        used: set[tuple[int, int]] = set()
        order = np.argsort(miss, kind="stable")
        for n in order[:MOST_TRACKS]:
            if miss[n] > 1:
                break
            # a candidate begins at most one track
            if (2, int(j[n])) in used or (3, int(k[n])) in used:
                continue
            used |= {(2, int(j[n])), (3, int(k[n]))}
            hits = [_hit(t1, first[i[n]]), _hit(t2, second[j[n]]), _hit(t, rows[k[n]])]
            self._open(hits)

    def _open(self, hits: list[Hit]) -> None:
        first = hits[0]
        noise = spread(first, self.height) ** 2
        fast = (FASTEST * self.height / 2) ** 2
        gravity = GRAVITY * self.height
        track = Track(
            number=self.count,
            hits=[first],
            across=[first.x, 0.0, noise, 0.0, fast],
            down=[first.y, 0.0, gravity, noise, 0.0, 0.0, fast, 0.0,
                  (GRAVITY_SD * self.height) ** 2],
            at=first.t,
        )  # fmt: skip
        for hit in hits[1:]:
            _predict(track, hit.t, self.height)
            _update(track, hit, spread(hit, self.height) ** 2)
        self.count += 1
        self.tracks.append(track)
