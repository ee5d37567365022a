"""What may happen to a line, and how often, before anybody has said anything."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.city import Work
from detectors.severed_cable.config import SeveredCableConfig
from detectors.severed_cable.expect import COLUMNS, PHASE_SETS
from detectors.severed_cable.tree import Tree

SEVERED, PHASE, NEUTRAL = 0.6, 0.25, 0.15
"""How often a break is all of it, one or two phases (three in four: one), the neutral alone."""
ONE_PHASE: Final = 0.75
DROP: Final = 0.1
"""Share of service drops: who is switched off there and whose drop is torn look the same."""
LEAST: Final = 0.02
"""However short, anything can break."""
NEVER: Final = -1e9
MEDIUM_KV: Final = 1.0
ISOLATED: Final = 0.7
"""How probable an isolated neutral point is from 6 to 66 kV (China's 10 and 35 kV are isolated or
resonant-earthed, GB/T 50064; American 12.47 kV is earthed); else ..."""
SELDOM: Final = 0.03
FUSE: Final = (0.82, 0.06, 0.06, 0.06)
"""A switch opens on all phases, a fuse on one."""
INSIDE: Final = 0.03
"""A span within what a work switches off, against where it is switched off."""


class Prior(msgspec.Struct, frozen=True):
    """Weights of a line's spans."""

    broken: NDArray[np.float64]
    """Logarithm of the weight of each break, shape (spans, columns)."""
    switches: NDArray[np.intp]
    medium: NDArray[np.bool_]
    """Whether a span is of medium voltage, shape (spans,)."""
    unsaid: NDArray[np.bool_]
    """Spans whose voltage nobody registered and that nothing tells but monitors."""
    isolated: float
    """Probability that the neutral point is isolated."""
    drops: NDArray[np.bool_]
    """Spans that lead to one customer."""


def prior_of(tree: Tree) -> Prior:
    """The prior of a line as registered."""
    spans, nodes = tree.spans, tree.line.nodes
    count = len(spans)
    plain = [tree.lengths[i] for i, s in enumerate(spans) if not s.switch]
    middling = float(np.mean(plain)) if plain else 1.0
    weight = np.maximum(tree.lengths / max(middling, 1e-6), LEAST)
    steps = {s.id for s in spans if _feeds_transformer(tree, s.to)}
    medium = np.array(
        [(s.kv >= MEDIUM_KV if s.kv is not None else s.id in steps) for s in spans], dtype=np.bool_
    )
    unsaid = np.array([s.kv is None and s.id not in steps for s in spans], dtype=np.bool_)
    broken = np.full((count, COLUMNS), NEVER)
    for i, span in enumerate(spans):
        own = weight[i] * (DROP if nodes[span.to].what == "customer" else 1.0)
        has = tuple(k for k, letter in enumerate("abc") if letter in span.phases)
        neutral = not medium[i] and ("n" in span.phases or span.phases == "abc")
        for column, share in _shares(has or (0, 1, 2), neutral):
            broken[i, column] = math.log(own * share)
    highest = max((s.kv for s in spans if s.kv is not None), default=0.0)
    isolated = ISOLATED if 6.0 <= highest <= 66.0 else SELDOM
    switches = np.array([i for i, s in enumerate(spans) if s.switch], dtype=np.intp)
    drops = np.array([nodes[s.to].what == "customer" for s in spans], dtype=np.bool_)
    return Prior(broken, switches, medium, unsaid, isolated, drops)


def _feeds_transformer(tree: Tree, node: str) -> bool:
    nodes = tree.line.nodes
    return any(nodes[n].what == "transformer" for n in tree.subtree(node))


def _shares(has: tuple[int, ...], neutral: bool) -> Iterable[tuple[int, float]]:
    yield 0, SEVERED
    singles = [c for c, gone in enumerate(PHASE_SETS) if len(gone) == 1 and set(gone) <= set(has)]
    doubles = [c for c, gone in enumerate(PHASE_SETS) if len(gone) == 2 and set(gone) <= set(has)]
    if len(has) > 1:
        two = len(has) > 2
        for column in singles:
            yield column, PHASE * (ONE_PHASE if two else 1.0) / len(singles)
        for column in doubles if two else ():
            yield column, PHASE * (1.0 - ONE_PHASE) / len(doubles)
    if neutral:
        yield COLUMNS - 1, NEUTRAL


class Planned(msgspec.Struct, frozen=True):
    """A work that goes on, and what it may have switched off here."""

    work: Work
    tops: list[int]
    inside: list[int]
    nodes: set[str]


def planned_at(tree: Tree, works: Iterable[Work], at: datetime) -> list[Planned]:
    """The planned works of that time on this line."""
    found = []
    for work in works:
        if not work.start <= at <= work.end:
            continue
        nodes = tree.covered(work)
        tops = tree.tops(nodes)
        if tops:
            inside = [i for i, s in enumerate(tree.spans) if s.from_ in nodes]
            found.append(Planned(work, tops, inside, nodes))
        elif nodes:
            found.append(Planned(work, [], list(range(len(tree.spans))), nodes))
    return found


def switch_log(cfg: SeveredCableConfig, age_s: float) -> float:
    """Logarithm of a switch's weight so long after the loss."""
    held = age_s < cfg.switch_hold_s
    return math.log(cfg.recloser_weight if held else cfg.switch_weight)
