"""The mains on paper: a loop of pipe under every road, a pump by the river, a tank on the hill."""

from __future__ import annotations

import msgspec

from contracts.city import Device
from contracts.geo import Point
from simulators.dice import dice
from simulators.frame import to_point
from simulators.layout import COLUMNS, ROWS, STREET_ID, Lattice

SITE = "mains-qingxi"
"""All hydrants of the town hang on one supply."""
HYDRANTS = 12
_DETOUR = 1.05


class Junction(msgspec.Struct, frozen=True):
    """Where mains meet under a crossing."""

    id: str
    elevation_m: float
    demand_m3s: float
    """Mean use of the houses around it."""


class Main(msgspec.Struct, frozen=True):
    """A pipe under a road."""

    id: str
    from_: str
    to: str
    length_m: float
    diameter_m: float
    roughness: float
    """Hazen-Williams C: 80 an old iron pipe, 130 a new one."""


class Hydrant(msgspec.Struct, frozen=True):
    """A hydrant with a gauge, on a main."""

    id: str
    main: str
    share: float
    """Where along the main, 0..1."""
    elevation_m: float
    point: Point


class Mains(msgspec.Struct, frozen=True):
    """The water supply of one town."""

    junctions: dict[str, Junction]
    pipes: dict[str, Main]
    hydrants: dict[str, Hydrant]
    inlet: str
    """The junction the pump feeds."""
    tank_at: str
    tank_bottom_m: float
    tank_diameter_m: float
    well_head_m: float
    """Water level the pump draws from."""
    pump_head_m: float
    """Head of the pump at its design flow."""
    pump_m3s: float


def build(seed: int, lattice: Lattice) -> Mains:
    """The mains of this town: 20 junctions, 31 pipes, 12 hydrants, one pump, one tank."""
    rng = dice(seed, "mains")
    junctions: dict[str, Junction] = {}
    pipes: dict[str, Main] = {}

    def ground(v: float) -> float:
        return 8.5 + 4.6 * v  # as the sewers have it: the town rises from the river

    for i in range(COLUMNS + 1):
        for j in range(ROWS + 1):
            demand = 0.0016 * float(rng.uniform(0.6, 1.4))
            id = f"wj-{i}{j}"
            junctions[id] = Junction(id, round(ground(j) - 1.0, 2), round(demand, 5))

    def pipe(a: tuple[int, int], b: tuple[int, int], trunk: bool) -> None:
        (x0, y0), (x1, y1) = lattice.corner(*a), lattice.corner(*b)
        length = _DETOUR * ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        id = f"wm-{a[0]}{a[1]}-{b[0]}{b[1]}"
        diameter = 0.3 if trunk else float(rng.choice([0.15, 0.2, 0.2, 0.25]))
        rough = round(float(rng.uniform(85, 130)))
        from_, to = f"wj-{a[0]}{a[1]}", f"wj-{b[0]}{b[1]}"
        pipes[id] = Main(id, from_, to, round(length, 1), diameter, rough)

    for i in range(COLUMNS + 1):
        for j in range(ROWS + 1):
            if i < COLUMNS:
                pipe((i, j), (i + 1, j), trunk=j == 0)
            if j < ROWS:
                pipe((i, j), (i, j + 1), trunk=i == COLUMNS)
    hydrants: dict[str, Hydrant] = {}
    names = sorted(pipes)
    for k, n in enumerate(sorted(rng.choice(len(names), HYDRANTS, replace=False).tolist())):
        main = pipes[names[n]]
        share = round(float(rng.uniform(0.25, 0.75)), 2)
        u0, v0 = int(main.from_[3]), int(main.from_[4])
        u1, v1 = int(main.to[3]), int(main.to[4])
        u, v = u0 + share * (u1 - u0), v0 + share * (v1 - v0)
        inside = (min(max(u, 0.03), COLUMNS - 0.03), min(max(v, 0.03), ROWS - 0.03))
        spot = to_point(lattice.at(*inside))
        id = f"hyd-{k + 1:02d}"
        hydrants[id] = Hydrant(id, main.id, share, round(ground(v) + 0.5, 2), spot)
    return Mains(
        junctions=junctions,
        pipes=pipes,
        hydrants=hydrants,
        inlet="wj-00",
        tank_at=f"wj-{COLUMNS}{ROWS}",
        tank_bottom_m=ground(ROWS) + 22.0,
        tank_diameter_m=11.0,
        well_head_m=6.0,
        pump_head_m=48.0,
        pump_m3s=0.045,
    )


def devices(mains: Mains, reports_s: float) -> tuple[Device, ...]:
    """The hydrants as registered."""
    return tuple(
        Device(
            id=hydrant.id,
            district=STREET_ID,
            type="hydrant",
            point=hydrant.point,
            owner="water-supply",
            site=SITE,
            reports_every_s=reports_s,
            metrics=("pressure", "temperature", "battery"),
        )
        for hydrant in mains.hydrants.values()
    )
