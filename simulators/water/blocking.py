"""Pipes that lose their capacity: which, when, how fast, and what the engine makes of it."""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Sequence

import msgspec

from simulators.dice import between, dice
from simulators.water.dry import Homes
from simulators.water.network import Link, Network
from simulators.water.rain import Shower
from simulators.water.take import Order

AT_ONCE_S = 300.0
"""A branch, a wall or a worker's plug: minutes, not hours."""
_SHUT = 0.999
NOTICED = 0.85
"""Share of the blockages that are put where a sensor should come to see them."""
_SEEN_M = 0.1
_MANHOLE_M2 = 1.17
"""A shaft of 1.22 m, as the engine has it."""


class Plug(msgspec.Struct, frozen=True, kw_only=True):
    """A blockage as planned; seconds from the first reading on."""

    pipe: str
    begin_s: float
    full_s: float
    end_s: float
    """Jetted free at this time; after the last reading: never."""
    lost: float

    def at(self, t_s: float) -> float:
        """Share of the open area lost at that time."""
        if t_s < self.begin_s or t_s >= self.end_s:
            return 0.0
        if t_s >= self.full_s:
            return self.lost
        # the open rest shrinks evenly in its logarithm: slow at first, then all of a sudden
        done = (t_s - self.begin_s) / (self.full_s - self.begin_s)
        return float(self.lost * done**0.7)


def loss_coefficient(lost: float) -> float:
    """Local loss K (in K v²/2g, v of the free pipe) of a pipe whose area is narrowed by `lost`.

    Contraction and Borda-Carnot expansion: K = (1 / (Cc m) - 1)² with the open share m and
    Weisbach's contraction Cc = 0.63 + 0.37 m³ (Idelchik, Handbook of Hydraulic Resistance, 4-4).
    """
    m = 1.0 - min(max(lost, 0.0), _SHUT)
    return float((1 / ((0.63 + 0.37 * m**3) * m) - 1) ** 2)


def shut(lost: float) -> bool:
    """Whether nothing passes any more."""
    return lost >= _SHUT


def carried(network: Network, homes: Homes) -> dict[str, float]:
    """Mean dry-weather flow by link, m3/s, led down the falls of the graph."""
    leaving: dict[str, list[str]] = {}
    waits = dict.fromkeys(network.holes, 0)
    for link in network.links.values():
        leaving.setdefault(link.from_, []).append(link.id)
        waits[link.to] += 1
    flow = {n: homes.domestic.get(n, 0.0) + homes.seepage.get(n, 0.0) for n in network.holes}
    ready = [n for n, count in waits.items() if count == 0]
    found: dict[str, float] = {}
    while ready:
        node = ready.pop()
        ways = leaving.get(node, [])
        for id in ways:
            found[id] = flow[node] / len(ways)
            end = network.links[id].to
            flow[end] += found[id]
            waits[end] -= 1
            if waits[end] == 0:
                ready.append(end)
    return found


