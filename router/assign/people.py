"""The city's workers: who they are, where they are, and who of them goes to one place."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from contracts.case import Candidate
from contracts.city import City, Worker
from contracts.event import Place
from contracts.governance import governance
from contracts.nouns import Position
from router.assign import words
from router.assign.barriers import BarrierMap
from router.assign.believed import Believed
from router.assign.candidates import candidates
from router.assign.choice import Choice
from router.assign.eligible import Eligible, Mask
from router.assign.joint import NEAREST
from router.assign.load import Load
from router.assign.near import Indexes
from router.assign.roads import RoadMap
from router.assign.search import Found, Pool, best_of
from router.assign.travel import CrowFly, Trip
from router.assign.weigh import Request, Wanted, Weights
from router.gazetteer import Gazetteer
from router.settings import RouterSettings
from router.words import both

_NOBODY: Indexes = np.empty(0, dtype=np.int32)
Words = tuple[str, str]


class Asked(NamedTuple):
    """A request made ready: where, by which ways, and who may be asked."""

    request: Request
    wanted: Wanted
    trip: Trip
    mask: Mask
    without: Indexes
    said: list[Words]
    """Why it had to come to these people; empty: they are able."""


class People:
    """The city's workers, where they are and what they have on their hands."""

    def __init__(self, city: City, gazetteer: Gazetteer, settings: RouterSettings) -> None:
        self._settings = settings
        self._gazetteer = gazetteer
        said = governance(city)
        self._workers: list[Worker] = [city.workers[w] for w in sorted(city.workers)]
        workers = self._workers
        self._index = {worker.id: i for i, worker in enumerate(workers)}
        self._rungs = city.profile.escalate_to
        self._grid_codes = {grid: code for code, grid in enumerate(gazetteer.grids)}
        self._communities: dict[int, str] = {}
        self._community_of: dict[str, int] = {}
        grid = np.array([self._grid_codes.get(w.grid or "", -1) for w in workers], dtype=np.int32)
        community = np.array([self._community(w.grid) for w in workers], dtype=np.int32)
        speeds = {
            role: (said.roles[role].speed_mps if role in said.roles else None)
            or settings.walking_mps
            for role in {w.role for w in workers}
        }
        speed = np.array([speeds[w.role] for w in workers], dtype=np.float64)
        home = np.array([(w.point.lon, w.point.lat) for w in workers]).reshape(-1, 2)
        self._believed = Believed(
            home[:, 0].copy(),
            home[:, 1].copy(),
            speed,
            stale_s=settings.stale_position_s,
            roam_m=settings.roam_m,
        )
        self._eligible = Eligible(
            workers, said.roles, self._rungs, community, settings, ZoneInfo(city.timezone)
        )
        self._weights = Weights(
            self._believed,
            self._eligible,
            grid=grid,
            community=community,
            speed_mps=speed,
            settings=settings,
        )
        self._roads = (
            RoadMap(said.roads, len(workers), settings.detour, settings.off_road_m)
            if said.roads is not None and workers
            else None
        )
        self._barriers = BarrierMap(said.barriers, settings.detour) if said.barriers else None
        self._officers: dict[tuple[str, str | None], list[Worker]] = {}
        for worker in workers:
            if worker.role in self._rungs:
                self._officers.setdefault((worker.role, worker.grid), []).append(worker)

    def _community(self, grid: str | None) -> int:
        """Code of the community a grid belongs to; -1 for none."""
        chain: list[str] = []
        at, code = grid, -1
        while at is not None and at not in chain:
            known = self._community_of.get(at)
            if known is not None:
                code = known
                break
            chain.append(at)
            there = self._gazetteer.grids.get(at)
            if there is not None and there.level == self._settings.coverage_level:
                code = len(self._communities)
                self._communities[code] = there.name
                break
            at = there.parent if there is not None else None
        for part in chain:
            self._community_of[part] = code
        return code

    # --- people ---------------------------------------------------------------------------------

    def move(self, position: Position) -> None:
        """A worker is here; an older position than the one known, an unknown worker and what is no
        number count for nothing."""
        index = self._index.get(position.worker)
        lon, lat = position.point.lon, position.point.lat
        # NaN would make every comparison false from then on; the edge refuses it, code may not.
        if index is not None and math.isfinite(lon) and math.isfinite(lat):
            self._believed.move(index, position)

    def worker(self, worker_id: str | None) -> Worker | None:
        """A worker by id."""
        index = self._index.get(worker_id or "")
        return None if index is None else self._workers[index]

    def speed_mps(self, worker_id: str) -> float:
        """How fast a known worker gets about (m/s)."""
        return float(self._weights.speed[self._index[worker_id]])

    def here(self, worker_id: str, now: datetime) -> Place:
        """Where a known worker is believed to be."""
        self._believed.at(now.timestamp())
        i, near = self._index[worker_id], self._believed.near
        return Place(float(near.lon[i]), float(near.lat[i]))

    def is_able(self, worker_id: str, now: datetime) -> bool:
        """Whether a known worker is on shift, is sent alone and may be given one more."""
        e, i = self._eligible, self._index[worker_id]
        e.take(None)
        e.at(now)
        return bool(e.able[i] and e.leads[i])

    def officer(self, role: str, grid: str | None) -> Worker | None:
        """Who has this rung of the ladder for this grid: the nearest one above it, or one that is
        for everywhere (no grid of their own)."""
        for part in (*self._gazetteer.lineage(grid), None):
            found = self._officers.get((role, part))
            if found:
                return found[0]
        return None

    def follow(self, load: Load) -> None:
        """What everybody has on their hands, from now on: for every choice that is given no
        `load` of its own."""
        self._eligible.follow(load)

    # --- choosing -------------------------------------------------------------------------------

    def choose(
        self,
        place: Place,
        now: datetime,
        *,
        skills: tuple[str, ...] = (),
        helpers: int = 0,
        load: Mapping[str, int] | None = None,
        severity: int = 3,
        without: Collection[str] = (),
    ) -> Choice:
        """The nearest able worker for this place by travel time; officers of the ladder and people
        off shift only when nobody else is there, with that reason. None only where the city has no
        workers.

        `without`: who is out of the question (those who returned it). Then only somebody who is
        on shift and may go alone is chosen, or None: nobody is called out of bed by a return."""
        request = Request(
            place=place,
            skills=skills,
            helpers=helpers,
            severity=severity,
            without=frozenset(without),
        )
        self._eligible.take(load)
        asked = self._ask(request, now)
        return asked if isinstance(asked, Choice) else self._choice(asked, self._found(asked))

    def _ask(self, request: Request, now: datetime) -> Asked | Choice:
        """The request made ready; or the choice already, where nobody can be asked."""
        if not self._workers:
            return _nobody(both("the city has no workers", "本市没有登记网格员"))
        wanted = self._ready(request, now)
        mask, without, said = self._askable(request)
        if not mask.any():
            return _nobody(both("nobody else is on shift", "没有其他在岗人员"))
        return Asked(request, wanted, self._trip(wanted), mask, without, said)

    def _found(self, asked: Asked, together: int = 1) -> Found:
        """The best for it: enough to choose from when so many are matched together."""
        e, request = self._eligible, asked.request
        need = 1 + max(request.helpers, self._settings.runners_up)
        if asked.said:
            leads = bool(np.count_nonzero(asked.mask & e.leads))
        else:
            out = asked.without
            leads = e.able_leads > int(np.count_nonzero(e.able[out] & e.leads[out]))
        more = 0 if together < 2 else min(NEAREST, together)
        return best_of(
            self._weights,
            asked.wanted,
            asked.trip,
            asked.mask,
            need=need + more,
            lead=1 + more if leads else 0,
            without=asked.without,
            settings=self._settings,
        )

    def _ready(self, request: Request, now: datetime) -> Wanted:
        self._eligible.at(now)
        self._believed.at(now.timestamp())
        grids = self._gazetteer.lineage(request.place.grid)
        codes = [self._grid_codes[g] for g in grids if g in self._grid_codes]
        return self._weights.wanted(request, now, codes, self._community(request.place.grid))

    def _trip(self, wanted: Wanted) -> Trip:
        where = (self._believed.near.lon, self._believed.near.lat)
        trip: Trip | None = None
        if self._roads is not None:
            trip = self._roads.trip(wanted.lon, wanted.lat, where)
        elif self._barriers is not None:
            trip = self._barriers.trip(wanted.lon, wanted.lat, where)
        return trip or CrowFly(self._settings.detour)

    def _askable(self, request: Request) -> tuple[Mask, Indexes, list[Words]]:
        """(who may be asked, who of them not, why it had to come to that): people on shift with
        room for one more; then those whose hands are full; then officers; then anybody."""
        e = self._eligible
        not_again = [self._index[w] for w in sorted(request.without) if w in self._index]
        without = np.array(not_again, dtype=np.int32)
        able, busy = e.able, e.on & e.sent
        if request.without:
            able, busy = able & e.leads, busy & e.leads
        if left(able, without):
            return able, without, []
        if left(busy, without):
            return busy, without, [("everybody has their hands full", "人员均已满负荷")]
        if request.without:
            return np.zeros_like(e.on), _NOBODY, []
        for role in self._rungs:
            officer = self.officer(role, request.place.grid)
            i = None if officer is None else self._index[officer.id]
            if i is not None and e.on[i]:
                only = np.zeros(len(self._workers), dtype=np.bool_)
                only[i] = True
                told = (f"no worker is on shift, so {role} is asked", "无人在岗，转上级")
                return only, _NOBODY, [told]
        everybody = e.sent if e.sent.any() else np.ones_like(e.sent)
        told = ("nobody is on shift: the center must call", "无人在岗，需中心电话通知")
        return everybody, _NOBODY, [told]

    def _choice(
        self, asked: Asked, found: Found, goes: int | None = None, together: int = 1
    ) -> Choice:
        """The choice in words and figures; `goes`: who, where it was matched with others."""
        request, said = asked.request, list(asked.said)
        leads = found.who[self._eligible.leads[found.who]]
        sooner = int(leads[0] if len(leads) else found.who[0])
        need = 1 + max(request.helpers, self._settings.runners_up)
        found = found.few(need, sooner, sooner if goes is None else goes)
        ranked = self._figures(asked.wanted, asked.trip, found)
        best = ranked[found.who.tolist().index(sooner)]
        first = best if goes is None else ranked[found.who.tolist().index(goes)]
        if first is not best and together > 1:
            said.append(words.together(best, together))
        others = [c for c in ranked if c is not first]
        rides = bool(self._weights.rides[self._index[first.worker]])
        en, zh = words.why(first, request.skills, found.looked_at, rides=rides)
        against = words.passed_over(first, others)
        for more_en, more_zh in [against] if against else []:
            en, zh = f"{en}; {more_en}", f"{zh}；{more_zh}"
        for more_en, more_zh in reversed(said):
            en, zh = f"{more_en}; {en}", f"{more_zh}；{zh}"
        reason = {
            **msgspec.to_builtins(first),
            "on_shift": bool(self._eligible.on.any()),
            "skills": list(request.skills),
            "compared": found.looked_at,
        }
        if request.without:
            reason["without"] = sorted(request.without)
        if together > 1:
            reason["together"] = together
        if self._roads is not None and first.by == "road" and self._roads.source:
            reason["source"] = self._roads.source
        return Choice(
            worker=first.worker,
            helpers=tuple(c.worker for c in others[: request.helpers]),
            runners_up=tuple(others[: self._settings.runners_up]),
            reason={**reason, **both(en, zh)},
        )

    def figures(
        self,
        worker_id: str,
        place: Place,
        now: datetime,
        *,
        skills: tuple[str, ...] = (),
        load: Mapping[str, int] | None = None,
        severity: int = 3,
    ) -> Candidate:
        """The figures of one worker for this place (a choice made by a person)."""
        request = Request(place=place, skills=skills, severity=severity)
        self._eligible.take(load)
        wanted = self._ready(request, now)
        trip = self._trip(wanted)
        pool = Pool(self._weights, wanted, trip, self._settings)
        pool.add(np.array([self._index[worker_id]], dtype=np.int32))
        pool.settle(1, 0, math.inf)
        return self._figures(wanted, trip, pool.found(1, 0))[0]

    def _figures(self, wanted: Wanted, trip: Trip, found: Found) -> list[Candidate]:
        return candidates(self._workers, self._communities, self._weights, wanted, trip.by, found)


def _nobody(why: dict[str, str]) -> Choice:
    return Choice(worker=None, helpers=(), runners_up=(), reason=why)


def left(mask: Mask, without: Indexes) -> bool:
    """Whether anybody of the mask is left."""
    return bool(np.count_nonzero(mask) > np.count_nonzero(mask[without]))
