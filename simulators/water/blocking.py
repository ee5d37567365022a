"""Pipes that lose their capacity: which, when, how fast, and what the engine makes of it."""

from __future__ import annotations

import msgspec

from simulators.dice import between, dice
from simulators.water.dry import Homes
from simulators.water.network import Network
from simulators.water.take import Order

AT_ONCE_S = 300.0
"""A branch, a wall or a worker's plug: minutes, not hours."""
_SHUT = 0.999


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


def plugs(order: Order, network: Network, homes: Homes) -> tuple[Plug, ...]:
    """The blockages of an order, in time, one at a time.

    Only pipes that carry at least 0.3 L/s in dry weather: nobody can notice another, nor mind.
    """
    rng = dice(order.seed, "water", order.network, "blockages")
    flows = carried(network, homes)
    wet = sorted(id for id, q in flows.items() if network.links[id].closed and q >= 3e-4)
    if not wet:
        wet = sorted(link.id for link in network.links.values() if link.closed)
    total = order.hours * 3600.0
    share = total / max(order.blockages, 1)
    found: list[Plug] = []
    for number in range(order.blockages):
        pipe = wet[int(rng.integers(len(wet)))]
        first = number * share
        begin = first + share * between(rng, (0.15, 0.5))
        kind = rng.random()
        lost = 1.0
        if kind >= 0.4:
            lost = between(rng, (0.93, 0.99) if kind < 0.8 else (0.75, 0.93))
        grows = AT_ONCE_S
        if rng.random() < 0.7:
            grows = min(3600.0 * 0.5 * 20.0 ** float(rng.random()), 0.6 * (first + share - begin))
        last = number == order.blockages - 1
        end = total + 1.0 if last else first + share - between(rng, (0.0, 0.1)) * share
        found.append(
            Plug(
                pipe=pipe,
                begin_s=round(begin),
                full_s=round(begin + grows),
                end_s=round(end),
                lost=round(lost, 4),
            )
        )
    return tuple(found)
