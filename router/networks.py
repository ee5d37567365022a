"""What hangs on what: the lines feed devices, the drains carry water. Read from the city once.

A cut is believed in where its event's `spans` say (the detector's probability by span); what is fed
only through such a span is behind it. Two events of one network are one thing when the places they
believe in overlap or touch; two cuts of one line hundreds of metres apart are two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from contracts.city import City, DrainNetwork, LineNetwork
from contracts.event import Event, Place
from contracts.geo import Point, distance_m
from router.joinable import error_m
from router.near import Near

LIKELY = 0.05
"""Spans and pipes believed in less are not where it is (the detectors show from 0.02 on)."""
OVERLAP = 0.2
"""Two beliefs share this much of their probability: the same place (1: equal, 0: apart)."""
FEEDS = ("customer", "transformer")
"""Nodes of a line that feed what stands beside them."""


class Fed(msgspec.Struct, frozen=True):
    """Whether something is fed through the cut, and by which span."""

    yes: bool
    span: str
    p: float


def shares(event: Event, name: str) -> dict[str, float]:
    """`[[id, p], …]` of the evidence as a dict; empty where there is none."""
    told = event.evidence.get(name)
    found: dict[str, float] = {}
    for pair in told if isinstance(told, (list, tuple)) else ():
        if isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[1], (int, float)):
            found[str(pair[0])] = float(pair[1])
    return found


def likely(event: Event, name: str) -> dict[str, float]:
    """The likeliest, and those with a fair chance beside it."""
    told = shares(event, name)
    best = max(told.values(), default=0.0)
    return {k: p for k, p in told.items() if p >= LIKELY or p == best}


class _Line:
    """One line: what is reached from its root, and what no longer is without a span."""

    def __init__(self, line: LineNetwork) -> None:
        self.line = line
        self._out: dict[str, list[tuple[str, str]]] = {}
        for span in line.spans.values():
            self._out.setdefault(span.from_, []).append((span.id, span.to))
        self._all = self._reached(None)
        self._behind: dict[str, frozenset[str]] = {}

    def _reached(self, without: str | None) -> set[str]:
        seen, todo = {self.line.root}, [self.line.root]
        while todo:
            for span, to in self._out.get(todo.pop(), ()):
                if span != without and to not in seen:
                    seen.add(to)
                    todo.append(to)
        return seen

    def behind(self, span: str) -> frozenset[str]:
        """Nodes that are fed only through this span."""
        found = self._behind.get(span)
        if found is None:
            found = self._behind[span] = frozenset(self._all - self._reached(span))
        return found

    def ends(self, span: str) -> tuple[str, ...]:
        """The nodes a span hangs between."""
        known = self.line.spans.get(span)
        return (known.from_, known.to) if known is not None else ()


class Networks:
    """Answers about lines and drains; keeps nothing of what happens."""

    def __init__(self, city: City, *, fed_reach_m: float, drain_reach_m: float) -> None:
        self._fed_reach_m = fed_reach_m
        self._drains = _Drains(city.drains, drain_reach_m) if city.drains is not None else None
        self._lines = {line.id: _Line(line) for line in city.lines}
        self._node: dict[str, list[tuple[str, str]]] = {}
        self._feeds = Near()
        for line in city.lines:
            for node in line.nodes.values():
                for name in {node.id, node.device or node.id}:
                    self._node.setdefault(name, []).append((line.id, node.id))
                if node.what in FEEDS:
                    place = Place(node.point.lon, node.point.lat)
                    self._feeds.put(f"{line.id}|{node.id}", [place])

    # --- lines --------------------------------------------------------------------------------

    def lines_of(self, event: Event) -> set[str]:
        """Lines that may feed what this event is about."""
        near = self._feeds.within(event.place, self._fed_reach_m)
        return {line for line, _ in self._named(event)} | {key.partition("|")[0] for key in near}

    def fed(self, event: Event, causes: Sequence[Event]) -> Fed | None:
        """Whether what this event is about is fed through where the cause's events believe the
        cut is; None where the city's lines cannot tell."""
        for cause in causes:
            line = self._lines.get(cause.site)
            spans = likely(cause, "spans")
            if line is None or not spans:
                continue
            nodes = list(self._nodes_of(event, line.line))
            if not nodes or not any(line.behind(span) for span in spans):
                continue
            lost = cause.evidence.get("lost")
            told = lost if isinstance(lost, (list, tuple)) else ()
            through = [
                (p, span)
                for span, p in spans.items()
                for node in nodes
                if node in line.behind(span) or node in line.ends(span) or node in told
            ]
            p, span = max(through, default=(0.0, next(iter(spans))))
            return Fed(bool(through), span, p)
        return None

    def _nodes_of(self, event: Event, line: LineNetwork) -> Iterator[str]:
        """Where it hangs on this line: by name, else what feeds the place it stands at."""
        named = [node for at, node in self._named(event) if at == line.id]
        yield from named
        if named:
            return
        near = [
            (distance_m(Point(event.place.lon, event.place.lat), line.nodes[node].point), node)
            for key in self._feeds.within(event.place, self._fed_reach_m)
            for at, _, node in [key.partition("|")]
            if at == line.id
        ]
        metres, node = min(near, default=(self._fed_reach_m + 1, ""))
        if metres <= self._fed_reach_m:
            yield node

    def _named(self, event: Event) -> Iterator[tuple[str, str]]:
        hint = event.evidence.get("hint")
        names: list[Any] = [event.device, event.site]
        if isinstance(hint, dict) and isinstance(hint.get("devices"), list):
            names += hint["devices"]
        for name in dict.fromkeys(n for n in names if isinstance(n, str)):
            yield from self._node.get(name, ())

    # --- one thing or two -----------------------------------------------------------------------

    def same(self, event: Event, others: Iterable[Event], join_m: float) -> bool | None:
        """Whether it is where one of these events of its kind is; None where only the distance can
        tell."""
        answers = [self._same(event, other, join_m) for other in others]
        known = [answer for answer in answers if answer is not None]
        return any(known) if known else None

    def _same(self, a: Event, b: Event, join_m: float) -> bool | None:
        if a.kind == "severed_cable" and a.site == b.site:
            return self._one_span(a, b)
        if a.kind == "drain_blocked" and self._drains is not None:
            pipes = likely(a, "pipes"), likely(b, "pipes")
            return self._drains.touch(*pipes) if all(pipes) else None
        if a.kind == "fibre_break" and a.site == b.site:
            x, y = a.evidence.get("distance_m"), b.evidence.get("distance_m")
            if isinstance(x, (int, float)) and isinstance(y, (int, float)):
                return abs(x - y) <= join_m + error_m(a) + error_m(b)
        return None

    def _one_span(self, a: Event, b: Event) -> bool | None:
        mine, theirs = shares(a, "spans"), shares(b, "spans")
        line = self._lines.get(a.site)
        if not mine or not theirs:
            return None
        if sum(min(p, theirs.get(span, 0.0)) for span, p in mine.items()) >= OVERLAP:
            return True
        if line is None:
            return False
        x, y = max(mine, key=lambda s: mine[s]), max(theirs, key=lambda s: theirs[s])
        return bool(set(line.ends(x)) & set(line.ends(y)))

    def above(self, place: Place, blockage: Event, metres: float) -> bool:
        """Whether water that backs up behind this blockage comes out at the place."""
        pipes = likely(blockage, "pipes")
        return self._drains is not None and self._drains.above(place, pipes, metres)


