"""Workers on foot and on scooters: from waypoint to waypoint inside their grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo

import msgspec

from contracts.city import Grid, Worker
from contracts.geo import Point
from simulators.dice import between, dice
from simulators.frame import XY, to_point, to_xy
from simulators.settings import SimSettings
from simulators.staff import somewhere
from simulators.town import APP, Town
from simulators.world import ROOT, Happening, Outgoing, World, moment


class Walker:
    """One worker's phone: a position every ten to twenty seconds while on shift."""

    def __init__(
        self, worker: Worker, grid: Grid, zone: ZoneInfo, seed: int, every_s: float
    ) -> None:
        self.worker = worker
        self._grid, self._zone = grid, zone
        self._rng = dice(seed, "walker", worker.id)
        self._every_ms = every_s * 1000
        self._here = to_xy(worker.point)
        self._goal = self._here
        self._rest_until = 0
        self._last = 0
        riding = worker.role in ("grid_head", "liaison")
        self._speed = between(self._rng, (3.0, 5.0) if riding else (0.8, 1.5))
        self._sent: XY | None = None
        self._hurry = 0.0
        self._there: Callable[[int], None] | None = None

    @property
    def point(self) -> Point:
        """Where they really are."""
        return to_point(self._here)

    def send(self, to: Point, speed_mps: float, there: Callable[[int], None] | None = None) -> None:
        """Go there instead of strolling and stay; `there(ms)` is called once, on arrival."""
        self._sent, self._hurry, self._there = to_xy(to), speed_mps, there

    def release(self) -> None:
        """Stroll again."""
        if self._sent is not None:
            self._goal, self._sent, self._there = self._here, None, None

    def go(self, ms: int, world: World) -> None:
        """Report from `ms` on: once soon, so that everybody is on the map, then at its pace."""
        self._last = ms
        world.at(ms + round(4000 * self._rng.random()), self._reporter(world))

    def _reporter(self, world: World) -> Happening:
        def report(ms: int) -> Iterable[Outgoing]:
            pace = self._every_ms * between(self._rng, (0.9, 1.1))
            world.at(ms + round(pace), report)
            self._walk(ms)
            if self.on_shift(ms) or self._sent is not None:
                yield self._say(ms)

        return report

    def on_shift(self, ms: int) -> bool:
        """Whether the worker is on duty, by the city's clock."""
        if not self.worker.shift:
            return True
        local = moment(ms).astimezone(self._zone)
        minute = local.hour * 60 + local.minute
        for part in self.worker.shift.split(";"):
            begin, end = (int(t[:2]) * 60 + int(t[3:]) for t in part.split("-"))
            if begin <= minute < end or (end < begin and (minute >= begin or minute < end)):
                return True
        return False

    def _walk(self, ms: int) -> None:
        seconds = (ms - self._last) / 1000
        self._last = ms
        if self._sent is not None:
            there = self._there
            if self._step(self._sent, max(self._speed, self._hurry) * seconds) and there:
                self._there = None
                there(ms)
            return
        if ms < self._rest_until or not self._step(self._goal, self._speed * seconds):
            return
        self._goal = somewhere(self._grid, self._rng)
        self._rest_until = ms + round(1000 * between(self._rng, (0.0, 90.0)))

    def _step(self, goal: XY, metres: float) -> bool:
        """So far towards it; whether that is there."""
        dx, dy = goal[0] - self._here[0], goal[1] - self._here[1]
        far = math.hypot(dx, dy)
        if metres < far:
            self._here = (self._here[0] + dx / far * metres, self._here[1] + dy / far * metres)
            return False
        self._here = goal
        return True

    def _say(self, ms: int) -> Outgoing:
        sigma = between(self._rng, (2.0, 6.0))
        x = self._here[0] + float(self._rng.normal(0, sigma / 2))
        y = self._here[1] + float(self._rng.normal(0, sigma / 2))
        point = to_point((x, y))
        body = {"ts": ms, "lon": point.lon, "lat": point.lat, "accuracy_m": round(sigma, 1)}
        return Outgoing(
            at=ms + round(1000 * between(self._rng, (0.1, 0.7))),
            gateway=APP,
            topic=f"{ROOT}/worker/{self.worker.id}/position",
            payload=msgspec.json.encode(body),
        )


def walkers(town: Town, settings: SimSettings) -> list[Walker]:
    """Everybody, each in the middle of their own day."""
    rng = dice(settings.seed, "walkers")
    zone = ZoneInfo(town.timezone)
    grids = {g.id: g for g in town.grids}
    return [
        Walker(w, grids[w.grid or ""], zone, settings.seed, between(rng, settings.worker_every_s))
        for w in town.workers.values()
    ]
