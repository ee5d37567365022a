"""The live town's hydrants: a day of pressures from the engine, and one trouble after another."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.city import Device
from simulators.dice import between, dice
from simulators.sensors import Housekeeping, Read, Sensor
from simulators.series import value_at
from simulators.settings import SimSettings
from simulators.town import Town
from simulators.water_mains import engine
from simulators.water_mains.engine import STEP_S, Trouble
from simulators.world import Truth, World

TYPE = "hydrant"
_UTC8_MS = 8 * 3_600_000
_DAY_MS = 86_400_000
_LEAD_MS = 3_600_000
"""A trouble is reckoned from so long before it begins."""
_START_S = 25.0
"""The engine takes seconds of a processor to load: not while the first incidents are told."""
_FIRST_S = 60.0
_KINDS = ("valve_shut", "main_break", "hydrant_open")
_SIZE = {"main_break": 0.02, "hydrant_open": 0.0045}

Series = dict[str, NDArray[np.float32]]


class Lacking(msgspec.Struct, frozen=True):
    """What a trouble takes from each hydrant."""

    start: int
    """Epoch ms of the first value."""
    kpa: Series

    @property
    def end(self) -> int:
        """Epoch ms of the last value."""
        return self.start + (len(next(iter(self.kpa.values()))) - 1) * STEP_S * 1000


class Hydrants:
    """All hydrants with a gauge. Raises Wrong when the engine is needed and not installed."""

    def __init__(self, town: Town, settings: SimSettings, world: World, truth: Truth) -> None:
        self._town, self._settings, self._world, self._truth = town, settings, world, truth
        self._rng = dice(settings.seed, "hydrants")
        self._turn = int(self._rng.integers(len(_KINDS)))
        self._coming: Future[Series] | None = None
        self._calm: Series | None = None
        self._troubles: list[Lacking] = []
        self.sensors = {
            device.id: self._sensor(device)
            for device in town.devices.values()
            if device.type == TYPE
        }

    def go(self, live: int) -> None:
        """Load the engine aside, then report from a minute after `live` on."""

        def load(_ms: int) -> tuple[()]:
            if self._calm is None:
                pool = ThreadPoolExecutor(1, "mains")
                self._coming = pool.submit(self._day)
                pool.shutdown(wait=False)
            return ()

        self._world.at(live + round(_START_S * 1000), load)
        for sensor in self.sensors.values():
            sensor.go(live + round(_FIRST_S * 1000))

    def trouble(self, at: int, until: int) -> None:
        """Let a valve be shut, a main break or a hydrant be opened at `at`."""
        what = _KINDS[self._turn % len(_KINDS)]
        self._turn += 1
        mains = self._town.mains
        names = sorted(mains.pipes if what == "main_break" else mains.hydrants)
        where = names[int(self._rng.integers(len(names)))]

        def begin(ms: int) -> tuple[()]:
            self._begin(what, where, ms, until)
            return ()

        self._world.at(at, begin)

    def lacking(self, ms: int) -> bool:
        """Whether something is wrong with the mains."""
        return any(t.start + _LEAD_MS <= ms < t.end for t in self._troubles)

    def mend(self, ms: int) -> bool:
        """Open the valve, clamp the main, close the hydrant, whichever it is; False: none was.
        Pressure is back at once, without the minutes that the mains take to fill."""
        found = self.lacking(ms)
        if found:
            self._troubles = []
        return found

    def pressure(self, id: str, ms: int) -> float:
        """At a gauge, kPa."""
        calm = self._quiet()[id]
        kpa = value_at(calm, STEP_S, (ms + _UTC8_MS) % _DAY_MS / 1000)
        for trouble in self._troubles:
            if trouble.start <= ms < trouble.end:
                kpa -= value_at(trouble.kpa[id], STEP_S, (ms - trouble.start) / 1000)
        return max(kpa, 0.0)

    def _day(self) -> Series:
        return engine.run(self._town.mains, self._settings.seed, 24.0, 0.0)

    def _quiet(self) -> Series:
        if self._calm is None:
            self._calm = self._coming.result() if self._coming is not None else self._day()
        return self._calm

    def _begin(self, what: str, where: str, ms: int, until: int) -> None:
        """Two runs from an hour before: what they differ by is what the trouble takes."""
        start = ms - _LEAD_MS
        hour = (start + _UTC8_MS) % _DAY_MS / 3_600_000
        hours = (until - start) / 3_600_000 + 1.0
        begin_s, end_s = 3600.0, (until - start) / 1000
        size = _SIZE.get(what, 0.0)
        one = Trouble(what=what, where=where, begin_s=begin_s, end_s=end_s, size=size)
        mains, seed = self._town.mains, self._settings.seed
        calm = engine.run(mains, seed, hours, hour)
        real = engine.run(mains, seed, hours, hour, (one,))
        lacking = Lacking(start, {name: calm[name] - real[name] for name in calm})
        self._troubles = [t for t in self._troubles if t.end > ms] + [lacking]
        most = {n: round(float(kpa.max()), 1) for n, kpa in lacking.kpa.items()}
        details = {"what": what, "until": until, "lacking_kpa": most}
        self._truth.note(ms, "hydrant_no_pressure", where, details)

    def _sensor(self, device: Device) -> Sensor:
        return Sensor(
            device,
            self._town.gateways[device.id],
            self._reader(device.id),
            self._world,
            self._settings,
            every_s=device.reports_every_s or 60.0,
            latency_s=(0.3, 1.8),
        )

    def _reader(self, id: str) -> Read:
        seed = self._settings.seed
        rng, house = dice(seed, "gauge", id), Housekeeping(seed, id)
        error = float(rng.normal(0, 3.0))

        def read(ms: int) -> dict[str, float]:
            kpa = self.pressure(id, ms)
            seen = kpa + (error if kpa > 10 else 0.3) + float(rng.normal(0, 1.5))
            if rng.random() < 0.001:  # water hammer
                seen = kpa * between(rng, (0.2, 1.6))
            return {
                "pressure": round(max(seen, 0.0), 1),
                "temperature": house.temperature(ms),
                "battery": house.battery(),
            }

        return read
