"""Scenarios as scripts in virtual time.

    story = Script(town())
    story.at(0).event(flood(...))
    story.at(3).command(ticket, "accept", by="w-11")
    story.expect(between(0, 1)).ticket("opened", kind="flooding", worker="w-11")

Moments are seconds after `START` (Friday 2026-11-20 10:00 in Shanghai). A script drives whatever
has the router's methods; with `cut=True` it is replaced by a fresh one restored from the
store's view (through JSON) before every single act: the result must be the same.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

import msgspec

from contracts.case import Answer, Change, Command, Incident, Silence, Ticket
from contracts.city import City
from contracts.clock import iso
from contracts.event import Event, Place, event_id
from contracts.geo import Point
from contracts.kinds import OPEN_STAGES
from contracts.nouns import Position
from contracts.ports import Router
from router.engine import GridRouter
from router.settings import RouterSettings

START = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


class Between(NamedTuple):
    """A span of virtual time in seconds, both ends included."""

    start: float
    end: float


def between(start: float, end: float) -> Between:
    """From `start` to `end` seconds."""
    return Between(start, end)


def moment(seconds: float) -> datetime:
    """That many seconds after the start."""
    return START + timedelta(seconds=seconds)


def event(
    kind: str,
    site: str,
    where: Place,
    at: float = 0.0,
    /,
    *,
    rev: int = 1,
    phase: Literal["opened", "updated", "closed"] = "opened",
    severity: int = 3,
    device: str | None = None,
    ordinal: int = 0,
    **evidence: Any,
) -> Event:
    """An event revision; the same kind, site, `at` and ordinal are the same episode."""
    return Event(
        id=event_id(kind, site, moment(at), ordinal),
        rev=rev,
        kind=kind,
        site=site,
        device=device or site,
        at=moment(at),
        severity=severity,
        place=where,
        phase=phase,
        evidence=evidence,
    )


class Kept:
    """What a store would keep, and hand back through JSON."""

    def __init__(self) -> None:
        self.incidents: dict[str, bytes] = {}
        self.tickets: dict[str, bytes] = {}
        self.events: dict[str, bytes] = {}
        self.positions: dict[str, bytes] = {}
        self.silences: dict[str, bytes] = {}
        self._revs: dict[str, int] = {}

    def change(self, change: Change) -> None:
        books = {"incident": self.incidents, "ticket": self.tickets, "silence": self.silences}
        books[change.type][change.id] = msgspec.json.encode(change.body)

    def event(self, event: Event) -> None:
        """Only newer revisions count, as in a store."""
        if event.rev > self._revs.get(event.id, 0):
            self._revs[event.id] = event.rev
            self.events[event.id] = msgspec.json.encode(event)

    def restore_into(self, router: Router) -> None:
        router.restore(
            [msgspec.json.decode(b, type=Incident) for b in self.incidents.values()],
            [msgspec.json.decode(b, type=Ticket) for b in self.tickets.values()],
            [msgspec.json.decode(b, type=Event) for b in self.events.values()],
            [msgspec.json.decode(b, type=Position) for b in self.positions.values()],
            [msgspec.json.decode(b, type=Silence) for b in self.silences.values()],
        )


class Script:
    """Runs a story act by act and keeps every change."""

    cut_always = False
    """What a story does that does not say: tests run every story both ways."""

    def __init__(
        self,
        city: City,
        settings: RouterSettings | None = None,
        *,
        cut: bool | None = None,
        build: Callable[[City, RouterSettings], Router] = GridRouter,
    ) -> None:
        self._city = city
        # Stories name their worker; that people are thought over again has stories of its own.
        self._settings = settings or RouterSettings(policy="each")
        self._build = build
        self._cut = self.cut_always if cut is None else cut
        self._kept = Kept()
        self._commands = 0
        self.now = START
        self.router = build(city, self._settings)
        self.router.begin(self.now)
        self.changes: list[Change] = []
        self.answers: list[Answer] = []

    # --- acts ---------------------------------------------------------------------------------

    def at(self, seconds: float) -> Script:
        """Time goes on to then; timers on the way fire exactly when they are due."""
        until = moment(seconds)
        assert until >= self.now, "a story does not go back in time"
        while (due := self.router.wake_at()) is not None and due <= until:
            self.now = max(self.now, due)
            self._restart()
            before = len(self.changes)
            self._keep(self.router.on_time(self.now))
            wakes = self.router.wake_at()
            assert wakes is None or wakes > self.now or len(self.changes) > before, "stuck timer"
        self.now = until
        return self

    def _restart(self) -> None:
        if self._cut:
            self.router = self._build(self._city, self._settings)
            self._kept.restore_into(self.router)
            self.router.begin(self.now)

    def _keep(self, changes: list[Change]) -> list[Change]:
        for change in changes:
            self._kept.change(change)
        self.changes += changes
        return changes

    def event(self, *events: Event) -> list[Change]:
        """These event revisions arrive in one batch."""
        self._restart()
        for one in events:
            self._kept.event(one)
        return self._keep(self.router.on_events(events, self.now))

    def position(self, worker: str, where: Point, age_s: float = 0.0) -> None:
        """A worker's app says where they are."""
        seen = self.now - timedelta(seconds=age_s)
        position = Position(worker=worker, at=seen, received_at=self.now, point=where)
        self._kept.positions[worker] = msgspec.json.encode(position)
        self.router.on_position(position)

    def command(
        self,
        ticket: str,
        action: str,
        by: str = "center",
        *,
        reason: str | None = None,
        note: str | None = None,
        rev: int | None = None,
        **data: Any,
    ) -> Answer:
        """Somebody acts on a ticket, having seen its newest revision."""
        self._restart()
        self._commands += 1
        seen = rev if rev is not None else self.ticket_by_id(ticket).rev
        changes, answer = self.router.on_command(
            Command(
                id=f"k-{self._commands}",
                ticket=ticket,
                action=action,
                by=by,
                rev=seen,
                at=self.now,
                reason=reason,
                note=note,
                data=data or None,
            ),
            self.now,
        )
        self._keep(changes)
        self.answers.append(answer)
        return answer

    def silence(self, name: str, until: float | str, by: str = "center", **said: Any) -> Answer:
        """Somebody silences something until then; `reason` among what is said, or a usual one."""
        reason = said.pop("reason", "crew at work")
        end = until if isinstance(until, str) else iso(moment(until))
        data = {"until": end, **said}
        return self._file(name, "silence", by, reason, data)

    def lift(self, name: str, by: str = "center", reason: str = "done early") -> Answer:
        """Somebody ends a silence before its time."""
        return self._file(name, "lift", by, reason, None)

    def _file(
        self, name: str, action: str, by: str, reason: str, data: dict[str, Any] | None
    ) -> Answer:
        self._restart()
        self._commands += 1
        command = Command(
            id=f"k-{self._commands}",
            ticket=name,
            action=action,
            by=by,
            rev=0,
            at=self.now,
            reason=reason,
            data=data,
        )
        changes, answer = self.router.on_command(command, self.now)
        self._keep(changes)
        self.answers.append(answer)
        return answer

    def do(self, ticket: str, *actions: str, by: str = "center") -> None:
        """Actions that must all be applied."""
        for action in actions:
            answer = self.command(ticket, action, by)
            assert answer.ok, answer.reason

    # --- looking ------------------------------------------------------------------------------

    def tickets(self) -> list[Ticket]:
        """Newest revision of every ticket, in the order opened."""
        newest = {c.id: c.body for c in self.changes if isinstance(c.body, Ticket)}
        return list(newest.values())

    def open_tickets(self) -> list[Ticket]:
        """Those somebody must still act on."""
        return [t for t in self.tickets() if t.stage in OPEN_STAGES]

    def incidents(self) -> list[Incident]:
        """Newest revision of every incident."""
        newest = {c.id: c.body for c in self.changes if isinstance(c.body, Incident)}
        return list(newest.values())

    def ticket(self, **fields: Any) -> Ticket:
        """The one newest ticket with these fields."""
        found = [t for t in self.tickets() if _has(t, fields)]
        assert len(found) == 1, f"{len(found)} tickets with {fields}: {_list(self.tickets())}"
        return found[0]

    def ticket_by_id(self, ticket: str) -> Ticket:
        """A ticket's newest revision."""
        return next(t for t in self.tickets() if t.id == ticket)

    def expect(self, when: Between) -> Expectation:
        """What must have happened in that span of time."""
        inside = [c for c in self.changes if moment(when.start) <= c.known_at <= moment(when.end)]
        return Expectation(inside)

    def told(self) -> list[str]:
        """`12s ticket opened flooding` for every change: for reading and for messages."""
        return [
            f"{(c.known_at - START).total_seconds():.0f}s {c.type} {c.change} "
            f"{getattr(c.body, 'kind', '')} r{c.rev}"
            for c in self.changes
        ]


