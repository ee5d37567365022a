"""What a person costs for a place: travel, and everything else in seconds of travel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.event import Place
from router.assign.believed import Believed
from router.assign.eligible import Eligible, Mask
from router.assign.near import Indexes
from router.assign.travel import Metres, crow_m, expected_m
from router.settings import RouterSettings


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is wanted at a place."""

    place: Place
    skills: tuple[str, ...] = ()
    helpers: int = 0
    severity: int = 3
    without: frozenset[str] = frozenset()
    """Who is not to be asked (again): they returned this very ticket."""
    holder: str | None = None
    """Who has its offer and has not answered: it moves only when that saves more than a margin."""
    urgency_s: float = 0.0
    """What its age and gravity are worth in seconds of travel, where fewer have free hands than
    are wanted."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A request as numbers."""

    lon: float
    lat: float
    now_s: float
    skilled: Mask | None
    """(n,) who has the skills; None where none are asked for."""
    lineage: NDArray[np.int32]
    """Codes of the place's grid and those above it."""
    community: int
    """Of the place; -1 for none."""
    last_free_cost_s: float


class Weights:
    """Everybody's fixed figures, and the costs that follow from them."""

    def __init__(
        self,
        believed: Believed,
        eligible: Eligible,
        *,
        grid: NDArray[np.int32],
        community: NDArray[np.int32],
        speed_mps: NDArray[np.float64],
        settings: RouterSettings,
    ) -> None:
        """`grid`, `community`: (n,) codes, -1 for none; `speed_mps`: (n,)."""
        self.believed = believed
        self.eligible = eligible
        self.grid = grid
        self.community = community
        self.speed = speed_mps
        self.rides = speed_mps > settings.riding_mps
        self.fastest = float(speed_mps.max(initial=settings.walking_mps))
        self._s = settings

    def wanted(
        self, request: Request, now: datetime, lineage: Sequence[int], community: int
    ) -> Wanted:
        """The request as numbers."""
        return Wanted(
            lon=request.place.lon,
            lat=request.place.lat,
            now_s=now.timestamp(),
            skilled=self.eligible.skilled(request.skills) if request.skills else None,
            lineage=np.array(lineage, dtype=np.int32),
            community=community,
            last_free_cost_s=self._s.coverage_cost_s * max(0, 5 - request.severity) / 4,
        )

    def crow(self, who: Indexes, wanted: Wanted) -> Metres:
        """(k,) crow-fly metres from where each is believed to be."""
        near = self.believed.near
        return crow_m(near.lon[who], near.lat[who], wanted.lon, wanted.lat)

    def in_grid(self, who: Indexes, wanted: Wanted) -> Mask:
        """(k,) whose grid the place is in."""
        mask: Mask = np.isin(self.grid[who], wanted.lineage)
        return mask

    def last_free(self, who: Indexes, wanted: Wanted) -> Mask:
        """(k,) who would leave another community without anybody free."""
        of = self.community[who]
        e = self.eligible
        mask: Mask = (of >= 0) & (of != wanted.community)
        mask &= e.leads[who] & e.able[who] & (e.tasks[who] == 0)
        mask &= e.free[of] <= 1
        return mask

    def beside_travel(self, who: Indexes, wanted: Wanted) -> Metres:
        """(k,) everything but travel, in seconds of travel."""
        s, e = self._s, self.eligible
        cost: Metres = e.tasks[who] * s.load_cost_s + e.offers[who] * s.offer_cost_s
        cost += np.where(self.in_grid(who, wanted), 0.0, s.outside_cost_s)
        if wanted.skilled is not None:
            cost += np.where(wanted.skilled[who], 0.0, s.unskilled_cost_s)
        if wanted.last_free_cost_s:
            cost += np.where(self.last_free(who, wanted), wanted.last_free_cost_s, 0.0)
        return cost

    def radius(self, who: Indexes, wanted: Wanted) -> Metres:
        """(k,) metres by which a way may be longer for the age of a position."""
        return self.believed.radius_m(who, wanted.now_s) * self._s.detour

    def travel_s(self, who: Indexes, way: Metres, radius: Metres) -> Metres:
        """(k,) expected seconds for so many metres."""
        seconds: Metres = expected_m(way, radius) / self.speed[who]
        return seconds
