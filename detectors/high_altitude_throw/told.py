"""What is told about a fall: the evidence of its event, and the reasons, for people."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.clock import EPOCH, iso
from detectors.high_altitude_throw.hypotheses import Hit, Track
from detectors.high_altitude_throw.landing import landing_of
from detectors.high_altitude_throw.origin import Origin, origin_fact
from detectors.high_altitude_throw.regime import Regime
from detectors.high_altitude_throw.settings import Settings
from detectors.high_altitude_throw.verdict import Verdict, evidence_of

NOT_CALIBRATED = "camera is not calibrated: cannot name a window"


class Told(msgspec.Struct, frozen=True):
    """What an event is made of."""

    track: Track
    verdict: Verdict | None
    origin: Origin | None
    picture: tuple[int, int]
    """(height, width)."""
    members: int
    """Tracks that belong to it."""
    regime: Regime
    calibrated: bool
    moved: str
    """Why places in the picture mean nothing now; empty where they do."""
    closed: bool = False
    """Nothing more will be seen of it."""


def moment(t: int) -> datetime:
    """µs since 1970 as a time."""
    return EPOCH + timedelta(microseconds=t)


def evidence(told: Told, cfg: Settings) -> dict[str, Any]:
    """Ready for JSON; the keys of the wire are always there."""
    hits, track, verdict, origin = told.track.hits, told.track, told.verdict, told.origin
    height, width = told.picture
    facts: dict[str, Any] = {
        "track": [[iso(moment(hit.t)), round(hit.x, 1), round(hit.y, 1)] for hit in hits],
        "boxes": [_box(hit) for hit in hits],
        "origin": origin_fact(origin) if origin is not None else None,
        "speed": round(origin.speed, 1) if origin is not None else None,
        "clip": None,
        "still": None,
        "conditions": told.regime,
        "hits": len(hits),
        "size_px": round(_median([max(hit.w, hit.h) for hit in hits]), 1),
        "score": round(track.best, 1),
        "tracks": told.members,
        "picture": [width, height],
        "why": _why(told),
    }
    if verdict is not None:
        facts |= {
            "confidence": _confidence(track, verdict, cfg),
            "evidence_of_fall": round(evidence_of(verdict.fit, verdict.metric), 1),
            "misfit": round(verdict.fit.misfit, 2),
            "steady_misfit": round(verdict.fit.steady_misfit, 2),
            "drop_share": round(verdict.fit.drop, 3),
            "acceleration_share": round(verdict.fit.acceleration, 3),
        }
        if verdict.metric is not None:
            facts |= {
                "acceleration": round(verdict.metric.acceleration, 2),
                "drop_m": round(verdict.metric.drop, 1),
            }
    landing = landing_of(hits, origin) if told.closed else None
    if landing is not None:
        facts |= {"landing_at": iso(landing.at), "landing_sd_s": round(landing.sd_s, 3)}
    if origin is not None:
        facts |= {
            "release_m": [round(origin.place[0], 2), round(origin.place[1], 2)],
            "release_sd_m": [round(origin.sd[0], 2), round(origin.sd[1], 2)],
            "terminal_speed": round(origin.terminal, 1),
            "outward_speed": round(origin.outward, 1),
        }
    return facts


def _box(hit: Hit) -> list[Any]:
    """[time, x, y, w, h] with the upper left corner, px."""
    corner = (hit.x - hit.w / 2, hit.y - hit.h / 2)
    return [iso(moment(hit.t)), *(round(value, 1) for value in (*corner, hit.w, hit.h))]


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _confidence(track: Track, verdict: Verdict, cfg: Settings) -> float:
    """Chance that it is a fall: 0.6 where a limit is just met, as odds of the nearer limit.

    The evidence is a log likelihood ratio; of the score a tenth counts, because chance tracks are
    searched for and the best of many is found. What only sinks is never surer than 0.7.
    """
    spare = evidence_of(verdict.fit, verdict.metric) - cfg.least_evidence
    odds = 0.4 + min(spare, (track.best - cfg.least_score) / 10)
    sure = 1 / (1 + math.exp(-max(-20.0, min(20.0, odds))))
    return round(min(0.7 if verdict.plateau else 0.99, max(sure, 0.5)), 2)


def _why(told: Told) -> list[str]:
    track, verdict, origin = told.track, told.verdict, told.origin
    seconds = (track.last.t - track.hits[0].t) / 1e6
    lines = [f"{len(track.hits)} pictures in {seconds:.2f} s show it on one way down"]
    if verdict is not None and verdict.plateau and verdict.metric is not None:
        lines.append(
            f"it comes straight down at {verdict.metric.sinking:.1f} m/s over "
            f"{verdict.metric.drop:.0f} m, like a light thing at its terminal speed"
        )
    elif verdict is not None:
        lines.append(
            f"a fall fits with chi² {verdict.fit.misfit:.1f}, steady motion with "
            f"{verdict.fit.steady_misfit:.1f}"
        )
        if verdict.metric is not None:
            lines.append(f"it speeds up by {verdict.metric.acceleration:.1f} m/s² on the wall")
    if told.members > 1:
        lines.append("a parallel track at the same time (mirror image or piece) was merged")
    if told.regime == "rain":
        lines.append("it rains or many things move: weak tracks are not reported")
    elif told.regime == "blind":
        lines.append("the picture shakes or flashes: much of it cannot be used")
    if not told.calibrated:
        lines.append(NOT_CALIBRATED)
    elif told.moved:
        lines.append(f"no window is named: {told.moved}")
    elif origin is None or not origin.named:
        lines.append("the fall did not clearly begin in a known zone: no window is named")
    elif not origin.dominates:
        # no number of a floor here: reasons are read by those who may not know the window
        lines.append(
            f"several windows are possible: the likeliest is named; its floor or one beside it "
            f"is right with probability {origin.near:.2f}"
        )
    return lines
