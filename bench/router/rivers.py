"""Real towns: how often crow-fly sends the wrong one, and how much later they come.

150 times 40 people and an incident anywhere on the town's streets, all on foot: the nearest
crow-fly against the soonest by road. Krems lies on a river with few crossings.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from gridsentry.city.notes import Notes
from gridsentry.city.roads import read_roads
from router.assign.roads import RoadMap
from router.assign.travel import crow_m
from router.settings import RouterSettings

TOWNS = ("krems", "monaco", "campo-grande")
PEOPLE = 40
LATE = 1.05
"""Wrong is who takes so much longer than the soonest."""


class Town(msgspec.Struct, frozen=True):
    """What crow-fly cost in one town."""

    name: str
    draws: int
    wrong: int
    times_longer: list[float]
    """Of the wrong ones: their way over the best way."""


def compare(path: Path, draws: int, seed: int) -> Town | None:
    """One town's extract; None where it is not there or cannot be read."""
    roads = read_roads(path, (), Notes()) if path.is_file() else None
    if roads is None:
        return None
    s = RouterSettings()
    map_ = RoadMap(roads, PEOPLE, s.detour, s.off_road_m)
    rng = np.random.default_rng(seed)
    who = np.arange(PEOPLE, dtype=np.int32)
    walk = np.zeros(PEOPLE, dtype=np.bool_)
    times: list[float] = []
    for _ in range(draws):
        nodes = rng.choice(map_.joined, PEOPLE + 1, replace=False)
        lon, lat = roads.lon[nodes], roads.lat[nodes]
        trip = map_.trip(float(lon[-1]), float(lat[-1]), (lon[:-1], lat[:-1]))
        if trip is None:
            continue
        crow = crow_m(lon[:-1], lat[:-1], float(lon[-1]), float(lat[-1]))
        way = trip.way(who, crow, walk)
        while np.isinf(way).any() and np.isfinite(trip.reach_m):
            trip.farther()
            way = trip.way(who, crow, walk)
        ratio = float(way[np.argmin(crow)] / way.min())
        if ratio > LATE:
            times.append(ratio)
    return Town(path.name.partition(".")[0], draws, len(times), times)
