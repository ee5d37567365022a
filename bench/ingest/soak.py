"""Hours in little: the service at a share of what it can do, its memory looked at each second.

The rate is a share of what goes through while it is being published: a backlog drains faster, but
with two cores the publisher takes its share of the one that broker and database have. Readings are
stored, detected and committed as always; the table of readings is emptied once a minute, or half an
hour would fill the disk with some fifteen gigabytes (what the database holds is nothing that the
service keeps in memory).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec
import psycopg
from scipy.stats import t as student

from bench.ingest import load, machine
from bench.ingest.drain import Counter
from bench.ingest.pour import Pourer
from bench.ingest.stage import WRITER, Service, Stage, serving
from contracts.clock import epoch_ms, monotonic

BEAT_S: Final = 0.01
EMPTIED_EVERY_S: Final = 60.0
PIECES: Final = 25
"""What is judged is cut into so many pieces: seconds hang together, their means hardly do."""
SETTLING: Final = 1 / 6
"""Of the time, not judged: caches and the allocator's arenas fill."""
TRIED_S, WARMING = 30.0, 1 / 3
"""It is found out for so long how much goes through; that share of it is not counted."""
KEPT, PIECE = 20_000, 2_000
"""Published and not yet committed meanwhile, at the most; published at once."""
TURN, TURN_MS = load.DEVICES // 2, 10
"""Each sensor says something once in so many messages; its clock goes on by so much meanwhile."""
LAG_S: Final = 5.0
"""Behind by more than this it does not keep up: the load was too much to speak of 80 %."""


class Sample(msgspec.Struct):
    """One second."""

    t: float
    rss_mb: float
    broker_mb: float
    behind: int
    """Published and not yet committed."""


class Soak(msgspec.Struct):
    """One run."""

    rate: float
    """Messages a second that were asked for."""
    reached: float
    seconds: float
    service_share: float
    """Of its core."""
    samples: list[Sample]


class Slope(msgspec.Struct):
    """How memory grows: MB an hour with its 95 % interval; and from start to end, in percent."""

    mb_per_h: float
    low: float
    high: float
    percent: float
    n: int


def slope(samples: Sequence[Sample], pieces: int = PIECES) -> Slope | None:
    """Least squares over the means of equal pieces after the settling; None with too few seconds.

    The interval is Student's with `pieces` - 2 degrees of freedom. Means of a minute instead of
    seconds, because neighbouring seconds say nearly the same and would feign certainty.
    """
    if not samples:
        return None
    begin = samples[0].t + (samples[-1].t - samples[0].t) * SETTLING
    kept = [s for s in samples if s.t >= begin]
    size = len(kept) // pieces
    if size < 1:
        return None
    cut = [kept[i * size : (i + 1) * size] for i in range(pieces)]
    x = [sum(s.t for s in piece) / size / 3600 for piece in cut]
    y = [sum(s.rss_mb for s in piece) / size for piece in cut]
    mx, my = sum(x) / pieces, sum(y) / pieces
    sxx = sum((a - mx) ** 2 for a in x)
    b = sum((a - mx) * (c - my) for a, c in zip(x, y, strict=True)) / sxx
    rest = sum((c - my - b * (a - mx)) ** 2 for a, c in zip(x, y, strict=True))
    half = float(student.ppf(0.975, pieces - 2)) * math.sqrt(rest / (pieces - 2) / sxx)
    return Slope(b, b - half, b + half, (y[-1] / y[0] - 1) * 100, pieces)


def verdict(found: Slope | None, most_behind_s: float) -> str:
    """In words."""
    if found is None:
        return "too short to say"
    if most_behind_s > LAG_S:
        return f"it did not keep up (up to {most_behind_s:.1f} s behind)"
    if found.low <= 0 <= found.high:
        return "flat: the interval of the slope holds zero"
    if abs(found.percent) <= 1:
        return "flat within 1 %"
    return "it grows" if found.mb_per_h > 0 else "it shrinks"


def most_behind_s(soak: Soak) -> float:
    """By how many seconds of messages it was behind at the most, after the settling."""
    kept = [s.behind for s in soak.samples if s.t >= soak.seconds * SETTLING]
    return max(kept, default=0) / max(soak.rate, 1.0)


@contextmanager
def _up(stage: Stage) -> Iterator[tuple[Service, Pourer, psycopg.Connection[object]]]:
    """The service on a fresh database, somebody who publishes, and somebody who looks at both."""
    stage.fresh_database()
    with (
        serving(stage) as service,
        Pourer(stage.host, stage.port, "bench-soak") as pourer,
        stage.connect() as looking,
    ):
        yield service, pourer, looking


def _check(service: Service) -> None:
    if not service.alive():
        raise SystemExit(f"the service ended:\n{service.tail()}")


def capacity(stage: Stage, told: Callable[[int], None], seconds: float = TRIED_S) -> float:
    """Messages a second that go through, published as fast as they are committed."""
    with _up(stage) as (service, pourer, looking):
        counter = Counter(looking, WRITER)
        began, start_ms, sent = monotonic(), epoch_ms(stage.clock.now()), 0
        warm: tuple[float, int] | None = None
        while (t := monotonic() - began) < seconds:
            done = counter.now()
            if warm is None and t >= seconds * WARMING:
                warm = t, done
            if KEPT - (sent - done) >= PIECE:
                pourer.send(
                    load.live(n, start_ms + n // TURN * TURN_MS) for n in range(sent, sent + PIECE)
                )
                sent += PIECE
            else:
                stage.clock.sleep(BEAT_S)
            _check(service)
            told(int(t))
        assert warm is not None
        return (counter.now() - warm[1]) / (monotonic() - began - warm[0])


def measure(stage: Stage, rate: float, seconds: float, told: Callable[[int], None]) -> Soak:
    """Run it for so long at so many messages a second, on a fresh database."""
    with _up(stage) as (service, pourer, looking):
        return _run(stage, service, pourer, looking, rate, seconds, told)


def _run(
    stage: Stage,
    service: Service,
    pourer: Pourer,
    looking: psycopg.Connection[object],
    rate: float,
    seconds: float,
    told: Callable[[int], None],
) -> Soak:
    counter = Counter(looking, WRITER)
    used = machine.cpu_s(service.pid)
    began = monotonic()
    start_ms = epoch_ms(stage.clock.now())
    samples: list[Sample] = []
    sent, late, emptied = 0, 0.0, EMPTIED_EVERY_S
    while (t := monotonic() - began) < seconds:
        due = int((t - late) * rate) - sent
        if due > rate / 4:  # the publisher could not: what it missed is not made up for
            late += due / rate - 0.25
            due = int(rate / 4)
        first = start_ms + late * 1000  # sensors are punctual, however the publisher is
        pourer.send(load.live(n, int(first + n * 1000 / rate)) for n in range(sent, sent + due))
        sent += due
        if t >= len(samples):
            _check(service)
            behind = sent - counter.now()
            broker = machine.rss_mb(stage.broker.pid or 0)
            samples.append(Sample(t, machine.rss_mb(service.pid), broker, behind))
            told(int(t))
        if t >= emptied:
            looking.execute("TRUNCATE readings")
            emptied += EMPTIED_EVERY_S
        stage.clock.sleep(max(BEAT_S - (monotonic() - began - t), 0.001))
    took = monotonic() - began
    share = (machine.cpu_s(service.pid) - used) / took
    return Soak(rate, sent / took, took, share, samples)
