"""Street lights and leaning sensors on the main road's poles: lamps die, a lorry hits a pole."""

from __future__ import annotations

import math
from collections.abc import Container
from typing import Any

import msgspec

from contracts.city import Device
from simulators.dice import between, dice
from simulators.poles import MAIN, OWNER, Feeder
from simulators.sensors import Housekeeping, Read, Sensor
from simulators.settings import SimSettings
from simulators.world import Truth, World

GATEWAY = "gw-street-1"
LAMP, POLE = "street_light", "pole_tilt"
LAMPS, POLES = "lights-zhongshan", "poles-zhongshan"
"""The lamps' circuit, and the row of poles that one wind sways."""
EVERY_S = 900.0
PAST_H = 72.0
"""History that these have where the town has any: what is usual of a lamp shows in three nights."""
_PAST_EVERY_S = 1800.0
_BURNS_DEG = -3.5
"""Sun below this: some 20 lx, where lamps are due."""
_UTC8_S = 28_800


class Leans(msgspec.Struct, frozen=True):
    """A pole that stands otherwise for a while; times in epoch ms, angles in degrees."""

    begin: int
    end: int
    x: float
    y: float


def devices(feeder: Feeder, district: str) -> list[tuple[Device, str]]:
    """A lamp on every second pole of the main road, a leaning sensor on every third; each with its
    gateway."""
    nodes = feeder.network.nodes
    spot = nodes["pole-08"].point
    gateway = Device(id=GATEWAY, district=district, type="gateway", point=spot, owner=OWNER)
    found = [(gateway, GATEWAY)]
    for k in range(2, MAIN + 1):
        point = nodes[f"pole-{k:02d}"].point
        if k % 2 == 0:
            lamp = Device(
                id=f"lamp-{k:02d}", district=district, type=LAMP, point=point, owner=OWNER,
                site=LAMPS, reports_every_s=EVERY_S, metrics=("lamp_current", "lux"),
            )  # fmt: skip
            found.append((lamp, GATEWAY))
        if k % 3 == 0:
            pole = Device(
                id=f"lean-{k:02d}", district=district, type=POLE, point=point, owner=OWNER,
                site=POLES, reports_every_s=EVERY_S,
                metrics=("tilt", "vibration", "battery"),
            )  # fmt: skip
            found.append((pole, GATEWAY))
    return found


