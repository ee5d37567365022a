"""The writer: a batch in one transaction, recognised when its COMMIT's answer was lost."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec
import psycopg

from contracts.batch import (
    Batch,
    Committed,
    EvidenceLink,
    PublishedEvent,
    SpoolRow,
    UnknownMessage,
)
from contracts.case import Command
from contracts.clock import monotonic
from contracts.errors import LeaseLost, Permanent
from contracts.ports import IntakeRow, Resume, RouterState, StoredBatch
from store import aside, cases, evidence, pack, partitions, resume
from store.connect import CHANNEL_OUTBOX, CHANNEL_WORK, Listener, connect
from store.failures import translated
from store.migrate import Variant
from store.queries import sql
from store.readings import ReadingSink, Seen
from store.settings import StoreSettings
from store.text import key

log = logging.getLogger(__name__)

PARTITIONS_AGAIN_S = 60.0
"""How long after a day's partition could not be made it is tried again."""


def shape(batch: Batch) -> str:
    """What tells two batches with one number apart, at no cost: how much of what is in it."""
    lengths = (
        len(getattr(batch, field))
        for field in batch.__struct_fields__
        if isinstance(getattr(batch, field), list)
    )
    return f"{batch.at.isoformat()} {'.'.join(map(str, lengths))}"


