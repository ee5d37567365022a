"""The hidden root cause, told by name: in the symptom's reason, in both languages, with its ticket.

A cause *explains* a symptom (a cut cable and the meters behind it: nobody is sent for them), is
*outlived* by it (what is still silent when the cable is whole is an incident of its own), or is
*suspected* (water stands above a blocked drain: the street keeps its ticket, and who goes there is
told what to look for).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from contracts.case import Cause, Incident, Ticket
from contracts.event import Event
from contracts.wire import plain
from router.book import Book, is_open
from router.correlate import Correlator
from router.settings import RouterSettings
from router.words import apart, both, kind_names, one_line

How = Literal["explains", "outlived", "suspected"]


def root_ticket(incident: Incident, book: Book) -> Ticket | None:
    """Where people work on it: its open root ticket, else the last one."""
    roots = [t for t in book.tickets_of(incident.id) if t.parent is None]
    return next((t for t in roots if is_open(t)), roots[-1] if roots else None)


def cause_of(incident: Incident, how: How, book: Book) -> Cause:
    """This incident as the cause of another."""
    ticket = root_ticket(incident, book)
    zh, en = kind_names(incident.kind)
    en = en.lower()
    which_en = incident.id if ticket is None else f"{incident.id}, ticket {ticket.id}"
    which_zh = incident.id if ticket is None else f"{incident.id}，工单 {ticket.id}"
    if how == "explains":
        words = f"explained by {en} ({which_en})", f"系{zh}所致（{which_zh}）"
    elif how == "outlived":
        words = (
            f"still going on after {en} was over ({which_en})",
            f"{zh}（{which_zh}）已恢复，此处仍未恢复",
        )
    else:
        words = f"probably because of {en} ({which_en})", f"疑由{zh}引起（{which_zh}）"
    return Cause(incident.id, incident.kind, ticket.id if ticket else None, how, *words)


def with_cause(reason: str, cause: Cause | None) -> str:
    """The reason in words, with the cause's."""
    if cause is None:
        return reason
    en, zh = apart(reason)
    return one_line(f"{en}; {cause.text_en}", f"{zh}；{cause.text_zh}")


def incident_reason(incident: Incident) -> dict[str, Any]:
    """What a ticket says of its incident: data and words."""
    told: dict[str, Any] = {
        "id": incident.id,
        "events": list(incident.events),
        "text": incident.reason,
        **both(*apart(incident.reason)),
    }
    if incident.parent is not None:
        told["parent"] = incident.parent
    if incident.cause is not None:
        told["cause"] = plain(incident.cause)
    if incident.held is not None:
        told["held"] = plain(incident.held)
    return told


def held_note(incident: Incident) -> str:
    """What held its ticket back until now; empty for most."""
    held = incident.held
    return one_line(held.text_en, held.text_zh) if held is not None else ""


def caused(incident: Incident, cause: Cause) -> Incident:
    """The incident with its cause by name (no new revision number)."""
    return msgspec.structs.replace(incident, cause=cause, reason=with_cause(incident.reason, cause))


class Suspects:
    """Which open incident is probably behind another that keeps its own ticket."""

    def __init__(self, settings: RouterSettings, correlator: Correlator) -> None:
        self._s = settings
        self._networks = correlator.networks
        self._effects = {
            cause: kind for kind, causes in settings.suspected_of.items() for cause in causes
        }

    def of(self, event: Event, book: Book) -> Incident | None:
        """The open incident that is probably behind this event."""
        found = [
            incident
            for kind in self._s.suspected_of.get(event.kind, ())
            for incident_id in set(book.joinable.near(kind, event.place, self._reach_m))
            for incident in (book.incidents[incident_id],)
            if incident.closed_at is None and self._behind(event, incident, book)
        ]
        return min(found, key=lambda i: (i.opened_at, i.id), default=None)

    def effects(self, cause: Incident, book: Book) -> list[Incident]:
        """Open incidents without a known cause that this new one is probably behind."""
        kind = self._effects.get(cause.kind)
        if kind is None:
            return []
        found = []
        for incident_id in set(book.joinable.near(kind, cause.place, self._reach_m)):
            incident = book.incidents[incident_id]
            events = [e for e in book.own_events_of(incident) if e.kind == kind]
            fits = any(self._behind(event, cause, book) for event in events)
            if incident.closed_at is None and incident.cause is None and fits:
                found.append(incident)
        return sorted(found, key=lambda i: (i.opened_at, i.id))

    @property
    def _reach_m(self) -> float:
        return 2 * self._s.drain_reach_m

    def _behind(self, event: Event, cause: Incident, book: Book) -> bool:
        return any(
            self._networks.above(event.place, blocked, self._s.join_radius_m)
            for blocked in book.events_of(cause)
            if blocked.kind == cause.kind
        )
