"""What events do: an event is known already, joins an incident, or opens one; tickets follow."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from contracts.case import Cause, Change, Incident
from contracts.event import Event
from router import responses, sensed, silences, storms
from router.causes import cause_of, caused
from router.correlate import news
from router.house import House
from router.networks import likely
from router.opening import name_of


def hear(house: House, event: Event, now: datetime) -> list[Change]:
    """One event revision. A revision already known changes nothing."""
    book = house.book
    old = book.events.get(event.id)
    if old is not None and event.rev <= old.rev:
        return []
    book.put_event(event)
    incident = book.incident_of(event.id)
    if incident is not None:
        told = news(old, event) if old is not None else []
        changes = _listened(house, incident, event, now, told)
        if old is not None and likely(old, "spans").keys() != likely(event, "spans").keys():
            changes += _elsewhere(house, book.incidents[incident.id], now)
        return changes
    join = house.correlator.find(event, book, now)
    if join is None:
        # First seen at a later revision (what came before is no longer kept): a new name.
        again = (str(event.rev),) if event.rev > 1 else ()
        return _open(house, event, name_of("i", event.id, *again), now)
    incident = book.incidents[join.incident]
    told = [] if join.how == "explained" else [house.tickets.joined(event, join.how)]
    return refresh(house, incident, now, events=(*incident.events, event.id), told=told)


def _open(
    house: House, event: Event, incident_id: str, now: datetime, cause: Cause | None = None
) -> list[Change]:
    suspect = house.suspects.of(event, house.book) if cause is None else None
    if suspect is not None:
        cause = cause_of(suspect, "suspected", house.book)
    incident = house.incidents.open(event, incident_id, now, cause)
    bangs = house.correlator.ears.unheard(event, house.book)
    was = [house.book.incident_of(bang.id) for bang in bangs]
    if bangs:
        known = [event, *bangs]
        incident = msgspec.structs.replace(
            incident,
            events=tuple(e.id for e in known),
            reason=house.incidents.reason(event.kind, known, cause),
        )
    storm = storms.belongs(house, incident, [event])
    if storm is not None:
        incident = msgspec.structs.replace(incident, parent=storm.id)
    changes = [house.put_incident(incident, "opened", now)]
    changes += storms.gather(house, incident, now)
    incident = house.book.incidents[incident.id]
    waits = house.correlator.waits(incident.kind) and incident.closed_at is None
    if not waits:
        changes += house.open_tickets(incident, now)
        changes += _absorb(house, house.book.incidents[incident.id], now)
        changes += _suspected(house, house.book.incidents[incident.id], now)
        incident = house.book.incidents[incident.id]
    if incident.closed_at is not None:
        changes += _recovered(house, incident, now)
    house.set_timers(incident.id)
    return changes + _belong(house, was, incident, now)


def _listened(
    house: House, incident: Incident, event: Event, now: datetime, told: list[tuple[str, str]]
) -> list[Change]:
    """The incident after this revision of one of its events, with the bangs that only now turn
    out to belong to it."""
    bangs = house.correlator.ears.unheard(event, house.book)
    told += [house.tickets.joined(bang, "heard") for bang in bangs[:1]]
    events = (*incident.events, *(bang.id for bang in bangs))
    was = [house.book.incident_of(bang.id) for bang in bangs]
    changes = refresh(house, incident, now, events=events, told=told)
    return changes + _belong(house, was, incident, now)


def _belong(
    house: House, bangs: Iterable[Incident | None], cause: Incident, now: datetime
) -> list[Change]:
    """The bangs' own incidents say what they were."""
    return [
        house.put_incident(house.incidents.explained(bang, cause, house.book, now), "updated", now)
        for bang in bangs
        if bang is not None
    ]


