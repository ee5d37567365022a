"""Incidents and tickets: what the router makes of events, and what people act on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from contracts.event import Event, Place
from contracts.geo import Point


class Cause(msgspec.Struct, frozen=True):
    """The incident behind an incident, by name."""

    incident: str
    kind: str
    ticket: str | None
    """Where people work on it."""
    how: Literal["explains", "outlived", "suspected"]
    """It explains this one (nobody is sent for it); this one goes on although it is over; it is
    what people should look for first."""
    text_en: str = ""
    text_zh: str = ""


class Hold(msgspec.Struct, frozen=True):
    """Why nobody is sent for an incident although it goes on."""

    by: Literal["silence", "work"]
    id: str
    """Of the silence, or of the planned work in the city's `works.csv`."""
    until: datetime
    text_en: str = ""
    text_zh: str = ""
    ended_at: datetime | None = None
    """From then on nothing holds it back any more."""


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
    name: str = ""
    """What a group of incidents is called, in both languages; empty for a single one."""
    parent: str | None = None
    """The group it belongs to: the storm of a flooded street. Each keeps its own ticket."""
    children: tuple[str, ...] = ()
    """Of a group: its incidents, in the order they joined."""
    cause: Cause | None = None
    """The hidden root cause, by name; its words also stand in `reason`."""
    held: Hold | None = None
    """A silence or a planned work holds its ticket back (or did, once that ended)."""
    merged_into: str | None = None
    """A person said that it is this other incident: its events are counted there."""
    split_from: str | None = None
    """A person said that it is not this other incident: neither takes the other's events."""
    also: tuple[Place, ...] = ()
    """Places of incidents that were merged into it by hand: what comes there later is its own."""


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """Tickets of these incidents are held back for a time; events and incidents never are.

    All that is said must hold (`kinds` and `sites`: one of them); at least one thing is said.
    """

    id: str
    rev: int
    kinds: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    """Devices, lines, networks, cameras."""
    grid: str | None = None
    """A grid with everything inside it."""
    point: Point | None = None
    radius_m: float | None = None
    """About `point`."""
    since: datetime
    until: datetime
    """It ends then by itself; not included."""
    by: str
    reason: str
    made_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None
    """`expired`, or who lifted it."""
    still: tuple[str, ...] = ()
    """Once ended: incidents it held back that still go on; their tickets open then."""

    @property
    def kind(self) -> str:
        """What lists of changes show as its kind."""
        return self.kinds[0] if len(self.kinds) == 1 else "silence"


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
    note_zh: str = ""
    way_m: float | None = None
    """Metres of the way: by road, round barriers, or crow-fly with the usual detour. Steps and
    rough paths count as many metres as a street would take the same time for."""
    by: str = "crow-fly"
    """How the way was found: `road`, `crossing` (round a barrier), `crow-fly`, or `none` (no way
    there is known; the figures are crow-fly)."""
    speed_mps: float | None = None
    within_m: float = 0.0
    """Since the position was taken they may have gone so far; `travel_s` expects that."""
    worst_s: float | None = None
    """Travel if they went straight away from it meanwhile (seconds)."""
    offers: int = 0
    """Tickets sent to them that they have not answered yet."""
    grid: str | None = None
    last_free: str | None = None
    """The community that is left without a free worker when they go."""
    cost_s: float | None = None
    """What was compared: travel, and everything else in seconds of travel."""


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

    `change` is `opened updated closed` for events, incidents and silences; for tickets one of
    `opened updated reminded escalated cancelled` or the name of the stage reached.
    """

    type: Literal["event", "incident", "ticket", "silence"]
    id: str
    rev: int
    change: str
    known_at: datetime
    body: Event | Incident | Ticket | Silence
    district: str = "-"


AS_IT_STANDS = -1
"""`Command.rev` of who could not look first (a phone without network): the ticket as it is by then,
if the loop still allows it. Not for who could: what they saw may have changed."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks of a ticket; the router applies or refuses it with a reason."""

    id: str
    ticket: str
    """Which ticket; for `silence` and `lift` which silence."""
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


class Choice(msgspec.Struct, frozen=True):
    """Something that an action may name, as people call it."""

    id: str
    text_zh: str
    text_en: str


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    """An action that the loop allows on a ticket as it stands, and what goes with it."""

    action: str
    text_zh: str
    text_en: str
    to: str | None
    """The stage it leads to; None: it stays, or goes back to where it was."""
    says: tuple[str, ...]
    """What must be said: `reason`, `note`; `until`, `score`, `whom`, `utility`, `into`, `events`,
    `worker`, `resource`, `facts` in `data`."""
    also: tuple[str, ...] = ()
    """What may be said besides."""
    who: tuple[str, ...] = ()
    """Who may, seen from the ticket: `worker`, `helper`, `neighbour`, `contact`, `officer`, …"""
    by: tuple[str, ...] = ("center",)
    """In whose name the center may ask for it: its own, or theirs who telephoned."""
    answers: str | None = None
    """The open question that it answers."""
    choices: dict[str, tuple[Choice, ...]] = {}
    """What may be named, where the ticket says it."""
