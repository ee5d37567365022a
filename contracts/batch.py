"""The unit of work: everything one batch commits in ONE transaction, and what resume needs."""

from __future__ import annotations

from datetime import datetime

import msgspec

from contracts.case import Answer, Change
from contracts.event import Event
from contracts.nouns import Position, Reading, Status


class StoredItem(msgspec.Struct, frozen=True):
    """A non-reading item kept for resume and as evidence, at its position in its batch."""

    pos: int
    noun: str
    """`trace`, `record`, `report`, `notice`, `status` (sound is never stored)."""
    device: str
    at: datetime
    received_at: datetime
    topic: str
    payload: bytes
    """The message as received: resume decodes it again."""


class SpoolRow(msgspec.Struct, frozen=True):
    """The index row of one video segment in its camera's spool."""

    device: str
    at: datetime
    received_at: datetime
    file: str
    """Path below the spool folder."""
    bytes: int
    number: int
    """Per camera, rising by one: the order detection reads in."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message set aside: first 64 KiB, its length and hash."""

    id: str
    topic: str
    received_at: datetime
    code: str
    reason: str
    device: str | None
    adapter: str
    payload: bytes
    bytes: int
    sha256: str


class UnknownMessage(msgspec.Struct, frozen=True):
    """A message of a device nobody registered: kept whole, taken up once it is."""

    device: str
    topic: str
    received_at: datetime
    payload: bytes


class PublishedEvent(msgspec.Struct, frozen=True):
    """An event revision as stored: `event.rev` is the published number, `source_rev` the
    detector's own; evidence that arrived later (clip, still) bumps the former only."""

    event: Event
    source_rev: int
    known_at: datetime
    routed: bool
    """False: a separate router process must still correlate it."""


class EvidenceLink(msgspec.Struct, frozen=True):
    """One link of a camera's chain of evidence: append-only, one for each event and content."""

    device: str
    number: int
    """Per camera, rising by one from 1."""
    event: str
    basis: str
    """SHA-256 of what the evidence was cut for (track, origin, footage, calibration): the same
    event with the same basis is not cut again."""
    prev: str
    """`hash` of the camera's link before, empty for its first."""
    hash: str
    """SHA-256 of `manifest`, which names `prev`: no earlier link can change unnoticed."""
    at: datetime
    """When it was sealed."""
    manifest: str
    """Canonical JSON, exactly the text that was hashed."""


class SiteSnapshot(msgspec.Struct, frozen=True):
    """State of one detector at one site after `batch` (for cameras: after spool `number`)."""

    kind: str
    site: str
    state: bytes
    marks: bytes
    """State of the reorder stage for this site."""
    number: int = -1


class Batch(msgspec.Struct, kw_only=True):
    """What one transaction commits. `number` rises by one per writer."""

    writer: str
    number: int
    epoch: int
    at: datetime
    """The moment (receipt time) to which this writer's timers had run."""
    readings: list[Reading] = []
    positions_in_batch: list[int] = []
    """Position of each reading in the batch, parallel to `readings`."""
    items: list[StoredItem] = []
    spool: list[SpoolRow] = []
    spool_gone: list[str] = []
    """Spool files dropped by the ring."""
    statuses: list[Status] = []
    worker_positions: list[Position] = []
    events: list[PublishedEvent] = []
    changes: list[Change] = []
    """Every change in order: what the outbox carries and the state of incidents and tickets."""
    routed_events: list[tuple[str, int]] = []
    """(id, rev) of stored events that a separate router has now taken."""
    dead_letters: list[DeadLetter] = []
    unknown: list[UnknownMessage] = []
    snapshots: list[SiteSnapshot] = []
    answers: list[Answer] = []
    evidence: list[EvidenceLink] = []
    """Links of the cameras' chains, each behind the one before it."""
    intake_done: list[int] = []
    """Ids of intake rows (reports filed over HTTP, unknown messages taken up) now dealt with."""


class Committed(msgspec.Struct, frozen=True):
    """What the transaction found."""

    readings_new: int
    readings_duplicate: int
    conflicts: int
    """Readings whose key stood already with another value, kept aside for the first time."""
    faults: int = 0
    """Event revisions and changes that were there already with other content: some detector or
    the router is not a pure fold. The first stands."""
    items_duplicate: int = 0
    segments_duplicate: int = 0
    dead_letters_capped: int = 0
    """Dead letters over the cap of their device and day: counted, not kept."""
    unknown_capped: int = 0
    """Messages of unregistered devices over the cap: counted, not kept."""
    again: bool = False
    """This very batch had been committed before (its COMMIT's answer got lost)."""


class OutboxRow(msgspec.Struct, frozen=True):
    """One change after the relay gave it its place in the stream."""

    position: int
    key: str
    """Idempotency key: `{type}:{id}:{rev}:{change}`."""
    type: str
    subject: str
    kind: str
    district: str
    change: str
    at: datetime
    data: bytes
    """The CloudEvent, structured JSON."""


class Undelivered(msgspec.Struct, frozen=True, kw_only=True):
    """A change that an outgoing target did not take."""

    target: str
    key: str
    """Idempotency key of the change: `{type}:{id}:{rev}:{change}`."""
    known_at: datetime
    """When the change became known."""
    given_up_at: datetime
    reason: str
