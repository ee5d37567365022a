"""A grid worker: hears of tickets, answers, goes there, works, says that it is done, or not."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from contracts.case import Ticket
from contracts.city import Worker
from contracts.geo import Point, distance_m
from simulators.dice import dice
from simulators.duty.manners import Manner

if TYPE_CHECKING:
    from simulators.duty.play import Play

STRIDE_S = 60.0
"""The phone reports its place this often on the way."""
AGE_SHARE = 1.0
"""What has waited an hour may be an hour farther away: people go by how long it has been."""
GRAVITY_S = 600.0
"""One severity more may be ten minutes farther away."""
SHRUG_S = 90.0
"""Who lies looks around this long before saying that it is done."""


class Person:
    """One worker with jobs in hand: near, long waiting and grave ones first."""

    def __init__(self, worker: Worker, manner: Manner, play: Play) -> None:
        self.worker = worker
        self.manner = manner
        self.here = worker.point
        self._play = play
        self._asked: set[tuple[str, int]] = set()
        """Offers heard: (ticket, how often it had been sent then)."""
        self._jobs: dict[str, datetime] = {}
        """Accepted and not done: ticket → since when."""
        self._doing: str | None = None
        self._there: str | None = None
        self._trip = 0
        """Counts journeys: a word of an older one is void."""

    @property
    def busy(self) -> bool:
        """Whether they are on the way or at work."""
        return self._doing is not None

    @property
    def at(self) -> str | None:
        """The ticket whose place they stand at."""
        return self._there

    def see(self, ticket: Ticket, sent: int, now: datetime) -> None:
        """A revision of a ticket that is or was theirs; `sent` counts its dispatches."""
        mine = ticket.worker == self.worker.id
        if not mine or ticket.stage in ("void", "closed", "evaluated", "verified", "suspended"):
            self._drop(ticket.id, now)
            return
        if ticket.stage == "dispatched" and (ticket.id, sent) not in self._asked:
            self._asked.add((ticket.id, sent))
            rng = dice(self._play.seed, "answer", ticket.id, self.worker.id, sent)
            after = self.manner.answers_after(rng, busy=self.busy)
            unheard, refuses = (
                rng.random() < self.manner.unheard,
                rng.random() < self.manner.refuses,
            )
            if not unheard:
                self._play.later(after, lambda at: self._answer(ticket.id, refuses, at))
        elif ticket.stage == "reworked" and ticket.id not in self._jobs:
            self._jobs[ticket.id] = now
            self._next(now)

    def _answer(self, ticket_id: str, refuses: bool, now: datetime) -> None:
        ticket = self._play.tickets[ticket_id]
        if ticket.worker != self.worker.id or ticket.stage != "dispatched":
            return
        if refuses:
            self._play.act(ticket_id, "return", self.worker.id, now, reason="走不开，请另派")
            return
        if self._play.act(ticket_id, "accept", self.worker.id, now):
            self._jobs[ticket_id] = now
            self._play.later(self.manner.setout_s, self._next)

    def _drop(self, ticket_id: str, now: datetime) -> None:
        self._jobs.pop(ticket_id, None)
        if self._doing == ticket_id:
            self._doing = None
            self._trip += 1
            self._next(now)

    def _next(self, now: datetime) -> None:
        if self._doing is not None or not self._jobs:
            return
        self._there = None
        self._doing = min(self._jobs, key=lambda t: (self._reluctance(t, now), t))
        self._trip += 1
        self._walk(self._trip, self._play.place_of(self._doing), now)

    def _reluctance(self, ticket_id: str, now: datetime) -> float:
        """Seconds of travel, less what its age and its gravity are worth."""
        ticket = self._play.tickets[ticket_id]
        metres = distance_m(self.here, self._play.place_of(ticket_id))
        travel = metres * self.manner.detour / self.manner.speed_mps
        age = (now - ticket.opened_at).total_seconds()
        return travel - AGE_SHARE * age - GRAVITY_S * ticket.severity

    def _walk(self, trip: int, goal: Point, now: datetime) -> None:
        if trip != self._trip or self._doing is None:
            return
        left = distance_m(self.here, goal) * self.manner.detour / self.manner.speed_mps
        if left <= STRIDE_S:
            self._play.later(left, lambda at: self._reach(trip, goal, at))
            return
        share = STRIDE_S / left
        lon = self.here.lon + (goal.lon - self.here.lon) * share
        lat = self.here.lat + (goal.lat - self.here.lat) * share

        def stride(at: datetime) -> None:
            if trip != self._trip:
                return
            self._move(Point(lon, lat), at)
            self._walk(trip, goal, at)

        self._play.later(STRIDE_S, stride)

    def _move(self, to: Point, now: datetime) -> None:
        self._play.journal.metres += distance_m(self.here, to) * self.manner.detour
        self.here = to
        self._play.seen(self.worker.id, to, now)

    def _reach(self, trip: int, goal: Point, now: datetime) -> None:
        if trip != self._trip or self._doing is None:
            return
        self._move(goal, now)
        self._there = self._doing
        ticket = self._play.tickets[self._doing]
        troubles = self._play.troubles_of(ticket)
        self._play.reached(troubles, now)
        if ticket.stage in ("accepted", "reworked"):
            self._play.act(ticket.id, "arrive", self.worker.id, now)
        rng = dice(self._play.seed, "work", ticket.id, self.worker.id, len(ticket.timeline))
        lies = rng.random() < self.manner.lies
        takes = SHRUG_S if lies else max((t.work_s for t in troubles), default=SHRUG_S)
        self._play.later(takes, lambda at: self._done(trip, ticket.id, lies, at))

    def _done(self, trip: int, ticket_id: str, lies: bool, now: datetime) -> None:
        if trip != self._trip:
            return
        if not lies:  # with what was reported there meanwhile
            self._play.mended(self._play.troubles_of(self._play.tickets[ticket_id]), now)
        photo = {"photos": [{"name": "after", "ref": f"p-{ticket_id[-8:]}-{trip}"}]}
        ticket = self._play.tickets[ticket_id]
        if ticket.stage in ("arrived", "reworked"):
            note = "均正常" if ticket.kind == "patrol" else None  # a round ends with what was found
            self._play.act(ticket_id, "dispose", self.worker.id, now, note=note, data=photo)
        self._jobs.pop(ticket_id, None)
        if self._doing == ticket_id:
            self._doing = None
        self._next(now)

    def help(self, ticket_id: str, now: datetime) -> None:
        """Asked to lend a hand: says yes when free."""
        action = "refuse_help" if self.busy else "accept_help"
        rng = dice(self._play.seed, "help", ticket_id, self.worker.id)
        after = self.manner.answers_after(rng, busy=self.busy)
        reason = "走不开" if self.busy else None
        self._play.later(
            after,
            lambda at: self._play.hand(ticket_id, action, self.worker.id, at, reason=reason),
        )
