"""A storm night: a borough of communities, its people, and some three hundred troubles.

Showers pass over it; where they are there is trouble, mostly water. How many people are on duty
says how scarce they are.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from contracts.city import City, Device, Grid, Profile, Rule, Utility, Worker
from contracts.geo import Point
from contracts.governance import Governance, Role
from simulators import names
from simulators.dice import dice
from simulators.duty.manners import USUAL_WORK_S, WORK_S, Manner, lognormal
from simulators.duty.trouble import Trouble

SIDE_M = 1000.0
"""A community is a square kilometre (a grid of Jiangsu is about that on average)."""
MIX: dict[str, float] = {
    "flooding": 0.46,
    "drain_blocked": 0.12,
    "citizen_report": 0.14,
    "severed_cable": 0.07,
    "pole_tilt": 0.06,
    "manhole_cover_displaced": 0.07,
    "hydrant_no_pressure": 0.03,
}
"""Of the troubles of a storm night that cannot wait for the morning. Assumed: water first, then
what wind and water break."""
SEVERITY: dict[str, tuple[int, ...]] = {
    "flooding": (2, 3, 3, 4, 5),
    "severed_cable": (4, 4, 5),
    "manhole_cover_displaced": (4,),
    "pole_tilt": (3, 4),
}
USUAL = (2, 3)
ORIGIN = Point(119.6, 32.2)
_M_PER_LAT = 111_320.0
_OWNERS = {
    "flooding": "water", "drain_blocked": "water", "hydrant_no_pressure": "water",
    "severed_cable": "power", "pole_tilt": "power",
}  # fmt: skip


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What night is wanted."""

    seed: int
    troubles: int = 300
    people: int = 40
    hours: float = 8.0
    columns: int = 6
    rows: int = 5
    """The borough's communities."""
    start: datetime = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)


def point(x: float, y: float) -> Point:
    """Metres east and north of the borough's corner as a point."""
    lat = ORIGIN.lat + y / _M_PER_LAT
    lon = ORIGIN.lon + x / (_M_PER_LAT * math.cos(math.radians(ORIGIN.lat)))
    return Point(float(lon), float(lat))


def _square(x: float, y: float, side: float) -> tuple[tuple[tuple[tuple[float, float], ...], ...]]:
    ring = [(x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y)]
    corners = [point(a, b) for a, b in ring]
    return ((tuple((p.lon, p.lat) for p in corners),),)


def borough(order: Order, profile: Profile) -> City:
    """Its grids and people; nothing of what will happen."""
    rng = dice(order.seed, "borough")
    grids = [Grid(id="d", name="江北区", level="district", rings=_square(0, 0, 1e4))]
    for r in range(order.rows):
        for c in range(order.columns):
            name = f"c{r}{c}"
            rings = _square(c * SIDE_M, r * SIDE_M, SIDE_M)
            grids.append(
                Grid(id=name, name=f"{name}社区", level="community", parent="d", rings=rings)
            )
            for k in range(4):
                x, y = c * SIDE_M + (k % 2) * SIDE_M / 2, r * SIDE_M + (k // 2) * SIDE_M / 2
                grids.append(
                    Grid(
                        id=f"{name}g{k}", name=f"{name}第{k + 1}网格", level="grid", parent=name,
                        rings=_square(x, y, SIDE_M / 2),
                    )
                )  # fmt: skip
    people: dict[str, Worker] = {}
    called = iter(names.people(rng, order.people))
    for i in range(order.people):
        x, y = rng.uniform(0, order.columns * SIDE_M), rng.uniform(0, order.rows * SIDE_M)
        grid = f"c{int(y // SIDE_M)}{int(x // SIDE_M)}"
        people[f"w-{i:03}"] = Worker(
            id=f"w-{i:03}", name=next(called), role="grid_worker", grid=grid, skills=(), shift="",
            point=point(float(x), float(y)),
        )  # fmt: skip
    return City(
        id="borough",
        timezone="Asia/Shanghai",
        profile=profile,
        grids=tuple(grids),
        devices={
            "app": Device(id="app", district="d", type="app", point=point(0, 0)),
        },
        workers=people,
        utilities={
            name: Utility(id=name, name=name, owners=(name,)) for name in ("water", "power")
        },
        rules=(Rule(id="all", kind="*", lane="self"),),
        extra={
            "governance": Governance(
                roles={"grid_worker": Role(id="grid_worker", speed_mps=Manner().speed_mps)}
            )
        },
    )


def troubles(order: Order) -> list[Trouble]:
    """What happens, in order of time."""
    rng = dice(order.seed, "troubles")
    width, height = order.columns * SIDE_M, order.rows * SIDE_M
    length = order.hours * 3600
    cells = [
        (
            rng.uniform(0, length), rng.uniform(1200, 3600), rng.uniform(0, width),
            rng.uniform(0, height), rng.uniform(600, 1500), rng.uniform(-1.5, 1.5),
            rng.uniform(-1.5, 1.5),
        )
        for _ in range(int(rng.integers(3, 6)))
    ]  # fmt: skip
    found: list[Trouble] = []
    kinds, weights = list(MIX), np.array(list(MIX.values()))
    while len(found) < order.troubles:
        if rng.random() < 0.7:  # under a passing cell; else anywhere, any time
            peak, lasts, x0, y0, reach, vx, vy = cells[int(rng.integers(len(cells)))]
            t = float(rng.normal(peak, lasts / 2))
            x = float(rng.normal(x0 + vx * (t - peak), reach))
            y = float(rng.normal(y0 + vy * (t - peak), reach))
        else:
            t, x, y = rng.uniform(0, length), rng.uniform(0, width), rng.uniform(0, height)
        if not (0 <= t < length and 0 <= x < width and 0 <= y < height):
            continue
        kind = str(rng.choice(kinds, p=weights / weights.sum()))
        number = len(found)
        found.append(
            Trouble(
                id=f"x-{number:03}",
                at=order.start + timedelta(seconds=round(t, 1)),
                kind=kind,
                site=f"s-{number:03}",
                point=point(float(x), float(y)),
                severity=int(rng.choice(SEVERITY.get(kind, USUAL))),
                work_s=lognormal(rng, WORK_S.get(kind, USUAL_WORK_S), 0.4),
                evidence={"owners": [_OWNERS[kind]]} if kind in _OWNERS else {"kind": None},
            )
        )
    return sorted(found, key=lambda t: (t.at, t.id))
