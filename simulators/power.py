"""Voltages and currents on the overhead line by OpenDSS: intact, or with a span or phase open."""

from __future__ import annotations

import math

import msgspec

from contracts.errors import Wrong
from simulators.lines.engine import context
from simulators.poles import Feeder

NOMINAL_V = 230.0
"""Phase to neutral; the loads are rated at 220 V, as in China, behind a transformer tapped up."""
PHASES = "abc"


class Cut(msgspec.Struct, frozen=True):
    """What is wrong with a span."""

    span: str
    phases: tuple[int, ...] = (1, 2, 3)
    """Open phases; all three: the span is down, neutral included."""


class State(msgspec.Struct, frozen=True):
    """The line's state by node: phase to neutral volts, and amperes that flow through a node."""

    volts: dict[str, tuple[float, float, float]]
    amps: dict[str, tuple[float, float, float]]


class Line:
    """The feeder as an OpenDSS circuit in an engine context of its own."""

    def __init__(self, feeder: Feeder) -> None:
        """Raises Wrong when the engine is not installed."""
        self._dss = context()
        self._feeder = feeder
        self._bus = {n: n.replace("-", "_") for n in feeder.network.nodes}
        self._built: Cut | str | None = "nothing yet"
        self._spans_down: dict[str, list[str]] = {}
        for span in feeder.network.spans.values():
            self._spans_down.setdefault(span.from_, []).append(span.id)

    def solve(self, cut: Cut | None, demand: float = 1.0) -> State:
        """The state with `cut` (None: intact) at that share of the customers' rated demand.

        Nodes that no source feeds read 0 V. Raises Wrong when the engine finds no solution.
        """
        if cut != self._built:
            self._build(cut)
            self._built = cut
        self._dss.Text.Command(f"set loadmult={demand:.5f}")
        self._dss.Text.Command("solve mode=snapshot")
        if not self._dss.Solution.Converged():
            raise Wrong("simulate: power flow", "no solution", "another seed")
        return self._read()

    def _build(self, cut: Cut | None) -> None:
        dss, feeder = self._dss, self._feeder
        root = self._bus[feeder.network.root]
        commands = [
            "clear",
            "new circuit.town basekv=10 pu=1.01 bus1=grid phases=3 mvasc3=180 mvasc1=120",
            "new linecode.al120 nphases=3 r1=0.253 x1=0.29 r0=0.9 x0=1.1 c1=0 c0=0 units=km",
            "new linecode.drop nphases=3 r1=1.15 x1=0.09 r0=1.6 x0=0.3 c1=0 c0=0 units=km",
            f"new transformer.tx phases=3 windings=2 buses=(grid, {root}) conns=(delta, wye) "
            "kvs=(10, 0.4) kvas=(250, 250) xhl=4 %loadloss=1.2 taps=(1, 1.0)",
        ]
        for span in feeder.network.spans.values():
            code = "drop" if span.to in feeder.loads else "al120"
            commands.append(
                f"new line.{self._bus[span.to]} bus1={self._bus[span.from_]} "
                f"bus2={self._bus[span.to]} linecode={code} units=m "
                f"length={max(feeder.lengths[span.id], 1.0)}"
            )
        for load in feeder.loads.values():
            share = load.kw / len(load.phases)
            bus = self._bus[load.node]
            commands += [
                f"new load.{bus}_{phase} bus1={bus}.{phase} phases=1 conn=wye model=2 "
                f"kv=0.22 kw={share:.4f} pf=0.93 vminpu=0.3"
                for phase in load.phases
            ]
        if cut:
            line = self._bus[feeder.network.spans[cut.span].to]
            commands += [f"open line.{line} 1 {phase}" for phase in cut.phases]
        commands += ["set voltagebases=[10, 0.4]", "calcvoltagebases"]
        for command in commands:
            dss.Text.Command(command)

    def _read(self) -> State:
        dss, feeder = self._dss, self._feeder
        volts: dict[str, tuple[float, float, float]] = {}
        for node, bus in self._bus.items():
            dss.Circuit.SetActiveBus(bus)
            by_phase = dict(zip(dss.Bus.Nodes(), dss.Bus.puVmagAngle()[::2], strict=False))
            base = dss.Bus.kVBase() * 1000
            v = [float(by_phase.get(p, 0.0)) * base for p in (1, 2, 3)]
            volts[node] = (v[0], v[1], v[2])
        amps: dict[str, tuple[float, float, float]] = {}
        into: dict[str, tuple[float, float, float]] = {}
        for span in feeder.network.spans.values():
            dss.Circuit.SetActiveElement(f"line.{self._bus[span.to]}")
            pairs = dss.CktElement.CurrentsMagAng()[::2]
            a = [float(x) for x in pairs[:3]]
            into[span.id] = (a[0], a[1], a[2])
        for node in feeder.network.nodes:
            fed_by = f"s-{node}"
            if fed_by in into:
                amps[node] = into[fed_by]
            else:  # the transformer: what leaves it
                sums = [sum(into[s][k] for s in self._spans_down.get(node, ())) for k in range(3)]
                amps[node] = (sums[0], sums[1], sums[2])
        return State(volts, amps)


def behind(feeder: Feeder, span: str) -> frozenset[str]:
    """The nodes that `span` feeds."""
    reach, front = set(), [feeder.network.spans[span].to]
    while front:
        node = front.pop()
        reach.add(node)
        front += [s.to for s in feeder.network.spans.values() if s.from_ == node]
    return frozenset(reach)


def clean(value: float, digits: int) -> float:
    """Rounded as an instrument shows it; never minus zero or less."""
    return max(0.0, round(value, digits)) if math.isfinite(value) else 0.0
