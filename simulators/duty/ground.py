"""What is really wrong in the live town and where its people really are: what crews find there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from contracts.city import Device
from contracts.geo import Point, distance_m
from simulators.director import Director
from simulators.street import LAMP, POLE

AT_M = 60.0
"""What stands this near to a ticket's place is what it is about (events of one kind within 50 m are
one incident)."""
LINE_M = 300.0
"""A break or a blockage is told of at most so far from where it is."""
WATER_M = 0.03
"""Water on a road from which on nobody calls it run off."""


class Ground(Protocol):
    """The world as crews touch it; all times are epoch ms."""

    def send(
        self, worker: str, to: Point, speed_mps: float, there: Callable[[int], None] | None
    ) -> None:
        """Let a worker go there and stay; `there(ms)` on arrival."""
        ...

    def release(self, worker: str) -> None:
        """Let a worker stroll again."""
        ...

    def where(self, worker: str) -> Point | None:
        """Where a worker is; None: nobody of that name."""
        ...

    def wrong(self, kind: str, near: Point, ms: int) -> bool:
        """Whether anything of that kind is wrong around there."""
        ...

    def mend(self, kind: str, near: Point, utility: str | None, ms: int) -> bool:
        """Let a utility's crew (None: a grid worker) do what they can; whether that mended
        anything. Water runs off by itself, and only its owner splices a cable."""
        ...


class TownGround:
    """The director's town."""

    def __init__(self, director: Director) -> None:
        self._town, self._d = director.town, director

    def send(
        self, worker: str, to: Point, speed_mps: float, there: Callable[[int], None] | None
    ) -> None:
        """Let a worker go there."""
        self._d.walkers[worker].send(to, speed_mps, there)

    def release(self, worker: str) -> None:
        """Let a worker stroll again."""
        self._d.walkers[worker].release()

    def where(self, worker: str) -> Point | None:
        """Where a worker is."""
        walker = self._d.walkers.get(worker)
        return walker.point if walker else None

    def wrong(self, kind: str, near: Point, ms: int) -> bool:
        """Whether it still goes on. What nobody's sensor says is over when it is told."""
        d = self._d
        match kind:
            case "severed_cable":
                return self._line_down(near)
            case "fibre_break":
                return d.fibre.broken
            case "manhole_cover_displaced":
                return any(d.covers.askew(c.id, ms) for c in self._at(near, d.covers.sensors))
            case "hydrant_no_pressure":
                return d.hydrants.lacking(ms)
            case "pole_tilt" | "street_light_out":
                return any(d.street.broken(s.id, ms) for s in self._street(kind, near))
            case "drain_blocked":
                return self._blocked(near, ms)
            case "flooding":
                return any(d.weather.depth(m, ms) > WATER_M for m in self._manholes(near))
            case "sensor_faulty":
                return any(d.weather.faulty(m, ms) for m in self._manholes(near))
            case "sensor_silent":
                return any(
                    d.world.away(self._town.gateways[x.id], ms)
                    for x in self._at(near, self._town.devices)
                )
        return False

    def mend(self, kind: str, near: Point, utility: str | None, ms: int) -> bool:
        """Do what this crew can."""
        d, done = self._d, False
        cable = kind in ("severed_cable", "fibre_break", "pole_tilt")
        if cable and utility is not None:
            done = self._splice(near, utility, ms)
        match kind:
            case "manhole_cover_displaced":
                put = [d.covers.mend(c.id, ms) for c in self._at(near, d.covers.sensors)]
                done = any(put)
            case "hydrant_no_pressure":
                done = d.hydrants.mend(ms)
            case "pole_tilt" | "street_light_out":
                stood = [d.street.mend(s.id, ms) for s in self._street(kind, near)]
                done = any(stood) or done
            case "drain_blocked":
                done = self._blocked(near, ms) and d.weather.jet(ms)
            case "sensor_faulty":
                cured = [d.weather.cure(m, ms) for m in self._manholes(near)]
                done = any(cured)
        if done:
            d.truth.note(ms, "mended", kind, {"lon": near.lon, "lat": near.lat, "by": utility})
        return done

    def _splice(self, near: Point, utility: str, ms: int) -> bool:
        """A utility splices all of its own that a crane tore down there."""
        d, town = self._d, self._town
        owners = town.utilities[utility].owners if utility in town.utilities else ()
        line = fibre = False
        if d.line.down is not None and self._line_down(near):
            owner = town.feeder.network.spans[d.line.down].owner
            line = owner in owners and d.line.mend(ms)
        path = town.fibre.path
        if town.fibre.owner in owners and min(distance_m(near, p) for p in path) < LINE_M:
            fibre = d.fibre.mend()
        return line or fibre

    def _line_down(self, near: Point) -> bool:
        down, network = self._d.line.down, self._town.feeder.network
        if down is None:
            return False
        span = network.spans[down]
        ends = (network.nodes[span.from_].point, network.nodes[span.to].point)
        return min(distance_m(near, end) for end in ends) < LINE_M

    def _blocked(self, near: Point, ms: int) -> bool:
        pipe, network = self._d.weather.blocked(ms), self._town.sewers.network
        if pipe is None:
            return False
        ends = (network.pipes[pipe].from_, network.pipes[pipe].to)
        return min(distance_m(near, network.nodes[n].point) for n in ends) < LINE_M

    def _street(self, kind: str, near: Point) -> list[Device]:
        type_ = LAMP if kind == "street_light_out" else POLE
        mine = (s.device.id for s in self._d.street.sensors.values() if s.device.type == type_)
        return self._at(near, mine)

    def _manholes(self, near: Point) -> list[str]:
        return [d.id for d in self._at(near, self._town.sewers.catches)]

    def _at(self, near: Point, ids: Iterable[str]) -> list[Device]:
        """Those of these devices that stand there: who comes sees to all of them."""
        found = [self._town.devices[i] for i in ids if i in self._town.devices]
        return [d for d in found if distance_m(near, d.point) <= AT_M]
