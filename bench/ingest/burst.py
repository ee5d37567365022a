"""Ten times as many messages for ten seconds: how late tickets are then, and for how long after.

Floods go on at an even pace before, during and after the burst; each is timed from its publish to
its ticket on the live stream, as in `latency`. Normal is what the slowest one before the burst
took; the service is back to normal with the first of `CALM` floods in a row that took no longer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from bench.ingest import load
from bench.ingest.latency import PATIENCE_S, Screen
from bench.ingest.pour import Pourer
from bench.ingest.stage import Stage, serving
from contracts.clock import epoch_ms, monotonic

TIMES: Final = 10
BEAT_S: Final = 0.01
GAP_S: Final = 0.1
"""Between two floods: a tenth of a second is how finely the way back is told."""
CALM: Final = 10


class Phases(msgspec.Struct, frozen=True):
    """How long what lasts, seconds."""

    warm: float = 3.0
    before: float = 8.0
    burst: float = 10.0
    after: float = 12.0

    @property
    def end(self) -> float:
        """Of all, from the start."""
        return self.warm + self.before + self.burst + self.after

    def rate(self, t: float, base: float) -> float:
        """Messages a second at `t` seconds from the start."""
        begin = self.warm + self.before
        return base * TIMES if begin <= t < begin + self.burst else base

    def due(self, t: float, base: float) -> int:
        """Messages published by `t`."""
        begin = self.warm + self.before
        more = min(max(t - begin, 0.0), self.burst) * (TIMES - 1)
        return int((t + more) * base)


class Burst(msgspec.Struct):
    """One run. Latencies in seconds, None for a ticket that did not come."""

    base: float
    before: list[float]
    during: list[float]
    after: list[float]
    back_s: float | None
    """From the burst's end until it is back to normal; None where it was not within the run."""
    reached: float
    """Messages a second that the publisher got out during the burst."""
    missing: int


def back_to_normal(normal: float, after: Sequence[tuple[float, float | None]]) -> float | None:
    """When, of (seconds since the burst's end, latency): the first of `CALM` in a row that are
    normal; None where there are none."""
    calm = 0
    for i, (_, took) in enumerate(after):
        calm = calm + 1 if took is not None and took <= normal else 0
        if calm == CALM:
            return after[i - CALM + 1][0]
    return None


def measure(stage: Stage, base: float, phases: Phases, told: Callable[[int], None]) -> Burst:
    """One run on a fresh database: no street is flooded yet."""
    stage.fresh_database()
    with serving(stage) as service:
        screen = Screen(service.port)
        screen.start()
        with Pourer(stage.host, stage.port, "bench-burst") as pourer:
            floods, reached = _publish(stage, pourer, base, phases, told)
            _wait(stage, screen, floods)
            pourer.settle()
    took = [
        (t, None if spot not in screen.seen else screen.seen[spot] - at) for spot, t, at in floods
    ]
    return _sorted(base, phases, took, reached)


Flood = tuple[tuple[float, float], float, float]
"""Where, when in the run, and by the clock."""


def _publish(
    stage: Stage, pourer: Pourer, base: float, phases: Phases, told: Callable[[int], None]
) -> tuple[list[Flood], float]:
    floods: list[Flood] = []
    began = monotonic()
    sent = beat = 0
    at_burst: dict[bool, tuple[float, int]] = {}
    while (t := monotonic() - began) < phases.end:
        bursting = phases.rate(t, base) > base
        now_ms = epoch_ms(stage.clock.now())
        due = phases.due(t, base) - sent
        pourer.send(load.live(sent + i, now_ms) for i in range(due))
        sent += due
        if bursting:
            at_burst.setdefault(False, (t, sent))
            at_burst[True] = (monotonic() - began, sent)
        number = len(floods)
        if t >= phases.warm + number * GAP_S and number < load.DEVICES // 2:
            told(number)
            payload = load.single(number, load.WATCHED, load.FLOOD_M, now_ms + 1, beat)
            floods.append((load.place(number), t, monotonic()))
            pourer.send([(load.topic(number), payload)])
        beat += 1
        pause = began + beat * BEAT_S - monotonic()
        if pause > 0:
            stage.clock.sleep(pause)
        else:
            beat = int((monotonic() - began) / BEAT_S)  # late: no beats are made up for
    (t0, n0), (t1, n1) = at_burst[False], at_burst[True]
    return floods, (n1 - n0) / (t1 - t0)


def _wait(stage: Stage, screen: Screen, floods: Sequence[Flood]) -> None:
    until = monotonic() + PATIENCE_S
    spots = {spot for spot, _, _ in floods}
    while not spots <= screen.seen.keys() and monotonic() < until:
        stage.clock.sleep(0.05)


def _sorted(
    base: float, phases: Phases, took: Sequence[tuple[float, float | None]], reached: float
) -> Burst:
    begin = phases.warm + phases.before
    end = begin + phases.burst
    before = [s for t, s in took if t < begin and s is not None]
    after = [(t - end, s) for t, s in took if t >= end]
    return Burst(
        base=base,
        before=before,
        during=[s for t, s in took if begin <= t < end and s is not None],
        after=[s for _, s in after if s is not None],
        back_s=back_to_normal(max(before, default=0.0), after),
        reached=reached,
        missing=sum(s is None for _, s in took),
    )
