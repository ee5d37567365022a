"""The router's house: its parts under one roof, and the one way to keep what was decided.

Everything that decides takes the house and returns changes. What holds state is the book (newest
revisions), the timers and the roster's positions; all of it follows from what the store keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from contracts.case import Change, Incident, Ticket
from contracts.city import City
from contracts.event import Event
from router import consult, hands, resources, responses, silences
from router.assign import Roster
from router.book import Book, held_now
from router.causes import Suspects
from router.correlate import Correlator
from router.deadlines import Clocks
from router.desk import Desk
from router.gazetteer import Gazetteer
from router.incidents import Incidents
from router.ladder import Ladder
from router.networks import Networks
from router.opening import Opener
from router.resources import Resources
from router.responses import Responses
from router.rounds import Rounds
from router.settings import RouterSettings
from router.silences import Holds
from router.tickets import Tickets
from router.timers import Timers
from router.utility import Duties
from router.who import Who


class Alarm(Protocol):
    """Something a ticket waits for. Both answers follow from the ticket and the book alone."""

    def due(self, house: House, ticket: Ticket, /) -> datetime | None:
        """When; None: not at all."""
        ...

    def ring(self, house: House, ticket: Ticket, now: datetime, /) -> list[Change]:
        """What happens then. It must move its own `due` on, or end it."""
        ...


class House:
    """The parts, built once for a city."""

    def __init__(self, city: City, settings: RouterSettings, alarms: Sequence[Alarm]) -> None:
        self.city = city
        self.settings = settings
        self.zone = ZoneInfo(city.timezone)
        self.gazetteer = Gazetteer.of(city, settings.off_grid_m)
        self.roster = Roster(city, self.gazetteer, settings)
        self.clocks = Clocks(city.profile, self.zone)
        self.duties = Duties(city, self.gazetteer, settings)
        self.ladder = Ladder(city.profile, self.clocks, self.roster, settings, self.zone)
        self.desk = Desk(
            city=city,
            roster=self.roster,
            duties=self.duties,
            clocks=self.clocks,
            ladder=self.ladder,
            settings=settings,
        )
        self.who = Who(city, self.gazetteer, settings)
        self.opener = Opener(city, self.duties, self.roster, self.clocks, self.ladder, settings)
        networks = Networks(
            city, fed_reach_m=settings.fed_reach_m, drain_reach_m=settings.drain_reach_m
        )
        self.correlator = Correlator(settings, networks)
        self.suspects = Suspects(settings, self.correlator)
        self.incidents = Incidents(city, self.gazetteer, self.correlator, settings)
        self.tickets = Tickets(self.opener, self.ladder, settings)
        self.book = Book(settings)
        self.roster.follow(self.book.load)
        self.responses = Responses(city, self.gazetteer)
        self.resources = Resources(city)
        self.rounds = Rounds(city, self.zone)
        self.holds = Holds(city, self.gazetteer, settings, self.zone)
        self.timers = Timers()
        self.alarms = tuple(alarms)
        self.touched: dict[str, int] = {}
        """Storms of which an incident or a ticket changed since they were last settled, and the
        highest severity among these."""

    # --- keeping ------------------------------------------------------------------------------

    def put(self, ticket: Ticket, change: str, now: datetime) -> list[Change]:
        """Keep this revision of a ticket (who and what is no longer needed is let go with it);
        the change to be told."""
        ticket = resources.let_go(hands.let_go(ticket, now), now)
        self.book.put_ticket(ticket)
        self._touch(self.book.incidents.get(ticket.incident))
        self.note(ticket)
        self.set_ticket_timer(ticket)
        parent = self.book.tickets.get(ticket.parent or "")
        if parent is not None:  # it may have waited for this part
            self.set_ticket_timer(parent)
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

    def note(self, ticket: Ticket) -> None:
        """What follows from a ticket beside the book: resources that are out, rounds made."""
        self.resources.note(ticket)
        self.rounds.note(ticket)

    def put_incident(self, incident: Incident, change: str, now: datetime) -> Change:
        """Keep this revision of an incident; the change to be told."""
        self.book.put_incident(incident)
        self._touch(incident)
        return Change(
            type="incident",
            id=incident.id,
            rev=incident.rev,
            change=change,
            known_at=now,
            body=incident,
            district=incident.district,
        )

    def _touch(self, incident: Incident | None) -> None:
        if incident is not None and incident.parent in self.book.incidents:
            worst = self.touched.get(incident.parent, 0)
            self.touched[incident.parent] = max(worst, incident.severity)

    def open_tickets(self, incident: Incident, now: datetime) -> list[Change]:
        """Tickets for an incident that needs people."""
        events = self.book.events_of(incident)
        changes: list[Change] = []
        if self.only_heard(events):
            return changes  # nobody is sent for it
        held, incident, changes = silences.consider(self, incident, events, now)
        if held:
            return changes
        tickets = self.opener.open(incident, events, self.book, now)
        tickets = responses.opened(self, tickets, incident, events, now)
        for ticket in tickets:
            changes += self.put(consult.opened(self, ticket, now), "opened", now)
        self.set_timers(incident.id)
        return changes

    # --- timers -------------------------------------------------------------------------------

    def set_timers(self, incident_id: str) -> None:
        """Timers of an incident and its tickets, as they follow from the book."""
        incident = self.book.incidents[incident_id]
        for ticket in self.book.tickets_of(incident_id):
            self.set_ticket_timer(ticket)
        waits = not self.book.had_tickets(incident_id) and held_now(incident) is None
        self.timers.set(incident_id, self.incidents.grace_ends(incident) if waits else None)

    def set_ticket_timer(self, ticket: Ticket) -> None:
        """The earliest of the ticket's alarms."""
        due = [when for alarm in self.alarms if (when := alarm.due(self, ticket)) is not None]
        self.timers.set(ticket.id, min(due) if due else None)

    # --- questions ----------------------------------------------------------------------------

    def contact(self, ticket: Ticket) -> str | None:
        """The worker on site for a utility's part."""
        parent = self.book.tickets.get(ticket.parent or "")
        return parent.worker if parent is not None else None

    def only_heard(self, events: Sequence[Event]) -> bool:
        """Whether there is nothing but what raises the odds of something else."""
        return bool(events) and all(e.kind in self.settings.evidence_kinds for e in events)

    def over(self, ticket: Ticket) -> bool | None:
        """Whether the sensors say that the ticket's incident is over; None: none can say."""
        incident = self.book.incidents.get(ticket.incident)
        if incident is None or incident.kind in self.settings.moment_kinds:
            return None
        return self.correlator.over(incident.kind, self.book.events_of(incident))
