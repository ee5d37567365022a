"""Why a fall was missed: how far down the detector's stages it came. For development only.

This looks inside the detector, at the few names below; where they are gone it says so.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from bench.falls.match import middle
from bench.falls.watch import TAIL_S, frames_of, seconds, site_of
from contracts.clock import EPOCH
from detectors import high_altitude_throw as throw
from detectors._common.sample import START
from simulators.falls.take import Take, TrueFall

_BEGIN = (START - EPOCH).total_seconds()
inside: Any = importlib.import_module("detectors.high_altitude_throw.detector")


def why_missed(take: Take, number: int) -> str:
    """Watches the film again, with the judging overheard."""
    fall = take.falls[number]
    seen = [s for s in fall.track if s.visible >= 0.25]
    if len(seen) < 3:
        return f"only {len(seen)} pictures show it"
    if not hasattr(inside, "judge"):
        return "no reason: the detector's judging is not where this looks for it"
    told = _overhear(take, fall)
    return told or "no track followed it: its spots were not found or not joined"


def _overhear(take: Take, fall: TrueFall) -> str:
    """Follows all tracks that run with the fall."""
    before: Any = inside.judge
    height = take.order.size[1]
    best_hits, best_near = 0, 0.0
    verdicts: dict[str, int] = {}

    def judge(track: Any, *args: Any, **more: Any) -> Any:
        nonlocal best_hits, best_near
        verdict = before(track, *args, **more)
        near = _with(track, fall, height)
        if near >= 3:
            if near > best_hits:
                best_hits, best_near = near, near / len(track.hits)
            reason = "the cheap questions say no" if verdict is None else verdict.against
            verdicts[reason or "a fall"] = max(verdicts.get(reason or "a fall", 0), near)
        return verdict

    most = 0
    detector = throw.SPEC.build(throw.SPEC.config(), site_of(take.camera)[1], None)
    inside.judge = judge
    try:
        for frame in frames_of(take.segments):
            t = seconds(frame.at)
            detector.on_item(frame)
            if fall.released_s <= t <= fall.landed_s + 1:
                tracker: Any = getattr(detector, "tracker", None)
                for track in getattr(tracker, "tracks", ()):
                    most = max(most, _with(track, fall, height))
            if t > fall.landed_s + TAIL_S:
                break
        wake = detector.wake_at()
        if wake is not None:
            detector.on_time(wake)
    finally:
        inside.judge = before
    if not verdicts and not most:
        return ""
    if not verdicts:
        return f"the longest track with it had {most} of its places; none was judged"
    reasons = "; ".join(f"{why} ({hits} places)" for why, hits in verdicts.items())
    return f"judged with up to {best_hits} of its places ({best_near:.0%} of that track): {reasons}"


def _with(track: Any, fall: TrueFall, height: float) -> int:
    """How many of a track's hits are on the fall."""
    clock = np.array([s.t for s in fall.track])
    count = 0
    for hit in getattr(track, "hits", ()):
        t = hit.t / 1e6 - _BEGIN
        k = int(np.abs(clock - t).argmin())
        if abs(clock[k] - t) > 0.08:
            continue
        x, y = middle(fall.track[k])
        reach = 0.012 * height + max(fall.track[k].w, fall.track[k].h) / 2
        count += bool(np.hypot(hit.x - x, hit.y - y) <= reach)
    return count
