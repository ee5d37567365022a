"""The town's drains between storms: the day's rhythm, pipes that block, sensors that fail, gateways
that fall silent. The water is the engine's (simulators.water); storms are in simulators.weather.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.clock import from_epoch_ms
from simulators.dice import dice
from simulators.series import value_at
from simulators.water import engine
from simulators.water.blocking import Plug
from simulators.water.dry import Homes
from simulators.water.faults import Ill, plan
from simulators.water.network import town_network
from simulators.water.take import Order

_DAY_S = 86_400
_MIDNIGHT = datetime(2026, 6, 2, 16, 0, tzinfo=UTC)
"""A Wednesday begins in the town's zone."""
_EAST_S = 8 * 3600
_DRAINED_S = 3600.0
"""After a pipe was jetted free, what stood behind it needs so long to run off."""
_FELT_M = 0.05


class DryDay(msgspec.Struct, frozen=True):
    """Water above the invert through a working day without rain."""

    nodes: dict[str, int]
    level_m: NDArray[np.float32]
    """Each `engine.READ_S` from midnight on, shape (samples, nodes)."""

    def level(self, node: str, ms: int) -> float:
        """At an epoch time, metres; the day repeats."""
        second = (ms / 1000 + _EAST_S) % _DAY_S
        return value_at(self.level_m[:, self.nodes[node]], engine.READ_S, second)


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """A blocked pipe at its place in time."""

    pipe: str
    begin: int
    """Epoch ms."""
    full: int
    cleared: int
    lost: float
    felt: int | None
    """When some level is first 5 cm off; None: never."""
    nodes: dict[str, int]
    more_m: NDArray[np.float32]
    """Level with less level without the blockage, shape (samples, nodes)."""

    @property
    def end(self) -> int:
        """When nothing is left of it."""
        return self.begin + round((len(self.more_m) - 1) * engine.READ_S * 1000)

    def more(self, node: str, ms: int) -> float:
        """What the blockage adds to a level (or takes from it) at an epoch time, metres."""
        if not self.begin <= ms < self.end:
            return 0.0
        column = self.more_m[:, self.nodes[node]]
        return value_at(column, engine.READ_S, (ms - self.begin) / 1000)


class Sick:
    """One sensor's fault at its place in time, told reading by reading."""

    def __init__(self, ill: Ill, begin: int, end: int) -> None:
        self.what, self.begin, self.end = ill.what, begin, end
        self._ill = ill
        self._rng = np.random.default_rng(ill.seed)
        self._held: float | None = None

    def say(self, ms: int, value: float) -> float | None:
        """What the sensor says for `value`; None: nothing."""
        if not self.begin <= ms < self.end:
            return value
        ill = self._ill
        match ill.what:
            case "stuck":
                self._held = value if self._held is None else self._held
                return self._held
            case "out_of_range":
                return ill.code
            case "drift":
                return value + ill.size * (ms - self.begin) / 3_600_000
            case "debris":
                return max(value, ill.size + float(self._rng.normal(0, 0.004)))
            case "spike":
                return value + ill.size if self._rng.random() < 0.05 else value
        return None


@functools.lru_cache(maxsize=2)
def dry_day(seed: int) -> DryDay:
    """The dry day of the town of `seed`, routed once. Raises Wrong without the engine."""
    network = town_network(seed)
    order = Order(seed=seed, network=network.name, hours=_DAY_S / 3600, storms=0)
    homes = Homes(order, network, _MIDNIGHT, engine.SPIN_S)
    series = engine.run(network, homes, engine.weather(seed, network, ()), order.hours)
    return DryDay({n: k for k, n in enumerate(series.nodes)}, series.level_m)


def block(seed: int, pipe: str, begin: int, grows_s: float, stays_s: float, lost: float) -> Blocked:
    """Block a pipe of the town from `begin` (epoch ms) on; jetted free `stays_s` later.

    Two runs of the engine, with and without. Raises Wrong without the engine.
    """
    network = town_network(seed)
    hours = (stays_s + _DRAINED_S) / 3600
    order = Order(seed=seed, network=network.name, hours=hours, storms=0)
    homes = Homes(order, network, from_epoch_ms(begin), engine.SPIN_S)
    calm = engine.weather(seed, network, ())
    plug = Plug(pipe=pipe, begin_s=0.0, full_s=grows_s, end_s=stays_s, lost=lost)
    free = engine.run(network, homes, calm, hours)
    real = engine.run(network, homes, calm, hours, (plug,))
    more = real.level_m - free.level_m
    felt = np.flatnonzero((np.abs(more) >= _FELT_M).any(axis=1))
    return Blocked(
        pipe=pipe,
        begin=begin,
        full=begin + round(1000 * grows_s),
        cleared=begin + round(1000 * stays_s),
        lost=lost,
        felt=begin + round(1000 * engine.READ_S * int(felt[0])) if len(felt) else None,
        nodes={n: k for k, n in enumerate(real.nodes)},
        more_m=more,
    )


def sicken(seed: int, device: str, room_m: float, begin: int, lasts_s: float) -> Sick:
    """A fault of a random kind for a level sensor, from `begin` (epoch ms) on.

    A clock that goes wrong is left to recordings (`python -m simulators.water`).
    """
    rng = dice(seed, "sick", device, begin)
    ill = plan(rng, _DAY_S, 60.0, room_m, "level")
    while ill.what == "clock_skew":
        ill = plan(rng, _DAY_S, 60.0, room_m, "level")
    end = from_epoch_ms(begin) + timedelta(seconds=lasts_s)
    return Sick(ill, begin, round(end.timestamp() * 1000))
