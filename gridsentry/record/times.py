"""Moments as people and files write them."""

from __future__ import annotations

import contextlib
import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contracts.clock import from_epoch_ms
from contracts.errors import Wrong

DEFAULT_AT = datetime(2026, 1, 1, tzinfo=UTC)
"""Where a recording of a file that carries no time of its own begins when no `--at` is given:
fixed, so that the same file gives the same recording."""

# Numbers at or above these are epoch milliseconds and seconds (1973); smaller ones are seconds
# from the beginning of a series.
_MS, _S = 1e11, 1e8


def read_zone(name: str, where: str) -> ZoneInfo:
    """The time zone of that name. Raises Wrong."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Wrong(where, repr(name), "an IANA time zone such as Asia/Shanghai or UTC") from error


def read_at(value: object, where: str, zone: ZoneInfo | None = None) -> datetime:
    """A moment in UTC from ISO 8601 or integer epoch milliseconds.

    Raises Wrong on anything else, also on a time without a zone when `zone` is None.
    """
    allowed = "ISO 8601 with a zone such as 2026-05-01T08:00:00Z, or epoch milliseconds"
    try:
        if isinstance(value, bool):
            raise ValueError
        if isinstance(value, int | float):
            return from_epoch_ms(value)
        text = str(value).strip()
        if text.lstrip("-").isdigit() and len(text) > 8:  # eight digits are a date
            return from_epoch_ms(int(text))
        moment = datetime.fromisoformat(text.replace("/", "-"))
        if moment.tzinfo is None:
            if zone is None:
                raise Wrong(where, f"{text} names no time zone", allowed)
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Wrong(where, repr(value), allowed) from error


def series_time(value: object, where: str, zone: ZoneInfo | None) -> datetime | float:
    """A series' time: a moment in UTC, or seconds from the beginning (a small number).

    Raises Wrong, naming --tz where a time has no zone.
    """
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise Wrong(where, repr(value), "a time")
        if abs(value) < _S:
            return float(value)
        return read_at(value if abs(value) >= _MS else value * 1000, where)
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return value.astimezone(UTC)
        value = value.isoformat()
    if value is None or value == "":
        raise Wrong(where, "empty", "a time in every row")
    try:
        return read_at(value, where, zone)
    except Wrong as error:
        if "no time zone" in error.found:
            raise Wrong(where, error.found, "--tz ZONE, such as --tz Asia/Shanghai") from error
        raise
