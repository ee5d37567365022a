"""When a track is certain to be a fall, and why not: each reason has a name."""

from __future__ import annotations

import msgspec

from detectors._common.facade import Facade
from detectors.high_altitude_throw.fall import Fit, fit_fall
from detectors.high_altitude_throw.origin import Metric, measure
from detectors.high_altitude_throw.settings import Settings
from detectors.high_altitude_throw.tracking import Track

ACCELERATION = (0.08, 8.0)
"""Picture heights per s²: 9.81 m/s² where a picture shows 120 m of facade, or 1.2 m."""

DEPTH = (0.12, 2.5)
"""Distance from the camera at the end over that at the start: what passes the lens is no fall."""

METRIC_ACCELERATION = (2.0, 14.0)
"""m/s², with three standard deviations to spare: 9.81 less drag, and the depth of the throw."""


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


def judge(track: Track, cfg: Settings, height: int, facade: Facade | None) -> Verdict | None:
    """Whether the track is a fall; None when the cheap questions already say no."""
    if not worth_judging(track, cfg, height):
        return None
    fit = fit_fall(track.hits, height)
    if fit is None:
        return None
    metric = measure(track.hits, facade, height) if facade is not None else None
    return Verdict(fit, metric, _against(fit, metric, track, cfg))


def _against(fit: Fit, metric: Metric | None, track: Track, cfg: Settings) -> str:
    size = sorted(max(hit.w, hit.h) for hit in track.hits)[len(track.hits) // 2]
    way = track.hits[-1].y - track.hits[0].y
    span = (track.hits[-1].t - track.hits[0].t) / 1e6
    if fit.evidence < cfg.least_evidence:
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
