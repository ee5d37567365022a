"""Fits what `detectors/flooding/shape.py` and `forecast.py` know of streets: coefficients to print.

Only sensors of the development half are read (`bench/water/halves.py`). Each flood counts at
several lines, as reported and thinned to rarer reports: a city's lines and intervals are not New
York's.

    python -m bench.water.fitted ../shared/data
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bench.water.floodnet import Flood, load
from bench.water.halves import half
from detectors.flooding.channel import CURVE, MIN_STEP_S
from detectors.flooding.config import FloodingConfig
from detectors.flooding.forecast import paces, ways
from detectors.flooding.shape import features, likely

LINES: Final = (0.12, 0.15, 0.18, 0.22, 0.27, 0.32)
EVERY_S: Final = (0.0, 300.0, 900.0)
"""As reported, and at least so many seconds apart."""
WEIGHT: Final = (1.0, 0.3, 0.15)
DRY_S: Final = 7200.0
"""Dry readings before each flood: as long as a detector remembers, and more."""
AHEAD_S: Final = 3600.0
PENALTY: Final = 3.0
"""Of squared coefficients per standard deviation, against the logarithm of the likelihood."""
NOT_NEGATIVE: Final = slice(0, 4)
"""Share of the way, and paces over 2, 5 and 10 minutes."""
LEVELS: Final = (0.1, 0.5, 0.9)
FOLDS: Final = 5

Floats = NDArray[np.float64]
Points = list[tuple[float, float]]


class Moment(msgspec.Struct, frozen=True):
    """What a detector knew at one reading, and what came of it."""

    flood: int
    sensor: str
    row: tuple[float, ...]
    left_s: float | None
    """Until the line was reached; None: never."""
    chance: float
    """As the detector stands now."""
    ways: tuple[float, float]
    """ln(seconds) to the line at the pace of two minutes, and of ten."""
    weight: float


def moments(floods: Sequence[Flood]) -> Iterator[Moment]:
    """Every rising reading below each line."""
    for flood in floods:
        for every, weight in zip(EVERY_S, WEIGHT, strict=True):
            t, v = _thinned(flood, every)
            for line in LINES:
                found = list(_moments(flood, t, v, line))
                for one in found:
                    yield msgspec.structs.replace(one, weight=weight / len(found) ** 0.5)


def _thinned(flood: Flood, every: float) -> tuple[Floats, Floats]:
    """Times and depths, dry before; where the clock of rare reports stands depends on the flood's
    number."""
    step = max(every, 60.0)
    first = flood.t[0] - (flood.number * 37 % 100) / 100 * every
    dry = first - step * np.arange(round(DRY_S / step), 0, -1)
    t, v = np.concatenate((dry, flood.t)), np.concatenate((0 * dry, flood.depth))
    if every:
        due = np.arange(dry[0], t[-1] + every, every)
        keep = np.unique(np.minimum(np.searchsorted(t, due), len(t) - 1))
        t, v = t[keep], v[keep]
    return t, v


def _moments(flood: Flood, t: Floats, v: Floats, line: float) -> Iterator[Moment]:
    cfg = FloodingConfig()
    hits = np.flatnonzero(v >= line)
    reached = float(t[hits[0]]) if len(hits) else None
    points: Points = []
    for at, height in zip(t.tolist(), v.tolist(), strict=True):
        if reached is not None and at >= reached:
            return
        if len(points) >= 2 and at - points[-2][0] < MIN_STEP_S:
            points[-1] = (at, height)
        else:
            points.append((at, height))
            del points[:-CURVE]
        if height < cfg.onset_share * line:
            continue
        pace = paces(points)
        if max(pace) <= 0 or pace[1] <= 0 or line - height > max(pace) * AHEAD_S:
            continue
        yield Moment(
            flood.number,
            flood.sensor,
            tuple(features(points, 0.0, line)),
            None if reached is None else reached - at,
            likely(points, 0.0, line),
            ways(line - height, pace),
            1.0,
        )


def odds(found: Sequence[Moment]) -> Floats:
    """Logistic regression with bounded signs; coefficients of `shape.features`."""
    rows = np.array([one.row for one in found])
    came = np.array([one.left_s is not None for one in found], dtype=float)
    weight = np.array([one.weight for one in found])
    scale = np.r_[rows[:, :-1].std(axis=0) + 1e-9, 1.0]
    x = rows / scale

    def loss(b: Floats) -> tuple[float, Floats]:
        z = x @ b
        value = float(weight @ (np.logaddexp(0, z) - came * z) + PENALTY / 2 * b[:-1] @ b[:-1])
        wrong = weight * (1 / (1 + np.exp(-z)) - came)
        return value, x.T @ wrong + PENALTY * np.r_[b[:-1], 0.0]

    names = range(x.shape[1])
    bounds = [(0.0 if k in names[NOT_NEGATIVE] else None, None) for k in names]
    best = minimize(loss, np.zeros(x.shape[1]), jac=True, bounds=bounds, method="L-BFGS-B")
    return np.asarray(best.x / scale)


def quantiles(found: Sequence[Moment]) -> list[Floats]:
    """ln(seconds left) at `LEVELS` = a + b ln(way over 2 min) + c ln(way over 10 min), for moments
    whose line was reached."""
    x = np.array([(1.0, *one.ways) for one in found])
    y = np.log([one.left_s or np.nan for one in found])
    weight = np.array([one.weight for one in found])

    start: Floats = np.linalg.lstsq(x, y)[0]

    def fit(level: float) -> Floats:
        def loss(b: Floats) -> float:
            miss = y - x @ b
            return float(weight @ np.maximum(level * miss, (level - 1) * miss))

        return np.asarray(minimize(loss, start, method="Nelder-Mead", options={"maxiter": 2000}).x)

    return [fit(level) for level in LEVELS]


def covered(found: Sequence[Moment], fits: Sequence[Floats]) -> float:
    """Share of weight whose line was reached between the lowest and the highest quantile."""
    x = np.array([(1.0, *one.ways) for one in found])
    y = np.log([one.left_s or np.nan for one in found])
    weight = np.array([one.weight for one in found])
    inside = (x @ fits[0] <= y) & (y <= x @ fits[-1])
    return float(weight @ inside / weight.sum())


def main(folder: Path) -> None:
    """Fit and print."""
    floods = [flood for flood in load(folder) if half(flood.sensor) == 0]
    found = list(moments(floods))
    print("ODDS", tuple(round(float(b), 3) for b in odds(found)))
    told = [
        one
        for one in found
        if one.left_s is not None
        and one.chance >= FloodingConfig().street_chance
        and one.left_s <= AHEAD_S
    ]
    print(f"QUANTILES of {len(told)} moments (run again once ODDS stand in shape.py)")
    if not told:
        return
    fits = quantiles(told)
    for fit in fits:
        print("   ", tuple(round(float(b), 2) for b in fit))
    sensors = sorted({one.sensor for one in told})
    held = []
    for k in range(FOLDS):
        out = set(sensors[k::FOLDS])
        others = quantiles([one for one in told if one.sensor not in out])
        held.append(covered([one for one in told if one.sensor in out], others))
    print(f"covers {covered(told, fits):.3f}, left out {np.mean(held):.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
