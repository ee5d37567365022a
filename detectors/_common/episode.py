"""Episodes: an event's id, revision and phase, kept so that a resumed detector says the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from contracts.event import Event, Footage, Place, event_id
from contracts.geo import Point

RECENT_ONSETS = 16
"""Onsets remembered so that two episodes with the same onset get different ids."""


class Episode(msgspec.Struct):
    """One episode that was opened; part of a detector's state."""

    id: str
    rev: int
    onset: datetime
    """As first published; a corrected one is only the field `at` of later revisions."""


class Ledger(msgspec.Struct):
    """Gives out episode ids; part of a detector's state."""

    onsets: list[tuple[datetime, int]] = []

    def open(self, kind: str, site: str, onset: datetime) -> Episode:
        """A new episode with that first onset; nothing is published yet (rev 0)."""
        ordinal = 0
        for i, (seen, count) in enumerate(self.onsets):
            if seen == onset:
                ordinal = count
                del self.onsets[i]
                break
        self.onsets.append((onset, ordinal + 1))
        del self.onsets[:-RECENT_ONSETS]
        return Episode(event_id(kind, site, onset, ordinal), 0, onset)


def revise(
    episode: Episode,
    *,
    kind: str,
    site: str,
    device: str | None,
    point: Point,
    severity: int,
    evidence: dict[str, Any],
    at: datetime | None = None,
    closed: bool = False,
    footage: Footage | None = None,
) -> Event:
    """The next revision of the episode: `opened` the first time, then `updated` or `closed`."""
    episode.rev += 1
    phase: Literal["opened", "updated", "closed"] = "updated"
    if closed:
        phase = "closed"
    elif episode.rev == 1:
        phase = "opened"
    return Event(
        id=episode.id,
        rev=episode.rev,
        kind=kind,
        site=site,
        device=device,
        at=at or episode.onset,
        severity=severity,
        place=Place(point.lon, point.lat),
        phase=phase,
        evidence=evidence,
        footage=footage,
    )
