"""Pages: which filters a listing knows, and its opaque cursor."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.errors import Refused
from contracts.ports import Query, What

MOST = 1000
"""Longest page."""

MOST_SPAN = timedelta(days=1)
"""Longest range of readings of all devices. They have no index by time alone, so a page reads the
daily partitions of the range whole: two at most."""

FILTERS: dict[What, frozenset[str]] = {
    "tickets": frozenset(
        {"kind", "stage", "severity", "utility", "grid", "grids", "worker", "since", "until"}
    ),
    "incidents": frozenset({"kind", "grid", "grids", "since", "until"}),
    "events": frozenset({"kind", "grid", "grids", "device", "since", "until"}),
    "silences": frozenset({"grid", "grids", "since", "until"}),
    "devices": frozenset({"device"}),
    "workers": frozenset({"device"}),
    "dead-letters": frozenset({"kind", "device", "since", "until"}),
    "readings": frozenset({"device", "metric", "since", "until"}),
}
"""What each listing can be filtered by. `kind` of a dead letter is its code, `device` of a worker
the worker's id."""

NAMES = (
    *("kind", "stage", "severity", "utility", "grid", "grids", "worker", "device", "metric"),
    *("since", "until"),
)
"""Every filter there is."""


class Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The last row of a page."""

    what: str
    id: str
    sort: datetime | None = None
    ident: int | None = None
    device: str | None = None
    """Of readings of all devices: the row's device."""
    until: datetime | None = None
    """Of readings of all devices: where the listing ends, so that every page of it means the same
    range, also when the range was given as "the last hour"."""


def encode(cursor: Cursor) -> str:
    """The cursor as clients carry it."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def decode(what: What, text: str) -> Cursor:
    """Back from `encode`. Raises Refused on anything we did not hand out for this listing."""
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
        cursor = msgspec.json.decode(raw, type=Cursor)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise Refused(f"after: {text[:80]!r} is no cursor of ours; use `next` of a page") from error
    if cursor.what != what or "\x00" in cursor.id:
        raise Refused(f"after: that cursor is of /{cursor.what[:40]!r}, not of /{what}")
    if (what not in ("devices", "workers")) != (cursor.sort is not None):
        raise Refused(f"after: {text[:80]!r} is no cursor of ours; use `next` of a page")
    if cursor.sort is not None and cursor.sort.tzinfo is None:
        raise Refused(f"after: {text[:80]!r} is no cursor of ours; use `next` of a page")
    if (what == "readings") != (cursor.ident is not None):
        raise Refused(f"after: {text[:80]!r} is no cursor of ours; use `next` of a page")
    if not _whole(cursor):
        raise Refused(f"after: {text[:80]!r} is no cursor of ours; use `next` of a page")
    return cursor


def _whole(cursor: Cursor) -> bool:
    """Whether device and until are both there, of readings, or neither is."""
    if cursor.device is None or cursor.until is None:
        return cursor.device is None and cursor.until is None
    return (
        cursor.what == "readings"
        and cursor.until.tzinfo is not None
        and "\x00" not in cursor.device
    )


def parameters(what: What, query: Query) -> dict[str, Any]:
    """What the listing's query takes; one row more than asked for tells whether there is a next.

    Raises Refused on a filter this listing does not know, a bad limit or cursor, or readings of
    all devices without a range or with one longer than MOST_SPAN.
    """
    given: dict[str, Any] = {}
    for name in NAMES:
        value = getattr(query, name)
        if value is not None and name not in FILTERS[what]:
            allowed = ", ".join(sorted(FILTERS[what]))
            raise Refused(f"{name}: /{what} cannot be filtered by it; it can by {allowed}")
        if isinstance(value, str) and "\x00" in value:
            raise Refused(f"{name}: there is a zero character in it")
        if name in FILTERS[what]:
            given[name] = list(value) if isinstance(value, frozenset) else value
    if not 1 <= query.limit <= MOST:
        raise Refused(f"limit: {query.limit} is not between 1 and {MOST}")
    cursor = decode(what, query.after) if query.after is not None else None
    given["after_id"] = cursor.id if cursor else None
    if what not in ("devices", "workers"):
        given["after_sort"] = cursor.sort if cursor else None
    if what == "readings":
        given["after_ident"] = cursor.ident if cursor else None
        given |= _readings(query, cursor)
    given["limit"] = query.limit + 1
    return given


def _readings(query: Query, cursor: Cursor | None) -> dict[str, Any]:
    """What a page of readings takes besides; for all devices a range closed at both ends."""
    if cursor is not None and (cursor.device is None) != (query.device is not None):
        whose = "one device" if cursor.device is None else "all devices"
        raise Refused(f"after: that cursor is of readings of {whose}; ask with the same `device`")
    if query.device is not None:
        return {"after_device": query.device}
    since, until = query.since, query.until
    if cursor is not None and cursor.sort is not None:
        # Nothing before the cursor is on the page, so older partitions need not be looked at.
        since = cursor.sort if since is None else max(since, cursor.sort)
        until = cursor.until if until is None else until
    if since is None or until is None:
        raise Refused("since, until: readings of all devices need both; or name one `device`")
    if until - since > MOST_SPAN:
        raise Refused(
            "since, until: readings of all devices are listed one day at a time at most; give"
            " `until` at most 24 h after `since`, or name one `device`"
        )
    return {"after_device": cursor.device if cursor else None, "since": since, "until": until}
