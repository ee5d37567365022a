"""What broke and whose it was, once a cable did: asked apart from where, and from whether one did.

Two things matter here that hardly matter to whether a cable broke. How often whole spans come down,
single conductors part, or neutrals open, no source tells: none is preferred (the sums by span and
the probability of a cable, on which suspicion rests, keep the prior's shares). And an open neutral
with loads of one phase alone behind it leaves them no way back: they are as dark as if all of the
span were gone. Which of the two it was is then not in the readings.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from contracts.city import Span
from detectors.severed_cable.expect import KIND, NEUTRAL_OPEN, WHAT
from detectors.severed_cable.prior import NEUTRAL, NEVER, PHASE, SEVERED, Prior
from detectors.severed_cable.tree import Tree

_SHARE = dict(zip(WHAT, (SEVERED, PHASE, NEUTRAL), strict=True))
_EVEN: NDArray[np.float64] = np.array([1.0 / (len(WHAT) * _SHARE[k]) for k in KIND])
"""Makes of the prior's shares equal ones, by column."""


def lone_of(tree: Tree, prior: Prior) -> NDArray[np.bool_]:
    """Spans with a neutral behind which only customers of one and the same phase hang, shape
    (spans,)."""
    nodes = tree.line.nodes
    at: dict[str, NDArray[np.float64]] = {x: np.zeros(len(tree.order)) for x in "abc"}
    mixed = np.zeros(len(tree.order))
    for drop in tree.spans:
        if nodes[drop.to].what != "customer":
            continue
        phases = [x for x in "abc" if x in drop.phases]
        if len(phases) == 1:
            at[phases[0]][tree.place[drop.to]] = 1.0
        else:
            mixed[tree.place[drop.to]] = 1.0
    some = tree.below(np.stack([*at.values(), mixed], axis=1)) > 0
    found: NDArray[np.bool_] = (
        (some[:, :3].sum(axis=1) == 1) & ~some[:, 3] & (prior.broken[:, NEUTRAL_OPEN] > NEVER)
    )
    return found


def shares_of(
    tree: Tree,
    spans: NDArray[np.float64],
    lone: NDArray[np.bool_],
    lost: Iterable[str],
    fallen: bool,
) -> NDArray[np.float64]:
    """Probability of each break given that there is one, shape (spans, columns); `spans` is the
    posterior of `Belief`, `lone` of `lone_of`, `lost` the nodes that lost something, `fallen`
    whether a conductor lost its tension (then cells tell how much came down)."""
    shares = spans * _EVEN
    if not fallen and lone.any():
        shown = np.zeros(len(tree.order))
        for node in lost:  # a pole that measures three phases sees a neutral that moved
            if tree.line.nodes[node].what != "customer":
                shown[tree.place[node]] = 1.0
        alike = lone & (tree.below(shown[:, None])[:, 0] == 0)
        shares[alike, NEUTRAL_OPEN] = np.maximum(shares[alike, NEUTRAL_OPEN], shares[alike, 0])
    total = float(shares.sum())
    return shares / total if total > 0 else shares


def torn(tree: Tree, shares: NDArray[np.float64]) -> dict[str, float]:
    """Owner → probability that a cable of theirs is torn, likeliest first."""
    chance: dict[str, float] = {}
    for names, p in _sets(tree, shares):
        for owner in names:
            chance[owner] = chance.get(owner, 0.0) + p
    return dict(sorted(chance.items(), key=lambda x: (-x[1], x[0])))


def owners_of(tree: Tree, shares: NDArray[np.float64]) -> list[str]:
    """Whose cables are torn: everybody's on a severed span, its owner's where a conductor of it is
    open. Of all sets of owners the likeliest, in it first whose cable is torn most probably."""
    sets: dict[frozenset[str], float] = {}
    for names, p in _sets(tree, shares):
        sets[names] = sets.get(names, 0.0) + p
    if not sets:
        return []
    likeliest = max(sets, key=lambda found: (sets[found], sorted(found)))
    return [owner for owner in torn(tree, shares) if owner in likeliest]


def _sets(tree: Tree, shares: NDArray[np.float64]) -> Iterable[tuple[frozenset[str], float]]:
    severed, rest = shares[:, 0], shares[:, 1:].sum(axis=1)
    for i in np.flatnonzero(severed + rest > 1e-4):
        span: Span = tree.spans[int(i)]
        own = frozenset((span.owner,) if span.owner else ())
        yield own | frozenset(span.carries), float(severed[i])
        yield own, float(rest[i])
