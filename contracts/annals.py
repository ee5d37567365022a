"""What people say about what was found, and what one shift hands to the next.

Kept beside the cases, never in them: a label changes no ticket.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from contracts.clock import iso
from contracts.geo import Point

Verdict = Literal["true", "false", "missed"]
"""Of an event: it was so, it was not so. `missed`: something happened and no event tells of it."""


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A person's word on one event, or on one that should have been. Moments are UTC."""

    id: str
    verdict: Verdict
    kind: str
    event: str | None = None
    """None with `missed`."""
    incident: str | None = None
    device: str | None = None
    site: str | None = None
    at: datetime
    """The onset of the event, or when it happened that was missed."""
    until: datetime | None = None
    """The end, where there is one to say (a recording, a missed episode)."""
    cause: str = ""
    """What it really was (`bird`, `laundry`); a code of the page's list for the kind."""
    note: str = ""
    point: Point | None = None
    """Where a missed one was."""
    grid: str | None = None
    by: str
    made_at: datetime
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None
    """Who took it back; `newer` when another word on the same event replaced it."""


def label_object(label: Label) -> dict[str, Any]:
    """The label as one line of JSON for whoever scores or trains a detector: event, kind, device,
    moments, verdict, who and when. Times are UTC, ISO 8601."""
    told: dict[str, Any] = msgspec.to_builtins(label)
    for name in ("at", "until", "made_at", "withdrawn_at"):
        moment = getattr(label, name)
        told[name] = None if moment is None else iso(moment)
    return told


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """How many events of one detector at one device were judged, and how."""

    kind: str
    device: str
    """The site, where an event names no device."""
    alarms: int
    said_true: int
    said_false: int
    worked: int
    """Nobody labelled them, but work on them was closed."""
    missed: int = 0


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """One place where the same happened again and again."""

    kind: str
    spot: str
    """`{device}/{window}`, `{site}@{metres}` of a fibre, `{row},{column}` of a cell of two
    thousandths of a degree for reports, else the pipe, the span, the device or the site."""
    incidents: int
    first_at: datetime
    last_at: datetime
    severity: int
    """The worst."""
    lon: float
    lat: float
    grid: str | None
    newest: tuple[str, ...]
    """Its newest incidents, the newest first."""


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """What one shift hands to the next; open until the coming person signs. UTC."""

    id: str
    made_at: datetime
    leaving: str
    """Who signed as leaving, when it was made."""
    coming: str | None = None
    taken_at: datetime | None = None
    notes: str = ""
    remarks: str = ""
    """What the coming person says to it."""
    body: dict[str, Any] = {}
    """Who was on duty and what was open at that moment, as it was shown and signed."""

    @property
    def areas(self) -> tuple[str, ...]:
        """The tops of the part of the grid tree that it is of; empty: of the whole city."""
        return tuple(self.body.get("areas") or ())


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a dead letter that was given to the intake again."""

    id: str
    tries: int
    at: datetime | None = None
    by: str | None = None
    waiting: bool = False
    """It still waits in the intake."""
    again: str | None = None
    """The dead letter it became again."""
    whole: bool = True
    """Only a message that was kept whole can be tried again."""


class Annals(Protocol):
    """What the center keeps for people beside the cases. Raises Temporary as the desk does."""

    async def put_label(self, label: Label) -> None:
        """Keep it; an earlier standing one on the same event is taken back by it. The same id
        again changes nothing."""
        ...

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
        """Labels by when they were given, the newest first; [since, until) is of the labelled
        moment; `events` those on these events."""
        ...

    async def label(self, id: str) -> Label | None:
        """One, or None."""
        ...

    async def withdraw_label(self, id: str, by: str, at: datetime) -> bool:
        """Take it back; False when it does not stand (any more)."""
        ...

    async def judged(self, since: datetime, until: datetime) -> list[Judged]:
        """Events of [since, until) by kind and device with what was said of them; without reports
        and rounds, which no detector raised."""
        ...

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
        """Places with at least so many incidents in [since, until), the worst first. What was
        labelled false does not count."""
        ...

    async def tickets_of(self, incidents: Iterable[str]) -> dict[str, str]:
        """The whole ticket (no part) of each of these incidents that has one: the newest."""
        ...

    async def troubles(self) -> list[dict[str, Any]]:
        """Events of `sensor_silent` and `sensor_faulty` that go on: kind, device, site, at."""
        ...

    async def segments_seen(self, cameras: Iterable[str]) -> dict[str, datetime]:
        """When the newest piece of video of each of these cameras was received."""
        ...

    async def first_heard(self) -> dict[str, datetime]:
        """When each device was first heard, of those that are known to be new (all others were
        there before that was kept)."""
        ...

    async def retry(self, id: str, tries: int, by: str, at: datetime) -> Retried | None:
        """Give a dead letter to the intake again, unless it was tried oftener than `tries` says;
        how it stands. None where there is none. One that was cut is left alone."""
        ...

    async def retried(self, ids: Iterable[str]) -> list[Retried]:
        """How these stand."""
        ...

    async def put_handover(self, handover: Handover) -> None:
        """Keep it; the same id again changes nothing."""
        ...

    async def take_handover(self, id: str, coming: str, remarks: str, at: datetime) -> bool:
        """Sign it as the coming one; False when it was signed already or is not there."""
        ...

    async def handovers(self, limit: int) -> list[Handover]:
        """The newest first."""
        ...

    async def handover(self, id: str) -> Handover | None:
        """One, or None."""
        ...
