"""The drainage network as a directed graph: what lies above and below, and which device stands
where.

Everything is in the direction of flow: `above` is where the water comes from. Networks may have
loops (a relief sewer) and pumps; walks visit every node once.
"""

from __future__ import annotations

import heapq
import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from contracts.city import Device, DrainNetwork, Node, Pipe
from contracts.geo import length_m
from detectors._common.water.near import Nearby

NEAR_M = 30.0
"""A device stands at the nearest node within this distance unless its name says which (metres):
surveyed manholes lie further apart, and positions of devices are good to some 10 m."""


class Graph:
    """Who is upstream of whom. Built once from a network; never changes.

    `pipes_in[node]` and `pipes_out[node]` are the pipes that end and begin there, by id in
    alphabetical order. Nodes without pipes (closing lines of a device) are in neither.
    """

    def __init__(self, network: DrainNetwork) -> None:
        self.network = network
        self.pipes_in: dict[str, tuple[Pipe, ...]] = {}
        self.pipes_out: dict[str, tuple[Pipe, ...]] = {}
        into: dict[str, list[Pipe]] = {}
        out: dict[str, list[Pipe]] = {}
        for pipe in sorted(network.pipes.values(), key=lambda p: p.id):
            for end in (pipe.from_, pipe.to):
                into.setdefault(end, [])
                out.setdefault(end, [])
            out[pipe.from_].append(pipe)
            into[pipe.to].append(pipe)
        for name in sorted(into):
            self.pipes_in[name] = tuple(into[name])
            self.pipes_out[name] = tuple(out[name])

    @property
    def nodes(self) -> tuple[str, ...]:
        """Nodes that some pipe begins or ends at, in alphabetical order."""
        return tuple(self.pipes_in)

    def above(self, node: str, reach_m: float = math.inf) -> dict[str, float]:
        """Nodes that drain through `node` → metres of pipe to it, nearest first, without it.

        `node` unknown here: nothing. Not further than `reach_m` along the pipes.
        """
        return self._walk(node, reach_m, self.pipes_in, lambda pipe: pipe.from_)

    def below(self, node: str, reach_m: float = math.inf) -> dict[str, float]:
        """Nodes that water from `node` passes → metres of pipe from it, nearest first."""
        return self._walk(node, reach_m, self.pipes_out, lambda pipe: pipe.to)

    def first_above(
        self, node: str, stops: Iterable[str], reach_m: float = math.inf
    ) -> dict[str, float]:
        """Of `stops` those above `node` with none between → metres; the sensors that tell first
        what comes."""
        return self._first(node, frozenset(stops), reach_m, self.pipes_in, lambda pipe: pipe.from_)

    def first_below(
        self, node: str, stops: Iterable[str], reach_m: float = math.inf
    ) -> dict[str, float]:
        """Of `stops` those below `node` with none between → metres."""
        return self._first(node, frozenset(stops), reach_m, self.pipes_out, lambda pipe: pipe.to)

    def chain(self, start: str, end: str) -> tuple[Pipe, ...] | None:
        """The pipes that water takes from `start` to `end`, the shortest way in metres; None:
        there is no way. Empty when they are the same node."""
        if start == end:
            return ()
        came: dict[str, Pipe] = {}
        self._walk(start, math.inf, self.pipes_out, lambda pipe: pipe.to, came)
        if end not in came:
            return None
        chain: list[Pipe] = []
        at = end
        while at != start:
            chain.append(came[at])
            at = came[at].from_
        return tuple(reversed(chain))

    def hops(self, a: str, b: str) -> int | None:
        """How many pipes away pipe `b` is from pipe `a`, whichever way: 0 the same, 1 they meet in
        a node. None: they are not connected, or one is unknown."""
        pipes = self.network.pipes
        if a not in pipes or b not in pipes:
            return None
        seen, queue = {a}, deque([(a, 0)])
        while queue:
            at, count = queue.popleft()
            if at == b:
                return count
            for end in (pipes[at].from_, pipes[at].to):
                for pipe in (*self.pipes_in[end], *self.pipes_out[end]):
                    if pipe.id not in seen:
                        seen.add(pipe.id)
                        queue.append((pipe.id, count + 1))
        return None

    def parts(self) -> list[DrainNetwork]:
        """The connected networks, ordered by their smallest node, each with its nodes and pipes."""
        parts: list[DrainNetwork] = []
        left = dict.fromkeys(self.pipes_in)
        while left:
            first = next(iter(left))
            queue, names = deque([first]), {first}
            while queue:
                at = queue.popleft()
                ends = [p.from_ for p in self.pipes_in[at]] + [p.to for p in self.pipes_out[at]]
                for end in ends:
                    if end not in names:
                        names.add(end)
                        queue.append(end)
            pipes = self.network.pipes
            parts.append(
                DrainNetwork(
                    nodes={name: self.network.nodes[name] for name in sorted(names)},
                    pipes={k: pipes[k] for k in sorted(pipes) if pipes[k].from_ in names},
                )
            )
            for name in names:
                del left[name]
        return parts

    def _walk(
        self,
        node: str,
        reach_m: float,
        step: Mapping[str, tuple[Pipe, ...]],
        end: Callable[[Pipe], str],
        came: dict[str, Pipe] | None = None,
        stops: frozenset[str] = frozenset(),
    ) -> dict[str, float]:
        """Dijkstra over pipe lengths, not beyond `stops`; `came` gets the pipe by which each node
        was reached."""
        if node not in step:
            return {}
        found: dict[str, float] = {}
        best = {node: 0.0}
        queue = [(0.0, node)]
        while queue:
            metres, at = heapq.heappop(queue)
            if at in found:
                continue
            found[at] = metres
            if at in stops and at != node:
                continue
            for pipe in step[at]:
                there, far = end(pipe), metres + pipe_length_m(pipe)
                if there in found or far > reach_m or far >= best.get(there, math.inf):
                    continue
                best[there] = far
                heapq.heappush(queue, (far, there))
                if came is not None:
                    came[there] = pipe
        del found[node]
        return found

    def _first(
        self,
        node: str,
        stops: frozenset[str],
        reach_m: float,
        step: Mapping[str, tuple[Pipe, ...]],
        end: Callable[[Pipe], str],
    ) -> dict[str, float]:
        found = self._walk(node, reach_m, step, end, stops=stops)
        return {n: metres for n, metres in found.items() if n in stops}


