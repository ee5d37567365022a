"""Times that a fold keeps as numbers."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(t: float) -> datetime:
    """Epoch seconds as a time, to the millisecond."""
    return datetime.fromtimestamp(round(t, 3), UTC)
