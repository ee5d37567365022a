"""How a cable is laid: its way on the map, drums spliced together, loops of slack at each splice.

Light goes further than the map says: fibres lie in a helix in their tubes (0.3 to 1.5 %), cables
hang through between poles, and each splice closure keeps 10 to 30 m of spare cable (YD 5121:
8 to 10 m on each side).
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from contracts.geo import Point, along, distance_m, length_m

DRUM_M = (1000.0, 3000.0)
"""Length of a cable on its drum."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A cable's way and how light counts along it."""

    path: tuple[Point, ...]
    knots: tuple[tuple[float, float], ...]
    """(metres of light from the OTDR, metres along the path), ascending in both, both ends too;
    two of the same path metres are a loop of slack."""
    splices: tuple[float, ...]
    """Metres of light to each splice."""

    @property
    def light_m(self) -> float:
        """Metres of light to its far end."""
        return self.knots[-1][0]

    def chainage(self, light_m: float) -> float:
        """Metres along the path of a place known by its light."""
        far, near = zip(*self.knots, strict=True)
        return float(np.interp(light_m, far, near))

    def point(self, light_m: float) -> Point:
        """The place on the map."""
        return along(self.path, self.chainage(light_m))


def lay(rng: np.random.Generator, light_m: float) -> Route:
    """A cable of about so much light, winding through a town."""
    helix = 1 + float(rng.uniform(0.003, 0.015))
    light, chainage = 0.0, 0.0
    knots, splices = [(0.0, 0.0)], []
    while True:
        drum = float(rng.uniform(*DRUM_M)) if light_m > 900 else light_m
        if light + 1.3 * drum >= light_m:
            drum = light_m - light
        light, chainage = light + drum, chainage + drum / helix
        knots.append((light, chainage))
        if light >= light_m - 1e-6:
            break
        slack = float(rng.uniform(10.0, 30.0))
        splices.append(light + slack * float(rng.uniform(0.35, 0.65)))
        light += slack
        knots.append((light, chainage))
    return Route(path=_path(rng, chainage), knots=tuple(knots), splices=tuple(splices))


def _path(rng: np.random.Generator, metres: float) -> tuple[Point, ...]:
    """A polyline of that length, turning a little at every pole or bend of the street."""
    at = Point(float(rng.uniform(104.0, 121.0)), float(rng.uniform(24.0, 38.0)))
    heading, walked, path = float(rng.uniform(0, 2 * math.pi)), 0.0, [at]
    while walked < metres:
        step = float(rng.uniform(40.0, 260.0)) * (1 if metres < 20_000 else 4)
        heading += float(rng.normal(0.0, 0.25))
        north, east = step * math.cos(heading), step * math.sin(heading)
        at = Point(
            at.lon + east / (111_195.0 * math.cos(math.radians(at.lat))), at.lat + north / 111_195.0
        )
        walked += distance_m(path[-1], at)
        path.append(at)
    last = along(tuple(path), metres)
    inner = path[:-1] if length_m(tuple(path)) >= metres else path
    return (*inner, last)
