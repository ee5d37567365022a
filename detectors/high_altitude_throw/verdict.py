"""When a track is certain to be a fall, and why not: each reason has a name."""

from __future__ import annotations

import msgspec

from detectors._common.facade import Facade
from detectors.high_altitude_throw.fall import Fit, fit_fall
from detectors.high_altitude_throw.origin import Metric, measure
from detectors.high_altitude_throw.settings import Settings
from detectors.high_altitude_throw.tracking import Hit, Track

ACCELERATION = (0.08, 8.0)
"""Picture heights per s²: 9.81 m/s² where a picture shows 120 m of facade, or 1.2 m."""

DEPTH = (0.12, 2.5)
"""Distance from the camera at the end over that at the start: what passes the lens is no fall."""

METRIC_ACCELERATION = (1.0, 14.0)
"""Mean over the track, m/s², with three standard deviations to spare: 9.81 less drag (a rubbish bag
from the 12th floor keeps 3), and the depth of the throw."""


class Verdict(msgspec.Struct, frozen=True):
    """What was found about a track."""

    fit: Fit
    metric: Metric | None
    against: str
    """The first reason why it is no fall; empty: it is one."""


def worth_judging(track: Track, cfg: Settings, height: int) -> bool:
    """The cheap questions, asked before anything is fitted."""
    hits = track.hits
    if len(hits) < cfg.least_hits or track.best < cfg.least_score:
        return False
    drop = hits[-1].y - hits[0].y
    if drop < cfg.least_drop * height:
        return False
    if abs(hits[-1].x - hits[0].x) > cfg.most_aside * drop:
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

LIVE = 2.0
"""While a track goes on, the evidence must be this many times what it must be at its end: a car
may begin like a fall, and waiting costs some tenths of a second."""


def judge(
    track: Track, cfg: Settings, height: int, facade: Facade | None, *, ended: bool
) -> Verdict | None:
    """Whether the track is a fall; None when the cheap questions already say no."""
    if not worth_judging(track, cfg, height):
        return None
    verdict = weigh(track.hits, cfg, height, facade, strict=1.0 if ended else LIVE)
    if verdict is None or verdict.against:
        return verdict
    without = weigh(track.hits[:-STRAY], cfg, height, facade)
    if without is None or without.against:
        return msgspec.structs.replace(verdict, against="only its last hits make it a fall")
    return verdict


def weigh(
    hits: list[Hit], cfg: Settings, height: int, facade: Facade | None, *, strict: float = 1.0
) -> Verdict | None:
    """Whether these hits are a fall; None when there are too few to tell."""
    fit = fit_fall(hits, height)
    if fit is None:
        return None
    metric = measure(hits, facade, height) if facade is not None else None
    return Verdict(fit, metric, _against(fit, metric, hits, cfg, strict))


def cut_to_fall(
    hits: list[Hit], certain: int, cfg: Settings, height: int, facade: Facade | None
) -> list[Hit]:
    """The longest beginning of `hits` that is a fall, at least the first `certain`.

    What a thing does after its fall (bounce, roll) and a mistaken continuation are no part of it.
    """
    for step in range(CUTS):
        count = len(hits) - round((len(hits) - certain) * step / CUTS)
        verdict = weigh(hits[:count], cfg, height, facade)
        if verdict is not None and not verdict.against:
            return hits[:count]
    return hits[:certain]


def evidence_of(fit: Fit, metric: Metric | None) -> float:
    """The evidence for a fall; on a calibrated wall perspective is known, not guessed."""
    return fit.evidence if metric is None else max(fit.evidence, metric.evidence)


def _against(fit: Fit, metric: Metric | None, hits: list[Hit], cfg: Settings, strict: float) -> str:
    size = sorted(max(hit.w, hit.h) for hit in hits)[len(hits) // 2]
    way = hits[-1].y - hits[0].y
    span = (hits[-1].t - hits[0].t) / 1e6
    if evidence_of(fit, metric) < cfg.least_evidence * strict:
        return "steady motion explains it"
    if fit.misfit > cfg.most_misfit:
        return "a fall does not fit it"
    if not ACCELERATION[0] <= fit.acceleration <= ACCELERATION[1]:
        return "it does not speed up like a fall"
    if not DEPTH[0] <= fit.depth_ratio <= DEPTH[1]:
        return "it passes the camera"
    if fit.start > span / 3 or fit.back > 0.02:
        return "it goes up again"
    if way < 3 * size:
        return "it hardly leaves its own outline"
    if fit.wobble > 0.02 + 0.02 * fit.drop:
        return "it swerves"
    if metric is not None:
        low = metric.acceleration + 3 * metric.acceleration_sd < METRIC_ACCELERATION[0]
        high = metric.acceleration - 3 * metric.acceleration_sd > METRIC_ACCELERATION[1]
        if low or high:
            return "its acceleration on the wall is not gravity"
    return ""
