"""The annals in memory: the same answers as on PostgreSQL."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from contracts.annals import Handover, Judged, Label, Retried, Spot
from contracts.batch import DeadLetter
from contracts.case import Incident, Ticket
from contracts.event import Event
from contracts.ports import IntakeRow
from store.annals import with_missed

if TYPE_CHECKING:
    from store.memory import MemoryStore

NEWEST = 10
"""Incidents of a hot spot that are named."""
DONE = ("closed", "evaluated")
NOT_DETECTED = ("citizen_report", "patrol")
TROUBLES = ("sensor_silent", "sensor_faulty")
CELLS = 500
"""Cells of a degree: reports within one are one place."""


class Cases(Protocol):
    """What the annals ask of the store around them; events in their newest revision."""

    def events(self) -> Iterable[Event]:
        """All."""
        ...

    def incidents(self) -> Iterable[Incident]:
        """All."""
        ...

    def tickets(self) -> Iterable[Ticket]:
        """All."""
        ...

    def letters(self) -> dict[str, DeadLetter]:
        """The dead letters by id."""
        ...

    def intake(self) -> Iterable[int]:
        """Numbers of the rows that wait."""
        ...

    def file(self, topic: str, payload: bytes, received_at: datetime) -> int:
        """Give this to the intake; its number."""
        ...

    def first_heard(self) -> dict[str, datetime]:
        """As the annals tell it."""
        ...

    def segments(self) -> dict[str, datetime]:
        """When the newest piece of video of each camera was received."""
        ...


class StoreCases:
    """What a `MemoryStore` knows, for its annals."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def events(self) -> Iterable[Event]:
        """The newest revision of every event."""
        with self._store.lock:
            return [published.event for published in self._store.newest_events()]

    def incidents(self) -> Iterable[Incident]:
        """All."""
        with self._store.lock:
            return [incident for _, incident in self._store.incidents.values()]

    def tickets(self) -> Iterable[Ticket]:
        """All."""
        with self._store.lock:
            return [ticket for _, ticket in self._store.tickets.values()]

    def letters(self) -> dict[str, DeadLetter]:
        """The dead letters by id."""
        with self._store.lock:
            return dict(self._store.dead_letters)

    def intake(self) -> Iterable[int]:
        """Numbers of the rows that wait."""
        with self._store.lock:
            return list(self._store.intake)

    def file(self, topic: str, payload: bytes, received_at: datetime) -> int:
        """Give this to the intake; its number."""
        with self._store.lock:
            number = self._store.number()
            self._store.intake[number] = IntakeRow(number, topic, payload, received_at)
        self._store.work.set()
        return number

    def first_heard(self) -> dict[str, datetime]:
        """When each device was first heard."""
        with self._store.lock:
            return dict(self._store.first)

    def segments(self) -> dict[str, datetime]:
        """When the newest piece of video of each camera was received."""
        with self._store.lock:
            rows = sorted(self._store.spool.values(), key=lambda row: row.number)
            return {row.device: row.received_at for row in rows}


