"""The book of events: which revisions have been published, and the number of the next one.

A detector numbers its own revisions. What arrives later from elsewhere (the clip, the still) is a
revision too, so the published number is counted here: detectors that are resumed and say the same
again are recognised by *their* number.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.batch import PublishedEvent
from contracts.case import Change
from contracts.wire import MEDIA_FACTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from contracts.event import Event, Place
    from contracts.geo import Point

log = logging.getLogger(__name__)


class EventBook:
    """Publishes event revisions exactly once each."""

    def __init__(
        self, place: Callable[[Point, datetime, str], Place], known: Iterable[PublishedEvent] = ()
    ) -> None:
        self._place = place
        self._newest = {p.event.id: p for p in known}
        self.duplicates = 0
        self.determinism_faults = 0

    def newest(self, event_id: str) -> PublishedEvent | None:
        """The newest published revision of that event."""
        return self._newest.get(event_id)

    def all_newest(self) -> list[PublishedEvent]:
        """The newest revision of every event in the book."""
        return list(self._newest.values())

    def publish(self, event: Event, known_at: datetime, routed: bool) -> PublishedEvent | None:
        """The revision to store, or None when it was published before."""
        from contracts.geo import Point

        before = self._newest.get(event.id)
        here = self._place(Point(event.place.lon, event.place.lat), event.at, event.kind)
        place = msgspec.structs.replace(
            event.place, grid=here.grid, address=event.place.address or here.address
        )
        evidence = event.evidence
        if before is not None:
            media = {n: before.event.evidence.get(n) for n in MEDIA_FACTS}
            evidence = {**evidence, **{n: m for n, m in media.items() if m is not None}}
        rev = before.event.rev + 1 if before else 1
        shown = msgspec.structs.replace(event, rev=rev, place=place, evidence=evidence)
        if before is not None and event.rev <= before.source_rev:
            self.duplicates += 1
            same = msgspec.structs.replace(shown, rev=before.event.rev)
            if event.rev == before.source_rev and _facts(same) != _facts(before.event):
                self.determinism_faults += 1
                log.error(
                    "determinism fault: %s revision %d of %s at %s says something else than what "
                    "was published; the first stands",
                    event.kind,
                    event.rev,
                    event.id,
                    event.site,
                )
            return None
        return self._keep(PublishedEvent(shown, event.rev, known_at, routed))

    def attach(
        self, event_id: str, facts: dict[str, object], known_at: datetime, routed: bool
    ) -> PublishedEvent | None:
        """A later revision that carries evidence made outside the detector (clip, still)."""
        before = self._newest.get(event_id)
        if before is not None and "beside" in facts:
            facts = {
                **facts,
                "beside": _merged(before.event.evidence.get("beside"), facts["beside"]),
            }
        if before is None or all(before.event.evidence.get(k) == v for k, v in facts.items()):
            return None
        shown = msgspec.structs.replace(
            before.event,
            rev=before.event.rev + 1,
            evidence={**before.event.evidence, **facts},
        )
        return self._keep(PublishedEvent(shown, before.source_rev, known_at, routed))

    def forget(self, before: datetime) -> None:
        """Drop closed events last changed before that moment: they cannot be said again."""
        for key, p in list(self._newest.items()):
            if p.event.phase == "closed" and p.known_at < before:
                del self._newest[key]

    def _keep(self, published: PublishedEvent) -> PublishedEvent:
        self._newest[published.event.id] = published
        return published


def _merged(before: object, more: object) -> list[Any]:
    """What stands beside an event, with more of it: each thing once, the first telling of it."""
    out = list(before) if isinstance(before, list | tuple) else []
    known = {one.get("id") for one in out if isinstance(one, dict)}
    fresh = more if isinstance(more, list | tuple) else []
    return [*out, *(one for one in fresh if isinstance(one, dict) and one.get("id") not in known)]


def _facts(event: Event) -> bytes:
    return msgspec.json.encode(event, order="deterministic")


def event_change(published: PublishedEvent, district: str) -> Change:
    """The change that tells of a published revision."""
    event = published.event
    first = event.rev == 1
    name = "opened" if first and event.phase != "closed" else event.phase
    if not first and name == "opened":
        name = "updated"
    return Change(
        type="event",
        id=event.id,
        rev=event.rev,
        change=name,
        known_at=published.known_at,
        body=event,
        district=district,
    )
