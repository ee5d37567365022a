"""What a reading costs: all water detectors together, process time, on whole simulated runs."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from bench.water.watch import water_watches
from contracts.event import Event
from contracts.nouns import Reading
from ingest.screen import Screen
from simulators.water.take import Take

READINGS = 60_000
"""At most so many of each run."""
ROUNDS = 3

Fold = Callable[[Reading], Iterable[Event]]


class Cost(msgspec.Struct, frozen=True):
    """µs of CPU per reading: over all runs, of the cheapest and of the dearest run."""

    mean: float
    low: float
    high: float
    floor: float
    """The same calls into a function that does nothing."""
    readings: int
    folds: float
    """Detectors that a reading goes to, on average."""


def measure(takes: Sequence[Take]) -> Cost | None:
    """The cheapest of three rounds of each run: what else the machine does only adds."""
    told: list[tuple[float, float, int, int]] = []
    for take in takes:
        screen = Screen()
        readings = [screen.annotate(r) for r in take.readings[:READINGS]]
        if not readings:
            continue
        spent = min(_spent(readings, folds(take)) for _ in range(ROUNDS))
        nothing: dict[tuple[str, str], list[Fold]] = {
            key: [_nothing] * len(some) for key, some in folds(take).items()
        }
        floor = min(_spent(readings, nothing) for _ in range(ROUNDS))
        calls = sum(len(nothing.get((r.device, r.metric), ())) for r in readings)
        told.append((spent, floor, len(readings), calls))
    if not told:
        return None
    count = sum(n for _, _, n, _ in told)
    each = [1e6 * spent / n for spent, _, n, _ in told]
    return Cost(
        mean=1e6 * sum(spent for spent, _, _, _ in told) / count,
        low=min(each),
        high=max(each),
        floor=1e6 * sum(floor for _, floor, _, _ in told) / count,
        readings=count,
        folds=sum(calls for _, _, _, calls in told) / count,
    )


def folds(take: Take) -> dict[tuple[str, str], list[Fold]]:
    """Who gets a reading, by device and metric: detectors as new."""
    out: dict[tuple[str, str], list[Fold]] = defaultdict(list)
    metrics = {r.metric for r in take.readings}
    for one in water_watches(take.city):
        detector: Any = one.spec.build(one.cfg, one.site, None)
        for device in one.site.devices:
            for metric in one.spec.metrics or metrics:
                out[device.id, metric].append(detector.on_item)
    return dict(out)


def _spent(readings: Sequence[Reading], who: dict[tuple[str, str], list[Fold]]) -> float:
    begin = time.process_time()
    for reading in readings:
        for fold in who.get((reading.device, reading.metric), ()):
            for _ in fold(reading):
                pass
    return time.process_time() - begin


def _nothing(_reading: Reading) -> Iterable[Event]:
    return ()
