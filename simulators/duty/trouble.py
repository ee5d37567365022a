"""Trouble as it really is, and what a sensor says of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.event import Event, Place, event_id
from contracts.geo import Point

NEVER_SENSED = frozenset({"citizen_report", "high_altitude_throw"})
"""Nobody's reading says that these are over."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, from `at` until somebody has mended it."""

    id: str
    at: datetime
    kind: str
    site: str
    point: Point
    severity: int
    work_s: float
    """What it takes on site, whoever comes (s)."""
    evidence: dict[str, Any] = {}

    def told(self, rev: int, place: Place, *, over: bool) -> Event:
        """The event's revision: opened, or closed once it is mended."""
        return Event(
            id=event_id(self.kind, self.site, self.at, 0),
            rev=rev,
            kind=self.kind,
            site=self.site,
            device=self.site,
            at=self.at,
            severity=self.severity,
            place=place,
            phase="closed" if over else "opened",
            evidence=self.evidence,
        )

    @property
    def sensed(self) -> bool:
        """Whether a sensor notices that it is over."""
        return self.kind not in NEVER_SENSED


def seconds(value: float) -> timedelta:
    """A duration."""
    return timedelta(seconds=value)
