"""Cameras and the OTDR in time: pieces of video each second, a trace each minute."""

from __future__ import annotations

from collections.abc import Iterable

from simulators import otdr
from simulators.ballistics import throw
from simulators.camera import Eye
from simulators.dice import between, dice
from simulators.otdr import Break
from simulators.settings import SimSettings
from simulators.sprites import Bird, Drifting, Sprite, Thrown
from simulators.towers import zone_id
from simulators.town import Town
from simulators.world import Outgoing, Truth, World, feed, moment

_SERIAL = "640012"


class CameraFeed:
    """One camera that publishes a piece of video after each piece has ended."""

    def __init__(
        self, town: Town, number: int, settings: SimSettings, world: World, truth: Truth
    ) -> None:
        self.tower = town.towers[number]
        self._town, self._settings, self._world, self._truth = town, settings, world, truth
        self._rng = dice(settings.seed, "feed", self.tower.camera)
        self._eye = Eye(self.tower, number, town.seed, settings)
        self._sprites: list[Sprite] = []
        self._length_ms = settings.segment_s * 1000
        self._base = 0
        self._done = 0

    def go(self, ms: int) -> None:
        """Film from about `ms` on."""
        self._base = ms + round(1000 * self._rng.random())
        self._world.at(self._base + self._length_ms, self._publish)
        if self._settings.passage_every_s > 0:
            self._world.at(ms, self._passage)

    def throw(self, release: int, floor: int | None = None, bay: int | None = None) -> None:
        """Let something fly out of a window at `release`: at least two pieces ahead of now."""
        rng, tower = self._rng, self.tower
        floor = floor or int(rng.integers(round(0.6 * tower.floors), tower.floors + 1))
        bay = bay or int(rng.integers(2, tower.bays))
        flight = throw(rng, tower, floor, bay)
        sprite = Thrown(tower.view, flight, release / 1000)
        self._sprites.append(sprite)
        first = tower.view.project(flight.points[:1])[0]
        last = tower.view.project(flight.points[-1:])[0]
        details = {
            "tower": tower.name,
            "zone": zone_id(floor, bay),
            "floor": floor,
            "bay": bay,
            "thing": flight.body.name,
            "fall_s": round(flight.duration_s, 3),
            "impact_m_s": round(flight.impact_m_s, 2),
            "from_px": [round(float(c), 1) for c in first],
            "to_px": [round(float(c), 1) for c in last],
        }

        def write(ms: int) -> tuple[Outgoing, ...]:
            self._truth.note(ms, "high_altitude_throw", tower.camera, details)
            return ()

        self._world.at(release, write)

    def _passage(self, ms: int) -> tuple[Outgoing, ...]:
        """Plan the next bird, leaf or bag."""
        rng = self._rng
        mean = self._settings.passage_every_s
        at = ms + 2 * self._length_ms + round(1000 * float(rng.exponential(mean)))
        sprite: Sprite
        if rng.random() < 0.65:
            sprite = Bird(rng, at / 1000)
        else:
            sprite = Drifting(rng, self.tower.view, self.tower, at / 1000)
        self._sprites.append(sprite)
        self._world.at(at, self._passage)
        return ()

    def _publish(self, ms: int) -> Iterable[Outgoing]:
        first = ms - self._length_ms
        number = (first - self._base) // self._length_ms
        self._sprites = [s for s in self._sprites if s.end * 1000 > first]
        data = self._eye.segment(number, first / 1000, self._sprites)
        self._world.at(ms + self._length_ms, self._publish)
        # the upload takes its time, whether or not the piece had to be rendered
        leaves = ms + round(1000 * between(self._rng, (0.25, 0.40)))
        yield Outgoing(
            at=leaves,
            gateway=self.tower.camera,
            topic=feed(self._town.district, self.tower.camera, "segment", first),
            payload=data,
            file="mp4",
        )


class FibreWatch:
    """The OTDR in the exchange, and what happens to its fibre."""

    def __init__(self, town: Town, settings: SimSettings, world: World, truth: Truth) -> None:
        self._town, self._settings, self._world, self._truth = town, settings, world, truth
        self._rng = dice(settings.seed, "fibre")
        self._broken: Break | None = None
        self._device = town.devices[town.fibre.device or ""]

    @property
    def broken(self) -> bool:
        """Whether the fibre is parted now."""
        return self._broken is not None

    def mend(self) -> bool:
        """Splice the fibre before its time; False: it is whole."""
        found, self._broken = self.broken, None
        return found

    def go(self, ms: int) -> None:
        """Measure from `ms` on."""
        self._world.at(ms + 2000 + round(4000 * self._rng.random()), self._measure)

    def tear(self, at: int, restored: int, distance_m: float | None = None) -> None:
        """Part the fibre at `at`, so far from the OTDR (None: somewhere); spliced at `restored`."""
        distance = round(between(self._rng, (250.0, self._town.plant.length_m - 250.0)), 1)
        distance = distance if distance_m is None else distance_m
        broken = Break(distance, bool(self._rng.random() < 0.25))

        def part(ms: int) -> tuple[Outgoing, ...]:
            self._broken = broken
            details = {
                "distance_m": distance,
                "reflective": broken.reflective,
                "restored_at": restored,
                "owner": self._town.fibre.owner,
            }
            self._truth.note(ms, "fibre_break", self._town.fibre.id, details)
            return ()

        def splice(ms: int) -> tuple[Outgoing, ...]:
            if self._broken is broken:  # nobody mended it before
                self._broken = None
            return ()

        self._world.at(at, part)
        self._world.at(restored, splice)

    def _measure(self, ms: int) -> Iterable[Outgoing]:
        self._world.at(ms + round(1000 * self._settings.trace_every_s), self._measure)
        yield self.trace(ms)

    def trace(self, ms: int) -> Outgoing:
        """One measurement taken at `ms`, uploaded some seconds later."""
        data = otdr.shoot(self._town.plant, moment(ms), self._rng, _SERIAL, self._broken)
        return Outgoing(
            at=ms + round(1000 * between(self._rng, (0.8, 2.0))),
            gateway=self._town.gateways[self._device.id],
            topic=feed(self._device.district, self._device.id, "trace", ms),
            payload=data,
            file="sor",
        )
