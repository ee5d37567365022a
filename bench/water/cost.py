"""What a reading costs: all water detectors together, process time, on whole simulated runs."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from bench.water.watch import water_watches
from contracts.columns import columns
from contracts.event import Event
from contracts.nouns import Reading
from detectors._common.many import fold_many
from ingest.screen import Screen
from simulators.water.take import Take

READINGS = 60_000
"""At most so many of each run."""
ROUNDS = 3
THIN = 6
"""Columns with fewer readings on average cost more than they save (at 3 by two fifths)."""
AT_ONCE = (100, 1000)
"""Readings in a batch, in the order in which the town sent them."""

Fold = Callable[[Reading], Iterable[Event]]
Built = tuple[str, Any, set[tuple[str, str]]]
"""Kind, detector, and the (device, metric) it folds."""


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
    at_once: dict[int, tuple[float, float, float]]
    """Readings in a batch → (mean, of the cheapest run, of the dearest run)."""
    batched: tuple[str, ...]
    """Kinds that offer `on_batch`; the others fold a batch one by one."""


def measure(takes: Sequence[Take]) -> Cost | None:
    """The cheapest of three rounds of each run: what else the machine does only adds."""
    told: list[tuple[float, float, int, int]] = []
    at_once: dict[int, list[float]] = {size: [] for size in AT_ONCE}
    batched: set[str] = set()
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
        for size in AT_ONCE:
            best = min(_spent_at_once(readings, build(take), size) for _ in range(ROUNDS))
            at_once[size].append(best)
        batched |= {kind for kind, one, _ in build(take) if hasattr(one, "on_batch")}
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
        at_once={
            size: (
                1e6 * sum(some) / count,
                min(1e6 * x / n for x, (_, _, n, _) in zip(some, told, strict=True)),
                max(1e6 * x / n for x, (_, _, n, _) in zip(some, told, strict=True)),
            )
            for size, some in at_once.items()
        },
        batched=tuple(sorted(batched)),
    )


def folds(take: Take) -> dict[tuple[str, str], list[Fold]]:
    """Who gets a reading, by device and metric: detectors as new."""
    out: dict[tuple[str, str], list[Fold]] = defaultdict(list)
    for _, detector, keys in build(take):
        for key in keys:
            out[key].append(detector.on_item)
    return dict(out)


def build(take: Take) -> list[Built]:
    """Detectors as new."""
    metrics = {r.metric for r in take.readings}
    return [
        (
            one.spec.kind,
            one.spec.build(one.cfg, one.site, None),
            {(d.id, metric) for d in one.site.devices for metric in one.spec.metrics or metrics},
        )
        for one in water_watches(take.city)
    ]


def _spent(readings: Sequence[Reading], who: dict[tuple[str, str], list[Fold]]) -> float:
    begin = time.process_time()
    for reading in readings:
        for fold in who.get((reading.device, reading.metric), ()):
            for _ in fold(reading):
                pass
    return time.process_time() - begin


def _spent_at_once(readings: Sequence[Reading], built: Sequence[Built], size: int) -> float:
    """Making the columns of each batch is part of it; finding out whose they are is not, just as
    with single readings. Who offers no `on_batch` gets its readings one after the other, and so
    does everybody where a batch has hardly more readings than columns (`THIN`)."""
    spent = 0.0
    who: dict[tuple[str, str], list[Fold]] = defaultdict(list)
    for _, one, keys in built:
        for key in keys:
            who[key].append(one.on_item)
    many = [(one, keys) for _, one, keys in built if hasattr(one, "on_batch")]
    single = [(one.on_item, keys) for _, one, keys in built if not hasattr(one, "on_batch")]
    for begin in range(0, len(readings), size):
        batch = readings[begin : begin + size]
        clock = time.process_time()
        thin = len(batch) < THIN * len({(r.device, r.metric) for r in batch})
        made = {} if thin else columns(batch)
        spent += time.process_time() - clock
        if thin:
            spent += _spent(batch, who)
            continue
        asked = [(one, [c for key, c in made.items() if key in keys]) for one, keys in many]
        others = [(on, [r for r in batch if (r.device, r.metric) in keys]) for on, keys in single]
        clock = time.process_time()
        for one, some in asked:
            if some:
                fold_many(one, some)
        for on_item, own in others:
            for reading in own:
                for _ in on_item(reading):
                    pass
        spent += time.process_time() - clock
    return spent


def _nothing(_reading: Reading) -> Iterable[Event]:
    return ()