def plugs(
    order: Order,
    network: Network,
    homes: Homes,
    watched: Collection[str] = (),
    storms: Sequence[Shower] = (),
) -> tuple[Plug, ...]:
    """The blockages of an order, in time, one at a time.

    Only pipes that carry at least 0.3 L/s in dry weather: nobody can notice another, nor mind.
    Most (`NOTICED`) are where a sensor is, among the nodes `watched`, that the water should reach
    while the pipe is blocked; the others anywhere, for a town does not watch all of its pipes.
    """
    rng = dice(order.seed, "water", order.network, "blockages")
    flows = carried(network, homes)
    wet = sorted(id for id, q in flows.items() if network.links[id].closed and q >= 3e-4)
    if not wet:
        wet = sorted(link.id for link in network.links.values() if link.closed)
    total = order.hours * 3600.0
    share = total / max(order.blockages, 1)
    pools = {id: pool(network, id, watched) for id in wet} if watched else {}
    found: list[Plug] = []
    for number in range(order.blockages):
        first = number * share
        begin = first + share * between(rng, (0.15, 0.5))
        last = number == order.blockages - 1
        end = total + 1.0 if last else first + share - between(rng, (0.0, 0.1)) * share
        noticed = rng.random() < NOTICED
        kind = rng.random()
        lost = 1.0
        if kind >= 0.4:
            lost = between(rng, (0.93, 0.99) if kind < 0.8 else (0.75, 0.93))
        grows = AT_ONCE_S
        if rng.random() < 0.7:
            grows = min(3600.0 * 0.5 * 20.0 ** float(rng.random()), 0.6 * (first + share - begin))
        rainy = any(begin + grows < s.begin_s < end - 3600 for s in storms)
        left = min(end, total) - begin - grows
        fit = wet
        if noticed and pools:
            # what narrows a pipe too little for what flows in it goes on to narrow it
            for more in (lost, (lost + 1) / 2, 0.99, 1.0):
                fit = [id for id in wet if shows(network, id, pools[id], flows, more, left, rainy)]
                if fit:
                    lost = more
                    break
            fit = fit or wet
        found.append(
            Plug(
                pipe=fit[int(rng.integers(len(fit)))],
                begin_s=round(begin),
                full_s=round(begin + grows),
                end_s=round(end),
                lost=round(lost, 4),
            )
        )
    return tuple(found)


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """What must happen above a blocked pipe until the nearest sensor sees it."""

    rise_m: float
    """Water over the pipe's upper end at which the sensor stands 10 cm in it."""
    volume_m3: float
    """Room in manholes and pipes up to there."""


def pool(network: Network, pipe: str, watched: Collection[str]) -> Pool | None:
    """The pool above a blocked pipe up to the lowest watched node in it.

    None: it spills, or finds another way out, before it reaches one.
    """
    link = network.links[pipe]
    bottom = network.holes[link.from_].invert_m
    leaving: dict[str, list[Link]] = {}
    coming: dict[str, list[Link]] = {}
    for other in network.links.values():
        if other.id != pipe:
            leaving.setdefault(other.from_, []).append(other)
            coming.setdefault(other.to, []).append(other)
    ready = [(bottom, link.from_)]
    wet: dict[str, float] = {}
    lines: list[Link] = []
    brim = math.inf
    while ready:
        low, node = heapq.heappop(ready)
        if node in wet:
            continue
        hole = network.holes[node]
        depth = 0.3 * link.height_m  # the water that flows in dry weather is no sign
        need = low + depth + _SEEN_M
        if low >= brim:
            return None
        wet[node] = low
        if hole.depth_m > 0:
            brim = min(brim, hole.invert_m + hole.depth_m)
        if any(k.to not in wet for k in leaving.get(node, [])):
            brim = min(brim, low + depth)
        if need > brim:
            return None
        if node in watched:
            room = sum(_MANHOLE_M2 * (need - inv) for inv in wet.values() if inv < need)
            for k in lines:
                start, stop = network.holes[k.to].invert_m, network.holes[k.from_].invert_m
                part = min(1.0, (need - start) / max(stop + k.height_m - start, 0.01))
                room += max(part, 0.0) * math.pi / 4 * k.height_m * k.width_m * k.length_m
            return Pool(rise_m=need - bottom, volume_m3=room)
        for k in coming.get(node, []):
            if k.closed:
                lines.append(k)
                heapq.heappush(ready, (max(low, network.holes[k.from_].invert_m), k.from_))
    return None


def shows(
    network: Network,
    pipe: str,
    above: Pool | None,
    flows: dict[str, float],
    lost: float,
    left_s: float,
    rainy: bool,
) -> bool:
    """Whether a blockage should be seen: its head is enough, and its pool fills in half the time.

    The head is K v²/2g in the full pipe, v from the dry-weather flow or, with rain, 0.5 m/s.
    """
    if above is None or pipe not in flows:
        return False
    link = network.links[pipe]
    flow = flows[pipe]
    if rainy:
        flow = max(flow, 0.5 * math.pi / 4 * link.height_m * link.width_m)
    elif 2 * above.volume_m3 / flow > left_s:
        return False
    speed = flow / (math.pi / 4 * link.height_m * max(link.width_m, 0.05))
    return shut(lost) or loss_coefficient(lost) * speed**2 / (2 * 9.81) > above.rise_m
