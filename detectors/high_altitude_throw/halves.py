"""Halves of one fall: tracks that were torn where the thing was hidden or hardly stood out.

A tree hides a fall for a second, a wall of its own grey for some pictures; the filter then waits in
vain or in the wrong place and another track begins further down. Neither half may be enough by
itself. A track that ends is therefore tried as the end of those that ended before it: together they
must move as one thing under gravity, first by a glance at metres on the wall (`follows`), then as
one flight through space (`is_one_flight`), which knows how long it flew unseen and where to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from detectors.high_altitude_throw.hypotheses import HIDDEN_AFTER, Hit, Track, spread
from detectors.high_altitude_throw.release import fit_release
from detectors.high_altitude_throw.verdict import Verdict
from detectors.high_altitude_throw.wall import Wall

REMEMBERED_S = 3.0
"""So long after its last hit the end of a track may still be the beginning of a fall."""

MOST = 40
"""Ended tracks that are remembered; the worth of the least is forgotten first."""

LEAST_HITS = 3
"""Of either half: two places are no motion."""

LONGEST_GAP_S = 1.8
"""Seconds between the halves: a crown of leaves hides a fall of 40 m for 1.6 s."""

SPEED = (0.5, 45.0)
"""m/s downwards in between: more than what creeps, less than a stone after 100 m."""

FRAGMENT = 0.5
"""What is smaller than so much of its half's usual size shows an edge only."""

ALIKE = 0.9
"""Largest change of its size, as a logarithm: blur draws a thing out as it speeds up."""

GLANCE = 4.0
"""Largest reduced chi² of a parabola each way on the wall: air bends a fall a little more."""

GLANCE_ACCELERATION = (0.5, 16.0)
"""m/s² on the mean, two standard deviations to spare."""

SCORE = 36.0
"""What both halves are worth together, as a track's score: a fifth more than of one track."""

EVIDENCE = 2.0
"""Log likelihood ratio of a fall over steady motion, the lesser of the picture's and the wall's:
torn falls 2.4 and more, leaves joined by chance below 0."""

MISFIT, ODDS = 0.9, 2.0
"""Largest reduced chi² of the flight of both and its least log odds over steady motion in space:
torn falls 0.3 to 0.9 and 2 to 20, leaves joined by chance 1.1 and more and -2 and less."""


def remembered(ended: Sequence[Track], known: Sequence[Track], now: int) -> list[Track]:
    """`known` and those that just `ended` and are no falls, without what is of no more use at `now`
    (µs)."""
    fresh = [
        msgspec.structs.replace(track, rival=None, split=0)
        for track in ended
        if not track.fall and len(track.hits) >= LEAST_HITS
    ]
    kept = [one for one in (*known, *fresh) if now - one.last.t <= REMEMBERED_S * 1e6]
    if len(kept) > MOST:
        worth = sorted(kept, key=lambda one: (one.best, one.number))[len(kept) - MOST :]
        numbers = {one.number for one in worth}
        kept = [one for one in kept if one.number in numbers]
    return kept


def wholes(late: Track, pieces: Sequence[Track], wall: Wall, height: int) -> Iterator[Track]:
    """`late` with what may have been its beginning, and with what may have been that one's; at
    most three pieces. `height` of the picture, px."""
    whole = late
    for _ in range(2):
        best: tuple[float, Track] | None = None
        for piece in pieces:
            if piece.number == whole.number or piece.hits[0].t >= whole.hits[0].t:
                continue
            if piece.best + whole.best < SCORE or piece.last.y >= whole.last.y:
                continue
            joined = _joined(piece, whole)
            if joined is None:
                continue
            chi = follows(joined.hits, piece.last.t, wall, height)
            if chi is not None and (best is None or chi < best[0]):
                best = chi, joined
        if best is None:
            return
        whole = best[1]
        yield whole


