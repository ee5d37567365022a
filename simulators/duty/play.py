"""A night in virtual time: troubles happen, a router decides, people and utilities act.

The router is anything with the router's methods; it sees events, positions and commands, never the
truth. Whatever chance decides hangs on names (the trouble, the worker, how often it was sent), so
two policies on one seed meet the same people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from contracts.case import Change, Command, Incident, Ticket
from contracts.city import City
from contracts.clock import EPOCH
from contracts.event import Event
from contracts.geo import Point
from contracts.kinds import OPEN_STAGES
from contracts.nouns import Position
from contracts.ports import Router
from simulators.dice import dice
from simulators.duty.clockwork import Clockwork, Deed
from simulators.duty.journal import Course, Journal
from simulators.duty.manners import DeskManner, Manner, UtilityManner, lognormal
from simulators.duty.person import Person
from simulators.duty.trouble import Trouble, seconds

SENSED_S = (30.0, 240.0)
"""How long after it is mended a sensor has said so (its reports, and the water going down)."""
BEAT_S = 120.0
"""A phone that lies still reports this often."""
CENTER = "center"


class Play:
    """One night. `run` plays it to its end and hands out the journal."""

    def __init__(
        self,
        router: Router,
        city: City,
        troubles: Sequence[Trouble],
        *,
        seed: int,
        manner: Manner | None = None,
        utilities: UtilityManner | None = None,
        desk: DeskManner | None = None,
    ) -> None:
        self.seed = seed
        self.tickets: dict[str, Ticket] = {}
        self.journal = Journal()
        self._router = router
        self._city = city
        self._time = Clockwork()
        self._now = min((t.at for t in troubles), default=EPOCH)
        self._people = {
            id_: Person(worker, manner or Manner(), self) for id_, worker in city.workers.items()
        }
        self._utility = utilities or UtilityManner()
        self._desk = desk or DeskManner()
        self._incidents: dict[str, Incident] = {}
        self._sent: dict[str, int] = {}
        self._tried: dict[str, set[str]] = {}
        self._commands = 0
        self._troubles: dict[str, Trouble] = {}
        self._by_event: dict[str, Trouble] = {}
        self._mended: set[str] = set()
        for trouble in troubles:
            self._expect(trouble)
        self._time.at(self._now, self._beat)

    # --- the world ----------------------------------------------------------------------------

    def _expect(self, trouble: Trouble) -> None:
        self._troubles[trouble.id] = trouble
        self.journal.courses[trouble.id] = Course(
            trouble=trouble.id, kind=trouble.kind, severity=trouble.severity, at=trouble.at
        )
        self._time.at(trouble.at, lambda now: self.tell(trouble, now))

    def tell(self, trouble: Trouble, now: datetime) -> None:
        """The sensor says it."""
        place = self._router.place(trouble.point)
        event = trouble.told(1, place, over=False)
        self._by_event[event.id] = trouble
        self.events([event], now)

    def events(self, events: Sequence[Event], now: datetime) -> None:
        """Events reach the router."""
        self._take(self._router.on_events(events, now), now)

    def _beat(self, now: datetime) -> None:
        """Every phone says where it is, moving or not."""
        for id_, person in self._people.items():
            self.seen(id_, person.here, now)
        self.later(BEAT_S, self._beat)

    def later(self, after_s: float, deed: Deed) -> None:
        """Let something happen so much later."""
        self._time.at(self._now + seconds(after_s), deed)

    def run(self, until: datetime) -> Journal:
        """Play until then; timers of the router fire exactly when they are due."""
        while True:
            mine, its = self._time.next(), self._router.wake_at()
            first = min((m for m in (mine, its) if m is not None), default=None)
            if first is None or first > until:
                break
            self._now = max(self._now, first)
            if its is not None and its <= self._now:
                self._take(self._router.on_time(self._now), self._now)
            else:
                self._time.step()
        self.journal.end = until
        return self.journal

    # --- what people do -----------------------------------------------------------------------

    def act(
        self,
        ticket_id: str,
        action: str,
        by: str,
        now: datetime,
        *,
        reason: str | None = None,
        note: str | None = None,
        data: dict[str, Any] | None = None,
    ) -> bool:
        """File a command as an app would; whether the router applied it."""
        self._commands += 1
        command = Command(
            id=f"k-{self._commands}",
            ticket=ticket_id,
            action=action,
            by=by,
            rev=self.tickets[ticket_id].rev,
            at=now,
            reason=reason,
            note=note,
            data=data,
        )
        changes, answer = self._router.on_command(command, now)
        self._take(changes, now)
        if not answer.ok:
            self.journal.refused.append(f"{action} by {by}: {answer.reason}")
        return answer.ok

    def hand(
        self, ticket_id: str, action: str, by: str, now: datetime, *, reason: str | None = None
    ) -> None:
        """A helper answers, unless nobody asks any more."""
        ticket = self.tickets[ticket_id]
        asked = any(h.worker == by and h.state == "requested" for h in ticket.hands)
        if asked and ticket.stage in OPEN_STAGES:
            self.act(ticket_id, action, by, now, reason=reason)

    def seen(self, worker: str, where: Point, now: datetime) -> None:
        """A phone says where it is."""
        position = Position(worker=worker, at=now, received_at=now, point=where)
        self._router.on_position(position)

    def reached(self, troubles: Iterable[Trouble], now: datetime) -> None:
        """Somebody stands there."""
        for trouble in troubles:
            course = self.journal.courses[trouble.id]
            course.reached_at = course.reached_at or now

    def mended(self, troubles: Iterable[Trouble], now: datetime) -> None:
        """It is over; where a sensor can, it says so a little later."""
        for trouble in troubles:
            if trouble.id in self._mended:
                continue
            self._mended.add(trouble.id)
            self.journal.courses[trouble.id].mended_at = now
            if trouble.sensed:
                rng = dice(self.seed, "sensed", trouble.id)
                self.later(float(rng.uniform(*SENSED_S)), self._over(trouble))

    def _over(self, trouble: Trouble) -> Deed:
        def say(now: datetime) -> None:
            place = self._router.place(trouble.point)
            self.events([trouble.told(2, place, over=True)], now)

        return say

    def place_of(self, ticket_id: str) -> Point:
        """Where a ticket is."""
        place = self.tickets[ticket_id].place
        return Point(place.lon, place.lat)

    def troubles_of(self, ticket: Ticket) -> list[Trouble]:
        """What is really wrong there."""
        incident = self._incidents.get(ticket.incident)
        events = incident.events if incident is not None else ()
        return [self._by_event[e] for e in events if e in self._by_event]

    # --- what follows from the router's changes -----------------------------------------------

    def _take(self, changes: Iterable[Change], now: datetime) -> None:
        for change in changes:
            if isinstance(change.body, Incident):
                self._incidents[change.body.id] = change.body
        for change in changes:
            if isinstance(change.body, Ticket):
                self._ticket(change.body, change.change, now)

    def _ticket(self, ticket: Ticket, change: str, now: datetime) -> None:
        old = self.tickets.get(ticket.id)
        self.tickets[ticket.id] = ticket
        fresh = (
            old is None
            or old.worker != ticket.worker
            or (ticket.stage == "dispatched" and old.stage != "dispatched")
        )
        if fresh and ticket.stage == "dispatched":
            self._sent[ticket.id] = self._sent.get(ticket.id, 0) + 1
            self._tried.setdefault(ticket.id, set()).add(str(ticket.worker))
        self._note(ticket, old, change, now)
        for worker in {ticket.worker, old.worker if old else None}:
            if worker in self._people:
                self._people[worker].see(ticket, self._sent.get(ticket.id, 0), now)
        known = {h.worker for h in old.hands if h.state == "requested"} if old else set()
        for hand in ticket.hands:
            asked = hand.state == "requested" and hand.worker not in known
            if asked and hand.worker in self._people:
                self._people[hand.worker].help(ticket.id, now)
        if ticket.utility is not None and ticket.worker is None and fresh:
            self._call_utility(ticket)
        self._center(ticket, old, change)

    def _note(self, ticket: Ticket, old: Ticket | None, change: str, now: datetime) -> None:
        if ticket.parent is not None:
            return
        person = self._people.get(str(ticket.worker))
        there = person is not None and person.at == ticket.id
        for trouble in self.troubles_of(ticket):
            course = self.journal.courses[trouble.id]
            if there:  # it was reported where somebody already stands
                course.reached_at = course.reached_at or now
            if ticket.stage == "dispatched":
                course.sent_at = course.sent_at or now
            if ticket.stage == "accepted":
                course.accepted_at = course.accepted_at or now
            if ticket.stage == "closed":
                course.closed_at = course.closed_at or now
            if old is not None and ticket.worker != old.worker:
                course.resent += 1
            course.reworks += change == "reworked"
            course.escalations += change == "escalated"

    def _call_utility(self, ticket: Ticket) -> None:
        manner, by = self._utility, f"utility:{ticket.utility}"
        rng = dice(self.seed, "utility", ticket.id, self._sent.get(ticket.id, 0))
        answer = lognormal(rng, manner.answer_s, manner.sigma)
        arrive = answer + lognormal(rng, manner.arrive_s, manner.sigma)
        restore = arrive + lognormal(rng, manner.restore_s, manner.sigma)
        refuses = rng.random() < manner.refuses

        def step(action: str, allowed: frozenset[str], reason: str | None = None) -> Deed:
            def do(now: datetime) -> None:
                newest = self.tickets[ticket.id]
                if newest.utility == ticket.utility and newest.stage in allowed:
                    self.act(ticket.id, action, by, now, reason=reason)

            return do

        if refuses:
            self.later(answer, step("return", frozenset({"dispatched"}), "非我单位管辖"))
            return
        self.later(answer, step("accept", frozenset({"dispatched"})))
        self.later(arrive, step("arrive", frozenset({"accepted", "reworked"})))
        self.later(restore, step("dispose", frozenset({"arrived", "reworked"})))

    # --- the center ---------------------------------------------------------------------------

    def _center(self, ticket: Ticket, old: Ticket | None, change: str) -> None:
        if change == "escalated" and ticket.stage in ("dispatched", "returned"):
            self.later(self._desk.reassign_s, lambda now: self._send_another(ticket.id, now))
        if old is not None and ticket.stage == old.stage:
            return
        if ticket.stage == "disposed":
            self.later(self._desk.verify_s, lambda now: self._verify(ticket.id, now))
        elif ticket.stage == "verified":
            self.later(self._desk.close_s, lambda now: self._close(ticket.id, now))

    def _send_another(self, ticket_id: str, now: datetime) -> None:
        ticket = self.tickets[ticket_id]
        if ticket.stage not in ("dispatched", "returned") or ticket.worker is None:
            return
        tried = self._tried.get(ticket_id, set())
        for candidate in ticket.runners_up:
            if candidate.worker not in tried and candidate.worker != ticket.worker:
                whom = {"worker": candidate.worker}
                self.act(ticket_id, "reassign", CENTER, now, reason="无人接单", data=whom)
                return

    def _verify(self, ticket_id: str, now: datetime) -> None:
        """Somebody looks: what is not mended is sent back, whatever was said."""
        ticket = self.tickets[ticket_id]
        if ticket.stage != "disposed":
            return
        open_ = [t for t in self.troubles_of(ticket) if t.id not in self._mended]
        if open_ and ticket.parent is None:
            self.act(ticket_id, "rework", CENTER, now, reason="现场核查未完成")
        else:
            self.act(ticket_id, "verify", CENTER, now, reason="现场核查已完成")

    def _close(self, ticket_id: str, now: datetime) -> None:
        ticket = self.tickets[ticket_id]
        parts = [t for t in self.tickets.values() if t.parent == ticket_id]
        if ticket.stage != "verified":
            return
        if any(t.stage in OPEN_STAGES for t in parts):
            self.later(1800.0, lambda at: self._close(ticket_id, at))
            return
        self.act(ticket_id, "close", CENTER, now)


Build = Callable[[City], Router]


def play(
    build: Build,
    city: City,
    troubles: Sequence[Trouble],
    *,
    seed: int,
    after: timedelta = timedelta(hours=12),
    **manners: Any,
) -> Journal:
    """One night under one router, from the first trouble until `after` the last."""
    night = Play(build(city), city, troubles, seed=seed, **manners)
    return night.run(max(t.at for t in troubles) + after)


Policies = Mapping[str, Build]
