"""What a worker does with their ticket: each step once, however often the phone sends it.

A phone sends again when it heard no answer. What it does carries a key of the phone's own making
(`Idempotency-Key`); the command's id follows from worker and key, so the same key is the same
command, and its answer the one it had. What was done without network says when (`done_at`); it
is applied if the loop still allows it, and where it does not, the office reads it as a note.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from center import photos
from center.context import Context
from center.guard import Caller
from center.pages.worker.cards import OFFERED, sheet
from center.pages.worker.who import myself, once_mine
from center.pictures import REF
from center.problems import Problem, json_response
from center.query import one_of, parse_time, read_json
from center.writes import TEXT_MAX, json_bytes, text
from contracts.case import AS_IT_STANDS, Command
from contracts.clock import iso
from contracts.loop import ACTION_NAMES
from contracts.people import parts

KEY = re.compile(r'("?)([A-Za-z0-9._-]{8,64})\1')
"""Of draft-ietf-httpapi-idempotency-key-header: a string, quoted or not."""
ACTIONS = tuple(sorted(frozenset().union(*OFFERED.values())))
LATE = timedelta(seconds=60)
"""What was done so long before it came was done without network, and that is said."""
OLDEST = timedelta(days=7)
"""A phone's clock is not believed to have been away for longer."""
PHOTOS_MOST = 10
DATA_MOST = 20


class WorkPhoto(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A photograph of a step, sent before (`…/photos`)."""

    name: Literal["near", "far", "reference", "before", "after"]
    ref: str


class WorkBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a worker does with their ticket."""

    action: str
    """One that the ticket's `actions` name, such as `accept`, `arrive`, `dispose`, `return`."""
    done_at: str | int
    """When, by the phone's clock: ISO 8601 with a zone, or epoch milliseconds."""
    sent_at: str | int
    """When it is sent, by the same clock: only the difference counts, so a clock that is off does
    no harm."""
    reason: str | None = None
    note: str | None = None
    data: dict[str, Any] = {}
    """What the action needs beside words, as in `POST /tickets/{id}/actions`."""
    photos: tuple[WorkPhoto, ...] = ()


async def act(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/me/tickets/{id}/actions`."""
    worker = myself(context, caller, request)
    key = _key(request)
    body = read_json(await json_bytes(request, context.settings.body_bytes), WorkBody)
    _check(body)
    ticket = await once_mine(context, worker, request.match_info["id"])
    now = context.clock.now()
    done = _done_at(body, now)
    late = now - done > LATE
    command = Command(
        id=command_id(worker.id, key),
        ticket=str(ticket["id"]),
        action=body.action,
        by=worker.id,
        rev=AS_IT_STANDS,
        at=now,
        reason=_told(context, body.reason, done, now) if late and body.reason else body.reason,
        note=_told(context, body.note, done, now) if late and not body.reason else body.note,
        data=_data(body, done, late),
    )
    # Whose it no longer is may still say what they did: the router answers, the office reads it.
    desk = (context if parts(ticket, worker.id) else context.whole).desk
    answer = await desk.file_command(command, context.settings.answer_wait_s)
    if answer is None:
        context.metrics.count("actions", outcome="waiting")
        waiting = "filed; send it again with the same key to hear the answer / 已提交，等待受理"
        return json_response({"command": command.id, "reason": waiting}, status=202)
    if not answer.ok:
        context.metrics.count("actions", outcome="refused")
        noted = late and await _noted(context.whole, command, body, key, done)
        raise Problem(409, "refused", answer.reason, rev=answer.rev, noted=noted)
    context.metrics.count("actions", outcome="applied")
    newest = await once_mine(context, worker, str(ticket["id"]))
    if not parts(newest, worker.id):  # returned: it is somebody else's now
        return json_response({"id": newest["id"], "rev": newest["rev"], "gone": True})
    return json_response(await sheet(context, newest, worker, now))


async def photo(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/me/tickets/{id}/photos`: kept by its content, so sending again is harmless."""
    worker = myself(context, caller, request)
    ticket = await once_mine(context, worker, request.match_info["id"])
    return await photos.take(context, request, f"{caller.name} ({worker.id})", str(ticket["id"]))


def command_id(worker: str, key: str) -> str:
    """The id of this worker's command with that key."""
    told = f"{worker}\n{key}".encode()
    return f"w-{hashlib.sha256(told).hexdigest()[:40]}"


def _key(request: web.Request) -> str:
    found = KEY.fullmatch(request.headers.get("Idempotency-Key", ""))
    if found is None:
        raise Problem(
            400, "no_key",
            "send an Idempotency-Key: 8 to 64 of A-Z a-z 0-9 . _ -, a new one for each deed and the"
            " same when it is sent again",
        )  # fmt: skip
    return found[2]


def _check(body: WorkBody) -> None:
    one_of(body.action, ACTIONS, "$.action")
    for name in ("reason", "note"):
        value = getattr(body, name)
        if value is not None:
            text(value, f"$.{name}", TEXT_MAX)
    if len(body.data) > DATA_MOST or "photos" in body.data or "done_at" in body.data:
        raise Problem(400, "bad_value", "not such data", path="$.data")
    if len(body.photos) > PHOTOS_MOST or not all(REF.fullmatch(p.ref) for p in body.photos):
        raise Problem(
            400, "bad_photo", "send the photographs first / 请先上传照片", path="$.photos"
        )


def _done_at(body: WorkBody, now: datetime) -> datetime:
    """When it was done, by our clock."""
    age = parse_time(body.sent_at, "$.sent_at") - parse_time(body.done_at, "$.done_at")
    return now - min(max(age, timedelta(0)), OLDEST)


def _data(body: WorkBody, done: datetime, late: bool) -> dict[str, Any] | None:
    data = dict(body.data)
    if body.photos:
        data["photos"] = [msgspec.to_builtins(p) for p in body.photos]
    if late:
        data["done_at"] = iso(done)
    return data or None


def _told(context: Context, said: str | None, done: datetime, now: datetime) -> str:
    """What was said, with when it was done, in words for the timeline."""
    zone = ZoneInfo(context.city.timezone)
    then, since = f"{done.astimezone(zone):%H:%M}", f"{now.astimezone(zone):%H:%M}"
    if done.astimezone(zone).date() != now.astimezone(zone).date():
        then = f"{done.astimezone(zone):%m-%d %H:%M}"
    en, zh = f"done without network at {then}, sent at {since}", f"{then} 离线办理，{since} 补传"
    if said is None:
        return f"{en} / {zh}"
    return f"{said} ({en}) / {said}（{zh}）" if " / " not in said else f"{said} ({then})"


async def _noted(
    context: Context, command: Command, body: WorkBody, key: str, done: datetime
) -> bool:
    """What was done without network and came too late stands on the ticket as a note; whether it
    does already."""
    zh, en = ACTION_NAMES[command.action]
    said = ": ".join(part for part in (body.reason, body.note) if part)
    words = _told(context, None, done, command.at)
    first, _, second = words.partition(" / ")
    en, zh = f"not applied: {en}, {first}", f"未生效：{zh}，{second}"
    note = f"{en}: {said} / {zh}：{said}" if said and " / " not in said else f"{en} / {zh}"
    photographs = (command.data or {}).get("photos")
    filed = msgspec.structs.replace(
        command,
        id=command_id(command.by, f"{key}\nnote"),
        action="note",
        reason=None,
        note=note,
        data={"photos": photographs} if photographs else None,
    )
    answer = await context.desk.file_command(filed, context.settings.answer_wait_s)
    return answer is None or answer.ok
