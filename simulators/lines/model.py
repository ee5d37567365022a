"""A feeder as both sides need it: the register's line network and the engine's circuit."""

from __future__ import annotations

import msgspec

from contracts.city import LineNetwork

FEED = "gs_feed"
"""The piece between the source and the root: what is opened there is an outage upstream."""
EARTH = "gs_earth"
"""The resistance between a fallen conductor and the ground; off unless something lies there."""


class Wire(msgspec.Struct, frozen=True):
    """A span's element in the engine."""

    element: str
    """Its full name, lower case: `line.l25`."""
    conductors: tuple[int, ...]
    """Phase of each conductor, 1 to 3, 4 the neutral, in the engine's order."""
    bus: str
    """The bus at its end towards the source."""


class Spot(msgspec.Struct, frozen=True):
    """What a monitor at a node would measure."""

    bus: str
    nominal_v: float
    """Phase to earth or neutral, rated."""
    phases: tuple[int, ...]
    """Phases there, 1 to 3."""
    neutral: bool = False
    """A neutral conductor is there: phases are measured against it, and it against earth."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A feeder without owners and devices; what `commands` build is solved once with the
    regulators' controls on, which then keep their taps."""

    key: str
    """Same key, same circuit."""
    network: LineNetwork
    """Nodes and spans with points, `kv`, `phases` and `switch`."""
    lengths: dict[str, float]
    spots: dict[str, Spot]
    wires: dict[str, Wire]
    loads: dict[str, tuple[str, ...]]
    """Node → names of the loads there."""
    commands: tuple[str, ...]
    isolated: bool = False
    """No neutral point of the medium voltage is earthed."""

    def parent(self) -> dict[str, str]:
        """Node → the span that feeds it."""
        return {s.to: s.id for s in self.network.spans.values()}

    def behind(self, span: str) -> frozenset[str]:
        """The nodes that `span` feeds."""
        down: dict[str, list[str]] = {}
        for s in self.network.spans.values():
            down.setdefault(s.from_, []).append(s.to)
        reach: set[str] = set()
        front = [self.network.spans[span].to]
        while front:
            node = front.pop()
            reach.add(node)
            front += down.get(node, ())
        return frozenset(reach)
