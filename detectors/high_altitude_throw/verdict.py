"""When a track is certain to be a fall, and why not: each reason has a name."""

from __future__ import annotations

import msgspec
import numpy as np

from detectors.high_altitude_throw.fall import Fit, fit_fall
from detectors.high_altitude_throw.flight import GRAVITY
from detectors.high_altitude_throw.glimpse import (
    GLIMPSED_SCORE,
    GLIMPSED_STRICT,
    from_above,
    is_short,
    let_go_in_sight,
    plunges,
)
from detectors.high_altitude_throw.hypotheses import HIDDEN_AFTER, Hit, Track
from detectors.high_altitude_throw.release import fit_release
from detectors.high_altitude_throw.settings import Settings
from detectors.high_altitude_throw.sinking import dives, sinks
from detectors.high_altitude_throw.wall import Metric, Wall, measure
from detectors.high_altitude_throw.whence import in_picture, in_space

ACCELERATION = (0.08, 8.0)
"""Picture heights per s²: 9.81 m/s² where a picture shows 120 m of facade, or 1.2 m."""

DEPTH = (0.12, 2.5)
"""Distance from the camera at the end over that at the start: what passes the lens is no fall."""

METRIC_ACCELERATION = (1.0, 14.0)
"""Mean over the track, m/s², with three standard deviations to spare: 9.81 less drag (a rubbish bag
from the 12th floor keeps 3), and the depth of the throw. What is thrown towards the camera may
seem to do more, and then a flight through space must fit it."""

FLIGHT_MISFIT = 2.5
"""Largest reduced chi² of that flight."""

CLEAR = 10
"""What sinks steadily must be seen before a clear wall: at most one hit of so many in rain or a
crowd."""

THROWN_ASIDE = 2.5
"""Way across per way down of a hard throw along the wall, seen where metres are known; its
acceleration down must then be gravity beyond doubt: ASIDE_STRICT times the evidence, and no less
than THROWN."""

ASIDE_STRICT = 1.5

THROWN = 4.0
"""m/s²; birds and cars that turn downwards seldom do more than 2."""

RAIN_STRICT = 1.6
"""In rain score and evidence must be so many times what they must be before a clear wall: there are
e^(0.6 * 30) times as many chance tracks."""


class Verdict(msgspec.Struct, frozen=True):
    """What was found about a track."""

    fit: Fit
    metric: Metric | None
    against: str
    """The first reason why it is no fall; empty: it is one."""
    plateau: bool = False
    """It counts as a fall at terminal speed, not because it speeds up."""


def rainy(track: Track) -> bool:
    """Whether at least half of what makes it was seen in rain or a crowd."""
    return 2 * track.rain >= len(track.hits)


