"""Incidents and tickets: what the router makes of events, and what people act on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from contracts.event import Event, Place


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened in the world, however many events told of it."""

    id: str
    rev: int
    kind: str
    events: tuple[str, ...]
    reason: str
    """Why these events are one incident, in words."""
    place: Place
    site: str
    severity: int
    opened_at: datetime
    closed_at: datetime | None = None
    district: str = "-"


class Deadlines(msgspec.Struct, frozen=True):
    """One clock for each step of the loop; None where the profile sets no limit. UTC."""

    accept: datetime | None = None
    arrive: datetime | None = None
    dispose: datetime | None = None
    verify: datetime | None = None
    close: datetime | None = None


class Candidate(msgspec.Struct, frozen=True):
    """A worker that was considered, with the figures that decided."""

    worker: str
    name: str
    distance_m: float
    travel_s: float
    position_age_s: float | None
    load: int
    skilled: bool
    in_grid: bool
    note: str = ""


class Hand(msgspec.Struct, frozen=True):
    """One more person on a ticket: asked, there, gone again."""

    worker: str
    state: Literal["requested", "accepted", "refused", "released"]
    at: datetime
    by: str
    """Who asked for this state: `router`, or a person."""
    why: str = ""


class Offer(msgspec.Struct, frozen=True):
    """A pump, barrier or crew near a ticket."""

    resource: str
    what: str
    name: str
    distance_m: float
    owner: str | None = None


class Step(msgspec.Struct, frozen=True):
    """One entry of a ticket's timeline."""

    at: datetime
    change: str
    by: str
    note: str = ""


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of work for one worker or one utility, on the loop's clocks."""

    id: str
    rev: int
    incident: str
    kind: str
    stage: str
    lane: str
    """`self` (a grid worker settles it), `direct` (to a department), `joint` (会商)."""
    worker: str | None
    helpers: tuple[str, ...]
    utility: str | None
    parent: str | None
    grid: str | None
    reason: dict[str, Any]
    """Why this worker, this utility, these deadlines: data, served and shown."""
    runners_up: tuple[Candidate, ...]
    deadlines: Deadlines
    severity: int
    place: Place
    opened_at: datetime
    updated_at: datetime
    district: str = "-"
    code: str | None = None
    """The city's event code from its profile."""
    timeline: tuple[Step, ...] = ()
    hands: tuple[Hand, ...] = ()
    """What became of each helper; `helpers` are those asked or there."""
    resources: tuple[Offer, ...] = ()
    """What is near and could help, the nearest first."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change to something, as stored, streamed and published.

    `change` is `opened updated closed` for events and incidents; for tickets one of
    `opened updated reminded escalated cancelled` or the name of the stage reached.
    """

    type: Literal["event", "incident", "ticket"]
    id: str
    rev: int
    change: str
    known_at: datetime
    body: Event | Incident | Ticket
    district: str = "-"


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks of a ticket; the router applies or refuses it with a reason."""

    id: str
    ticket: str
    action: str
    by: str
    rev: int
    at: datetime
    reason: str | None = None
    note: str | None = None
    data: dict[str, Any] | None = None
    """What the action needs beside words: a new date, whom, a score. JSON-ready."""


class Answer(msgspec.Struct, frozen=True):
    """What the router said to a command."""

    command: str
    ok: bool
    reason: str
    rev: int | None = None
