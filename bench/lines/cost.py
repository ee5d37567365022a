"""What a reading costs, and how long it takes from the item that tells to the incident: process
time of all line detectors together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from bench._common.figure import Figure, figure
from bench._common.stats import quantile
from bench.lines.watch import TAIL_S, drives
from contracts.nouns import Reading
from ingest.screen import Screen
from simulators.lines.take import Take

ROUNDS = 2


class Cost(msgspec.Struct, frozen=True):
    """Of some takes."""

    readings: int
    mean_us: float
    """Per item: reorder stage, detectors and their timers; the screen is not in it."""
    low_us: float
    high_us: float
    """Of the cheapest and of the dearest take."""
    answers_ms: tuple[float, ...]
    """Each call that gave an event: from the item or timer to the event."""


def measure(takes: Sequence[Take]) -> Cost | None:
    """The cheapest of the rounds of each take: what else the machine does only adds."""
    each: list[tuple[float, int]] = []
    answers: list[float] = []
    for take in takes:
        rounds = [_once(take) for _ in range(ROUNDS)]
        spent = min(total for total, _ in rounds)
        each.append((spent, len(take.items)))
        answers += [min(one) for one in zip(*(calls for _, calls in rounds), strict=True)]
    if not each:
        return None
    rates = [1e6 * spent / n for spent, n in each]
    count = sum(n for _, n in each)
    return Cost(
        readings=count,
        mean_us=1e6 * sum(spent for spent, _ in each) / count,
        low_us=min(rates),
        high_us=max(rates),
        answers_ms=tuple(answers),
    )


def _once(take: Take) -> tuple[float, list[float]]:
    """Seconds in all, and the milliseconds of each call that gave an event."""
    made, by_key = drives(take.city)
    annotate = Screen().annotate
    items = [annotate(i) if isinstance(i, Reading) else i for i in take.items]
    total, calls = 0.0, []
    for item in items:
        key = item.metric if isinstance(item, Reading) else "Status"
        for drive in by_key.get((item.device, key), ()):
            begin = time.process_time()
            known = drive.put(item)
            spent = time.process_time() - begin
            total += spent
            if known:
                calls.append(1e3 * spent)
    end = take.items[-1].received_at + timedelta(seconds=TAIL_S)
    for drive in made:
        begin = time.process_time()
        drive.run_to(end)
        total += time.process_time() - begin
    return total, calls


def figures(busy: Cost | None, calm: Cost | None) -> list[Figure]:
    """`busy`: takes in which something breaks; `calm`: days in which nothing does."""
    told = quantile(busy.answers_ms, 0.99) if busy is not None else None
    n = len(busy.answers_ms) if busy is not None else 0
    out = [figure("item → incident in the process, ms of CPU, p99", told, n, "<= 200")]
    for name, cost in (("nothing happens", calm), ("something breaks", busy)):
        value = (cost.mean_us, (cost.low_us, cost.high_us)) if cost is not None else None
        out.append(
            figure(f"CPU per reading while {name}, µs", value, cost.readings if cost else 0)
        )  # fmt: skip
    return out
