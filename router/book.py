"""What the router knows: incidents, tickets, newest events. Everything here can be rebuilt from
what the store keeps."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import datetime, timedelta

from contracts.case import Hold, Incident, Ticket
from contracts.event import Event
from contracts.kinds import GROUP_KINDS, OPEN_STAGES
from router.assign.load import Load
from router.inhand import InHand
from router.joinable import Joinable
from router.settings import RouterSettings


def held_now(incident: Incident) -> Hold | None:
    """What holds the ticket of an incident back that goes on."""
    hold = incident.held
    return hold if hold is not None and hold.ended_at is None and not incident.closed_at else None


def is_open(ticket: Ticket) -> bool:
    """Whether somebody must still act on it."""
    return ticket.stage in OPEN_STAGES


class Book:
    """Newest revisions by id, with the few indexes that decisions need."""

    def __init__(self, settings: RouterSettings) -> None:
        self._symptoms = frozenset(settings.explained_by)
        self._waiting = self._symptoms & frozenset(settings.grace_kinds)
        self._evidence = frozenset(settings.evidence_kinds)
        self._lasting = self._evidence | frozenset(settings.moment_kinds)
        self._keep_evidence = timedelta(seconds=settings.keep_evidence_s)
        asides = self._symptoms | self._evidence
        self.joinable = Joinable(asides, settings.error_radius_cap_m)
        self.incidents: dict[str, Incident] = {}
        self.tickets: dict[str, Ticket] = {}
        self.events: dict[str, Event] = {}
        self.load = Load()
        """What everybody has on their hands."""
        self.in_hand = InHand(self.tickets)
        self._incident_of: dict[str, str] = {}
        self._events_of: dict[str, dict[str, None]] = {}
        self._tickets_of: dict[str, list[str]] = {}
        self._had_tickets: set[str] = set()
        """Incidents whose tickets ended so long ago that the store no longer hands them out."""
        self.groups: set[str] = set()
        """Incidents that are groups of others: storms."""
        self.going_on: dict[str, set[str]] = {}
        """Of each group: those that are not over, or that somebody still works on."""
        self.last_child: dict[str, datetime] = {}
        """Of each group: when the last of those known was opened."""
        self._held: dict[tuple[str, str], set[str]] = {}
        self._keep = timedelta(seconds=settings.keep_ended_s)
        self._ended: list[tuple[datetime, str]] = []

    def put_incident(self, incident: Incident) -> None:
        """Keep this revision; its events now belong to it, those it no longer names do not."""
        old = self.incidents.get(incident.id)
        self.incidents[incident.id] = incident
        if old is not None and old.events != incident.events:
            for event in set(old.events) - set(incident.events):
                if self._incident_of.get(event) == incident.id:
                    del self._incident_of[event]
        for event in incident.events:
            known = self.incidents.get(self._incident_of.get(event, ""))
            if known is None or self._takes_over(incident, known):
                self._incident_of[event] = incident.id
        if old is not None and old.held is not None:
            self._held.get((old.held.by, old.held.id), set()).discard(incident.id)
        if (hold := held_now(incident)) is not None:
            self._held.setdefault((hold.by, hold.id), set()).add(incident.id)
        if incident.kind in GROUP_KINDS:
            self.groups.add(incident.id)
        self._index(incident.id)
        self._note_end(incident.id)

    def put_event(self, event: Event) -> None:
        """Keep this revision."""
        self._drop_event(event.id)
        self.events[event.id] = event
        self._events_of.setdefault(event.device or event.site, {})[event.id] = None
        incident_id = self._incident_of.get(event.id)
        if incident_id is not None:
            self._index(incident_id)

    def told_by(self, device: str) -> list[Event]:
        """Every known event of this device (or, without one, of this site), as they came."""
        return [self.events[e] for e in self._events_of.get(device, ())]

    def held_by(self, by: str, hold_id: str) -> list[Incident]:
        """Open incidents whose tickets this silence or planned work holds back."""
        found = [self.incidents[i] for i in self._held.get((by, hold_id), ())]
        return sorted(found, key=lambda i: (i.opened_at, i.id))

    def _index(self, incident_id: str) -> None:
        """Let it be found by what may join it, or no longer."""
        incident = self.incidents[incident_id]
        ended = incident.closed_at is not None and not self.open_tickets_of(incident_id)
        if incident.parent is not None:
            group = self.going_on.setdefault(incident.parent, set())
            (group.discard if ended else group.add)(incident_id)
            last = self.last_child.get(incident.parent, incident.opened_at)
            self.last_child[incident.parent] = max(last, incident.opened_at)
        ended = ended and self.closed_at(incident_id) is None  # it may come back
        gone = ended and incident.kind not in self._lasting
        if gone or incident.merged_into is not None or incident.kind in GROUP_KINDS:
            self.joinable.drop(incident_id)
        else:
            self.joinable.put(incident, self.events_of(incident))

    def _takes_over(self, new: Incident, holder: Incident) -> bool:
        """Of two incidents that name one event: a cause has its symptoms until it is over; what
        is still silent then is the symptom's own again. Else the later one has it. Follows from
        the incidents alone, so a restart finds the same."""
        if (new.merged_into is None) != (holder.merged_into is None):
            return new.merged_into is None  # a person said whose they are
        if (new.kind in self._evidence) != (holder.kind in self._evidence):
            return holder.kind in self._evidence  # what it is evidence of has it
        new_is_symptom = new.kind in self._symptoms
        if new_is_symptom != (holder.kind in self._symptoms):
            symptom, cause = (new, holder) if new_is_symptom else (holder, new)
            after = cause.closed_at is not None and symptom.opened_at >= cause.closed_at
            return after == new_is_symptom
        return (new.opened_at, new.id) >= (holder.opened_at, holder.id)

    def put_ticket(self, ticket: Ticket) -> None:
        """Keep this revision."""
        old = self.tickets.get(ticket.id)
        if old is None:
            self._tickets_of.setdefault(ticket.incident, []).append(ticket.id)
        self.load.change(old, ticket)
        self.tickets[ticket.id] = ticket
        self.in_hand.change(old, ticket)
        if ticket.incident in self.incidents:
            self._index(ticket.incident)
        self._note_end(ticket.incident)

    def incident_of(self, event_id: str) -> Incident | None:
        """The incident this event belongs to."""
        return self.incidents.get(self._incident_of.get(event_id, ""))

    def tickets_of(self, incident_id: str) -> list[Ticket]:
        """All its tickets, parents before children, else in the order opened."""
        tickets = [self.tickets[t] for t in self._tickets_of.get(incident_id, ())]
        return sorted(tickets, key=lambda t: (t.opened_at, t.parent is not None, t.id))

    def open_tickets_of(self, incident_id: str) -> list[Ticket]:
        """Those somebody must still act on."""
        return [ticket for ticket in self.tickets_of(incident_id) if is_open(ticket)]

    def closed_at(self, incident_id: str) -> datetime | None:
        """When its work was closed; None while somebody must act, or where it was void."""
        tickets = self.tickets_of(incident_id)
        if any(is_open(ticket) for ticket in tickets):
            return None
        return max(
            (
                s.at
                for t in tickets
                if t.stage != "void"
                for s in t.timeline
                if s.change == "closed"
            ),
            default=None,
        )

    def had_tickets(self, incident_id: str) -> bool:
        """Whether somebody was ever sent."""
        return incident_id in self._had_tickets or bool(self._tickets_of.get(incident_id))

    def children_of(self, ticket: Ticket) -> list[Ticket]:
        """The utilities' parts of a ticket."""
        return [t for t in self.tickets_of(ticket.incident) if t.parent == ticket.id]

    def events_of(self, incident: Incident) -> list[Event]:
        """Its events as far as they are still known, in the order they joined."""
        return [self.events[e] for e in incident.events if e in self.events]

    def own_events_of(self, incident: Incident) -> list[Event]:
        """The events that belong to this incident and to no later one."""
        return [
            event
            for event in self.events_of(incident)
            if self._incident_of.get(event.id) == incident.id
        ]

    def _note_end(self, incident_id: str) -> None:
        end = self._end(incident_id)
        if end is not None:
            heapq.heappush(self._ended, (end + self._keep_for(incident_id), incident_id))

    def _keep_for(self, incident_id: str) -> timedelta:
        incident = self.incidents.get(incident_id)
        alone = incident is not None and incident.kind in self._evidence
        return self._keep_evidence if alone else self._keep

    def _end(self, incident_id: str) -> datetime | None:
        incident = self.incidents.get(incident_id)
        if incident is None or incident.closed_at is None or self.open_tickets_of(incident_id):
            return None
        return max([incident.closed_at, *(t.updated_at for t in self.tickets_of(incident_id))])

    def forget(self, now: datetime) -> None:
        """Drop what ended long enough ago; nothing decided later depends on it."""
        while self._ended and self._ended[0][0] <= now:
            due, incident_id = heapq.heappop(self._ended)
            end = self._end(incident_id)
            if end is None or end + self._keep_for(incident_id) != due:
                continue
            for ticket in self._tickets_of.pop(incident_id, ()):
                del self.tickets[ticket]
            self.joinable.drop(incident_id)
            if incident_id in self.groups:
                self.groups.discard(incident_id)
                self.going_on.pop(incident_id, None)
                self.last_child.pop(incident_id, None)
            for event in self.incidents.pop(incident_id).events:
                if self._incident_of.get(event) == incident_id:
                    del self._incident_of[event]
                    self._drop_event(event)
            self._had_tickets.discard(incident_id)

    def _drop_event(self, event_id: str) -> None:
        event = self.events.pop(event_id, None)
        if event is None:
            return
        device = event.device or event.site
        of = self._events_of.get(device, {})
        of.pop(event_id, None)
        if not of:
            self._events_of.pop(device, None)

    def restore(
        self, incidents: Iterable[Incident], tickets: Iterable[Ticket], events: Iterable[Event]
    ) -> None:
        """Take up what the store says."""
        for event in events:
            known = self.events.get(event.id)
            if known is None or event.rev > known.rev:
                self.put_event(event)
        for incident in sorted(incidents, key=lambda i: (i.opened_at, i.id)):
            self.put_incident(incident)
        for ticket in sorted(tickets, key=lambda t: (t.opened_at, t.id)):
            self.put_ticket(ticket)
        self._recall()

    def _recall(self) -> None:
        """Only a symptom may wait without a ticket, and not for long: an open incident without
        one that is no fresh symptom had its ticket, and it ended before the store's horizon."""
        moments = [i.opened_at for i in self.incidents.values()]
        moments += [t.updated_at for t in self.tickets.values()]
        moments += [e.at for e in self.events.values()]
        for incident in self.incidents.values():
            fresh = incident.kind in self._waiting
            fresh = fresh and incident.opened_at + self._keep > max(moments)
            fresh = fresh or held_now(incident) is not None
            if not self._tickets_of.get(incident.id) and not fresh:
                self._had_tickets.add(incident.id)