class Expectation:
    """Changes within a span, to be asked for."""

    def __init__(self, changes: list[Change]) -> None:
        self._changes = changes

    def _one(self, what: str, change: str, fields: dict[str, Any]) -> Any:
        found = [
            c.body
            for c in self._changes
            if c.type == what and c.change == change and _has(c.body, fields)
        ]
        said = [(c.type, c.change, getattr(c.body, "kind", "")) for c in self._changes]
        assert len(found) == 1, f"{len(found)} x {what} {change} {fields} among {said}"
        return found[0]

    def ticket(self, change: str = "opened", **fields: Any) -> Ticket:
        """Exactly one such change of a ticket."""
        found: Ticket = self._one("ticket", change, fields)
        return found

    def incident(self, change: str = "opened", **fields: Any) -> Incident:
        """Exactly one such change of an incident."""
        found: Incident = self._one("incident", change, fields)
        return found

    def nothing(self, what: str = "", change: str = "") -> None:
        """No such change."""
        found = [
            (c.type, c.change)
            for c in self._changes
            if what in ("", c.type) and change in ("", c.change)
        ]
        assert not found, found


def _has(body: Any, fields: dict[str, Any]) -> bool:
    return all(getattr(body, name) == value for name, value in fields.items())


def _list(tickets: list[Ticket]) -> list[tuple[str, str, str | None, str | None]]:
    return [(t.kind, t.stage, t.worker, t.utility) for t in tickets]