def _joined(early: Track, late: Track) -> Track | None:
    """One track of both; None where too little of the later one is later."""
    begun, hits = _entire(early.hits), [hit for hit in late.hits if hit.t > early.last.t]
    lost, hits = len(late.hits) - len(hits), _entire(hits)
    if min(len(begun), len(hits)) < LEAST_HITS:
        return None
    gap = (hits[0].t - begun[-1].t) / 1e6
    if gap > LONGEST_GAP_S:
        return None
    rate = float(np.median(np.diff([hit.t for hit in hits]))) / 1e6
    unseen = min(HIDDEN_AFTER, max(0, round(gap / rate) - 1))
    return msgspec.structs.replace(
        late,
        hits=[*begun, *hits],
        score=early.best + late.best,
        best=early.best + late.best,
        chances=_shown(early) + unseen + _shown(late) - lost,
        misses=0,
        rain=early.rain + late.rain,
        rival=None,
        split=0,
    )


def _entire(hits: Sequence[Hit]) -> list[Hit]:
    """Those that are no fragments: where it hardly stands out only an edge of a thing may show,
    half its size away from its middle, and two halves hang on few places."""
    sizes = sorted(max(hit.w, hit.h) for hit in hits)
    return [hit for hit in hits if max(hit.w, hit.h) >= FRAGMENT * sizes[len(sizes) // 2]]


def _shown(track: Track) -> int:
    """Pictures from its first to its last hit that could have shown it."""
    return max(len(track.hits), track.chances - min(track.misses, HIDDEN_AFTER))


def follows(whole: Sequence[Hit], torn: int, wall: Wall, height: int) -> float | None:
    """Reduced chi² of a parabola each way through `whole`, metres on the wall, whose first half
    ends at `torn` (µs); None where it is at once clear that they are not one fall."""
    n = sum(hit.t <= torn for hit in whole)
    sizes = np.log([max(hit.w, hit.h) + 2.0 for hit in whole])
    if abs(float(np.median(sizes[:n]) - np.median(sizes[n:]))) > ALIKE:
        return None
    t = np.array([hit.t - whole[0].t for hit in whole]) / 1e6
    pixels = np.array([(hit.x, hit.y) for hit in whole])
    if pixels[n, 1] <= pixels[n - 1, 1]:
        return None
    place = wall.facade.to_metres(pixels)
    gap = float(t[n] - t[n - 1])
    speed = float(place[n - 1, 1] - place[n, 1]) / gap
    if not SPEED[0] <= speed <= SPEED[1]:
        return None
    noise = wall.facade.metres_per_pixel(pixels) * np.array(
        [[spread(hit, height)] for hit in whole]
    )
    noise = np.maximum(noise, 0.01)
    chi = 0.0
    for axis in (0, 1):
        rows = np.stack([np.ones_like(t), t, t * t], axis=1) / noise[:, axis : axis + 1]
        seen = place[:, axis] / noise[:, axis]
        inverse = np.linalg.inv(rows.T @ rows)
        found = inverse @ (rows.T @ seen)
        chi += float(np.sum((seen - rows @ found) ** 2))
        if axis == 1:
            acceleration, sd = -2 * float(found[2]), 2 * float(np.sqrt(inverse[2, 2]))
            low, high = GLANCE_ACCELERATION
            if acceleration + 2 * sd < low or acceleration - 2 * sd > high:
                return None
    chi /= 2 * len(t) - 6
    return chi if chi <= GLANCE else None


def is_one_flight(verdict: Verdict | None, whole: Track, wall: Wall, height: int) -> bool:
    """Whether what was `judge`d a fall as a whole is one beyond doubt, so that nobody need have
    seen what happened in between."""
    if verdict is None or verdict.against or verdict.plateau or verdict.metric is None:
        return False
    if min(verdict.fit.evidence, verdict.metric.evidence) < EVIDENCE:
        return False
    return whole.best >= SCORE and flies_on(whole.hits, wall, height)


def flies_on(whole: Sequence[Hit], wall: Wall, height: int) -> bool:
    """Whether one flight through space fits all of it."""
    release = fit_release(whole, wall.facade, height)
    return (
        release is not None
        and release.misfit <= MISFIT
        and release.log_evidence - release.steady_log_evidence >= ODDS
    )
