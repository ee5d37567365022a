"""Query parameters: read strictly, refused by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec
from aiohttp import web

from center.problems import Problem
from center.settings import CenterSettings
from contracts.clock import from_epoch_ms
from contracts.kinds import GROUP_KINDS, KINDS, STAGES
from contracts.ports import Query, What

Shape = TypeVar("Shape")

COMMON = ("after", "limit")
FILTERS: dict[What, tuple[str, ...]] = {
    "tickets": (*COMMON, "kind", "stage", "severity", "utility", "grid", "since", "until"),
    "incidents": (*COMMON, "kind", "grid", "since", "until"),
    "events": (*COMMON, "kind", "grid", "device", "since", "until"),
    "silences": (*COMMON, "grid", "since", "until"),
    "devices": (*COMMON, "kind"),
    "workers": (*COMMON, "grid"),
    "dead-letters": (*COMMON, "kind", "device", "since", "until"),
    "readings": (*COMMON, "device", "metric", "since", "until"),
}
"""Which filters each listing knows (`kind` of devices is their type, of dead letters their
code)."""


SEVERITIES = ("1", "2", "3", "4", "5")
LAST = timedelta(hours=1)
"""How far back readings of all devices are listed when no `since` is given."""


def parse_time(text: str | int, path: str) -> datetime:
    """ISO 8601 with a zone, or epoch milliseconds. Raises Problem 400 naming `path`."""
    try:
        if isinstance(text, int) or (text.isascii() and text.isdigit()):
            return from_epoch_ms(int(text))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Problem(
            400, "bad_time", f"{str(text)[:40]!r} is no time; allowed: ISO 8601 with a zone "
            "(2026-01-31T08:00:00Z) or epoch milliseconds", path=path,
        )  # fmt: skip
    return moment


def parse(what: What, request: web.Request, settings: CenterSettings) -> Query:
    """The listing's filters. Unknown names were refused before (see `only`)."""
    given = request.query
    limit = settings.page_limit
    if "limit" in given:
        text = given["limit"]
        limit = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
        if not 1 <= limit <= settings.page_limit_max:
            raise Problem(
                400, "bad_value", f"{text[:40]!r}; allowed: 1 to {settings.page_limit_max}",
                path="limit",
            )  # fmt: skip
    kind, stage = given.get("kind"), given.get("stage")
    if kind is not None and what in ("tickets", "incidents", "events"):
        one_of(kind, (*KINDS, *GROUP_KINDS) if what == "incidents" else KINDS, "kind")
    if stage is not None:
        one_of(stage, STAGES, "stage")
    severity = given.get("severity")
    if severity is not None:
        one_of(severity, SEVERITIES, "severity")
    since = parse_time(given["since"], "since") if "since" in given else None
    until = parse_time(given["until"], "until") if "until" in given else None
    return Query(
        after=given.get("after"),
        limit=limit,
        kind=kind,
        stage=stage,
        severity=None if severity is None else int(severity),
        utility=given.get("utility"),
        grid=given.get("grid"),
        device=given.get("device"),
        metric=given.get("metric"),
        since=since,
        until=until,
    )


def in_range(query: Query, now: datetime) -> Query:
    """The query for readings of all devices, with a range: up to now, the last hour of it.

    On a further page the cursor knows the range the first page had.
    """
    if query.after is not None:
        return query
    until = now if query.until is None else query.until
    since = query.since
    if since is None:
        first = datetime.min.replace(tzinfo=UTC)
        since = until - LAST if until - first > LAST else first
    return msgspec.structs.replace(query, since=since, until=until)


def one_of(value: str, allowed: tuple[str, ...], path: str) -> None:
    """Raises Problem 400 when `value` is none of those allowed."""
    if value not in allowed:
        raise Problem(400, "bad_value", f"{value[:40]!r}; allowed: {', '.join(allowed)}", path=path)


def only(request: web.Request, allowed: tuple[str, ...]) -> None:
    """Raises Problem 400 on a parameter that is unknown here, given twice, or empty or huge."""
    for name in request.query:
        if name not in allowed:
            raise Problem(
                400, "unknown_parameter", f"{name[:40]!r} is not known here; allowed: "
                + (", ".join(allowed) or "none"), path=name[:40],
            )  # fmt: skip
        values = request.query.getall(name)
        if len(values) > 1:
            raise Problem(400, "repeated_parameter", "given more than once", path=name)
        if not values[0] or len(values[0]) > 512 or not values[0].isprintable():
            raise Problem(400, "bad_value", "empty, too long or not printable", path=name)


def read_json(body: bytes, shape: type[Shape]) -> Shape:
    """The JSON body as `shape`, nothing converted and no unknown field.

    Raises Problem 400 with the JSON path of what is wrong.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `")
        raise Problem(400, "bad_body", reason, path=path.rstrip("`") or "$") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "bad_json", f"the body is not JSON: {error}", path="$") from None
