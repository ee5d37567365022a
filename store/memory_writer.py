"""The writer in memory: the same transaction as on PostgreSQL, over dictionaries."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from contracts.batch import (
    Batch,
    Committed,
    EvidenceLink,
    PublishedEvent,
    SpoolRow,
    UnknownMessage,
)
from contracts.case import Change, Command, Incident, Silence, Ticket
from contracts.errors import LeaseLost, Permanent
from contracts.kinds import OPEN_STAGES
from contracts.nouns import Reading
from contracts.ports import IntakeRow, Resume, RouterState, StoredBatch
from contracts.wire import change_key, cloud_event
from store import pack
from store.aside import day_of, item_digest, newest_positions, newest_statuses
from store.memory import Kept, MemoryStore, Waiting
from store.text import json_bytes
from store.writer import shape

log = logging.getLogger(__name__)


class MemoryWriter:
    """`contracts.ports.Writer` on a `MemoryStore`."""

    def __init__(self, store: MemoryStore, source: str) -> None:
        self._store = store
        self._source = source
        self._waited = False

    def acquire(self, lease: str, holder: str, now: datetime, ttl_s: float) -> int | None:
        """Take or renew the lease; its epoch, or None while another live holder has it."""
        return self._store.take_lease(lease, holder, now, ttl_s)

    def release(self, lease: str, holder: str) -> None:
        """Give it back, so that a stand-by need not wait for its end."""
        with self._store.lock:
            current = self._store.leases.get(lease)
            if current is not None and current[0] == holder:
                self._store.leases[lease] = ("", current[1], None)

    def commit(self, batch: Batch) -> Committed:
        """All of it, or nothing; as `PgWriter.commit`."""
        with self._store.lock:
            before = self._begin(batch)
            if before is not None:
                return before
            # Whatever can fail does so before anything is changed.
            out = [
                (change_key(c), c, json_bytes(cloud_event(c, self._source))) for c in batch.changes
            ]
            links = self._links(batch)
            rows = pack.rows(batch.readings, batch.positions_in_batch, batch.number)
            self._store.evidence = links
            return self._write(batch, rows, out)

    def _links(self, batch: Batch) -> dict[tuple[str, int], EvidenceLink]:
        links = dict(self._store.evidence)
        for link in batch.evidence:
            stands = links.get((link.device, link.number))
            if stands is not None and stands.hash == link.hash:
                continue
            before = links.get((link.device, link.number - 1))
            behind = link.prev == (before.hash if before else "")
            twice = any((o.event, o.basis) == (link.event, link.basis) for o in links.values())
            if stands is not None or twice or not behind or (before is None and link.number != 1):
                raise LeaseLost(f"the chain of evidence of {link.device} has gone on without us")
            links[link.device, link.number] = link
        return links

    def _begin(self, batch: Batch) -> Committed | None:
        lease = self._store.leases.get(batch.writer)
        if lease is None:
            raise LeaseLost(f"nobody holds the lease {batch.writer!r}: acquire it first")
        if lease[1] != batch.epoch:
            raise LeaseLost(f"the lease {batch.writer!r} is at epoch {lease[1]}, not {batch.epoch}")
        kept = self._store.batches.get(batch.writer, {}).get(batch.number)
        if kept is None:
            return None
        if kept.batch.epoch != batch.epoch:
            raise LeaseLost(f"batch {batch.number} was committed by another process")
        if shape(kept.batch) != shape(batch):
            raise Permanent(
                "batch_number_reused", f"batch {batch.number} is committed with other content"
            )
        return msgspec.structs.replace(kept.found, again=True)

    def _write(
        self, batch: Batch, rows: list[pack.Row], out: list[tuple[str, Change, bytes]]
    ) -> Committed:
        store = self._store
        stored, conflicts = self._readings(batch, rows)
        items = []
        for item in batch.items:
            if (digest := item_digest(item)) not in store.digests:
                store.digests.add(digest)
                items.append(item)
        segments_duplicate = self._spool(batch)
        for status in newest_statuses(batch.statuses):
            old = store.statuses.get(status.device)
            if old is None or (old.at, old.received_at) <= (status.at, status.received_at):
                store.statuses[status.device] = status
        for position in newest_positions(batch.worker_positions):
            was = store.positions.get(position.worker)
            if was is None or was.at <= position.at:
                store.positions[position.worker] = position
        faults = self._cases(batch, out)
        capped = self._dead_letters(batch)
        unknown_capped = self._unknown(batch)
        for snapshot in batch.snapshots:
            where = (snapshot.kind, snapshot.site, batch.writer)
            store.snapshots[where] = (snapshot, batch.number)
        for answer in batch.answers:
            store.answers.setdefault(answer.command, answer)
        for number in batch.intake_done:
            store.intake.pop(number, None)
        found = Committed(
            readings_new=len(stored),
            readings_duplicate=len(rows) - len(stored) - conflicts,
            conflicts=conflicts,
            faults=faults,
            items_duplicate=len(batch.items) - len(items),
            segments_duplicate=segments_duplicate,
            dead_letters_capped=capped,
            unknown_capped=unknown_capped,
        )
        store.batches.setdefault(batch.writer, {})[batch.number] = Kept(batch, found, stored, items)
        if batch.changes:
            store.changed.set()
        if any(not published.routed for published in batch.events):
            store.work.set()
        return found

    def _readings(
        self, batch: Batch, rows: list[pack.Row]
    ) -> tuple[list[tuple[int, Reading]], int]:
        store, stored, conflicts = self._store, list[tuple[int, Reading]](), 0

        def conflict(*what: Any) -> int:
            before = len(store.conflicts)
            store.conflicts.add(tuple(str(part) for part in what))
            return len(store.conflicts) - before

        for row in rows:
            r = row.reading
            store.first.setdefault(r.device, r.received_at)
            store.seen[r.device] = max(r.received_at, store.seen.get(r.device, r.received_at))
            if row.by_seq:
                claim = (r.device, r.metric, r.boot, r.seq or 0)
                if claim in store.reading_keys:
                    if str(store.reading_keys[claim]) != str(r.value):
                        conflicts += conflict(*claim, r.value)
                    continue
                store.reading_keys[claim] = r.value
            name = (r.device, r.metric, row.ts, row.ident)
            old = store.readings.get(name)
            if old is None:
                store.readings[name] = (r, batch.writer, batch.number, row.pos)
                stored.append((row.pos, r))
            elif str(old[0].value) != str(r.value):
                conflicts += conflict(*name, r.value)
        return stored, conflicts

    def _spool(self, batch: Batch) -> int:
        store = self._store
        gone = set(batch.spool_gone)
        store.spool = {where: row for where, row in store.spool.items() if row.file not in gone}
        duplicate = 0
        for row in batch.spool:
            times = {(old.device, old.at) for old in store.spool.values()}
            if (row.device, row.number) in store.spool or (row.device, row.at) in times:
                duplicate += 1
            else:
                store.spool[row.device, row.number] = row
        return duplicate

    def _cases(self, batch: Batch, out: list[tuple[str, Change, bytes]]) -> int:
        store, faults = self._store, 0
        for published in batch.events:
            where = (published.event.id, published.event.rev)
            old = store.events.setdefault(where, published)
            if old is not published and json_bytes(old.event) != json_bytes(published.event):
                faults += 1
                log.error("determinism fault: event %s rev %d", *where)
        for name, rev in batch.routed_events:
            if (event := store.events.get((name, rev))) is not None:
                store.events[name, rev] = msgspec.structs.replace(event, routed=True)
        for name, change, data in out:
            body = change.body
            if isinstance(body, Incident):
                was = store.incidents.get(body.id)
                if was is None or was[1].rev < body.rev:
                    store.incidents[body.id] = (change.known_at, body)
            elif isinstance(body, Silence):
                made = store.silences.get(body.id)
                if made is None or made[1].rev < body.rev:
                    store.silences[body.id] = (change.known_at, body)
            elif isinstance(body, Ticket):
                had = store.tickets.get(body.id)
                if had is None or had[1].rev < body.rev:
                    store.tickets[body.id] = (change.known_at, body)
            waiting = store.outbox.setdefault(name, Waiting(change, data))
            if waiting.data != data:
                faults += 1
                log.error("determinism fault: change %s", name)
        return faults

    def _dead_letters(self, batch: Batch) -> int:
        store, capped = self._store, 0
        for letter in batch.dead_letters:
            if letter.id in store.dead_letters:
                continue
            where = (letter.device or "-", day_of(letter.received_at))
            store.dead_letter_days[where] = seen = store.dead_letter_days.get(where, 0) + 1
            if seen > store.settings.dead_letters_per_device_day:
                capped += 1
            else:
                store.dead_letters[letter.id] = letter
        return capped

    def _unknown(self, batch: Batch) -> int:
        store, capped = self._store, 0
        for message in batch.unknown:
            kept = sum(m.device == message.device for m in store.unknown.values())
            settings = store.settings
            if kept >= settings.unknown_per_device or len(store.unknown) >= settings.unknown_total:
                capped += 1
            else:
                store.unknown[store.number()] = message
        return capped

    # --- resume and work -----------------------------------------------------------------------

    def resume(self, writer: str) -> Resume:
        """Where this writer stood."""
        with self._store.lock:
            book = self._store.batches.get(writer, {})
            snapshots = [
                pair
                for (_, _, whose), pair in sorted(self._store.snapshots.items())
                if whose == writer
            ]
            last = max(book, default=0)
            return Resume(
                last_batch=last,
                at=book[last].batch.at if book else None,
                snapshots=snapshots,
                oldest_batch=min((batch for _, batch in snapshots), default=0),
            )

    def stored_batches(self, writer: str, after: int) -> Iterable[StoredBatch]:
        """Committed batches of this writer after that number, in order."""
        with self._store.lock:
            book = dict(self._store.batches.get(writer, {}))
        for number in sorted(number for number in book if number > after):
            kept = book[number]
            yield StoredBatch(
                number=number,
                at=kept.batch.at,
                readings=sorted(kept.readings, key=lambda pair: pair[0]),
                items=sorted(kept.items, key=lambda item: item.pos),
            )

    def spool_rows(self, device: str, after: int) -> list[SpoolRow]:
        """Index rows of a camera's spool after that number, in order."""
        with self._store.lock:
            return [
                row
                for (name, number), row in sorted(self._store.spool.items(), key=lambda e: e[0])
                if name == device and number > after
            ]

    def evidence_links(self, since: datetime) -> list[EvidenceLink]:
        """Links sealed at or after `since`, and the newest of every camera, in their order."""
        with self._store.lock:
            newest: dict[str, int] = {}
            for device, number in self._store.evidence:
                newest[device] = max(number, newest.get(device, 0))
            return [
                link
                for (device, number), link in sorted(self._store.evidence.items())
                if link.at >= since or newest[device] == number
            ]

    def event_book(self) -> list[PublishedEvent]:
        """Newest revision of every event that is open or changed within a day."""
        with self._store.lock:
            since = self._store.day_before()
            book = [
                published
                for published in self._store.newest_events()
                if published.event.phase != "closed"
                or (since is not None and published.known_at >= since)
            ]
        return sorted(book, key=lambda p: (p.known_at, p.event.id))

    def router_state(self) -> RouterState:
        """What `Router.restore` needs."""
        with self._store.lock:
            since = self._store.day_before()
            worked_on = {
                t.incident for _, t in self._store.tickets.values() if t.stage in OPEN_STAGES
            }
            incidents = [
                incident
                for _, incident in self._store.incidents.values()
                if incident.closed_at is None
                or (since is not None and incident.closed_at >= since)
                or incident.id in worked_on
            ]
            silences = [
                silence
                for _, silence in self._store.silences.values()
                if silence.ended_at is None or (since is not None and silence.ended_at >= since)
            ]
            tickets = [
                ticket
                for known_at, ticket in self._store.tickets.values()
                if ticket.stage in OPEN_STAGES or (since is not None and known_at >= since)
            ]
            return RouterState(
                incidents=sorted(incidents, key=lambda i: (i.opened_at, i.id)),
                tickets=sorted(tickets, key=lambda t: (t.opened_at, t.id)),
                events=self.event_book(),
                positions=[self._store.positions[name] for name in sorted(self._store.positions)],
                silences=sorted(silences, key=lambda s: (s.made_at, s.id)),
            )

    def unrouted(self, limit: int) -> list[PublishedEvent]:
        """Event revisions a separate router must still take, oldest first."""
        with self._store.lock:
            waiting = [
                published for published in self._store.events.values() if not published.routed
            ]
        waiting.sort(key=lambda p: (p.known_at, p.event.id, p.event.rev))
        return waiting[:limit]

    def commands(self, limit: int) -> list[Command]:
        """Commands filed and not yet answered, oldest first."""
        with self._store.lock:
            waiting = [c for c in self._store.commands.values() if c.id not in self._store.answers]
        return sorted(waiting, key=lambda c: (c.at, c.id))[:limit]

    def intake(
        self, limit: int, *, bulk: bool | None = None, districts: Sequence[str] | None = None
    ) -> list[IntakeRow]:
        """Intake rows not yet dealt with, oldest first; of these districts, only (not) bulk."""
        with self._store.lock:
            waiting = [self._store.intake[number] for number in sorted(self._store.intake)]
        return [
            row
            for row in waiting
            if (bulk is None or (_is_ours(row.topic) and row.topic.count("/") > 5) == bulk)
            and (
                districts is None
                or not _is_ours(row.topic)
                or f"{row.topic}////".split("/")[2] == "worker"
                or f"{row.topic}////".split("/")[3] in districts
            )
        ][:limit]

    def unknown_samples(self) -> list[UnknownMessage]:
        """The newest message of every unregistered device of an outside gateway."""
        with self._store.lock:
            newest = {m.device: m for _, m in sorted(self._store.unknown.items())
                      if not _is_ours(m.topic)}  # fmt: skip
        return [newest[device] for device in sorted(newest)]

    def take_up_unknown(self, devices: Iterable[str]) -> int:
        """Move kept messages of these now registered devices to the intake; how many."""
        wanted, store = set(devices), self._store
        with store.lock:
            taken = [number for number, m in sorted(store.unknown.items()) if m.device in wanted]
            for number in taken:
                message = store.unknown.pop(number)
                row = store.number()
                store.intake[row] = IntakeRow(
                    row, message.topic, message.payload, message.received_at
                )
        if taken:
            store.work.set()
        return len(taken)

    def wait(self, seconds: float) -> bool:
        """Wait for a notification; the first call is True at once, as on PostgreSQL."""
        if not self._waited:
            self._waited = True
            return True
        came = self._store.work.wait(seconds)
        self._store.work.clear()
        return came

    def close(self) -> None:
        """Nothing to close."""


def _is_ours(topic: str) -> bool:
    return topic.startswith("gridsentry/v1/")
