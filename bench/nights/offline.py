"""What could have been: everybody's ways planned by somebody who knew the whole night beforehand.

Exact solutions of such plans are out of reach (it is a repairman problem with release times and
many repairmen), so this is the best that a search found: every trouble is put where it costs the
least, then, again and again, some neighbours in time and place are taken out and put back in better
(Shaw, CP 1998: large neighbourhood search). A true optimum can only be lower, and `least` says how
low at most: each trouble reached straight from the nearest start, with nobody busy.

What is minimised is the sum of all waits; nobody sets out before a trouble is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from contracts.city import City
from contracts.geo import Point
from simulators.dice import dice
from simulators.duty.manners import Manner
from simulators.duty.trouble import Trouble

Floats = NDArray[np.float64]
_M_PER_DEGREE = 111_320.0
TAKEN_OUT = 12
"""Troubles taken out at once."""


class Plan:
    """Routes of all workers over all troubles, and what each trouble waits."""

    def __init__(self, city: City, troubles: Sequence[Trouble], manner: Manner) -> None:
        workers = [city.workers[w] for w in sorted(city.workers)]
        origin = workers[0].point
        first = min(t.at for t in troubles)
        self.start = _xy([w.point for w in workers], origin)
        self.place = _xy([t.point for t in troubles], origin)
        self.release = [(t.at - first).total_seconds() for t in troubles]
        self.work = [t.work_s for t in troubles]
        self.pace = manner.detour / manner.speed_mps
        self.before = manner.answer_s + manner.setout_s
        """Even who knows must be told, answer and set out."""
        self.routes: list[list[int]] = [[] for _ in workers]
        self._from_start: list[list[float]] = (_apart(self.start, self.place) * self.pace).tolist()
        """Seconds from worker to trouble, and below from trouble to trouble."""
        self._between: list[list[float]] = (_apart(self.place, self.place) * self.pace).tolist()
        self._leaves: list[list[float]] = [[] for _ in workers]
        """When each worker is done with each trouble of their route."""

    def waits(self, worker: int, route: Sequence[int]) -> list[float]:
        """Seconds that each trouble of a route waits for somebody to stand there."""
        free, way, each = 0.0, self._from_start[worker], []
        for i in route:
            reach = max(free, self.release[i]) + self.before + way[i]
            each.append(reach - self.release[i])
            free, way = reach + self.work[i], self._between[i]
        return each

    def all_waits(self) -> Floats:
        """(n,) the wait of each trouble; seconds."""
        out = np.zeros(len(self.release))
        for worker, route in enumerate(self.routes):
            out[route] = self.waits(worker, route)
        return out

    def least(self) -> Floats:
        """(n,) what each could not be below, with nobody ever busy."""
        near = _apart(self.place, self.place)
        np.fill_diagonal(near, np.inf)
        metres = np.minimum(_apart(self.start, self.place).min(axis=0), near.min(axis=1))
        return np.asarray(metres * self.pace + self.before)

    def insert(self, i: int) -> None:
        """Put a trouble where it costs all together the least."""
        best, whose, where = math.inf, -1, -1
        for worker, route in enumerate(self.routes):
            for at in range(len(route) + 1):
                cost = self._dearer(worker, route, at, i, best)
                if cost < best:
                    best, whose, where = cost, worker, at
        assert whose >= 0, "nobody is on duty"
        self.take(whose, [*self.routes[whose][:where], i, *self.routes[whose][where:]])

    def take(self, worker: int, route: list[int]) -> None:
        """This is their route now."""
        self.routes[worker] = route
        waits = self.waits(worker, route)
        self._leaves[worker] = [
            self.release[i] + wait + self.work[i] for i, wait in zip(route, waits, strict=True)
        ]

    def _dearer(self, worker: int, route: list[int], at: int, i: int, most: float) -> float:
        """Seconds of waiting that `i` adds as number `at` of a route, its own included; infinite
        from `most` on. What comes after is only looked at until the delay is used up: who waits
        for the next trouble anyway loses nothing."""
        release, work, before, leaves = self.release, self.work, self.before, self._leaves[worker]
        free = leaves[at - 1] if at else 0.0
        way = self._between[route[at - 1]] if at else self._from_start[worker]
        reach = max(free, release[i]) + before + way[i]
        cost: float = reach - release[i]
        free, way = reach + work[i], self._between[i]
        for k in range(at, len(route)):
            if cost >= most:
                return math.inf
            j = route[k]
            leave = max(free, release[j]) + before + way[j] + work[j]
            later = leave - leaves[k]
            cost += later
            if later == 0.0:
                break
            free, way = leave, self._between[j]
        return cost

    def total(self) -> float:
        """All waits together (s)."""
        return sum(sum(self.waits(w, r)) for w, r in enumerate(self.routes))


def plan(
    city: City,
    troubles: Sequence[Trouble],
    *,
    seed: int,
    rounds: int,
    manner: Manner | None = None,
    told: Callable[[], None] = lambda: None,
) -> Plan:
    """The best plan that so many rounds of search found; it is never worse than the one of no
    rounds. `told` is called after each. Deterministic from the seed."""
    made = Plan(city, troubles, manner or Manner())
    for i in np.argsort(made.release, kind="stable").tolist():
        made.insert(i)
    rng = dice(seed, "offline")
    release = np.array(made.release)
    best = made.total()
    for _ in range(rounds):
        kept = [list(route) for route in made.routes]
        seed_trouble = int(rng.integers(len(release)))
        apart = np.hypot(*(made.place - made.place[seed_trouble]).T) * made.pace
        apart += 0.5 * np.abs(release - release[seed_trouble])
        out = np.argsort(apart, kind="stable")[:TAKEN_OUT].tolist()
        taken = set(out)
        for worker, route in enumerate(kept):
            if not taken.isdisjoint(route):
                made.take(worker, [i for i in route if i not in taken])
        for i in rng.permutation(out).tolist():
            made.insert(i)
        now = made.total()
        if now < best:
            best = now
        else:
            for worker, route in enumerate(kept):
                if made.routes[worker] != route:
                    made.take(worker, route)
        told()
    return made


def _apart(a: Floats, b: Floats) -> Floats:
    """(n, m) metres."""
    return np.asarray(np.hypot(a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1]))


def _xy(points: Sequence[Point], origin: Point) -> Floats:
    """(n, 2) metres east and north of `origin`."""
    scale = np.cos(np.radians(origin.lat)) * _M_PER_DEGREE
    return np.array(
        [((p.lon - origin.lon) * scale, (p.lat - origin.lat) * _M_PER_DEGREE) for p in points]
    )
