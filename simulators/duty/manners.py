"""How people and utilities behave: how fast they answer, how often they refuse, lie or stay away.

Nobody publishes these for grid workers; each figure is an assumption, said with its reasoning.
Durations are lognormal: most answers are quick, some take long.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

WORK_S: dict[str, float] = {
    "flooding": 1500.0,
    "drain_blocked": 2400.0,
    "manhole_cover_displaced": 600.0,
    "hydrant_no_pressure": 900.0,
    "severed_cable": 1800.0,
    "fibre_break": 1800.0,
    "pole_tilt": 900.0,
    "street_light_out": 600.0,
    "high_altitude_throw": 900.0,
    "citizen_report": 600.0,
    "sensor_silent": 600.0,
    "sensor_faulty": 900.0,
}
"""Median time on site (s): sandbags and a pump 25 min, rodding a drain 40, guarding a fallen cable
until its owner has come 30, putting a cover back or looking 10 to 15. Assumed."""
USUAL_WORK_S = 900.0


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """One grid worker."""

    answer_s: float = 40.0
    """Median time until an offer is answered (12345 wants a call answered in 15 s; a phone in a
    pocket takes longer)."""
    busy_answer_s: float = 180.0
    """The same while at work elsewhere."""
    answer_sigma: float = 0.7
    setout_s: float = 60.0
    """From the answer to being on the way."""
    unheard: float = 0.03
    """Share of offers never answered: phone off, asleep, in a cellar."""
    refuses: float = 0.04
    lies: float = 0.03
    """Share of jobs said to be done that are not."""
    speed_mps: float = 3.0
    """Between walking (1.3) and an electric scooter in traffic (5)."""
    detour: float = 1.3
    work_sigma: float = 0.4

    def answers_after(self, rng: np.random.Generator, *, busy: bool) -> float:
        """Seconds until an offer is answered."""
        return lognormal(rng, self.busy_answer_s if busy else self.answer_s, self.answer_sigma)


class UtilityManner(msgspec.Struct, frozen=True, kw_only=True):
    """A utility's dispatch desk and crew. Median times: the Jiaze account has crews on site within
    two hours and supply back within hours."""

    answer_s: float = 900.0
    arrive_s: float = 3600.0
    restore_s: float = 5400.0
    sigma: float = 0.5
    refuses: float = 0.03
    """Share of tickets sent back as not theirs."""


class DeskManner(msgspec.Struct, frozen=True, kw_only=True):
    """The people at the center and the heads of grids."""

    reassign_s: float = 180.0
    """From an escalation (nobody accepts) to somebody else being sent by hand."""
    verify_s: float = 900.0
    """From disposed to verified, where no sensor does it."""
    close_s: float = 600.0
    """From verified to closed, where the router does not close by itself."""


def lognormal(rng: np.random.Generator, median: float, sigma: float) -> float:
    """A duration (s) with this median and spread of its logarithm."""
    return float(median * math.exp(sigma * rng.standard_normal()))
