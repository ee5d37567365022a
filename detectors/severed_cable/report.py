"""What a finding says: spans, point, owners, what it rests on, what it was held against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.city import Span
from contracts.detector import Site
from detectors.severed_cable import recorded
from detectors.severed_cable.belief import Belief, column_phases
from detectors.severed_cable.config import SeveredCableConfig
from detectors.severed_cable.expect import KIND as KINDS
from detectors.severed_cable.expect import WHAT
from detectors.severed_cable.happening import Happening
from detectors.severed_cable.hear import Findings, cause_of
from detectors.severed_cable.place import place_of
from detectors.severed_cable.prior import Planned
from detectors.severed_cable.tree import Tree
from detectors.severed_cable.words import LEAST_P, Facts, alternatives, reasons

OWNER_P = 0.5
"""Whose cable is more probably torn than not is called."""
MOST_NAMED = 40


def evidence_of(
    tree: Tree,
    site: Site,
    belief: Belief,
    found: Findings,
    planned: Sequence[Planned],
    one: Happening,
    age_s: float,
    cfg: SeveredCableConfig,
) -> dict[str, Any]:
    """The evidence of an event."""
    shares = belief.spans / max(belief.cable, 1e-12)
    spans = shares.sum(axis=1)
    ranked = np.argsort(-spans, kind="stable")
    shown = [int(i) for i in ranked if spans[i] >= cfg.shown_p] or [int(ranked[0])]
    columns = shares.sum(axis=0)
    chance = {w: sum(float(p) for k, p in zip(KINDS, columns, strict=True) if k == w) for w in WHAT}
    what = max(WHAT, key=lambda w: chance[w])
    likeliest = max((c for c, k in enumerate(KINDS) if k == what), key=lambda c: float(columns[c]))
    place = place_of(tree, spans)
    cause = cause_of(tree, found, one, shown[0])
    best = tree.spans[shown[0]]
    nodes = tree.line.nodes
    facts = Facts(
        what=what,
        phases=column_phases(likeliest),
        span=best.id,
        p=belief.cable,
        lost=tuple(sorted(found.lost)),
        there=tuple(sorted(found.there)),
        unknown=len(found.unknown),
        customers=sum(nodes[n].what == "customer" for n in found.lost),
        works=tuple(p.work.id for p in planned),
        age_s=age_s,
        hold_s=cfg.hold_s,
        cause=cause,
        tension=tuple(sorted(found.fallen)),
        leaning=tuple(sorted(found.leaning)),
        gasps=found.gasps,
    )
    others = alternatives(belief, facts)
    why, why_zh = reasons(facts)
    evidence: dict[str, Any] = {
        "spans": [[tree.spans[i].id, round(float(spans[i]), 4)] for i in shown],
        "point": {"lon": round(place.point.lon, 7), "lat": round(place.point.lat, 7)},
        "error_m": round(place.error_m, 1),
        "what": what,
        "whats": {w: round(p, 4) for w, p in chance.items()},
        "phases": facts.phases,
        "owners": owners_of(tree, shares),
        "ruled_out": [o for o in others if o["p"] < LEAST_P],
        "alternatives": [o for o in others if o["p"] >= LEAST_P],
        "p": round(belief.cable, 4),
        "lost": list(facts.lost)[:MOST_NAMED],
        "there": list(facts.there)[:MOST_NAMED],
        "unknown": sorted(set(found.unknown))[:MOST_NAMED],
        "monitors": {
            "lost": len(set(facts.lost)),
            "there": len(set(facts.there)),
            "unknown": len(set(found.unknown)),
        },
        "evidence_kinds": list(found.kinds),
        "why": why,
        "why_zh": why_zh,
    }
    if cause is not None:
        evidence["cause"] = cause
    if found.records:
        records = found.records[:MOST_NAMED]
        evidence["records"] = [recorded.told(device, node, lost) for node, device, lost in records]
        for _, device, lost in records[:2]:
            english, chinese = recorded.words(device, lost)
            why.append(english)
            why_zh.append(chinese)
    del site
    return evidence


def owners_of(tree: Tree, shares: NDArray[np.float64]) -> list[str]:
    """Whose cables are torn: everybody's on a severed span, its owner's where a conductor of it is
    open; of several, first the likeliest."""
    severed, rest = shares[:, 0], shares[:, 1:].sum(axis=1)
    chance: dict[str, float] = {}
    for i in np.flatnonzero(severed + rest > 1e-4):
        span: Span = tree.spans[int(i)]
        if span.owner:
            chance[span.owner] = chance.get(span.owner, 0.0) + float(severed[i] + rest[i])
        for owner in set(span.carries) - {span.owner}:
            chance[owner] = chance.get(owner, 0.0) + float(severed[i])
    return sorted((o for o, p in chance.items() if p >= OWNER_P), key=lambda o: (-chance[o], o))
