"""What an engine produced since it was last drained, and how a message becomes a dead letter."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from contracts.batch import DeadLetter, PublishedEvent, SiteSnapshot, StoredItem, UnknownMessage
from contracts.clock import iso
from contracts.nouns import Poison, Position, Reading, Status

if TYPE_CHECKING:
    from contracts.batch import SpoolRow
    from contracts.case import Change

KEPT_BYTES = 64 * 1024  # of a dead letter; its length and hash are kept in full
KEPT_OF_SOUND = 64  # its header: what was said stays unsaid


class Draft(msgspec.Struct, kw_only=True):
    """What the engine produced since the last drain, in order."""

    readings: list[Reading] = []
    positions_in_batch: list[int] = []
    items: list[StoredItem] = []
    statuses: list[Status] = []
    worker_positions: list[Position] = []
    events: list[PublishedEvent] = []
    changes: list[Change | DeadLetter] = []
    """Changes and dead letters in the order they became known."""
    unknown: list[UnknownMessage] = []
    snapshots: list[SiteSnapshot] = []
    spool: list[SpoolRow] = []
    late: int = 0
    arrivals: int = 0


def is_sound(topic: str) -> bool:
    """Whether such a message may hold speech."""
    return topic.rpartition("/")[0].endswith("/clip")


def dead_letter(poison: Poison, nth: int) -> DeadLetter:
    """The dead letter of a poison; its id follows from what came, when, and its place."""
    digest = hashlib.sha256(poison.payload).hexdigest()
    name = f"{poison.topic}|{iso(poison.received_at)}|{digest}|{nth}"
    return DeadLetter(
        id="d-" + hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:20],
        topic=poison.topic,
        received_at=poison.received_at,
        code=poison.code,
        reason=poison.reason,
        device=poison.device,
        adapter=poison.adapter,
        payload=poison.payload[: KEPT_OF_SOUND if is_sound(poison.topic) else KEPT_BYTES],
        bytes=len(poison.payload),
        sha256=digest,
    )
