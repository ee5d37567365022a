"""Manhole covers with a tilt terminal: lorries shake them, floods lift them, thieves open them."""

from __future__ import annotations

import math

import msgspec

from contracts.city import Device
from simulators.dice import between, dice
from simulators.sensors import Housekeeping, Read, Sensor
from simulators.settings import SimSettings
from simulators.town import Town
from simulators.world import Truth, World

TYPE = "manhole_cover"
_SHAKE_EVERY_S = 900.0
"""Mean time between lorries that wake a terminal, over all covers."""
_SETTLES_S = 7.0
"""A woken terminal says so soon that it lies still again."""


class Moved(msgspec.Struct, frozen=True):
    """A cover that lies otherwise for a while; times in epoch ms."""

    begin: int
    end: int
    degrees: float


class Covers:
    """All covers with a terminal, past and to come."""

    def __init__(self, town: Town, settings: SimSettings, world: World, truth: Truth) -> None:
        self._settings, self._world, self._truth = settings, world, truth
        self._rng = dice(settings.seed, "covers")
        self._moved: dict[str, Moved] = {}
        self._shaken: dict[str, tuple[int, float]] = {}
        self._over = town.covers
        self.sensors = {
            device.id: self._sensor(device, town)
            for device in town.devices.values()
            if device.type == TYPE
        }

    def go(self, live: int) -> None:
        """Every terminal says that it is there; lorries pass from `live` on."""
        for sensor in self.sensors.values():
            sensor.now(live + round(1000 * between(self._rng, (2.0, 50.0))))
        self._world.at(live + self._pause(), self._lorry)

    def surcharge(self, manhole: str, at: int, until: int) -> None:
        """The water lifts the cover of `manhole` and leaves it askew."""
        for cover, node in self._over.items():
            if node == manhole:
                self._displace(cover, at, until, between(self._rng, (11.0, 24.0)), "surcharge")

    def lift(self, at: int, until: int) -> None:
        """Somebody opens a cover."""
        free = sorted(c for c in self._over if c not in self._moved)
        if free:
            cover = free[int(self._rng.integers(len(free)))]
            self._displace(cover, at, until, between(self._rng, (35.0, 85.0)), "lifted")

    def askew(self, cover: str, ms: int) -> bool:
        """Whether it lies otherwise than it should."""
        moved = self._moved.get(cover)
        return moved is not None and moved.begin <= ms < moved.end

    def mend(self, cover: str, ms: int) -> bool:
        """Somebody puts it right; False: it is."""
        if not self.askew(cover, ms):
            return False
        del self._moved[cover]
        for after in (1_000, 90_000):  # it wakes when moved
            self.sensors[cover].now(ms + after)
        return True

    def _displace(self, cover: str, at: int, until: int, degrees: float, cause: str) -> None:
        moved = self._moved[cover] = Moved(at, until, degrees)
        sensor = self.sensors[cover]

        def write(ms: int) -> tuple[()]:
            details = {"cause": cause, "degrees": round(degrees, 1), "until": until}
            self._truth.note(ms, "manhole_cover_displaced", cover, details)
            return ()

        def back(ms: int) -> tuple[()]:
            if self._moved.get(cover) is moved:  # nobody put it right before
                del self._moved[cover]
            return ()

        self._world.at(at, write)
        self._world.at(until, back)
        for after in (0, 20_000, until - at + 1_000, until - at + 90_000):  # it wakes when moved
            sensor.now(at + after)

    def _lorry(self, ms: int) -> tuple[()]:
        cover = sorted(self.sensors)[int(self._rng.integers(len(self.sensors)))]
        if cover not in self._moved:
            self._shaken[cover] = (ms, between(self._rng, (2.0, 12.0)))
            self.sensors[cover].now(ms)
            self.sensors[cover].now(ms + round(_SETTLES_S * 1000))
        self._world.at(ms + self._pause(), self._lorry)
        return ()

    def _pause(self) -> int:
        return round(float(self._rng.exponential(_SHAKE_EVERY_S)) * 1000) + 30_000

    def _sensor(self, device: Device, town: Town) -> Sensor:
        return Sensor(
            device,
            town.gateways[device.id],
            self._reader(device.id),
            self._world,
            self._settings,
            every_s=device.reports_every_s or 900.0,
            latency_s=(0.4, 2.5),
        )

    def _reader(self, id: str) -> Read:
        seed = self._settings.seed
        rng, house = dice(seed, "cover", id), Housekeeping(seed, id)
        rest = between(rng, (0.3, 4.5))  # the road's slope and the fitter's eye
        sway = between(rng, (0.1, 0.5))

        def read(ms: int) -> dict[str, float]:
            hour = (ms / 3_600_000 + 8) % 24
            warm = sway * math.cos((hour - 15) / 24 * 2 * math.pi)
            tilt, shake = rest + warm + float(rng.normal(0, 0.12)), abs(float(rng.normal(0, 0.05)))
            moved, shaken = self._moved.get(id), self._shaken.get(id)
            if moved is not None and moved.begin <= ms < moved.end:
                tilt += moved.degrees
                shake += 6.0 if ms - moved.begin < 5000 else 0.0
            elif shaken is not None and 0 <= ms - shaken[0] < 2000:
                tilt += shaken[1]
                shake += 2.0 * shaken[1]
            return {
                "vibration": round(shake, 2),
                "tilt": round(abs(tilt), 1),
                "battery": house.battery(),
            }

        return read
