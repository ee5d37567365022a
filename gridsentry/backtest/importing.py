"""A recording becomes history: its readings and items are stored, nobody is told of them.

What makes it count once, however often it is imported:

- a reading that carries a time or a sequence number has its identity from the device, as always;
- a reading with neither is identified by its place: batch and position. Both follow here from the
  bytes of the recording alone (`Cutter`), never from what is known of its devices, so the same
  message has the same place in every import;
- items are recognised by what was said.

Every import of a recording writes under a name of its own (`import <hash>.<run>`), with a lease:
numbers of batches begin anew in each, and two processes do not import the same recording at once.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections import Counter
from contextlib import suppress
from typing import IO, TYPE_CHECKING

import msgspec

from contracts.batch import Batch, StoredItem
from contracts.clock import monotonic
from contracts.errors import LeaseLost, Refused, Temporary
from contracts.nouns import (
    Clip,
    Poison,
    Position,
    Quality,
    Reading,
    Segment,
    Sound,
    Still,
)
from gridsentry.engine.draft import dead_letter
from ingest.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from contracts.batch import Committed, DeadLetter
    from contracts.clock import Clock
    from contracts.nouns import Arrival, Item
    from contracts.ports import Decoder, Writer

BATCH_BYTES = 512 * 1024
"""Payload bytes of one batch: some 8,000 readings of small messages. Below 2^20, which is how much
of a position goes into the identity of a reading without a key (`store.pack.unkeyed_ident`)."""
BATCH_MESSAGES = 5_000
LEASE_S = 60.0
TRIES = 6
UNKEYED = int(Quality.UNKEYED)
MEDIA = (Segment, Still, Clip, Sound)


class Tally(msgspec.Struct):
    """What became of the recordings so far."""

    messages: int = 0
    readings: int = 0
    new: int = 0
    duplicate: int = 0
    conflicts: int = 0
    unkeyed: int = 0
    """Readings without a time and without a number of their own."""
    old: int = 0
    """Readings from before what the store keeps: its retention lets them go."""
    items: int = 0
    items_duplicate: int = 0
    media: int = 0
    """Messages with pictures or sound, which the store does not keep."""
    positions: int = 0
    """Whereabouts of workers: only the newest is ever kept, so old ones are left out."""
    dead: Counter[str] = msgspec.field(default_factory=Counter)
    """Messages nobody could read, by code."""
    reasons: dict[str, str] = {}
    """The first reason of each code."""
    dead_capped: int = 0
    unknown: Counter[str] = msgspec.field(default_factory=Counter)
    """Messages of devices nobody registered, by device."""
    first: datetime | None = None
    last: datetime | None = None
    """Receipt of the first and the last message."""
    before: int = 0
    """Recordings that had been imported before."""
    batches: int = 0

    def changed(self) -> bool:
        """Whether anything was stored that was not there."""
        return bool(self.new or self.conflicts or self.items - self.items_duplicate)


class Digest(msgspec.Struct, frozen=True):
    """What a recording is: the hash of its lines, and how many there are."""

    sha256: str
    lines: int


def digest(path: Path) -> Digest:
    """Of its content: packed or not makes no difference. A file that breaks off is told when it is
    read."""
    found, lines = hashlib.sha256(), 0
    with path.open("rb") as raw:
        stream: IO[bytes] | gzip.GzipFile = raw
        if raw.read(2) == b"\x1f\x8b":
            stream = gzip.GzipFile(fileobj=raw, mode="rb")
        raw.seek(0)
        with suppress(EOFError, zlib.error, gzip.BadGzipFile):
            while piece := stream.read(1 << 20):
                found.update(piece)
                lines += piece.count(b"\n")
    return Digest(found.hexdigest(), lines)


class Cutter:
    """Where each message stands: (batch, first position), from the bytes before it alone.

    A message's positions begin at the payload bytes before it in its batch; a message has never
    more nouns than bytes, so no two share a place.
    """

    def __init__(self) -> None:
        self.batch = 1
        self._bytes = 0
        self._messages = 0

    def place(self, payload: bytes) -> tuple[int, int]:
        """Of the next message."""
        full = self._bytes + len(payload) > BATCH_BYTES or self._messages >= BATCH_MESSAGES
        if self._messages and full:
            self.batch += 1
            self._bytes = self._messages = 0
        at = self._bytes
        self._bytes += len(payload)
        self._messages += 1
        return self.batch, at


class Importer:
    """Imports one recording.

    store     a writer of its own: it connects when first used
    holder    who holds the lease, distinct for each process
    oldest    readings from before then are counted as `old`
    """

    def __init__(
        self,
        store: Writer,
        decoder: Decoder,
        clock: Clock,
        holder: str,
        oldest: datetime,
        tally: Tally,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        """`told` is called after every batch."""
        self._store = store
        self._decoder = decoder
        self._clock = clock
        self._holder = holder
        self._oldest = oldest
        self._tally = tally
        self._told = told
        self._screen = Screen()
        self._name = ""
        self._epoch = 0
        self._lease_at = 0.0

    def run(self, sha256: str, arrivals: Iterable[Arrival]) -> None:
        """All of it. What came before an error of the recording is stored. Raises Wrong (of the
        recording), Refused (another process imports it), Temporary (the database is away)."""
        self._begin(sha256)
        cutter = Cutter()
        batch = self._batch(1)
        try:
            try:
                for arrival in arrivals:
                    number, pos = cutter.place(arrival.payload)
                    if number != batch.number:
                        self._commit(batch)
                        batch = self._batch(number)
                    self._take(batch, arrival, pos)
            finally:
                self._commit(batch)
        finally:
            self._store.release(self._name, self._holder)

    # --- the lease ----------------------------------------------------------------------------

    def _begin(self, sha256: str) -> None:
        """Take the first name that no import of this recording had: a lease at its first epoch."""
        run = 0
        while True:
            run += 1
            self._name = f"import {sha256[:12]}.{run}"
            epoch = self._store.acquire(self._name, self._holder, self._clock.now(), LEASE_S)
            if epoch is None:
                raise Refused(
                    "another process imports this recording now, or was killed within the last "
                    "minute: wait, then try again"
                )
            self._epoch, self._lease_at = epoch, monotonic()
            if epoch == 1:
                break
            self._store.release(self._name, self._holder)
        self._tally.before += run > 1

    def _renew(self) -> None:
        if monotonic() - self._lease_at < LEASE_S / 3:
            return
        epoch = self._store.acquire(self._name, self._holder, self._clock.now(), LEASE_S)
        if epoch != self._epoch:
            raise LeaseLost(f"{self._name} is held by another process now")
        self._lease_at = monotonic()

    # --- batches ------------------------------------------------------------------------------

    def _batch(self, number: int) -> Batch:
        return Batch(writer=self._name, number=number, epoch=self._epoch, at=self._clock.now())

    def _take(self, batch: Batch, arrival: Arrival, pos: int) -> None:
        tally = self._tally
        tally.messages += 1
        tally.first = tally.first or arrival.received_at
        tally.last = arrival.received_at
        nouns = self._decoder.decode(arrival)
        kept = False
        for at, noun in enumerate(nouns, pos):
            if type(noun) is Reading:
                reading = self._screen.annotate(noun)
                tally.readings += 1
                tally.unkeyed += bool(reading.quality & UNKEYED)
                tally.old += (reading.sent_at or reading.received_at) < self._oldest
                batch.readings.append(reading)
                batch.positions_in_batch.append(at)
            elif isinstance(noun, Poison):
                self._refuse(batch, noun, at - pos)
            elif isinstance(noun, Position):
                tally.positions += 1
            elif isinstance(noun, MEDIA):
                tally.media += 1
            elif not kept:
                kept = True  # the whole message, once
                batch.items.append(_item(arrival, noun, at))

    def _refuse(self, batch: Batch, poison: Poison, nth: int) -> None:
        tally = self._tally
        if poison.code == "unknown_device":
            # Not kept for later: what is kept, the service takes up as if it came now, and opens
            # incidents of it. The recording is still there when they are registered.
            tally.unknown[poison.device or "?"] += 1
            return
        letter: DeadLetter = dead_letter(poison, nth)
        tally.dead[letter.code] += 1
        tally.reasons.setdefault(letter.code, letter.reason)
        batch.dead_letters.append(letter)

    def _commit(self, batch: Batch) -> None:
        if batch.readings or batch.items or batch.dead_letters:
            self._renew()
            found = self._patiently(batch)
            tally = self._tally
            tally.batches += 1
            tally.new += found.readings_new
            tally.duplicate += found.readings_duplicate
            tally.conflicts += found.conflicts
            tally.items += len(batch.items)
            tally.items_duplicate += found.items_duplicate
            tally.dead_capped += found.dead_letters_capped
        self._told()

    def _patiently(self, batch: Batch) -> Committed:
        for nth in range(TRIES - 1):
            try:
                return self._store.commit(batch)
            except Temporary:
                self._clock.sleep(0.2 * 2**nth)
        return self._store.commit(batch)


def _item(arrival: Arrival, noun: Item, pos: int) -> StoredItem:
    return StoredItem(
        pos,
        type(noun).__name__.lower(),
        noun.device,
        noun.at,
        arrival.received_at,
        arrival.topic,
        arrival.payload,
    )


def summary(tally: Tally, keep_days: int) -> Sequence[str]:
    """What people read in the end, a line each."""
    lines = [
        f"{tally.messages:,} messages, {tally.readings:,} readings: {tally.new:,} new, "
        f"{tally.duplicate:,} there already, {tally.conflicts:,} in conflict "
        "(same identity, other value: the first stands, the other is kept aside)",
    ]
    if tally.items:
        fresh = tally.items - tally.items_duplicate
        lines.append(
            f"{tally.items:,} traces, records, reports and notices: {fresh:,} new, "
            f"{tally.items_duplicate:,} there already"
        )
    if tally.first is not None and tally.last is not None:
        lines.append(
            f"received from {tally.first:%Y-%m-%d %H:%M:%S} to {tally.last:%Y-%m-%d %H:%M:%S} UTC"
        )
    if tally.media:
        lines.append(
            f"{tally.media:,} messages with pictures or sound are left out: the store keeps none"
        )
    if tally.positions:
        lines.append(
            f"{tally.positions:,} positions of workers are left out: only the newest is kept"
        )
    lines += _trouble(tally, keep_days)
    if tally.messages and not tally.changed():
        again = "imported before; " if tally.before else ""
        lines.append(f"{again}nothing was new: the store is as it was")
    return lines


def _trouble(tally: Tally, keep_days: int) -> Iterable[str]:
    if tally.unkeyed:
        yield (
            f"{tally.unkeyed:,} readings carry neither time nor number: each is counted once for "
            "this recording, but the service may have the same from the broker"
        )
    if tally.old:
        yield (
            f"{tally.old:,} readings are from before what is kept ([store] readings_days = "
            f"{keep_days}): the next clean-up lets them go, unless that is raised"
        )
    for code, count in tally.dead.most_common():
        yield f"{count:,} messages nobody could read ({code}), the first: {tally.reasons[code]}"
    if tally.dead_capped:
        yield f"{tally.dead_capped:,} of these are over the cap of their device and day: not kept"
    if tally.unknown:
        named = ", ".join(name for name, _ in tally.unknown.most_common(8))
        more = len(tally.unknown) - 8
        yield (
            f"{tally.unknown.total():,} messages of {len(tally.unknown):,} devices that are not in "
            f"the city folder ({named}{f' and {more:,} more' if more > 0 else ''}): register them "
            "and import again, only theirs is new then"
        )
