"""How the town is governed beside its grids and people: the optional files of its folder."""

from __future__ import annotations

import msgspec

from contracts.city import Grid, Resource
from contracts.governance import Barrier, Patrol, SpecialGrid
from simulators import poles, sewers
from simulators.frame import XY, to_point, to_xy
from simulators.layout import COLUMNS, STREET_ID, Lattice, inside
from simulators.register import collection, feature, position, table, text

MAIN_ROAD_M = 9.0
"""Half the width of the main road with its pavements (metres)."""
_RIVER = (90.0, 170.0)
"""The river's banks, metres south of the southernmost road."""
_BRIDGES = (0.6, 3.2)
"""Where it is crossed, in columns of the lattice."""


class Governed(msgspec.Struct, frozen=True, kw_only=True):
    """Special grids, the river, what can be lent, and the rounds."""

    special: tuple[SpecialGrid, ...]
    barriers: tuple[Barrier, ...]
    resources: tuple[Resource, ...]
    patrols: tuple[Patrol, ...]


def build(lattice: Lattice, feeder: poles.Feeder, drainage: sewers.Sewers) -> Governed:
    """A market, the main road, the river with two bridges, pumps and fences, two rounds."""
    return Governed(
        special=(_market(lattice), _main_road(feeder)),
        barriers=(_river(lattice),),
        resources=_resources(lattice),
        patrols=(
            Patrol(
                id="drains-before-rain",
                name_zh="雨前低洼路段巡查",
                name_en="Low streets before the rain",
                assets=tuple(drainage.gauges),
                when="rain",
                checklist=("雨水口有无堵塞", "井盖是否完好", "水泵围挡是否就位"),
            ),
            Patrol(
                id="cabinets",
                name_zh="设备日常巡检",
                name_en="Daily look at the cabinets",
                assets=("gw-drain-1", "gw-line-1"),
                at=("08:30",),
                within_s=3 * 3600.0,
                checklist=("外观完好", "供电正常", "天线无遮挡"),
            ),
        ),
    )


def files(town: Governed) -> dict[str, bytes]:
    """The town's files by name."""
    return {
        "special.geojson": _special_file(town.special),
        "barriers.geojson": _barriers_file(town.barriers),
        "resources.csv": _resources_file(town.resources),
        "patrols.toml": _patrols_file(town.patrols),
    }


def _ring(corners: list[XY]) -> tuple[tuple[float, float], ...]:
    spots = [to_point(corner) for corner in (*corners, corners[0])]
    return tuple((spot.lon, spot.lat) for spot in spots)


def _market(lattice: Lattice) -> SpecialGrid:
    quad = lattice.cell(1, 1)
    corners = [inside(quad, s, t) for s, t in ((0.4, 0.1), (0.6, 0.1), (0.6, 0.3), (0.4, 0.3))]
    grid = Grid(
        id=f"{STREET_ID}-market",
        name="清溪农贸市场",
        level="special",
        rings=((_ring(corners),),),
    )
    return SpecialGrid(grid=grid, what="market", kinds=("flooding", "citizen_report"))


def _main_road(feeder: poles.Feeder) -> SpecialGrid:
    """Along the poles of the main line: a cable that falls there lies on the road."""
    line = [to_xy(feeder.network.nodes[f"pole-{k:02d}"].point) for k in (1, poles.MAIN)]
    (ax, ay), (bx, by) = line
    far = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
    ux, uy = (bx - ax) / far, (by - ay) / far
    beyond, half = 25.0, MAIN_ROAD_M
    ends = ((ax - beyond * ux, ay - beyond * uy), (bx + beyond * ux, by + beyond * uy))
    corners = [
        (x - side * half * uy, y + side * half * ux)
        for (x, y), side in ((ends[0], -1), (ends[1], -1), (ends[1], 1), (ends[0], 1))
    ]
    grid = Grid(
        id=f"{STREET_ID}-zhongshan",
        name="中山路",
        level="special",
        parent=STREET_ID,
        rings=((_ring(corners),),),
    )
    return SpecialGrid(grid=grid, what="main_road")


