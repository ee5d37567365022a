"""OpenDSS behind one door: a circuit built once, then opened, closed, loaded and read in
milliseconds. Each engine has a context of its own, so that two never meddle with each other."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.errors import Wrong
from simulators.lines.model import EARTH, FEED, Model


class Topology(msgspec.Struct, frozen=True, kw_only=True):
    """What is not as usual."""

    open: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """(span, its open conductors by phase, 4 the neutral)."""
    feed_open: tuple[int, ...] = ()
    """Phases without supply from upstream."""
    source: float = 1.0
    """Share of the usual voltage that comes from upstream."""
    earth: tuple[str, int, float] | None = None
    """(span, phase, ohms): the conductor's end on the source's side lies on the ground."""
    demand: tuple[tuple[str, float], ...] = ()
    """(node, share of its usual load)."""


USUAL = Topology()


class State(msgspec.Struct, frozen=True):
    """One solved state, rows by node in the network's order; NaN: not there."""

    volts: NDArray[np.float64]
    """Shape (nodes, 4): each phase against the neutral where there is one, else against earth;
    then the neutral against earth."""
    amps: NDArray[np.float64]
    """Shape (nodes, 3): through the conductors that feed a node; what leaves it at a transformer
    and at the root."""


def context() -> Any:
    """A new engine context. Raises Wrong when the engine is not installed."""
    try:
        import opendssdirect as dss
    except ImportError as error:
        raise Wrong(
            "lines: opendssdirect.py",
            "the power flow engine is not installed",
            "install the demo town's engines: pip install 'gridsentry[town]'",
        ) from error
    found = dss.NewContext()
    found.Basic.AllowForms(False)
    found.Basic.AllowChangeDir(False)
    return found


