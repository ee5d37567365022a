"""Feeders drawn from a seed: a Chinese town's 10 kV overhead line with isolated neutral, its Dyn11
transformers and their four-wire 0.4 kV nets; and a village behind one transformer.

Conductors: LGJ-120 (10 kV) and JKLYJ-70 (0.4 kV) with Carson's earth return at 50 Hz and 100 ohm m;
zero-sequence capacitance of a 10 kV overhead line about 5 nF/km. Earthing as in DL/T 499: 4 ohm at
the transformer's neutral, sometimes 10 ohm again at an end of the net.
"""

from __future__ import annotations

import math

import numpy as np

from contracts.city import LineNetwork, LineNode, Span
from simulators.dice import between, dice
from simulators.frame import XY, to_point
from simulators.lines.model import EARTH, FEED, Model, Spot, Wire

MV_V, LV_V = 10_000 / 3**0.5, 400 / 3**0.5
ABC, ABCN = (1, 2, 3), (1, 2, 3, 4)
_SIZES = (50, 100, 160, 200, 315, 400, 630)
_SWITCH_M = 3.0


def _matrix(size: int, self_: float, mutual: float) -> str:
    rows = [" ".join([str(mutual)] * k + [str(self_)]) for k in range(size)]
    return "[" + " | ".join(rows) + "]"


def _code(name: str, size: int, r: float, x: float, mutual: float, c: float) -> str:
    """A line code in ohm and nF per km; the earth return's share is 0.049 ohm/km."""
    return (
        f"new linecode.{name} nphases={size} units=km rmatrix={_matrix(size, r + 0.049, 0.049)} "
        f"xmatrix={_matrix(size, x, mutual)} cmatrix={_matrix(size, c, -0.15 * c)}"
    )


_CODES = (
    _code("mv", 3, 0.27, 0.76, 0.42, 7.0),
    _code("lv4", 4, 0.44, 0.78, 0.49, 5.0),
    _code("drop4", 4, 1.2, 0.80, 0.55, 3.0),
    _code("drop2", 2, 1.9, 0.82, 0.57, 3.0),
)


