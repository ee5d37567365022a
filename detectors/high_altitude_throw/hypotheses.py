"""Tracks: their hits, what they are worth, and the second thoughts they may have.

Where two candidates could continue a track it splits, and both branches go on for some pictures;
then the worse is forgotten (N-scan pruning of a track-oriented hypothesis tree: Blackman, Popoli,
Modern Tracking Systems, 16.3; one rival is enough at facade densities). How far a track is evidence
and not chance is its log likelihood ratio (Bar-Shalom, Blair 2000, track score): a hit adds
ln(P_D N(residual) / clutter density), a miss ln(1 - P_D).
"""

from __future__ import annotations

import math

import msgspec

from detectors.high_altitude_throw.filter import Across, Down

SEEN = 0.75
"""P_D, chance that a flying thing stands out in a picture (0.6 at 4 px, 0.85 to 1 on real ones)."""

HIDDEN_AFTER = 4
"""After so many misses in a row a thing is hidden, not overlooked: more of them say nothing."""

SCANS = 5
"""Pictures for which a rival is kept."""

CLEARLY = 7.0
"""A branch that is worth so much less than the other is dropped at once (odds of a thousand)."""


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
    across: Across
    down: Down
    at: int
    """Time of the filter's state, µs."""
    score: float = 0.0
    best: float = 0.0
    chances: int = 3
    """Pictures that could have shown it since its first hit, those behind things left out."""
    misses: int = 0
    """How many pictures, at the end, did not show it."""
    judged: int = 0
    """Hits it had when it was last judged."""
    concluded: int = 0
    """Hits it had when it was last judged as one that is over, which asks for less evidence."""
    fall: bool = False
    """Whether it was found to be a fall."""
    certain: int = 0
    """Hits it had when it was last found to be one."""
    rain: int = 0
    """Hits it had while it rained or the scene was crowded."""
    rival: Track | None = None
    """The same track with another candidate some pictures ago."""
    split: int = 0
    """Pictures since then."""

    @property
    def last(self) -> Hit:
        """The newest hit."""
        return self.hits[-1]


def spread(hit: Hit, height: int) -> float:
    """Standard deviation of a centroid, px: half a pixel, and a tenth of the size, because the
    outline of a tumbling, blurred thing changes from picture to picture."""
    return math.sqrt(0.25 + (0.1 * max(hit.w, hit.h)) ** 2) + 0.0005 * height


def missed(track: Track) -> None:
    """A picture did not show it."""
    track.misses += 1
    if track.misses <= HIDDEN_AFTER:
        track.chances += 1
        track.score += math.log(1 - SEEN)


def branch(track: Track) -> Track:
    """A copy that may go its own way."""
    return msgspec.structs.replace(track, hits=list(track.hits), rival=None, split=0)


def decide(track: Track) -> None:
    """After a picture: forget the rival, or let it take over, when it is time."""
    rival = track.rival
    if rival is None:
        return
    track.split += 1
    ahead = rival.score - track.score
    if abs(ahead) < CLEARLY and track.split < SCANS:
        return
    track.rival, track.split = None, 0
    if ahead > 0:
        track.hits, track.across, track.down = rival.hits, rival.across, rival.down
        track.at, track.score, track.best = rival.at, rival.score, max(rival.best, rival.score)
        track.chances, track.misses = rival.chances, rival.misses
        track.certain = min(track.certain, len(track.hits))
