"""Several recordings as one, in order of receipt."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path

from contracts.nouns import Arrival
from gridsentry.record.format import read


def merged(paths: Sequence[Path]) -> Iterator[Arrival]:
    """The messages of all recordings by receipt time; at one moment, in the order of `paths`."""
    return heapq.merge(*(read(path) for path in paths), key=lambda arrival: arrival.received_at)
