"""What tickets and incidents wait for, and what happens when it is due."""

from __future__ import annotations

from datetime import datetime

from contracts.case import Change, Incident, Ticket
from router.house import Alarm, House
from router.stages import step


class SensorContradicts:
    """Disposed, but a sensor still says otherwise when the time to verify is over: 返工."""

    def due(self, house: House, ticket: Ticket, /) -> datetime | None:
        """The end of the time to verify."""
        if ticket.stage != "disposed" or house.over(ticket) is not False:
            return None
        return ticket.deadlines.verify

    def ring(self, house: House, ticket: Ticket, now: datetime, /) -> list[Change]:
        """Back to work."""
        return house.put(house.desk.contradicted(ticket, now), "reworked", now)


class NextRung:
    """Reminders and escalation."""

    def due(self, house: House, ticket: Ticket, /) -> datetime | None:
        """The ladder's next step."""
        return house.ladder.due(ticket)

    def ring(self, house: House, ticket: Ticket, now: datetime, /) -> list[Change]:
        """One step on."""
        moved, change, note = house.ladder.fire(ticket, now)
        return house.put(step(moved, now, change, "router", note), change, now)


ALARMS: tuple[Alarm, ...] = (SensorContradicts(), NextRung())
"""In the order in which they ring when several are due."""


def ring(house: House, now: datetime) -> list[Change]:
    """Everything due at or before `now`, in order."""
    house.book.forget(now)
    changes: list[Change] = []
    while (key := house.timers.pop(now)) is not None:
        if key in house.book.tickets:
            changes += _ticket_due(house, house.book.tickets[key], now)
        elif key in house.book.incidents:
            changes += _grace_over(house, house.book.incidents[key], now)
    return changes


def _ticket_due(house: House, ticket: Ticket, now: datetime) -> list[Change]:
    for alarm in house.alarms:
        due = alarm.due(house, ticket)
        if due is not None and due <= now:
            return alarm.ring(house, ticket, now)
    house.set_ticket_timer(ticket)
    return []


def _grace_over(house: House, incident: Incident, now: datetime) -> list[Change]:
    """A symptom whose cause did not come becomes a ticket."""
    if incident.closed_at is not None or house.book.had_tickets(incident.id):
        return []
    return house.open_tickets(incident, now)