class _Drains:
    """The drains as a graph that is walked a little way only."""

    def __init__(self, drains: DrainNetwork, reach_m: float) -> None:
        self._drains = drains
        self._reach_m = reach_m
        self._into: dict[str, list[str]] = {}
        for pipe in drains.pipes.values():
            self._into.setdefault(pipe.to, []).append(pipe.id)
        self._up: dict[str, dict[str, float]] = {}

    def _length(self, pipe: str) -> float:
        known = self._drains.pipes[pipe]
        if known.length_m is not None:
            return known.length_m
        return sum(distance_m(p, q) for p, q in zip(known.path, known.path[1:], strict=False))

    def up(self, pipe: str) -> dict[str, float]:
        """Pipes that run into this one, and how far above it they end (metres), with itself."""
        found = self._up.get(pipe)
        if found is not None:
            return found
        found = {pipe: 0.0}
        todo = [(0.0, pipe)] if pipe in self._drains.pipes else []
        while todo:
            far, at = todo.pop()
            for above in self._into.get(self._drains.pipes[at].from_, ()):
                if far <= self._reach_m and far < found.get(above, self._reach_m + 1):
                    found[above] = far
                    todo.append((far + self._length(above), above))
        self._up[pipe] = found
        return found

    def touch(self, a: Iterable[str], b: Iterable[str]) -> bool:
        """Whether some pipe of one is, or lies on the way to, one of the other within reach."""
        left, right = list(a), list(b)
        return any(x in self.up(y) or y in self.up(x) for x in left for y in right)

    def above(self, place: Place, pipes: Iterable[str], metres: float) -> bool:
        """Whether a node at the upper end of these pipes, or above, is at the place."""
        point = Point(place.lon, place.lat)
        for pipe in pipes:
            for above in self.up(pipe):
                known = self._drains.pipes.get(above)
                node = self._drains.nodes.get(known.from_) if known is not None else None
                if node is not None and distance_m(node.point, point) <= metres:
                    return True
        return False
