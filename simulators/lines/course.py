"""The true course of a stretch: what each monitor stands in, moment by moment."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators.lines.engine import Engine, State, Topology
from simulators.lines.install import Installed
from simulators.lines.scene import Scene
from simulators.lines.sway import Sway
from simulators.lines.take import Order

DEAD = 0.4
"""Below this share of its voltage on all phases a meter's own supply fails."""
_DRIFT_S = 120.0
"""Customers near a monitor switch this and that: its currents wander from such a time to the next
..."""
_DRIFT, _KEEPS = 0.06, 0.9
"""... by this share, and keep that much of where they were."""


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """All that the reports follow from but the dice."""

    order: Order
    begin: datetime
    engine: Engine
    installed: Installed
    scene: Scene
    demand: float
    """How much of the usual demand of the hour there is."""
    sway: Sway


class Course:
    """The monitors' true values by state and time.

    Solved at the lowest and the highest demand of the stretch, in between by the straight line:
    over minutes voltages are within 0.01 % of it, over a whole day within 0.5 %.
    """

    def __init__(self, stretch: Stretch, rng: np.random.Generator) -> None:
        scene, monitors = stretch.scene, stretch.installed.monitors
        self.length = stretch.order.before_s + stretch.order.after_s
        self.starts = np.array([t for t, _ in scene.states])
        self.stops = np.append(self.starts[1:], self.length)
        self.nominal = np.array([m.nominal_v for m in monitors])
        rows = np.array([m.row for m in monitors])
        phases = np.zeros((len(monitors), 4), dtype=np.bool_)
        for k, m in enumerate(monitors):
            phases[k, [p - 1 for p in m.phases]] = True
            phases[k, 3] = m.neutral
        self.gauges = np.array([m.what != "meter" for m in monitors])
        hours = np.arange(0.0, self.length + 300.0, 300.0)
        day = np.array([demand(stretch.begin + timedelta(seconds=float(t))) for t in hours])
        self._hours, self._day = hours, day * stretch.demand
        self.demands = (0.95 * float(self._day.min()), 1.05 * float(self._day.max()))
        solved: dict[Topology, tuple[State, State]] = {}
        low: list[NDArray[np.float64]] = []
        high: list[NDArray[np.float64]] = []
        for _, topology in scene.states:
            if topology not in solved:
                solve = stretch.engine.solve
                solved[topology] = (
                    solve(topology, self.demands[0]),
                    solve(topology, self.demands[1]),
                )
            for into, state in zip((low, high), solved[topology], strict=True):
                volts = np.where(phases, state.volts[rows], np.nan)
                amps = np.where(phases[:, :3] & self.gauges[:, None], state.amps[rows], np.nan)
                into.append(np.concatenate((volts, amps), axis=1))
        self.low, self.high = np.stack(low), np.stack(high)
        # what one sees of the whole feeder's demand in minutes: slow, a few per cent
        self._waves = [(float(rng.uniform(40, 400)), float(rng.uniform(0, 6.3))) for _ in range(3)]
        self._wander(rng, len(monitors))
        best = np.nanmax(self.low[:, :, :3], axis=2)
        self.dead = best < DEAD * self.nominal
        for node, since in scene.off:
            self._switch_off(stretch, node, since)
        self._dying(np.array([m.lives_s for m in monitors]))

    def _wander(self, rng: np.random.Generator, monitors: int) -> None:
        slots = int(self.length / _DRIFT_S) + 2
        pushes = rng.normal(0, _DRIFT * math.sqrt(1 - _KEEPS**2), (slots, monitors))
        pushes[0] = rng.normal(0, _DRIFT, monitors)
        for k in range(1, slots):
            pushes[k] += _KEEPS * pushes[k - 1]
        self._drift = np.exp(pushes)

    def _switch_off(self, stretch: Stretch, node: str, since: float) -> None:
        for k, m in enumerate(stretch.installed.monitors):
            if m.node == node:
                later = self.starts >= since
                self.dead[later, k] = True
                self.low[later, k, :3] = self.high[later, k, :3] = 0.0

    def _dying(self, lives: NDArray[np.float64]) -> None:
        """Since when each monitor is dark in each state, and from when on it is silent."""
        self.dark_since = np.full(self.dead.shape, np.inf)
        for s in range(len(self.starts)):
            before = self.dark_since[s - 1] if s else np.full(self.dead.shape[1], np.inf)
            since = np.where(np.isfinite(before), before, self.starts[s])
            self.dark_since[s] = np.where(self.dead[s], since, np.inf)
        self.silent_from = self.dark_since + lives[None, :]

    def state_at(self, t: NDArray[np.float64]) -> NDArray[np.intp]:
        """The state that holds at each time."""
        found: NDArray[np.intp] = np.searchsorted(self.starts, t, side="right") - 1
        return np.maximum(found, 0)

    def at(self, who: NDArray[np.intp], t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Voltages and currents, shape (reports, 7)."""
        wave = np.zeros(len(t))
        for period, phase in self._waves:
            wave += np.sin(t / period + phase) / 60.0
        low, high = self.demands
        now = np.interp(t, self._hours, self._day) * (1 + wave)
        share = ((now - low) / (high - low))[:, None]
        s = self.state_at(t)
        mixed: NDArray[np.float64] = self.low[s, who] * (1 - share) + self.high[s, who] * share
        mixed[:, 4:] *= self._drift[(t / _DRIFT_S).astype(np.intp), who][:, None]
        return mixed


def demand(at: datetime) -> float:
    """Share of the rated demand by hour: an evening peak, a smaller one at noon, a deep night."""
    hour = (at.hour + at.minute / 60 + 8) % 24
    evening = 0.42 * math.exp(-(((hour - 20) / 2.6) ** 2))
    return 0.4 + evening + 0.2 * math.exp(-(((hour - 12) / 2.2) ** 2))
