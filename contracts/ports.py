"""What one room needs of another: small protocols, handed over by the composition root."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from contracts.annals import Annals
from contracts.batch import (
    Batch,
    Committed,
    EvidenceLink,
    OutboxRow,
    PublishedEvent,
    SiteSnapshot,
    SpoolRow,
    StoredItem,
    Undelivered,
    UnknownMessage,
)
from contracts.case import Answer, Change, Command, Incident, Silence, Ticket
from contracts.event import Event, Place
from contracts.geo import Point
from contracts.history import History
from contracts.nouns import Arrival, Item, Poison, Position, Reading

# --- ingest → core ---------------------------------------------------------------------------


class Session(Protocol):
    """A persistent MQTT session, or anything else that hands over arrivals and is told when
    they are durable. Thread-safe."""

    def start(self) -> None:
        """Connect (and keep reconnecting) in the background."""
        ...

    def take(self, limit: int, wait_s: float) -> list[Arrival]:
        """Up to `limit` arrivals in order; waits up to `wait_s` for the first one."""
        ...

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """These are committed. In the order received; of an older connection: ignored."""
        ...

    def stop(self) -> None:
        """Disconnect; what was not acknowledged comes again."""
        ...

    def health(self) -> dict[str, Any]:
        """`connected`, `queued`, `last_error`: for /readyz and metrics."""
        ...


class Decoder(Protocol):
    """Topic + bytes → nouns, or Poison. Never raises on input."""

    def decode(self, arrival: Arrival, /) -> Sequence[Item | Position | Poison]:
        """The nouns in one message. A device nobody registered: Poison `unknown_device`."""
        ...


class Publisher(Protocol):
    """Publishes MQTT for the center's alerts and for the simulators. Thread-safe."""

    def start(self) -> None:
        """Connect (and keep reconnecting) in the background."""
        ...

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        wait_s: float | None = None,
    ) -> None:
        """Publish; with `wait_s` return only once the broker acknowledged.

        Raises Temporary when it could not (not connected, no acknowledgement in time) and
        Refused when too much is waiting already.
        """
        ...

    def stop(self) -> None:
        """Send what is waiting (at most 2 s), then disconnect."""
        ...


# --- core ↔ router ---------------------------------------------------------------------------


class Router(Protocol):
    """Pure decisions: events in, changes out, each with its reason. Single-threaded."""

    def place(self, point: Point, /, at: datetime | None = None, kind: str | None = None) -> Place:
        """The place with its smallest grid at that time (None: as the city was read; a special
        grid for this kind first), and an address where one is known."""
        ...

    def on_events(self, events: Sequence[Event], now: datetime, /) -> list[Change]:
        """Correlate into incidents, open or update tickets (the events' own changes are not in
        the answer)."""
        ...

    def on_time(self, now: datetime, /) -> list[Change]:
        """Timers that were due at or before `now`: reminders, escalations, verification."""
        ...

    def on_rain(
        self, point: Point, mm_h: float, now: datetime, /, *, forecast: bool = False
    ) -> list[Change]:
        """Rain of this intensity (mm/h) is measured or forecast there: it calls for patrols."""
        ...

    def begin(self, now: datetime, /) -> None:
        """Time runs from here (once, after `restore`): rounds by the clock are set."""
        ...

    def wake_at(self) -> datetime | None:
        """When the next timer is due."""
        ...

    def on_command(self, command: Command, now: datetime, /) -> tuple[list[Change], Answer]:
        """Apply or refuse with a reason."""
        ...

    def on_position(self, position: Position, /) -> None:
        """A worker moved."""
        ...

    def restore(
        self,
        incidents: Iterable[Incident],
        tickets: Iterable[Ticket],
        events: Iterable[Event],
        positions: Iterable[Position],
        silences: Iterable[Silence] = (),
    ) -> None:
        """Take up where the store says things stood (open ones and recent closed ones)."""
        ...


# --- core → store (synchronous, one connection per writer) --------------------------------------


