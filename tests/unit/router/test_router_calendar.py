"""Working time, shifts and deadlines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.city import Calendar
from router import profiles
from router.calendar import Shift, WorkingTime, hours, minutes
from router.deadlines import Clocks

ZONE = ZoneInfo("Asia/Shanghai")
WORKING = profiles.load("cn-default").calendars["working"]


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "hours_", "end"),
    [
        ("2026-11-20 17:30", 2.0, "2026-11-23 09:30"),  # Friday evening to Monday morning
        ("2026-11-20 10:00", 2.0, "2026-11-20 12:00"),  # up to the end of the morning
        ("2026-11-20 11:00", 2.0, "2026-11-20 15:00"),  # over lunch
        ("2026-11-20 12:30", 1.0, "2026-11-20 15:00"),  # begun at lunch
        ("2026-11-21 09:00", 8.0, "2026-11-23 18:00"),  # a Saturday: one working day
        ("2026-11-16 08:00", 40.0, "2026-11-20 18:00"),  # five working days
        ("2026-09-30 17:00", 2.0, "2026-10-08 09:00"),  # over the National Day week
        ("2026-10-09 17:00", 2.0, "2026-10-10 09:00"),  # a Saturday that is worked (调休)
    ],
)
def test_working_hours_are_added_as_the_field_counts_them(
    start: str, hours_: float, end: str
) -> None:
    time = WorkingTime(WORKING, ZONE)
    assert time.add(local(start), hours_ * 3600) == local(end)
    assert time.between(local(start), local(end)) == hours_ * 3600


@given(
    st.integers(0, 700 * 86400),
    st.floats(1, 200 * 3600),
    st.floats(1, 200 * 3600),
)
def test_adding_twice_is_adding_the_sum_and_between_takes_it_back(
    start: int, a: float, b: float
) -> None:
    time = WorkingTime(WORKING, ZONE)
    begin = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=start)
    end = time.add(begin, a + b)
    assert abs(time.add(time.add(begin, a), b) - end) < timedelta(milliseconds=1)
    assert time.between(begin, end) == pytest.approx(a + b, abs=1e-3)


def test_continuous_counts_every_hour() -> None:
    time = WorkingTime(Calendar(), ZONE)
    assert time.add(local("2026-11-20 17:30"), 7200) == local("2026-11-20 19:30")


def test_a_calendar_without_working_time_says_so() -> None:
    never = WorkingTime(Calendar(continuous=False, weekdays=()), ZONE)
    with pytest.raises(ValueError, match="no working time"):
        never.add(local("2026-11-20 17:30"), 1)


@pytest.mark.parametrize(
    ("hours_", "begin", "hours_long", "end"),
    [
        ("22:00-06:00", "2026-11-20 21:00", 1, "2026-11-20 23:00"),
        ("22:00-06:00", "2026-11-20 23:30", 2, "2026-11-21 01:30"),
        ("22:00-06:00", "2026-11-21 01:00", 2, "2026-11-21 03:00"),
        ("22:00-06:00", "2026-11-21 05:00", 2, "2026-11-21 23:00"),
        ("22:00-06:00", "2026-11-20 12:00", 16, "2026-11-22 06:00"),
        ("08:00-08:00", "2026-11-21 01:00", 30, "2026-11-22 07:00"),
        ("00:00-24:00", "2026-11-21 01:00", 30, "2026-11-22 07:00"),
    ],
)
def test_hours_over_midnight_belong_to_the_day_they_begin_on(
    hours_: str, begin: str, hours_long: int, end: str
) -> None:
    every = (1, 2, 3, 4, 5, 6, 7)
    time = WorkingTime(Calendar(continuous=False, hours=(hours_,), weekdays=every), ZONE)
    assert time.add(local(begin), hours_long * 3600) == local(end)
    assert time.between(local(begin), local(end)) == hours_long * 3600


def test_the_night_of_the_last_working_day_ends_on_the_free_morning() -> None:
    time = WorkingTime(Calendar(continuous=False, hours=("22:00-06:00",)), ZONE)  # Monday to Friday
    friday = local("2026-11-20 23:00")
    assert time.add(friday, 7 * 3600) == local("2026-11-21 06:00")
    assert time.add(friday, 8 * 3600) == local("2026-11-23 23:00")
    assert time.between(local("2026-11-21 00:00"), local("2026-11-22 12:00")) == 6 * 3600


def test_summer_time_moves_the_working_day_with_the_clock_on_the_wall() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    time = WorkingTime(Calendar(continuous=False, hours=("08:00-12:00",)), berlin)
    friday = datetime(2026, 3, 27, 11, 0, tzinfo=UTC)  # 12:00 CET, the morning is over
    assert time.add(friday, 3600) == datetime(2026, 3, 30, 7, 0, tzinfo=UTC)  # 09:00 CEST


@pytest.mark.parametrize(
    ("shift", "minute", "on"),
    [
        ("", 0, True),
        ("08:00-20:00", 480, True),
        ("08:00-20:00", 1200, False),
        ("20:00-08:00", 1300, True),
        ("20:00-08:00", 100, True),
        ("20:00-08:00", 600, False),
        ("19:00-23:59;00:00-07:00", 1439.5, True),
        ("08:00-12:00;14:00-18:00", 780, False),
        ("08:00-12:00;14:00-18:00", 900, True),
        ("08:00-08:00", 100, True),
        ("08:00-08:00", 480, True),
        ("22:00-06:00", 359, True),
        ("22:00-06:00", 360, False),
    ],
)
def test_shifts_also_cross_midnight(shift: str, minute: float, on: bool) -> None:
    assert Shift(shift).on(minute) is on


@pytest.mark.parametrize("text", ["8:00", "0800", "24:01", "12:60", "ab:cd", ""])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        minutes(text)


def test_hours_need_both_ends() -> None:
    with pytest.raises(ValueError, match="HH:MM-HH:MM"):
        hours("08:00")


def test_every_kind_of_the_shipped_profile_gets_rising_deadlines() -> None:
    profile = profiles.load("cn-default")
    clocks = Clocks(profile, ZONE)
    now = local("2026-11-20 17:30")
    for kind in profile.kinds:
        deadlines, reason = clocks.open(kind, now)
        due = [deadlines.accept, deadlines.arrive, deadlines.dispose, deadlines.verify]
        assert due == sorted(due, key=lambda d: d or now)
        assert reason["source"]
    _, fallback = clocks.open("something_else", now)
    assert fallback["rule"] == "default_limit"


@pytest.mark.parametrize(
    ("kind", "filed", "due"),
    [
        (  # Friday evening, working time: two hours are half an hour on Friday, the rest on Monday
            "street_light_out",
            "2026-11-20 17:30",
            "2026-11-23 09:30, 2026-11-23 17:30, 2026-11-24 17:30, 2026-11-25 17:30, "
            "2026-11-26 17:30",
        ),
        (  # the same moment, a safety kind: day and night, verify after dispose, close after that
            "severed_cable",
            "2026-11-20 17:30",
            "2026-11-20 17:36, 2026-11-20 17:51, 2026-11-20 19:30, 2026-11-20 20:30, "
            "2026-11-21 00:30",
        ),
        (  # the eve of National Day: a week off, then a Saturday that is worked (调休)
            "street_light_out",
            "2026-09-30 17:30",
            "2026-10-08 09:30, 2026-10-08 17:30, 2026-10-09 17:30, 2026-10-10 17:30, "
            "2026-10-12 17:30",
        ),
        (  # a Sunday that is worked before the holiday (调休), and Mid-Autumn from Friday on
            "street_light_out",
            "2026-09-20 08:00",
            "2026-09-20 10:00, 2026-09-20 18:00, 2026-09-21 18:00, 2026-09-22 18:00, "
            "2026-09-23 18:00",
        ),
        (  # Spring Festival: nine days off, the Saturday before and after are worked
            "street_light_out",
            "2026-02-13 17:00",
            "2026-02-14 09:00, 2026-02-14 17:00, 2026-02-24 17:00, 2026-02-25 17:00, "
            "2026-02-26 17:00",
        ),
    ],
)
def test_the_five_clocks_end_when_the_calendar_on_the_wall_says(
    kind: str, filed: str, due: str
) -> None:
    deadlines, _ = Clocks(profiles.load("cn-default"), ZONE).open(kind, local(filed))
    found = [deadlines.accept, deadlines.arrive, deadlines.dispose, deadlines.verify]
    assert [*found, deadlines.close] == [local(text.strip()) for text in due.split(",")]
