"""The reference: each trouble to the nearest free worker; when none is free it waits its turn.

What most dispatch desks do. It has the router's methods and knows what the router knows; it has no
clocks, no ladder and no utilities: who does not answer within two minutes is passed over.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.case import Answer, Change, Command, Deadlines, Incident, Step, Ticket
from contracts.city import City
from contracts.event import Event, Place
from contracts.geo import Point, distance_m
from contracts.nouns import Position

UNANSWERED = timedelta(seconds=120)


class GreedyNearest:
    """Implements `contracts.ports.Router` as far as a night needs it."""

    def __init__(self, city: City) -> None:
        self._at = {id_: worker.point for id_, worker in city.workers.items()}
        self._tickets: dict[str, Ticket] = {}
        self._incidents: dict[str, Incident] = {}
        self._of_event: dict[str, str] = {}
        self._with: dict[str, str] = {}
        """Who has their hands full with what."""
        self._queue: list[str] = []
        self._passed: dict[str, set[str]] = {}
        self._alarms: list[tuple[datetime, int, str, int]] = []
        self._order = itertools.count()

    def place(self, point: Point, /) -> Place:
        """The place as it is."""
        return Place(point.lon, point.lat)

    def on_position(self, position: Position, /) -> None:
        """Somebody is here now."""
        self._at[position.worker] = position.point

    def wake_at(self) -> datetime | None:
        """When the next offer counts as unanswered."""
        return self._alarms[0][0] if self._alarms else None

    def restore(self, *args: Any) -> None:
        """A night is played in one piece."""
        raise NotImplementedError

    def on_events(self, events: Sequence[Event], now: datetime, /) -> list[Change]:
        """A trouble of its own for each; over when its event says so."""
        changes: list[Change] = []
        for event in events:
            known = self._of_event.get(event.id)
            if known is None:
                changes += self._open(event, now)
            elif event.phase == "closed":
                changes += self._over(self._tickets[known], now)
        return changes

    def on_time(self, now: datetime, /) -> list[Change]:
        """Who has not answered is passed over."""
        changes: list[Change] = []
        while self._alarms and self._alarms[0][0] <= now:
            _, _, ticket_id, rev = heapq.heappop(self._alarms)
            ticket = self._tickets[ticket_id]
            if ticket.rev == rev and ticket.stage == "dispatched":
                changes += self._pass_over(ticket, now)
        return changes

    def on_command(self, command: Command, now: datetime, /) -> tuple[list[Change], Answer]:
        """Whatever people say is taken as said."""
        ticket = self._tickets[command.ticket]
        stage = {
            "accept": "accepted", "arrive": "arrived", "dispose": "disposed",
            "verify": "verified", "close": "closed", "rework": "reworked",
        }.get(command.action)  # fmt: skip
        if command.action == "return":
            return self._pass_over(ticket, now), Answer(command.id, True, "")
        if stage is None:
            return [], Answer(command.id, False, "not known here", ticket.rev)
        changes = self._step(ticket, now, stage, stage=stage)
        if stage == "disposed":
            changes += self._free(ticket.worker, now)
        elif stage == "reworked" and ticket.worker is not None:
            self._with[ticket.worker] = ticket.id
        return changes, Answer(command.id, True, "")

    # --- deciding -----------------------------------------------------------------------------

    def _open(self, event: Event, now: datetime) -> list[Change]:
        name = event.id.removeprefix("e-")
        incident = Incident(
            id=f"i-{name}", rev=1, kind=event.kind, events=(event.id,), reason="",
            place=event.place, site=event.site, severity=event.severity, opened_at=now,
        )  # fmt: skip
        ticket = Ticket(
            id=f"t-{name}", rev=0, incident=incident.id, kind=event.kind, stage="filed",
            lane="self", worker=None, helpers=(), utility=None, parent=None, grid=None, reason={},
            runners_up=(), deadlines=Deadlines(), severity=event.severity, place=event.place,
            opened_at=now, updated_at=now,
        )  # fmt: skip
        self._of_event[event.id] = ticket.id
        self._tickets[ticket.id] = ticket
        told = Change(
            type="incident", id=incident.id, rev=1, change="opened", known_at=now, body=incident
        )
        self._queue.append(ticket.id)
        return [told, *self._serve(now)]

    def _serve(self, now: datetime) -> list[Change]:
        """First come, first served: the nearest who is free."""
        changes: list[Change] = []
        for ticket_id in list(self._queue):
            ticket = self._tickets[ticket_id]
            passed = self._passed.get(ticket_id, set())
            free = [w for w in self._at if w not in self._with and w not in passed]
            if not free:
                if len(passed) == len(self._at):
                    self._passed.pop(ticket_id)  # everybody was asked: ask again
                continue
            goal = Point(ticket.place.lon, ticket.place.lat)
            nearest = min(free, key=lambda w: (distance_m(self._at[w], goal), w))
            self._queue.remove(ticket_id)
            self._with[nearest] = ticket_id
            changes += self._step(
                ticket, now, "opened" if ticket.rev == 0 else "dispatched",
                stage="dispatched", worker=nearest,
            )  # fmt: skip
            rev = self._tickets[ticket_id].rev
            heapq.heappush(self._alarms, (now + UNANSWERED, next(self._order), ticket_id, rev))
        return changes

    def _pass_over(self, ticket: Ticket, now: datetime) -> list[Change]:
        worker = str(ticket.worker)
        self._passed.setdefault(ticket.id, set()).add(worker)
        self._with.pop(worker, None)
        changes = self._step(ticket, now, "returned", stage="returned", worker=None)
        self._queue.insert(0, ticket.id)
        return changes + self._serve(now)

    def _free(self, worker: str | None, now: datetime) -> list[Change]:
        self._with.pop(str(worker), None)
        return self._serve(now)

    def _over(self, ticket: Ticket, now: datetime) -> list[Change]:
        if ticket.stage != "disposed":
            return []
        return self._step(ticket, now, "verified", stage="verified")

    def _step(self, ticket: Ticket, now: datetime, change: str, **fields: Any) -> list[Change]:
        moved = msgspec.structs.replace(
            ticket, rev=ticket.rev + 1, updated_at=now,
            timeline=(*ticket.timeline, Step(at=now, change=change, by="desk")), **fields,
        )  # fmt: skip
        self._tickets[ticket.id] = moved
        return [
            Change(
                type="ticket", id=ticket.id, rev=moved.rev, change=change, known_at=now, body=moved
            )
        ]
