"""What is simulated for the scorecard: deterministic from the seed.

A job is a block of orders alike, because one order takes hardly longer than handing it over. How
often monitors report, what is lost and how late it comes follows each order's own seed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from simulators.lines.take import BREAKS, CONFOUNDERS, Order

FEEDERS: Final = ("ieee123", "ieee13", "town", "village")
HELD_OUT: Final = frozenset({"ieee13", "village"})
"""Feeders that no threshold was chosen on."""
WITH_NEUTRAL: Final = frozenset({"town", "village"})
MONITORS: Final = ("everywhere", "leaves")
BLOCK: Final = 20
"""Orders in a job."""
DAY_S: Final = 86_400.0
PARTS: Final = ("breaks", "confounders", "quiet")

SeedOf = Callable[[str, int], int]
"""(part, number) → seed."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Orders alike."""

    part: str
    """One of PARTS."""
    feeder: str
    monitors: str
    happening: str | None
    seeds: tuple[int, ...]

    @property
    def held(self) -> bool:
        """On a feeder that nothing was chosen on."""
        return self.feeder in HELD_OUT

    @property
    def name(self) -> str:
        """For people."""
        what = self.happening or "nothing"
        return f"{self.part}/{what}/{self.feeder}/{self.monitors}/{self.seeds[0]}"

    def orders(self) -> Iterator[Order]:
        """One after the other."""
        for seed in self.seeds:
            yield order_of(seed, self.part, self.feeder, self.monitors, self.happening)


class Amounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many takes."""

    breaks: int
    """Of each of BREAKS, with monitors everywhere and again at leaves."""
    confounders: int
    """Of each of CONFOUNDERS."""
    days: Mapping[tuple[str, str], int]
    """Days in which nothing happens, by feeder and monitors: half of them in wind."""


FULL: Final = Amounts(
    breaks=1200,
    confounders=600,
    # some 325 monitor-years (measured: 270 with 1,670 days, which is what they were)
    days={
        ("town", "leaves"): 680,
        ("town", "everywhere"): 90,
        ("ieee123", "leaves"): 360,
        ("ieee123", "everywhere"): 120,
        ("ieee13", "leaves"): 140,
        ("ieee13", "everywhere"): 240,
        ("village", "leaves"): 240,
        ("village", "everywhere"): 140,
    },
)
QUICK: Final = Amounts(
    breaks=24,
    confounders=8,
    days={(feeder, monitors): 1 for feeder in FEEDERS for monitors in MONITORS},
)


def plan(amounts: Amounts, seed_of: SeedOf, feeders: Sequence[str] = FEEDERS) -> list[Job]:
    """All jobs, the parts one after the other; `feeders` are those that can be simulated."""
    jobs: list[Job] = []
    for what, monitors in itertools.product(BREAKS, MONITORS):
        some = [f for f in feeders if what != "neutral_open" or f in WITH_NEUTRAL]
        for k, feeder in enumerate(some):
            count = len(range(k, amounts.breaks, len(some)))
            jobs += _blocks("breaks", feeder, monitors, what, count, seed_of)
    sets = list(itertools.product(feeders, MONITORS))
    for what in CONFOUNDERS:
        for k, (feeder, monitors) in enumerate(sets):
            count = len(range(k, amounts.confounders, len(sets)))
            jobs += _blocks("confounders", feeder, monitors, what, count, seed_of)
    for (feeder, monitors), days in amounts.days.items():
        if feeder in feeders:
            for happening, count in ((None, days - days // 2), ("wind", days // 2)):
                jobs += _blocks("quiet", feeder, monitors, happening, count, seed_of)
    return jobs


def _blocks(
    part: str, feeder: str, monitors: str, happening: str | None, count: int, seed_of: SeedOf
) -> list[Job]:
    name = f"lines {part} {feeder} {monitors} {happening}"
    size = 1 if part == "quiet" else BLOCK
    return [
        Job(
            part=part,
            feeder=feeder,
            monitors=monitors,
            happening=happening,
            seeds=tuple(seed_of(name, k) for k in range(first, min(first + size, count))),
        )
        for first in range(0, count, size)
    ]


def order_of(
    seed: int, part: str, feeder: str, monitors: str, happening: str | None
) -> Order:  # fmt: skip
    """One order. Reports every minute mostly, sometimes every 15 s or 5 min, one in twenty lost on
    average (none to one in ten), delays of 0.1 to 1 s. A quiet one lasts a day; one in ten reports
    five times as often and lasts a fifth of it."""
    rng = np.random.default_rng([seed, PARTS.index(part)])
    every = float(rng.choice([15.0, 60.0, 300.0], p=[0.1, 0.7, 0.2]))
    if part == "quiet":
        every = float(rng.choice([60.0, 300.0], p=[0.1, 0.9]))
    before = 3 * every if every > 60.0 else 180.0
    after = 240.0 if every <= 60.0 else every + 120.0
    if part == "quiet":
        before = after = DAY_S / 2 * every / 300.0
    return Order(
        seed=seed,
        feeder=feeder,
        happening=happening,
        monitors=monitors,
        before_s=before,
        after_s=after,
        reports_s=every,
        loss=round(float(rng.uniform(0.0, 0.1)), 3),
        delay_s=round(float(np.exp(rng.uniform(np.log(0.1), np.log(1.0)))), 3),
    )
