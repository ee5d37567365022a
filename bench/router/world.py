"""A province of Jiangsu's numbers from a seed: grids in grids, a worker in each, streets, a river.

Numbers of 2023 (Jiangsu's own account): 105,000 grids, 417,000 micro-grids, 503,000 workers of
whom 88,000 are full-time; area 107,200 km². Rectangles are halved again and again, people evenly
and land unevenly, so that density varies as much as between a centre and the country.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.city import City, Grid, Worker
from contracts.geo import EARTH_RADIUS_M, Point
from contracts.governance import Barrier, Governance, Roads, Role
from router import profiles

LON, LAT = 118.0, 31.5
SIDE_M = 327_400.0
"""107,200 km² as a square."""
_LAT_M = math.degrees(1 / EARTH_RADIUS_M)
_LON_M = _LAT_M / math.cos(math.radians(LAT + SIDE_M / 2 * _LAT_M))
ROLES = {
    "grid_worker": Role(id="grid_worker", speed_mps=5.0, most_open=8),
    "microgrid_worker": Role(id="microgrid_worker", most_open=3),
    "volunteer": Role(id="volunteer", duty="help"),
}
Box = tuple[float, float, float, float]
"""West, south, width, height (metres)."""


class Plan(msgspec.Struct, frozen=True):
    """How many of everything."""

    counties: int = 95
    streets: int = 1_240
    communities: int = 21_000
    grids: int = 105_000
    microgrids: int = 417_000
    full_time: int = 86_000
    roads_side: int = 500
    """Crossings along each side of the city with a street map: its square are the nodes."""


JIANGSU = Plan()
QUICK = Plan(
    counties=10,
    streets=60,
    communities=900,
    grids=5_000,
    microgrids=20_000,
    full_time=4_200,
    roads_side=150,
)


def at(east: float, north: float) -> tuple[float, float]:
    """(lon, lat) of metres from the province's corner."""
    return LON + east * _LON_M, LAT + north * _LAT_M


