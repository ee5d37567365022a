"""What an incident says: built from its events, revised only when something about it changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from contracts.case import Cause, Incident
from contracts.city import City
from contracts.event import Event, Place
from contracts.geo import Point
from router.book import Book
from router.causes import cause_of, caused, with_cause
from router.correlate import Correlator, between_m
from router.gazetteer import Gazetteer
from router.settings import RouterSettings


class Incidents:
    """Builds and revises incidents; keeps nothing."""

    def __init__(
        self, city: City, gazetteer: Gazetteer, correlator: Correlator, settings: RouterSettings
    ) -> None:
        self._gazetteer = gazetteer
        self._correlator = correlator
        self._s = settings
        self._district = {
            device.site: device.district for device in city.devices.values() if device.site
        } | {device.id: device.district for device in city.devices.values()}

    def _place(self, place: Place, kind: str, at: datetime) -> Place:
        if place.grid is not None and place.address is not None:
            return place
        where = Point(place.lon, place.lat)
        found = self._gazetteer.place(where, place.address, at=at, kind=kind)
        return found if place.grid is None else msgspec.structs.replace(found, grid=place.grid)

    def open(
        self, event: Event, incident_id: str, now: datetime, cause: Cause | None = None
    ) -> Incident:
        """The incident of one event that belongs to no other."""
        district = self._district.get(event.device or "") or self._district.get(event.site)
        return Incident(
            id=incident_id,
            rev=1,
            kind=event.kind,
            events=(event.id,),
            reason=self.reason(event.kind, [event], cause),
            cause=cause,
            place=self._place(event.place, event.kind, event.at),
            site=event.site,
            severity=event.severity,
            opened_at=now,
            closed_at=now if self._correlator.over(event.kind, [event]) else None,
            district=district or "-",
        )

    def revised(
        self, incident: Incident, event_ids: tuple[str, ...], book: Book, now: datetime
    ) -> Incident:
        """The next revision, or the same object when nothing about it changed."""
        events = [book.events[e] for e in event_ids if e in book.events]
        kind = self._correlator.kind_of(incident, events)
        place, site = incident.place, incident.site
        primary = self._correlator.primary(kind, events)
        if primary is not None:
            moved = between_m(primary.place, place) > self._s.move_m
            if moved or kind != incident.kind:
                place = self._place(primary.place, kind, primary.at)
            site = primary.site if kind != incident.kind else site
        severity = max(incident.severity, self._correlator.severity(kind, events))
        over = self._correlator.over(kind, events)
        closed_at = incident.closed_at
        if over is True and closed_at is None:
            closed_at = now
        elif over is False:
            closed_at = None
        regrouped = event_ids != incident.events or kind != incident.kind
        new = msgspec.structs.replace(
            incident,
            kind=kind,
            events=event_ids,
            reason=self.reason(kind, events, incident.cause) if regrouped else incident.reason,
            place=place,
            site=site,
            severity=severity,
            closed_at=closed_at,
        )
        if new == incident:
            return incident
        return msgspec.structs.replace(new, rev=incident.rev + 1)

    def reason(self, kind: str, events: Sequence[Event], cause: Cause | None) -> str:
        """Why these events are one, and what is behind them, in words of both languages."""
        return with_cause(self._correlator.reason(kind, events), cause)

    def explained(self, symptom: Incident, cause: Incident, book: Book, now: datetime) -> Incident:
        """A symptom's incident ends when its cause is known."""
        known = caused(symptom, cause_of(cause, "explains", book))
        return msgspec.structs.replace(known, rev=symptom.rev + 1, closed_at=now)

    def ended(self, incident: Incident, now: datetime) -> Incident:
        """Where no sensor can say, it is over when the work is."""
        return msgspec.structs.replace(incident, rev=incident.rev + 1, closed_at=now)

    def goes_on(self, incident: Incident) -> Incident:
        """The work was called done, and is not."""
        return msgspec.structs.replace(incident, rev=incident.rev + 1, closed_at=None)

    def grace_ends(self, incident: Incident) -> datetime | None:
        """Until when a symptom without a ticket waits for its cause."""
        if incident.closed_at is not None or not self._correlator.waits(incident.kind):
            return None
        return incident.opened_at + timedelta(seconds=self._s.grace_s)
