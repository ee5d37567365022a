"""A line as a tree, for rules and for judging: who is fed through which span, what is near what."""

from __future__ import annotations

from collections import defaultdict, deque

from contracts.city import LineNetwork, Span
from contracts.geo import Point, along, length_m


class Tree:
    """Of one line."""

    def __init__(self, line: LineNetwork) -> None:
        self.line = line
        self.into: dict[str, Span] = {span.to: span for span in line.spans.values()}
        """Node → the span that feeds it."""
        self.node_of = {n.device: n.id for n in line.nodes.values() if n.device is not None}
        """Monitor → its node."""
        self._at: dict[str, list[str]] = defaultdict(list)
        for span in line.spans.values():
            self._at[span.from_].append(span.id)
            self._at[span.to].append(span.id)

    def above(self, node: str) -> list[str]:
        """The nodes from this one up to the root, itself first."""
        found = [node]
        while found[-1] in self.into and len(found) <= len(self.line.nodes):
            found.append(self.into[found[-1]].from_)
        return found

    def feeding(self, device: str) -> str | None:
        """The span that feeds the node of a monitor; at the root the first that leaves it."""
        node = self.node_of.get(device)
        if node is None:
            return None
        if node in self.into:
            return self.into[node].id
        return min(self._at[node], default=None)

    def apart(self, span: str, other: str) -> int | None:
        """Spans from the one to the other; 0: the same, 1: they share a node."""
        spans = self.line.spans
        if span not in spans or other not in spans:
            return None
        seen, waiting = {span: 0}, deque([span])
        while waiting:
            one = waiting.popleft()
            if one == other:
                return seen[one]
            for node in (spans[one].from_, spans[one].to):
                for near in self._at[node]:
                    if near not in seen:
                        seen[near] = seen[one] + 1
                        waiting.append(near)
        return None

    def path(self, span: Span) -> tuple[Point, ...]:
        """The span as drawn."""
        nodes = self.line.nodes
        return span.path or (nodes[span.from_].point, nodes[span.to].point)

    def middle(self, span: str) -> Point | None:
        """Its middle: where whoever names a span alone sends people."""
        found = self.line.spans.get(span)
        if found is None:
            return None
        path = self.path(found)
        return along(path, length_m(path) / 2)
