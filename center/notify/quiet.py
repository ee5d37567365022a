"""Quiet hours: when people sleep, and when they may be told again."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.errors import Wrong

_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class Quiet:
    """A span of every day in local time; without a text there is none. Raises Wrong."""

    def __init__(self, text: str) -> None:
        self._span: tuple[int, int] | None = None
        if not text:
            return
        found = _SPAN.fullmatch(text.strip())
        if found is None:
            raise Wrong("quiet", repr(text), "HH:MM-HH:MM, such as 22:00-07:00")
        a, b, c, d = (int(part) for part in found.groups())
        if (a, b) == (c, d):
            raise Wrong("quiet", repr(text), "two different times")
        self._span = (a * 60 + b, c * 60 + d)

    def ends(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """When the quiet hours that hold at `at` (UTC) end; None when it is not quiet then."""
        if self._span is None:
            return None
        start, stop = self._span
        local = at.astimezone(zone)
        minute = local.hour * 60 + local.minute
        quiet = start <= minute < stop if start < stop else minute >= start or minute < stop
        if not quiet:
            return None
        end = local.replace(hour=stop // 60, minute=stop % 60, second=0, microsecond=0)
        if end <= local:
            end += timedelta(days=1)  # wall-clock arithmetic: right across summer time as well
        return end.astimezone(at.tzinfo)
