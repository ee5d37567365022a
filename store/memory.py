"""The store in memory: the same promises as on PostgreSQL, for fast tests.

`MemoryStore` is the database; `MemoryRelay`, `MemoryWriter` (memory_writer.py) and `MemoryDesk`
(memory_desk.py) share one. Nothing is durable. The law tests run over both twins.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from contracts.accounts import View
from contracts.batch import (
    Batch,
    Committed,
    DeadLetter,
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
from contracts.nouns import Position, Reading, Status
from contracts.ports import IntakeRow
from store.memory_annals import MemoryAnnals, StoreCases
from store.settings import StoreSettings
from store.text import storable

ReadingKey = tuple[str, str, datetime, int]


class Kept(msgspec.Struct):
    """A committed batch: what it found, and its own rows."""

    batch: Batch
    found: Committed
    readings: list[tuple[int, Reading]]
    items: list[StoredItem]


class Waiting(msgspec.Struct):
    """An outbox row, with its place in the stream once it has one."""

    change: Change
    data: bytes
    position: int | None = None


class MemoryStore:
    """All tables, one lock."""

    def __init__(self, settings: StoreSettings | None = None) -> None:
        self.settings = settings or StoreSettings()
        self.lock = threading.RLock()
        self.leases: dict[str, tuple[str, int, datetime | None]] = {}
        self.batches: dict[str, dict[int, Kept]] = {}
        self.readings: dict[ReadingKey, tuple[Reading, str, int, int]] = {}
        self.reading_keys: dict[tuple[str, str, int, int], float] = {}
        self.conflicts: set[tuple[Any, ...]] = set()
        self.seen: dict[str, datetime] = {}
        self.first: dict[str, datetime] = {}
        """When each device was first heard."""
        self.digests: set[bytes] = set()
        self.spool: dict[tuple[str, int], SpoolRow] = {}
        self.events: dict[tuple[str, int], PublishedEvent] = {}
        self.incidents: dict[str, tuple[datetime, Incident]] = {}
        self.tickets: dict[str, tuple[datetime, Ticket]] = {}
        self.silences: dict[str, tuple[datetime, Silence]] = {}
        self.outbox: dict[str, Waiting] = {}
        self.newest = 0
        self.targets: dict[str, int] = {}
        self.undelivered: dict[tuple[str, str], Undelivered] = {}
        self.dead_letters: dict[str, DeadLetter] = {}
        self.dead_letter_days: dict[tuple[str, date], int] = {}
        self.unknown: dict[int, UnknownMessage] = {}
        self.intake: dict[int, IntakeRow] = {}
        self.commands: dict[str, Command] = {}
        self.answers: dict[str, Answer] = {}
        self.statuses: dict[str, Status] = {}
        self.positions: dict[str, Position] = {}
        self.snapshots: dict[tuple[str, str, str], tuple[SiteSnapshot, int]] = {}
        self.access: list[View] = []
        self.evidence: dict[tuple[str, int], EvidenceLink] = {}
        self.work = threading.Event()
        self.changed = threading.Event()
        """Committed changes wait for the relay."""
        self.followers: list[Callable[[], None]] = []
        self._number = 0
        self.annals = MemoryAnnals(StoreCases(self))

    def number(self) -> int:
        """The next number for an intake row or an unknown message."""
        self._number += 1
        return self._number

    def take_lease(self, lease: str, holder: str, now: datetime, ttl_s: float) -> int | None:
        """Take or renew the lease; its epoch, or None while another live holder has it."""
        with self.lock:
            current, epoch, expires_at = self.leases.get(lease, (holder, 1, now))
            if current != holder:
                if expires_at is not None and expires_at > now:
                    return None
                epoch += 1
            self.leases[lease] = (holder, epoch, now + timedelta(seconds=ttl_s))
            return epoch

    def newest_events(self) -> list[PublishedEvent]:
        """The newest revision of every event."""
        newest: dict[str, PublishedEvent] = {}
        for (name, rev), published in self.events.items():
            if name not in newest or newest[name].event.rev < rev:
                newest[name] = published
        return list(newest.values())

    def day_before(self) -> datetime | None:
        """A day before the newest batch."""
        ats = [kept.batch.at for book in self.batches.values() for kept in book.values()]
        return max(ats) - timedelta(days=1) if ats else None


class MemoryRelay:
    """`store.relay.PgRelay` on a `MemoryStore`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def step(self, limit: int = 1000) -> int:
        """Give places to waiting rows; how many got one."""
        store = self._store
        with store.lock:
            all_waiting = [row for row in store.outbox.values() if row.position is None]
            chosen = {(row.change.type, row.change.id) for row in all_waiting[:limit]}
            waiting = [r for r in all_waiting if (r.change.type, r.change.id) in chosen]
            subjects: dict[tuple[str, str], list[Waiting]] = {}
            for row in waiting:
                subjects.setdefault((row.change.type, row.change.id), []).append(row)
            queues = {
                name: iter(sorted(rows, key=lambda r: r.change.rev))
                for name, rows in subjects.items()
            }
            for row in waiting:
                store.newest += 1
                next(queues[row.change.type, row.change.id]).position = store.newest
            followers = list(store.followers)
        if waiting:
            for wake in followers:
                wake()
        return len(waiting)

    def run(self, stop: threading.Event, idle_s: float = 0.5) -> None:
        """Relay until `stop` is set."""
        while not stop.is_set():
            while self.step():
                pass
            self._store.changed.wait(idle_s)
            self._store.changed.clear()

    def close(self) -> None:
        """Nothing to close."""


def as_row(name: str, waiting: Waiting) -> OutboxRow:
    """A placed outbox row as the stream carries it."""
    change = waiting.change
    return OutboxRow(
        position=waiting.position or 0,
        key=name,
        type=change.type,
        subject=change.id,
        kind=change.body.kind,
        district=storable(change.district),
        change=change.change,
        at=change.known_at,
        data=waiting.data,
    )
