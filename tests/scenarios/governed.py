"""The town with everything it may say about how it is governed: roles, departments, resources."""

from __future__ import annotations

from typing import Any

import msgspec

from contracts.city import City, Device, DrainNetwork, Grid, Node, Resource, Utility, Worker
from contracts.governance import Governance, Patrol, Response, SpecialGrid
from router import profiles
from tests.scenarios.town import WORKERS, at, box, town

CHARTER = profiles.charter("cn-default")
MAIN_ROAD = Grid(
    id="road", name="中山路", level="special", parent="c1", rings=box(0, 390, 1000, 30)
)
RESOURCES = {
    resource.id: resource
    for resource in (
        Resource(id="pump-1", what="pump", name="一号泵", point=at(450, 200), owner="drainage"),
        Resource(id="pump-2", what="pump", name="二号泵", point=at(900, 200), owner="drainage"),
        Resource(id="fence-1", what="barrier", name="围挡", point=at(300, 300), count=4),
    )
}
POLICE = Utility(id="traffic-police", name="交警大队", owners=())
MICRO = Worker(
    id="w-15",
    name="微一",
    role="microgrid_worker",
    grid="g1",
    skills=(),
    shift="06:00-20:00",
    point=at(50, 450),
)
DRAINS = DrainNetwork(
    nodes={"road-1": Node(id="road-1", point=at(400, 200), close_m=0.27)}, pipes={}
)


def governed(
    *,
    responses: tuple[Response, ...] = CHARTER.responses,
    patrols: tuple[Patrol, ...] = (),
    special: tuple[SpecialGrid, ...] = (),
    workers: tuple[Worker, ...] = (*WORKERS, MICRO),
    **fields: Any,
) -> City:
    """The town, governed by the shipped profile."""
    city = town(workers=workers)
    rain = Device(id="rain-1", district="d", type="rain_gauge", point=at(500, 500))
    return msgspec.structs.replace(
        city,
        devices={**city.devices, "rain-1": rain},
        utilities={**city.utilities, POLICE.id: POLICE},
        resources=RESOURCES,
        drains=DRAINS,
        extra={
            "governance": Governance(
                roles=CHARTER.roles, responses=responses, patrols=patrols, special=special
            )
        },
        **fields,
    )
