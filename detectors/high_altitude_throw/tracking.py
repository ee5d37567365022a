"""From candidates to tracks: things that move down and keep doing so.

Candidates are followed in metres on the wall where the camera is calibrated, else in picture
heights (`space`). Among raindrops and where something always moves the clutter density is high,
and a hit says little.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.high_altitude_throw.before import RECENT_S, traced_back
from detectors.high_altitude_throw.filter import begun, corrected, predicted
from detectors.high_altitude_throw.hypotheses import (
    HIDDEN_AFTER,
    SEEN,
    Hit,
    Track,
    branch,
    decide,
    missed,
    spread,
)
from detectors.high_altitude_throw.motion import TOO_FAR_S, Candidates
from detectors.high_altitude_throw.space import PictureSpace, Space

__all__ = ["Hit", "Track", "Tracker", "TrackerState", "spread"]

GATE = 3.5
"""Standard deviations within which a candidate may continue a track."""

DOUBT = 5.0
"""A second candidate whose squared distance is larger by at most this splits the track (odds of
12 to 1)."""

LOST_S = 0.35
"""A track without a hit for this long has ended (a railing or a lamp post hides 0.1 s)."""

STRONG, STRONG_LOST_S = 24.0, 1.0
"""Tracks worth so much are waited for longer: a tree or a canopy hides some floors. Chance reaches
17 in heavy rain."""

CERTAIN, CERTAIN_LOST_S = 40.0, 1.6
"""And what no chance makes still longer: a crown of leaves hides a fall of 40 m for so long."""

HANGS_S, HANGS = 0.8, 0.01
"""What comes down by less than so many picture heights in so many seconds does not fall: people
and plants that move where they are."""

BUSY_S = 20.0
"""Time constant of the map of where things stand out again and again: roads, trees, flags."""

BUSY_HIGH = 30
"""Rows of that map: 24 px at 720p."""

MOST_TRACKS = 60
"""Tracks kept; the weakest go first."""

CROWD_TRACKS = 25
"""The same while it rains: bounded work, and the strongest are the falls."""

CROWDED = 40
"""Candidates in a picture above which it counts as crowded."""

MOST_PAIRS = 4000
"""More pairs than this between two pictures: too crowded to begin new tracks."""

LEAN = 1.0
"""Steepest way across per way down of a new track: 45 degrees, a hard throw's first metres."""

WORTH_TRACING = 5
"""Hits with which a track that ends is traced back, before it is judged for the last time."""

SLACK = 0.003
"""Picture heights by which a start may go up or aside: 2 px at 720p."""

RECENT = 3
"""Pictures back from which a track may start: it may miss one of four."""

MOST_KEPT = 1500
"""Candidates kept of the last seconds."""


class Scene(msgspec.Struct):
    """Candidates of one picture in the units of tracking."""

    t: int
    rows: NDArray[np.float64]
    """(n, 5): x, y, width, height, contrast, px."""
    place: NDArray[np.float64]
    """(n, 2): across, down."""
    unit: NDArray[np.float64]
    """(n, 2): units per px."""
    size: NDArray[np.float64]
    """(n,): px, two more than the longer side."""

    def only(self, which: NDArray[np.bool_]) -> Scene:
        """These of them."""
        return Scene(
            self.t, self.rows[which], self.place[which], self.unit[which], self.size[which]
        )


class TrackerState(msgspec.Struct):
    """What a tracker must remember."""

    tracks: list[Track]
    recent: list[tuple[int, list[list[float]], list[bool]]]
    count: int
    busy: bytes
    last: int
    blind: int


