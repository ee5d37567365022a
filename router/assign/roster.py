"""The city's workers: who they are, where they are, and who of them goes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
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
from router.assign.choice import Choice
from router.assign.eligible import Eligible, Mask
from router.assign.near import Indexes
from router.assign.roads import RoadMap
from router.assign.search import Found, best_of
from router.assign.travel import CrowFly, Trip
from router.assign.weigh import Request, Wanted, Weights
from router.gazetteer import Gazetteer
from router.settings import RouterSettings
from router.words import both

_NOBODY: Indexes = np.empty(0, dtype=np.int32)
Words = tuple[str, str]


class Roster:
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
        self._communities: dict[str, int] = {}
        grid = np.array([self._grid_codes.get(w.grid or "", -1) for w in workers], dtype=np.int32)
        of_grid = {g: self._community(g) for g in {w.grid for w in workers}}
        community = np.array([of_grid[w.grid] for w in workers], dtype=np.int32)
        self._community_names = {
            code: gazetteer.grids[g].name for g, code in self._communities.items()
        }
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
        for part in self._gazetteer.lineage(grid):
            known = self._gazetteer.grids.get(part)
            if known is not None and known.level == self._settings.coverage_level:
                return self._communities.setdefault(part, len(self._communities))
        return -1

    # --- people ---------------------------------------------------------------------------------

    def move(self, position: Position) -> None:
        """A worker is here; an older position than the one known and an unknown worker count
        for nothing."""
        index = self._index.get(position.worker)
        if index is not None:
            self._believed.move(index, position)

    def worker(self, worker_id: str | None) -> Worker | None:
        """A worker by id."""
        index = self._index.get(worker_id or "")
        return None if index is None else self._workers[index]

    def officer(self, role: str, grid: str | None) -> Worker | None:
        """Who has this rung of the ladder for this grid: the nearest one above it, or one that is
        for everywhere (no grid of their own)."""
        for part in (*self._gazetteer.lineage(grid), None):
            found = self._officers.get((role, part))
            if found:
                return found[0]
        return None

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
        if not self._workers:
            return _nobody(both("the city has no workers", "本市没有登记网格员"))
        wanted = self._ready(request, now, load or {})
        trip = self._trip(wanted)
        mask, without_, said = self._askable(request)
        if not mask.any():
            return _nobody(both("nobody else is on shift", "没有其他在岗人员"))
        need = 1 + max(helpers, self._settings.runners_up)
        leads = int(self._eligible.able_leads) > int(
            np.count_nonzero((self._eligible.able & self._eligible.leads)[without_])
        )
        lead = 1 if leads and not said else 0
        found = self._best(wanted, trip, mask, need=need, lead=lead, without=without_)
        return self._choice(request, wanted, trip, found, said)

    def _ready(self, request: Request, now: datetime, load: Mapping[str, int]) -> Wanted:
        self._eligible.take(load)
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

    def _best(
        self, wanted: Wanted, trip: Trip, mask: Mask, *, need: int, lead: int, without: Indexes
    ) -> Found:
        return best_of(
            self._weights,
            wanted,
            trip,
            mask,
            need=need,
            lead=lead,
            without=without,
            detour=self._settings.detour,
            no_way_s=self._settings.no_way_cost_s,
        )

    def _askable(self, request: Request) -> tuple[Mask, Indexes, list[Words]]:
        """(who may be asked, who of them not, why it had to come to that): people on shift with
        room for one more; then those whose hands are full; then officers; then anybody."""
        e = self._eligible
        not_again = [self._index[w] for w in sorted(request.without) if w in self._index]
        without = np.array(not_again, dtype=np.int32)
        able, busy = e.able, e.on & e.sent
        if request.without:
            able, busy = able & e.leads, busy & e.leads
        if _left(able, without):
            return able, without, []
        if _left(busy, without):
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
        self, request: Request, wanted: Wanted, trip: Trip, found: Found, said: list[Words]
    ) -> Choice:
        ranked = self._candidates(wanted, trip, found)
        leads = self._eligible.leads
        first = next((c for c in ranked if leads[self._index[c.worker]]), ranked[0])
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
        wanted = self._ready(request, now, load or {})
        only = np.zeros(len(self._workers), dtype=np.bool_)
        only[self._index[worker_id]] = True
        trip = self._trip(wanted)
        found = self._best(wanted, trip, only, need=1, lead=0, without=_NOBODY)
        return self._candidates(wanted, trip, found)[0]

    def _candidates(self, wanted: Wanted, trip: Trip, found: Found) -> list[Candidate]:
        w, who = self._weights, found.who
        crow, radius = w.crow(who, wanted), w.radius(who, wanted)
        travel = w.travel_s(who, found.way, radius)
        worst = (found.way + radius) / w.speed[who]
        inside, last = w.in_grid(who, wanted), w.last_free(who, wanted)
        out: list[Candidate] = []
        for k, i in enumerate(who.tolist()):
            worker = self._workers[i]
            age = self._believed.age_s(i, wanted.now_s)
            seen = self._believed.seen[i]
            by = "none" if found.no_way[k] else trip.by
            taken = self._community_names[int(w.community[i])] if last[k] else None
            note, note_zh = words.notes_of(
                home=age is None,
                age_s=None if np.isinf(seen) else max(0.0, wanted.now_s - float(seen)),
                helps_only=bool(self._eligible.sent[i] and not self._eligible.leads[i]),
                offers=int(self._eligible.offers[i]),
                last_free=taken,
                by=by,
            )
            out.append(
                Candidate(
                    worker=worker.id,
                    name=worker.name,
                    distance_m=round(float(crow[k]), 1),
                    travel_s=round(float(travel[k]), 1),
                    position_age_s=None if age is None else round(age, 1),
                    load=int(self._eligible.tasks[i]),
                    skilled=wanted.skilled is None or bool(wanted.skilled[i]),
                    in_grid=bool(inside[k]),
                    note=note,
                    note_zh=note_zh,
                    way_m=round(float(found.way[k]), 1),
                    by=by,
                    speed_mps=float(w.speed[i]),
                    within_m=round(float(radius[k]) / self._settings.detour, 1),
                    worst_s=round(float(worst[k]), 1),
                    offers=int(self._eligible.offers[i]),
                    grid=worker.grid,
                    last_free=taken,
                    cost_s=round(float(found.cost[k]), 1),
                )
            )
        return out


def _nobody(why: dict[str, str]) -> Choice:
    return Choice(worker=None, helpers=(), runners_up=(), reason=why)


def _left(mask: Mask, without: Indexes) -> bool:
    """Whether anybody of the mask is left."""
    return bool(np.count_nonzero(mask) > np.count_nonzero(mask[without]))
