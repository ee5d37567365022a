"""`/api/v1/labels`: "not a fall: a bird". A person's word on an event, kept for the detectors."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.pages.analysis.causes import ANY, CAUSES, causes
from center.problems import Problem, json_response
from center.query import one_of, parse_time, read_json
from center.reads import ID, found
from center.writes import NAME_MAX, TEXT_MAX, json_bytes, text
from contracts.annals import Label, Verdict, label_object
from contracts.geo import Point
from contracts.kinds import KINDS, TASK_KINDS

QUERY = ("since", "until", "kind", "events", "all", "limit")
EVENTS_MOST = 200
"""Events labelled at once."""
EVENTS_ASKED = 20
"""Events asked about by name at once."""
LIMIT = 1000
LIMIT_MOST = 10_000
AHEAD = timedelta(minutes=5)
"""What was missed lies in the past, but for clocks that differ."""
DETECTED = tuple(kind for kind in KINDS if kind not in TASK_KINDS and kind != "citizen_report")
"""Kinds that a detector finds."""


class LabelBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A word on one event, on all events of a ticket's incident, or on what was missed."""

    verdict: Verdict
    event: str | None = None
    ticket: str | None = None
    """All events of its incident, instead of one `event`."""
    kind: str | None = None
    """With `missed`: what it was."""
    at: str | int | None = None
    """With `missed`: when; ISO 8601 with a zone, or epoch milliseconds."""
    until: str | int | None = None
    device: str | None = None
    """With `missed`: what should have noticed it."""
    point: Point | None = None
    """With `missed`: where."""
    cause: str = ""
    """With `false`: what it really was, one of `/api/v1/labels/causes`."""
    note: str = ""
    by: str | None = None
    """Who says so, where the caller is a shared desk; else the caller."""


class Given(msgspec.Struct, frozen=True):
    """The labels that were made."""

    items: list[Label]


