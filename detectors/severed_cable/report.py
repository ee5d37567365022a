"""What a finding says: spans, point, owners, what it rests on, what it was held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.clock import iso
from detectors.severed_cable import recorded
from detectors.severed_cable.belief import Belief, column_phases
from detectors.severed_cable.config import SeveredCableConfig
from detectors.severed_cable.expect import KIND as KINDS
from detectors.severed_cable.expect import WHAT
from detectors.severed_cable.happening import Happening
from detectors.severed_cable.hear import Findings, cause_of
from detectors.severed_cable.monitors import CURRENTS, VOLTAGES, Monitor
from detectors.severed_cable.place import place_of
from detectors.severed_cable.prior import Planned
from detectors.severed_cable.tree import Tree
from detectors.severed_cable.whose import owners_of, shares_of, torn
from detectors.severed_cable.words import LEAST_P, Facts, alternatives, reasons

MOST_NAMED = 40
SHOWN = (3, 2)
"""Of how many monitors that lost something, and that did not, the channels are told."""


def evidence_of(
    tree: Tree,
    monitors: Mapping[str, Monitor],
    belief: Belief,
    found: Findings,
    planned: Sequence[Planned],
    one: Happening,
    age_s: float,
    cfg: SeveredCableConfig,
    lone: NDArray[np.bool_],
) -> dict[str, Any]:
    """The evidence of an event. `lone`: spans of `whose.lone_of`, shape (spans,)."""
    spans = belief.spans.sum(axis=1) / max(belief.cable, 1e-12)
    shares = shares_of(tree, belief.spans, lone, found.lost, bool(found.fallen))
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
    why, why_zh = reasons(facts, others)
    evidence: dict[str, Any] = {
        "spans": [[tree.spans[i].id, round(float(spans[i]), 4)] for i in shown],
        "point": {"lon": round(place.point.lon, 7), "lat": round(place.point.lat, 7)},
        "error_m": round(place.error_m, 1),
        "what": what,
        "whats": {w: round(p, 4) for w, p in chance.items()},
        "phases": facts.phases,
        "owners": owners_of(tree, shares),
        "torn": {owner: round(p, 4) for owner, p in torn(tree, shares).items() if p >= 0.005},
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
        "channels": channels_of(found, monitors),
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
    return evidence


def channels_of(found: Findings, monitors: Mapping[str, Monitor]) -> list[dict[str, Any]]:
    """What the nearest of the evidence says, channel by channel: some that lost something, some
    that did not, each with what was usual there. Their course is in the readings."""
    lost = [d for d in found.views if monitors[d].off is not None]
    there = [d for d in found.views if monitors[d].off is None]
    told = []
    for device in (*sorted(lost)[: SHOWN[0]], *sorted(there)[: SHOWN[1]]):
        for metric, channel in sorted(monitors[device].channels.items()):
            if metric in VOLTAGES or metric in CURRENTS or metric == "tension":
                told.append({
                    "device": device, "metric": metric, "usual": round(channel.usual, 2),
                    "value": round(channel.value, 2), "at": iso(channel.at),
                })  # fmt: skip
    return told
