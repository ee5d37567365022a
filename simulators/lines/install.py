"""The city around a feeder: whose cables hang where, and which monitors report by which gateway."""

from __future__ import annotations

import msgspec
import numpy as np

from contracts.city import City, Device, Grid, Limit, LineNetwork, Profile, Utility
from contracts.geo import Point
from simulators.dice import between, dice
from simulators.lines.model import Model
from simulators.lines.take import Order

DISTRICT = "street-lines"
ZONE = "Asia/Shanghai"
POWER, TELECOM, TV = "state-grid", "telecom", "cable-tv"
_MONITORS_PER_GATEWAY = 14
_SHAKEN = 0.4
"""Share of the pole monitors with an accelerometer (tilt and vibration)."""
_PULLED = 0.2
"""Share of them with a tension cell."""
UTILITIES = {
    u.id: u
    for u in (
        Utility(id="power", name="供电所", owners=(POWER,)),
        Utility(id="telecom", name="电信分公司", owners=(TELECOM,)),
        Utility(id="tv", name="广电网络", owners=(TV,)),
    )
}


class Monitor(msgspec.Struct, frozen=True, kw_only=True):
    """One installed device."""

    device: str
    node: str
    row: int
    """Of its node in the engine's states."""
    what: str
    """`line_monitor` (battery), `terminal` (at a transformer's low side, a supercapacitor) or
    `meter` (no supply of its own)."""
    gateway: str
    nominal_v: float
    phases: tuple[int, ...]
    neutral: bool = False
    shaken: bool = False
    pulled: bool = False
    gain: tuple[float, ...]
    """Errors of its transducers, a factor each for three voltages, the neutral, three currents."""
    skew_s: float
    tilt: float
    """How it stands (degrees)."""
    tension: float
    """Of its conductor (N)."""
    phase_s: float
    """When in the period it reports."""
    gasp_s: float | None
    """How long it waits before its last gasp; None: it has none."""
    lives_s: float
    """How long it goes on without supply."""


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """A city with its monitors."""

    city: City
    monitors: tuple[Monitor, ...]
    gateways: tuple[str, ...]


