"""Who works here: grid heads, grid workers, micro-grid workers, helpers and the centre."""

from __future__ import annotations

import numpy as np

from contracts.city import Grid, Rule, Utility, Worker
from contracts.geo import Point
from simulators import names
from simulators.dice import dice
from simulators.frame import XY, to_point, to_xy

DAY = "07:00-19:00"
NIGHT = "19:00-23:59;00:00-07:00"
ALWAYS = ""


def corners(grid: Grid) -> list[XY]:
    """The corners of a grid's outer ring, metres."""
    return [to_xy(Point(lon, lat)) for lon, lat in grid.rings[0][0][:-1]]


def somewhere(grid: Grid, rng: np.random.Generator) -> XY:
    """A place inside a convex grid: a random mix of its corners, drawn towards the middle."""
    shares = rng.dirichlet(np.full(len(corners(grid)), 1.2))
    spots = np.asarray(corners(grid))
    x, y = 0.15 * spots.mean(axis=0) + 0.85 * (shares @ spots)
    return float(x), float(y)


def workers(seed: int, grids: tuple[Grid, ...]) -> dict[str, Worker]:
    """About eighty people: 1 head a grid, 60 micro-grid workers, some liaisons and the centres.

    Micro-grid workers live where they work and are always on; grid heads change at 07:00 and
    19:00, the other half of the day is covered by those whose number is even.
    """
    rng = dice(seed, "workers")
    people = iter(names.people(rng, 96))
    found: dict[str, Worker] = {}

    def add(role: str, grid: Grid, skills: tuple[str, ...], shift: str) -> None:
        id = f"w-{len(found) + 1:02d}"
        found[id] = Worker(
            id=id,
            name=next(people),
            role=role,
            grid=grid.id,
            skills=skills,
            shift=shift,
            point=to_point(somewhere(grid, rng)),
            phone=f"66{len(found) + 1:04d}",  # a short number within the town's own group
        )

    def level(name: str) -> list[Grid]:
        return [g for g in grids if g.level == name]

    for street in level("street"):
        add("district_center", street, ("coordination",), ALWAYS)
        add("street_center", street, ("coordination",), ALWAYS)
    for grid in level("grid"):
        add("grid_head", grid, ("coordination", "mediation"), ALWAYS)
    trades = (("drainage",), ("electric",), ("security",), ("first_aid",), ("telecom",))
    for number, micro in enumerate(level("microgrid")):
        shift = (ALWAYS, DAY, ALWAYS, NIGHT)[number % 4]
        add("microgrid_worker", micro, trades[(number + number // 5) % 5], shift)
    for community in level("community"):
        add("liaison", community, ("drainage", "electric"), ALWAYS)
        add("helper", community, (), DAY)
    for community in level("community"):
        add("community", community, ("coordination",), ALWAYS)
    return found


UTILITIES: dict[str, Utility] = {
    u.id: u
    for u in (
        Utility(
            id="power",
            name="清溪供电所",
            owners=("power-supply", "state-grid"),
            phone="0591-95598",
        ),
        Utility(
            id="water",
            name="清溪水务排水公司",
            owners=("drainage", "water-supply"),
            phone="0591-96968",
        ),
        Utility(
            id="telecom", name="榕川电信分公司", owners=("telecom", "mobile"), phone="0591-10000"
        ),
        Utility(id="tv", name="榕川广电网络", owners=("cable-tv",), phone="0591-96066"),
        Utility(
            id="city-management",
            name="清溪街道综合执法队",
            owners=("city-management", "street-office"),
            phone="0591-12345",
            restricted=True,
        ),
        Utility(
            id="traffic-police", name="清溪交警中队", owners=("traffic-police",), phone="0591-122"
        ),
    )
}

RULES: tuple[Rule, ...] = (
    Rule(id="throw", kind="high_altitude_throw", utility="city-management", helpers=1),
    Rule(id="flood", kind="flooding", utility="water", helpers=2),
    Rule(id="drain", kind="drain_blocked", utility="water", skills=("drainage",)),
    Rule(id="cover", kind="manhole_cover_displaced", utility="water"),
    Rule(id="hydrant", kind="hydrant_no_pressure", utility="water"),
    Rule(id="cable", kind="severed_cable", utility="power", helpers=1, skills=("electric",)),
    Rule(id="fibre", kind="fibre_break", utility="telecom"),
    Rule(id="lamp", kind="street_light_out", utility="power"),
    Rule(id="pole", kind="pole_tilt", utility="telecom"),
    Rule(id="sound", kind="loud_sound", utility="city-management", lane="self"),
    Rule(id="silent", kind="sensor_silent", utility="city-management", lane="self"),
    Rule(id="faulty", kind="sensor_faulty", utility="city-management", lane="self"),
    Rule(id="rest", kind="*", utility="city-management", lane="self"),
)
