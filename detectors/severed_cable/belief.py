"""What the monitors say together: the exact posterior over every span x what happened to it.

Given that something happened, it was one of: a span severed, one of its phases or its neutral open;
the whole line without supply (an outage upstream); one monitor's own fault, or one customer
switched off. A monitor that has not spoken since says nothing: silence is unknown, never lost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.severed_cable.config import SeveredCableConfig
from detectors.severed_cable.tree import Tree

OK, LOST, PART, SOME, UNBALANCED = "ok", "lost", "part", "some", "unbalanced"
"""What a monitor sees: all phases there; none; none of those heard so far; some gone; neutral."""

WHAT: Final = ("severed", "phase_open", "neutral_open")

CHANCE: Final[dict[str, dict[str, float]]] = {
    # seen:      expected: there   severed  phase   neutral
    OK: {"ok": 0.99, "severed": 0.005, "phase_open": 0.05, "neutral_open": 0.05},
    LOST: {"ok": 1e-4, "severed": 0.9, "phase_open": 0.02, "neutral_open": 0.01},
    PART: {"ok": 2e-4, "severed": 0.9, "phase_open": 0.4, "neutral_open": 0.02},
    SOME: {"ok": 2e-4, "severed": 0.05, "phase_open": 0.9, "neutral_open": 0.05},
    UNBALANCED: {"ok": 1e-4, "severed": 0.01, "phase_open": 0.03, "neutral_open": 0.85},
}
"""Probability of what is seen given what is expected. Orders of magnitude: a monitor is wrong one
time in 10,000; backfeed shows a severed three-phase end as a partial loss one time in 20."""
ONE_PHASE: Final[dict[str, dict[str, float]]] = {
    OK: {**CHANCE[OK], "phase_open": 0.65},
    LOST: {**CHANCE[LOST], "phase_open": 0.33},
}
"""A one-phase monitor sees an open phase of three only when it is its own."""
WHAT_PRIOR: Final = {"severed": 0.6, "phase_open": 0.25, "neutral_open": 0.15}


class Seen(msgspec.Struct, frozen=True):
    """What one monitor sees now."""

    what: str
    phases: int
    customer: bool
    device: str = ""


class Belief(msgspec.Struct, frozen=True):
    """The posterior. `spans` has shape (spans, 3 = WHAT)."""

    spans: NDArray[np.float64]
    outage: float
    faults: dict[str, float]
    """Node → probability that only this monitor (or customer) is off."""

    @property
    def cable(self) -> float:
        """Probability that some span is broken."""
        return float(self.spans.sum())


def believe(
    tree: Tree,
    seen: Mapping[str, Seen],
    support: Mapping[str, float],
    cfg: SeveredCableConfig,
) -> Belief:
    """The posterior given what monitors see (by node; absent: unknown) and log-odds that other
    evidence (strike, tension, tilt) at a node lends the spans that meet there."""
    gains = {what: np.zeros(len(tree.order)) for what in WHAT}
    for node, one in seen.items():
        table = ONE_PHASE.get(one.what, CHANCE[one.what]) if one.phases == 1 else CHANCE[one.what]
        for what in WHAT:
            gains[what][tree.place[node]] += math.log(table[what]) - math.log(table["ok"])
    count = max(1, len(tree.spans))
    bonus = np.array([support.get(s.from_, 0.0) + support.get(s.to, 0.0) for s in tree.spans])
    scores = np.stack(
        [tree.below(gains[w]) + math.log(WHAT_PRIOR[w] / count) + bonus for w in WHAT], axis=1
    )
    outage = math.log(cfg.outage_weight) + float(gains["severed"].sum())
    faults = {
        node: math.log((cfg.customer_weight if one.customer else cfg.fault_weight) / count)
        + max(float(gains[w][tree.place[node]]) for w in WHAT)
        for node, one in seen.items()
        if one.what != OK
    }
    top = max([outage, *faults.values(), float(scores.max(initial=-math.inf))])
    weights = np.exp(scores - top)
    out = math.exp(outage - top)
    single = {node: math.exp(score - top) for node, score in faults.items()}
    total = float(weights.sum()) + out + sum(single.values())
    return Belief(weights / total, out / total, {n: w / total for n, w in single.items()})
