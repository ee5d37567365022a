"""Times as gateways write them: numbers in any unit since 1970, ISO texts, formats of their own."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from contracts.errors import Permanent
from ingest.topics import shown

UNITS: Final = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_FRACTION = re.compile(r"(\.\d{6})\d+")
_COMPACT = re.compile(
    r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[0-2]\d[0-5]\d[0-5]\d"
)
"""`20261122150000`; as milliseconds that would be the year 2612."""
_LOOSE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]+(\d{1,2})(:.*))?")
"""`2026/1/5 8:03:00`: ISO but for the signs and leading zeros."""


def moment(told: Any, form: str = "auto", zone: str | None = None) -> datetime:
    """A time as an aware datetime in UTC.

    `form` is `auto`, one of UNITS, `iso` or a format of strptime. `auto` takes numbers (also in a
    text) for s, ms, µs or ns by their size: seconds of the years 1973 to 5138; fourteen digits that
    are a date and a time of day are that. A time without a zone is read in `zone`.

    Raises Permanent `bad_time` or `naive_time`.
    """
    if form == "auto" and type(told) in (int, str) and _COMPACT.fullmatch(str(told).strip()):
        told, form = str(told).strip(), "%Y%m%d%H%M%S"
    if isinstance(told, str) and form == "auto":
        try:
            told = float(told)
        except ValueError:
            form = "iso"
    if isinstance(told, (int, float)) and not isinstance(told, bool):
        return _since_1970(told, form)
    if not isinstance(told, str):
        raise Permanent("bad_time", f"{shown(str(told))} is no time")
    try:
        if form in (*UNITS, "auto"):
            return _since_1970(float(told), form)
        text = _FRACTION.sub(r"\1", told.strip())  # nanoseconds
        if form == "iso" and (loose := _LOOSE.fullmatch(text)):
            text = _iso(*loose.groups())
        at = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)  # noqa: DTZ007
    except ValueError:
        raise Permanent("bad_time", f"{shown(told)} is no time ({form})") from None
    if at.tzinfo is None:
        if zone is None:
            raise Permanent(
                "naive_time", f"{shown(told)} has no time zone; name it in the mapping (time_zone)"
            )
        at = at.replace(tzinfo=ZoneInfo(zone))
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise Permanent("bad_time", f"{shown(told)} is outside the years 1 to 9999") from None


def _iso(year: str, month: str, day: str, hour: str | None, rest: str | None) -> str:
    date = f"{year}-{month:0>2}-{day:0>2}"
    return date if hour is None else f"{date}T{hour:0>2}{rest}"


def _since_1970(number: float, form: str) -> datetime:
    if form == "auto":
        size = abs(number)
        form = "s" if size < 1e11 else "ms" if size < 1e14 else "us" if size < 1e17 else "ns"
    elif form not in UNITS:
        raise Permanent("bad_time", f"{number:g} is a number, not a time like {form}")
    try:
        if isinstance(number, int) and form != "s":
            whole, rest = divmod(number, int(UNITS[form]))
            micro = rest * 1_000_000 // int(UNITS[form])
            return datetime.fromtimestamp(whole, UTC).replace(microsecond=micro)
        return datetime.fromtimestamp(number / UNITS[form], UTC)
    except (OverflowError, ValueError, OSError):
        raise Permanent("bad_time", f"{number:g} {form} since 1970 is no time") from None
