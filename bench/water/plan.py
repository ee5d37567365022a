"""What is simulated for the scorecard: deterministic from the seed.

Every choice of an order follows the order's own seed. The networks take turns in every part.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from bench.water.halves import HELD_OUT_NETWORKS
from simulators.water.take import Order

NETWORKS: Final = ("town", "user3", "user4", "Greenville_EPA")
PARTS: Final = ("storm", "blocked", "blocked in storm", "dry", "faults")

SeedOf = Callable[[str, int], int]
"""(part, number) → seed."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One order and what it counts for."""

    part: str
    """One of PARTS."""
    order: Order

    @property
    def held(self) -> bool:
        """On a network that nothing was chosen on."""
        return self.order.network in HELD_OUT_NETWORKS

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.part}/{self.order.network}/{self.order.seed}"


FULL: Final = {"storm": 60, "blocked": 64, "blocked in storm": 36, "dry": 20, "faults": 36}
QUICK: Final = {"storm": 2, "blocked": 2, "blocked in storm": 1, "dry": 1, "faults": 1}


def networks(folder: Path) -> tuple[str, ...]:
    """The networks that can be simulated: the town's own, and the files that are there."""
    there = {path.name.removesuffix(".inp.gz") for path in folder.glob("*.inp.gz")}
    return tuple(name for name in NETWORKS if name == "town" or name in there)


def plan(amounts: dict[str, int], seed_of: SeedOf, names: tuple[str, ...]) -> list[Job]:
    """All jobs, the parts one after the other."""
    jobs = []
    for part, count in amounts.items():
        for number in range(count):
            seed = seed_of(f"water {part}", number)
            jobs.append(Job(part=part, order=_order(part, seed, names[number % len(names)])))
    return jobs


def _order(part: str, seed: int, network: str) -> Order:
    rng = np.random.default_rng([seed, PARTS.index(part)])
    reports = float(rng.choice([60.0, 60.0, 60.0, 300.0, 300.0, 900.0]))
    storms = {"dry": 0, "blocked": int(rng.integers(0, 2)), "faults": int(rng.integers(0, 2))}
    few = rng.random() < 0.3
    return Order(
        seed=seed,
        network=network,
        hours=36.0,
        storms=storms.get(part, int(rng.integers(1, 3))),
        return_years=(1.0, 30.0) if part == "storm" else (0.5, 20.0),
        blockages=1 if part.startswith("blocked") else 0,
        faults=0.35 if part == "faults" else (0.1 if rng.random() < 0.25 else 0.0),
        outages=int(rng.random() < 0.25),
        reports_s=reports,
        sensors=float(rng.uniform(0.15, 0.3) if few else rng.uniform(0.3, 0.6)),
        gauges=int(rng.random() < 0.7),
    )
