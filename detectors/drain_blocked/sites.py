"""Which networks are watched, and what of a network matters: sensors, their heads, what is below.

A site is one connected drainage network with at least one level sensor in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from contracts.city import City, Device, DrainNetwork, Pipe
from contracts.detector import Site
from contracts.geo import Point, along, distance_m
from detectors._common.water.graph import (
    Graph,
    outlets,
    pipe_length_m,
    site_name,
    stands,
)
from detectors.drain_blocked.config import DrainBlockedConfig
from detectors.drain_blocked.flow import UNKNOWN_M
from detectors.drain_blocked.pair import Bond

LEVEL_TYPES = frozenset({"drain", "level", "water_level", "manhole", "sewer_level"})
"""Types of device that measure a level where `metrics` does not say so."""
ROUGHNESS = 0.013
"""Manning's n of concrete sewers in service (ASCE Manual 60)."""
LEAST_SLOPE = 0.0005
"""A flat or adverse pipe carries at least as if it fell so much."""
SPEED_MPS = 0.5
"""How fast a wave of water goes down a sewer, at the least: self-cleansing velocity is 0.6 m/s."""
RAIN_TYPES = frozenset({"rain", "rain_gauge"})


class Sensor(msgspec.Struct, frozen=True):
    """A level sensor in its manhole."""

    device: str
    node: str
    point: Point
    invert_m: float | None
    depth_m: float | None
    """From the invert to the rim."""
    pipe_m: float
    """Height of the largest pipe that leaves there."""
    full_m3s: float | None
    """What that pipe carries when full, by Manning; None: not enough is registered."""
    holes: int
    """Manholes that drain through it, itself among them."""


class Reach(msgspec.Struct, frozen=True):
    """A pipe below a sensor: what its water passes."""

    pipe: str
    hops: int
    """Pipes between the sensor and this one: 0 leaves the sensor's own manhole."""
    metres: float
    """From the sensor to where this pipe begins."""
    rim_m: float | None
    """The lowest rim on the way there: higher water would stand on the road before."""
    invert_m: float | None
    """Of the node where this pipe begins."""


