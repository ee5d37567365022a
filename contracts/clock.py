"""The only place that asks what time it is. All times are aware datetimes in UTC."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Something that tells the time; injected, so that tests and replay run in virtual time."""

    def now(self) -> datetime:
        """The current time, UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds of this clock."""
        ...


class SystemClock:
    """The machine's clock, never going backwards within this process."""

    def __init__(self) -> None:
        self._last = EPOCH
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The current time, UTC, at least the last one told."""
        now = datetime.now(UTC)
        with self._lock:
            self._last = max(now, self._last)
            return self._last

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        time.sleep(seconds)


class ManualClock:
    """A clock that goes only when it is told to (tests, replay, `serve --clock sim`)."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._changed = threading.Condition()

    def now(self) -> datetime:
        """The time last set, UTC."""
        return self._now

    def advance_to(self, moment: datetime) -> None:
        """Go forward to `moment`; earlier moments are ignored."""
        with self._changed:
            self._now = max(self._now, moment)
            self._changed.notify_all()

    def sleep(self, seconds: float) -> None:
        """Wait until the clock has been moved on by `seconds`, at most that long in real time."""
        until = self._now + timedelta(seconds=seconds)
        with self._changed:
            self._changed.wait_for(lambda: self._now >= until, timeout=seconds)


def monotonic() -> float:
    """Seconds of a steady clock, for measuring durations only."""
    return time.monotonic()


def epoch_ms(moment: datetime) -> int:
    """Integer milliseconds since 1970-01-01 UTC (rounded down)."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def from_epoch_ms(ms: float) -> datetime:
    """The moment `ms` milliseconds after 1970-01-01 UTC.

    Raises OverflowError where the moment is outside the years 1 to 9999.
    """
    return EPOCH + timedelta(milliseconds=ms)


def iso(moment: datetime) -> str:
    """ISO 8601 with `Z`, microseconds only when there are any: the form the wire uses."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