def install(order: Order, model: Model) -> Installed:
    """Hang the monitors of an order into a feeder and write down what a city would register."""
    rng = dice(order.seed, "lines", order.feeder, "install")
    network = _owned(model.network, rng)
    nodes = list(network.nodes)
    wanted = _wanted(order, network, rng)
    chosen = [n for n in nodes if n in wanted]
    points = network.nodes
    near = sorted(chosen, key=lambda n: (points[n].point.lon + 0.6 * points[n].point.lat, n))
    count = max(1, -(-len(near) // _MONITORS_PER_GATEWAY))
    gateways = tuple(f"gw-{k + 1:02d}" for k in range(count))
    by = {n: gateways[k * count // len(near)] for k, n in enumerate(near)}
    monitors = tuple(
        _monitor(order, model, network, node, row, by[node], rng)
        for row, node in enumerate(nodes)
        if node in by
    )
    devices = {m.device: _device(order, network, m) for m in monitors}
    for k, gateway in enumerate(gateways):
        mine = near[k * len(near) // count]
        devices[gateway] = Device(
            id=gateway,
            district=DISTRICT,
            type="gateway",
            point=points[mine].point,
            owner=POWER,
        )
    known = {m.node: m.device for m in monitors}
    network = msgspec.structs.replace(
        network,
        nodes={
            id: msgspec.structs.replace(node, device=known.get(id)) for id, node in points.items()
        },
    )
    return Installed(
        city=City(
            id=f"lines-{order.feeder}",
            timezone=ZONE,
            profile=Profile(name="cn-default", kinds={}, default_limit=Limit(), calendars={}),
            grids=(_grid(network),),
            devices=devices,
            utilities=UTILITIES,
            lines=(network,),
        ),
        monitors=monitors,
        gateways=gateways,
    )


def ends(network: LineNetwork) -> set[str]:
    """Nodes from which nothing leaves."""
    starts = {s.from_ for s in network.spans.values()}
    return {n for n in network.nodes if n not in starts and n != network.root}


def _wanted(order: Order, network: LineNetwork, rng: np.random.Generator) -> set[str]:
    if order.monitors == "everywhere":
        return set(network.nodes)
    if order.monitors == "leaves":
        special = {n.id for n in network.nodes.values() if n.what in ("transformer", "customer")}
        return ends(network) | special
    poles = [n.id for n in network.nodes.values() if n.what != "customer"]
    picked = rng.choice(len(poles), max(2, round(len(poles) / 3)), replace=False)
    return {poles[int(k)] for k in picked}


def _owned(network: LineNetwork, rng: np.random.Generator) -> LineNetwork:
    """The network with owners: telecom and TV go along the same poles for a few spans on end."""
    carried: dict[str, tuple[str, ...]] = {}
    hung: dict[str, set[str]] = {n: set() for n in network.nodes}
    into: dict[str, tuple[str, ...]] = {}
    spans = {}
    for span in network.spans.values():  # listed away from the source
        before = into.get(span.from_)
        if network.nodes[span.to].what == "customer" or span.switch:
            carries = before or () if span.switch else ()
        elif before is None or rng.random() < 0.15:
            draw = rng.random()
            carries = () if draw < 0.6 else (TELECOM,) if draw < 0.82 else (TELECOM, TV)
        else:
            carries = before
        into[span.to] = carries
        carried[span.id] = carries
        hung[span.from_].update(carries)
        hung[span.to].update(carries)
        spans[span.id] = msgspec.structs.replace(span, owner=POWER, carries=carries)
    nodes = {
        n.id: msgspec.structs.replace(n, owner=POWER, carries=tuple(sorted(hung[n.id])))
        for n in network.nodes.values()
    }
    return msgspec.structs.replace(network, nodes=nodes, spans=spans)


def _monitor(
    order: Order,
    model: Model,
    network: LineNetwork,
    node: str,
    row: int,
    gateway: str,
    rng: np.random.Generator,
) -> Monitor:
    spot, kind = model.spots[node], network.nodes[node].what
    what = {"customer": "meter", "transformer": "terminal"}.get(kind, "line_monitor")
    low = spot.nominal_v < 1000.0
    # class 0.2 to 0.5 at low voltage; clamp-on sensors of overhead lines are class 1
    errors = rng.normal(0, 1, 7) * np.repeat([0.003 if low else 0.006, 0.01], [4, 3])
    pole = what == "line_monitor"
    return Monitor(
        device={"meter": "mt-", "terminal": "tt-", "line_monitor": "lm-"}[what] + node,
        node=node,
        row=row,
        what=what,
        gateway=gateway,
        nominal_v=spot.nominal_v,
        phases=spot.phases,
        neutral=spot.neutral and what != "meter" and rng.random() < 0.7,
        shaken=pole and rng.random() < _SHAKEN,
        pulled=pole and rng.random() < _PULLED,
        gain=tuple((1 + errors).tolist()),
        skew_s=between(rng, (-0.5, 0.5)),
        tilt=abs(float(rng.normal(0, 1.5))),
        tension=between(rng, (500.0, 1500.0) if low else (2000.0, 8000.0)),
        phase_s=float(rng.uniform(0, order.reports_s)),
        gasp_s=_gasp(what, rng),
        lives_s={"meter": 0.0, "terminal": between(rng, (60.0, 180.0))}.get(what, 1e9),
    )


def _gasp(what: str, rng: np.random.Generator) -> float | None:
    """Meters wait 30 to 45 s, line monitors and terminals about one; half of the monitors that
    live on a battery have none."""
    if what == "meter":
        return between(rng, (30.0, 45.0))
    if what == "line_monitor" and rng.random() < 0.5:
        return None
    return between(rng, (0.8, 1.5))


def _device(order: Order, network: LineNetwork, monitor: Monitor) -> Device:
    letters = ["abc"[p - 1] for p in monitor.phases]
    metrics = [f"voltage_{x}" for x in letters]
    if monitor.neutral:
        metrics.append("voltage_n")
    if monitor.what != "meter":
        metrics += [f"current_{x}" for x in letters]
    if monitor.shaken:
        metrics += ["tilt", "vibration"]
    if monitor.pulled:
        metrics.append("tension")
    if monitor.gasp_s is not None:
        metrics.append("last_gasp")
    return Device(
        id=monitor.device,
        district=DISTRICT,
        type="meter" if monitor.what == "meter" else "line_monitor",
        point=network.nodes[monitor.node].point,
        owner=POWER,
        site=network.id,
        reports_every_s=order.reports_s,
        metrics=tuple(metrics),
    )


def _grid(network: LineNetwork) -> Grid:
    points: list[Point] = [n.point for n in network.nodes.values()]
    west, east = min(p.lon for p in points) - 0.002, max(p.lon for p in points) + 0.002
    south, north = min(p.lat for p in points) - 0.002, max(p.lat for p in points) + 0.002
    ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return Grid(id=DISTRICT, name="线路片区", level="street", rings=((ring,),))
