"""What the monitors say together: the exact posterior over every span x what happened to it.

One thing happened: a span was severed, one or two of its phases or its neutral opened; a switch was
opened; a planned work switched off its part; supply failed above the line, on all phases, on some,
or sagged; an earth fault displaced an isolated net; or nothing happened to the line, and monitors
(or customers) are off each by itself. For every one of them and every span the probability of all
that was said is a product over monitors, below the span or not, so that a prefix sum over the Euler
tour gives all spans at once. A monitor that has not spoken says nothing of its own voltage: silence
is unknown, never lost. But that many below a span spoke at once and hardly any elsewhere tells
where it happened (`speaking`), whatever they said.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.severed_cable.config import SeveredCableConfig
from detectors.severed_cable.expect import COLUMNS, PHASE_SETS, Row
from detectors.severed_cable.prior import FUSE, INSIDE, NEVER, Planned, Prior, switch_log
from detectors.severed_cable.tree import Tree
from detectors.severed_cable.view import NOTHING_WEIGHT

HEARD = 0.93
"""Share of the reports of a change that arrive at once where monitors report changes at all ..."""
LEAST_SPEAKING = -7.0
"""... and how much silence may speak against a place: gateways die together, so never for sure."""
DISPLACED = 0.45
"""How often a break in an isolated net leaves a conductor on the ground that displaces it."""
OUTAGE = (0.55, 0.05, 0.05, 0.05, 0.04, 0.04, 0.04)
SAG, EARTH = 0.18, 0.3
"""Of what comes from upstream: all phases, one, two; sags; earth faults (isolated nets only)."""


class Belief(msgspec.Struct, frozen=True):
    """The posterior. `spans` has shape (spans, columns of a break)."""

    spans: NDArray[np.float64]
    switches: dict[int, float]
    """Span → probability that its switch was opened."""
    works: dict[str, float]
    outage: float
    """Supply failed upstream, on some phases or all."""
    sag: float
    earth: float
    nothing: float
    """Monitors are off each by itself: faults, customers."""

    @property
    def cable(self) -> float:
        """Probability that some span is broken."""
        return float(self.spans.sum())


class Heard(msgspec.Struct, frozen=True):
    """Evidence by place in the tree's order."""

    rows: Mapping[int, Row]
    """Place → what its monitors said."""
    expected: NDArray[np.float64]
    """Who would speak at once if its phases changed, shape (nodes, columns)."""
    spoke: NDArray[np.float64]
    """Who of them did."""
    support: NDArray[np.float64]
    """Log-odds that strikes, tension and leaning poles lend, shape (spans, columns)."""
    age_s: float
    """Time since the first word of the loss."""


def believe(
    tree: Tree, prior: Prior, heard: Heard, planned: Sequence[Planned], cfg: SeveredCableConfig
) -> Belief:
    """The posterior given what was heard."""
    nodes, spans = len(tree.order), len(tree.spans)
    gains = np.zeros((nodes, 4 * COLUMNS))
    nothing = displaced = sag = 0.0
    for place, row in heard.rows.items():
        gains[place, :COLUMNS] = np.subtract(row.medium, row.nothing)
        gains[place, COLUMNS : 2 * COLUMNS] = np.subtract(row.low, row.nothing)
        gains[place, 2 * COLUMNS : 3 * COLUMNS] = np.subtract(row.isolated, row.nothing)
        gains[place, 3 * COLUMNS :] = np.subtract(row.isolated, row.displaced)
        nothing, displaced, sag = nothing + row.nothing, displaced + row.displaced, sag + row.sag
    counts = np.concatenate((heard.expected, heard.spoke), axis=1)
    sums, told = tree.below(gains), tree.below(counts)
    talk = speaking(told[:, :COLUMNS], told[:, COLUMNS:])
    medium = prior.medium[:, None]
    plain = np.where(medium, sums[:, :COLUMNS], sums[:, COLUMNS : 2 * COLUMNS]) + talk
    # with an isolated neutral a break may displace its point all over the net, or not
    apart = math.log(max(prior.isolated, 1e-9))
    still = sums[:, 2 * COLUMNS : 3 * COLUMNS] + nothing + math.log(1 - DISPLACED)
    moved = sums[:, 3 * COLUMNS :] + displaced + math.log(DISPLACED)
    adrift = np.where(medium, np.logaddexp(still, moved) + talk, NEVER)
    together = np.where(medium, math.log(max(1e-9, 1 - prior.isolated)), 0.0)
    broken = np.logaddexp(plain + nothing + together, adrift + apart)
    broken += prior.broken + heard.support
    switched = np.full((spans, len(FUSE)), NEVER)
    if prior.switches.size:
        at = prior.switches
        switched[at] = plain[at, : len(FUSE)] + np.log(FUSE) + switch_log(cfg, heard.age_s)
        switched[at] += nothing
    works = [_work(one, plain[:, 0] + nothing, cfg) for one in planned]
    upstream = math.log(cfg.outage_weight * max(1, spans))
    all_talk = speaking(counts.sum(axis=0)[:COLUMNS], counts.sum(axis=0)[COLUMNS:])
    everywhere = gains.sum(axis=0)[: COLUMNS - 1] + all_talk[:-1] + np.log(OUTAGE)
    outage = upstream + nothing + float(np.logaddexp.reduce(everywhere))
    sagged = upstream + sag + math.log(SAG) + float(all_talk[0])
    earth = upstream + displaced + math.log(EARTH) + apart
    alone = math.log(NOTHING_WEIGHT) + nothing
    top = max(float(broken.max(initial=NEVER)), float(switched.max(initial=NEVER)), *works,
              outage, sagged, earth, alone)  # fmt: skip
    p = np.exp(broken - top)
    q = np.exp(switched - top).sum(axis=1)
    single = [math.exp(x - top) for x in (outage, sagged, earth, alone, *works)]
    total = float(p.sum()) + float(q.sum()) + sum(single)
    single = [x / total for x in single]
    return Belief(
        p / total,
        {int(i): float(q[i]) / total for i in prior.switches},
        {one.work.id: x for one, x in zip(planned, single[4:], strict=True)},
        *single[:4],
    )


def _work(one: Planned, severed: NDArray[np.float64], cfg: SeveredCableConfig) -> float:
    weight = math.log(cfg.work_weight)
    scores = [severed[one.tops] + weight - math.log(max(1, len(one.tops)))]
    if one.inside:
        scores.append(severed[one.inside] + weight + math.log(INSIDE))
    return float(np.logaddexp.reduce(np.concatenate(scores)))


def speaking(expected: NDArray[np.float64], spoke: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-probability that just these of the expected spoke at once: half of the belief holds that
    HEARD of the changed do, half that nobody knows how many do (a uniform share)."""
    n, k = expected.astype(np.intp), spoke.astype(np.intp)
    table = _factorials(max(1, int(n.max(initial=0)) + 2))
    uniform = table[k] + table[n - k] - table[n + 1]
    prompt = k * math.log(HEARD) + (n - k) * math.log(1 - HEARD)
    found: NDArray[np.float64] = np.logaddexp(uniform, prompt) - math.log(2)
    return np.maximum(found, LEAST_SPEAKING)


@functools.lru_cache(maxsize=64)
def _factorials(count: int) -> NDArray[np.float64]:
    return np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, count + 1)))))


def column_phases(column: int) -> str:
    """The phases that a column of a break opens, as letters; empty: the neutral alone."""
    return "".join("abc"[k] for k in PHASE_SETS[column])
