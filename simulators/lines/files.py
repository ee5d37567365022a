"""The IEEE test feeders from their OpenDSS files, with bus coordinates, as line networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from contracts.city import LineNetwork, LineNode, Span
from contracts.errors import Wrong
from contracts.geo import Point
from simulators.frame import XY, to_point
from simulators.lines.engine import context
from simulators.lines.model import EARTH, FEED, Model, Spot, Wire

FILES = {
    "ieee123": ("123Bus/IEEE123Master.dss", "123Bus/BusCoords.dat"),
    "ieee13": ("13Bus/IEEE13Nodeckt.dss", "13Bus/IEEE13Node_BusXY.csv"),
}
_METRES = {0: 1.0, 1: 1609.344, 2: 304.8, 3: 1000.0, 4: 1.0, 5: 0.3048, 6: 0.0254, 7: 0.01}
"""OpenDSS's LineUnits: none, mi, kft, km, m, ft, in, cm."""
_SHORTEST_M = 3.0
"""A switch or a regulator's jumper is drawn this long, so that its ends are two places."""


class _Line(msgspec.Struct):
    name: str
    ends: tuple[str, str]
    metres: float
    switch: bool
    conductors: tuple[int, ...]


def read(feeder: str, folder: Path | None) -> Model:
    """The feeder of that name in `folder`.

    Buses that a transformer or regulator joins are one node; normally open ties are left out.
    Spans are as long as their lines and point as the coordinates say.
    Raises Wrong when the folder or the file is not there or the engine is not installed.
    """
    master, coordinates = FILES[feeder]
    path = (folder / master) if folder is not None else Path(master)
    if folder is None or not path.is_file():
        raise Wrong(
            f"lines: {feeder}", f"{path} is not there", "the folder with the OpenDSS feeders"
        )
    dss = context()
    dss.Text.Command(f'compile "{path}"')
    dss.Text.Command(f'buscoords "{folder / coordinates}"')
    source = _source_bus(dss)
    more = (
        f"edit vsource.source bus1={FEED}",
        f"new line.{FEED} bus1={FEED} bus2={source} phases=3 switch=yes "
        "r1=1e-4 r0=1e-4 x1=0 x0=0 c1=0 c0=0",
        f"new fault.{EARTH} bus1={source}.1 phases=1 r=1000 enabled=no",
        "calcvoltagebases",
    )
    for command in (*more, "solve"):
        dss.Text.Command(command)
    return _model(feeder, dss, source, (f'compile "{path}"', *more))


def _source_bus(dss: Any) -> str:
    dss.Circuit.SetActiveElement("vsource.source")
    return str(dss.CktElement.BusNames()[0]).split(".")[0].lower()


def _elements(dss: Any, kind: str) -> list[_Line]:
    found = []
    for name in dss.PDElements.AllNames():
        if not str(name).lower().startswith(kind + ".") or name.lower() == f"line.{FEED}":
            continue
        dss.Circuit.SetActiveElement(name)
        buses = [str(b).split(".")[0].lower() for b in dss.CktElement.BusNames()]
        nodes = dss.CktElement.NodeOrder()
        count = dss.CktElement.NumConductors()
        metres, switch = 0.0, False
        if kind == "line":
            dss.Lines.Name(str(name).split(".", 1)[1])
            switch = bool(dss.Lines.IsSwitch())
            metres = dss.Lines.Length() * _METRES[int(dss.Lines.Units())]
        found.append(
            _Line(
                str(name).lower(),
                (buses[0], buses[1]),
                metres,
                switch,
                tuple(int(n) for n in nodes[:count]),
            )
        )
    return found


def _groups(transformers: list[_Line], buses: list[str]) -> dict[str, str]:
    """Bus → the bus that stands for all those that transformers join with it."""
    stands = {b: b for b in buses}

    def top(bus: str) -> str:
        while stands[bus] != bus:
            bus = stands[bus]
        return bus

    for one in transformers:
        a, b = (top(x) for x in one.ends)
        stands[b] = a
    return {b: top(b) for b in buses}


