"""What a picture of 1080p costs, next to what decoding it alone costs, in the scorecard's run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from bench.falls.cost import order, parts_of
from simulators.falls.film import film

SECONDS = 8.0
CLEAR, WET = ("calm", "falls"), ("shake", "rain", "snow")


class Cost(msgspec.Struct, frozen=True):
    """ms of CPU per picture: the mean of the films, the cheapest and the dearest."""

    whole_ms: float
    low_ms: float
    high_ms: float
    decode_ms: float
    front_ms: float
    pictures: int


class Costs(msgspec.Struct, frozen=True):
    """Null where it was not measured."""

    clear: Cost | None = None
    wet: Cost | None = None


def measure(
    seed_of: Callable[[str, int], int], scenes: Sequence[str], *, films: int = 1, runs: int = 3
) -> Cost:
    """Decode and detect films of 1080p25, `films` of each scene."""
    parts = []
    for number in range(films):
        for place, scene in enumerate(scenes):
            seed = seed_of("cpu " + scene, number * len(scenes) + place)
            parts.append(parts_of(film(order(scene, (1920, 1080), seed, SECONDS), None), runs))
    whole = [one.whole_ms for one in parts]
    return Cost(
        whole_ms=sum(whole) / len(whole),
        low_ms=min(whole),
        high_ms=max(whole),
        decode_ms=sum(one.decode_ms for one in parts) / len(parts),
        front_ms=sum(one.front_ms for one in parts) / len(parts),
        pictures=sum(one.pictures for one in parts),
    )
