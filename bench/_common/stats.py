"""Intervals of 95 %: Wilson for shares, Garwood for counts, Fay and Feuer for sums of rates."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.special import gammaincinv

Z = 1.959963984540054
"""Quantile of the normal distribution for 95 %, two-sided."""

Interval = tuple[float, float]


def wilson(hits: int, n: int) -> Interval | None:
    """Interval of a share (E. B. Wilson, JASA 22, 1927); None without any trial."""
    if n == 0:
        return None
    p = hits / n
    middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def garwood(count: int) -> Interval:
    """Interval of the mean of a Poisson count (F. Garwood, Biometrika 28, 1936)."""
    low = _gamma(0.025, count, 1.0) if count else 0.0
    return low, _gamma(0.975, count + 1, 1.0)


def summed(parts: Sequence[tuple[float, int]]) -> tuple[float, Interval]:
    """Σ weight × Poisson count and its interval: (value, (low, high)).

    `parts` are (weight, count). The gamma method of Fay and Feuer (Statistics in Medicine 16,
    1997) for directly standardised rates; with one part it is Garwood's interval. It is
    conservative: the largest weight stands for the next event of the worst kind.
    """
    value = sum(w * x for w, x in parts)
    spread = sum(w * w * x for w, x in parts)
    worst = max((w for w, _ in parts), default=0.0)
    low = _gamma(0.025, value * value / spread, spread / value) if spread else 0.0
    above, wide = value + worst, spread + worst * worst
    high = _gamma(0.975, above * above / wide, wide / above) if wide else 0.0
    return value, (low, high)


def quantile(values: Sequence[float], share: float) -> tuple[float, Interval] | None:
    """A quantile (nearest rank) and its interval from order statistics (normal approximation of
    the binomial ranks); None without values."""
    if not values:
        return None
    ordered, n = sorted(values), len(values)
    half = Z * math.sqrt(n * share * (1 - share))

    def at(rank: float) -> float:
        return ordered[min(n - 1, max(0, math.ceil(rank) - 1))]

    return at(share * n), (at(share * n - half), at(share * n + half + 1))


def _gamma(p: float, shape: float, scale: float) -> float:
    """Quantile `p` of a gamma distribution."""
    return float(gammaincinv(shape, p)) * scale