def _model(feeder: str, dss: Any, source: str, commands: tuple[str, ...]) -> Model:
    buses = [str(b).lower() for b in dss.Circuit.AllBusNames() if b.lower() != FEED]
    transformers = _elements(dss, "transformer")
    group = _groups(transformers, buses)
    members: dict[str, list[str]] = {}
    for bus in buses:
        members.setdefault(group[bus], []).append(bus)
    lines = [
        one for one in _elements(dss, "line") if not any(b.endswith("_open") for b in one.ends)
    ]
    reach: dict[str, list[tuple[_Line, str, str]]] = {}
    for one in lines:
        a, b = one.ends
        reach.setdefault(group[a], []).append((one, a, b))
        reach.setdefault(group[b], []).append((one, b, a))
    spots, steps = _spots(dss, members)
    at = _coordinates(dss, members)
    root = group[source]
    places: dict[str, XY] = {root: (400.0, 400.0)}
    nodes: dict[str, LineNode] = {}
    spans: dict[str, Span] = {}
    wires: dict[str, Wire] = {}
    lengths: dict[str, float] = {}
    chainage = {root: 0.0}
    front = [root]
    while front:
        here = front.pop(0)
        id = _id(here)
        nodes[id] = LineNode(
            id=id,
            what="transformer" if here in steps else "pole",
            point=to_point(places[here]),
            chainage_m=round(chainage[here], 1),
        )
        for one, near, far in reach.get(here, []):
            there = group[far]
            if there in places:
                continue
            metres = max(one.metres, _SHORTEST_M)
            places[there] = _step(places[here], at.get(here), at.get(there), metres, len(places))
            chainage[there] = chainage[here] + metres
            span = one.name.split(".", 1)[1]
            phases = "".join("abc"[p - 1] for p in sorted(one.conductors) if 1 <= p <= 3)
            ends = (to_point(places[here]), to_point(places[there]))
            spans[span] = Span(
                id=span,
                owner=None,
                from_=id,
                to=_id(there),
                path=ends,
                chainage_m=round(chainage[here], 1),
                kv=_kv(dss, near),
                phases=phases,
                switch=one.switch,
            )
            lengths[span] = metres
            wires[span] = Wire(one.name, one.conductors, near)
            front.append(there)
    loads: dict[str, tuple[str, ...]] = {}
    for name in dss.Loads.AllNames():
        dss.Circuit.SetActiveElement(f"load.{name}")
        node = _id(group[str(dss.CktElement.BusNames()[0]).split(".")[0].lower()])
        loads[node] = (*loads.get(node, ()), str(name).lower())
    return Model(
        key=feeder,
        network=LineNetwork(id=f"line-{feeder}", nodes=nodes, spans=spans, root=_id(root)),
        lengths=lengths,
        spots={_id(g): s for g, s in spots.items() if _id(g) in nodes},
        wires=wires,
        loads={n: names for n, names in loads.items() if n in nodes},
        commands=commands,
    )


def _id(bus: str) -> str:
    return f"b{bus}"


def _kv(dss: Any, bus: str) -> float:
    dss.Circuit.SetActiveBus(bus)
    return round(float(dss.Bus.kVBase()) * 3**0.5, 3)


def _spots(dss: Any, members: dict[str, list[str]]) -> tuple[dict[str, Spot], set[str]]:
    """Where a monitor measures at each group (the low side of a transformer, the upstream side of
    a regulator), and the groups that are transformers."""
    spots, steps = {}, set()
    for head, buses in members.items():
        best, low = head, _kv(dss, head)
        for bus in buses:
            kv = _kv(dss, bus)
            if kv < 0.8 * low:
                best, low = bus, kv
                steps.add(head)
        dss.Circuit.SetActiveBus(best)
        phases = tuple(sorted(int(n) for n in dss.Bus.Nodes() if 1 <= n <= 3))
        spots[head] = Spot(best, float(dss.Bus.kVBase()) * 1000.0, phases)
    return spots, steps


def _coordinates(dss: Any, members: dict[str, list[str]]) -> dict[str, XY]:
    found = {}
    for head, buses in members.items():
        for bus in buses:
            dss.Circuit.SetActiveBus(bus)
            if dss.Bus.Coorddefined():
                found[head] = (float(dss.Bus.X()), float(dss.Bus.Y()))
                break
    return found


def _step(here: XY, a: XY | None, b: XY | None, metres: float, turn: int) -> XY:
    """The place so many metres from `here` in the direction from `a` to `b` of the drawing."""
    dx, dy = (b[0] - a[0], b[1] - a[1]) if a is not None and b is not None else (0.0, 0.0)
    far = float(np.hypot(dx, dy))
    if far <= 0:  # not drawn: aside, each another way
        dx, dy, far = float(np.cos(2.4 * turn)), float(np.sin(2.4 * turn)), 1.0
    return here[0] + dx / far * metres, here[1] + dy / far * metres


def centre(network: LineNetwork) -> Point:
    """The middle of a network's nodes."""
    points = [n.point for n in network.nodes.values()]
    return Point(sum(p.lon for p in points) / len(points), sum(p.lat for p in points) / len(points))