class Resume(msgspec.Struct, kw_only=True):
    """What a writer needs to continue: newest snapshot per (kind, site) and its batch."""

    last_batch: int
    at: datetime | None
    snapshots: list[tuple[SiteSnapshot, int]]
    """(snapshot, batch it was taken in)."""
    oldest_batch: int
    """Feed stored items of batches after this one (each site from its own batch)."""


class StoredBatch(msgspec.Struct, kw_only=True):
    """One committed batch as resume reads it back, in the order it was folded."""

    number: int
    at: datetime
    readings: list[tuple[int, Reading]]
    items: list[StoredItem]


class RouterState(msgspec.Struct, kw_only=True):
    """What the router takes up: open incidents and tickets (and those ended within a day)."""

    incidents: list[Incident]
    tickets: list[Ticket]
    events: list[PublishedEvent]
    positions: list[Position]
    silences: list[Silence] = []
    """Those that are on, and those ended within a day."""


class IntakeRow(msgspec.Struct, frozen=True):
    """Something that came in beside MQTT (HTTP report, a taken-up unknown message)."""

    id: int
    topic: str
    payload: bytes
    received_at: datetime


class Writer(Protocol):
    """The store as a writer sees it. Raises Temporary when it should be tried again, LeaseLost
    when another holder took over; nothing else on good input."""

    def acquire(self, lease: str, holder: str, now: datetime, ttl_s: float) -> int | None:
        """Take or renew the lease; its epoch, or None while another live holder has it."""
        ...

    def release(self, lease: str, holder: str) -> None:
        """Give it back, so that a stand-by need not wait for its end."""
        ...

    def commit(self, batch: Batch) -> Committed:
        """All of it in one transaction, or nothing. Checks the epoch."""
        ...

    def resume(self, writer: str) -> Resume:
        """Where this writer stood."""
        ...

    def stored_batches(self, writer: str, after: int) -> Iterable[StoredBatch]:
        """Committed batches of this writer after that number, in order."""
        ...

    def spool_rows(self, device: str, after: int) -> list[SpoolRow]:
        """Index rows of a camera's spool after that number, in order."""
        ...

    def evidence_links(self, since: datetime) -> list[EvidenceLink]:
        """Links sealed at or after `since`, and the newest of every camera, in their order."""
        ...

    def event_book(self) -> list[PublishedEvent]:
        """Newest revision of every event that is open or changed within a day."""
        ...

    def router_state(self) -> RouterState:
        """What `Router.restore` needs."""
        ...

    def unrouted(self, limit: int) -> list[PublishedEvent]:
        """Event revisions a separate router must still take, oldest first."""
        ...

    def commands(self, limit: int) -> list[Command]:
        """Commands filed and not yet answered, oldest first."""
        ...

    def intake(
        self, limit: int, *, bulk: bool | None = None, districts: Sequence[str] | None = None
    ) -> list[IntakeRow]:
        """Intake rows not yet dealt with, oldest first; of these districts, only (not) bulk."""
        ...

    def unknown_samples(self) -> list[UnknownMessage]:
        """The newest message of every unregistered device of an outside gateway, by what the
        gateway calls it."""
        ...

    def take_up_unknown(self, devices: Iterable[str]) -> int:
        """Move kept messages of these now registered devices to the intake; how many."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait for a notification (a command, intake, an unrouted event); True if one came."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


# --- store → center (asynchronous) ------------------------------------------------------------


What = Literal[
    "tickets",
    "incidents",
    "events",
    "silences",
    "devices",
    "workers",
    "dead-letters",
    "readings",
]


class Query(msgspec.Struct, kw_only=True):
    """Filters of a listing; `after` is the opaque cursor of the page before."""

    after: str | None = None
    limit: int = 100
    kind: str | None = None
    stage: str | None = None
    severity: int | None = None
    """Of tickets: at least this one."""
    utility: str | None = None
    """Of tickets: whose."""
    grid: str | None = None
    device: str | None = None
    metric: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    grids: frozenset[str] | None = None
    """Of tickets, incidents, events and silences: in one of these. A caller's part of the city."""
    worker: str | None = None
    """Of tickets: those that concern this worker (`contracts.people.concerned`)."""