class Pencil:
    """Draws nodes and spans and says the same to the engine."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.at: dict[str, XY] = {}
        self.nodes: dict[str, LineNode] = {}
        self.spans: dict[str, Span] = {}
        self.lengths: dict[str, float] = {}
        self.spots: dict[str, Spot] = {}
        self.wires: dict[str, Wire] = {}
        self.loads: dict[str, tuple[str, ...]] = {}
        self.commands: list[str] = []
        self._chainage: dict[str, float] = {}

    def node(self, id: str, what: str, at: XY, spot: Spot, chainage_m: float = 0.0) -> None:
        """A node; its chainage is kept with it."""
        self.at[id] = at
        self.spots[id] = spot
        self._chainage[id] = chainage_m
        self.nodes[id] = LineNode(
            id=id, what=what, point=to_point(at), chainage_m=round(chainage_m, 1)
        )

    def span(
        self,
        start: str,
        end: str,
        what: str,
        at: XY,
        *,
        bus: str,
        to_bus: str,
        spot: Spot,
        conductors: tuple[int, ...],
        code: str,
        kv: float,
        switch: bool = False,
    ) -> None:
        """A new node and the conductors to it."""
        metres = math.dist(self.at[start], at)
        chainage = self._chainage[start]
        self.node(end, what, at, spot, chainage + metres)
        id = f"s-{end}"
        self.spans[id] = Span(
            id=id,
            owner=None,
            from_=start,
            to=end,
            path=(self.nodes[start].point, self.nodes[end].point),
            chainage_m=round(chainage, 1),
            kv=kv,
            phases="".join("abcn"[c - 1] for c in conductors),
            switch=switch,
        )
        self.lengths[id] = metres
        dots = "." + ".".join(map(str, conductors))
        self.wires[id] = Wire(f"line.{_name(id)}", conductors, bus)
        self.commands.append(
            f"new line.{_name(id)} phases={len(conductors)} bus1={bus}{dots} bus2={to_bus}{dots} "
            f"linecode={code} units=km length={max(metres, 1.0) / 1000:.6f}"
        )

    def mv(self, start: str, end: str, at: XY, *, switch: bool = False) -> None:
        """A pole of the 10 kV line."""
        bus, to_bus = self.spots[start].bus, _name(end)
        self.span(
            start,
            end,
            "pole",
            at,
            bus=bus,
            to_bus=to_bus,
            spot=Spot(to_bus, MV_V, ABC),
            conductors=ABC,
            code="mv",
            kv=10.0,
            switch=switch,
        )

    def transformer(self, start: str, end: str, at: XY, kva: float) -> None:
        """A Dyn11 transformer behind its drop-out fuse."""
        low = f"{_name(end)}_lv"
        self.span(
            start,
            end,
            "transformer",
            at,
            bus=self.spots[start].bus,
            to_bus=_name(end),
            spot=Spot(low, LV_V, ABC, True),
            conductors=ABC,
            code="mv",
            kv=10.0,
            switch=True,
        )
        self.commands += step_down(_name(end), low, kva)

    def lv(self, start: str, end: str, at: XY, *, switch: bool = False) -> None:
        """A pole of a four-wire net."""
        bus, to_bus = self.spots[start].bus, _name(end)
        self.span(
            start,
            end,
            "pole",
            at,
            bus=bus,
            to_bus=to_bus,
            spot=Spot(to_bus, LV_V, ABC, True),
            conductors=ABCN,
            code="lv4",
            kv=0.4,
            switch=switch,
        )

    def customer(self, pole: str, end: str) -> float:
        """A customer at the end of a drop; returns its rated load in kW."""
        rng = self.rng
        x, y = self.at[pole]
        side = 1.0 if rng.random() < 0.5 else -1.0
        at = (x + between(rng, (-8, 8)), y + side * between(rng, (8, 22)))
        three = rng.random() < 0.2
        phases = ABC if three else (1 + int(rng.integers(3)),)
        bus = _name(end)
        self.span(
            pole,
            end,
            "customer",
            at,
            bus=self.spots[pole].bus,
            to_bus=bus,
            spot=Spot(bus, LV_V, phases, True),
            conductors=(*phases, 4),
            code="drop4" if three else "drop2",
            kv=0.4,
        )
        kw = between(rng, (4, 15)) if three else between(rng, (0.8, 6))
        self.load(end, bus, phases, kw)
        return kw

    def load(self, node: str, bus: str, phases: tuple[int, ...], kw: float) -> None:
        """Constant impedances from each phase to the neutral: what appliances are to a neutral
        that is gone."""
        names = []
        for phase in phases:
            name = f"{_name(node)}_{phase}"
            names.append(name)
            part = kw / len(phases) * (between(self.rng, (0.8, 1.2)) if len(phases) > 1 else 1.0)
            self.commands.append(
                f"new load.{name} bus1={bus}.{phase}.4 phases=1 conn=wye model=2 kv=0.22 "
                f"kw={part:.4f} pf={between(self.rng, (0.9, 0.99)):.3f}"
            )
        self.loads[node] = tuple(names)

    def net(self, transformer: str, prefix: str, heading: float) -> float:
        """A four-wire net away from a transformer; returns its customers' rated load in kW."""
        rng = self.rng
        ways = 1 + int(rng.random() < 0.6)
        kw, last = 0.0, transformer
        for way in range(ways):
            turn = heading + (0.0 if ways == 1 else (-0.5 + way) * 1.6)
            before = f"{prefix}{way + 1}00"
            self.lv(transformer, before, self.off(transformer, turn, _SWITCH_M), switch=True)
            count = int(rng.integers(5, 11))
            fork = int(rng.integers(2, count - 1))
            for k in range(1, count + 1):
                id = f"{prefix}{way + 1}{k:02d}"
                self.lv(before, id, self.off(before, turn + float(rng.normal(0, 0.08))))
                kw += self._customers(id)
                if k == fork:
                    kw += self._branch(id, turn + (1.4 if rng.random() < 0.5 else -1.4))
                before = last = id
        if rng.random() < 0.5:  # repeated earthing at an end
            bus = _name(last)
            self.commands.append(
                f"new reactor.re_{bus} bus1={bus}.4 bus2={bus}.0 phases=1 r=10 x=0"
            )
        return kw

    def _branch(self, at: str, turn: float) -> float:
        kw, before = 0.0, at
        switched = self.rng.random() < 0.4
        for k in range(1, int(self.rng.integers(2, 6)) + 1):
            id = f"{at}x{k}"
            first = switched and k == 1
            far = self.off(before, turn, _SWITCH_M if first else None)
            self.lv(before, id, far, switch=first)
            if not first:
                kw += self._customers(id)
            before = id
        return kw

    def _customers(self, pole: str) -> float:
        count = int(self.rng.choice([0, 1, 2], p=[0.3, 0.45, 0.25]))
        return sum(self.customer(pole, f"{pole}c{k + 1}") for k in range(count))

    def off(self, start: str, turn: float, metres: float | None = None) -> XY:
        """The place so far from a node that way; unless said, a low-voltage span's length."""
        x, y = self.at[start]
        far = between(self.rng, (32.0, 48.0)) if metres is None else metres
        return x + far * math.cos(turn), y + far * math.sin(turn)

    def line(self, start: str, turn: float, count: int, prefix: str, switches: set[int]) -> str:
        """Poles of the 10 kV line in a row, some a switch's second side; returns the last."""
        before = start
        for k in range(1, count + 1):
            id, switch = f"{prefix}{k:02d}", k in switches
            far = _SWITCH_M if switch else between(self.rng, (48.0, 68.0))
            self.mv(
                before,
                id,
                self.off(before, turn + float(self.rng.normal(0, 0.05)), far),
                switch=switch,
            )
            before = id
        return before


def _name(id: str) -> str:
    return id.replace("-", "_").lower()


