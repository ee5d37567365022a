"""Taking up where a writer or the router stood."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import psycopg

from contracts.batch import Batch, SiteSnapshot, StoredItem
from contracts.case import Incident, Silence, Ticket
from contracts.geo import Point
from contracts.kinds import OPEN_STAGES, STAGES
from contracts.nouns import Position, Reading
from contracts.ports import Resume, RouterState, StoredBatch
from store.cases import columns, read_event
from store.pack import unsigned
from store.queries import sql
from store.text import key, storable

Connection = psycopg.Connection[Any]
CHUNK = 200
"""Batches read at a time: a few hundred thousand readings at most."""
ENDED_STAGES = sorted(set(STAGES) - OPEN_STAGES)


def write_progress(connection: Connection, batch: Batch) -> None:
    """Snapshots, answers to commands and finished intake of a batch."""
    if batch.snapshots:
        newest = {(snapshot.kind, snapshot.site): snapshot for snapshot in batch.snapshots}
        rows: list[dict[str, Any]] = [
            {
                "kind": key(snapshot.kind),
                "site": key(snapshot.site),
                "state": snapshot.state,
                "marks": snapshot.marks,
                "number": snapshot.number,
            }
            for snapshot in newest.values()
        ]
        whose = {"writer": batch.writer, "batch": batch.number}
        connection.execute(sql("upsert_snapshots"), whose | columns(rows))
    if batch.answers:
        rows = [
            {
                "command": key(answer.command),
                "ok": answer.ok,
                "reason": storable(answer.reason),
                "rev": answer.rev,
            }
            for answer in batch.answers
        ]
        cols = columns(rows)
        connection.execute(sql("insert_answers"), cols)
        connection.execute(sql("mark_answered"), {"ids": cols["command"]})
    if batch.intake_done:
        connection.execute(sql("finish_intake"), {"ids": batch.intake_done})


def read(connection: Connection, writer: str) -> Resume:
    """The newest batch and the snapshots of this writer."""
    with connection.transaction():
        connection.execute(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        last = connection.execute(sql("last_batch"), {"writer": writer}).fetchone()
        rows = connection.execute(sql("writer_snapshots"), {"writer": writer}).fetchall()
    snapshots = [
        (SiteSnapshot(kind, site, bytes(state), bytes(marks), number), int(batch))
        for kind, site, state, marks, number, batch in rows
    ]
    return Resume(
        last_batch=0 if last is None else int(last[0]),
        at=None if last is None else last[1],
        snapshots=snapshots,
        oldest_batch=min((batch for _, batch in snapshots), default=0),
    )


def read_batches(connection: Connection, writer: str, after: int) -> list[StoredBatch]:
    """The next few committed batches after that number, with their readings and items."""
    heads = connection.execute(
        sql("batches_after"), {"writer": writer, "after": after, "limit": CHUNK}
    ).fetchall()
    if not heads:
        return []
    book = {
        int(number): StoredBatch(number=int(number), at=at, readings=[], items=[])
        for number, at, _, _ in heads
    }
    span: dict[str, Any] = {"writer": writer, "low": min(book), "high": max(book)}
    lows: list[datetime] = [low for _, _, low, _ in heads if low is not None]
    if lows:
        bounds = {"ts_low": min(lows), "ts_high": max(h for _, _, _, h in heads if h is not None)}
        for batch, pos, *row in connection.execute(sql("readings_of_batches"), span | bounds):
            book[batch].readings.append((pos, _reading(tuple(row))))
    for batch, pos, noun, device, at, received_at, topic, payload in connection.execute(
        sql("items_of_batches"), span
    ):
        book[batch].items.append(
            StoredItem(pos, noun, device, at, received_at, topic, bytes(payload))
        )
    return list(book.values())


def _reading(row: tuple[Any, ...]) -> Reading:
    device, metric, value, at, received_at, sent_at, boot, seq, quality = row
    return Reading(
        device=device,
        metric=metric,
        value=value,
        at=at,
        received_at=received_at,
        sent_at=sent_at,
        boot=unsigned(boot),
        seq=None if seq is None else unsigned(seq),
        quality=quality,
    )


def read_router(connection: Connection) -> RouterState:
    """Open incidents and tickets, those ended within a day, their events, silences, positions."""
    incidents = connection.execute(sql("live_incidents"), {"ended": ENDED_STAGES}).fetchall()
    tickets = connection.execute(sql("live_tickets"), {"ended": ENDED_STAGES}).fetchall()
    events = connection.execute(sql("event_book")).fetchall()
    silences = connection.execute(sql("live_silences")).fetchall()
    positions = connection.execute(sql("all_worker_positions")).fetchall()
    return RouterState(
        incidents=[msgspec.json.decode(body, type=Incident) for (body,) in incidents],
        tickets=[msgspec.json.decode(body, type=Ticket) for (body,) in tickets],
        events=[read_event(*row) for row in events],
        positions=[
            Position(worker, at, received_at, Point(lon, lat), accuracy_m)
            for worker, at, received_at, lon, lat, accuracy_m in positions
        ],
        silences=[msgspec.json.decode(body, type=Silence) for (body,) in silences],
    )