class Layout:
    """A site's network as this detector sees it; follows from the site alone."""

    def __init__(self, site: Site, cfg: DrainBlockedConfig) -> None:
        if site.drains is None:
            raise ValueError(f"site {site.id} has no drains")
        self.network: DrainNetwork = site.drains
        self.graph = Graph(site.drains)
        self._cfg = cfg
        self._count: dict[str, int] = {}
        places = stands(self.graph, site.devices, cfg.near_m)
        pipes = site.drains.pipes.values()
        self._sized = 2 * sum(bool(p.diameter_m or p.length_m) for p in pipes) > len(pipes)
        self.sensors: dict[str, Sensor] = {}
        for device in sorted(site.devices, key=lambda d: d.id):
            if not measures_level(device) or device.id not in places:
                continue
            if self._pumped(places[device.id]):
                continue  # its level is the pump's doing
            node = self.network.nodes[places[device.id]]
            invert, rim = node.invert_m, node.rim_m
            depth = rim - invert if rim is not None and invert is not None else None
            ways = [p for p in self.graph.pipes_out[node.id] if p.diameter_m]
            way = max(ways, key=lambda p: (p.diameter_m or 0.0, p.id), default=None)
            self.sensors[device.id] = Sensor(
                device=device.id,
                node=node.id,
                point=node.point,
                invert_m=invert,
                depth_m=depth,
                pipe_m=(way.diameter_m if way else None) or UNKNOWN_M,
                full_m3s=self._full(way) if way else None,
                holes=self._holes(node.id),
            )
        self.gauges = frozenset(d.id for d in site.devices if measures_rain(d))
        self._down: dict[str, dict[str, Reach]] = {}
        self._up: dict[str, dict[str, float]] = {}
        self._below: dict[str, tuple[str, ...]] = {}
        self._next: dict[str, tuple[str, ...]] = {}
        self._at: dict[str, list[str]] = {}
        for sensor in self.sensors.values():
            self._at.setdefault(sensor.node, []).append(sensor.device)

    def down(self, device: str) -> dict[str, Reach]:
        """The pipes below a sensor, by id, nearest first, within `reach_m`."""
        if device not in self._down:
            self._down[device] = self._walk(self.sensors[device].node)
        return self._down[device]

    def up(self, device: str) -> dict[str, float]:
        """The pipes whose water comes to a sensor, by id → metres, within `reach_m`."""
        if device not in self._up:
            node = self.sensors[device].node
            above = {node: 0.0, **self.graph.above(node, self._cfg.reach_m)}
            self._up[device] = {
                pipe.id: metres
                for n, metres in above.items()
                for pipe in self.graph.pipes_in[n]
                if self.is_pipe(pipe.id)
            }
        return self._up[device]

    def weight(self, pipe: str) -> float:
        """How likely a pipe is the blocked one before any look: by its length."""
        return math.sqrt(pipe_length_m(self.network.pipes[pipe]))

    def share(self, pipe: str, device: str) -> float:
        """Share of a sensor's usual water that comes through a pipe above it: by the manholes that
        drain there."""
        mine = self._holes(self.sensors[device].node)
        return min(1.0, self._holes(self.network.pipes[pipe].from_) / mine)

    def below(self, pipe: str) -> tuple[str, ...]:
        """The sensors that a pipe's water comes to, those with the largest share of it first."""
        if pipe not in self._below:
            found = [d for d in self.sensors if pipe in self.up(d)]
            found.sort(key=lambda d: (self.share(pipe, d), d), reverse=True)
            self._below[pipe] = tuple(found)
        return self._below[pipe]

    def is_pipe(self, pipe: str) -> bool:
        """Whether it is a pipe as far as the register says: where pipes have their size, a
        connection without any is a pump, a weir or a gate."""
        one = self.network.pipes[pipe]
        return not self._sized or bool(one.diameter_m or one.length_m)

    def gravity(self, above: str, below: str) -> bool:
        """Whether water runs freely from one sensor to another: no pump or weir between."""
        chain = self.graph.chain(self.sensors[above].node, self.sensors[below].node)
        return chain is not None and all(self.is_pipe(p.id) for p in chain)

    def bond(self, above: str, below: str) -> Bond:
        """What the register says of two sensors with the same water."""
        top, bottom = self.sensors[above], self.sensors[below]
        known = top.invert_m is not None and bottom.invert_m is not None
        drop = (top.invert_m or 0.0) - (bottom.invert_m or 0.0) if known else None
        chain = self.graph.chain(top.node, bottom.node) or ()
        metres = sum(pipe_length_m(pipe) for pipe in chain)
        share = min(1.0, top.holes / bottom.holes)
        plain = Bond(drop, metres / SPEED_MPS, share)
        fulls = [self._full(pipe) for pipe in chain]
        starts = [self.network.nodes[pipe.from_].invert_m for pipe in chain]
        if top.invert_m is None or not bottom.full_m3s or None in fulls or None in starts:
            return plain
        if not chain or any(len(self.graph.pipes_out[pipe.from_]) > 1 for pipe in chain):
            return plain
        crown = max((i or 0.0) + (p.diameter_m or 0.0) for i, p in zip(starts, chain, strict=True))
        return msgspec.structs.replace(
            plain,
            crown_m=crown - top.invert_m,
            least_log=math.log(min(full or 1.0 for full in fulls)),
            below_log=math.log(bottom.full_m3s),
        )

    def _pumped(self, node: str) -> bool:
        ends = (*self.graph.pipes_in[node], *self.graph.pipes_out[node])
        return not all(self.is_pipe(pipe.id) for pipe in ends)

    def _full(self, pipe: Pipe) -> float | None:
        start = self.network.nodes[pipe.from_].invert_m
        end = self.network.nodes[pipe.to].invert_m
        if start is None or end is None or not pipe.diameter_m:
            return None
        slope = max((start - end) / pipe_length_m(pipe), LEAST_SLOPE)
        return 0.3117 / ROUGHNESS * math.pow(pipe.diameter_m, 8 / 3) * math.sqrt(slope)

    def _holes(self, node: str) -> int:
        if node not in self._count:
            self._count[node] = 1 + len(self.graph.above(node))
        return self._count[node]

    def next_below(self, device: str) -> tuple[str, ...]:
        """The first sensors below."""
        if device not in self._next:
            node = self.sensors[device].node
            found = self.graph.first_below(node, self._at, self._cfg.reach_m)
            self._next[device] = tuple(d for n in found for d in self._at[n])
        return self._next[device]

    def middle(self, pipe: str) -> Point:
        """The middle of a pipe."""
        one = self.network.pipes[pipe]
        drawn = sum(distance_m(a, b) for a, b in zip(one.path, one.path[1:], strict=False))
        return along(one.path, drawn / 2)

    def _walk(self, start: str) -> dict[str, Reach]:
        nodes = self.network.nodes
        found: dict[str, Reach] = {}
        queue: list[tuple[float, int, str, float | None]] = [(0.0, 0, start, None)]
        seen = {start}
        while queue:
            queue.sort(key=lambda q: (q[0], q[2]))
            metres, hops, node, rim = queue.pop(0)
            for pipe in self.graph.pipes_out[node]:
                if not self.is_pipe(pipe.id):
                    continue  # what a pump lifts makes no pool
                found[pipe.id] = Reach(pipe.id, hops, metres, rim, nodes[node].invert_m)
                far = metres + pipe_length_m(pipe)
                if pipe.to in seen or far > self._cfg.reach_m:
                    continue
                seen.add(pipe.to)
                there = nodes[pipe.to].rim_m
                low = there if rim is None else rim if there is None else min(rim, there)
                queue.append((far, hops + 1, pipe.to, low))
        return found


def measures_level(device: Device) -> bool:
    """Whether it stands in the water and says how deep it is."""
    return "level" in device.metrics or (not device.metrics and device.type in LEVEL_TYPES)


def measures_rain(device: Device) -> bool:
    """Whether it tells rain."""
    return "rain_rate" in device.metrics or (not device.metrics and device.type in RAIN_TYPES)


def sites(city: City, cfg: DrainBlockedConfig) -> Iterable[Site]:
    """One per connected network with a level sensor: its sensors and the rain gauges near it."""
    if city.drains is None or not city.drains.pipes:
        return
    graph = Graph(city.drains)
    levels = [d for d in city.devices.values() if measures_level(d)]
    rain = [d for d in city.devices.values() if measures_rain(d)]
    places = stands(graph, levels, cfg.near_m)
    for part in graph.parts():
        own = [d for d in levels if places.get(d.id) in part.nodes]
        if not own:
            continue
        devices = {d.id: d for d in (*own, *_near(rain, own, cfg.rain_reach_m))}
        mouth = next(iter(outlets(Graph(part))), min(part.nodes))
        yield Site(
            id=site_name(part),
            district=own[0].district,
            point=part.nodes[mouth].point,
            devices=tuple(devices[name] for name in sorted(devices)),
            drains=part,
        )


def _near(rain: list[Device], own: list[Device], reach_m: float) -> list[Device]:
    """Rain gauges of the same site, or near any sensor."""
    names = {d.site for d in own if d.site}
    return [
        gauge
        for gauge in rain
        if gauge.site in names or any(distance_m(gauge.point, d.point) <= reach_m for d in own)
    ]