class PgWriter:
    """`contracts.ports.Writer` on PostgreSQL. One per thread; connects when first used.

    dsn      libpq connection string of a database that `migrate` has brought up to date
    source   `/gridsentry/{city}`: the CloudEvents' source
    variant  what `migrate` returned

    The lease of a batch is the one named like its writer: `acquire` it before the first commit.
    After an error the connection is closed; the next call makes a new one.
    """

    def __init__(
        self,
        dsn: str,
        source: str,
        settings: StoreSettings | None = None,
        *,
        variant: Variant = "native",
    ) -> None:
        self._dsn = dsn
        self._source = source
        self._settings = settings or StoreSettings()
        self._variant: Variant = variant
        copies = self._settings.copy == "auto"
        self._sink = ReadingSink(self._settings.copy_from if copies else None)
        self._seen = Seen(self._settings.seen_every_s)
        self._days: set[Any] | None = None
        self._no_partitions_before = 0.0
        self._connection: psycopg.Connection[Any] | None = None
        self._listener: Listener | None = None

    # --- leases --------------------------------------------------------------------------------

    def acquire(self, lease: str, holder: str, now: datetime, ttl_s: float) -> int | None:
        """Take or renew the lease; its epoch, or None while another live holder has it."""
        row = self._one(
            "acquire_lease",
            name=lease,
            holder=holder,
            now=now,
            expires_at=now + timedelta(seconds=ttl_s),
        )
        return None if row is None else int(row[0])

    def release(self, lease: str, holder: str) -> None:
        """Give it back, so that a stand-by need not wait for its end."""
        with self._use() as connection:
            connection.execute(sql("release_lease"), {"name": lease, "holder": holder})

    # --- the batch -----------------------------------------------------------------------------

    def commit(self, batch: Batch) -> Committed:
        """All of it in one transaction, or nothing. Checks the epoch.

        A batch whose number this writer has committed already in the same epoch is recognised
        (`again`) and changes nothing. Raises Temporary (try the same batch again), LeaseLost, and
        Permanent `batch_number_reused` when another batch stands under that number.
        """
        rows = pack.rows(batch.readings, batch.positions_in_batch, batch.number)
        with self._use() as connection:
            self._make_partitions(connection, batch, rows)
            due: dict[str, datetime] = {}
            with connection.transaction():
                before = self._begin(connection, batch)
                if before is not None:
                    return before
                due = self._seen.due(rows)
                committed = self._write(connection, batch, rows, due)
            self._seen.written(due)
        return committed

    def _begin(self, connection: psycopg.Connection[Any], batch: Batch) -> Committed | None:
        row = connection.execute(
            sql("begin_batch"), {"writer": batch.writer, "number": batch.number}
        ).fetchone()
        if row is None:
            raise LeaseLost(f"nobody holds the lease {batch.writer!r}: acquire it first")
        epoch, batch_epoch, stored_shape, found = row
        if epoch != batch.epoch:
            raise LeaseLost(
                f"the lease {batch.writer!r} is at epoch {epoch}, this batch was made in "
                f"{batch.epoch}: another process took over"
            )
        if batch_epoch is None:
            return None
        if batch_epoch != batch.epoch:
            raise LeaseLost(
                f"batch {batch.number} of {batch.writer!r} was committed in epoch {batch_epoch} "
                f"by another process: resume from the store"
            )
        if stored_shape != shape(batch):
            raise Permanent(
                "batch_number_reused",
                f"batch {batch.number} of {batch.writer!r} is committed with other content "
                f"({stored_shape}, now {shape(batch)})",
            )
        log.info("batch %d of %s had been committed before", batch.number, batch.writer)
        return msgspec.structs.replace(msgspec.json.decode(found, type=Committed), again=True)

    def _write(
        self,
        connection: psycopg.Connection[Any],
        batch: Batch,
        rows: list[pack.Row],
        due: dict[str, datetime],
    ) -> Committed:
        found = self._sink.insert(connection, batch, rows)
        if due:
            seen = {"device": [key(device) for device in due], "received_at": list(due.values())}
            connection.execute(sql("mark_seen"), seen)
        items_duplicate = aside.write_items(connection, batch)
        segments_duplicate = aside.write_spool(connection, batch)
        aside.write_whereabouts(connection, batch)
        faults = cases.write_events(connection, batch)
        if batch.routed_events:
            pairs = {
                "id": [key(name) for name, _ in batch.routed_events],
                "rev": [rev for _, rev in batch.routed_events],
            }
            connection.execute(sql("mark_routed"), pairs)
        faults += cases.write_changes(connection, batch, self._source)
        evidence.write_links(connection, batch)
        capped = aside.write_dead_letters(
            connection, batch, self._settings.dead_letters_per_device_day
        )
        unknown_capped = aside.write_unknown(
            connection, batch, self._settings.unknown_per_device, self._settings.unknown_total
        )
        resume.write_progress(connection, batch)
        if batch.changes:
            connection.execute(sql("notify"), {"channel": CHANNEL_OUTBOX})
        if any(not published.routed for published in batch.events):
            connection.execute(sql("notify"), {"channel": CHANNEL_WORK})
        committed = Committed(
            readings_new=found.new,
            readings_duplicate=len(rows) - found.new - found.conflicts,
            conflicts=found.conflicts,
            faults=faults,
            items_duplicate=items_duplicate,
            segments_duplicate=segments_duplicate,
            dead_letters_capped=capped,
            unknown_capped=unknown_capped,
        )
        connection.execute(
            sql("end_batch"),
            {
                "writer": batch.writer,
                "number": batch.number,
                "epoch": batch.epoch,
                "at": batch.at,
                "shape": shape(batch),
                "ts_low": min((row.ts for row in rows), default=None),
                "ts_high": max((row.ts for row in rows), default=None),
                "found": msgspec.json.encode(committed).decode(),
            },
        )
        return committed

    def _make_partitions(
        self, connection: psycopg.Connection[Any], batch: Batch, rows: list[pack.Row]
    ) -> None:
        if self._variant != "native" or not rows:
            return
        settings = self._settings
        wanted = partitions.plausible(
            pack.days(rows),
            batch.at,
            keep_days=settings.readings_days,
            ahead_days=settings.partitions_ahead_days,
        )
        if self._days is not None and wanted <= self._days:
            return
        if monotonic() < self._no_partitions_before:
            return
        try:
            self._days = partitions.ensure(connection, wanted)
        except psycopg.errors.LockNotAvailable:
            # A backup may take hours, and readings must not wait for it: those of a day without a
            # partition go to the default one, and move with the day's next reading afterwards.
            self._no_partitions_before = monotonic() + PARTITIONS_AGAIN_S
            log.info(
                "a backup or a long query holds up new days; their readings are stored as well"
            )

    # --- resume and work -----------------------------------------------------------------------

    def resume(self, writer: str) -> Resume:
        """Where this writer stood."""
        with self._use() as connection:
            return resume.read(connection, writer)

    def stored_batches(self, writer: str, after: int) -> Iterable[StoredBatch]:
        """Committed batches of this writer after that number, in order, a few at a time."""
        while True:
            with self._use() as connection:
                chunk = resume.read_batches(connection, writer, after)
            if not chunk:
                return
            yield from chunk
            after = chunk[-1].number

    def spool_rows(self, device: str, after: int) -> list[SpoolRow]:
        """Index rows of a camera's spool after that number, in order."""
        rows = self._all("spool_after", device=key(device), after=after)
        return [SpoolRow(*row) for row in rows]

    def evidence_links(self, since: datetime) -> list[EvidenceLink]:
        """Links sealed at or after `since`, and the newest of every camera, in their order."""
        with self._use() as connection:
            return evidence.read_links(connection, since)

    def event_book(self) -> list[PublishedEvent]:
        """Newest revision of every event that is open or changed within a day before the newest
        batch."""
        return [cases.read_event(*row) for row in self._all("event_book")]

    def router_state(self) -> RouterState:
        """What `Router.restore` needs, all of one moment."""
        with self._use() as connection, connection.transaction():
            connection.execute(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return resume.read_router(connection)

    def unrouted(self, limit: int) -> list[PublishedEvent]:
        """Event revisions a separate router must still take, oldest first."""
        return [cases.read_event(*row) for row in self._all("unrouted_events", limit=limit)]

    def commands(self, limit: int) -> list[Command]:
        """Commands filed and not yet answered, oldest first."""
        names = ("id", "ticket", "action", "by", "rev", "at", "reason", "note")
        return [
            Command(
                **dict(zip(names, row, strict=True)),
                data=None if data is None else msgspec.json.decode(data),
            )
            for *row, data in self._all("waiting_commands", limit=limit)
        ]

    def intake(
        self, limit: int, *, bulk: bool | None = None, districts: Sequence[str] | None = None
    ) -> list[IntakeRow]:
        """Intake rows not yet dealt with, oldest first; of these districts, only (not) bulk."""
        whose = {"bulk": bulk, "districts": None if districts is None else list(districts)}
        return [IntakeRow(*row) for row in self._all("waiting_intake", limit=limit, **whose)]

    def unknown_samples(self) -> list[UnknownMessage]:
        """The newest message of every unregistered device of an outside gateway."""
        return [UnknownMessage(*row) for row in self._all("unknown_samples")]

    def take_up_unknown(self, devices: Iterable[str]) -> int:
        """Move kept messages of these now registered devices to the intake; how many."""
        whose = {"devices": [key(device) for device in devices]}
        with self._use() as connection, connection.transaction():
            taken = connection.execute(sql("take_up_unknown"), whose).rowcount
            connection.execute(sql("forget_unknown_counts"), whose)
            if taken:
                connection.execute(sql("notify"), {"channel": CHANNEL_WORK})
        return taken

    def wait(self, seconds: float) -> bool:
        """Wait for a notification (a command, intake, an unrouted event); True if one came.

        The first call is True at once: what came before it was not listened for.
        """
        if self._listener is None:
            self._listener = Listener(self._dsn, CHANNEL_WORK, self._settings)
        return self._listener.wait(seconds)

    def close(self) -> None:
        """Close the connection."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # --- the connection ------------------------------------------------------------------------

    @contextmanager
    def _use(self) -> Iterator[psycopg.Connection[Any]]:
        """The connection, made anew when the last one broke; errors leave translated."""
        with translated():
            if self._connection is None or self._connection.closed:
                self._connection = connect(self._dsn, self._settings)
                self._days = None
                self._sink.prepare(self._connection)
            connection = self._connection
            try:
                yield connection
            except psycopg.OperationalError:
                # Its state is unknown; a new one costs a few milliseconds.
                self._connection = None
                connection.close()
                raise

    def _all(self, name: str, /, **parameters: Any) -> list[tuple[Any, ...]]:
        with self._use() as connection:
            return connection.execute(sql(name), parameters).fetchall()

    def _one(self, name: str, /, **parameters: Any) -> tuple[Any, ...] | None:
        with self._use() as connection:
            row: tuple[Any, ...] | None = connection.execute(sql(name), parameters).fetchone()
            return row


__all__ = ["PgWriter", "shape"]
