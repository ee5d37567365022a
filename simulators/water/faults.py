"""Faults of an instrument: what each does to values, clocks and presence of its readings."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators.dice import between

_HOURS: dict[str, tuple[float, float]] = {
    "stuck": (2.0, 10.0),
    "spike": (1.0, 4.0),
    "out_of_range": (0.5, 4.0),
    "drift": (6.0, 18.0),
    "dropout": (1.5, 6.0),
    "clock_skew": (2.0, 10.0),
    "debris": (2.0, 12.0),
}
"""How long each lasts."""
_CODES = (-9999.0, -999.0, 65.535, 99.99, 327.67, -1.0)
"""What broken transmitters say: error codes, the all-ones of a register, an open current loop. The
last one is possible as a flow and therefore said of levels alone."""
_NOT: dict[str, tuple[str, ...]] = {
    "flow": ("debris",),
    "rain_rate": ("debris", "stuck", "drift", "spike"),
}
"""Faults that a metric has not, or that nobody could tell from weather."""
_RESET_S = 26.0 * 365.25 * 86_400
"""A clock without battery begins again in 2000."""


class Ill(msgspec.Struct, frozen=True, kw_only=True):
    """A fault as planned; seconds from the first reading on."""

    what: str
    begin_s: float
    end_s: float
    size: float
    """Of a spike or debris, in the metric's unit; of a drift, per hour; of a clock, seconds."""
    code: float
    seed: int

    def shows(self, times: NDArray[np.float64], changed: NDArray[np.bool_]) -> bool:
        """Whether enough readings changed for anybody to speak of a fault."""
        within = int(((times >= self.begin_s) & (times < self.end_s)).sum())
        least = 2 if self.what == "spike" else max(3, 0.3 * within)
        return int(changed.sum()) >= least

    def apply(
        self, times: NDArray[np.float64], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """(values, seconds the clock is ahead, whether sent) with the fault; shape (n,) each."""
        rng = np.random.default_rng(self.seed)
        values = values.copy()
        skew, stay = np.zeros(len(times)), np.ones(len(times), np.bool_)
        inside = (times >= self.begin_s) & (times < self.end_s)
        which = np.flatnonzero(inside)
        if len(which) == 0:
            return values, skew, stay
        match self.what:
            case "stuck":
                values[which] = values[which[0]]
            case "spike":
                hits = sorted({0, len(which) - 1, *rng.integers(0, len(which), 3).tolist()})
                signs = np.where(rng.random(len(hits)) < 0.75, 1.0, -1.0)
                sizes = self.size * rng.uniform(0.6, 1.4, len(hits)) * signs
                spots = which[hits]
                low = values[spots] + sizes < 0  # a level cannot be read below its zero
                values[spots] += np.where(low, np.abs(sizes), sizes)
            case "out_of_range":
                values[which] = self.code
            case "drift":
                values[which] += self.size * (times[which] - self.begin_s) / 3600
            case "dropout":
                stay[which] = False
            case "clock_skew":
                skew[which] = self.size
            case "debris":
                shake = rng.normal(0, 0.004, len(which))
                values[which] = np.maximum(values[which], self.size + shake)
        return values, skew, stay


def plan(
    rng: np.random.Generator, length_s: float, reports_s: float, room: float, metric: str
) -> Ill:
    """A fault of a random kind at a random time of a run."""
    kinds = [k for k in _HOURS if k not in _NOT.get(metric, ())]
    what = kinds[int(rng.integers(len(kinds)))]
    low, high = _HOURS[what]
    lasts = 3600 * low * (high / low) ** float(rng.random())
    lasts = min(max(lasts, 8 * reports_s), 0.5 * length_s)
    begin = between(rng, (0.1, 0.9)) * (length_s - lasts)
    size = 0.0
    if what == "spike":
        size = room * between(rng, (0.3, 1.2))
    elif what == "drift":
        size = room * between(rng, (0.15, 0.6)) / (lasts / 3600)
    elif what == "debris":
        size = room * between(rng, (0.3, 0.95))
    elif what == "clock_skew":
        ahead = rng.random() < 0.5
        size = between(rng, (300.0, 5400.0)) if ahead else -between(rng, (600.0, 10_800.0))
        if rng.random() < 0.2:  # the clock's battery is empty: it begins again in 2000
            size = -_RESET_S
    return Ill(
        what=what,
        begin_s=round(begin),
        end_s=round(begin + lasts),
        size=float(size),
        code=_CODES[int(rng.integers(len(_CODES) - (metric != "level")))],
        seed=int(rng.integers(1 << 31)),
    )
