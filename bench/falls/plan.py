"""What is filmed for the scorecard: deterministic from the seed.

Every choice of an order (place, size, rate, bodies, weather) follows the order's own seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np

from bench.falls.episodes import Episodes
from simulators.falls.take import Distraction, Order

CLASSES: Final = {"8-20 px": (8.0, 20.0), "4-8 px": (4.0, 8.0), "2-4 px": (2.0, 4.0)}
"""Size classes by apparent size; recall is aimed at for the first two, the last is reported."""

PARTS: Final = ("recall", "distractors", "continuous", "mixed")

HD, FULL_HD = (1280, 720), (1920, 1080)
RATES: Final = (10.0, 12.5, 15.0, 20.0, 25.0, 30.0)
QUIET_RATES: Final = (10.0, 10.0, 12.0)
"""For scenes without falls: much time, few pictures."""

LONGEST_QUIET_S: Final = 60.0
"""Continuous scenes are filmed in pieces of this length."""


class Amounts(msgspec.Struct, frozen=True):
    """How much of each part."""

    falls: dict[str, int]
    """Falls of each size class."""
    episodes: int
    """Of each distractor."""
    continuous_s: float
    """In all: half of it calm, half of it wet."""
    mixed: int
    """Mixed scenes."""


FULL: Final = Amounts({"8-20 px": 255, "4-8 px": 255, "2-4 px": 60}, 300, 7_260.0, 50)
QUICK: Final = Amounts({"8-20 px": 3, "4-8 px": 3, "2-4 px": 1}, 1, 12.0, 1)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One order and what it counts for."""

    part: str
    """One of PARTS."""
    group: str
    """Size class, distractor, `calm` or `wet`."""
    order: Order
    episodes: int = 0
    """Distractor episodes in it that are independent of each other in time."""

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.part}/{self.group}/{self.order.seed}"


SeedOf = Callable[[str, int], int]
"""(part, number) → seed."""


def plan(amounts: Amounts, seed_of: SeedOf, places: Sequence[str], episodes: Episodes) -> list[Job]:
    """All jobs, the parts one after the other. `places` are names of photographs, may be none."""
    out: list[Job] = []
    out += _recall(amounts, seed_of, places)
    out += _distractors(amounts, seed_of, places, episodes)
    out += _continuous(amounts, seed_of, places, episodes)
    out += _mixed(amounts, seed_of, places, episodes)
    return out


FALLS_A_FILM: Final = 1
"""Two things in the air at once are rare, and what belongs together (a thing, its pieces, its
mirror image) is one event: several falls a film would measure how films are cut."""


def _recall(amounts: Amounts, seed_of: SeedOf, places: Sequence[str]) -> list[Job]:
    jobs, number = [], 0
    for group, falls in amounts.falls.items():
        for k in range(math.ceil(falls / FALLS_A_FILM)):
            seed = seed_of("recall", number)
            rng = _dice(seed, "recall")
            count = min(FALLS_A_FILM, falls - k * FALLS_A_FILM)
            order = Order(
                seed=seed,
                place=_place(rng, places),
                size=_size(rng, 0.25),
                fps=float(rng.choice(RATES)),
                seconds=6.0 * count + 1,
                mbit_s=float(rng.uniform(2, 4)),
                falls=count,
                size_px=CLASSES[group],
                visible=(0.6, 1.0) if rng.random() < 0.85 else (0.35, 0.6),
                dropped=float(rng.choice([0.0, 0.0, 0.01, 0.03])),
                doubled=float(rng.choice([0.0, 0.0, 0.01, 0.03])),
                reflection=bool(rng.random() < 0.2),
                calibration_px=float(rng.uniform(2, 5)),
            )
            jobs.append(Job(part="recall", group=group, order=order))
            number += 1
    return jobs