class Street:
    """All lamps and leaning sensors, past and to come."""

    def __init__(
        self,
        some: dict[str, Device],
        settings: SimSettings,
        world: World,
        truth: Truth,
    ) -> None:
        self._settings, self._world, self._truth = settings, world, truth
        self._rng = dice(settings.seed, "street")
        self._dead: dict[str, tuple[int, int]] = {}
        self._leans: dict[str, Leans] = {}
        self._blow: dict[str, int] = {}
        coarse = msgspec.structs.replace(settings, history_every_s=_PAST_EVERY_S)
        self.sensors = {
            device.id: Sensor(
                device, GATEWAY,
                self._lamp(device) if device.type == LAMP else self._pole(device.id),
                world, coarse, every_s=EVERY_S, latency_s=(0.4, 2.5),
            )
            for device in some.values()
            if device.type in (LAMP, POLE)
        }  # fmt: skip

    def go(self, live: int) -> None:
        """Everyone says soon that it is there, and reports from then on."""
        for sensor in self.sensors.values():
            sensor.now(live + round(1000 * between(self._rng, (2.0, 50.0))))
            sensor.go(live + 60_000)

    def fail(self, at: int, until: int) -> None:
        """A lamp dies."""
        lamp = self._pick("lamp-", self._dead)
        if lamp is None:
            return
        self._dead[lamp] = (at, until)
        self._free(self._dead, lamp, until)
        self._note(at, "street_light_out", lamp, {"what": "lamp", "until": until})

    def strike(self, at: int, until: int) -> None:
        """A lorry hits a pole, which leans from then on."""
        pole = self._pick("lean-", self._leans)
        if pole is None:
            return
        lean, way = between(self._rng, (3.0, 12.0)), between(self._rng, (0.0, 2 * math.pi))
        self._leans[pole] = Leans(at, until, lean * math.cos(way), lean * math.sin(way))
        self._blow[pole] = at
        self._free(self._leans, pole, until)
        details = {"what": "struck", "degrees": round(lean, 1), "until": until}
        self._note(at, "pole_tilt", pole, details)
        for after in (0, 15_000, until - at + 1_000):  # it wakes when shaken
            self.sensors[pole].now(at + after)

    def broken(self, id: str, ms: int) -> bool:
        """Whether the lamp is dead or the pole leans."""
        if id in self._dead:
            begin, end = self._dead[id]
            return begin <= ms < end
        leans = self._leans.get(id)
        return leans is not None and leans.begin <= ms < leans.end

    def mend(self, id: str, ms: int) -> bool:
        """Change the lamp, set the pole upright; False: it was not broken."""
        if not self.broken(id, ms):
            return False
        self._dead.pop(id, None)
        self._leans.pop(id, None)
        self._blow.pop(id, None)
        for after in (1_000, 90_000):
            self.sensors[id].now(ms + after)
        return True

    def _pick(self, prefix: str, busy: Container[str]) -> str | None:
        free = sorted(s for s in self.sensors if s.startswith(prefix) and s not in busy)
        return free[int(self._rng.integers(len(free)))] if free else None

    def _free(self, busy: dict[str, Any], id: str, until: int) -> None:
        wrong = busy[id]

        def mended(_: int) -> tuple[()]:
            if busy.get(id) is wrong:  # nobody mended it before
                del busy[id]
            return ()

        self._world.at(until, mended)

    def _note(self, at: int, kind: str, where: str, details: dict[str, object]) -> None:
        def write(ms: int) -> tuple[()]:
            self._truth.note(ms, kind, where, details)
            return ()

        self._world.at(at, write)

    def _lamp(self, device: Device) -> Read:
        rng = dice(self._settings.seed, "lamp", device.id)
        amps, lux = between(rng, (0.35, 0.65)), between(rng, (18.0, 35.0))
        lon, lat = device.point.lon, device.point.lat

        def read(ms: int) -> dict[str, float]:
            sun = height(ms / 1000, lon, lat)
            begin, end = self._dead.get(device.id, (0, 0))
            burns = sun < _BURNS_DEG and not begin <= ms < end
            share = 0.5 if 0 <= (ms / 1000 + _UTC8_S) % 86_400 < 5 * 3600 else 1.0  # dimmed
            sky = 40_000.0 * max(math.sin(math.radians(sun)), 0.0) + 400.0 * math.exp(min(sun, 0.0))
            noise = 1.0 + float(rng.normal(0, 0.015))
            return {
                "lamp_current": round(amps * share * noise * burns + 0.004, 3),
                "lux": round(sky * noise + lux * share * burns, 1),
            }

        return read

    def _pole(self, id: str) -> Read:
        seed = self._settings.seed
        rng, house = dice(seed, "pole", id), Housekeeping(seed, id)
        rest = (float(rng.normal(0, 0.5)), float(rng.normal(0, 0.5)))

        def read(ms: int) -> dict[str, float]:
            hour = (ms / 3_600_000 + 8) % 24
            warm = 0.12 * math.cos((hour - 15) / 24 * 2 * math.pi)
            x, y = rest[0] + warm, rest[1]
            shake = abs(float(rng.normal(0, 0.05)))
            leans = self._leans.get(id)
            if leans is not None and leans.begin <= ms < leans.end:
                x, y = x + leans.x, y + leans.y
            if 0 <= ms - self._blow.get(id, -(10**9)) < 5000:
                shake += 25.0
            x, y = x + float(rng.normal(0, 0.06)), y + float(rng.normal(0, 0.06))
            return {
                "tilt": round(math.hypot(x, y), 2),
                "vibration": round(shake, 2),
                "battery": house.battery(),
            }

        return read


def height(t: float, lon: float, lat: float) -> float:
    """The sun's elevation (degrees) at epoch seconds `t`: declination after Cooper (Solar Energy
    12, 1969), mean noon; good to two degrees."""
    day = (t / 86_400 + 1) % 365.2422
    declination = math.radians(23.45) * math.sin(2 * math.pi * (284 + day) / 365.2422)
    turn = math.radians((t % 86_400) / 240 + lon - 180)
    phi = math.radians(lat)
    up = math.sin(phi) * math.sin(declination)
    up += math.cos(phi) * math.cos(declination) * math.cos(turn)
    return math.degrees(math.asin(max(-1.0, min(1.0, up))))