def refresh(
    house: House,
    incident: Incident,
    now: datetime,
    *,
    events: tuple[str, ...] | None = None,
    told: list[tuple[str, str]] | None = None,
) -> list[Change]:
    """The incident as its events now say, and what that means for its tickets."""
    book = house.book
    new = house.incidents.revised(incident, events or incident.events, book, now)
    changes: list[Change] = []
    if new is not incident:
        ended = new.closed_at is not None and incident.closed_at is None
        changes.append(house.put_incident(new, "closed" if ended else "updated", now))
    known = book.events_of(new)
    open_tickets = book.open_tickets_of(new.id)
    worse = new.severity > incident.severity and new.closed_at is None
    joined = [e for e in known if e.id not in incident.events]
    if joined and house.only_heard(book.events_of(incident)):
        changes += house.open_tickets(new, now)  # now somebody has seen something
        new = book.incidents[new.id]
    again = incident.closed_at is not None and book.closed_at(new.id) is not None
    if not open_tickets and worse and book.had_tickets(new.id) and not again:
        changes += house.open_tickets(new, now)  # it was ended, and it got worse
        new = book.incidents[new.id]
    for ticket, change in house.tickets.follow(
        open_tickets, incident, new, known, now=now, told=told or []
    ):
        changes += house.put(ticket, change, now)
    if new is not incident:
        changes += silences.reconsider(house, new, now)
        new = book.incidents[new.id]
    if new.parent is None:
        changes += storms.gather(house, new, now)
        new = book.incidents[new.id]
    if incident.closed_at is None and new.closed_at is not None:
        changes += _recovered(house, new, now)
    elif incident.closed_at is not None and new.closed_at is None:
        changes += sensed.relapsed(house, new, now)
    if new.closed_at is None and new.kind != incident.kind:
        changes += _absorb(house, new, now)
    changes += responses.late(house, new, now)
    house.set_timers(new.id)
    return changes


def _absorb(house: House, cause: Incident, now: datetime) -> list[Change]:
    """Symptoms that came before their cause join it; their own incidents end."""
    changes: list[Change] = []
    events = list(cause.events)
    for symptom in house.correlator.symptoms(cause, house.book):
        ended = house.incidents.explained(symptom, cause, house.book, now)
        changes.append(house.put_incident(ended, "closed", now))
        for ticket in house.book.open_tickets_of(symptom.id):
            en, zh = (ended.cause.text_en, ended.cause.text_zh) if ended.cause else ("", "")
            moved = house.desk.withdrawn(ticket, now, en, zh)
            changes += house.put(moved, "cancelled", now)
        house.set_timers(symptom.id)
        events += [e for e in symptom.events if e not in events]
    new = house.incidents.revised(cause, tuple(events), house.book, now)
    if new is not cause:
        changes.append(house.put_incident(new, "updated", now))
    return changes


def _elsewhere(house: House, cause: Incident, now: datetime) -> list[Change]:
    """The cut is now believed to be elsewhere: what does not hang behind it has reasons of its own,
    what does is explained. What people merged stays where they put it."""
    if cause.closed_at is not None or cause.also:
        return []
    book, correlator = house.book, house.correlator
    changes: list[Change] = []
    gone = []
    for event in book.own_events_of(cause):
        if correlator.is_symptom(event.kind) and event.kind != cause.kind:
            fed = correlator.relations.fed(event, cause, book)
            if fed is not None and not fed.yes and event.phase != "closed":
                gone.append(event)
    if gone:
        left = tuple(e for e in cause.events if e not in {event.id for event in gone})
        told = [(f"{len(gone)} symptoms are not its doing", f"{len(gone)}处设备异常与此无关")]
        changes += refresh(house, cause, now, events=left, told=told)
    for event in gone:
        join = correlator.find(event, book, now)
        if join is None:
            name = name_of("i", event.id, "not", cause.id, str(cause.rev))
            changes += _open(house, event, name, now)
        else:
            other = book.incidents[join.incident]
            changes += refresh(house, other, now, events=(*other.events, event.id))
    return changes + _absorb(house, book.incidents[cause.id], now)


def _suspected(house: House, cause: Incident, now: datetime) -> list[Change]:
    """Incidents that this new one is probably behind keep their tickets, and say so."""
    changes: list[Change] = []
    for incident in house.suspects.effects(cause, house.book):
        known = cause_of(cause, "suspected", house.book)
        new = caused(msgspec.structs.replace(incident, rev=incident.rev + 1), known)
        changes.append(house.put_incident(new, "updated", now))
        open_tickets = house.book.open_tickets_of(new.id)
        told = [(known.text_en, known.text_zh)]
        for ticket, change in house.tickets.follow(
            open_tickets, incident, new, house.book.events_of(new), now=now, told=told
        ):
            changes += house.put(ticket, change, now)
    return changes


def _recovered(house: House, incident: Incident, now: datetime) -> list[Change]:
    return sensed.recovered(house, incident, now) + _unexplained(house, incident, now)


def _unexplained(house: House, cause: Incident, now: datetime) -> list[Change]:
    """The cause is over: what is still silent is an incident of its own."""
    changes: list[Change] = []
    for event in house.book.own_events_of(cause):
        left = house.correlator.is_symptom(event.kind) and event.kind != cause.kind
        if left and event.phase != "closed":
            name = name_of("i", event.id, "after", cause.id)
            known = cause_of(cause, "outlived", house.book)
            changes += _open(house, event, name, now, known)
    return changes
