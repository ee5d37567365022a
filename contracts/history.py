"""History of readings: what was measured, at the grain that a chart or an analysis needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import msgspec

GRAINS: Final[dict[str, int]] = {"1m": 60, "15m": 900, "1h": 3600, "1d": 86_400}
"""Roll-ups by name and their length in seconds; a day is the city's, not UTC's."""
RAW: Final = "raw"
RESOLUTIONS: Final = (RAW, *GRAINS)


def begin_of(at: datetime, grain: str) -> datetime:
    """Where the bucket begins that a time lies in; not for days, which are a zone's."""
    length = timedelta(seconds=GRAINS[grain])
    first = datetime(2000, 1, 1, tzinfo=UTC)
    return first + (at - first) // length * length


class Stretch(msgspec.Struct, frozen=True):
    """One metric of one device over a time, columns of equal length, the oldest first.

    Raw: `value` is the reading. Rolled up: `value` is the mean of the bucket that begins at the
    time, with the least, the greatest and how many readings it is made of.
    """

    device: str
    metric: str
    times: list[int]
    """Microseconds since 1970, UTC."""
    values: list[float]
    low: list[float] | None = None
    high: list[float] | None = None
    counts: list[int] | None = None


class TooMuch(Exception):
    """More rows than are handed out at once."""


class History(Protocol):
    """Reads what is kept of readings."""

    @property
    def kept(self) -> Mapping[str, timedelta]:
        """How far back the grains reach that do not reach back for ever."""
        ...

    async def stretches(
        self,
        devices: Sequence[str],
        metrics: Sequence[str],
        since: datetime,
        until: datetime,
        resolution: str,
        *,
        zone: str,
        limit: int,
    ) -> list[Stretch]:
        """Stretches of these devices by device and metric (no metrics: all), [since, until).

        `resolution` is one of RESOLUTIONS; buckets are those that begin in the period, days those
        of the `zone`. Raises TooMuch for more than `limit` rows, Temporary.
        """
        ...

    async def measured(self, metric: str, since: datetime) -> list[str]:
        """Devices that have this metric since then, sorted; by roll-ups. Raises Temporary."""
        ...