def _river(lattice: Lattice) -> Barrier:
    south = [lattice.corner(i, 0) for i in range(COLUMNS + 1)]
    near = [(x, y - _RIVER[0]) for x, y in south]
    far = [(x, y - _RIVER[1]) for x, y in reversed(south)]
    middle = (_RIVER[0] + _RIVER[1]) / 2
    bridges = []
    for u in _BRIDGES:
        x, y = lattice.at(u, 0)
        bridges.append(to_point((x, y - middle)))
    return Barrier(id="qingxi-river", rings=(_ring([*near, *far]),), crossings=tuple(bridges))


def _resources(lattice: Lattice) -> tuple[Resource, ...]:
    depots = (
        ("pump-1", "pump", "移动泵车一号", (0.9, 0.4), "drainage", 1),
        ("pump-2", "pump", "移动泵车二号", (3.1, 0.5), "drainage", 1),
        ("pump-3", "pump", "手抬泵", (1.8, 1.9), "city-management", 4),
        ("barrier-1", "barrier", "应急围挡（街道仓库）", (2.0, 1.5), "street-office", 30),
        ("barrier-2", "barrier", "水马（江滨社区）", (1.2, 0.3), "street-office", 12),
        ("crew-1", "crew", "供电抢修班", (1.1, 1.6), "state-grid", 2),
        ("crew-2", "crew", "排水抢险队", (2.6, 0.6), "drainage", 2),
    )
    return tuple(
        Resource(
            id=id,
            what=what,
            name=name,
            point=to_point(lattice.at(u, v)),
            owner=owner,
            count=count,
        )
        for id, what, name, (u, v), owner, count in depots
    )


# --- as text --------------------------------------------------------------------------------------


def _rings(rings: tuple[tuple[tuple[float, float], ...], ...]) -> list[list[list[float]]]:
    return [[list(corner) for corner in ring] for ring in rings]


def _special_file(special: tuple[SpecialGrid, ...]) -> bytes:
    return collection(
        feature(
            "Polygon",
            _rings(one.grid.rings[0]),
            id=one.grid.id,
            name=one.grid.name,
            what=one.what,
            kinds=list(one.kinds) or None,
            parent=one.grid.parent,
        )
        for one in special
    )


def _barriers_file(barriers: tuple[Barrier, ...]) -> bytes:
    features = []
    for barrier in barriers:
        features.append(feature("Polygon", _rings(barrier.rings), id=barrier.id, what="river"))
        features += [
            feature(
                "Point",
                position(at),
                id=f"{barrier.id}-bridge-{n}",
                what="bridge",
                barrier=barrier.id,
            )
            for n, at in enumerate(barrier.crossings, 1)
        ]
    return collection(features)


def _resources_file(resources: tuple[Resource, ...]) -> bytes:
    return table(
        ("id", "what", "name", "lon", "lat", "owner", "count"),
        ((r.id, r.what, r.name, r.point.lon, r.point.lat, r.owner, r.count) for r in resources),
    )


def _patrols_file(patrols: tuple[Patrol, ...]) -> bytes:
    tables = []
    for patrol in patrols:
        lines = [
            "[[patrol]]",
            f"id = {text(patrol.id)}",
            f"name_zh = {text(patrol.name_zh)}",
            f"name_en = {text(patrol.name_en)}",
            f"assets = {text(list(patrol.assets))}",
            f"within_s = {patrol.within_s}",
            f"checklist = {text(list(patrol.checklist))}",
        ]
        if patrol.at:
            lines.append(f"at = {text(list(patrol.at))}")
        if patrol.when:
            lines += [f"when = {text(patrol.when)}", f"from_mm_h = {patrol.from_mm_h}"]
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables).encode()
