"""Several at once: who of the city's workers goes where, so that all together wait least."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import numpy as np

from router.assign.choice import Choice
from router.assign.joint import Row, freed, match
from router.assign.people import Asked, People, Words, left
from router.assign.search import Found, Pool
from router.assign.weigh import Request

ROUNDS = 4
"""Of matching several; who has found nobody by then is served one by one."""


class Roster(People):
    """People, and choices for several places together."""

    def choose_many(
        self, requests: Sequence[Request], now: datetime, load: Mapping[str, int] | None = None
    ) -> list[Choice]:
        """For each request who goes, so that all together wait least. An offer (`holder`) moves
        only when that saves more than `stability_s`; the load is as with all these offers made.

        One request without a holder gives what `choose` does."""
        e, s = self._eligible, self._settings
        e.take(load)
        e.at(now)
        lent = [(self._index[r.holder], -1) for r in requests if r.holder in self._index]
        for i, more in lent:
            e.lend(i, more)
        choices: dict[int, Choice] = {}
        pending = list(range(len(requests)))
        try:
            for _ in range(ROUNDS):
                asked = {k: self._ask(requests[k], now) for k in pending}
                choices |= {k: a for k, a in asked.items() if isinstance(a, Choice)}
                open_ = [(k, a) for k, a in asked.items() if isinstance(a, Asked) and not a.said]
                found = [self._found(a, len(open_)) for _, a in open_]
                rows = [self._row(a, f) for (_, a), f in zip(open_, found, strict=True)]
                goes = match(rows, queue_s=s.load_cost_s + s.offer_cost_s, margin_s=s.stability_s)
                for (k, a), f, i in zip(open_, found, goes, strict=True):
                    if i >= 0:
                        choices[k] = self._choice(a, f, i, len(open_))
                for i in goes:
                    if i >= 0:
                        e.lend(i, 1)
                        lent.append((i, 1))
                pending = [k for k in pending if k not in choices]
                if not any(i >= 0 for i in goes):
                    break
            for k in pending:  # nobody is able any more: officers, or whoever has hands full
                asked_last = self._ask(requests[k], now)
                choices[k] = (
                    asked_last
                    if isinstance(asked_last, Choice)
                    else self._choice(asked_last, self._found(asked_last))
                )
        finally:
            for i, more in lent:
                e.lend(i, -more)
        return [choices[k] for k in range(len(requests))]

    def free_hands(self, now: datetime, load: Mapping[str, int] | None = None) -> bool:
        """Whether anybody who is sent alone is on shift with nothing to see to."""
        e = self._eligible
        e.take(load)
        e.at(now)
        return bool((e.able & e.leads & (e.tasks == 0)).any())

    def again(
        self,
        requests: Sequence[Request],
        stays: Sequence[float],
        now: datetime,
        load: Mapping[str, int] | None = None,
        done: Collection[str] = (),
    ) -> list[Choice | None]:
        """For each request somebody with free hands who goes instead of its holder, so that all
        together wait least; None: it stays. `stays`: what waiting for the holder costs (s); `done`:
        who has just finished something and may go anywhere next, whatever they were sent before."""
        e = self._eligible
        e.take(load)
        e.at(now)
        lent = [(i, -int(e.tasks[i])) for i in (self._index[w] for w in done if w in self._index)]
        for i, more in lent:
            e.lend(i, more)
        try:
            return self._again(requests, stays, now)
        finally:
            for i, more in lent:
                e.lend(i, -more)

    def _again(
        self, requests: Sequence[Request], stays: Sequence[float], now: datetime
    ) -> list[Choice | None]:
        e = self._eligible
        asked = [self._ask(r, now) for r in requests]
        free = {
            k: a._replace(mask=a.mask & e.leads & (e.tasks == 0))
            for k, a in enumerate(asked)
            if isinstance(a, Asked) and not a.said
        }
        free = {k: a for k, a in free.items() if left(a.mask, a.without)}
        found = {k: self._found(a, len(free)) for k, a in free.items()}
        rows = [_sooner(self._row(a, found[k]), stays[k]) for k, a in free.items()]
        told = [stays[k] + a.request.urgency_s for k, a in free.items()]
        out: list[Choice | None] = [None] * len(requests)
        for (k, a), i in zip(free.items(), freed(rows, told), strict=True):
            if i >= 0:
                out[k] = self._choice(a, found[k], i, len(free))
        return out

    def given(
        self, request: Request, worker_id: str, now: datetime, why: Sequence[Words]
    ) -> Choice | None:
        """This worker for the place, with the figures of those who could go beside; None where
        nobody can be asked. `why`: what led to them."""
        self._eligible.take(None)
        asked = self._ask(request, now)
        if isinstance(asked, Choice):
            return None
        i = self._index[worker_id]
        some = np.union1d(self._found(asked).who, [i]).astype(np.int32)
        pool = Pool(self._weights, asked.wanted, asked.trip, self._settings)
        pool.add(some)
        pool.settle(len(some), 0, math.inf)
        return self._choice(asked._replace(said=list(why)), pool.found(len(some), 0), i)

    def _row(self, asked: Asked, found: Found) -> Row:
        alone = self._eligible.leads[found.who]
        who, cost = found.who[alone], found.cost[alone]
        holder = self._index.get(asked.request.holder or "", -1)
        return Row(who, cost, self._eligible.room(who), holder)


def _sooner(row: Row, stays_s: float) -> Row:
    """Those of the row who cost less than that it stays."""
    keep = row.cost <= stays_s
    return Row(row.who[keep], row.cost[keep], row.room[keep], row.holder)
