"""The router: events in, changes out. Pure and deterministic; time is a parameter.

All its state is the newest incidents, tickets, events and positions; timers follow from them. So
`restore` and going on is the same as never having stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from contracts.case import Answer, Change, Command, Incident, Ticket
from contracts.city import City
from contracts.event import Event, Place
from contracts.geo import Point
from contracts.nouns import Position
from router.assign import Roster
from router.book import Book, is_open
from router.correlate import Correlator, news
from router.deadlines import Clocks
from router.desk import SENSOR, Desk
from router.gazetteer import Gazetteer
from router.incidents import Incidents
from router.ladder import Ladder
from router.opening import Opener, name_of
from router.settings import RouterSettings
from router.stages import refusal, step
from router.tickets import Tickets
from router.timers import Timers
from router.utility import Duties
from router.words import one_line


class GridRouter:
    """Implements `contracts.ports.Router`."""

    def __init__(self, city: City, settings: RouterSettings | None = None) -> None:
        self._city = city
        self._s = settings or RouterSettings()
        zone = ZoneInfo(city.timezone)
        self._gazetteer = Gazetteer(city.grids, self._s.off_grid_m)
        self._roster = Roster(city, self._gazetteer, self._s)
        clocks = Clocks(city.profile, zone)
        duties = Duties(city, self._gazetteer, self._s)
        self._ladder = Ladder(city.profile, clocks, self._roster, self._s, zone)
        self._desk = Desk(
            city=city,
            roster=self._roster,
            duties=duties,
            clocks=clocks,
            ladder=self._ladder,
            settings=self._s,
        )
        self._opener = Opener(city, duties, self._roster, clocks, self._ladder, self._s)
        self._correlator = Correlator(self._s)
        self._incidents = Incidents(city, self._gazetteer, self._correlator, self._s)
        self._tickets = Tickets(self._opener, self._ladder, self._s)
        self._book = Book(
            self._s.keep_ended_s,
            self._s.explained_by,
            self._s.evidence_kinds,
            self._s.keep_evidence_s,
        )
        self._timers = Timers()

    # --- the port -----------------------------------------------------------------------------

    def place(self, point: Point, /) -> Place:
        """The place with its smallest grid; the address is the grids' names."""
        return self._gazetteer.place(point)

    def on_events(self, events: Sequence[Event], now: datetime, /) -> list[Change]:
        """Correlate into incidents, open or update tickets. A revision already known changes
        nothing."""
        changes = self.on_time(now)
        for event in events:
            changes += self._take(event, now)
        return changes

    def on_time(self, now: datetime, /) -> list[Change]:
        """Timers due at or before `now`: grace, reminders, escalations, verification."""
        self._book.forget(now)
        changes: list[Change] = []
        while (key := self._timers.pop(now)) is not None:
            if key in self._book.tickets:
                changes += self._ticket_due(self._book.tickets[key], now)
            elif key in self._book.incidents:
                changes += self._grace_over(self._book.incidents[key], now)
        return changes

    def wake_at(self) -> datetime | None:
        """When the next timer is due."""
        return self._timers.next()

    def on_position(self, position: Position, /) -> None:
        """A worker moved."""
        self._roster.move(position)

    def on_command(self, command: Command, now: datetime, /) -> tuple[list[Change], Answer]:
        """Apply or refuse with a reason."""
        changes = self.on_time(now)
        ticket = self._book.tickets.get(command.ticket)
        if ticket is None:
            why = one_line(
                f"no ticket {command.ticket} is known (ended ones are kept a day)",
                f"没有工单 {command.ticket}（办结一天后归档）",
            )
            return changes, Answer(command.id, False, why)
        why_not = refusal(ticket, command, self._city)
        why_not = why_not or self._parts_open(ticket, command) or self._unheard(ticket, command)
        if why_not is not None:
            return changes, Answer(command.id, False, why_not, ticket.rev)
        moved, change = self._desk.apply(ticket, command, now, self._book.load)
        changes += self._put(moved, change, now)
        changes += self._after(moved, now)
        newest = self._book.tickets[moved.id]
        done = one_line(
            f"{command.action} done: {newest.stage}", f"已执行，当前阶段 {newest.stage}"
        )
        return changes, Answer(command.id, True, done, newest.rev)

    def restore(
        self,
        incidents: Iterable[Incident],
        tickets: Iterable[Ticket],
        events: Iterable[Event],
        positions: Iterable[Position],
    ) -> None:
        """Take up where the store says things stood."""
        self._book.restore(incidents, tickets, events)
        for position in positions:
            self._roster.move(position)
        for incident_id in self._book.incidents:
            self._set_timers(incident_id)

    # --- events -------------------------------------------------------------------------------

    def _take(self, event: Event, now: datetime) -> list[Change]:
        old = self._book.events.get(event.id)
        if old is not None and event.rev <= old.rev:
            return []
        self._book.events[event.id] = event
        incident = self._book.incident_of(event.id)
        if incident is not None:
            told = news(old, event) if old is not None else []
            return self._listened(incident, event, now, told)
        join = self._correlator.find(event, self._book, now)
        if join is None:
            # First seen at a later revision (what came before is no longer kept): a new name.
            again = (str(event.rev),) if event.rev > 1 else ()
            return self._open(event, name_of("i", event.id, *again), now)
        incident = self._book.incidents[join.incident]
        told = [] if join.how == "explained" else [self._tickets.joined(event, join.how)]
        return self._refresh(incident, now, events=(*incident.events, event.id), told=told)

    def _open(self, event: Event, incident_id: str, now: datetime) -> list[Change]:
        incident = self._incidents.open(event, incident_id, now)
        bangs = self._correlator.ears.unheard(event, self._book)
        was = [self._book.incident_of(bang.id) for bang in bangs]
        if bangs:
            known = [event, *bangs]
            incident = msgspec.structs.replace(
                incident,
                events=tuple(e.id for e in known),
                reason=self._correlator.reason(event.kind, known),
            )
        changes = [self._put_incident(incident, "opened", now)]
        waits = self._correlator.is_symptom(incident.kind) and incident.closed_at is None
        if not waits:
            changes += self._open_tickets(incident, now)
            changes += self._absorb(incident, now)
        if incident.closed_at is not None:
            changes += self._recovered(incident, now)
        self._set_timers(incident.id)
        return changes + self._belong(was, incident, now)

    def _listened(
        self, incident: Incident, event: Event, now: datetime, told: list[tuple[str, str]]
    ) -> list[Change]:
        """The incident after this revision of one of its events, with the bangs that only now
        turn out to belong to it."""
        bangs = self._correlator.ears.unheard(event, self._book)
        told += [self._tickets.joined(bang, "heard") for bang in bangs[:1]]
        events = (*incident.events, *(bang.id for bang in bangs))
        was = [self._book.incident_of(bang.id) for bang in bangs]
        changes = self._refresh(incident, now, events=events, told=told)
        return changes + self._belong(was, incident, now)

    def _belong(
        self, bangs: Iterable[Incident | None], cause: Incident, now: datetime
    ) -> list[Change]:
        """The bangs' own incidents say what they were."""
        return [
            self._put_incident(self._incidents.explained(bang, cause, now), "updated", now)
            for bang in bangs
            if bang is not None
        ]

    def _refresh(
        self,
        incident: Incident,
        now: datetime,
        *,
        events: tuple[str, ...] | None = None,
        told: list[tuple[str, str]] | None = None,
    ) -> list[Change]:
        """The incident as its events now say, and what that means for its tickets."""
        new = self._incidents.revised(incident, events or incident.events, self._book, now)
        changes: list[Change] = []
        if new is not incident:
            ended = new.closed_at is not None and incident.closed_at is None
            changes.append(self._put_incident(new, "closed" if ended else "updated", now))
        known = self._book.events_of(new)
        open_tickets = self._book.open_tickets_of(new.id)
        worse = new.severity > incident.severity and new.closed_at is None
        joined = [e for e in known if e.id not in incident.events]
        if joined and self._only_heard(self._book.events_of(incident)):
            changes += self._open_tickets(new, now)  # now somebody has seen something
        if not open_tickets and worse and self._book.had_tickets(new.id):
            changes += self._open_tickets(new, now)  # it was ended, and it got worse
        for ticket, change in self._tickets.follow(
            open_tickets, incident, new, known, now=now, told=told or []
        ):
            changes += self._put(ticket, change, now)
        if incident.closed_at is None and new.closed_at is not None:
            changes += self._recovered(new, now)
        elif incident.closed_at is not None and new.closed_at is None:
            changes += self._relapsed(new, now)
        if new.closed_at is None and new.kind != incident.kind:
            changes += self._absorb(new, now)
        self._set_timers(new.id)
        return changes

    def _absorb(self, cause: Incident, now: datetime) -> list[Change]:
        """Symptoms that came before their cause join it; their own incidents end."""
        changes: list[Change] = []
        events = list(cause.events)
        for symptom in self._correlator.symptoms(cause, self._book):
            ended = self._incidents.explained(symptom, cause, now)
            changes.append(self._put_incident(ended, "closed", now))
            for ticket in self._book.open_tickets_of(symptom.id):
                en, zh = f"explained by {cause.id}", f"原因已查明：{cause.id}"
                changes += self._put(self._desk.withdrawn(ticket, now, en, zh), "cancelled", now)
            self._set_timers(symptom.id)
            events += [e for e in symptom.events if e not in events]
        new = self._incidents.revised(cause, tuple(events), self._book, now)
        if new is not cause:
            changes.append(self._put_incident(new, "updated", now))
        return changes

    # --- what the sensors say about the work ----------------------------------------------------

    def _recovered(self, incident: Incident, now: datetime) -> list[Change]:
        changes: list[Change] = []
        for ticket in self._book.open_tickets_of(incident.id):
            if incident.kind in self._s.moment_kinds:
                continue
            if ticket.stage == "disposed":
                changes += self._put(self._desk.verified_by_sensor(ticket, now), "verified", now)
            elif incident.kind in self._s.self_healing_kinds and ticket.stage == "dispatched":
                moved = self._desk.withdrawn(ticket, now, "it reports again", "设备已恢复上报")
                changes += self._put(moved, "cancelled", now)
            elif ticket.stage != "verified":
                note = one_line(
                    "the sensor says it is over: please confirm", "传感器显示已恢复，请现场确认"
                )
                changes += self._put(step(ticket, now, "updated", SENSOR, note), "updated", now)
        return changes + self._unexplained(incident, now)

    def _unexplained(self, cause: Incident, now: datetime) -> list[Change]:
        """The cause is over: what is still silent is an incident of its own."""
        changes: list[Change] = []
        for event in self._book.own_events_of(cause):
            left = self._correlator.is_symptom(event.kind) and event.kind != cause.kind
            if left and event.phase != "closed":
                changes += self._open(event, name_of("i", event.id, "after", cause.id), now)
        return changes

    def _relapsed(self, incident: Incident, now: datetime) -> list[Change]:
        changes: list[Change] = []
        for ticket in self._book.open_tickets_of(incident.id):
            if ticket.stage == "verified":
                changes += self._put(self._desk.contradicted(ticket, now), "reworked", now)
        return changes

    def _sensor_contradicts(self, ticket: Ticket) -> bool:
        """Whether a sensor that can say still says that it is not over."""
        incident = self._book.incidents.get(ticket.incident)
        if incident is None or incident.kind in self._s.moment_kinds:
            return False
        return self._correlator.over(incident.kind, self._book.events_of(incident)) is False

    def _unheard(self, ticket: Ticket, command: Command) -> str | None:
        if command.action != "verify" or (command.reason or "").strip():
            return None
        if not self._sensor_contradicts(ticket):
            return None
        return one_line(
            "the sensor still says it is not over: verify with a reason, or send it back (rework)",
            "传感器显示未恢复：核实通过须说明原因，或返工",
        )

    def _parts_open(self, ticket: Ticket, command: Command) -> str | None:
        if command.action != "close":
            return None
        parts = [t for t in self._book.children_of(ticket) if is_open(t)]
        if not parts:
            return None
        names = ", ".join(f"{t.utility} ({t.stage})" for t in parts)
        return one_line(f"its parts are still open: {names}", f"子工单未办结：{names}")

    # --- timers -------------------------------------------------------------------------------

    def _ticket_due(self, ticket: Ticket, now: datetime) -> list[Change]:
        verify = ticket.deadlines.verify
        if (
            ticket.stage == "disposed"
            and verify is not None
            and verify <= now
            and self._sensor_contradicts(ticket)
        ):
            return self._put(self._desk.contradicted(ticket, now), "reworked", now)
        due = self._ladder.due(ticket)
        if due is None or due > now:
            self._set_ticket_timer(ticket)
            return []
        moved, change, note = self._ladder.fire(ticket, now)
        return self._put(step(moved, now, change, "router", note), change, now)

    def _grace_over(self, incident: Incident, now: datetime) -> list[Change]:
        if incident.closed_at is not None or self._book.had_tickets(incident.id):
            return []
        return self._open_tickets(incident, now)

    def _set_timers(self, incident_id: str) -> None:
        incident = self._book.incidents[incident_id]
        for ticket in self._book.tickets_of(incident_id):
            self._set_ticket_timer(ticket)
        waits = not self._book.had_tickets(incident_id)
        self._timers.set(incident_id, self._incidents.grace_ends(incident) if waits else None)

    def _set_ticket_timer(self, ticket: Ticket) -> None:
        due = self._ladder.due(ticket)
        verify = ticket.deadlines.verify
        if ticket.stage == "disposed" and verify is not None and self._sensor_contradicts(ticket):
            due = verify if due is None else min(due, verify)
        self._timers.set(ticket.id, due)

    # --- keeping ------------------------------------------------------------------------------

    def _open_tickets(self, incident: Incident, now: datetime) -> list[Change]:
        events = self._book.events_of(incident)
        changes: list[Change] = []
        if self._only_heard(events):
            return changes  # nobody is sent for it
        for ticket in self._opener.open(incident, events, self._book, now):
            changes += self._put(ticket, "opened", now)
        self._set_timers(incident.id)
        return changes

    def _only_heard(self, events: Sequence[Event]) -> bool:
        """Whether there is nothing but what raises the odds of something else."""
        return bool(events) and all(e.kind in self._s.evidence_kinds for e in events)

    def _put(self, ticket: Ticket, change: str, now: datetime) -> list[Change]:
        self._book.put_ticket(ticket)
        self._set_ticket_timer(ticket)
        return [
            Change(
                type="ticket",
                id=ticket.id,
                rev=ticket.rev,
                change=change,
                known_at=now,
                body=ticket,
                district=ticket.district,
            )
        ]

    def _put_incident(self, incident: Incident, change: str, now: datetime) -> Change:
        self._book.put_incident(incident)
        return Change(
            type="incident",
            id=incident.id,
            rev=incident.rev,
            change=change,
            known_at=now,
            body=incident,
            district=incident.district,
        )

    def _after(self, ticket: Ticket, now: datetime) -> list[Change]:
        """What follows from a command: the sensor's word, parts, the incident's end."""
        changes: list[Change] = []
        incident = self._book.incidents.get(ticket.incident)
        if incident is None:
            return changes
        over = self._correlator.over(incident.kind, self._book.events_of(incident))
        sensed = over is True and incident.kind not in self._s.moment_kinds
        if ticket.stage == "disposed" and sensed:
            changes += self._put(self._desk.verified_by_sensor(ticket, now), "verified", now)
        if ticket.stage == "void":
            for part in self._book.children_of(ticket):
                if is_open(part):
                    en, zh = f"{ticket.id} was voided", f"主工单 {ticket.id} 已作废"
                    moved = self._desk.withdrawn(part, now, en, zh)
                    changes += self._put(moved, "cancelled", now)
        done = not self._book.open_tickets_of(incident.id)
        if done and over is None and incident.closed_at is None:
            ended = self._incidents.ended(incident, now)
            changes.append(self._put_incident(ended, "closed", now))
        return changes
