"""Intervals by resampling whole clusters: what one sensor or one run says hangs together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import numpy as np

from bench._common.figure import Told

Cluster = TypeVar("Cluster")
ROUNDS: Final = 1000


def bootstrap(
    clusters: Sequence[Cluster],
    statistic: Callable[[Sequence[Cluster]], float | None],
    *,
    rounds: int = ROUNDS,
) -> Told | None:
    """(value, (low, high)) of a statistic over clusters, 95 % percentile interval (B. Efron, Annals
    of Statistics 7, 1979); None where the statistic has nothing to say of them.

    The draw is fixed, so that the same results print the same table. The interval is None with
    fewer than two clusters, or where most resamples say nothing.
    """
    value = statistic(clusters)
    if value is None:
        return None
    if len(clusters) < 2:
        return value, None
    rng = np.random.default_rng(20260714)
    told = []
    for _ in range(rounds):
        picks = rng.integers(len(clusters), size=len(clusters))
        one = statistic([clusters[int(k)] for k in picks])
        if one is not None:
            told.append(one)
    if len(told) < rounds // 2:
        return value, None
    low, high = np.quantile(told, (0.025, 0.975))
    return value, (float(low), float(high))
