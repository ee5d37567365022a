"""Working time: adding hours on a calendar, in the city's zone.

The field runs limits on two calendars: 紧急 limits continuously; 工作时 in 08–12 and 14–18
without weekends and holidays, one working day = 8 h.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from contracts.city import Calendar

DAY_MIN = 24 * 60
_LOOK_AHEAD_DAYS = 4000
"""A calendar without a working moment in eleven years has none."""


def minutes(text: str) -> int:
    """Minutes after midnight of `HH:MM`, 00:00 to 24:00. Raises ValueError."""
    hour, sep, minute = text.partition(":")
    if not sep or len(hour) != 2 or len(minute) != 2 or not (hour + minute).isdecimal():
        raise ValueError(f"{text!r} is not HH:MM")
    value = int(hour) * 60 + int(minute)
    if int(minute) > 59 or value > 24 * 60:
        raise ValueError(f"{text!r} is not a time of day")
    return value


def hours(text: str) -> tuple[int, int]:
    """(from, to) in minutes after midnight of `HH:MM-HH:MM`. Raises ValueError."""
    start, sep, end = text.partition("-")
    if not sep:
        raise ValueError(f"{text!r} is not HH:MM-HH:MM")
    return minutes(start.strip()), minutes(end.strip())


def _span(text: str) -> tuple[int, int]:
    """(from, to) in minutes after midnight; what ends no later than it begins ends the next day,
    and belongs to the day it begins on (22:00-06:00; 08:00-08:00 is a whole day)."""
    start, end = hours(text)
    return start, end if end > start else end + DAY_MIN


class WorkingTime:
    """Arithmetic on one calendar in one zone. Times in and out are UTC."""

    def __init__(self, calendar: Calendar, zone: ZoneInfo) -> None:
        self._calendar = calendar
        self._zone = zone
        self._hours = sorted(_span(text) for text in calendar.hours) or [(0, DAY_MIN)]
        # Hours of yesterday may last until this morning.
        self._over_midnight = max(end for _, end in self._hours) > DAY_MIN
        self._holidays = frozenset(date.fromisoformat(day) for day in calendar.holidays)
        self._workdays = frozenset(date.fromisoformat(day) for day in calendar.workdays)
        self._windows = lru_cache(maxsize=512)(self._windows_of)

    def _works_on(self, day: date) -> bool:
        if day in self._workdays:
            return True
        return day not in self._holidays and day.isoweekday() in self._calendar.weekdays

    def _windows_of(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        if not self._works_on(day):
            return ()
        midnight = datetime.combine(day, time(0), self._zone)
        # Wall-clock arithmetic first, then UTC: right across changes of summer time as well.
        return tuple(
            (
                (midnight + timedelta(minutes=start)).astimezone(UTC),
                (midnight + timedelta(minutes=end)).astimezone(UTC),
            )
            for start, end in self._hours
        )

    def _first_day(self, moment: datetime) -> date:
        """The first day whose hours may hold this moment."""
        return moment.astimezone(self._zone).date() - timedelta(days=int(self._over_midnight))

    def add(self, moment: datetime, seconds: float) -> datetime:
        """The moment when `seconds` of this calendar have passed since `moment`.

        Raises ValueError when the calendar has no working time at all.
        """
        if self._calendar.continuous:
            return moment + timedelta(seconds=seconds)
        left = timedelta(seconds=seconds)
        day = self._first_day(moment)
        for _ in range(_LOOK_AHEAD_DAYS):
            for start, end in self._windows(day):
                begin = max(start, moment)
                if begin >= end:
                    continue
                if left <= end - begin:
                    return begin + left
                left -= end - begin
            day += timedelta(days=1)
        raise ValueError("the calendar has no working time")

    def between(self, start: datetime, end: datetime) -> float:
        """Seconds of this calendar from `start` to `end`; 0 when `end` is earlier."""
        if end <= start:
            return 0.0
        if self._calendar.continuous:
            return (end - start).total_seconds()
        total = timedelta()
        day = self._first_day(start)
        last = end.astimezone(self._zone).date()
        while day <= last:
            for begin, stop in self._windows(day):
                total += max(timedelta(), min(stop, end) - max(begin, start))
            day += timedelta(days=1)
        return total.total_seconds()


class Shift:
    """`HH:MM-HH:MM` in local time, several joined by `;`; may cross midnight (22:00-06:00); one
    that ends when it begins is the whole day; empty: always on."""

    def __init__(self, text: str) -> None:
        parts = (hours(part) for part in text.split(";") if part.strip())
        # 23:59 is how many systems write the end of the day.
        self._parts = tuple((a, 24 * 60 if b == 24 * 60 - 1 else b) for a, b in parts)

    def on(self, minute: float) -> bool:
        """Whether `minute` (minutes after local midnight) lies in the shift."""
        if not self._parts:
            return True
        return any(
            start <= minute < end if start < end else minute >= start or minute < end
            for start, end in self._parts
        )
