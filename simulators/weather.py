"""Storms over the town and what the water sensors see of them."""

from __future__ import annotations

import msgspec

from simulators import hydraulics
from simulators.dice import between, dice
from simulators.hydraulics import STEP_S, Flood, Storm
from simulators.sensors import Housekeeping, Read, Sensor
from simulators.settings import SimSettings
from simulators.town import Town
from simulators.world import Truth, World

_DRY_S = 1800.0
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
        self._dry: Flood | None = None
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
            duration_s=90 * 60,
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

    def level(self, manhole: str, ms: int) -> float:
        """Water above the manhole's invert, metres."""
        return self._read("level", manhole, ms)

    def depth(self, manhole: str, ms: int) -> float:
        """Water over the road at a manhole, metres."""
        return self._read("depth", manhole, ms)

    def rain(self, ms: int) -> float:
        """Rain, mm/h."""
        return self._read("rain", "", ms)

    def _read(self, what: str, manhole: str, ms: int) -> float:
        for episode in reversed(self._episodes):
            if episode.start <= ms < episode.end:
                return _value(episode.flood, what, manhole, (ms - episode.start) / 1000)
        if what != "level":
            return 0.0
        known = self._episodes[0].flood if self._episodes else self._calm()
        return _value(known, what, manhole, _DRY_S - STEP_S)

    def _calm(self) -> Flood:
        """Dry weather only."""
        if self._dry is None:
            drizzle = Storm(dry_s=_DRY_S, duration_s=600, return_years=0.1)
            self._dry = hydraulics.run(self._town.sewers, drizzle, _DRY_S / 3600, {})
        return self._dry

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

        def read(ms: int) -> dict[str, float]:
            seen = max(0.0, self.level(id, ms) + float(rng.normal(0, 0.004)))
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
    at = min(max(seconds / STEP_S, 0.0), len(values) - 1.0)
    k = min(int(at), len(values) - 2)
    return float(values[k] + (values[k + 1] - values[k]) * (at - k))
