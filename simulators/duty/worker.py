"""A worker of the live town: the phone rings, they answer, go there on the map, work, report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.geo import Point, distance_m
from contracts.kinds import OPEN_STAGES
from simulators.dice import dice
from simulators.duty.center import Seen
from simulators.duty.manners import USUAL_WORK_S, WORK_S, Manner, lognormal
from simulators.duty.person import GRAVITY_S, SHRUG_S

if TYPE_CHECKING:
    from simulators.duty.live import Crews

HOLDING = frozenset({"accepted", "arrived", "reworked"})
"""Stages in which it is somebody's job."""
LOOK_S = 30.0
"""Who waits on the spot (for a utility, for water to run off) looks again after this."""
AFTER = {"photos": [{"name": "after", "ref": "sim/after.jpg"}]}
"""The picture 处置后 that the simulated app attaches; nobody took one."""


class LiveWorker:
    """One worker: jobs accepted and not done, one of them under way."""

    def __init__(self, id: str, manner: Manner, crews: Crews) -> None:
        self.id = id
        self._manner, self._crews = manner, crews
        self._offered: set[str] = set()
        self._jobs: dict[str, Point] = {}
        self._reported: set[str] = set()
        """Jobs said to be done; nobody has answered yet."""
        self._stuck: dict[str, str] = {}
        """Jobs whose report was refused for good → the stage they were in then."""
        self._doing: str | None = None
        self._helps: str | None = None
        self._asked: set[str] = set()
        self._trip = 0
        """Counts journeys: a word of an older one is void."""

    def see(self, seen: Seen, ms: int) -> None:
        """A revision of a ticket that is or was theirs, or that they help with."""
        self._hand(seen, ms)
        mine = seen.worker == self.id
        if not (mine and seen.stage == "dispatched"):
            self._offered.discard(seen.id)
        if mine and seen.stage == "dispatched":
            self._ring(seen, ms)
        elif mine and seen.stage in HOLDING and self._stuck.get(seen.id) != seen.stage:
            self._stuck.pop(seen.id, None)
            if seen.stage == "reworked" and seen.id in self._reported:
                self._drop(seen.id, ms)  # done and sent back before we heard the first of it
            if seen.id not in self._jobs:
                self._jobs[seen.id] = Point(seen.place.lon, seen.place.lat)
                wait = self._manner.setout_s if seen.stage == "accepted" else 0.0
                self._crews.later(ms, wait, self._next)
        else:
            self._drop(seen.id, ms)

    # --- answering ----------------------------------------------------------------------------

    def _ring(self, seen: Seen, ms: int) -> None:
        if seen.id in self._offered:
            return
        self._offered.add(seen.id)
        rng = dice(self._crews.seed, "answer", seen.id, self.id, seen.rev)
        after = self._manner.answers_after(rng, busy=self._doing is not None)
        unheard = rng.random() < self._manner.unheard
        refuses = rng.random() < self._manner.refuses
        if not unheard:
            self._crews.later(ms, after, lambda now: self._answer(seen.id, refuses))

    def _answer(self, ticket: str, refuses: bool) -> None:
        def still(seen: Seen) -> bool:
            return seen.worker == self.id and seen.stage == "dispatched"

        if refuses:
            self._crews.act(ticket, "return", self.id, still, reason="走不开，请另派")
        else:
            self._crews.act(ticket, "accept", self.id, still)

    # --- going and working --------------------------------------------------------------------

    def _next(self, ms: int) -> None:
        if self._doing is not None or not self._jobs:
            return
        self._doing = min(self._jobs, key=lambda t: (self._reluctance(t), t))
        self._trip += 1
        trip = self._trip
        speed = self._manner.speed_mps / self._manner.detour  # the map shows them crow-fly
        goal = self._jobs[self._doing]
        self._crews.ground.send(self.id, goal, speed, lambda now: self._reached(trip, now))

    def _reluctance(self, ticket: str) -> float:
        """Seconds of travel, less what its gravity is worth."""
        here = self._crews.ground.where(self.id)
        metres = distance_m(here, self._jobs[ticket]) if here else 0.0
        travel = metres * self._manner.detour / self._manner.speed_mps
        return travel - GRAVITY_S * self._crews.tickets[ticket].severity

    def _reached(self, trip: int, ms: int) -> None:
        ticket = self._doing
        if trip != self._trip or ticket is None:
            return
        seen = self._crews.tickets[ticket]
        self._crews.act(
            ticket,
            "arrive",
            self.id,
            lambda t: t.worker == self.id and t.stage in ("accepted", "reworked"),
        )
        rng = dice(self._crews.seed, "work", ticket, self.id, seen.rev)
        lies = rng.random() < self._manner.lies
        usual = lognormal(rng, WORK_S.get(seen.kind, USUAL_WORK_S), self._manner.work_sigma)
        takes = SHRUG_S if lies else usual
        self._crews.later(ms, takes, lambda now: self._done(trip, lies, now))

    def _done(self, trip: int, lies: bool, ms: int) -> None:
        ticket = self._doing
        if trip != self._trip or ticket is None:
            return
        seen, ground = self._crews.tickets[ticket], self._crews.ground
        if not lies:
            near = self._jobs[ticket]
            # with parts of their own the utilities mend; who guards the place waits for them
            ground.mend(seen.kind, near, seen.utility, ms)
            if ground.wrong(seen.kind, near, ms):
                self._crews.after(ms, LOOK_S, lambda now: self._done(trip, lies, now))
                return

        def stuck(now: int) -> None:
            self._stuck[ticket] = self._crews.tickets[ticket].stage
            self._drop(ticket, now)

        self._reported.add(ticket)
        self._crews.act(
            ticket,
            "dispose",
            self.id,
            lambda t: t.worker == self.id and t.stage in ("arrived", "reworked"),
            data={**AFTER, **_found(seen)},
            refused=stuck,
        )

    def _drop(self, ticket: str, ms: int) -> None:
        self._jobs.pop(ticket, None)
        self._reported.discard(ticket)
        if self._doing == ticket:
            self._doing = None
            self._trip += 1
            self._crews.ground.release(self.id)
            self._next(ms)

    # --- lending a hand -----------------------------------------------------------------------

    def _hand(self, seen: Seen, ms: int) -> None:
        state = next((h.state for h in seen.hands if h.worker == self.id), None)
        open_ = seen.stage in OPEN_STAGES
        if state == "requested" and open_ and seen.id not in self._asked:
            self._asked.add(seen.id)
            rng = dice(self._crews.seed, "help", seen.id, self.id)
            after = self._manner.answers_after(rng, busy=self._doing is not None)
            if rng.random() >= self._manner.unheard:
                self._crews.later(ms, after, lambda now: self._lend(seen.id))
        elif state == "accepted" and open_ and self._doing is None and self._helps is None:
            self._helps = seen.id
            speed = self._manner.speed_mps / self._manner.detour
            self._crews.ground.send(self.id, Point(seen.place.lon, seen.place.lat), speed, None)
        elif self._helps == seen.id and (state != "accepted" or not open_):
            self._helps = None
            if self._doing is None:
                self._crews.ground.release(self.id)
        if state != "requested":
            self._asked.discard(seen.id)

    def _lend(self, ticket: str) -> None:
        def still(seen: Seen) -> bool:
            asked = any(h.worker == self.id and h.state == "requested" for h in seen.hands)
            return asked and seen.stage in OPEN_STAGES

        if self._doing is None and self._helps in (None, ticket):
            self._crews.act(ticket, "accept_help", self.id, still)
        else:
            self._crews.act(ticket, "refuse_help", self.id, still, reason="走不开")


def _found(seen: Seen) -> dict[str, Any]:
    """What a round found: everything as it should be."""
    if seen.kind != "patrol":
        return {}
    assets = seen.reason.get("patrol", {}).get("assets", ())
    told = [{"asset": asset, "ok": True} for asset in assets]
    return {"findings": told or [{"ok": True, "text": "正常"}]}
