"""How events, incidents and tickets look outside: one function each, used everywhere.

Replay lines, API answers, stream and alerts all carry these objects (wire contract, `Out`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from contracts.case import Change, Incident, Silence, Ticket
from contracts.clock import iso
from contracts.event import Event

SIM_CLOCK = "gridsentry/v1/sim/clock"
"""A simulator's virtual time, retained, epoch ms: what `serve --clock sim` follows."""
SIM_FOLLOWER = "gridsentry/v1/sim/follower"
"""Whose clock the service follows, retained: `sim` or `live`."""

FACTS: dict[str, tuple[str, ...]] = {
    "high_altitude_throw": (
        *("track", "origin", "speed", "clip", "still"),
        *("track_file", "sha256", "chain"),
    ),
    "flooding": ("value", "metric", "rate", "overflow_at", "stage"),
    "drain_blocked": ("pipes", "since"),
    "severed_cable": ("spans", "point", "error_m", "what", "state", "owners", "ruled_out"),
    "fibre_break": ("distance_m", "error_m", "point", "loss_db"),
    "pole_tilt": ("value", "rest", "state", "ruled_out"),
    "street_light_out": ("what", "members", "since", "state", "ruled_out"),
}
"""Facts of a kind that the wire promises; they stand in `evidence` and beside it."""

MEDIA_FACTS = ("clip", "still", "track_file", "sha256", "chain", "beside")
"""Facts that the evidence stage adds to an event; a detector leaves them out or null. `beside`:
what another recorder tracked meanwhile, a list with a picture (`still`) of each thing."""


def _encode(value: object) -> object:
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError(f"cannot put {type(value).__name__} on the wire")


def plain(value: object) -> dict[str, Any]:
    """A struct or dict as JSON-ready builtins; times in ISO 8601 with Z."""
    built: dict[str, Any] = msgspec.to_builtins(value, enc_hook=_encode)
    return built


def event_object(event: Event) -> dict[str, Any]:
    """An event as the wire shows it: the kind's facts both inside `evidence` and beside it."""
    facts = {name: event.evidence.get(name) for name in FACTS.get(event.kind, ())}
    return plain(
        {
            "id": event.id,
            "rev": event.rev,
            "kind": event.kind,
            "site": event.site,
            "device": event.device,
            "at": event.at,
            "severity": event.severity,
            "place": event.place,
            "phase": event.phase,
            **facts,
            "evidence": {**event.evidence, **facts},
        }
    )


def incident_object(incident: Incident) -> dict[str, Any]:
    """An incident as the wire shows it."""
    return plain(incident)


def ticket_object(ticket: Ticket) -> dict[str, Any]:
    """A ticket as the wire shows it."""
    return plain(ticket)


def ticket_glance(ticket: dict[str, Any]) -> dict[str, Any]:
    """What counting and drawing need of a ticket as the wire shows it; nobody's name is in it."""
    place, reason = ticket["place"], ticket.get("reason") or {}
    same = ("id", "rev", "incident", "kind", "stage", "parent", "grid", "severity", "opened_at")
    return {
        **{name: ticket.get(name) for name in same},
        "changed_at": ticket["updated_at"],
        "lon": place["lon"],
        "lat": place["lat"],
        "deadlines": ticket.get("deadlines") or {},
        "clocks": reason.get("clocks") or {},
    }


def silence_object(silence: Silence) -> dict[str, Any]:
    """A silence as the wire shows it."""
    return plain(silence)


def body_object(body: Event | Incident | Ticket | Silence) -> dict[str, Any]:
    """Whichever it is."""
    if isinstance(body, Event):
        return event_object(body)
    if isinstance(body, Incident):
        return incident_object(body)
    if isinstance(body, Silence):
        return silence_object(body)
    return ticket_object(body)


def change_line(change: Change) -> dict[str, Any]:
    """A line of `gridsentry replay`."""
    return {
        "type": change.type,
        "id": change.id,
        "rev": change.rev,
        "change": change.change,
        "known_at": iso(change.known_at),
        **{k: v for k, v in body_object(change.body).items() if k not in ("id", "rev")},
    }


def change_key(change: Change) -> str:
    """The idempotency key of a change: also the CloudEvent's id."""
    return f"{change.type}:{change.id}:{change.rev}:{change.change}"


def cloud_event(change: Change, source: str) -> dict[str, Any]:
    """CloudEvents 1.0, structured JSON; `subject` is the changed thing's id."""
    return {
        "specversion": "1.0",
        "id": change_key(change),
        "source": source,
        "type": f"gridsentry.{change.type}.{change.change}",
        "subject": change.id,
        "time": iso(change.known_at),
        "datacontenttype": "application/json",
        "data": body_object(change.body),
    }
