"""What time a message is about, and whether to believe it.

The wire allows ISO 8601 with `Z` or an offset and integer epoch milliseconds. Identity keeps
what the device said; what takes effect is another matter: a clock that is off is overruled by
the time of arrival.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from contracts.clock import iso
from contracts.errors import Permanent
from contracts.nouns import Quality

EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
"""No gateway of ours is older; a device that lost its clock says 1970, 2000 or its build date."""


class ClockRule(msgspec.Struct, frozen=True):
    """When a device's clock is believed."""

    ahead: timedelta = timedelta(seconds=120)
    """Further in the future of its arrival than this, the clock is off."""
    max_age: timedelta = timedelta(days=7)
    """Older than this, the clock is off; younger is history that was kept while offline."""


def to_utc(ts: datetime | int, timezone: str | None, path: str = "$.ts") -> datetime:
    """`ts` as sent (ISO, decoded, or epoch ms) as an aware datetime in UTC.

    A naive time is read in `timezone` when the device's profile names one.
    Raises Permanent `naive_time` or `bad_time`.
    """
    if isinstance(ts, int):
        try:
            return datetime.fromtimestamp(ts / 1000, UTC)
        except (OverflowError, ValueError, OSError):
            raise Permanent(
                "bad_time", f"{path}: {str(ts)[:40]} milliseconds since 1970 is no time"
            ) from None
    zone = ts.tzinfo
    if zone is UTC:
        return ts
    if zone is None:
        if timezone is None:
            raise Permanent(
                "naive_time",
                f"{path}: {ts.isoformat()} has no time zone; send it with 'Z' or an offset such "
                "as '+08:00', or name the device's zone in devices.csv (timezone)",
            )
        ts = ts.replace(tzinfo=ZoneInfo(timezone))
    try:
        return ts.astimezone(UTC)
    except OverflowError:
        raise Permanent(
            "bad_time", f"{path}: {ts.isoformat()} is outside the years 1 to 9999 in UTC"
        ) from None


def effective(
    sent_at: datetime, received_at: datetime, rule: ClockRule
) -> tuple[datetime, Quality]:
    """The time that takes effect for detection, and `CLOCK_OFF` when it is the arrival's."""
    age = received_at - sent_at
    if -rule.ahead <= age <= rule.max_age and sent_at >= EARLIEST:
        return sent_at, Quality.GOOD
    return received_at, Quality.CLOCK_OFF


def check_retained(
    what: str, sent_at: datetime | None, received_at: datetime, rule: ClockRule
) -> None:
    """A retained message comes back at every subscription: only a keyed, recent one is news.

    Raises Permanent `retained`.
    """
    if sent_at is None:
        raise Permanent(
            "retained",
            f"a retained {what} message without a time comes back at every subscription and "
            "cannot be told from news; publish it without the retain flag",
        )
    if effective(sent_at, received_at, rule)[1] is Quality.CLOCK_OFF:
        raise Permanent(
            "retained",
            f"a retained {what} message of {iso(sent_at)} is old news that comes back at every "
            "subscription; publish it without the retain flag",
        )
