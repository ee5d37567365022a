"""The naive scan: everybody's figures for every place, all sorted. What one writes first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from contracts.city import City
from contracts.event import Place
from contracts.governance import governance
from router.assign.travel import crow_m, expected_m
from router.calendar import Shift
from router.gazetteer import Gazetteer
from router.settings import RouterSettings


class Scan:
    """Arrays of everybody (all at their registered places), and no more cleverness than numpy."""

    def __init__(self, city: City, gazetteer: Gazetteer, settings: RouterSettings) -> None:
        self._s = settings
        self._gazetteer = gazetteer
        self._zone = ZoneInfo(city.timezone)
        roles = governance(city).roles
        self.workers = [city.workers[w] for w in sorted(city.workers)]
        people = self.workers
        self._index = {w.id: i for i, w in enumerate(people)}
        self._lon = np.array([w.point.lon for w in people])
        self._lat = np.array([w.point.lat for w in people])
        self._speed = np.array([roles[w.role].speed_mps or settings.walking_mps for w in people])
        self._leads = np.array([roles[w.role].duty == "dispose" for w in people])
        self._most = np.array([roles[w.role].most_open or 10**6 for w in people])
        self._skilled = np.array(["electric" in w.skills for w in people])
        self._shifts = {text: Shift(text) for text in {w.shift for w in people}}
        names = list(self._shifts)
        self._shift = np.array([names.index(w.shift) for w in people])
        codes = {g: k for k, g in enumerate(gazetteer.grids)}
        self._codes = codes
        self._grid = np.array([codes[w.grid or ""] for w in people])
        self._community = np.array([self._of(w.grid) for w in people])

    def _of(self, grid: str | None) -> int:
        for part in self._gazetteer.lineage(grid):
            if self._gazetteer.grids[part].level == "community":
                return self._codes[part]
        return -1

    def choose(
        self,
        place: Place,
        now: datetime,
        *,
        skills: tuple[str, ...],
        severity: int,
        load: Mapping[str, int],
        offers: Mapping[str, int],
    ) -> list[str]:
        """Everybody who may be sent, the best first; the one sent alone before all others."""
        s = self._s
        local = now.astimezone(self._zone)
        minute = local.hour * 60 + local.minute
        on = np.array([shift.on(minute) for shift in self._shifts.values()])[self._shift]
        tasks = self._counted(load)
        asked = self._counted(offers)
        able = on & (tasks < self._most) & (asked < s.most_offers)
        crow = crow_m(self._lon, self._lat, place.lon, place.lat)
        radius = np.full(len(crow), s.roam_m * s.detour)
        cost = expected_m(crow * s.detour, radius) / self._speed
        cost += tasks * s.load_cost_s + asked * s.offer_cost_s
        lineage = [self._codes[g] for g in self._gazetteer.lineage(place.grid)]
        cost += np.where(np.isin(self._grid, lineage), 0.0, s.outside_cost_s)
        if skills:
            cost += np.where(self._skilled, 0.0, s.unskilled_cost_s)
        free = able & self._leads & (tasks == 0)
        counts = np.bincount(self._community[free], minlength=len(self._codes))
        last = free & (counts[self._community] <= 1) & (self._community != self._of(place.grid))
        cost += np.where(last, s.coverage_cost_s * (5 - severity) / 4, 0.0)
        index = np.flatnonzero(able)
        order = index[np.lexsort((index, np.round(cost[index], 6)))]
        first = order[self._leads[order]][0]
        ranked = [int(first), *(int(i) for i in order[:7] if i != first)]
        return [self.workers[i].id for i in ranked[:6]]

    def _counted(self, of: Mapping[str, int]) -> NDArray[np.int64]:
        out = np.zeros(len(self.workers), dtype=np.int64)
        for worker, count in of.items():
            out[self._index[worker]] = count
        return out
