"""Events: what a detector says is wrong. An event is an episode, published as revisions."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Literal

import msgspec

from contracts.clock import iso


class Place(msgspec.Struct, frozen=True):
    """Where something is; `grid` is filled in by the gazetteer, not by detectors."""

    lon: float
    lat: float
    grid: str | None = None
    address: str | None = None


class Footage(msgspec.Struct, frozen=True):
    """The piece of video that proves an event; cut from the spool by the evidence stage."""

    device: str
    start: datetime
    end: datetime
    best: datetime
    """The moment of the best still."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of one episode. `(id, rev)` with the same content is a duplicate.

    `id` comes from `event_id`, so a restarted detector names the same episode the same way.
    `at` is the onset; a corrected onset is the field `at`, never a new id.
    """

    id: str
    rev: int
    kind: str
    site: str
    device: str | None
    at: datetime
    severity: int
    """1 minor … 5 extreme."""
    place: Place
    phase: Literal["opened", "updated", "closed"]
    evidence: dict[str, Any]
    """JSON-ready facts of the kind (see the wire contract) and the numbers behind them."""
    footage: Footage | None = None


def event_id(kind: str, site: str, onset: datetime, ordinal: int = 0) -> str:
    """The id of the episode of `kind` at `site` first published with `onset`.

    `ordinal` counts episodes with that same first onset at that site, from 0.
    """
    text = f"{kind}|{site}|{iso(onset)}|{ordinal}"
    return "e-" + hashlib.sha256(text.encode()).hexdigest()[:20]
