"""Small batches, events and tickets for the store's tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.batch import Batch, DeadLetter, PublishedEvent, StoredItem, UnknownMessage
from contracts.case import Change, Deadlines, Incident, Silence, Step, Ticket
from contracts.event import Event, Place
from contracts.nouns import Reading

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """That long after noon."""
    return NOON + timedelta(seconds=seconds)


def reading(n: float = 0, value: float = 1.0, **changed: Any) -> Reading:
    """A reading with a time of its own."""
    fields: dict[str, Any] = {
        "device": "lvl-7",
        "metric": "level",
        "value": value,
        "at": at(n),
        "received_at": at(n + 0.2),
        "sent_at": at(n),
    }
    return Reading(**(fields | changed))


def batch(number: int, *, epoch: int = 1, writer: str = "w", **content: Any) -> Batch:
    """A batch; positions are counted up where none are given."""
    readings = content.get("readings", [])
    content.setdefault("positions_in_batch", list(range(len(readings))))
    return Batch(writer=writer, number=number, epoch=epoch, at=at(number), **content)


def event(name: str = "e-1", rev: int = 1, **changed: Any) -> Event:
    """An event at the demo street."""
    fields: dict[str, Any] = {
        "id": name,
        "rev": rev,
        "kind": "flooding",
        "site": "drain-1",
        "device": "lvl-7",
        "at": at(0),
        "severity": 3,
        "place": Place(121.5, 31.2, "g-3", "建国路 7 号"),
        "phase": "opened",
        "evidence": {"value": 0.31, "metric": "depth", "curve": [[0, 0.1], [60, 0.31]]},
    }
    return Event(**(fields | changed))


def published(event: Event, **changed: Any) -> PublishedEvent:
    """That event as stored."""
    fields: dict[str, Any] = {"source_rev": event.rev, "known_at": at(event.rev), "routed": True}
    return PublishedEvent(event=event, **(fields | changed))


def incident(name: str = "i-1", rev: int = 1, **changed: Any) -> Incident:
    """An incident of that event."""
    fields: dict[str, Any] = {
        "id": name,
        "rev": rev,
        "kind": "flooding",
        "events": ("e-1",),
        "reason": "one event",
        "place": Place(121.5, 31.2, "g-3"),
        "site": "drain-1",
        "severity": 3,
        "opened_at": at(0),
    }
    return Incident(**(fields | changed))


def ticket(name: str = "t-1", rev: int = 1, **changed: Any) -> Ticket:
    """A ticket of that incident."""
    fields: dict[str, Any] = {
        "id": name,
        "rev": rev,
        "incident": "i-1",
        "kind": "flooding",
        "stage": "dispatched",
        "lane": "direct",
        "worker": "w-17",
        "helpers": ("w-18",),
        "utility": "water",
        "parent": None,
        "grid": "g-3",
        "reason": {"worker": "nearest", "travel_s": 92.5},
        "runners_up": (),
        "deadlines": Deadlines(accept=at(600)),
        "severity": 3,
        "place": Place(121.5, 31.2, "g-3"),
        "opened_at": at(0),
        "updated_at": at(rev),
        "timeline": (Step(at(0), "opened", "router"),),
    }
    return Ticket(**(fields | changed))


def silence(name: str = "s-1", rev: int = 1, **changed: Any) -> Silence:
    """A silence of that grid."""
    fields: dict[str, Any] = {
        "id": name,
        "rev": rev,
        "kinds": ("flooding",),
        "grid": "g-3",
        "since": at(0),
        "until": at(3600),
        "by": "center",
        "reason": "crew at work",
        "made_at": at(0),
    }
    return Silence(**(fields | changed))


def change(
    body: Event | Incident | Ticket | Silence, what: str = "opened", **changed: Any
) -> Change:
    """A change to that body."""
    kinds = {"Event": "event", "Incident": "incident", "Ticket": "ticket", "Silence": "silence"}
    fields: dict[str, Any] = {
        "type": kinds[type(body).__name__],
        "id": body.id,
        "rev": body.rev,
        "change": what,
        "known_at": at(body.rev),
        "body": body,
        "district": "d-1",
    }
    return Change(**(fields | changed))


def letter(name: str = "d-1", **changed: Any) -> DeadLetter:
    """A dead letter."""
    fields: dict[str, Any] = {
        "id": name,
        "topic": "gridsentry/v1/feed/d-1/lvl-7/telemetry",
        "received_at": at(0),
        "code": "bad_json",
        "reason": "the JSON ends in the middle",
        "device": "lvl-7",
        "adapter": "native",
        "payload": b'{"ts"',
        "bytes": 5,
        "sha256": "00" * 32,
    }
    return DeadLetter(**(fields | changed))


def unknown(device: str = "new-1", payload: bytes = b"{}") -> UnknownMessage:
    """A message of a device nobody registered."""
    return UnknownMessage(device, f"gridsentry/v1/feed/d-1/{device}/telemetry", at(0), payload)


def item(pos: int = 0, payload: bytes = b"sor", **changed: Any) -> StoredItem:
    """A trace as received."""
    fields: dict[str, Any] = {
        "pos": pos,
        "noun": "trace",
        "device": "otdr-1",
        "at": at(0),
        "received_at": at(1),
        "topic": "gridsentry/v1/feed/d-1/otdr-1/trace/1",
        "payload": payload,
    }
    return StoredItem(**(fields | changed))