def step_down(bus: str, low: str, kva: float) -> tuple[str, str]:
    """A Dyn11 transformer 10/0.4 kV and the earthing of its neutral."""
    return (
        f"new transformer.t_{bus} phases=3 windings=2 buses=({bus}, {low}.1.2.3.4) "
        f"conns=(delta, wye) kvs=(10, 0.4) kvas=({kva}, {kva}) xhl=4 %loadloss=1.2",
        f"new reactor.e_{bus} bus1={low}.4 bus2={low}.0 phases=1 r=4 x=0",
    )


def _size(kw: float) -> float:
    return float(next((s for s in _SIZES if s >= 1.1 * kw), _SIZES[-1]))


def _head(root: str) -> tuple[str, ...]:
    return (
        f"new line.{FEED} bus1=busbar bus2={root} phases=3 switch=yes r1=1e-4 r0=1e-4 x1=0 x0=0 "
        "c1=0 c0=0",
        f"new fault.{EARTH} bus1={root}.1 phases=1 r=1000 enabled=no",
    )


def _model(key: str, pencil: Pencil, root: str, head: tuple[str, ...], isolated: bool) -> Model:
    tail = ("set voltagebases=[35, 10, 0.4]", "calcvoltagebases")
    return Model(
        key=key,
        network=LineNetwork(id=f"line-{key}", nodes=pencil.nodes, spans=pencil.spans, root=root),
        lengths=pencil.lengths,
        spots=pencil.spots,
        wires=pencil.wires,
        loads=pencil.loads,
        commands=(*head, *pencil.commands, *tail),
        isolated=isolated,
    )


def village(seed: int) -> Model:
    """One transformer and its four-wire net."""
    rng = dice(seed, "lines", "village")
    pencil = Pencil(rng)
    root = "tx"
    pencil.node(root, "transformer", (500.0, 500.0), Spot("tx_lv", LV_V, ABC, True))
    kw = pencil.net(root, "p", between(rng, (0, 2 * math.pi)))
    kw += pencil.net(root, "q", between(rng, (0, 2 * math.pi))) if rng.random() < 0.5 else 0.0
    head = (
        "clear",
        "set defaultbasefrequency=50",
        "new circuit.village basekv=10 pu=1.03 bus1=busbar phases=3 mvasc3=80 mvasc1=60",
        *_CODES,
        *_head("tx"),
        *step_down("tx", "tx_lv", _size(kw)),
    )
    return _model("village", pencil, root, head, isolated=False)


def town(seed: int) -> Model:
    """A 10 kV line with switches, laterals behind fuses, and transformers: most with a four-wire
    net, some a single customer's own."""
    rng = dice(seed, "lines", "town")
    pencil = Pencil(rng)
    pencil.node("m00", "pole", (300.0, 900.0), Spot("m00", MV_V, ABC))
    count = int(rng.integers(16, 25))
    third = count // 3
    turn = between(rng, (-0.3, 0.3))
    pencil.line("m00", turn, count, "m", {1, third + 1, 2 * third + 1})
    laterals = sorted(rng.choice(np.arange(4, count), int(rng.integers(2, 4)), False).tolist())
    poles = [f"m{k:02d}" for k in range(3, count + 1)]
    for n, k in enumerate(laterals):
        side = turn + (1.5 if rng.random() < 0.5 else -1.5)
        length = int(rng.integers(4, 9))
        pencil.line(f"m{k:02d}", side, length, f"l{n + 1}-", {1})
        poles += [f"l{n + 1}-{j:02d}" for j in range(2, length + 1)]
    hosts = [poles[int(k)] for k in rng.choice(len(poles), int(rng.integers(5, 8)), False)]
    hosts = list(dict.fromkeys([f"m{count:02d}", *hosts]))
    for n, host in enumerate(hosts):
        heading = turn + (1.57 if rng.random() < 0.5 else -1.57) + float(rng.normal(0, 0.2))
        id = f"t{n + 1}"
        at = pencil.off(host, heading, 6.0)
        place = len(pencil.commands)
        pencil.transformer(host, id, at, 100.0)
        own = rng.random() < 0.3
        if own and n:  # the first feeds a four-wire net: no town is without one
            kw = between(rng, (60, 250))
            pencil.load(id, pencil.spots[id].bus, ABC, kw)
        else:
            kw = pencil.net(id, f"{id}-", heading)
        pencil.commands[place + 1] = step_down(_name(id), pencil.spots[id].bus, _size(kw))[0]
    rest_kvar = between(rng, (20.0, 200.0))  # the busbar's other feeders: 0.6 to 6 uF to earth
    head = (
        "clear",
        "set defaultbasefrequency=50",
        "new circuit.town basekv=35 pu=1.03 bus1=grid phases=3 mvasc3=400 mvasc1=300",
        *_CODES,
        "new transformer.sub phases=3 windings=2 buses=(grid, busbar) conns=(wye, delta) "
        "kvs=(35, 10) kvas=(10000, 10000) xhl=8 %loadloss=0.5",
        f"new capacitor.rest bus1=busbar phases=3 conn=wye kv=10 kvar={rest_kvar:.2f}",
        *_head("m00"),
    )
    return _model("town", pencil, "m00", head, isolated=True)