def _distractors(
    amounts: Amounts, seed_of: SeedOf, places: Sequence[str], episodes: Episodes
) -> list[Job]:
    jobs, number = [], 0
    for kind, episode in episodes.kinds.items():
        for k in range(math.ceil(amounts.episodes / episode.per_film)):
            seed = seed_of("distractors", number)
            rng = _dice(seed, "distractors")
            count = min(episode.per_film, amounts.episodes - k * episode.per_film)
            order = Order(
                seed=seed,
                place=_place(rng, places),
                size=_size(rng, 0.05),
                fps=_quiet_rate(rng),
                seconds=1.0 + count * episode.seconds,
                mbit_s=float(rng.uniform(2, 4)),
                distractions=(Distraction(kind, _strength(rng)),),
                dropped=float(rng.choice([0.0, 0.01])),
                doubled=float(rng.choice([0.0, 0.01])),
            )
            jobs.append(Job(part="distractors", group=kind, order=order, episodes=count))
            number += 1
    return jobs


def _continuous(
    amounts: Amounts, seed_of: SeedOf, places: Sequence[str], episodes: Episodes
) -> list[Job]:
    """Half of the time calm, half of it rain or wind."""
    jobs = []
    pieces = max(2, math.ceil(amounts.continuous_s / LONGEST_QUIET_S))
    for number in range(pieces):
        group = "calm" if number % 2 == 0 else "wet"
        seed = seed_of("continuous", number)
        rng = _dice(seed, "continuous")
        wanted = [
            k for k, e in episodes.kinds.items() if (e.weather == "calm") == (group == "calm")
        ]
        order = Order(
            seed=seed,
            place=_place(rng, places),
            size=HD,
            fps=_quiet_rate(rng),
            seconds=amounts.continuous_s / pieces,
            mbit_s=float(rng.uniform(2, 4)),
            distractions=_some(rng, wanted, 1, 2),
        )
        jobs.append(Job(part="continuous", group=group, order=order))
    return jobs


def _mixed(
    amounts: Amounts, seed_of: SeedOf, places: Sequence[str], episodes: Episodes
) -> list[Job]:
    """Falls while other things move: every other scene in rain or wind."""
    jobs = []
    for number in range(amounts.mixed):
        group = "calm" if number % 2 == 0 else "wet"
        seed = seed_of("mixed", number)
        rng = _dice(seed, "mixed")
        wanted = [
            k for k, e in episodes.kinds.items() if (e.weather == "calm") == (group == "calm")
        ]
        low = float(rng.choice([4.0, 8.0]))
        order = Order(
            seed=seed,
            place=_place(rng, places),
            size=_size(rng, 0.25),
            fps=float(rng.choice(RATES[2:])),
            seconds=14.0,
            mbit_s=float(rng.uniform(2, 4)),
            falls=2,
            size_px=(low, 20.0),
            distractions=_some(rng, wanted, 1, 3),
            dropped=float(rng.choice([0.0, 0.01, 0.03])),
            doubled=float(rng.choice([0.0, 0.01, 0.03])),
            reflection=bool(rng.random() < 0.2),
            calibration_px=float(rng.uniform(2, 5)),
        )
        jobs.append(Job(part="mixed", group=group, order=order))
    return jobs


def _dice(seed: int, part: str) -> np.random.Generator:
    return np.random.default_rng([seed, PARTS.index(part)])


def _place(rng: np.random.Generator, places: Sequence[str]) -> str:
    """A generated facade in two of three scenes, else a photograph where there are any."""
    photograph = bool(rng.random() < 1 / 3)
    if not places or not photograph:
        return "generated"
    return f"plate:{places[int(rng.integers(len(places)))]}"


def _size(rng: np.random.Generator, full: float) -> tuple[int, int]:
    return FULL_HD if rng.random() < full else HD


def _quiet_rate(rng: np.random.Generator) -> float:
    return float(rng.choice(QUIET_RATES if rng.random() < 0.8 else RATES))


def _strength(rng: np.random.Generator) -> float:
    """Mostly mild, now and then as bad as it gets: mean .45, one in ten above .8."""
    return float(0.1 + 0.9 * rng.beta(1.3, 2.0))


def _some(
    rng: np.random.Generator, kinds: Sequence[str], least: int, most: int
) -> tuple[Distraction, ...]:
    count = min(len(kinds), int(rng.integers(least, most + 1)))
    picked = rng.choice(len(kinds), size=count, replace=False)
    return tuple(Distraction(kinds[int(k)], _strength(rng)) for k in sorted(picked))
