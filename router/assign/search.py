"""The best able people for a place, exactly, without looking at everybody.

Rings of buckets come from near to far, each with the least distance of all that is left. What
somebody costs is at least the travel of the shortest way there could be; ways are looked up only
for those who could still be among the best. It ends when nobody unseen can be.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from router.assign.eligible import Mask
from router.assign.near import Indexes
from router.assign.travel import Metres, Trip
from router.assign.weigh import Wanted, Weights
from router.settings import RouterSettings

CHUNK = 64
"""So many ways are looked up together."""


class Found(msgspec.Struct, frozen=True):
    """The best, the cheapest first (equal: the lower index), and how many were looked at."""

    who: Indexes
    cost: Metres
    """(k,) seconds of travel."""
    way: Metres
    """(k,) metres; of those no way is known for, crow-fly with the usual detour."""
    no_way: Mask
    """(k,) whether no way is known."""
    looked_at: int

    def few(self, most: int, *also: int) -> Found:
        """The first so many, and these."""
        keep = np.isin(self.who, also)
        keep[:most] = True
        return Found(
            self.who[keep], self.cost[keep], self.way[keep], self.no_way[keep], self.looked_at
        )


class Pool:
    """People looked at so far: their cost, exact or at least."""

    def __init__(
        self, weights: Weights, wanted: Wanted, trip: Trip, settings: RouterSettings
    ) -> None:
        self._weights = weights
        self._wanted = wanted
        self._trip = trip
        self._detour = settings.detour
        self._no_way_s = settings.no_way_cost_s
        self.who: Indexes = np.empty(0, dtype=np.int32)
        self.cost: Metres = np.empty(0)
        self.exact: Mask = np.empty(0, dtype=np.bool_)
        self.way: Metres = np.empty(0)
        self.no_way: Mask = np.empty(0, dtype=np.bool_)
        self.leads: Mask = np.empty(0, dtype=np.bool_)
        self._crow: Metres = np.empty(0)
        self._radius: Metres = np.empty(0)
        self._beside: Metres = np.empty(0)

    def add(self, who: Indexes) -> None:
        """These too, at the least they can cost."""
        w = self._weights
        crow = w.crow(who, self._wanted)
        radius = w.radius(who, self._wanted)
        beside = w.beside_travel(who, self._wanted)
        way = crow * self._trip.least
        self.who = np.concatenate((self.who, who))
        self.cost = np.concatenate((self.cost, _at_cost(w, who, way, radius, beside)))
        none = np.zeros(len(who), dtype=np.bool_)
        self.exact = np.concatenate((self.exact, none))
        self.way = np.concatenate((self.way, way))
        self.no_way = np.concatenate((self.no_way, none))
        self.leads = np.concatenate((self.leads, w.eligible.leads[who]))
        self._crow = np.concatenate((self._crow, crow))
        self._radius = np.concatenate((self._radius, radius))
        self._beside = np.concatenate((self._beside, beside))

    def best(self, need: int, *, leads: bool = False) -> float:
        """The cost of the `need`-th best of those who are known exactly (of `leads` only)."""
        known = self.cost[self.exact & self.leads] if leads else self.cost[self.exact]
        return float(np.partition(known, need - 1)[need - 1]) if len(known) >= need else math.inf

    def settle(self, need: int, lead: int, bound: float) -> None:
        """Look up the ways of all who may be among the `need` best, or the `lead` best of those
        who are sent alone, and cost less than `bound`."""
        while True:
            limit = np.full(len(self.who), self.best(need) if need else -math.inf)
            if lead:
                limit[self.leads] = np.maximum(
                    limit[self.leads], self.best(lead, leads=True)
                )  # fmt: skip
            those = np.flatnonzero(~self.exact & (self.cost <= np.minimum(limit, bound)))
            if not len(those):
                return
            if len(those) > CHUNK:
                those = those[np.argsort(self.cost[those], kind="stable")[:CHUNK]]
            self._look_up(those)

    def _look_up(self, those: NDArray[np.intp]) -> None:
        who = self.who[those]
        way = self._trip.way(who, self._crow[those], self._weights.rides[who])
        known = np.isfinite(way)
        reached = self._trip.reach_m
        if not known.all() and math.isinf(reached):  # all has been seen: no way there
            lost = those[~known]
            self.no_way[lost] = True
            way = np.where(known, way, self._crow[those] * self._detour)
            self._beside[lost] += self._no_way_s
            known[:] = True
        elif not known.any():
            self._trip.farther()
        # Those farther away than was looked cost at least what the end of the look costs.
        self.way[those] = np.where(known, way, np.maximum(self.way[those], reached))
        self.exact[those] = known
        self.cost[those] = _at_cost(
            self._weights, who, self.way[those], self._radius[those], self._beside[those]
        )

    def found(self, need: int, lead: int) -> Found:
        """The best so far: `need` of them, and at least the `lead` best who are sent alone."""
        known = np.flatnonzero(self.exact)
        order = known[np.lexsort((self.who[known], self.cost[known]))]
        keep = order[:need]
        if lead:
            keep = np.union1d(keep, order[self.leads[order]][:lead])
            keep = keep[np.lexsort((self.who[keep], self.cost[keep]))]
        return Found(
            self.who[keep], self.cost[keep], self.way[keep], self.no_way[keep], len(self.who)
        )


def _at_cost(w: Weights, who: Indexes, way: Metres, radius: Metres, beside: Metres) -> Metres:
    # Microseconds: what differs by rounding alone is equal, and the lower index goes first.
    return np.round(w.travel_s(who, way, radius) + beside, 6)


def best_of(
    weights: Weights,
    wanted: Wanted,
    trip: Trip,
    mask: Mask,
    *,
    need: int,
    lead: int,
    without: Indexes,
    settings: RouterSettings,
) -> Found:
    """The `need` best of `mask`, and at least the `lead` best of those who are sent alone."""
    pool = Pool(weights, wanted, trip, settings)
    if mask[without].any():
        mask = mask.copy()
        mask[without] = False
    for ring, beyond_m in weights.believed.near.rings(wanted.lon, wanted.lat):
        some = ring[mask[ring]]
        if len(some):
            pool.add(some)
        bound = beyond_m * trip.least / weights.fastest
        pool.settle(need, lead, bound)
        if pool.best(need) <= bound and (not lead or pool.best(lead, leads=True) <= bound):
            break
    return pool.found(need, lead)
