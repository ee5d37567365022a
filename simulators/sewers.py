"""The storm sewers: four branches down to a collector along the river, one outfall.

Each branch dips under the railway: at that underpass the road lies 1.5 m lower than the ground
around it, which is where such streets drown.
"""

from __future__ import annotations

import msgspec

from contracts.city import DrainNetwork, Node, Pipe
from contracts.geo import Point, length_m
from simulators.dice import dice
from simulators.frame import to_point
from simulators.layout import Lattice

SITE = "drains-qingxi"
BRANCHES, PER_BRANCH, SAG_AT = 4, 9, 6
OUTFALL = "outfall"


class Catch(msgspec.Struct, frozen=True):
    """The ground that drains into a node."""

    node: str
    area_ha: float
    width_m: float
    impervious: float
    """Share that is roof and road, 0..1."""
    ponded_m2: float
    """Road surface over which water stands once it comes out of the manhole."""


class Sewers(msgspec.Struct, frozen=True):
    """The drainage network with its catchments."""

    network: DrainNetwork
    catches: dict[str, Catch]
    sags: tuple[str, ...]
    """Manholes in underpasses, one a branch."""
    gauges: dict[str, str]
    """Street depth gauge → the manhole it stands over."""


def _manhole(branch: int, k: int) -> str:
    return f"mh-{branch + 1}{k + 1:02d}"


def build(seed: int, lattice: Lattice) -> Sewers:
    """The network of this town: 40 manholes, an outfall, six street gauges."""
    rng = dice(seed, "sewers")
    nodes: dict[str, Node] = {}
    pipes: dict[str, Pipe] = {}
    catches: dict[str, Catch] = {}

    def manhole(id: str, point: Point, ground: float, invert: float) -> None:
        depth = ground - invert
        nodes[id] = Node(
            id=id,
            point=point,
            invert_m=round(invert, 2),
            rim_m=round(ground, 2),
            warn_m=round(0.7 * depth, 2),
            close_m=round(depth + 0.15, 2),  # 15 cm of water over the road closes it
        )

    def pipe(start: str, end: str, diameter: float) -> None:
        id = f"p-{start}"
        path = (nodes[start].point, nodes[end].point)
        pipes[id] = Pipe(
            id=id,
            from_=start,
            to=end,
            path=path,
            diameter_m=diameter,
            length_m=round(length_m(path), 1),
        )

    for b in range(BRANCHES):
        u = b + 0.5 + float(rng.uniform(-0.06, 0.06))
        for k in range(PER_BRANCH):
            v = 2.9 - k * 0.32
            ground = 8.5 + 4.6 * v + float(rng.uniform(-0.1, 0.1))
            invert = 8.5 + 4.6 * v - 2.9
            sag = k == SAG_AT
            id = _manhole(b, k)
            manhole(id, to_point(lattice.at(u, v)), ground - (1.5 if sag else 0.0), invert)
            catches[id] = Catch(
                node=id,
                area_ha=round(float(rng.uniform(0.4, 0.6)), 2),
                width_m=60.0,
                impervious=round(float(rng.uniform(0.6, 0.75)), 2),
                ponded_m2=260.0 if sag else 500.0,
            )
    for b in range(BRANCHES):
        id = f"mh-r{b + 1:02d}"
        manhole(id, to_point(lattice.at(b + 0.5, 0.09)), 8.6, 5.0 - 0.55 * b)
        catches[id] = Catch(id, 0.3, 50.0, 0.6, 500.0)
    nodes[OUTFALL] = Node(
        id=OUTFALL, point=to_point(lattice.at(3.95, 0.02)), invert_m=2.6, rim_m=6.5
    )
    for b in range(BRANCHES):
        for k in range(PER_BRANCH - 1):
            pipe(_manhole(b, k), _manhole(b, k + 1), 0.6 if k < 3 else 0.8)
        pipe(_manhole(b, PER_BRANCH - 1), f"mh-r{b + 1:02d}", 0.9)
        pipe(f"mh-r{b + 1:02d}", f"mh-r{b + 2:02d}" if b + 1 < BRANCHES else OUTFALL, 1.5)

    sags = tuple(_manhole(b, SAG_AT) for b in range(BRANCHES))
    over = {f"sg-{n + 1:02d}": node for n, node in enumerate((*sags, "mh-105", "mh-305"))}
    for gauge, node in over.items():
        nodes[gauge] = Node(id=gauge, point=nodes[node].point, warn_m=0.05, close_m=0.27)
    return Sewers(DrainNetwork(nodes=nodes, pipes=pipes), catches, sags, over)


def covers(drainage: Sewers) -> dict[str, str]:
    """Covers with a tilt terminal → their manholes: the underpasses, and one manhole a branch."""
    watched = (*drainage.sags, *(_manhole(b, 2) for b in range(BRANCHES)))
    return {f"mc-{n + 1:02d}": node for n, node in enumerate(watched)}