def pipe_length_m(pipe: Pipe) -> float:
    """Its length as registered, else as drawn (metres); at least 1."""
    return max(1.0, pipe.length_m if pipe.length_m else length_m(pipe.path))


def rim_of(node: Node | None) -> float | None:
    """Metres from the invert to the rim; None where they are not registered."""
    if node is None or node.rim_m is None or node.invert_m is None:
        return None
    return node.rim_m - node.invert_m if node.rim_m > node.invert_m else None


def outlets(graph: Graph) -> tuple[str, ...]:
    """Nodes that nothing leaves through a pipe: outfalls."""
    return tuple(n for n in graph.nodes if not graph.pipes_out[n])


def site_name(part: DrainNetwork) -> str:
    """What a connected network is called: after its first outfall, so that it keeps its name when
    manholes are added further up."""
    graph = Graph(part)
    first = next(iter(outlets(graph) or graph.nodes))
    return f"drains-{re.sub(r'[^A-Za-z0-9._-]', '-', first)}"[:64]


def stands(graph: Graph, devices: Iterable[Device], near_m: float = NEAR_M) -> dict[str, str]:
    """Device → the node with pipes that it stands at; devices that stand at none are absent.

    A node with the device's name (or its site's) and pipes is it; else the nearest node with pipes
    within `near_m` of the device.
    """
    nodes = graph.network.nodes
    near = Nearby({name: nodes[name] for name in graph.nodes})
    found = ((device.id, near.node_of(device, near_m)) for device in devices)
    return {device: node.id for device, node in found if node is not None}
