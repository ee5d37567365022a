"""Which nights are played: deterministic from the seed.

The same nights are played with each number of people on duty and under every policy: what happens
in a night hangs on its seed alone, and where people are on how many they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

SCARCE: Final = (20, 24, 30)
"""People on duty in a borough of 30 km². 300 troubles of half an hour with the way there keep about
twenty people busy all night: with so few there is a queue."""
ENOUGH: Final = (40, 60, 90)
POLICIES: Final = ("joint", "each", "greedy", "offline")
"""Ours as it is set by default, ours deciding once for each, the reference, and who knew all."""

SeedOf = Callable[[str, int], int]
"""(part, number) → seed."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One night under one policy."""

    policy: str
    """One of POLICIES."""
    people: int
    number: int
    """Of the night, for pairing."""
    seed: int
    rounds: int
    """Of the search for the best plan; `offline` alone."""

    @property
    def part(self) -> str:
        """Results are kept by policy."""
        return self.policy

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.policy}/{self.people} people/{self.seed}"


class Amounts(msgspec.Struct, frozen=True, kw_only=True):
    """How much is played."""

    nights: int
    people: tuple[int, ...]
    rounds: int
    """From 1,000 rounds to 4,000 the best plan gains 3 % with 20 people, 1 % with 90."""


FULL: Final = Amounts(nights=20, people=(*SCARCE, *ENOUGH), rounds=3000)
QUICK: Final = Amounts(nights=3, people=(24, 60), rounds=300)


def plan(amounts: Amounts, seed_of: SeedOf, policies: Sequence[str] = POLICIES) -> list[Job]:
    """All jobs: night by night, so that a stopped run has whole nights to show."""
    return [
        Job(
            policy=policy,
            people=people,
            number=number,
            seed=seed_of("night", number),
            rounds=amounts.rounds if policy == "offline" else 0,
        )
        for number in range(amounts.nights)
        for people in amounts.people
        for policy in policies
    ]
