"""A small town built in code: two communities, four grids, a line, a fibre, twelve workers.

Local plane: `at(east_m, north_m)` metres from the town's corner.
"""

from __future__ import annotations

import math

from contracts.city import (
    City,
    Device,
    Fibre,
    Grid,
    LineNetwork,
    LineNode,
    Profile,
    Rule,
    Span,
    Utility,
    Worker,
)
from contracts.event import Place
from contracts.geo import EARTH_RADIUS_M, Point
from router import profiles

LON, LAT = 118.78, 32.04
_M = math.degrees(1 / EARTH_RADIUS_M)


def at(east_m: float, north_m: float) -> Point:
    """The point that many metres east and north of the town's corner."""
    return Point(LON + east_m * _M / math.cos(math.radians(LAT)), LAT + north_m * _M)


def place(east_m: float, north_m: float) -> Place:
    """The same as an event's place."""
    point = at(east_m, north_m)
    return Place(point.lon, point.lat)


def box(
    east_m: float, north_m: float, width_m: float, height_m: float
) -> tuple[tuple[tuple[tuple[float, float], ...], ...], ...]:
    """A rectangle as a grid's rings."""
    corners = [(0.0, 0.0), (width_m, 0.0), (width_m, height_m), (0.0, height_m), (0.0, 0.0)]
    ring = [at(east_m + e, north_m + n) for e, n in corners]
    return ((tuple((p.lon, p.lat) for p in ring),),)


GRIDS = (
    Grid(id="d", name="鼓楼区", level="district", rings=box(0, 0, 2000, 1000)),
    Grid(id="s", name="江东街道", level="street", parent="d", rings=box(0, 0, 2000, 1000)),
    Grid(id="c1", name="东社区", level="community", parent="s", rings=box(0, 0, 1000, 1000)),
    Grid(id="c2", name="西社区", level="community", parent="s", rings=box(1000, 0, 1000, 1000)),
    Grid(id="g1", name="第一网格", level="grid", parent="c1", rings=box(0, 0, 1000, 500)),
    Grid(id="g2", name="第二网格", level="grid", parent="c1", rings=box(0, 500, 1000, 500)),
    Grid(id="g3", name="第三网格", level="grid", parent="c2", rings=box(1000, 0, 1000, 500)),
    Grid(id="g4", name="第四网格", level="grid", parent="c2", rings=box(1000, 500, 1000, 500)),
)


def _worker(
    ident: str,
    name: str,
    grid: str,
    where: Point,
    skills: str = "",
    shift: str = "",
    role: str = "",
) -> Worker:
    return Worker(
        id=ident,
        name=name,
        role=role or "worker",
        grid=grid,
        skills=tuple(skills.split()),
        shift=shift,
        point=where,
    )


WORKERS = (
    _worker("h-1", "钱格长", "c1", at(500, 480), role="grid_head"),
    _worker("h-2", "孙格长", "c2", at(1500, 480), role="grid_head"),
    _worker("w-11", "赵一", "g1", at(100, 100), "water"),
    _worker("w-12", "钱二", "g1", at(450, 250), "electric"),
    _worker("w-13", "孙三", "g1", at(900, 400), shift="08:00-20:00"),
    _worker("w-21", "李四", "g2", at(200, 800), shift="08:00-20:00"),
    _worker("w-22", "周五", "g2", at(800, 700), "water electric"),
    _worker("w-31", "吴六", "g3", at(1100, 200), shift="20:00-08:00"),
    _worker("w-32", "郑七", "g3", at(1700, 300)),
    _worker("w-41", "王八一", "g4", at(1300, 900), "electric"),
    _worker("w-42", "冯九", "g4", at(1900, 600)),
    _worker("w-43", "陈十", "g4", at(1600, 950), shift="08:00-12:00;14:00-18:00"),
)

DEVICES = (
    Device(id="cam-1", district="d", type="camera", point=at(300, 300), owner="gov", site="cam-1"),
    Device(id="road-1", district="d", type="level", point=at(400, 200), owner="drainage"),
    Device(id="road-2", district="d", type="level", point=at(1700, 800)),
    Device(id="lamp-1", district="d", type="lamp", point=at(600, 600), owner="stray-owner"),
    *(
        Device(
            id=f"m-{i}",
            district="d",
            type="line",
            point=at(100 * i, 400),
            owner="grid-co",
            site="L1",
        )
        for i in range(1, 11)
    ),
    Device(id="otdr-1", district="d", type="otdr", point=at(0, 410), owner="telecom-co"),
)

UTILITIES = (
    Utility(id="power", name="供电公司", owners=("grid-co",)),
    Utility(id="telecom", name="电信公司", owners=("telecom-co", "mobile-co")),
    Utility(id="water", name="排水公司", owners=("drainage",)),
    Utility(id="police", name="派出所", owners=(), restricted=True),
    Utility(id="lights", name="路灯所", owners=()),
)

RULES = (
    Rule(id="throw", kind="high_altitude_throw", utility="police"),
    Rule(id="flood-east", kind="flooding", grid="c2", utility="water", skills=("water",)),
    Rule(id="cable", kind="severed_cable", helpers=2, skills=("electric",)),
    Rule(id="light", kind="street_light_out", utility="lights"),
    Rule(id="silent", kind="sensor_silent", lane="self"),
)


def _line() -> LineNetwork:
    nodes = {
        f"p-{i}": LineNode(id=f"p-{i}", what="pole", point=at(100 * i, 400), owner="grid-co")
        for i in range(1, 11)
    }
    spans = {
        f"s-{i}": Span(
            id=f"s-{i}",
            owner="grid-co",
            from_=f"p-{i}",
            to=f"p-{i + 1}",
            path=(at(100 * i, 400), at(100 * (i + 1), 400)),
        )
        for i in range(1, 10)
    }
    return LineNetwork(id="L1", nodes=nodes, spans=spans, root="p-1")


def town(profile: Profile | None = None, workers: tuple[Worker, ...] = WORKERS) -> City:
    """The town. All workers without a shift are always on."""
    return City(
        id="town",
        timezone="Asia/Shanghai",
        profile=profile or profiles.load("cn-default"),
        grids=GRIDS,
        devices={device.id: device for device in DEVICES},
        workers={worker.id: worker for worker in workers},
        utilities={utility.id: utility for utility in UTILITIES},
        rules=RULES,
        lines=(_line(),),
        fibres={
            "F1": Fibre(
                id="F1", owner="telecom-co", path=(at(0, 410), at(1000, 410)), device="otdr-1"
            )
        },
    )
