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
AMONG = 0.2
"""How often a break comes with losses that come back."""
DISPLACED = 0.45
"""How often a break in an isolated net leaves a conductor on the ground that displaces it."""
ALIKE, STRAY = math.log(0.99), math.log(0.01)
"""Whoever hangs on the same conductors measures the same displacement, or else strays."""
SIDES = (0.35, 0.35, 0.3)
"""What the net's majority is: whole, below the break; or both sides show the same."""
LIFTED = (0.15,) * (COLUMNS - 1) + (0.5,)
"""How often a break at low voltage lifts the neutral beside it, by column."""
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
    over: float
    """It is over: a recloser, a dip; who is still off was not heard since."""

    @property
    def cable(self) -> float:
        """Probability that some span is broken."""
        return float(self.spans.sum())

    def fit(self, but: NDArray[np.bool_], above: float, alone: float) -> float:
        """Probability that some span is broken, `but` these, if what no reading can tell from it
        were as seldom as a break: weights of supply lost above the line and of monitors off by
        themselves times these."""
        mine = float(self.spans[~but].sum())
        rest = self.sag + self.over + sum(self.switches.values()) + sum(self.works.values())
        rest += (self.outage + self.earth) * above + self.nothing * alone
        return mine / max(mine + rest, 1e-12)


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
    apart: Mapping[int, bool] = {}
    """Of medium-voltage monitors in a displaced net: whether theirs differ from the net's."""
    over: float | None = None
    """Log-probability of it all if it is over; None: nothing came back."""


def believe(
    tree: Tree, prior: Prior, heard: Heard, planned: Sequence[Planned], cfg: SeveredCableConfig
) -> Belief:
    """The posterior given what was heard."""
    spans = len(tree.spans)
    sums = _Sums(tree, heard)
    talk = sums.talk
    broken = _broken(sums, prior) + prior.broken + heard.support
    if heard.over is not None:
        broken += math.log(AMONG)  # what is broken does not come back; a dip beside it may
    switched = np.full((spans, len(FUSE)), NEVER)
    severed = sums.plain(prior) + talk + sums.nothing + sums.above
    if prior.switches.size:
        at = prior.switches
        switched[at] = severed[at, : len(FUSE)] + np.log(FUSE) + switch_log(cfg, heard.age_s)
    works = [_work(one, severed[:, 0], cfg) for one in planned]
    upstream = math.log(cfg.outage_weight * max(1, spans))
    outage = upstream + sums.everywhere(prior)
    sagged = upstream + sums.sag + math.log(SAG) + float(sums.all_talk[0])
    earth = upstream + sums.displaced + sums.main + math.log(EARTH * max(prior.isolated, 1e-9))
    alone = math.log(NOTHING_WEIGHT) + sums.nothing
    again = NEVER
    if heard.over is not None:
        count = cfg.recloser_weight * max(1, prior.switches.size) + cfg.outage_weight * spans
        again = math.log(count) + heard.over
    top = max(float(broken.max(initial=NEVER)), float(switched.max(initial=NEVER)), *works,
              outage, sagged, earth, alone, again)  # fmt: skip
    p = np.exp(broken - top)
    q = np.exp(switched - top).sum(axis=1)
    single = [math.exp(x - top) for x in (outage, sagged, earth, alone, again, *works)]
    total = float(p.sum()) + float(q.sum()) + sum(single)
    single = [x / total for x in single]
    return Belief(
        p / total,
        {int(i): float(q[i]) / total for i in prior.switches},
        {one.work.id: x for one, x in zip(planned, single[5:], strict=True)},
        *single[:5],
    )


