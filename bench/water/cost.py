"""What a reading costs: all water detectors together, process time, on whole simulated runs."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from bench.water.watch import water_watches
from contracts.detector import Many
from contracts.event import Event
from contracts.nouns import Reading
from contracts.rows import MOST, Book
from detectors import specs
from detectors._common.many import fold_many
from ingest.screen import Screen
from simulators.water.take import Take

READINGS = 60_000
"""At most so many of each run."""
ROUNDS = 3
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
    """Kinds that fold many at once; the others fold a batch one by one."""


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
        batched |= {kind for kind, _, _ in build(take) if specs()[kind].many is not None}
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
    """Making the rows of each batch is part of it; finding out whose they are is not, just as with
    single readings. Kinds that do not fold many at once get their readings one after the other."""
    many, single = gathered(built)
    book, spent = Book(), 0.0
    for begin in range(0, len(readings), size):
        batch = readings[begin : begin + size]
        clock = time.process_time()
        for first in range(0, len(batch), MOST):
            part = batch[first : first + MOST]
            rows = book.rows(part)
            for one in many:
                _, upto = one.on_batch(rows)
                if upto < len(part):
                    fold_many(one, book, part[upto:])
        spent += time.process_time() - clock
        spent += _spent(batch, single)
    return spent


def gathered(built: Sequence[Built]) -> tuple[list[Many], dict[tuple[str, str], list[Fold]]]:
    """The detectors of each kind that folds many readings at once, together; who gets a reading of
    the others."""
    single: dict[tuple[str, str], list[Fold]] = defaultdict(list)
    kinds: dict[str, list[Any]] = defaultdict(list)
    for kind, detector, keys in built:
        if specs()[kind].many is not None:
            kinds[kind].append(detector)
        else:
            for key in keys:
                single[key].append(detector.on_item)
    many = [one for kind, some in kinds.items() if (one := specs()[kind].many)]
    return [one(some) for one, some in zip(many, kinds.values(), strict=True)], single


def _nothing(_reading: Reading) -> Iterable[Event]:
    return ()
