"""Where a network is pumped: which nodes its pumps keep under pressure, and what their wells hold.

Between a pump and the summit it pushes over there are bends, valves and branches, but no manhole:
nobody opens a main under pressure, connects a house to it or hangs a level sensor into it.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.water.network import Hole, Link

Raw = dict[str, list[str]]
STARTS_H = 6.0
"""Starts of a pump in an hour, at most (GB 50014-2021, 6.3; as most makers ask)."""


def force_mains(
    raw: Raw, links: Mapping[str, Link], holes: Mapping[str, Hole], metre: float
) -> tuple[set[str], dict[str, tuple[str, str]], dict[str, float]]:
    """Nodes under pressure behind pumps; the pipes of the mains, each from where to where; the
    level (m above datum) below which water stands at each node for ever.

    From every outfall and every pump's well on, each node gets the level at which its water would
    leave by itself: the lowest summit on any way out (a flood that rises from the outlets, as
    depressions of terrain are filled: Barnes et al., Computers & Geosciences 62, 2014). A node
    behind a pump at which that level lies above the crown of all its pipes is full for ever, and
    so is all that follows on its way to the summit.
    """
    shapes = {w[0]: float(w[2]) for w in map(str.split, raw.get("XSECTIONS", [])) if _number(w, 2)}
    ends: dict[str, list[tuple[str, str, float]]] = {}
    crown: dict[str, float] = {n: h.invert_m for n, h in holes.items()}
    rows = {w[0]: w for w in map(str.split, raw.get("CONDUITS", []))}
    for link in links.values():
        if link.what == "PUMPS":
            continue
        bottoms = [holes[link.from_].invert_m, holes[link.to].invert_m]
        row = rows.get(link.id)
        if row is not None:
            offsets = [float(row[k]) * metre if _number(row, k) else 0.0 for k in (5, 6)]
            if link.turned:
                offsets.reverse()
            bottoms = [b + o for b, o in zip(bottoms, offsets, strict=True)]
            high = shapes.get(link.id, 0.0) * metre
            for node, bottom in zip((link.from_, link.to), bottoms, strict=True):
                crown[node] = max(crown[node], bottom + high)
        ends.setdefault(link.from_, []).append((link.id, link.to, max(bottoms)))
        ends.setdefault(link.to, []).append((link.id, link.from_, max(bottoms)))
    pumps = [k for k in links.values() if k.what == "PUMPS"]
    outlets = {n for n, h in holes.items() if h.depth_m <= 0} | {p.from_ for p in pumps}
    ready = [(holes[n].invert_m, n, "", "") for n in sorted(outlets)]
    heapq.heapify(ready)
    level: dict[str, float] = {}
    out: dict[str, tuple[str, str]] = {}
    while ready:
        here, node, link_id, onward = heapq.heappop(ready)
        if node in level:
            continue
        level[node] = here
        if link_id:
            out[node] = (link_id, onward)
        for id, other, bottom in ends.get(node, []):
            if other not in level:
                heapq.heappush(ready, (max(here, bottom, holes[other].invert_m), other, id, node))
    sealed: set[str] = set()
    mains: dict[str, tuple[str, str]] = {}
    for pump in pumps:
        node = pump.to
        while node in out and node not in sealed and level[node] > crown[node] + 1e-6:
            sealed.add(node)
            id, onward = out[node]
            mains[id] = (node, onward)
            node = onward
    return sealed, mains, level


def roomy_wells(raw: Raw, unit: str) -> None:
    """Enlarge wet wells in which a pump would start more than `STARTS_H` times an hour.

    What is pumped between start and stop must be T q / 4 at least (T the time between two starts,
    q the pump's greatest flow, the worst inflow being half of it). Files that were converted
    between units have wells of a few square metres, which a pump empties in seconds.
    """
    curves: dict[str, list[list[str]]] = {}
    for row in raw.get("CURVES", []):
        words = row.split()
        curves.setdefault(words[0], []).append(words)
    needed: dict[str, float] = {}
    for w in map(str.split, raw.get("PUMPS", [])):
        drop = float(w[5]) - float(w[6]) if _number(w, 5) and _number(w, 6) else 0.0
        flows = [float(points[-1]) for points in curves.get(w[3], [])]
        if drop > 0 and flows:
            area = 3600 / STARTS_H * max(flows) * _VOLUME.get(unit, 1.0) / 4 / drop
            needed[w[1]] = max(needed.get(w[1], 0.0), area)
    rows = []
    for row in raw.get("STORAGE", []):
        w = row.split()
        if len(w) > 7 and w[4].upper() == "FUNCTIONAL" and w[0] in needed:
            least = needed[w[0]] - (float(w[5]) if float(w[6]) == 0 else 0.0)
            w[7] = f"{max(float(w[7]), least):.4f}"
        rows.append(" ".join(w))
    if rows:
        raw["STORAGE"] = rows


def one_switch(raw: Raw) -> None:
    """Leave out rules that switch a pump which has start and stop depths of its own.

    Two switches of one pump that disagree turn it on and off at every step of the engine.
    """
    own = {w[0] for w in map(str.split, raw.get("PUMPS", [])) if _number(w, 5) and float(w[5]) > 0}
    rules: list[list[str]] = []
    for row in raw.get("CONTROLS", []):
        if row.split()[0].upper() == "RULE" or not rules:
            rules.append([])
        rules[-1].append(row)
    kept = [rule for rule in rules if not any(_switches(row.split(), own) for row in rule)]
    raw["CONTROLS"] = [row for rule in kept for row in rule]


def _switches(words: Sequence[str], pumps: set[str]) -> bool:
    """Whether a line of a rule is an action upon one of the pumps."""
    acts = len(words) > 2 and words[0].upper() in ("THEN", "ELSE", "AND")
    return acts and words[1].upper() == "PUMP" and words[2] in pumps and "=" in words


_VOLUME = {"GPM": 0.133681 / 60, "MGD": 1.547229, "LPS": 1e-3, "MLD": 1e3 / 86_400}
"""Cubic feet or metres a second in the file's unit of flow; one where it is that already."""


def _number(words: Sequence[str], at: int) -> bool:
    try:
        float(words[at])
    except (ValueError, IndexError):
        return False
    return True