class _Sums:
    """Sums over monitors, below each span, around it and above it."""

    def __init__(self, tree: Tree, heard: Heard) -> None:
        nodes = len(tree.order)
        gains, lifts = np.zeros((nodes, 5, COLUMNS)), np.zeros(nodes)
        above = np.zeros((nodes, COLUMNS))
        base = np.zeros((nodes, 3))
        alike: dict[int, list[int]] = {}
        rows = {id(row): row for row in heard.rows.values()}
        for place, row in heard.rows.items():
            alike.setdefault(id(row), []).append(place)
        for key, places in alike.items():  # many monitors say the same
            row = rows[key]
            gains[places, 0] = np.subtract(row.medium, row.nothing)
            gains[places, 1] = np.subtract(row.low, row.nothing)
            gains[places, 2] = np.subtract(row.isolated, row.nothing)
            gains[places, 3] = np.subtract(row.isolated, row.displaced)
            gains[places, 4] = np.subtract(row.low, row.risen)
            lifts[places] = row.risen - row.nothing
            above[places] = row.above
            base[places] = row.nothing, row.displaced, row.sag
        self.nothing, self.displaced, self.sag = base.sum(axis=0).tolist()
        main, other = np.zeros(nodes), np.zeros(nodes)
        for place, apart in heard.apart.items():
            main[place], other[place] = (STRAY, ALIKE) if apart else (ALIKE, STRAY)
        self.main, self.other = float(main.sum()), float(other.sum())
        self.sides = tree.below((other - main)[:, None])
        self.mates = tree.below(main[:, None])
        counts = np.concatenate((heard.expected, heard.spoke), axis=1)
        told, every = tree.below(counts), counts.sum(axis=0)
        self.talk = speaking(told[:, :COLUMNS], told[:, COLUMNS:])
        self.all_talk = speaking(every[:COLUMNS], every[COLUMNS:])
        self.below = tree.below(gains)
        self.total: NDArray[np.float64] = gains.sum(axis=0)
        self.above = tree.above(above)
        self.lifts = tree.around(lifts)

    def plain(self, prior: Prior) -> NDArray[np.float64]:
        """Of every break, the neutral point earthed, against nothing: shape (spans, columns)."""
        # at low voltage a break may lift the neutral all over its net, or not
        lifted = self.below[:, 4] + self.lifts[:, None] + np.log(LIFTED)
        low = np.logaddexp(self.below[:, 1] + np.log1p(-np.array(LIFTED)), lifted)
        found: NDArray[np.float64] = np.where(prior.medium[:, None], self.below[:, 0], low)
        return found

    def adrift(
        self,
        below: NDArray[np.float64],
        sides: NDArray[np.float64] | float,
        mates: NDArray[np.float64] | float,
    ) -> NDArray[np.float64]:
        """With an isolated neutral a break may displace its point all over the net, or not; then
        whoever hangs below it floats alike."""
        still = below[..., 2, :] + self.nothing + mates + math.log(1 - DISPLACED)
        moved = below[..., 3, :] + self.displaced + math.log(DISPLACED)
        # whoever differs from the net's displacement is on the other side of the break
        whole, cut, same = (math.log(p) for p in SIDES)
        moved = moved + np.logaddexp(
            np.logaddexp(whole + self.main + sides, cut + self.other - sides), same + self.main
        )
        found: NDArray[np.float64] = np.logaddexp(still, moved)
        return found

    def everywhere(self, prior: Prior) -> float:
        """Supply that fails upstream, on all phases or some: as a break above all monitors."""
        earthed = self.total[0] + self.nothing + math.log(max(1e-9, 1 - prior.isolated))
        adrift = self.adrift(self.total, 0.0, self.main) + math.log(max(1e-9, prior.isolated))
        each = np.logaddexp(earthed, adrift)[:-1] + self.all_talk[:-1] + np.log(OUTAGE)
        return float(np.logaddexp.reduce(each))


def _broken(sums: _Sums, prior: Prior) -> NDArray[np.float64]:
    medium = prior.medium[:, None]
    plain = sums.plain(prior) + sums.nothing
    together = np.where(medium, math.log(max(1e-9, 1 - prior.isolated)), 0.0)
    adrift = np.where(medium, sums.adrift(sums.below, sums.sides, sums.mates), NEVER)
    apart = math.log(max(prior.isolated, 1e-9))
    found: NDArray[np.float64] = np.logaddexp(plain + together, adrift + apart)
    return found + sums.talk + sums.above


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
