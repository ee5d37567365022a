"""Storms over the town and what the water sensors see of them."""

from __future__ import annotations

import msgspec

from simulators import drains, hydraulics
from simulators.dice import between, dice
from simulators.hydraulics import STEP_S, Flood, Storm
from simulators.sensors import Housekeeping, Read, Sensor
from simulators.series import value_at
from simulators.settings import SimSettings
from simulators.town import Town
from simulators.world import Truth, World

_DRY_S = 1800.0
_RAIN_S = 90 * 60.0
_HOURS = 4.0
_WET_M = 0.02
"""Water over a road from which on a street counts as flooded in the ground truth."""


class Episode(msgspec.Struct, frozen=True):
    """A storm at its place in time."""

    start: int
    flood: Flood
    sag: str
    pipe: str

    @property
    def end(self) -> int:
        """When everything has run off, epoch ms."""
        return self.start + self.flood.length_s * 1000


class Weather:
    """Rain and water, past and to come. Each storm finds one branch half blocked with silt."""

    def __init__(self, town: Town, settings: SimSettings, world: World, truth: Truth) -> None:
        self._town, self._settings, self._world, self._truth = town, settings, world, truth
        self._rng = dice(settings.seed, "weather")
        self._episodes: list[Episode] = []
        self._turn = int(self._rng.integers(len(town.sewers.sags)))
        self._dry = drains.dry_day(town.seed)
        self._blocked: drains.Blocked | None = None
        self._sick: dict[str, drains.Sick] = {}
        self.sensors = self._make_sensors()

    def storm(self, onset: int) -> Episode:
        """Let a storm come whose water reaches the road of some underpass at `onset`."""
        sags = self._town.sewers.sags
        sag = sags[self._turn % len(sags)]
        self._turn += 1
        pipe = f"p-{sag}"
        rng = self._rng
        storm = Storm(
            dry_s=_DRY_S,
            duration_s=_RAIN_S,
            return_years=between(rng, (2.0, 3.0)),
            peak_at=between(rng, (0.36, 0.44)),
        )
        for free in (0.46, 0.42, 0.38, 0.33, 0.28):
            flood = hydraulics.run(self._town.sewers, storm, _HOURS, {pipe: free})
            first = flood.first_over_road(sag)
            if first is not None and flood.depth_m[sag].max() >= 0.35:
                break
        if first is None:
            raise RuntimeError(f"no storm of this town floods {sag}")
        episode = Episode(onset - round(first * 1000), flood, sag, pipe)
        self._episodes = [e for e in self._episodes if e.end > episode.start - 86_400_000]
        self._episodes.append(episode)
        self._note(episode)
        return episode

    def raining(self, ms: int) -> bool:
        """Whether a storm is on."""
        return any(e.start <= ms < e.end for e in self._episodes)

    def rained_until(self) -> int:
        """When the last drop of all storms known so far fell, epoch ms; 0: none."""
        return max((e.start + round(1000 * (_DRY_S + _RAIN_S)) for e in self._episodes), default=0)

    def block(self, at: int) -> drains.Blocked:
        """Let a pipe block from `at` on, over hours, until it is jetted free."""
        rng, settings = dice(self._settings.seed, "blocked", at), self._settings
        found = self._town.sewers.network.pipes.values()
        pipes = sorted(p.id for p in found if (p.diameter_m or 0.0) < 1.5)
        blocked = drains.block(
            self._town.seed,
            pipes[int(rng.integers(len(pipes)))],
            at,
            between(rng, settings.blockage_grows_s),
            settings.blockage_cleared_s,
            1.0 if rng.random() < 0.6 else between(rng, (0.95, 0.99)),
        )
        self._blocked = blocked
        details = {
            "full_at": blocked.full,
            "cleared_at": blocked.cleared,
            "lost": round(blocked.lost, 3),
            "felt_at": blocked.felt,
        }
        self._truth.note(at, "drain_blocked", blocked.pipe, details)
        return blocked

    def sicken(self, at: int) -> None:
        """Let a level sensor have a fault from `at` on."""
        rng, settings = dice(self._settings.seed, "sicken", at), self._settings
        manholes = sorted(self._town.sewers.catches)
        device = manholes[int(rng.integers(len(manholes)))]
        room = self._height(device)
        sick = drains.sicken(settings.seed, device, room, at, settings.sensor_fault_s)
        self._sick[device] = sick
        self._truth.note(at, "sensor_faulty", device, {"what": sick.what, "ends_at": sick.end})

    def silence(self, at: int) -> tuple[str, int, int]:
        """Let a drain gateway be away from `at` on: (gateway, begin, end). What it has then comes
        at the end in one go, or never."""
        rng, settings = dice(self._settings.seed, "silence", at), self._settings
        mine = sorted({self._town.gateways[s.device.id] for s in self.sensors})
        gateway = mine[int(rng.integers(len(mine)))]
        end = at + round(1000 * settings.gateway_outage_s * between(rng, (0.5, 1.5)))
        lost = bool(rng.random() < 0.4)
        self._world.silence(gateway, at, end, lost=lost)
        self._truth.note(at, "sensor_silent", gateway, {"ends_at": end, "lost": lost})
        return gateway, at, end

    def blocked(self, ms: int) -> str | None:
        """The pipe that is blocked or blocking, until it is cleared."""
        found = self._blocked
        return found.pipe if found is not None and found.begin <= ms < found.cleared else None

    def jet(self, ms: int) -> bool:
        """Jet the blocked pipe free; False: none is. What then runs off is taken as it runs off
        from the fully grown blockage."""
        found = self._blocked
        if found is None or self.blocked(ms) is None:
            return False
        sooner = found.cleared - ms
        self._blocked = msgspec.structs.replace(
            found, begin=found.begin - sooner, full=found.full - sooner, cleared=ms
        )
        return True

    def faulty(self, device: str, ms: int) -> bool:
        """Whether this level sensor has a fault."""
        sick = self._sick.get(device)
        return sick is not None and sick.begin <= ms < sick.end

    def cure(self, device: str, ms: int) -> bool:
        """Put the sensor right; False: it has no fault."""
        if not self.faulty(device, ms):
            return False
        self._sick[device].end = ms
        return True

    def level(self, manhole: str, ms: int) -> float:
        """Water above the manhole's invert, metres: the dry day's, the storm's, the blockage's.

        Parts are added up: exact while one of them is next to nothing, as between storms.
        """
        more = self._blocked.more(manhole, ms) if self._blocked else 0.0
        return max(0.0, self._dry.level(manhole, ms) + self._read("level", manhole, ms) + more)

    def depth(self, manhole: str, ms: int) -> float:
        """Water over the road at a manhole, metres."""
        storm = self._read("depth", manhole, ms)
        if self._blocked is None or self._blocked.more(manhole, ms) < 0.01:
            return storm
        return max(storm, self.level(manhole, ms) - self._height(manhole))

    def rain(self, ms: int) -> float:
        """Rain, mm/h."""
        return self._read("rain", "", ms)

    def _height(self, manhole: str) -> float:
        node = self._town.sewers.network.nodes[manhole]
        return (node.rim_m or 0.0) - (node.invert_m or 0.0)

    def _read(self, what: str, manhole: str, ms: int) -> float:
        """Rain, depth over the road, or what a storm adds to a level."""
        for episode in reversed(self._episodes):
            if episode.start <= ms < episode.end:
                value = _value(episode.flood, what, manhole, (ms - episode.start) / 1000)
                if what == "level":
                    return max(0.0, value - _value(episode.flood, what, manhole, _DRY_S - STEP_S))
                return value
        return 0.0

    def _note(self, episode: Episode) -> None:
        """Ground truth: every place where water will stand on the road, when it first does."""
        for node, depth in episode.flood.depth_m.items():
            first = episode.flood.first_over_road(node, _WET_M)
            if first is None:
                continue
            at = episode.start + round(first * 1000)
            details = {
                "overflow_at": at,
                "max_depth_m": round(float(depth.max()), 3),
                "blocked_pipe": episode.pipe,
                "sensors": [node, *(g for g, n in self._town.sewers.gauges.items() if n == node)],
            }

            def write(ms: int, node: str = node, details: dict[str, object] = details) -> tuple[()]:
                self._truth.note(ms, "flooding", node, details)
                return ()

            self._world.at(at, write)

    def _make_sensors(self) -> list[Sensor]:
        found = []
        for device in self._town.devices.values():
            read: Read
            match device.type:
                case "water_level":
                    read = self._level_reader(device.id)
                case "street_depth":
                    read = self._depth_reader(device.id, self._town.sewers.gauges[device.id])
                case "rain_gauge":
                    read = self._rain_reader(device.id)
                case _:
                    continue
            found.append(
                Sensor(
                    device,
                    self._town.gateways[device.id],
                    read,
                    self._world,
                    self._settings,
                    every_s=device.reports_every_s or 60.0,
                    latency_s=(0.25, 1.4),  # LoRa airtime and its gateway's queue
                )
            )
        return found

    def _level_reader(self, id: str) -> Read:
        rng, house = dice(self._settings.seed, "level", id), Housekeeping(self._settings.seed, id)

        def read(ms: int) -> dict[str, float] | None:
            healthy = max(0.0, self.level(id, ms) + float(rng.normal(0, 0.004)))
            sick = self._sick.get(id)
            seen = sick.say(ms, healthy) if sick else healthy
            if seen is None:
                return None
            return {
                "level": round(seen, 3),
                "temperature": house.temperature(ms),
                "battery": house.battery(),
            }

        return read

    def _depth_reader(self, id: str, manhole: str) -> Read:
        rng, house = dice(self._settings.seed, "depth", id), Housekeeping(self._settings.seed, id)

        def read(ms: int) -> dict[str, float]:
            water = self.depth(manhole, ms)
            # an ultrasonic gauge: 3 mm steps, a wet road reads as a few millimetres
            seen = max(0.0, water + float(rng.normal(0, 0.003)) - (0.004 if water < 0.01 else 0))
            return {"depth": round(round(seen / 0.003) * 0.003, 3), "battery": house.battery()}

        return read

    def _rain_reader(self, id: str) -> Read:
        rng, house = dice(self._settings.seed, "rain", id), Housekeeping(self._settings.seed, id)

        def read(ms: int) -> dict[str, float]:
            tips = rng.poisson(max(self.rain(ms), 0.0) / 60 / 0.2)  # 0.2 mm bucket, one minute
            return {
                "rain_rate": round(float(tips) * 0.2 * 60, 1),
                "temperature": house.temperature(ms),
                "battery": house.battery(),
            }

        return read


def _value(flood: Flood, what: str, manhole: str, seconds: float) -> float:
    series = {"level": flood.level_m, "depth": flood.depth_m}.get(what)
    values = series[manhole] if series else flood.rain_mm_h
    return value_at(values, STEP_S, seconds)