class Tracker:
    """The fold over candidates.

    Its state: open tracks, the last sets of candidates, and how many candidates each place has
    shown per picture lately. What moves where something always moves is no news: the map is part
    of the clutter density, so roads and trees mask themselves.
    """

    def __init__(self, shape: tuple[int, int], space: Space | None = None) -> None:
        """For pictures of `shape` (height, width), followed in `space`, or in picture heights."""
        self.height, self.width = shape
        self.space: Space = space if space is not None else PictureSpace(shape)
        self.tracks: list[Track] = []
        self.recent: list[Scene] = []
        """Candidates of the last seconds, and which of them no track took."""
        self.free: list[list[bool]] = []
        self.blind = 0
        """Time of the newest picture that said nothing."""
        self.count = 0
        self.last = 0
        self.tile = self.height / BUSY_HIGH
        self.busy = np.zeros((BUSY_HIGH, math.ceil(self.width / self.tile)), np.float32)

    def state(self) -> TrackerState:
        """Everything, ready for msgpack."""
        recent = [
            (one.t, one.rows.tolist(), free)
            for one, free in zip(self.recent, self.free, strict=True)
        ]
        busy = self.busy.tobytes()
        return TrackerState(self.tracks, recent, self.count, busy, self.last, self.blind)

    def restore(self, state: TrackerState) -> None:
        """Continue from `state`."""
        self.tracks, self.count = state.tracks, state.count
        self.last, self.blind = state.last, state.blind
        self.busy = np.frombuffer(state.busy, np.float32).reshape(self.busy.shape).copy()
        self.recent = [self._scene(t, np.array(rows).reshape(-1, 5)) for t, rows, _ in state.recent]
        self.free = [free for _, _, free in state.recent]

    def add(self, found: Candidates, *, rain: bool = False) -> list[Track]:
        """Fold the candidates of one picture; the tracks that ended with it."""
        if not found.seen:
            self.blind = found.t
            return self._drop_lost(found.t)
        scene = self._scene(found.t, found.rows[:, :5])
        around = cv2.blur(self.busy, (3, 3))
        crowded = rain or len(scene.rows) > CROWDED
        taken = np.zeros(len(scene.rows), dtype=bool)
        for track in sorted(self.tracks, key=lambda one: (-one.score, one.number)):
            self._extend(track, scene, taken, around, crowded)
        self._learn(scene)
        ended = self._drop_lost(found.t)
        self._begin(scene.only(~taken), around, crowded)
        self._keep(scene, ~taken)
        most = CROWD_TRACKS if crowded else MOST_TRACKS
        if len(self.tracks) > most:
            ranked = sorted(self.tracks, key=lambda one: (not one.fall, -one.score, one.number))
            kept = {one.number for one in ranked[:most]}
            self.tracks = [one for one in self.tracks if one.number in kept]
        return ended

    def forget(self) -> None:
        """Tracks and candidates: what comes next has nothing to do with them."""
        self.tracks, self.recent, self.free = [], [], []

    def silent(self, track: Track, t: int) -> bool:
        """Whether it may be over, though it is still waited for."""
        return t - track.last.t > LOST_S * 1e6

    def _scene(self, t: int, rows: NDArray[np.float64]) -> Scene:
        if not len(rows):
            return Scene(t, rows, rows[:, :2], rows[:, :2], rows[:, 0])
        place, unit = self.space.places(rows[:, :2])
        size = np.maximum(rows[:, 2], rows[:, 3]) + 2.0
        sane = np.all(np.isfinite(place), axis=1) & np.all(np.isfinite(unit), axis=1)
        scene = Scene(t, rows, place, unit, size)
        return scene if bool(sane.all()) else scene.only(sane)

    def _noise(self, hit: Hit, unit: NDArray[np.float64]) -> tuple[float, float]:
        sd = spread(hit, self.height)
        return (sd * float(unit[0])) ** 2, (sd * float(unit[1])) ** 2

    def _extend(
        self, track: Track, scene: Scene, taken: NDArray[np.bool_], around: NDArray[Any],
        crowded: bool,
    ) -> None:  # fmt: skip
        rival = track.rival
        if rival is not None:
            self._follow(rival, scene, np.zeros_like(taken), around, crowded, may_split=False)
        self._follow(track, scene, taken, around, crowded, may_split=rival is None)
        decide(track)

    def _follow(
        self, track: Track, scene: Scene, taken: NDArray[np.bool_], around: NDArray[Any],
        crowded: bool, *, may_split: bool,
    ) -> None:  # fmt: skip
        dt = (scene.t - track.at) / 1e6
        track.across, track.down = predicted(track.across, track.down, dt, self.space)
        track.at = scene.t
        x, y = track.across[0], track.down[0]
        column, row = self.space.pixel(x, y)
        if not (0 <= column < self.width and 0 <= row < self.height):
            return
        if not len(scene.rows):
            missed(track)
            return
        sd = spread(track.last, self.height)
        noise = (sd * scene.unit) ** 2
        sx, sy = track.across[2] + noise[:, 0], track.down[3] + noise[:, 1]
        off = (scene.place[:, 0] - x) ** 2 / sx + (scene.place[:, 1] - y) ** 2 / sy
        ratio = np.abs(np.log(scene.size / (max(track.last.w, track.last.h) + 2.0)))
        off = off + ratio**2  # a size that doubles or halves is worth 0.7 sd
        off[taken] = np.inf
        best = int(np.argmin(off))
        if off[best] > GATE**2:
            missed(track)
            return
        if may_split and not crowded and len(off) > 1 and len(track.hits) >= HIDDEN_AFTER:
            second = int(np.argsort(off, kind="stable")[1])
            if off[second] <= min(GATE**2, off[best] + DOUBT):
                track.rival = branch(track)
                self._take(track.rival, scene, second, off, (sx, sy), (column, row), around)
        self._take(track, scene, best, off, (sx, sy), (column, row), around)
        track.rain += crowded
        taken[best] = True

    def _take(
        self, track: Track, scene: Scene, index: int, off: NDArray[np.float64],
        spreads: tuple[NDArray[np.float64], NDArray[np.float64]], at: tuple[float, float],
        around: NDArray[Any],
    ) -> None:  # fmt: skip
        density = self._density(scene, at, around) / float(np.prod(scene.unit[index]))
        sx, sy = float(spreads[0][index]), float(spreads[1][index])
        likely = SEEN * math.exp(-off[index] / 2) / (2 * math.pi * math.sqrt(sx * sy))
        track.score += math.log(likely / density)
        track.best = max(track.best, track.score)
        track.chances += 1
        track.misses = 0
        noise = self._noise(track.last, scene.unit[index])
        x, y = (float(value) for value in scene.place[index])
        track.across, track.down = corrected(track.across, track.down, x, y, noise)
        track.hits.append(_hit(scene.t, scene.rows[index]))

    def _density(self, scene: Scene, at: tuple[float, float], around: NDArray[Any]) -> float:
        """False candidates per px² and picture, about that pixel."""
        near = 0.15 * self.height
        x, y = at
        crowd = int(np.sum(np.hypot(scene.rows[:, 0] - x, scene.rows[:, 1] - y) < near)) - 1
        usual = float(around[int(y / self.tile), int(x / self.tile)]) / self.tile**2
        area = float(self.height * self.width)
        return max(len(scene.rows) / area, crowd / (math.pi * near**2), usual, 1.0 / area)

    def _learn(self, scene: Scene) -> None:
        seconds = min(0.25, (scene.t - self.last) / 1e6) if self.last else 0.0
        self.last = scene.t
        shown = np.zeros_like(self.busy)
        tiles = (scene.rows[:, :2] / self.tile).astype(int)
        np.add.at(shown, (tiles[:, 1].clip(0, BUSY_HIGH - 1), tiles[:, 0]), 1)
        self.busy = np.asarray(self.busy + (shown - self.busy) * np.float32(seconds / BUSY_S))

    def _drop_lost(self, t: int) -> list[Track]:
        kept: list[Track] = []
        ended: list[Track] = []
        for track in self.tracks:
            silent = t - track.last.t
            x, y = self.space.pixel(track.across[0], track.down[0])
            gone = not (0 <= x < self.width and 0 <= y < self.height)
            patience = STRONG_LOST_S if track.best >= STRONG else LOST_S
            patience = CERTAIN_LOST_S if track.best >= CERTAIN else patience
            lost = (
                self._hangs(track)
                or silent > patience * 1e6
                or (gone and silent > 0)
                or track.score < track.best - 12
            )
            # three hits and then nothing is what chance makes: not worth a third of a second
            lost = lost or track.score < -2 or (len(track.hits) < 5 and silent > LOST_S * 4e5)
            (ended if lost else kept).append(track)
        self.tracks = kept
        for track in ended:
            # few hits may be too few only for want of the slow beginning
            if not track.fall and len(track.hits) >= WORTH_TRACING:
                self.trace_back(track)
        return ended

    def _hangs(self, track: Track) -> bool:
        end = track.last
        if end.t - track.hits[0].t < HANGS_S * 1e6:
            return False
        then = next(hit for hit in reversed(track.hits) if end.t - hit.t >= HANGS_S * 1e6)
        return end.y - then.y < HANGS * self.height

    # --- beginnings -----------------------------------------------------------------------------

    def _begin(self, third: Scene, around: NDArray[Any], crowded: bool) -> None:
        """Begin a track wherever three pictures agree on a steady way down: the last three, or,
        where few things move, three of the last four."""
        choices = [(-2, -1)] if crowded else [(-2, -1), (-3, -1), (-3, -2)]
        used: dict[tuple[int, int], bool] = {}
        free = [
            one.only(np.asarray(unused)) if len(one.rows) else one
            for one, unused in zip(self.recent[-RECENT:], self.free[-RECENT:], strict=True)
            if one.t > self.blind
        ]
        for i, j in choices:
            if len(free) >= -i:
                self._begin_from(free[i], free[j], third, around, used)

    def _keep(self, scene: Scene, free: NDArray[np.bool_]) -> None:
        """Remember the candidates, for starts and for the way back from a fall."""
        self.recent.append(scene)
        self.free.append(free.tolist())
        count = np.cumsum([len(one.rows) for one in reversed(self.recent)])
        keep = sum(
            place < RECENT or (total <= MOST_KEPT and scene.t - one.t <= RECENT_S * 1e6)
            for place, (one, total) in enumerate(zip(reversed(self.recent), count, strict=True))
        )
        del self.recent[:-keep], self.free[:-keep]

    def trace_back(self, track: Track) -> None:
        """Add what the track's thing did before it was noticed."""
        before = len(track.hits)
        track.hits = traced_back(track.hits, self.recent, self.space, self.height)
        track.certain += len(track.hits) - before
        track.chances += len(track.hits) - before

    def _begin_from(
        self, first: Scene, second: Scene, third: Scene, around: NDArray[Any],
        used: dict[tuple[int, int], bool],
    ) -> None:  # fmt: skip
        if not (len(first.rows) and len(second.rows) and len(third.rows)):
            return
        d1, d2 = (second.t - first.t) / 1e6, (third.t - second.t) / 1e6
        if max(d1, d2) > TOO_FAR_S:
            return
        step = third.place[None] - second.place[:, None]
        slack = SLACK * self.height * float(np.median(third.unit))
        good = (step[..., 1] > 0) & (np.abs(step[..., 0]) <= LEAN * step[..., 1] + slack)
        good &= step[..., 1] <= self.space.fastest * d2
        good &= np.abs(np.log(third.size[None, :] / second.size[:, None])) < 1.1
        pairs = np.argwhere(good)
        if not len(pairs) or len(pairs) > MOST_PAIRS:
            return
        j, k = pairs[:, 0], pairs[:, 1]
        way = step[j, k]
        # back from the second by the velocity of the later step, slower by what gravity added
        guess = second.place[j] - way * (d1 / d2)
        guess[:, 1] += self.space.gravity * d1 * (d1 + d2) / 2
        unit = second.unit[j].max(axis=1)
        reach = self.space.gravity_sd * d1 * (d1 + d2) + (1.0 + 0.2 * second.size[j]) * unit
        off = np.hypot(
            first.place[None, :, 0] - guess[:, None, 0], first.place[None, :, 1] - guess[:, None, 1]
        )
        i = np.argmin(off, axis=1)
        miss = off[np.arange(len(i)), i] / reach
        miss[first.place[i, 1] > second.place[j, 1] + slack] = np.inf
        order = np.argsort(miss, kind="stable")
        for n in order[:MOST_TRACKS]:
            if miss[n] > 1:
                break
            # a candidate begins at most one track
            keys = ((second.t, int(j[n])), (third.t, int(k[n])))
            if any(key in used for key in keys):
                continue
            used.update(dict.fromkeys(keys, True))
            parts = [(first, int(i[n])), (second, int(j[n])), (third, int(k[n]))]
            self._open(parts, float(reach[n]), around)

    def _open(self, parts: list[tuple[Scene, int]], reach: float, around: NDArray[Any]) -> None:
        track: Track | None = None
        for scene, index in parts:
            hit = _hit(scene.t, scene.rows[index])
            noise = self._noise(hit, scene.unit[index])
            x, y = (float(value) for value in scene.place[index])
            if track is None:
                across, down = begun(x, y, noise, self.space)
                track = Track(self.count, [hit], across, down, scene.t)
                continue
            dt = (scene.t - track.at) / 1e6
            ahead = predicted(track.across, track.down, dt, self.space)
            track.across, track.down = corrected(*ahead, x, y, noise)
            track.at = scene.t
            track.hits.append(hit)
        assert track is not None
        # two pictures foretell the third within `reach`: that it is there is evidence as well
        scene, index = parts[0]
        at = float(scene.rows[index, 0]), float(scene.rows[index, 1])
        density = self._density(scene, at, around) / float(np.prod(scene.unit[index]))
        track.score = max(0.0, math.log(SEEN / (math.pi * reach**2 * density)))
        track.best = track.score
        self.count += 1
        self.tracks.append(track)


def _hit(t: int, row: NDArray[np.float64]) -> Hit:
    return Hit(t, *(round(float(value), 2) for value in row[:5]))