class Engine:
    """A built feeder."""

    def __init__(self, model: Model, dss: Any = None) -> None:
        """`dss`: a context to build it in (what was there is gone); None: one of its own.

        Raises Wrong when the engine is not installed or cannot solve the feeder.
        """
        self.model = model
        self._dss = dss if dss is not None else context()
        self._do(*model.commands)
        self._do("set maxcontroliter=100", "set maxiterations=60")
        self._solve(0.7)
        self._do("set controlmode=off")
        self._nodes = list(model.network.nodes)
        self._order: list[str] = []
        self._now = USUAL
        self._shares: dict[str, float] = {}
        self._usual = self._loads()
        self._dss.Vsources.Name("source")
        self._pu = float(self._dss.Vsources.PU())
        self._pick_currents()

    def loads(self) -> tuple[str, ...]:
        """Names of all loads."""
        return tuple(self._usual)

    def share(self, shares: dict[str, float]) -> None:
        """Let each load take this share of its rated power (those left out: 1)."""
        self._shares = shares
        self._load(self._usual, 1.0)

    def solve(self, topology: Topology, demand: float) -> State:
        """The state at that share of the demand. Raises Wrong when there is no solution."""
        if topology != self._now:
            self._apply(self._now, undo=True)
            self._apply(topology, undo=False)
            self._now = topology
        self._solve(demand)
        return self._read()

    # --- inside --------------------------------------------------------------------------------

    def _do(self, *commands: str) -> None:
        for command in commands:
            self._dss.Text.Command(command)

    def _solve(self, demand: float) -> None:
        # the direct solution first: what was solved before must not show in the last digit
        self._do(f"set loadmult={demand:.5f}", "solve mode=direct", "solve mode=snapshot")
        if not self._dss.Solution.Converged():
            raise Wrong(f"lines: {self.model.key}", "power flow without a solution", "another seed")

    def _loads(self) -> dict[str, tuple[float, float]]:
        loads, found = self._dss.Loads, {}
        more = loads.First()
        while more:
            found[str(loads.Name()).lower()] = (float(loads.kW()), float(loads.kvar()))
            more = loads.Next()
        return found

    def _load(self, names: Any, factor: float) -> None:
        for name in names:
            kw, kvar = self._usual[name]
            share = self._shares.get(name, 1.0) * factor
            self._do(f"edit load.{name} kw={kw * share:.5f} kvar={kvar * share:.5f}")

    def _apply(self, topology: Topology, *, undo: bool) -> None:
        verb = "close" if undo else "open"
        for span, phases in topology.open:
            wire = self.model.wires[span]
            for conductor, phase in enumerate(wire.conductors, start=1):
                if phase in phases:
                    self._do(f"{verb} {wire.element} 1 {conductor}")
        for phase in topology.feed_open:
            self._do(f"{verb} line.{FEED} 1 {phase}")
        if topology.source != 1.0:
            self._dss.Vsources.Name("source")
            self._dss.Vsources.PU(self._pu * (1.0 if undo else topology.source))
        if topology.earth is not None:
            span, phase, ohm = topology.earth
            bus = self.model.wires[span].bus
            on = "enabled=no" if undo else f"bus1={bus}.{phase} r={ohm:.2f} enabled=yes"
            self._do(f"edit fault.{EARTH} {on}")
        for node, factor in topology.demand:
            self._load(self.model.loads[node], 1.0 if undo else factor)

    def _pick_currents(self) -> None:
        dss, model = self._dss, self.model
        names = [str(n).lower() for n in dss.PDElements.AllNames()]
        sizes = np.asarray(dss.PDElements.AllNumConductors()) * np.asarray(
            dss.PDElements.AllNumTerminals()
        )
        first = dict(zip(names, np.concatenate(([0], np.cumsum(sizes)[:-1])).tolist(), strict=True))
        into = model.parent()
        leaving: dict[str, list[str]] = {}
        for span in model.network.spans.values():
            leaving.setdefault(span.from_, []).append(span.id)
        rows, columns, places = [], [], []
        for row, node in enumerate(self._nodes):
            spans = [into[node]] if node in into else []
            sums = model.network.nodes[node].what == "transformer" and node in leaving
            if not spans or sums:
                spans = leaving.get(node, [])
            for id in spans:
                wire = model.wires[id]
                for k, phase in enumerate(wire.conductors):
                    if phase <= 3:
                        rows.append(row)
                        columns.append(phase - 1)
                        places.append(first[wire.element] + k)
        self._current_at = (np.array(rows), np.array(columns), np.array(places, dtype=np.intp))

    def _pick_voltages(self, order: list[str]) -> None:
        """Where each node's phases and neutral stand in the engine's answer; the last place, one
        beyond it, is earth's."""
        place = {name.lower(): k for k, name in enumerate(order)}
        earth = len(order)
        self._order = order
        self._volt_at = np.full((len(self._nodes), 4), -1, dtype=np.intp)
        self._neutral_at = np.full(len(self._nodes), earth, dtype=np.intp)
        for row, node in enumerate(self._nodes):
            spot = self.model.spots[node]
            for phase in spot.phases:
                self._volt_at[row, phase - 1] = place[f"{spot.bus}.{phase}"]
            if spot.neutral:
                self._volt_at[row, 3] = place[f"{spot.bus}.4"]
                self._neutral_at[row] = place[f"{spot.bus}.4"]

    def _read(self) -> State:
        dss = self._dss
        order = dss.Circuit.AllNodeNames()
        if order != self._order:
            self._pick_voltages(list(order))
        flat = np.asarray(dss.Circuit.AllBusVolts(), dtype=np.float64)
        known = np.append(flat[0::2] + 1j * flat[1::2], 0.0)
        volts = known[self._volt_at]
        volts[:, :3] -= known[self._neutral_at][:, None]
        size = np.where(self._volt_at >= 0, np.abs(volts), np.nan)
        flat = np.asarray(dss.PDElements.AllCurrents(), dtype=np.float64)
        currents = np.hypot(flat[0::2], flat[1::2])
        rows, columns, places = self._current_at
        amps = np.zeros((len(self._nodes), 3))
        np.add.at(amps, (rows, columns), currents[places])
        amps[np.isnan(size[:, :3])] = np.nan
        if not (np.isfinite(size[self._volt_at >= 0]).all() and np.isfinite(currents).all()):
            raise Wrong(f"lines: {self.model.key}", "power flow without a number", "another seed")
        return State(size, amps)
