"""Rain over a network: storms of the shapes that hydrologists write down, each minute a value."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators import hydraulics
from simulators.dice import between, dice
from simulators.water.take import Order

SHAPES = ("chicago", "huff1", "huff2", "huff3", "huff4", "double", "block")
HUFF: dict[str, tuple[int, ...]] = {
    "huff1": (0, 16, 33, 43, 52, 60, 66, 71, 75, 79, 82, 84, 86, 88, 90, 92, 94, 96, 97, 98, 100),
    "huff2": (0, 3, 8, 12, 16, 22, 29, 39, 51, 62, 70, 76, 81, 85, 88, 91, 93, 95, 97, 98, 100),
    "huff3": (0, 3, 6, 9, 12, 15, 19, 23, 27, 32, 38, 45, 57, 70, 79, 85, 89, 92, 95, 97, 100),
    "huff4": (0, 2, 5, 8, 10, 13, 16, 19, 22, 25, 28, 32, 35, 39, 45, 51, 59, 72, 84, 92, 100),
}
"""Percent of the rain after each twentieth of the storm: median curves at a point (Huff 1990,
Illinois State Water Survey Circular 173, table 3)."""
_HOURS: dict[str, tuple[float, float]] = {
    "chicago": (0.5, 3.0),
    "huff1": (1.0, 6.0),
    "huff2": (2.0, 8.0),
    "huff3": (3.0, 10.0),
    "huff4": (4.0, 12.0),
    "double": (2.0, 6.0),
    "block": (0.25, 2.0),
}
"""How long storms of each shape last: Huff's quartiles belong to rising durations."""


class Shower(msgspec.Struct, frozen=True, kw_only=True):
    """One storm."""

    shape: str
    begin_s: float
    """From the first reading on."""
    duration_s: float
    return_years: float
    mm_h: tuple[float, ...]
    """Each minute of it."""


def showers(order: Order) -> tuple[Shower, ...]:
    """The storms of an order, in time; they never overlap."""
    rng = dice(order.seed, "water", order.network, "storms")
    found: list[Shower] = []
    total = order.hours * 3600.0
    for number in range(order.storms):
        shape = SHAPES[int(rng.integers(len(SHAPES)))]
        low, high = _HOURS[shape]
        share = total / order.storms
        duration = 60.0 * round(60 * low * (high / low) ** rng.random())
        duration = min(duration, 60.0 * math.floor(0.6 * share / 60))
        years = order.return_years[0] * (order.return_years[1] / order.return_years[0]) ** (
            rng.random()
        )
        free = share - duration
        begin = number * share + free * between(rng, (0.15, 0.75))
        mm_h = hyetograph(shape, duration, float(years), rng)
        found.append(
            Shower(
                shape=shape,
                begin_s=60.0 * round(begin / 60),
                duration_s=duration,
                return_years=float(years),
                mm_h=tuple(round(float(v), 3) for v in mm_h),
            )
        )
    return tuple(found)


def hyetograph(
    shape: str, duration_s: float, return_years: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Rain in mm/h, each minute of a storm of that return period; shape (minutes,).

    All shapes of one duration and return period bring the same water: the municipal formula's
    (`hydraulics.intensity_mm_h`). Gusts are laid over the shape and leave its sum alone.
    """
    minutes = max(int(duration_s // 60), 5)
    depth_mm = hydraulics.intensity_mm_h(minutes, return_years) * minutes / 60
    if shape in HUFF:
        at = np.linspace(0, 1, minutes + 1)
        rate = np.diff(np.interp(at, np.linspace(0, 1, 21), HUFF[shape]))
    elif shape == "block":
        rate = np.ones(minutes)
    elif shape == "double":
        rate = np.zeros(minutes)
        split = between(rng, (0.4, 0.6))
        weight = between(rng, (0.35, 0.65))
        for start, end, part in ((0.0, split, weight), (split, 1.0, 1 - weight)):
            first, last = round(start * minutes), round(end * minutes)
            half = _chicago(last - first, return_years, between(rng, (0.3, 0.6)))
            rate[first:last] += part * half / half.sum()
    else:
        rate = _chicago(minutes, return_years, between(rng, (0.3, 0.5)))
    rate = rate * _gusts(minutes, rng)
    return np.asarray(rate * depth_mm * 60 / rate.sum())


def _chicago(minutes: int, return_years: float, peak_at: float) -> NDArray[np.float64]:
    return hydraulics.hyetograph(
        hydraulics.Storm(
            dry_s=0.0, duration_s=60.0 * minutes, return_years=return_years, peak_at=peak_at
        )
    )


def _gusts(minutes: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """A lognormal factor with five minutes' memory and a spread of a quarter."""
    keep = math.exp(-1 / 5)
    noise = rng.normal(0, 0.25 * math.sqrt(1 - keep**2), minutes)
    value, out = float(rng.normal(0, 0.25)), np.empty(minutes)
    for k in range(minutes):
        value = keep * value + float(noise[k])
        out[k] = value
    return np.exp(out)