class Page(msgspec.Struct):
    """One page, newest first (readings: oldest first); `next` is None on the last."""

    items: list[dict[str, Any]]
    next: str | None


class Desk(Protocol):
    """The store as the center sees it: reads, filed commands and reports, the live stream."""

    @property
    def annals(self) -> Annals:
        """What people say about what was found, and what shifts hand over."""
        ...

    @property
    def history(self) -> History:
        """Readings over time, at the grain that is asked for."""
        ...

    async def page(self, what: What, query: Query) -> Page:
        """One page of JSON-ready objects, keys as in the wire contract."""
        ...

    async def get(self, what: What, id: str) -> dict[str, Any] | None:
        """One object, or None."""
        ...

    async def tickets_of_event(self, event: str) -> list[dict[str, Any]]:
        """The tickets of every incident this event belongs to, newest first."""
        ...

    async def tickets_of_worker(
        self, worker: str, since: datetime, limit: int
    ) -> list[dict[str, Any]]:
        """Tickets that concern this worker (`contracts.people.concerned`): open ones, and those
        that changed at or after `since`; newest first."""
        ...

    async def lately(self, since: datetime) -> list[dict[str, Any]]:
        """Every open ticket and those that changed at or after `since`, each as
        `wire.ticket_glance` has it, in no order."""
        ...

    async def file_command(self, command: Command, wait_s: float) -> Answer | None:
        """File it and wait for the router's answer; None when none came in time (it stays)."""
        ...

    async def file_report(self, topic: str, payload: bytes, received_at: datetime) -> None:
        """Durably hand a report to the intake, as if it had come by MQTT."""
        ...

    async def newest_position(self) -> int:
        """The stream's newest position, 0 when empty."""
        ...

    async def oldest_position(self) -> int:
        """The oldest position still kept."""
        ...

    async def stream(self, after: int, limit: int) -> list[OutboxRow]:
        """Rows with a position above `after`, in order."""
        ...

    def follow(self) -> AsyncIterator[None]:
        """Yields whenever the stream may have grown (and at least every few seconds)."""
        ...

    async def target_position(self, target: str) -> int:
        """How far an outgoing target (MQTT alerts) has got."""
        ...

    async def start_target(self, target: str, position: int) -> int:
        """Where a target goes on; one that never was begins at `position`."""
        ...

    async def hold(self, lease: str, holder: str, now: datetime, ttl_s: float) -> bool:
        """Take or renew a lease; False while another live holder has it."""
        ...

    async def put_undelivered(self, item: Undelivered) -> None:
        """Keep what a target did not take, with the reason."""
        ...

    async def undelivered(self, limit: int) -> list[Undelivered]:
        """The newest of what targets did not take."""
        ...

    async def set_target_position(self, target: str, position: int) -> None:
        """The target has everything up to here."""
        ...

    async def log_access(
        self,
        who: str,
        what: str,
        at: datetime,
        reason: str | None = None,
        *,
        account: str | None = None,
        address: str | None = None,
    ) -> None:
        """Evidence and personal data were looked at, by which account from where; an original with
        the reason given."""
        ...

    async def ping(self) -> None:
        """Raises Temporary when the database does not answer."""
        ...


# --- what the center is handed by the composition root ----------------------------------------


class Tally(Protocol):
    """Counts tickets into the field's figures; made anew for every count, used by one thread."""

    def take(self, tickets: Sequence[dict[str, Any]]) -> None:
        """Some more tickets, as the desk has them."""
        ...

    def table(self, by: str, since: datetime, until: datetime) -> dict[str, dict[str, Any]]:
        """Figures of [since, until) by `grid`, `kind`, `utility`, `worker` or `district`, the most
        punctual first; JSON-ready."""
        ...

    def total(self, since: datetime, until: datetime) -> dict[str, Any]:
        """The same of all tickets together."""
        ...

    def series(self, edges: Sequence[datetime]) -> list[dict[str, Any]]:
        """The figures of all tickets in each period between two neighbouring edges."""
        ...

    def ratings(self, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """What each grid thinks of each utility's work on its tickets of [since, until): `utility
        grid n score satisfaction satisfied`, the best mean verdict first."""
        ...