def halves(
    box: Box, count: int, rng: np.random.Generator, put: Callable[[Box], None], least: float = 0.25
) -> None:
    """`box` in `count` parts: people halved, land by chance."""
    todo = [(box, count)]
    draws = iter(rng.uniform(least, 1 - least, count))
    while todo:
        (west, south, width, height), n = todo.pop()
        if n == 1:
            put((west, south, width, height))
            continue
        share = float(next(draws))
        if width >= height:
            cut = width * share
            a, b = (west, south, cut, height), (west + cut, south, width - cut, height)
        else:
            cut = height * share
            a, b = (west, south, width, cut), (west, south + cut, width, height - cut)
        todo += [(b, n - n // 2), (a, n // 2)]


class Province:
    """Grids and workers of the plan."""

    def __init__(self, plan: Plan, seed: int, told: Callable[[int], None]) -> None:
        self.plan = plan
        self._rng = np.random.default_rng(seed)
        self._told = told
        self.boxes: dict[str, list[Box]] = {}
        self.grids: list[Grid] = []
        side = SIDE_M * math.sqrt(plan.microgrids / JIANGSU.microgrids)
        self.side_m = side
        above = self._level("district", "d", plan.counties, [(0.0, 0.0, side, side)], None)
        for level, letter, count in (
            ("street", "s", plan.streets),
            ("community", "c", plan.communities),
            ("grid", "g", plan.grids),
            ("microgrid", "m", plan.microgrids),
        ):
            above = self._level(level, letter, count, above, level)

    def _level(
        self, level: str, letter: str, count: int, above: list[Box], parents: str | None
    ) -> list[Box]:
        boxes: list[Box] = []
        names = [g.id for g in self.grids[len(self.grids) - len(above) :]] if parents else [None]
        each, more = divmod(count, len(above))
        for k, box in enumerate(above):
            parts: list[Box] = []
            halves(box, each + (k < more), self._rng, parts.append)
            for west, south, width, height in parts:
                ring = (
                    at(west, south),
                    at(west + width, south),
                    at(west + width, south + height),
                    at(west, south + height),
                )
                ident = f"{letter}{len(boxes)}"
                rings = (((*ring, ring[0]),),)
                self.grids.append(
                    Grid(id=ident, name=ident, level=level, parent=names[k], rings=rings)
                )
                boxes.append((west, south, width, height))
                if len(boxes) % 5000 == 0:
                    self._told(len(self.grids))
        self.boxes[level] = boxes
        return boxes

    def somewhere(self, box: Box) -> tuple[float, float]:
        """Metres of a place in a box."""
        u, v = self._rng.random(2)
        return box[0] + u * box[2], box[1] + v * box[3]

    def workers(self) -> dict[str, Worker]:
        """A micro-grid worker in every micro-grid, the full-time ones over the grids."""
        shifts = ("08:00-20:00", "08:00-20:00", "20:00-08:00", "")
        out: dict[str, Worker] = {}
        picks = self._rng.integers(0, 4, self.plan.microgrids + self.plan.full_time).tolist()
        skills = self._rng.random(len(picks)).tolist()
        helps = self._rng.random(len(picks)).tolist()

        def add(ident: str, role: str, grid: str, box: Box, k: int) -> None:
            lon, lat = at(*self.somewhere(box))
            out[ident] = Worker(
                id=ident,
                name=ident,
                role=role,
                grid=grid,
                skills=("electric",) if skills[k] < 0.1 else (),
                shift=shifts[picks[k]],
                point=Point(lon, lat),
            )

        for k, box in enumerate(self.boxes["microgrid"]):
            role = "volunteer" if helps[k] < 0.1 else "microgrid_worker"
            add(f"m-{k}", role, f"m{k}", box, k)
        grids = self.boxes["grid"]
        for k in range(self.plan.full_time):
            grid = k % len(grids)
            add(f"g-{k}", "grid_worker", f"g{grid}", grids[grid], self.plan.microgrids + k)
        return out

    def city(self, workers: dict[str, Worker], **said: Roads | tuple[Barrier, ...]) -> City:
        """The city, with streets or barriers where given."""
        governed = msgspec.structs.replace(Governance(roles=ROLES), **said)
        return City(
            id="province",
            timezone="Asia/Shanghai",
            profile=profiles.load("cn-default"),
            grids=tuple(self.grids),
            devices={},
            workers=workers,
            extra={"governance": governed},
        )

    def densest(self, side_m: float) -> Box:
        """The square of that side with the most micro-grids (of a coarse lattice)."""
        middle = np.array([(w + x / 2, s + y / 2) for w, s, x, y in self.boxes["microgrid"]])
        cells = np.floor(middle / side_m).astype(np.int64)
        found, counts = np.unique(cells, axis=0, return_counts=True)
        west, south = found[int(np.argmax(counts))] * side_m
        return float(west), float(south), side_m, side_m

    def streets(self, box: Box) -> Roads:
        """A street lattice over a box, patchy, shaken, with slow bits, cut by a canal with six
        bridges."""
        n = self.plan.roads_side
        step = box[2] / (n - 1)
        shake = self._rng.uniform(-0.3, 0.3, (2, n, n)) * step
        east = box[0] + np.arange(n)[None, :] * step + shake[0]
        north = box[1] + np.arange(n)[:, None] * step + shake[1]
        index = np.arange(n * n, dtype=np.int32).reshape(n, n)
        pairs = [(index[:, :-1], index[:, 1:]), (index[:-1], index[1:])]
        a = np.concatenate([p.ravel() for p, _ in pairs])
        b = np.concatenate([q.ravel() for _, q in pairs])
        keep = self._rng.random(len(a)) < 0.85
        canal = (a // n == n // 2) & (b // n == n // 2 + 1)
        bridges = np.isin(a % n, np.linspace(0, n - 1, 8).astype(int)[1:-1])
        keep = np.where(canal, bridges, keep)
        a, b = a[keep], b[keep]
        x, y = east.ravel(), north.ravel()
        metres = np.hypot(x[a] - x[b], y[a] - y[b]) * self._rng.uniform(1.0, 1.2, len(a))
        factor = self._rng.choice(np.array([1.0, 1.0, 1.0, 0.5]), len(a))
        lon, lat = at(x, y)
        return Roads(
            lon=np.asarray(lon, dtype=np.float64),
            lat=np.asarray(lat, dtype=np.float64),
            from_=np.concatenate((a, b)),
            to=np.concatenate((b, a)),
            metres=np.tile(metres, 2).astype(np.float32),
            factor=np.tile(factor, 2).astype(np.float32),
            riding=np.tile(np.where(factor < 1, 0.25, 1.0), 2).astype(np.float32),
            source="made up",
        )

    def river(self) -> Barrier:
        """A river through the whole province, 1 km wide, winding, with a bridge every 20 km."""
        t = np.linspace(-0.05, 1.05, 120)
        east = t * self.side_m
        north = self.side_m / 2 + 0.05 * self.side_m * np.sin(9 * t)
        bank: list[tuple[float, float]] = [at(e, n + 500) for e, n in zip(east, north, strict=True)]
        other = [at(e, n - 500) for e, n in zip(east, north, strict=True)]
        ring = (*bank, *reversed(other), bank[0])
        step = max(1, round(20_000 / (east[1] - east[0])))
        bridges = tuple(
            Point(*at(e, n)) for e, n in zip(east[1:-1:step], north[1:-1:step], strict=True)
        )
        return Barrier(id="river", rings=(ring,), crossings=bridges)


def places(
    province: Province, count: int, seed: int, within: Box | None = None
) -> NDArray[np.float64]:
    """(count, 2) lon, lat of incidents: where people live, or anywhere in a box."""
    rng = np.random.default_rng(seed)
    boxes = province.boxes["microgrid"]
    out = []
    for k in rng.integers(0, len(boxes), count).tolist():
        west, south, width, height = within or boxes[k]
        u, v = rng.random(2)
        out.append(at(west + u * width, south + v * height))
    return np.array(out)