class MemoryAnnals:
    """`contracts.annals.Annals` over what a store in memory knows."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases
        self._labels: dict[str, Label] = {}
        self._handovers: dict[str, Handover] = {}
        self._retried: dict[str, tuple[int, datetime, str, int]] = {}
        """Tries, the last one's moment, by whom, its number in the intake."""

    # --- labels --------------------------------------------------------------------------------

    async def put_label(self, label: Label) -> None:
        """Keep it; an earlier standing one on the same event is taken back by it."""
        if label.id in self._labels:
            return
        for old in list(self._labels.values()):
            if label.event is not None and old.event == label.event and old.withdrawn_at is None:
                self._labels[old.id] = msgspec.structs.replace(
                    old, withdrawn_at=label.made_at, withdrawn_by="newer"
                )
        self._labels[label.id] = label

    async def labels(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        kind: str | None = None,
        events: tuple[str, ...] | None = None,
        standing: bool = True,
        limit: int = 1000,
    ) -> list[Label]:
        """Labels by when they were given, the newest first."""
        found = [
            one
            for one in self._labels.values()
            if (since is None or one.at >= since)
            and (until is None or one.at < until)
            and kind in (None, one.kind)
            and (events is None or one.event in events)
            and (not standing or one.withdrawn_at is None)
        ]
        return sorted(found, key=lambda one: (one.made_at, one.id), reverse=True)[:limit]

    async def label(self, id: str) -> Label | None:
        """One, or None."""
        return self._labels.get(id)

    async def withdraw_label(self, id: str, by: str, at: datetime) -> bool:
        """Take it back; False when it does not stand (any more)."""
        old = self._labels.get(id)
        if old is None or old.withdrawn_at is not None:
            return False
        self._labels[id] = msgspec.structs.replace(old, withdrawn_at=at, withdrawn_by=by)
        return True

    def _said(self) -> dict[str, str]:
        return {
            one.event: one.verdict
            for one in self._labels.values()
            if one.event is not None and one.withdrawn_at is None
        }

    # --- what follows from events --------------------------------------------------------------

    async def judged(self, since: datetime, until: datetime) -> list[Judged]:
        """Events of [since, until) by kind and device with what was said of them."""
        closed = {ticket.incident for ticket in self._cases.tickets() if ticket.stage in DONE}
        worked = {e for i in self._cases.incidents() if i.id in closed for e in i.events}
        said = self._said()
        table: dict[tuple[str, str], list[int]] = {}
        for event in self._cases.events():
            if event.kind in NOT_DETECTED or not since <= event.at < until:
                continue
            line = table.setdefault((event.kind, event.device or event.site), [0, 0, 0, 0])
            verdict = said.get(event.id)
            line[0] += 1
            line[1] += verdict == "true"
            line[2] += verdict == "false"
            line[3] += verdict is None and event.id in worked
        missed: dict[tuple[str, str], int] = {}
        for one in self._labels.values():
            if one.verdict == "missed" and one.withdrawn_at is None and since <= one.at < until:
                where = (one.kind, one.device or one.site or "")
                missed[where] = missed.get(where, 0) + 1
        names = ("alarms", "said_true", "said_false", "worked")
        lines = [
            Judged(kind=kind, device=device, **dict(zip(names, counts, strict=True)))
            for (kind, device), counts in table.items()
        ]
        return with_missed(lines, missed)

    async def spots(
        self,
        since: datetime,
        until: datetime,
        *,
        kind: str | None = None,
        grids: Iterable[str] | None = None,
        least: int = 2,
        limit: int = 100,
    ) -> list[Spot]:
        """Places with at least so many incidents, the worst first."""
        wanted = None if grids is None else set(grids)
        events, said = {event.id: event for event in self._cases.events()}, self._said()
        seen: dict[tuple[str, str], dict[str, tuple[datetime, list[Event]]]] = {}
        for incident in self._cases.incidents():
            if incident.merged_into is not None or not since <= incident.opened_at < until:
                continue
            for name in incident.events:
                event = events.get(name)
                if event is None or event.kind == "patrol" or kind not in (None, event.kind):
                    continue
                if wanted is not None and event.place.grid not in wanted:
                    continue
                if said.get(event.id) == "false":
                    continue
                place = seen.setdefault((event.kind, spot_of(event)), {})
                place.setdefault(incident.id, (incident.opened_at, []))[1].append(event)
        found = [_spot(*where, place) for where, place in seen.items() if len(place) >= least]
        found.sort(key=lambda spot: (spot.kind, spot.spot))
        found.sort(key=lambda spot: (spot.incidents, spot.last_at), reverse=True)
        return found[:limit]

    async def tickets_of(self, incidents: Iterable[str]) -> dict[str, str]:
        """The newest whole ticket of each of these incidents that has one."""
        wanted = set(incidents)
        found = [t for t in self._cases.tickets() if t.incident in wanted and t.parent is None]
        return {t.incident: t.id for t in sorted(found, key=lambda t: (t.opened_at, t.id))}

    async def troubles(self) -> list[dict[str, Any]]:
        """Events of silent and faulty sensors that go on."""
        found = [e for e in self._cases.events() if e.kind in TROUBLES and e.phase != "closed"]
        found.sort(key=lambda event: (event.at, event.id), reverse=True)
        return [
            {"kind": e.kind, "device": e.device or e.site, "site": e.site, "at": e.at}
            for e in found
        ]

    async def segments_seen(self, cameras: Iterable[str]) -> dict[str, datetime]:
        """When the newest piece of video of each of these cameras was received."""
        newest = self._cases.segments()
        return {camera: newest[camera] for camera in cameras if camera in newest}

    async def first_heard(self) -> dict[str, datetime]:
        """When each device was first heard."""
        return dict(self._cases.first_heard())

    # --- dead letters --------------------------------------------------------------------------

    async def retry(self, id: str, tries: int, by: str, at: datetime) -> Retried | None:
        """Give a dead letter to the intake again; how it stands."""
        letter = self._cases.letters().get(id)
        if letter is None:
            return None
        before = self._retried.get(id, (0,))[0]
        if before == tries and len(letter.payload) == letter.bytes:
            number = self._cases.file(letter.topic, letter.payload, letter.received_at)
            self._retried[id] = (tries + 1, at, by, number)
        return (await self.retried((id,)))[0]

    async def retried(self, ids: Iterable[str]) -> list[Retried]:
        """How these stand."""
        letters, waiting = self._cases.letters(), set(self._cases.intake())
        found: list[Retried] = []
        for id in sorted(set(ids) & letters.keys()):
            letter = letters[id]
            whole = len(letter.payload) == letter.bytes
            if id not in self._retried:
                found.append(Retried(id=id, tries=0, whole=whole))
                continue
            tries, at, by, number = self._retried[id]
            same = [
                other
                for other in letters.values()
                if (other.sha256, other.topic) == (letter.sha256, letter.topic)
                and other.id != id
                and other.received_at >= at
            ]
            newest = max(same, key=lambda other: (other.received_at, other.id), default=None)
            found.append(
                Retried(
                    id=id,
                    tries=tries,
                    at=at,
                    by=by,
                    waiting=number in waiting,
                    again=None if newest is None else newest.id,
                    whole=whole,
                )
            )
        return found

    # --- handovers -----------------------------------------------------------------------------

    async def put_handover(self, handover: Handover) -> None:
        """Keep it; the same id again changes nothing."""
        self._handovers.setdefault(handover.id, handover)

    async def take_handover(self, id: str, coming: str, remarks: str, at: datetime) -> bool:
        """Sign it as the coming one; False when it was signed already or is not there."""
        old = self._handovers.get(id)
        if old is None or old.taken_at is not None:
            return False
        self._handovers[id] = msgspec.structs.replace(
            old, coming=coming, remarks=remarks, taken_at=at
        )
        return True

    async def handovers(self, limit: int) -> list[Handover]:
        """The newest first."""
        found = sorted(self._handovers.values(), key=lambda h: (h.made_at, h.id), reverse=True)
        return found[:limit]

    async def handover(self, id: str) -> Handover | None:
        """One, or None."""
        return self._handovers.get(id)


