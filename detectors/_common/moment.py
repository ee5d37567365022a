"""Times that a fold keeps as numbers."""

from __future__ import annotations

from datetime import UTC, datetime

from contracts.clock import iso


def moment(t: float) -> datetime:
    """Epoch seconds as a time, to the millisecond."""
    return datetime.fromtimestamp(round(t, 3), UTC)


def stamp(t: float) -> str:
    """Epoch seconds as the wire writes a time."""
    return iso(moment(t))
