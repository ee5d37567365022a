"""What people send in: ticket actions and reports. Neither changes a ticket here."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from typing import Any

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.privacy import with_links
from center.problems import Problem, json_response
from center.query import one_of, parse_time, read_json
from center.reads import ID, found
from center.shapes import ActionBody, ReportBody, ReportTaken
from contracts.case import Command
from contracts.city import Device
from contracts.clock import iso
from contracts.event import event_id
from contracts.kinds import APP_TYPES, PUBLIC_KINDS

ACTION = re.compile(r"[a-z][a-z_]{0,31}")
TEXT_MAX = 4_000
NAME_MAX = 64
"""Device types that people report through, as the detector of their reports has them."""
JPEG = b"\xff\xd8\xff"


async def act(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/tickets/{id}/actions`: file a command and wait for the router's answer."""
    body = read_json(await json_bytes(request, context.settings.body_bytes), ActionBody)
    if not ACTION.fullmatch(body.action):
        raise Problem(400, "bad_value", "an action is a lower-case word", path="$.action")
    by = in_whose_name(caller, body.by)
    for name in ("reason", "note"):
        value = getattr(body, name)
        if value is not None:
            text(value, f"$.{name}", TEXT_MAX)
    ticket = await found(context.desk, "tickets", request.match_info["id"])
    command = Command(
        id=f"c-{uuid.uuid4().hex}",
        ticket=ticket["id"],
        action=body.action,
        by=by,
        rev=body.rev,
        at=context.clock.now(),
        reason=body.reason,
        note=body.note,
        data=body.data,
    )
    answer = await context.desk.file_command(command, context.settings.answer_wait_s)
    if answer is None:
        context.metrics.count("actions", outcome="waiting")
        return json_response(
            {"command": command.id, "reason": "filed; the answer will show on the ticket"},
            status=202,
        )
    if not answer.ok:
        context.metrics.count("actions", outcome="refused")
        raise Problem(409, "refused", answer.reason, rev=answer.rev)
    context.metrics.count("actions", outcome="applied")
    after = await context.desk.get("tickets", ticket["id"])
    if after is None:  # handed on, and so no more theirs to see
        return json_response({"id": ticket["id"], "rev": answer.rev, "gone": True})
    if not caller.personal:
        return json_response(context.veil.redact(after))
    return json_response(with_links(after, context.signer))


def in_whose_name(caller: Caller, said: str | None) -> str:
    """Who a command says it is by. Whether they may say so, `SeenDesk.file_command` looks.

    Raises Problem 400 on a name that is none.
    """
    own = caller.worker or caller.utility
    if said is None and own is None and caller.account is None:
        raise Problem(400, "bad_body", "Object missing required field `by`", path="$")
    by = said if said is not None else own or caller.name
    text(by, "$.by", NAME_MAX)
    return by


async def report(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/reports`: hand a resident's report to the intake."""
    body = read_json(await json_bytes(request, context.settings.report_bytes), ReportBody)
    taken = await take_report(context, body)
    return json_response({"id": taken.id, "event": taken.event}, status=202)


async def take_report(context: Context, body: ReportBody) -> ReportTaken:
    """Check the report and file it as if its app had sent it by MQTT."""
    text(body.text, "$.text", TEXT_MAX)
    if body.reporter is not None:
        text(body.reporter, "$.reporter", NAME_MAX * 4)
    for name, value, most in (("lon", body.lon, 180), ("lat", body.lat, 90)):
        if not -most <= value <= most:
            raise Problem(
                400, "bad_value", f"{value} is not within -{most} to {most}", path=f"$.{name}"
            )
    if body.kind is not None:
        one_of(body.kind, PUBLIC_KINDS, "$.kind")
    if body.crs is not None:
        one_of(body.crs, ("wgs84", "gcj02", "bd09"), "$.crs")
    if body.id is not None and not ID.fullmatch(body.id):
        raise Problem(400, "bad_value", "allowed: 1 to 64 of A-Z a-z 0-9 . _ -", path="$.id")
    now = context.clock.now()
    at = now if body.ts is None else parse_time(body.ts, "$.ts")
    if body.photo is not None:
        _jpeg(body.photo)
    id_ = body.id or f"r-{uuid.uuid4().hex}"
    fields: dict[str, Any] = {
        "id": id_,
        "ts": iso(at),
        "text": body.text,
        "lon": body.lon,
        "lat": body.lat,
        "kind": body.kind,
        "crs": body.crs,
        "reporter": body.reporter,
        "photo": body.photo,
    }
    payload = msgspec.json.encode({k: v for k, v in fields.items() if v is not None})
    device = report_device(context)
    topic = f"gridsentry/v1/feed/{device.district}/{device.id}/report"
    await context.desk.file_report(topic, payload, now)
    context.metrics.count("reports")
    # The detector of reports names its episodes so: whoever reported can follow what becomes of it.
    event = event_id("citizen_report", f"{device.id}/{id_}", at)
    return ReportTaken(id=id_, event=event)


def report_device(context: Context) -> Device:
    """The device that reports over HTTP come from. Raises Problem 503 where there is none."""
    name = context.settings.report_device
    devices = context.city.devices
    device = (
        devices.get(name)
        if name
        else next((d for d in devices.values() if d.type.lower() in APP_TYPES), None)
    )
    if device is None:
        raise Problem(
            503,
            "no_app_device",
            "reports need a device of type `app`, `hotline` or `miniprogram` in devices.csv"
            + (f"; {name!r} (center.report_device) is not registered" if name else ""),
        )
    return device


async def json_bytes(request: web.Request, most: int) -> bytes:
    """The body of a JSON request, at most `most` bytes. Raises Problem 413, 415."""
    # A browser sends other pages' forms without asking; JSON it asks about first.
    if request.content_type != "application/json":
        raise Problem(415, "not_json", "send Content-Type: application/json")
    return await read_body(request, most)


async def read_body(request: web.Request, most: int) -> bytes:
    """The whole body, at most `most` bytes (413 beyond)."""
    data = bytearray()
    async for piece in request.content.iter_chunked(65_536):
        data += piece
        if len(data) > most:
            raise Problem(413, "too_large", f"the body is larger than {most} bytes")
    return bytes(data)


def text(value: str, path: str, most: int) -> None:
    """Raise Problem 400 unless it is 1 to `most` characters without control characters."""
    if not value.strip() or len(value) > most:
        raise Problem(400, "bad_value", f"needs 1 to {most} characters", path=path)
    if any(ord(c) < 32 and c not in "\n\t" for c in value):
        raise Problem(400, "bad_value", "control characters are not allowed", path=path)


def _jpeg(text: str) -> None:
    try:
        head = base64.b64decode(text, validate=True)[:3]
    except (binascii.Error, ValueError):
        head = b""
    if head != JPEG:
        raise Problem(400, "bad_photo", "not a JPEG in base64", path="$.photo")
