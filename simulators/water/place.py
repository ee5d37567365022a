"""The city around a network: what its register would say, and where instruments hang."""

from __future__ import annotations

import msgspec

from contracts.city import City, Device, DrainNetwork, Grid, Limit, Node, Pipe, Profile
from contracts.geo import Point
from simulators.dice import between, dice
from simulators.water.dry import ZONE
from simulators.water.instruments import Instrument
from simulators.water.network import Network
from simulators.water.take import Order

DISTRICT = "street-water"
_MANHOLES_PER_GATEWAY = 12
_FLOW_SHARE = 0.15
"""Flow meters per level sensor: they cost ten times as much."""


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """A city with its instruments."""

    city: City
    levels: dict[str, Instrument]
    """Node → level sensor."""
    flows: dict[str, Instrument]
    """Link → flow meter."""
    gauges: dict[str, Instrument]
    """Node beside which it stands → rain gauge."""
    gateways: tuple[str, ...]


def drains(network: Network) -> DrainNetwork:
    """The register of the network: manholes with invert and rim, pipes in the direction of fall.

    A street's gutter beside a pipe is in no register: open channels are left out where something
    else joins the same two nodes.
    """
    nodes = {
        h.id: Node(
            id=h.id,
            point=network.point(h.id),
            invert_m=round(h.invert_m, 3),
            rim_m=round(h.invert_m + h.depth_m, 3) if h.depth_m > 0 else None,
        )
        for h in network.holes.values()
    }
    joined = {
        frozenset((k.from_, k.to))
        for k in network.links.values()
        if k.closed or k.what != "CONDUITS"
    }
    pipes = {
        k.id: Pipe(
            id=k.id,
            from_=k.from_,
            to=k.to,
            path=(nodes[k.from_].point, nodes[k.to].point),
            diameter_m=round(k.height_m, 3) if k.height_m > 0 else None,
            length_m=round(k.length_m, 1) if k.length_m > 0 else None,
        )
        for k in network.links.values()
        if k.closed or k.what != "CONDUITS" or frozenset((k.from_, k.to)) not in joined
    }
    return DrainNetwork(nodes=nodes, pipes=pipes)


def install(order: Order, network: Network) -> Installed:
    """Hang the instruments of an order into a network, gateway by gateway along the map."""
    rng = dice(order.seed, "water", order.network, "install")
    register = drains(network)
    holes = sorted(
        (h for h in network.holes.values() if h.manhole), key=lambda h: (h.x_m + h.y_m, h.id)
    )
    gateways = tuple(f"gw-{n + 1:02d}" for n in range(-(-len(holes) // _MANHOLES_PER_GATEWAY)))
    near = {h.id: gateways[n // _MANHOLES_PER_GATEWAY] for n, h in enumerate(holes)}
    count = min(len(holes), max(1, round(order.sensors * len(holes)))) if order.sensors > 0 else 0
    chosen = sorted(rng.choice(len(holes), size=count, replace=False).tolist()) if count else []
    devices: dict[str, Device] = {}
    levels: dict[str, Instrument] = {}

    def register_device(id: str, type: str, metric: str, point: Point, site: str | None) -> None:
        devices[id] = Device(
            id=id,
            district=DISTRICT,
            type=type,
            point=point,
            owner="drainage",
            site=site,
            reports_every_s=order.reports_s,
            metrics=(metric,),
        )

    for number, index in enumerate(chosen, start=1):
        hole = holes[index]
        id = f"lv-{number:03d}"
        register_device(id, "water_level", "level", register.nodes[hole.id].point, hole.id)
        fine = rng.random() < 0.5  # a pressure probe, else an ultrasonic head
        levels[hole.id] = Instrument(
            device=id,
            metric="level",
            gateway=near[hole.id],
            noise=between(rng, (0.001, 0.004)) if fine else between(rng, (0.003, 0.008)),
            step=0.001 if fine else float(rng.choice([0.005, 0.01])),
            offset=float(rng.normal(0, 0.004)),
            top=hole.depth_m + 3.0,
            room=hole.depth_m,
        )
    flows: dict[str, Instrument] = {}
    pipes = sorted(
        k.id
        for k in network.links.values()
        if k.closed and k.height_m >= 0.3 and k.id in register.pipes and k.from_ in near
    )
    wanted = min(len(pipes), round(_FLOW_SHARE * count))
    for number, index in enumerate(sorted(rng.choice(len(pipes), wanted, False).tolist()), 1):
        link = network.links[pipes[index]]
        id = f"fl-{number:03d}"
        register_device(id, "flow_meter", "flow", register.nodes[link.from_].point, link.id)
        capacity = 1.5 * link.height_m * link.width_m  # at 1.5 m/s
        flows[link.id] = Instrument(
            device=id,
            metric="flow",
            gateway=near[link.from_],
            noise=0.004 * capacity,
            step=0.0001,
            offset=0.0,
            top=20 * capacity,
            room=capacity,
        )
    gauges: dict[str, Instrument] = {}
    spots = rng.choice(len(holes), min(order.gauges, len(holes)), False).tolist()
    for number, index in enumerate(sorted(spots), 1):
        id, hole = f"rain-{number:02d}", holes[index]
        point = register.nodes[hole.id].point
        aside = Point(round(point.lon + 0.0006, 6), round(point.lat + 0.0006, 6))  # on a roof
        register_device(id, "rain_gauge", "rain_rate", aside, None)
        gauges[hole.id] = Instrument(
            device=id,
            metric="rain_rate",
            gateway=near[hole.id],
            noise=0.0,
            step=0.1,
            offset=0.0,
            top=600.0,
            room=50.0,
        )
    return Installed(
        city=City(
            id=f"water-{network.name}",
            timezone=ZONE,
            profile=Profile(name="cn-default", kinds={}, default_limit=Limit(), calendars={}),
            grids=(_grid(register),),
            devices=devices,
            drains=register,
        ),
        levels=levels,
        flows=flows,
        gauges=gauges,
        gateways=gateways,
    )


def _grid(register: DrainNetwork) -> Grid:
    points = [n.point for n in register.nodes.values()]
    west, east = min(p.lon for p in points) - 0.002, max(p.lon for p in points) + 0.002
    south, north = min(p.lat for p in points) - 0.002, max(p.lat for p in points) + 0.002
    ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return Grid(id=DISTRICT, name="排水片区", level="street", rings=((ring,),))
