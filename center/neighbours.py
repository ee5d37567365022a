"""Which sensors stand up- and downstream of one another in the city's drains."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from contracts.city import City, Device, Node
from contracts.geo import distance_m

NEAR_M: Final = 30.0
"""A device without a node of its name belongs to the nearest one within this."""
STEPS: Final = 40
"""Pipes looked along for the next sensor."""
EACH: Final = 2
"""Sensors shown on each side."""


LEVEL_TYPES: Final = frozenset({"drain", "level", "water", "water_level", "manhole"})
"""Device types that measure a level where `metrics` does not say so."""


def measures(device: Device, metric: str) -> bool:
    """Whether a device as registered gives this metric."""
    if device.metrics:
        return metric in device.metrics
    return metric == "level" and device.type in LEVEL_TYPES


class Drains:
    """The drains with the devices that stand in them."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._nodes: Mapping[str, Node] = city.drains.nodes if city.drains is not None else {}
        self._known: dict[str, dict[str, list[str]]] = {}
        self._up: dict[str, list[str]] = defaultdict(list)
        self._down: dict[str, list[str]] = defaultdict(list)
        for pipe in city.drains.pipes.values() if city.drains is not None else ():
            self._down[pipe.from_].append(pipe.to)
            self._up[pipe.to].append(pipe.from_)

    def node_of(self, device: Device) -> Node | None:
        """The node whose id is the device's or its site's, else the nearest one."""
        for name in (device.id, device.site):
            if name is not None and name in self._nodes:
                return self._nodes[name]
        near = min(
            self._nodes.values(),
            key=lambda n: (distance_m(n.point, device.point), n.id),
            default=None,
        )
        return near if near and distance_m(near.point, device.point) <= NEAR_M else None

    def rim(self, device: str) -> float | None:
        """Metres from invert to rim where a device stands."""
        known = self._city.devices.get(device)
        node = self.node_of(known) if known is not None else None
        if node is None or node.rim_m is None or node.invert_m is None:
            return None
        return node.rim_m - node.invert_m if node.rim_m > node.invert_m else None

    def beside(self, device: str, metric: str) -> list[tuple[Literal["up", "down"], str]]:
        """The next sensors of this metric up- and downstream, nearest first."""
        known = self._city.devices.get(device)
        node = self.node_of(known) if known is not None else None
        if node is None:
            return []
        standing = self._standing(metric)
        up = self._next(node.id, self._up, standing)
        down = self._next(node.id, self._down, standing)
        return [("up", one) for one in up] + [("down", one) for one in down]

    def sensor_above(self, pipe: str | None, metric: str) -> str | None:
        """The sensor next above a pipe (water backs up there), else the next below it."""
        known = self._city.drains.pipes.get(pipe) if self._city.drains and pipe else None
        if known is None:
            return None
        standing = self._standing(metric)
        for node, way in ((known.from_, self._up), (known.to, self._down)):
            found = [*standing.get(node, ()), *self._next(node, way, standing)]
            for first in found:
                return str(first)
        return None

    def _standing(self, metric: str) -> dict[str, list[str]]:
        """The sensors of a metric by the node they stand in; found once."""
        if metric not in self._known:
            out: dict[str, list[str]] = defaultdict(list)
            for device in sorted(self._city.devices.values(), key=lambda d: d.id):
                node = self.node_of(device) if measures(device, metric) else None
                if node is not None:
                    out[node.id].append(device.id)
            self._known[metric] = dict(out)
        return self._known[metric]

    def _next(
        self, node: str, way: Mapping[str, Iterable[str]], standing: Mapping[str, list[str]]
    ) -> list[str]:
        """Walking along the pipes, the first sensors met; none behind another is looked for."""
        seen, waiting, found = {node}, deque([(node, 0)]), list[str]()
        while waiting and len(found) < EACH:
            one, steps = waiting.popleft()
            for other in way.get(one, ()):
                if other in seen or steps >= STEPS:
                    continue
                seen.add(other)
                if standing.get(other):
                    found.append(standing[other][0])
                else:
                    waiting.append((other, steps + 1))
        return found[:EACH]