def spot_of(event: Event) -> str:
    """The place of an event by its kind, as the query `hot_spots` has it."""
    own = SPOTS.get(event.kind)
    return (own and own(event)) or event.device or event.site


def _window(event: Event) -> str | None:
    zone = (event.evidence.get("origin") or {}).get("zone")
    return f"{event.device}/{zone}" if zone is not None and event.device is not None else None


def _first(name: str) -> Callable[[Event], str | None]:
    def first(event: Event) -> str | None:
        found = event.evidence.get(name) or ()
        return str(found[0][0]) if found else None

    return first


def _metres(event: Event) -> str | None:
    metres = event.evidence.get("distance_m")
    return None if metres is None else f"{event.site}@{math.floor(metres / 50) * 50}"


def _cell(event: Event) -> str:
    place = event.place
    return f"{math.floor(place.lat * CELLS)},{math.floor(place.lon * CELLS)}"


SPOTS: dict[str, Callable[[Event], str | None]] = {
    "high_altitude_throw": _window,
    "drain_blocked": _first("pipes"),
    "severed_cable": _first("spans"),
    "fibre_break": _metres,
    "citizen_report": _cell,
}


def _spot(kind: str, spot: str, place: dict[str, tuple[datetime, list[Event]]]) -> Spot:
    events = [event for _, told in place.values() for event in told]

    def mean(of: Callable[[Event], float]) -> float:
        each = [sum(map(of, told)) / len(told) for _, told in place.values()]
        return sum(each) / len(each)

    newest = sorted(place, key=lambda id: (place[id][0], id), reverse=True)
    return Spot(
        kind=kind,
        spot=spot,
        incidents=len(place),
        first_at=min(at for at, _ in place.values()),
        last_at=max(at for at, _ in place.values()),
        severity=max(event.severity for event in events),
        lon=mean(lambda event: event.place.lon),
        lat=mean(lambda event: event.place.lat),
        grid=max((e.place.grid for e in events if e.place.grid is not None), default=None),
        newest=tuple(newest[:NEWEST]),
    )
