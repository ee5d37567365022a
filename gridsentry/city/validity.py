"""From when to when a grid holds: grids are split, merged and redrawn."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from contracts.clock import iso
from contracts.governance import GridVersion
from gridsentry.city.notes import Notes

ALLOWED = "ISO 8601: 2026-07-01 or 2026-07-01T08:00:00+08:00"
ASKED = ("valid_from", "valid_to")


def read_span(
    valid_from: str | None, valid_to: str | None, zone: str, where: str, notes: Notes
) -> tuple[datetime | None, datetime | None] | None:
    """(since, until) in UTC, or None after noting why not."""
    moments: list[datetime | None] = []
    for field, text in zip(ASKED, (valid_from, valid_to), strict=True):
        if text is None:
            moments.append(None)
            continue
        try:
            moments.append(_moment(text, zone))
        except ValueError:
            notes.wrong(f"{where}, {field}", repr(text), ALLOWED)
            return None
    since, until = moments
    if since is not None and until is not None and until <= since:
        notes.wrong(f"{where}, valid_to", repr(valid_to), f"after valid_from ({valid_from})")
        return None
    return since, until


def _moment(text: str, zone: str) -> datetime:
    """Raises ValueError."""
    plain = text.strip().replace("/", "-")
    if len(plain) == 10:
        local = datetime.combine(date.fromisoformat(plain), time(), ZoneInfo(zone))
        return local.astimezone(UTC)
    moment = datetime.fromisoformat(plain)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
    return aware.astimezone(UTC)


def holds(version: GridVersion, at: datetime) -> bool:
    """Whether the grid is as this version says at that moment."""
    begun = version.since is None or version.since <= at
    return begun and (version.until is None or at < version.until)


def overlap(one: GridVersion, other: GridVersion) -> bool:
    """Whether both hold at some moment."""
    first = one.until is None or other.since is None or other.since < one.until
    return first and (other.until is None or one.since is None or one.since < other.until)


def told(version: GridVersion) -> str:
    """`2026-01-01T… to 2026-07-01T…`, open ends as `…`."""
    since = iso(version.since) if version.since else "…"
    return f"{since} to {iso(version.until) if version.until else '…'}"
