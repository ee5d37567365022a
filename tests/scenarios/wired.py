"""The town with its networks in full: monitors on poles, what the line feeds, drains.

`L1` runs east along north 400 with a monitor on every pole; a lighting cabinet hangs on pole 6 and
a pumping station on pole 9. `L2` has forty customers in a row, each with a meter, over 1.6 km.
Drains run west along north 200: `d-10` at east 1000 down to `d-1` at east 100.
"""

from __future__ import annotations

from typing import Any

import msgspec

from contracts.city import City, Device, DrainNetwork, LineNetwork, LineNode, Node, Pipe, Span, Work
from contracts.event import Event
from tests.scenarios.script import event
from tests.scenarios.town import at, place, town


def _span(name: str, from_: LineNode, to: LineNode) -> Span:
    return Span(id=name, owner="grid-co", from_=from_.id, to=to.id, path=(from_.point, to.point))


def _line_1() -> LineNetwork:
    poles = [
        LineNode(id=f"p-{i}", what="pole", point=at(100 * i, 400), owner="grid-co", device=f"m-{i}")
        for i in range(1, 11)
    ]
    spans = [_span(f"s-{i}", poles[i - 1], poles[i]) for i in range(1, 10)]
    cabinet = LineNode(id="k-lights", what="customer", point=at(600, 430), device="m-lights")
    pumps = LineNode(id="k-pumps", what="customer", point=at(900, 460))
    spans += [_span("s-lights", poles[5], cabinet), _span("s-pumps", poles[8], pumps)]
    nodes = {n.id: n for n in (*poles, cabinet, pumps)}
    return LineNetwork(id="L1", nodes=nodes, spans={s.id: s for s in spans}, root="p-1")


def _line_2() -> LineNetwork:
    nodes = [
        LineNode(id=f"h-{i}", what="customer", point=at(100 + 40 * i, 700), device=f"meter-{i}")
        for i in range(41)
    ]
    spans = {f"t-{i}": _span(f"t-{i}", nodes[i], nodes[i + 1]) for i in range(40)}
    return LineNetwork(id="L2", nodes={n.id: n for n in nodes}, spans=spans, root="h-0")


def _drains() -> DrainNetwork:
    nodes = {f"d-{i}": Node(id=f"d-{i}", point=at(100 * i, 200)) for i in range(1, 11)}
    pipes = {
        f"q-{i}": Pipe(
            id=f"q-{i}",
            from_=f"d-{i + 1}",
            to=f"d-{i}",
            path=(at(100 * (i + 1), 200), at(100 * i, 200)),
        )
        for i in range(1, 10)
    }
    return DrainNetwork(nodes=nodes, pipes=pipes)


def wired_town(*works: Work) -> City:
    """The town with lines, drains and planned works."""
    base = town()
    more = [
        Device(id="m-lights", district="d", type="line", point=at(600, 430), owner="grid-co"),
        Device(id="hyd-1", district="d", type="hydrant", point=at(905, 465), owner="drainage"),
        Device(id="hyd-2", district="d", type="hydrant", point=at(300, 300), owner="drainage"),
        *(
            Device(id=f"meter-{i}", district="d", type="line", point=at(100 + 40 * i, 700))
            for i in range(41)
        ),
    ]
    return msgspec.structs.replace(
        base,
        devices=base.devices | {d.id: d for d in more},
        lines=(_line_1(), _line_2()),
        drains=_drains(),
        works=works,
    )


def cut(span: int, seconds: float = 0.0, /, *, line: str = "L1", **more: Any) -> Event:
    """A cut of span `s-{span}` of L1 (`t-{span}` of L2), told at its middle."""
    name = f"s-{span}" if line == "L1" else f"t-{span}"
    where = place(100 * span + 50, 400) if line == "L1" else place(120 + 40 * span, 700)
    told: dict[str, Any] = {"owners": ["grid-co"], "spans": [[name, 0.9]], "error_m": 300.0}
    return event("severed_cable", line, where, seconds, **(told | more))


def silent(device: str, east: float, north: float, seconds: float, **more: Any) -> Event:
    """A device misses its reports."""
    return event("sensor_silent", device, place(east, north), seconds, severity=1, **more)
