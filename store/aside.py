"""What a batch keeps beside readings and cases: items, spool index, the poisoned, the unknown."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import psycopg

from contracts.batch import Batch, DeadLetter, StoredItem, UnknownMessage
from contracts.nouns import Position, Status
from store.cases import columns
from store.queries import sql
from store.text import key, storable

Connection = psycopg.Connection[Any]
DEAD_LETTER_BYTES = 65_536
"""A dead letter keeps the first 64 KiB (the design); its length and hash are of the whole."""


def item_digest(item: StoredItem) -> bytes:
    """Identity of an item: what was said, where. A message delivered again has the same."""
    head = f"{item.noun}\0{item.device}\0{item.topic}\0".encode("utf-8", "backslashreplace")
    return hashlib.sha256(head + item.payload).digest()


def write_items(connection: Connection, batch: Batch) -> int:
    """The batch's items; how many were there already."""
    if not batch.items:
        return 0
    rows = [
        {
            "pos": item.pos,
            "noun": key(item.noun),
            "device": key(item.device),
            "at": item.at,
            "received_at": item.received_at,
            "topic": storable(item.topic),
            "payload": item.payload,
            "digest": item_digest(item),
        }
        for item in batch.items
    ]
    whose = {"writer": batch.writer, "batch": batch.number}
    new = connection.execute(sql("insert_items"), whose | columns(rows)).rowcount
    return len(rows) - new


def write_spool(connection: Connection, batch: Batch) -> int:
    """Index rows of segments, those of dropped files removed; how many were there already."""
    duplicate = 0
    if batch.spool_gone:
        connection.execute(
            sql("forget_spool_files"), {"files": [key(name) for name in batch.spool_gone]}
        )
    if batch.spool:
        rows = [
            {
                "device": key(row.device),
                "number": row.number,
                "at": row.at,
                "received_at": row.received_at,
                "file": key(row.file),
                "bytes": row.bytes,
            }
            for row in batch.spool
        ]
        duplicate = len(rows) - connection.execute(sql("insert_spool"), columns(rows)).rowcount
    return duplicate


def newest_statuses(statuses: list[Status]) -> list[Status]:
    """The last word of each device, by its time, then by receipt."""
    last: dict[str, Status] = {}
    for status in statuses:
        before = last.get(status.device)
        if before is None or (before.at, before.received_at) <= (status.at, status.received_at):
            last[status.device] = status
    return list(last.values())


def newest_positions(positions: list[Position]) -> list[Position]:
    """The last position of each worker."""
    last: dict[str, Position] = {}
    for position in positions:
        if position.worker not in last or last[position.worker].at <= position.at:
            last[position.worker] = position
    return list(last.values())


def write_whereabouts(connection: Connection, batch: Batch) -> None:
    """On- and offline of devices, positions of workers: only the newest is kept."""
    if batch.statuses:
        rows: list[dict[str, Any]] = [
            {
                "device": key(status.device),
                "at": status.at,
                "received_at": status.received_at,
                "online": status.online,
            }
            for status in newest_statuses(batch.statuses)
        ]
        connection.execute(sql("upsert_statuses"), columns(rows))
    if batch.worker_positions:
        rows = [
            {
                "worker": key(position.worker),
                "at": position.at,
                "received_at": position.received_at,
                "lon": position.point.lon,
                "lat": position.point.lat,
                "accuracy_m": position.accuracy_m,
            }
            for position in newest_positions(batch.worker_positions)
        ]
        connection.execute(sql("upsert_worker_positions"), columns(rows))


def day_of(moment: datetime) -> date:
    """UTC day."""
    return moment.astimezone(UTC).date()


def write_dead_letters(connection: Connection, batch: Batch, cap: int) -> int:
    """Dead letters up to the cap of their device and day; how many were over it.

    One that is there already is neither kept nor counted again.
    """
    if not batch.dead_letters:
        return 0
    known = {
        row[0]
        for row in connection.execute(
            sql("known_dead_letters"), {"ids": [key(letter.id) for letter in batch.dead_letters]}
        )
    }
    fresh: dict[str, DeadLetter] = {}
    for letter in batch.dead_letters:
        if key(letter.id) not in known:
            fresh.setdefault(key(letter.id), letter)
    if not fresh:
        return 0
    count = Counter(
        (key(letter.device or "-"), day_of(letter.received_at)) for letter in fresh.values()
    )
    rows = [{"device": device, "day": day, "seen": n} for (device, day), n in count.items()]
    seen = {
        (device, day): int(total)
        for device, day, total in connection.execute(sql("count_dead_letters"), columns(rows))
    }
    room = {where: max(0, cap - (seen[where] - count[where])) for where in count}
    kept: list[dict[str, Any]] = []
    for name, letter in fresh.items():
        where = (key(letter.device or "-"), day_of(letter.received_at))
        if room[where] > 0:
            room[where] -= 1
            kept.append(_letter_row(name, letter))
    if kept:
        connection.execute(sql("insert_dead_letters"), columns(kept))
    return len(fresh) - len(kept)


def _letter_row(name: str, letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": name,
        "topic": storable(letter.topic),
        "received_at": letter.received_at,
        "code": key(letter.code),
        "reason": storable(letter.reason),
        "device": None if letter.device is None else key(letter.device),
        "adapter": key(letter.adapter),
        "payload": letter.payload[:DEAD_LETTER_BYTES],
        "bytes": letter.bytes,
        "sha256": letter.sha256,
    }


def write_unknown(connection: Connection, batch: Batch, per_device: int, total: int) -> int:
    """Messages of unregistered devices, whole, up to the caps; how many were over them."""
    if not batch.unknown:
        return 0
    by_device: dict[str, list[UnknownMessage]] = {}
    for message in batch.unknown:
        by_device.setdefault(key(message.device), []).append(message)
    room: dict[str, int] = {}
    left = 0
    for device, kept, all_kept in connection.execute(
        sql("unknown_room"), {"device": sorted(by_device)}
    ):
        room[device] = max(0, per_device - int(kept))
        left = max(0, total - int(all_kept))
    rows: list[dict[str, Any]] = []
    counts: list[dict[str, Any]] = []
    for device, messages in by_device.items():
        taken = messages[: min(room[device], left)]
        left -= len(taken)
        rows += [
            {
                "device": device,
                "topic": storable(message.topic),
                "received_at": message.received_at,
                "payload": message.payload,
                "sha256": hashlib.sha256(message.payload).hexdigest(),
            }
            for message in taken
        ]
        counts.append(
            {
                "device": device,
                "kept": len(taken),
                "dropped": len(messages) - len(taken),
                "last_at": max(message.received_at for message in messages),
            }
        )
    connection.execute(sql("count_unknown"), columns(counts))
    if rows:
        connection.execute(sql("insert_unknown"), columns(rows))
    return len(batch.unknown) - len(rows)
