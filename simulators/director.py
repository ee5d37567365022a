"""Puts a town on the stage: history first, then everything live, then one trouble after another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from simulators.covers import Covers
from simulators.dice import between, dice
from simulators.grid import OverheadLine
from simulators.hydrants import Hydrants
from simulators.poles import crossing
from simulators.power import Cut
from simulators.sensors import Sensor
from simulators.settings import SimSettings
from simulators.street import PAST_H, Street
from simulators.town import APP, Town
from simulators.walkers import walkers
from simulators.watch import CameraFeed, FibreWatch
from simulators.weather import Weather
from simulators.world import Outgoing, Truth, World, feed

_LIFTED_MS = 240_000
"""Water stands this long over a manhole before its cover is found askew."""
_ASKEW_MS = 1_800_000
"""A cover is put right after this time ..."""
_LAMP_MS, _LEANS_MS = 172_800_000, 21_600_000
"""A lamp is changed within two days, a pole set upright within six hours."""
_DRY_MS = 2_700_000
"""... and the water mains after this."""


class Director:
    """The whole simulation from `start` (epoch ms) on; `world` is to be stepped through.

    The same town, settings and start give the same messages, byte for byte. Raises Wrong when an
    engine of the demo town is not installed.
    """

    def __init__(
        self, town: Town, settings: SimSettings, start: int, truth: Path | None = None
    ) -> None:
        self.town, self.settings, self.start = town, settings, start
        self.world, self.truth = World(), Truth(truth)
        # incidents differ from start to start: their dice know when this one was
        self._rng = dice(settings.seed, "director", start)
        self.weather = Weather(town, settings, self.world, self.truth)
        self.covers = Covers(town, settings, self.world, self.truth)
        self.hydrants = Hydrants(town, settings, self.world, self.truth)
        self.line = OverheadLine(town, settings, self.world, self.truth)
        self.street = Street(town.devices, settings, self.world, self.truth)
        self.fibre = FibreWatch(town, settings, self.world, self.truth)
        self._fibre_until = start
        self._cameras = [
            CameraFeed(town, n, settings, self.world, self.truth) for n in range(settings.cameras)
        ]
        self.gateways = self._gateways()
        self._statuses()
        self._first_incidents()
        live = self._history()
        for sensor in self._sensors():
            sensor.go(live)
        self.covers.go(live)
        self.hydrants.go(live)
        self.street.go(live)
        self.walkers = {w.worker.id: w for w in walkers(town, settings)}
        for walker in self.walkers.values():
            walker.go(live, self.world)
        self.fibre.go(live)
        for camera in self._cameras:
            camera.go(start)

    def _gateways(self) -> tuple[str, ...]:
        off = {t.camera for t in self.town.towers[self.settings.cameras :]}
        return tuple(sorted(({*self.town.gateways.values(), APP}) - off))

    def status_topic(self, gateway: str) -> str:
        """Where a gateway says that it is there; also the topic of its last will."""
        return feed(self.town.district, gateway, "status")

    def status(self, gateway: str, state: str, ms: int) -> Outgoing:
        """A gateway's retained word about itself."""
        payload = msgspec.json.encode({"state": state, "ts": ms})
        topic = self.status_topic(gateway)
        return Outgoing(at=ms, gateway=gateway, topic=topic, payload=payload, retain=True)

    def _statuses(self) -> None:
        for gateway in self.gateways:
            self.world.send(self.status(gateway, "online", self.start))

    def _sensors(self) -> list[Sensor]:
        """All with a history. Hydrants have none and begin a minute later: their engine takes
        seconds to load."""
        return [
            *self.weather.sensors,
            *self.line.sensors.values(),
            *self.covers.sensors.values(),
        ]

    def _history(self) -> int:
        """Queue what sensors measured before `start`; returns when live reporting begins."""
        if self.settings.warm_h <= 0:
            return self.start
        first = self.start - round(self.settings.warm_h * 3_600_000)
        batches: list[tuple[int, str, str, bytes]] = []
        told = [(sensor, first) for sensor in self._sensors()]
        nights = self.start - round(PAST_H * 3_600_000)
        told += [(sensor, nights) for sensor in self.street.sensors.values()]
        for sensor, since in told:
            topic = feed(sensor.device.district, sensor.device.id, "telemetry")
            batches += [
                (newest, topic, sensor.gateway, payload)
                for newest, payload in sensor.history(since, self.start)
            ]
        at = self.start
        for _, topic, gateway, payload in sorted(batches, key=lambda b: (b[0], b[1])):
            at += 4
            self.world.send(Outgoing(at=at, gateway=gateway, topic=topic, payload=payload))
        return at + 1

    def _first_incidents(self) -> None:
        window, settings = self.settings.first_incidents_s, self.settings
        self._storm(self._soon(settings.first_overflow_s))
        self._cable(self._soon(window), first=True)
        if self._cameras:
            self._throw(self._soon(window))
        if settings.fibre_first_s > 0:
            self._tear(self.start + round(1000 * settings.fibre_first_s))
        for first_s, what in (
            (settings.blockage_first_s, self._block),
            (settings.sensor_fault_first_s, self._sicken),
            (settings.gateway_outage_first_s, self._silence),
        ):
            if first_s > 0:
                self._plan(self.start + round(1000 * first_s), what)
        if settings.cover_first_s > 0:
            self._cover(self.start + round(1000 * settings.cover_first_s))
        for first_s, what in (
            (settings.lamp_first_s, self._dark),
            (settings.pole_first_s, self._struck),
        ):
            if first_s > 0:
                self._plan(self.start + round(1000 * first_s), what)
        if settings.hydrant_first_s > 0:
            self._dry(self.start + round(1000 * settings.hydrant_first_s))

    def _soon(self, window: tuple[float, float]) -> int:
        return self.start + round(1000 * between(self._rng, window))

    def _again(
        self, what: Callable[[int], None], at: int, mean_s: float, earliest: int = 0
    ) -> None:
        """Plan the next trouble of a kind around `mean_s` after `at`: never less than half of it
        nor more than double, but not before `earliest`; 0: none."""
        if mean_s > 0:
            following = at + round(1000 * mean_s * between(self._rng, (0.5, 1.5)))
            self._plan(max(following, earliest), what)

    def _throw(self, at: int) -> None:
        camera = self._cameras[int(self._rng.integers(len(self._cameras)))]
        camera.throw(at)
        self._again(self._throw, at, self.settings.throw_every_s)

    def _cable(self, at: int, first: bool = False) -> None:
        restored = at + round(1000 * self.settings.cable_restored_s)
        if first:
            self.line.sever(at, restored, self.line.shared_cut(), crane=True)
        elif self._rng.random() < self.settings.crane_p:
            self._crane(at, restored)
        else:
            self.line.sever(at, restored, self.line.random_cut())
        self._again(self._cable, at, self.settings.cable_every_s, restored + 120_000)

    def _crane(self, at: int, restored: int) -> None:
        """A passing crane tears what hangs over the main road where the fibre crosses it: power,
        internet and television are out, the road is blocked."""
        span, far = crossing(self.town.feeder, self.town.fibre)
        self.line.sever(at, restored, Cut(span), crane=True)
        if at >= self._fibre_until:
            self.fibre.tear(at, restored, far)
            self._fibre_until = restored + 180_000

    def _storm(self, onset: int) -> None:
        episode = self.weather.storm(onset)
        self.covers.surcharge(episode.sag, onset + _LIFTED_MS, onset + _LIFTED_MS + _ASKEW_MS)
        self._again(self._storm, onset, self.settings.storm_every_s, episode.end + 7_200_000)

    def _tear(self, at: int) -> None:
        if at < self._fibre_until:  # a crane was there before
            self._plan(self._fibre_until, self._tear)
            return
        restored = at + round(1000 * self.settings.fibre_restored_s)
        self.fibre.tear(at, restored)
        self._fibre_until = restored + 180_000
        self._again(self._tear, at, self.settings.fibre_every_s, self._fibre_until)

    def _cover(self, at: int) -> None:
        until = at + _ASKEW_MS
        self.covers.lift(at, until)
        self._again(self._cover, at, self.settings.cover_every_s, until + 600_000)

    def _dry(self, at: int) -> None:
        until = at + _DRY_MS
        self.hydrants.trouble(at, until)
        self._again(self._dry, at, self.settings.hydrant_every_s, until + 1_800_000)

    def _dark(self, at: int) -> None:
        until = at + _LAMP_MS
        self.street.fail(at, until)
        self._again(self._dark, at, self.settings.lamp_every_s)

    def _struck(self, at: int) -> None:
        until = at + _LEANS_MS
        self.street.strike(at, until)
        self._again(self._struck, at, self.settings.pole_every_s)

    def _block(self, at: int) -> None:
        at = max(at, self.weather.rained_until() + 1_200_000)
        blocked = self.weather.block(at)
        self._again(self._block, at, self.settings.blockage_every_s, blocked.end + 600_000)

    def _sicken(self, at: int) -> None:
        self.weather.sicken(at)
        self._again(self._sicken, at, self.settings.sensor_fault_every_s)

    def _silence(self, at: int) -> None:
        gateway, begin, end = self.weather.silence(at)
        self.world.send(self.status(gateway, "offline", begin))
        self.world.send(self.status(gateway, "online", end))
        self._again(self._silence, at, self.settings.gateway_outage_every_s, end + 600_000)

    def _plan(self, at: int, what: Callable[[int], None]) -> None:
        """Decide on a trouble well before it happens: storms need hours, cameras seconds."""
        lead = 7_000_000 if what == self._storm else 15_000

        def decide(ms: int) -> tuple[Outgoing, ...]:
            what(at)
            return ()

        self.world.at(max(at - lead, self.start), decide)
