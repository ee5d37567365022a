"""How a new event can belong to an incident that is there: the rules, surest first.

- `same`: its kind, near in place and time (or the same device, the same span, the same pipe)
- `report`: a resident and a sensor mean the same thing
- `related`: another kind with the same cause: near, and begun within minutes
- `explained`: a symptom of a cause that is known: fed through the cut span, else near
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from contracts.case import Incident
from contracts.event import Event, Place
from contracts.geo import Point, distance_m
from router.book import Book
from router.joinable import Entry, error_m
from router.networks import Fed, Networks
from router.settings import RouterSettings

RANKS = ("same", "report", "related", "explained")


SAID_DONE = frozenset({"disposed", "verified"})
"""Stages in which the people who were there have left."""


class Relation(msgspec.Struct, frozen=True):
    """That an event belongs to an incident."""

    how: str
    metres: float
    own: bool
    """It is about the same device: that is nearer than any distance."""


def between_m(a: Place, b: Place) -> float:
    """Metres between two places."""
    return distance_m(Point(a.lon, a.lat), Point(b.lon, b.lat))


def reported_kind(event: Event) -> str | None:
    """What a resident said it is."""
    kind = event.evidence.get("kind") or event.evidence.get("reported_kind")
    return str(kind) if event.kind == "citizen_report" and kind else None


class Relations:
    """The rules; all figures are settings."""

    def __init__(self, settings: RouterSettings, networks: Networks) -> None:
        self._s = settings
        self._networks = networks
        self._evidence = frozenset(settings.evidence_kinds)
        self.group = {kind: group for group in settings.related_kinds for kind in group}
        self._relapse = timedelta(seconds=settings.relapse_s)
        self._moment = timedelta(seconds=settings.moment_window_s)
        self._related = timedelta(seconds=settings.related_window_s)
        self._explained = timedelta(seconds=settings.explained_window_s)

    def radius_m(self, kind: str) -> float:
        """How near events of one kind are one thing."""
        return self._s.join_radius_by_kind.get(kind, self._s.join_radius_m)

    def reach(self, kind: str) -> list[tuple[str, float]]:
        """(kind of incident, metres): where something that this event joins may lie, its own error
        and the incident's aside."""
        found = [(kind, self.radius_m(kind)), ("citizen_report", self._s.join_radius_m)]
        if kind == "drain_blocked":
            found.append((kind, self._s.drain_reach_m))
        found += [(k, self._s.related_radius_m) for k in self.group.get(kind, ()) if k != kind]
        found += [(k, self.explained_m(kind)) for k in self._s.explained_by.get(kind, ())]
        return found

    def explained_m(self, kind: str) -> float:
        """How near its cause a symptom must be, where the lines do not tell."""
        return self._s.fed_reach_m if kind in self._s.fed_kinds else self._s.explained_radius_m

    def of(
        self, event: Event, incident: Incident, entry: Entry, book: Book, now: datetime
    ) -> Relation | None:
        """The surest relation of a new event to this incident."""
        metres = min(between_m(event.place, place) for place in entry.places)
        spread = min(max(error_m(event), entry.spread_m), self._s.error_radius_cap_m)
        own = event.device is not None and event.device in entry.names
        alike = event.kind in entry.kinds and event.kind not in self._evidence
        if alike and self._same(event, incident, entry, metres, spread, book):
            events = book.events_of(incident)
            if self._same_time(event, incident, entry, events, own, book, now):
                return Relation("same", metres, own)
        if metres <= self._s.join_radius_m + spread and self._reported(event, incident, book):
            return Relation("report", metres, own)
        if (
            metres <= self._s.related_radius_m + spread
            and event.kind != incident.kind
            and incident.kind in self.group.get(event.kind, ())
            and incident.closed_at is None
            and any(abs(event.at - e.at) <= self._related for e in book.events_of(incident))
        ):
            return Relation("related", metres, own)
        if self.explains(incident, event, book):
            return Relation("explained", metres, own)
        return None

    # --- the same thing -------------------------------------------------------------------------

    def _same(
        self,
        event: Event,
        incident: Incident,
        entry: Entry,
        metres: float,
        spread: float,
        book: Book,
    ) -> bool:
        if event.kind in self._networks_tell:
            kin = [e for e in book.events_of(incident) if e.kind == event.kind]
            told = self._networks.same(event, kin, self._s.join_radius_m)
            if told is not None:
                return told
        if event.kind in self._s.asset_kinds and event.device in entry.names:
            return True
        return metres <= self.radius_m(event.kind) + spread

    _networks_tell = frozenset({"severed_cable", "drain_blocked", "fibre_break"})

    def _same_time(
        self,
        event: Event,
        incident: Incident,
        entry: Entry,
        events: Sequence[Event],
        own: bool,
        book: Book,
        now: datetime,
    ) -> bool:
        if event.kind in self._s.moment_kinds:
            return any(abs(event.at - e.at) <= self._moment for e in events if e.kind == event.kind)
        if event.kind == "citizen_report":
            return self._in_report_window(event, incident, book) and reported_kind(event) in (
                None,
                *(reported_kind(e) for e in events if e.kind == "citizen_report"),
            )
        if event.phase == "closed" and event.at < entry.first - self._relapse:
            return False  # an old episode that was only now told
        if incident.closed_at is None:
            return True
        if not book.open_tickets_of(incident.id):
            closed = book.closed_at(incident.id)
            return closed is not None and now - closed <= self._relapse
        return (own and event.kind in self._s.asset_kinds) or (
            now - incident.closed_at <= self._relapse
        )

    # --- reports --------------------------------------------------------------------------------

    def _in_report_window(self, event: Event, incident: Incident, book: Book) -> bool:
        said = reported_kind(event) or incident.kind
        window = self._s.report_window_by_kind.get(said, self._s.report_window_s)
        tickets = book.open_tickets_of(incident.id)
        if event.kind == "citizen_report" and tickets:
            # Where the work is said to be done nobody will look again: what is reported then is
            # something else, or was not done, and somebody must go.
            going_on = any(ticket.stage not in SAID_DONE for ticket in tickets)
        else:
            going_on = incident.closed_at is None or bool(tickets)
        return going_on and abs(event.at - incident.opened_at) <= timedelta(seconds=window)

    def _reported(self, event: Event, incident: Incident, book: Book) -> bool:
        """A report and a sensor that mean the same thing, whichever came first."""
        if event.kind == "citizen_report":
            said = reported_kind(event)
            return self._in_report_window(event, incident, book) and (
                said == incident.kind or (said is None and incident.kind != "sensor_silent")
            )
        return (
            incident.kind == "citizen_report"
            and self._in_report_window(event, incident, book)
            and event.kind in {reported_kind(e) for e in book.events_of(incident)}
        )

    # --- causes -----------------------------------------------------------------------------------

    def fed(self, event: Event, cause: Incident, book: Book) -> Fed | None:
        """Whether it is fed through where this cause is believed to be."""
        return self._networks.fed(event, book.events_of(cause))

    def explains(self, cause: Incident, event: Event, book: Book) -> bool:
        """Whether this open cause explains the event: by the line's topology where that tells, else
        by distance."""
        if cause.kind not in self._s.explained_by.get(event.kind, ()):
            return False
        if cause.closed_at is not None or event.at < cause.opened_at - self._explained:
            return False
        fed = self.fed(event, cause, book)
        if fed is not None:
            return fed.yes
        if event.kind in self._s.fed_kinds:
            return False
        entry = book.joinable.entries.get(cause.id)
        spread = entry.spread_m if entry is not None else 0.0
        spread = min(max(error_m(event), spread), self._s.error_radius_cap_m)
        metres = between_m(event.place, cause.place)
        return metres <= self._s.explained_radius_m + spread or event.site == cause.site
