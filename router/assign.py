"""Who goes? The nearest able worker, with the figures of those who were considered.

Travel time = crow-fly distance x detour / walking speed. The walk is weighed against load, skill,
responsibility and the age of the position; all weights are seconds of travel (RouterSettings).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.case import Candidate
from contracts.city import City, Worker
from contracts.event import Place
from contracts.geo import Point, distance_m
from contracts.nouns import Position
from router.calendar import Shift
from router.gazetteer import Gazetteer
from router.settings import RouterSettings
from router.words import both


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Who was chosen, who could help, who came next, and why (JSON-ready)."""

    worker: str | None
    helpers: tuple[str, ...]
    runners_up: tuple[Candidate, ...]
    reason: dict[str, Any]


class Roster:
    """The city's workers, where they are and whether they are on shift."""

    def __init__(self, city: City, gazetteer: Gazetteer, settings: RouterSettings) -> None:
        self._settings = settings
        self._gazetteer = gazetteer
        self._zone = ZoneInfo(city.timezone)
        self._workers: list[Worker] = [city.workers[w] for w in sorted(city.workers)]
        self._index = {worker.id: i for i, worker in enumerate(self._workers)}
        self._home = np.array([(w.point.lon, w.point.lat) for w in self._workers]).reshape(-1, 2)
        self._at = self._home.copy()
        self._seen = np.full(len(self._workers), -math.inf)
        self._shifts = {text: Shift(text) for text in {w.shift for w in self._workers}}
        codes = {text: code for code, text in enumerate(self._shifts)}
        self._shift_code = np.array([codes[w.shift] for w in self._workers], dtype=np.int64)
        self._rungs = city.profile.escalate_to
        self._sent = self._mask(lambda w: w.role not in (*self._rungs, *settings.office_roles))
        self._leads = self._sent & self._mask(lambda w: w.role not in settings.helper_roles)
        self._officers = {
            role: [w for w in self._workers if w.role == role] for role in self._rungs
        }
        self._skilled: dict[tuple[str, ...], NDArray[np.bool_]] = {}
        self._positions: dict[str, Position] = {}

    def move(self, position: Position) -> None:
        """A worker is here; an older position than the one known and an unknown worker count
        for nothing."""
        index = self._index.get(position.worker)
        known = self._positions.get(position.worker)
        if index is None or (known is not None and position.at <= known.at):
            return
        self._positions[position.worker] = position
        self._at[index] = (position.point.lon, position.point.lat)
        # A clock ahead of ours must not make a position look fresh.
        self._seen[index] = min(position.at, position.received_at).timestamp()

    def worker(self, worker_id: str | None) -> Worker | None:
        """A worker by id."""
        index = self._index.get(worker_id or "")
        return None if index is None else self._workers[index]

    def _mask(self, test: Callable[[Worker], bool]) -> NDArray[np.bool_]:
        return np.array([test(worker) for worker in self._workers], dtype=np.bool_)

    def officer(self, role: str, grid: str | None) -> Worker | None:
        """Who has this rung of the ladder for this grid: the nearest one above it, or one that is
        for everywhere (no grid of their own)."""
        officers = self._officers.get(role, [])
        for part in self._gazetteer.lineage(grid):
            for worker in officers:
                if worker.grid == part:
                    return worker
        return next((worker for worker in officers if worker.grid is None), None)

    def _on_shift(self, now: datetime) -> NDArray[np.bool_]:
        local = now.astimezone(self._zone)
        minute = local.hour * 60 + local.minute + local.second / 60
        on = np.array([shift.on(minute) for shift in self._shifts.values()], dtype=np.bool_)
        return on[self._shift_code]

    def choose(
        self,
        place: Place,
        now: datetime,
        *,
        skills: tuple[str, ...] = (),
        helpers: int = 0,
        load: Mapping[str, int] | None = None,
        without: Collection[str] = (),
    ) -> Choice:
        """The nearest able worker for this place; officers of the ladder and people off shift only
        when nobody else is there, with that reason. None only where the city has no workers.

        `without`: who is out of the question (those who returned it). Then only somebody who is
        on shift and may go alone is chosen, or None: nobody is called out of bed by a return.
        """
        if without:
            return self._another(place, now, skills, load or {}, without)
        if not self._workers:
            return Choice(
                worker=None,
                helpers=(),
                runners_up=(),
                reason=both("the city has no workers", "本市没有登记网格员"),
            )
        on = self._on_shift(now)
        able = on & self._sent
        note_en, note_zh = "", ""
        if not able.any():
            able, note_en, note_zh = self._nobody_on_shift(place, on)
        ranked = self._ranked(place, now, able, skills, load or {})
        first = next((c for c in ranked if self._leads[self._index[c.worker]]), ranked[0])
        ranked.remove(first)
        ranked.insert(0, first)
        figures = msgspec.to_builtins(first)
        en, zh = self._words(first, skills, len(ranked))
        if note_en:
            en, zh = f"{note_en}; {en}", f"{note_zh}；{zh}"
        return Choice(
            worker=first.worker,
            helpers=tuple(c.worker for c in ranked[1 : 1 + helpers]),
            runners_up=tuple(ranked[1 : 1 + self._settings.runners_up]),
            reason={**figures, "on_shift": bool(on.any()), "skills": list(skills), **both(en, zh)},
        )

    def _another(
        self,
        place: Place,
        now: datetime,
        skills: tuple[str, ...],
        load: Mapping[str, int],
        without: Collection[str],
    ) -> Choice:
        able = self._on_shift(now) & self._leads
        able[[self._index[w] for w in without if w in self._index]] = False
        if not able.any():
            words = both("nobody else is on shift", "没有其他在岗人员")
            return Choice(worker=None, helpers=(), runners_up=(), reason=words)
        ranked = self._ranked(place, now, able, skills, load)
        en, zh = self._words(ranked[0], skills, len(ranked))
        return Choice(
            worker=ranked[0].worker,
            helpers=(),
            runners_up=tuple(ranked[1 : 1 + self._settings.runners_up]),
            reason={
                **msgspec.to_builtins(ranked[0]),
                "on_shift": True,
                "skills": list(skills),
                **both(en, zh),
            },
        )

    def _nobody_on_shift(
        self, place: Place, on: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], str, str]:
        """Who is asked then: the ladder's officers from below; else the center must call."""
        for role in self._rungs:
            officer = self.officer(role, place.grid)
            if officer is not None and on[self._index[officer.id]]:
                only = np.zeros(len(self._workers), dtype=np.bool_)
                only[self._index[officer.id]] = True
                return only, f"no worker is on shift, so {role} is asked", "无人在岗，转上级"
        everybody = self._sent if self._sent.any() else np.ones_like(self._sent)
        note = "nobody is on shift: the center must call"
        return everybody, note, "无人在岗，需中心电话通知"

    def figures(
        self,
        worker_id: str,
        place: Place,
        now: datetime,
        *,
        skills: tuple[str, ...] = (),
        load: Mapping[str, int] | None = None,
    ) -> Candidate:
        """The figures of one worker for this place (a choice made by a person)."""
        now_s = now.timestamp()
        return self._weigh(self._index[worker_id], place, now_s, skills, load or {})[1]

    def _ranked(
        self,
        place: Place,
        now: datetime,
        able: NDArray[np.bool_],
        skills: tuple[str, ...],
        load: Mapping[str, int],
    ) -> list[Candidate]:
        now_s = now.timestamp()
        stale = now_s - self._seen > self._settings.stale_position_s
        at = np.where(stale[:, None], self._home, self._at)
        # Crow-fly on a local plane is enough to shortlist; the figures use the sphere.
        east = (at[:, 0] - place.lon) * math.cos(math.radians(place.lat))
        near = np.hypot(east, at[:, 1] - place.lat)
        # A short list of the nearest, of the nearest who may go alone, and of those with the skill.
        chosen = np.union1d(self._nearest(near, able), self._nearest(near, able & self._leads))
        if skills:
            if skills not in self._skilled:
                self._skilled[skills] = self._mask(lambda w: _skilled(w, skills))
            skilled = able & self._leads & self._skilled[skills]
            chosen = np.union1d(chosen, self._nearest(near, skilled))
        weighed = [self._weigh(int(i), place, now_s, skills, load) for i in chosen]
        weighed.sort(key=lambda pair: (pair[0], pair[1].worker))
        return [candidate for _, candidate in weighed]

    def _nearest(self, near: NDArray[np.float64], able: NDArray[np.bool_]) -> NDArray[np.int64]:
        index = np.flatnonzero(able)
        if len(index) <= self._settings.shortlist:
            return index
        order = np.argsort(near[index], kind="stable")[: self._settings.shortlist]
        picked: NDArray[np.int64] = index[order]
        return picked

    def _weigh(
        self,
        index: int,
        place: Place,
        now_s: float,
        skills: tuple[str, ...],
        load: Mapping[str, int],
    ) -> tuple[float, Candidate]:
        s, worker = self._settings, self._workers[index]
        age: float | None = max(0.0, now_s - float(self._seen[index]))
        notes: list[str] = []
        if age is None or age > s.stale_position_s:
            lon, lat = self._home[index]
            notes.append(
                "no position yet: registered place"
                if math.isinf(age or 0.0)
                else f"position {timedelta(seconds=round(age or 0))} old: registered place"
            )
            age = None
        else:
            lon, lat = self._at[index]
        metres = distance_m(Point(float(lon), float(lat)), Point(place.lon, place.lat))
        travel = metres * s.detour / s.walking_mps
        skilled = _skilled(worker, skills)
        inside = worker.grid is not None and worker.grid in self._gazetteer.lineage(place.grid)
        tasks = load.get(worker.id, 0)
        cost = travel + tasks * s.load_cost_s
        cost += s.age_cost * (s.stale_position_s if age is None else age)
        cost += 0.0 if skilled else s.unskilled_cost_s
        cost += 0.0 if inside else s.outside_cost_s
        return cost, Candidate(
            worker=worker.id,
            name=worker.name,
            distance_m=round(metres, 1),
            travel_s=round(travel, 1),
            position_age_s=None if age is None else round(age, 1),
            load=tasks,
            skilled=skilled,
            in_grid=inside,
            note="; ".join(notes),
        )

    def _words(self, c: Candidate, skills: tuple[str, ...], compared: int) -> tuple[str, str]:
        minutes = max(1, round(c.travel_s / 60))
        if c.position_age_s is None:
            en_age, zh_age = c.note, "按登记位置"
        else:
            en_age = f"position {c.position_age_s:.0f} s old"
            zh_age = f"定位{c.position_age_s:.0f}秒前"
        en = f"{c.name} is about {minutes} min away on foot ({c.distance_m:.0f} m; {en_age})"
        zh = f"{c.name}步行约{minutes}分钟（{c.distance_m:.0f}米；{zh_age}）"
        tickets = "ticket" if c.load == 1 else "tickets"
        en += f", {c.load} open {tickets}, {'own' if c.in_grid else 'another'} grid"
        zh += f"，在办{c.load}件，{'本' if c.in_grid else '邻'}网格"
        if skills:
            en += f", {'has' if c.skilled else 'lacks'} {'/'.join(skills)}"
            zh += f"，{'具备' if c.skilled else '不具备'}技能{'/'.join(skills)}"
        return f"{en}; best of {compared} compared", f"{zh}；{compared}人中最优"


def _skilled(worker: Worker, skills: tuple[str, ...]) -> bool:
    return all(skill in worker.skills for skill in skills)
