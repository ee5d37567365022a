"""What a picture of 1080p costs, next to what decoding it alone costs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import msgspec

from bench.falls.watch import segments_of, watch
from ingest.video import decode
from simulators.falls.film import film
from simulators.falls.take import Distraction, Order, Take

SECONDS = 10.0
RUNS = 3
"""Of each film: the cheapest counts, as what else the machine does only adds."""


class Cost(msgspec.Struct, frozen=True):
    """ms of CPU per picture: the median film, the cheapest and the dearest."""

    whole_ms: float
    low_ms: float
    high_ms: float
    decode_ms: float
    pictures: int


def measure(seed_of: Callable[[str, int], int], films: int, runs: int = RUNS) -> Cost:
    """Decode and detect films of 1080p25: calm, with falls, with leaves."""
    whole, floor, pictures = [], [], 0
    for number in range(films):
        take = film(_order(seed_of("cpu", number), number), None)
        pictures += take.pictures
        floor.append(1000 * min(_decoding(take) for _ in range(runs)) / take.pictures)
        whole.append(1000 * min(_watching(take) for _ in range(runs)) / take.pictures)
    return Cost(
        statistics.median(whole), min(whole), max(whole), statistics.median(floor), pictures
    )


def _order(seed: int, number: int) -> Order:
    with_ = ((), (), (Distraction("leaves", 0.3), Distraction("birds", 0.3)))[number % 3]
    return Order(
        seed=seed,
        size=(1920, 1080),
        fps=25.0,
        seconds=SECONDS,
        mbit_s=3.0,
        falls=2 if number % 3 else 0,
        size_px=(6.0, 20.0),
        distractions=with_,
    )


def _decoding(take: Take) -> float:
    segments = list(segments_of(take.segments))
    begin = time.process_time()
    for segment in segments:
        for _ in decode(segment):
            pass
    return time.process_time() - begin


def _watching(take: Take) -> float:
    watched = watch(take.segments, take.camera)
    return watched.decode_s + watched.detect_s
