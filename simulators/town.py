"""The demo town: one invented street with everything a gateway could stand next to."""

from __future__ import annotations

import msgspec

from contracts.city import Device, Fibre, Grid, Rule, Utility, Worker
from contracts.errors import Wrong
from simulators import governing, otdr, poles, sewers, staff, street, towers
from simulators.dice import dice
from simulators.folder import write_city
from simulators.frame import to_point
from simulators.layout import STREET_ID, Lattice, grids
from simulators.water_mains import network as mains

__all__ = ["APP", "DISTRICT", "Town", "build", "write_city"]

DISTRICT = STREET_ID
TIMEZONE = "Asia/Shanghai"
PROFILE = "cn-default"
APP = "grid-app"
"""The gateway through which the workers' phones send their positions."""
DRAIN_GATEWAYS = 4
WATER_GATEWAY = "gw-water-1"
_DRAIN_EVERY_S = (10.0, 60.0)  # battery water sensors; each keeps its own period
_LINE_EVERY_S = (5.0, 10.0)


class Town(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about the town that does not change while it runs."""

    id: str
    name: str
    seed: int
    district: str
    timezone: str
    profile: str
    grids: tuple[Grid, ...]
    devices: dict[str, Device]
    workers: dict[str, Worker]
    utilities: dict[str, Utility]
    rules: tuple[Rule, ...]
    sewers: sewers.Sewers
    covers: dict[str, str]
    """Manhole cover with a tilt terminal → its manhole."""
    mains: mains.Mains
    feeder: poles.Feeder
    fibre: Fibre
    plant: otdr.Plant
    towers: tuple[towers.Tower, ...]
    governed: governing.Governed
    gateways: dict[str, str]
    """Device → the gateway (client id) that publishes for it; a gateway publishes for itself."""


def build(seed: int) -> Town:
    """The town of `seed`: the same seed builds the same town, to the last decimal.

    Raises Wrong for a seed that is no integer.
    """
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise Wrong("simulate: seed", repr(seed), "an integer")
    lattice = Lattice(seed)
    hierarchy = grids(lattice)
    drainage = sewers.build(seed, lattice)
    covers = sewers.covers(drainage)
    supply = mains.build(seed, lattice)
    feeder = poles.build(seed, lattice)
    cable = poles.fibre(lattice)
    plant = otdr.plant(seed, cable)
    blocks = towers.build(seed, lattice)
    devices, gateways = _devices(seed, lattice, drainage, feeder, cable, blocks)
    beside = street.devices(feeder, DISTRICT)
    for device, gateway in (*_water_devices(lattice, drainage, covers, supply), *beside):
        devices[device.id], gateways[device.id] = device, gateway
    return Town(
        id="qingxi-demo",
        name="清溪街道（演示）",
        seed=seed,
        district=DISTRICT,
        timezone=TIMEZONE,
        profile=PROFILE,
        grids=hierarchy,
        devices=devices,
        workers=staff.workers(seed, hierarchy),
        utilities=staff.UTILITIES,
        rules=staff.RULES,
        sewers=drainage,
        covers=covers,
        mains=supply,
        feeder=feeder,
        fibre=cable,
        plant=plant,
        towers=blocks,
        governed=governing.build(lattice, feeder, drainage),
        gateways=gateways,
    )


def _devices(
    seed: int,
    lattice: Lattice,
    drainage: sewers.Sewers,
    feeder: poles.Feeder,
    cable: Fibre,
    blocks: tuple[towers.Tower, ...],
) -> tuple[dict[str, Device], dict[str, str]]:
    rng = dice(seed, "devices")
    devices: dict[str, Device] = {}
    gateways: dict[str, str] = {}

    def add(device: Device, gateway: str) -> None:
        devices[device.id] = device
        gateways[device.id] = gateway

    def gateway(id: str, u: float, v: float, owner: str, type: str = "gateway") -> None:
        spot = to_point(lattice.at(u, v))
        device = Device(id=id, district=DISTRICT, type=type, point=spot, owner=owner)
        add(device, id)

    def period(span: tuple[float, float]) -> float:
        return float(round(rng.uniform(span[0], span[1])))

    for b in range(DRAIN_GATEWAYS):
        gateway(f"gw-drain-{b + 1}", b + 0.45, 1.5, "drainage")
    gateway("gw-line-1", 1.1, 1.47, poles.OWNER)
    gateway("gw-fibre-1", 3.6, 2.74, "telecom")
    gateway(APP, 2.0, 1.55, "street-office", type="app")  # residents report through it too
    spots = drainage.network.nodes
    for node in drainage.catches:
        add(
            Device(
                id=node,
                district=DISTRICT,
                type="water_level",
                point=spots[node].point,
                owner="drainage",
                site=sewers.SITE,
                reports_every_s=period(_DRAIN_EVERY_S),
                metrics=("level", "temperature", "battery"),
            ),
            f"gw-drain-{int(node[3]) if node[3] != 'r' else int(node[5])}",
        )
    for gauge, node in drainage.gauges.items():
        add(
            Device(
                id=gauge,
                district=DISTRICT,
                type="street_depth",
                point=spots[gauge].point,
                owner="drainage",
                site=sewers.SITE,
                reports_every_s=10.0,
                metrics=("depth", "battery"),
            ),
            f"gw-drain-{node[3]}",
        )
    for n, (u, v) in enumerate(((0.7, 2.2), (3.1, 1.1)), start=1):
        add(
            Device(
                id=f"rain-{n:02d}",
                district=DISTRICT,
                type="rain_gauge",
                point=to_point(lattice.at(u, v)),
                owner="drainage",
                site=sewers.SITE,
                reports_every_s=60.0,
                metrics=("rain_rate", "temperature", "battery"),
            ),
            f"gw-drain-{1 if n == 1 else 4}",
        )
    for monitor, at in feeder.monitors.items():
        meter = monitor.startswith("meter")
        letters = "abc" if not meter else [" abc"[p] for p in feeder.loads[at].phases]
        extra = ("last_gasp",) if meter else ("vibration", "temperature", "battery")
        currents = [] if meter else [f"current_{p}" for p in letters]
        add(
            Device(
                id=monitor,
                district=DISTRICT,
                type="meter" if meter else "line_monitor",
                point=feeder.network.nodes[at].point,
                owner=poles.OWNER,
                site=poles.LINE,
                reports_every_s=period(_LINE_EVERY_S),
                metrics=(*(f"voltage_{p}" for p in letters), *currents, *extra),
            ),
            "gw-line-1",
        )
    add(
        Device(
            id=poles.OTDR,
            district=DISTRICT,
            type="otdr",
            point=cable.path[0],
            owner="telecom",
            site=cable.id,
            reports_every_s=60.0,
        ),
        "gw-fibre-1",
    )
    for tower in blocks:
        add(
            Device(
                id=tower.camera,
                district=DISTRICT,
                type="camera",
                point=tower.point,
                owner="street-office",
                site=tower.camera,
                reports_every_s=1.0,
            ),
            tower.camera,
        )
    return devices, gateways


def _water_devices(
    lattice: Lattice, drainage: sewers.Sewers, covers: dict[str, str], supply: mains.Mains
) -> list[tuple[Device, str]]:
    """Covers and hydrants, each with its gateway."""
    spot = to_point(lattice.at(2.1, 1.9))
    gateway = Device(
        id=WATER_GATEWAY, district=DISTRICT, type="gateway", point=spot, owner="water-supply"
    )
    found = [(gateway, WATER_GATEWAY)]
    for cover, node in covers.items():
        terminal = Device(
            id=cover,
            district=DISTRICT,
            type="manhole_cover",
            point=drainage.network.nodes[node].point,
            owner="drainage",
            site=sewers.SITE,
            reports_every_s=900.0,
            metrics=("vibration", "tilt", "battery"),
        )
        found.append((terminal, f"gw-drain-{node[3]}"))
    found += [(gauge, WATER_GATEWAY) for gauge in mains.devices(supply, 60.0)]
    return found