def without_hanging(hits: list[Hit]) -> list[Hit]:
    """The hits from where it left its place: hands and plants move there before and are followed.

    The place is as large as twice the thing.
    """
    size = sorted(max(hit.w, hit.h) for hit in hits)[len(hits) // 2]
    left = max(i for i, hit in enumerate(hits) if hit.y <= hits[0].y + 2 * size)
    return hits[max(0, left - 2) :]


def without_strays(track: Track) -> Track:
    """The track without last hits that may be another's.

    What comes out from behind something and shows only STRAY times or less may be anything: one
    leaf and, half a second later, another far below it look like gravity.
    """
    gaps = np.diff([hit.t for hit in track.hits])
    rate = float(np.median(gaps))
    for kept in range(len(track.hits) - STRAY, len(track.hits)):
        if gaps[kept - 1] > (HIDDEN_AFTER + 1.5) * rate:
            cut = len(track.hits) - kept + HIDDEN_AFTER
            return msgspec.structs.replace(
                track, hits=track.hits[:kept], chances=track.chances - cut
            )
    return track


def worth_judging(
    track: Track, cfg: Settings, height: int, wall: Wall | None, *, ended: bool
) -> bool:
    """The cheap questions, asked before anything is fitted."""
    hits = track.hits
    least = cfg.least_score * (RAIN_STRICT if rainy(track) else 1.0)
    if len(hits) < cfg.least_hits or track.best < least:
        return False
    if hits[-1].t - hits[0].t < cfg.least_s * 1e6:
        return False
    drop = hits[-1].y - hits[0].y
    most_aside = cfg.most_aside if wall is None else THROWN_ASIDE
    if drop <= 0 or abs(hits[-1].x - hits[0].x) > most_aside * drop:
        return False
    if wall is None and drop < cfg.least_drop * height:
        return False
    if wall is not None and is_short(hits, cfg, wall):
        glimpsed = ended and track.best >= GLIMPSED_SCORE * least and from_above(hits, cfg, wall)
        if not glimpsed:
            return False
    return len(hits) >= cfg.least_support * _chances(track)


def _chances(track: Track) -> int:
    """Pictures between first and last hit that could have shown it."""
    return max(1, track.chances - track.misses)


CUTS = 8
"""Ways tried to cut off what followed a fall: to an eighth of it."""

STRAY = 2
"""Last hits without which a fall must still show: a track may end on what is not its thing (the
next car behind it), and one leap looks like acceleration."""

FEWEST = 6
"""Hits that can be judged: of shorter tracks only one is taken away."""

GOES_ON_MISFIT, GOES_ON_ODDS = 0.75, 6.0
"""Of the flight with its last hits after a gap: falls 0.5 to 0.7 and 9 and more."""

LIVE = 2.0
"""While a track goes on, the evidence must be this many times what it must be at its end: a car
may begin like a fall, and waiting costs some tenths of a second."""


def judge(
    track: Track, cfg: Settings, size: tuple[int, int], wall: Wall | None, *, ended: bool
) -> Verdict | None:
    """Whether the track is a fall; None when the cheap questions already say no.

    `size` is the picture's (height, width), px.
    """
    if len(track.hits) < cfg.least_hits:
        return None
    sure = without_strays(track)
    verdict = _judged(sure, cfg, size, wall, ended=ended)
    if sure is track or wall is None or _falls(verdict):
        return verdict
    whole = _judged(track, cfg, size, wall, ended=ended)
    return whole if whole is not None and _goes_on(track, sure, whole, cfg, size, wall) else verdict


def _goes_on(
    track: Track, sure: Track, whole: Verdict, cfg: Settings, size: tuple[int, int], wall: Wall
) -> bool:
    """Whether the few last hits after a gap are the same fall: what came before already speeds up
    like one, and a flight through space fits all of it clearly better than steady motion."""
    if whole.against or whole.plateau or not _falls(weigh(sure.hits, cfg, size[0], wall)):
        return False
    release = fit_release(track.hits, wall.facade, size[0])
    if release is None or release.misfit > GOES_ON_MISFIT:
        return False
    return release.log_evidence - release.steady_log_evidence >= GOES_ON_ODDS


def _judged(
    track: Track, cfg: Settings, size: tuple[int, int], wall: Wall | None, *, ended: bool
) -> Verdict | None:
    height = size[0]
    if not worth_judging(track, cfg, height, wall, ended=ended):
        return None
    strict = (1.0 if ended else LIVE) * (RAIN_STRICT if rainy(track) else 1.0)
    glimpsed = wall is not None and is_short(track.hits, cfg, wall)
    strict *= GLIMPSED_STRICT if glimpsed else 1.0
    steady = ended and CLEAR * track.rain <= len(track.hits) and not glimpsed
    verdict = weigh(track.hits, cfg, height, wall, strict=strict, steady=steady)
    if verdict is None or verdict.against:
        return verdict
    if glimpsed and wall is not None and not _shows(track.hits, verdict, cfg, wall, height):
        return msgspec.structs.replace(verdict, against="too few floors of it were seen")
    stray = min(STRAY, max(1, len(track.hits) - FEWEST))
    without = weigh(track.hits[:-stray], cfg, height, wall, steady=steady)
    if steady and wall is not None and _sinks_alike(track.hits, verdict, without, wall, height):
        # that it moves steadily is no reproach to what sinks
        against = "" if verdict.plateau else _whence(track.hits, verdict, size, wall)
        plateau = verdict.plateau or not _falls(without)
        return msgspec.structs.replace(verdict, plateau=plateau, against=against)
    if without is None or without.against:
        return msgspec.structs.replace(verdict, against="only its last hits make it a fall")
    against = _whence(track.hits, verdict, size, wall)
    if against and wall is not None:
        # its last hits may be another's; then they count for nothing, nor does one after a gap
        rest = without_strays(msgspec.structs.replace(track, hits=track.hits[:-stray])).hits
        if len(rest) >= cfg.least_hits and not is_short(rest, cfg, wall):
            against = _whence(rest, without, size, wall)
    if against and steady and wall is not None and _sinks(track.hits, verdict, wall, height):
        # it sped up at first and sinks since: no reproach either that steady motion fits as well
        return msgspec.structs.replace(verdict, plateau=True)
    return msgspec.structs.replace(verdict, against=against)


def _shows(hits: list[Hit], verdict: Verdict, cfg: Settings, wall: Wall, height: int) -> bool:
    """Whether the little that was seen of it is a fall beyond doubt."""
    evidence = evidence_of(verdict.fit, verdict.metric)
    return plunges(hits, verdict.metric, verdict.fit, wall, height) or let_go_in_sight(
        hits, verdict.metric, evidence, cfg, wall, height
    )


def _sinks(hits: list[Hit], verdict: Verdict, wall: Wall, height: int) -> bool:
    return verdict.metric is not None and sinks(hits, verdict.fit, verdict.metric, wall, height)


def _whence(hits: list[Hit], verdict: Verdict, size: tuple[int, int], wall: Wall | None) -> str:
    """Why it cannot have been let go where it seems to come from."""
    if wall is None:
        return in_picture(hits, verdict.fit, size)
    metric = verdict.metric
    sure = 0.0 if metric is None else min(verdict.fit.evidence, metric.evidence)
    return in_space(hits, wall, size[0], sure)


def _falls(verdict: Verdict | None) -> bool:
    return verdict is not None and not verdict.against


def _sinks_alike(
    hits: list[Hit], verdict: Verdict, without: Verdict | None, wall: Wall, height: int
) -> bool:
    """Whether it sinks, and as fast without its last hits."""
    if without is None or without.metric is None or verdict.metric is None:
        return False
    alike = abs(without.metric.sinking / verdict.metric.sinking - 1) <= 0.2
    return alike and (
        verdict.plateau
        or (dives(verdict.metric) and sinks(hits, verdict.fit, verdict.metric, wall, height))
    )


def weigh(
    hits: list[Hit],
    cfg: Settings,
    height: int,
    wall: Wall | None,
    *,
    strict: float = 1.0,
    steady: bool = False,
) -> Verdict | None:
    """Whether these hits are a fall; None when there are too few to tell.

    With `steady` a descent at terminal speed counts, where the wall is calibrated.
    """
    fit = fit_fall(hits, height)
    if fit is None:
        return None
    metric = measure(hits, wall, height) if wall is not None else None
    if wall is not None and metric is None:
        return Verdict(fit, None, "it is not before the wall")
    against = _shape(fit, hits)
    sound, plateau = not against, False
    aside = fit.aside > cfg.most_aside * fit.drop
    if aside and (metric is None or metric.acceleration - metric.acceleration_sd < THROWN):
        against = against or "it goes across more than down"
    if not against:
        against = _speeds_up(fit, metric, cfg, strict * ASIDE_STRICT if aside else strict)
        if (
            not against
            and wall is not None
            and metric is not None
            and _doubtful(fit, metric, cfg, strict)
        ):
            against = _flies(hits, wall, height)
    # wind carries what is light: how far across it may go is known in metres
    if against and sound and steady and wall is not None and metric is not None:
        plateau = sinks(hits, fit, metric, wall, height)
        against = "" if plateau else against
    return Verdict(fit, metric, against, plateau)


def cut_to_fall(
    hits: list[Hit], certain: int, cfg: Settings, height: int, wall: Wall | None
) -> list[Hit]:
    """The longest beginning of `hits` that is a fall, at least the first `certain`.

    What a thing does after its fall (bounce, roll) and a mistaken continuation are no part of it.
    """
    for step in range(CUTS):
        count = len(hits) - round((len(hits) - certain) * step / CUTS)
        verdict = weigh(hits[:count], cfg, height, wall, steady=True)
        if verdict is not None and not verdict.against:
            return hits[:count]
    return hits[:certain]


def evidence_of(fit: Fit, metric: Metric | None) -> float:
    """The evidence for a fall; on a calibrated wall perspective is known, not guessed.

    Where the acceleration on the wall is not known to 1 g, neither of the two may speak alone: a
    leaf before the lens that crosses three floors in a fifth of a second bends as it likes.
    """
    if metric is None:
        return fit.evidence
    unsure = metric.acceleration_sd > GRAVITY
    return (min if unsure else max)(fit.evidence, metric.evidence)


def _shape(fit: Fit, hits: list[Hit]) -> str:
    """What neither a fall nor a steady descent may do."""
    size = sorted(max(hit.w, hit.h) for hit in hits)[len(hits) // 2]
    if fit.back > 0.02:
        return "it goes up again"
    if hits[-1].y - hits[0].y < 3 * size:
        return "it hardly leaves its own outline"
    if fit.wobble > 0.02 + 0.02 * fit.drop:
        return "it swerves"
    return ""


def _speeds_up(fit: Fit, metric: Metric | None, cfg: Settings, strict: float) -> str:
    if evidence_of(fit, metric) < cfg.least_evidence * strict:
        return "steady motion explains it"
    if metric is None:
        # scales of the picture, for want of metres
        if fit.misfit > cfg.most_misfit:
            return "a fall does not fit it"
        if not ACCELERATION[0] <= fit.acceleration <= ACCELERATION[1]:
            return "it does not speed up like a fall"
        if not DEPTH[0] <= fit.depth_ratio <= DEPTH[1]:
            return "it passes the camera"
    if fit.start > fit.span / 3:
        return "it goes up again"
    if metric is not None:
        low = metric.acceleration + 3 * metric.acceleration_sd < METRIC_ACCELERATION[0]
        if low or metric.acceleration <= 0:
            return "its acceleration on the wall is not gravity"
    return ""


def _doubtful(fit: Fit, metric: Metric, cfg: Settings, strict: float) -> bool:
    """Whether only a flight through space can settle it: in rain, where it seems too fast, and
    where a fall without air does not fit."""
    too_fast = metric.acceleration - 3 * metric.acceleration_sd > METRIC_ACCELERATION[1]
    return too_fast or strict >= RAIN_STRICT or fit.misfit > cfg.most_misfit


def _flies(hits: list[Hit], wall: Wall, height: int) -> str:
    release = fit_release(hits, wall.facade, height)
    if release is None or release.misfit > FLIGHT_MISFIT:
        return "its acceleration on the wall is not gravity"
    return ""
