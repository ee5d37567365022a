"""The overhead line (0.4 kV, 25 poles, behind one transformer) and the fibre along the roads."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from contracts.city import Fibre, LineNetwork, LineNode, Span
from contracts.geo import along, length_m
from simulators.dice import dice
from simulators.frame import XY, lerp, to_point, to_xy
from simulators.layout import Lattice

LINE = "line-zhongshan"
FIBRE = "fibre-qx-01"
OTDR = "otdr-01"
MAIN, LATERAL, TAP_AT = 18, 7, 9
OWNER = "state-grid"
SHARED = ("telecom", "cable-tv")
"""Whose cables hang below the conductors along the main road ..."""
_SHARED_POLES = range(3, 16)
"""... from the first to the last of these poles."""


class Load(msgspec.Struct, frozen=True):
    """What a customer draws."""

    node: str
    phases: tuple[int, ...]
    """Phases it hangs on: (1,), (2,), (3,) or all three."""
    kw: float


class Feeder(msgspec.Struct, frozen=True):
    """The line with its loads and monitors; spans carry their length in `lengths`."""

    network: LineNetwork
    loads: dict[str, Load]
    lengths: dict[str, float]
    monitors: dict[str, str]
    """Device → the node where it sits."""


def _points(a: XY, b: XY, count: int, step: float) -> list[XY]:
    far = ((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5
    return [lerp(a, b, k * step / far) for k in range(count)]


def build(seed: int, lattice: Lattice) -> Feeder:
    """Transformer, 18 poles along a road, a lateral of 7 at the tenth, 14 customers."""
    rng = dice(seed, "poles")
    nodes: dict[str, LineNode] = {}
    spans: dict[str, Span] = {}
    lengths: dict[str, float] = {}
    monitors: dict[str, str] = {}
    loads: dict[str, Load] = {}

    shared = {f"pole-{k:02d}" for k in _SHARED_POLES}

    def node(id: str, what: str, xy: XY, chainage: float | None, device: str | None = None) -> None:
        nodes[id] = LineNode(
            id=id,
            what=what,
            point=to_point(xy),
            owner=OWNER,
            chainage_m=chainage,
            device=device,
            carries=SHARED if id in shared else (),
        )
        if device:
            monitors[device] = id

    def span(start: str, end: str, phases: tuple[int, ...] = (1, 2, 3)) -> None:
        id = f"s-{end}"
        path = (nodes[start].point, nodes[end].point)
        lengths[id] = round(length_m(path), 1)
        chainage = nodes[start].chainage_m
        spans[id] = Span(
            id=id,
            owner=OWNER,
            from_=start,
            to=end,
            path=path,
            chainage_m=chainage,
            carries=SHARED if {start, end} <= shared else (),
            kv=0.4,
            phases="".join("abc"[p - 1] for p in phases) + "n",
        )

    road = _points(lattice.at(1.08, 1.45), lattice.at(2.9, 1.5), MAIN + 1, 42.0)
    monitored = {"pole-04", "pole-07", "pole-10", "pole-14", "pole-18", "pole-22", "pole-25"}
    node("tx-01", "transformer", road[0], 0.0, "lm-tx-01")
    previous = "tx-01"
    for k in range(1, MAIN + 1):
        x, y = road[k]
        id = f"pole-{k:02d}"
        spot = (x + float(rng.uniform(-2, 2)), y + float(rng.uniform(-2, 2)))
        node(id, "pole", spot, 42.0 * k, f"lm-{id}" if id in monitored else None)
        span(previous, id)
        previous = id
    tap = road[TAP_AT + 1]
    end = lattice.at(1.9, 2.4)
    side = _points(tap, (tap[0] + 0.2 * (end[0] - tap[0]), end[1]), LATERAL + 1, 40.0)
    previous = f"pole-{TAP_AT + 1:02d}"
    for k in range(1, LATERAL + 1):
        id = f"pole-{MAIN + k:02d}"
        chainage = 42.0 * (TAP_AT + 1) + 40.0 * k
        node(id, "pole", side[k], chainage, f"lm-{id}" if id in monitored else None)
        span(previous, id)
        previous = id
    taps = (2, 4, 6, 8, 9, 11, 12, 14, 16, 18, 19, 21, 23, 25)
    for n, k in enumerate(taps, start=1):
        at = f"pole-{k:02d}"
        id = f"customer-{n:02d}"
        px, py = road[k] if k <= MAIN else side[k - MAIN]
        spot = (px + float(rng.uniform(8, 16)), py - float(rng.uniform(12, 18)))
        three = n in (4, 9, 13)
        node(id, "customer", spot, nodes[at].chainage_m, f"meter-{n:02d}" if n % 4 else None)
        phases = (1, 2, 3) if three else (1 + n % 3,)
        span(at, id, phases)
        loads[id] = Load(
            node=id,
            phases=phases,
            kw=round(float(rng.uniform(6, 10) if three else rng.uniform(1.2, 3.5)), 2),
        )
    network = LineNetwork(id=LINE, nodes=nodes, spans=spans, root="tx-01")
    return Feeder(network, loads, lengths, monitors)


def fibre(lattice: Lattice, baseline: bytes | None = None) -> Fibre:
    """A cable of about 3 km from the exchange through the whole street, seen by one OTDR.

    The OTDR stands in the exchange at the first point of the path.
    """
    stops = ((3.6, 2.75), (3.0, 2.7), (3.02, 2.0), (2.0, 2.02), (2.03, 1.0), (1.0, 0.98))
    path = [to_point(lattice.at(u, v)) for u, v in (*stops, (0.98, 0.3), (0.35, 0.28))]
    return Fibre(
        id=FIBRE,
        owner="telecom",
        path=tuple(path),
        device=OTDR,
        start_m=0.0,
        forward=True,
        baseline=baseline,
    )


def fibre_length_m(cable: Fibre) -> float:
    """Length of the cable on the map."""
    return length_m(cable.path)


def crossing(feeder: Feeder, cable: Fibre) -> tuple[str, float]:
    """The shared span that the fibre passes nearest, and how far along the fibre that is (m)."""
    far = np.arange(0.0, length_m(cable.path), 2.0)
    route = np.array([to_xy(along(cable.path, float(m))) for m in far])
    best = (math.inf, "", 0.0)
    for span in feeder.network.spans.values():
        if span.carries:
            middle = to_xy(along(span.path, feeder.lengths[span.id] / 2))
            away = np.hypot(*(route - np.array(middle)).T)
            k = int(away.argmin())
            best = min(best, (float(away[k]), span.id, float(far[k])))
    return best[1], best[2]
