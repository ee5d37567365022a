"""Events, incidents, tickets and the outbox inside a batch's transaction."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
import psycopg

from contracts.batch import Batch, PublishedEvent
from contracts.case import Change, Incident, Silence, Ticket
from contracts.event import Event
from contracts.wire import change_key, cloud_event
from store.queries import sql
from store.text import json_bytes, json_text, key, storable

log = logging.getLogger(__name__)

Connection = psycopg.Connection[Any]


def columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Rows as one array per column, as UNNEST takes them."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def _optional(name: str | None) -> str | None:
    return None if name is None else key(name)


def event_row(published: PublishedEvent) -> dict[str, Any]:
    """An event revision as a row of `events`."""
    event = published.event
    return {
        "id": key(event.id),
        "rev": event.rev,
        "source_rev": published.source_rev,
        "kind": key(event.kind),
        "site": key(event.site),
        "device": _optional(event.device),
        "grid": _optional(event.place.grid),
        "at": event.at,
        "known_at": published.known_at,
        "severity": event.severity,
        "phase": event.phase,
        "routed": published.routed,
        "body": json_text(event),
    }


def incident_row(change: Change, incident: Incident) -> dict[str, Any]:
    """An incident's state as a row."""
    return {
        "id": key(incident.id),
        "rev": incident.rev,
        "kind": key(incident.kind),
        "grid": _optional(incident.place.grid),
        "district": key(incident.district),
        "severity": incident.severity,
        "opened_at": incident.opened_at,
        "closed_at": incident.closed_at,
        "known_at": change.known_at,
        "body": json_text(incident),
    }


def ticket_row(change: Change, ticket: Ticket) -> dict[str, Any]:
    """A ticket's state as a row."""
    return {
        "id": key(ticket.id),
        "rev": ticket.rev,
        "incident": key(ticket.incident),
        "kind": key(ticket.kind),
        "stage": ticket.stage,
        "grid": _optional(ticket.grid),
        "district": key(ticket.district),
        "severity": ticket.severity,
        "opened_at": ticket.opened_at,
        "known_at": change.known_at,
        "body": json_text(ticket),
    }


def silence_row(change: Change, silence: Silence) -> dict[str, Any]:
    """A silence's state as a row."""
    return {
        "id": key(silence.id),
        "rev": silence.rev,
        "grid": _optional(silence.grid),
        "made_at": silence.made_at,
        "until": silence.until,
        "ended_at": silence.ended_at,
        "known_at": change.known_at,
        "body": json_text(silence),
    }


def outbox_row(change: Change, source: str) -> dict[str, Any]:
    """A change as the outbox carries it."""
    return {
        "key": key(change_key(change)),
        "type": change.type,
        "subject": key(change.id),
        "rev": change.rev,
        "kind": key(change.body.kind),
        "district": key(change.district),
        "change": key(change.change),
        "at": change.known_at,
        "data": json_bytes(cloud_event(change, source)),
    }


def write_events(connection: Connection, batch: Batch) -> int:
    """The batch's event revisions; how many were there already with other content."""
    if not batch.events:
        return 0
    cols = columns([event_row(published) for published in batch.events])
    new = connection.execute(sql("insert_events"), cols).rowcount
    faults = 0
    if new < len(batch.events):
        for name, rev in connection.execute(sql("event_faults"), cols):
            faults += 1
            log.error("determinism fault: event %s rev %d came again with other content", name, rev)
    connection.execute(sql("mark_newest_events"), {"ids": sorted(set(cols["id"]))})
    return faults


def write_changes(connection: Connection, batch: Batch, source: str) -> int:
    """State of incidents, tickets and silences, tickets' history, the outbox; faults as in
    `write_events`."""
    if not batch.changes:
        return 0
    incidents: dict[str, tuple[Change, Incident]] = {}
    tickets: dict[str, tuple[Change, Ticket]] = {}
    silences: dict[str, tuple[Change, Silence]] = {}
    history: list[dict[str, Any]] = []
    for change in batch.changes:
        body = change.body
        if isinstance(body, Incident):
            if body.id not in incidents or incidents[body.id][1].rev < body.rev:
                incidents[body.id] = (change, body)
        elif isinstance(body, Silence):
            if body.id not in silences or silences[body.id][1].rev < body.rev:
                silences[body.id] = (change, body)
        elif isinstance(body, Ticket):
            if body.id not in tickets or tickets[body.id][1].rev < body.rev:
                tickets[body.id] = (change, body)
            history.append(
                {
                    "ticket": key(body.id),
                    "rev": body.rev,
                    "change": key(change.change),
                    "known_at": change.known_at,
                    "body": json_text(body),
                }
            )
    if incidents:
        rows = [incident_row(change, body) for change, body in incidents.values()]
        connection.execute(sql("upsert_incidents"), columns(rows))
    if silences:
        rows = [silence_row(change, body) for change, body in silences.values()]
        connection.execute(sql("upsert_silences"), columns(rows))
    if tickets:
        rows = [ticket_row(change, body) for change, body in tickets.values()]
        connection.execute(sql("upsert_tickets"), columns(rows))
        connection.execute(sql("insert_ticket_revisions"), columns(history))
    out = columns([outbox_row(change, source) for change in batch.changes])
    new = connection.execute(sql("insert_outbox"), out).rowcount
    faults = 0
    if new < len(batch.changes):
        for (name,) in connection.execute(sql("outbox_faults"), out):
            faults += 1
            log.error("determinism fault: change %s came again with other content", name)
    return faults


def read_event(body: str, source_rev: int, known_at: Any, routed: bool) -> PublishedEvent:
    """A row of `events` as it was written."""
    return PublishedEvent(
        event=msgspec.json.decode(body, type=Event),
        source_rev=source_rev,
        known_at=known_at,
        routed=routed,
    )


__all__ = [
    "columns",
    "event_row",
    "incident_row",
    "outbox_row",
    "read_event",
    "silence_row",
    "storable",
    "ticket_row",
    "write_changes",
    "write_events",
]