async def give(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/labels`."""
    body = read_json(await json_bytes(request, context.settings.body_bytes), LabelBody)
    by = who(caller, body.by)
    if body.note:
        text(body.note, "$.note", TEXT_MAX)
    labels = (
        [await _missed(context, body, by)]
        if body.verdict == "missed"
        else [_said(context, event, body, by) for event in await _events(context, body)]
    )
    for label in labels:
        if not context.scope.in_grids(label.grid):
            raise Problem(
                403, "not_yours", "this event lies outside the part of the city you may see"
                " / 该事件不在您的辖区内",
            )  # fmt: skip
    for label in labels:
        await context.desk.annals.put_label(label)
    told = ", ".join(f"{label.kind} {label.event or label.device}" for label in labels)
    await context.desk.log_access(
        caller.name, f"label {body.verdict} {body.cause}: {told}"[:TEXT_MAX], context.clock.now()
    )
    return json_response({"items": [label_object(label) for label in labels]}, status=201)


async def take_back(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`DELETE /api/v1/labels/{id}`."""
    id_ = request.match_info["id"]
    label = await context.desk.annals.label(id_) if ID.fullmatch(id_) else None
    if label is None:
        raise Problem(404, "not_found", f"there is no label {id_[:64]!r} / 没有该标注")
    by = who(caller, request.query.get("by"))
    if not await context.desk.annals.withdraw_label(id_, by, context.clock.now()):
        raise Problem(409, "refused", "it was taken back before / 该标注已撤回")
    await context.desk.log_access(caller.name, f"label {id_} taken back", context.clock.now())
    kept = await context.desk.annals.label(id_)
    return json_response(label_object(kept or label))


async def listing(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/labels`: the newest first."""
    labels = await _asked(context, request, LIMIT)
    return json_response({"items": [label_object(label) for label in labels]})


async def lines(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/labels.jsonl`: one a line, the oldest first, as scorecards read them."""
    labels = await _asked(context, request, LIMIT_MOST)
    body = b"".join(msgspec.json.encode(label_object(one)) + b"\n" for one in reversed(labels))
    return web.Response(
        body=body,
        headers={
            "Content-Type": "application/x-ndjson; charset=utf-8",
            "Content-Disposition": 'attachment; filename="labels.jsonl"',
            "Cache-Control": "no-store",
        },
    )


async def reasons(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/labels/causes`: what to choose from, by kind."""

    def shown(of: dict[str, tuple[str, str]]) -> list[dict[str, str]]:
        return [{"id": id_, "zh": zh, "en": en} for id_, (zh, en) in of.items()]

    kinds = {kind: shown(causes(kind)) for kind in (*CAUSES, "citizen_report")}
    return json_response({"kinds": kinds, "any": shown(ANY)})


def who(caller: Caller, said: str | None) -> str:
    """In whose name it is kept: an account's own; on a shared token or desk, who says so."""
    if caller.account is not None or said is None:
        return caller.name
    text(said, "$.by", NAME_MAX)
    return said.strip()


async def _events(context: Context, body: LabelBody) -> list[dict[str, Any]]:
    if (body.event is None) == (body.ticket is None):
        raise Problem(400, "bad_body", "name one `event` or one `ticket`", path="$.event")
    if body.event is not None:
        return [await found(context.desk, "events", body.event)]
    ticket = await found(context.desk, "tickets", str(body.ticket))
    incident = await found(context.desk, "incidents", str(ticket["incident"]))
    events = [
        {**event, "incident": incident["id"]}
        for id_ in incident.get("events", [])[-EVENTS_MOST:]
        if (event := await context.desk.get("events", str(id_))) is not None
    ]
    if not events:
        raise Problem(409, "refused", "no event of it is kept any more / 事件已不再保存")
    return events


def _said(context: Context, event: dict[str, Any], body: LabelBody, by: str) -> Label:
    kind = str(event["kind"])
    if body.verdict == "false":
        one_of(body.cause, tuple(causes(kind)), "$.cause")
        if body.cause == "other" and not body.note.strip():
            raise Problem(400, "bad_body", "say what it was / 请说明是什么", path="$.note")
    elif body.cause:
        raise Problem(400, "bad_body", "a cause goes with `false` only", path="$.cause")
    place = event.get("place") or {}
    return Label(
        id=_name(),
        verdict=body.verdict,
        kind=kind,
        event=str(event["id"]),
        incident=event.get("incident"),
        device=event.get("device"),
        site=event.get("site"),
        at=datetime.fromisoformat(str(event["at"])),
        cause=body.cause,
        note=body.note.strip(),
        point=Point(place["lon"], place["lat"]) if "lon" in place else None,
        grid=place.get("grid"),
        by=by,
        made_at=context.clock.now(),
    )


async def _missed(context: Context, body: LabelBody, by: str) -> Label:
    for name in ("event", "ticket"):
        if getattr(body, name) is not None:
            raise Problem(400, "bad_body", "what was missed has no event", path=f"$.{name}")
    if body.kind is None or body.at is None:
        raise Problem(
            400, "bad_body", "what was missed needs `kind` and `at` / 漏报须注明类别与时间",
            path="$.kind" if body.kind is None else "$.at",
        )  # fmt: skip
    one_of(body.kind, DETECTED, "$.kind")
    at, now = parse_time(body.at, "$.at"), context.clock.now()
    until = None if body.until is None else parse_time(body.until, "$.until")
    if at > now + AHEAD:
        raise Problem(400, "bad_value", "it has not happened yet / 时间在未来", path="$.at")
    if until is not None and until < at:
        raise Problem(400, "bad_value", "it ends before it begins / 结束早于开始", path="$.until")
    device = None if body.device is None else context.city.devices.get(body.device)
    if body.device is not None and device is None:
        raise Problem(
            400, "bad_value", f"no device is called {body.device[:64]!r} / 没有该设备",
            path="$.device",
        )  # fmt: skip
    if device is None and body.point is None:
        raise Problem(
            400, "bad_body", "say which device should have noticed it, or where it was"
            " / 请注明设备或位置", path="$.device",
        )  # fmt: skip
    point = body.point if device is None or body.point is not None else device.point
    if point is not None and not (abs(point.lon) <= 180 and abs(point.lat) <= 90):
        raise Problem(400, "bad_value", "lon -180 to 180, lat -90 to 90", path="$.point")
    return Label(
        id=_name(),
        verdict="missed",
        kind=body.kind,
        device=body.device,
        site=None if device is None else device.site,
        at=at,
        until=until,
        note=body.note.strip(),
        point=point,
        grid=None if point is None else await asyncio.to_thread(context.lands.at, point),
        by=by,
        made_at=now,
    )


def _name() -> str:
    return f"l-{uuid.uuid4().hex}"


async def _asked(context: Context, request: web.Request, most: int) -> list[Label]:
    given = request.query
    kind, limit = given.get("kind"), given.get("limit", str(most))
    if kind is not None:
        one_of(kind, KINDS, "kind")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= LIMIT_MOST):
        raise Problem(400, "bad_value", f"allowed: 1 to {LIMIT_MOST}", path="limit")
    events = tuple(given["events"].split(",")) if "events" in given else None
    if events is not None and len(events) > EVENTS_ASKED:
        raise Problem(400, "bad_value", f"at most {EVENTS_ASKED} events", path="events")
    one_of(given.get("all", "0"), ("0", "1"), "all")
    return await context.desk.annals.labels(
        since=parse_time(given["since"], "since") if "since" in given else None,
        until=parse_time(given["until"], "until") if "until" in given else None,
        kind=kind,
        events=events,
        standing=given.get("all", "0") == "0",
        limit=int(limit),
    )
