"""What a signed link opens: one ticket of one utility, without an account.

`GET` shows the ticket without personal data and what may be done now; `POST` files one step in the
utility's name. The router decides as always.
"""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web

from center import photos
from center.context import Context
from center.guard import Caller
from center.notify.passes import ACTIONS, Pass
from center.pictures import REF
from center.problems import Problem, json_response
from center.query import one_of, read_json
from center.reads import dossier, found
from center.said import kind_names
from center.way import way
from center.writes import TEXT_MAX, json_bytes, text
from contracts.case import Command

PHOTOS_MOST = 10
"""Photographs of one step."""


class PassPhoto(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A photograph of a step."""

    name: Literal["near", "far", "reference", "before", "after"]
    ref: str


class PassBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a utility's dispatcher says of its ticket."""

    action: str
    """`accept`, `arrive`, `dispose` (restored), `return` (with a reason) or `note`."""
    rev: Annotated[int, msgspec.Meta(ge=0)]
    """The ticket's `rev` as they saw it; a stale one is refused."""
    by: str | None = None
    """Their own name or number, kept in the note."""
    reason: str | None = None
    note: str | None = None
    photos: tuple[PassPhoto, ...] = ()
    """Photographs that were sent before (`…/photos`)."""


async def look(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/passes/{link}`; 204 while the ticket is at the `rev` that they have, so that an
    open page may ask again and again: nothing is shown then, and no access is noted."""
    said = believed(context, request)
    ticket = await theirs(context, said)
    if request.query.get("rev") == str(ticket["rev"]):
        return web.Response(status=204, headers={"Cache-Control": "no-store"})
    at = context.clock.now()
    await context.desk.log_access(f"pass:{said.utility}", f"tickets/{said.ticket}", at)
    return json_response(await _shown(context, said, ticket))


async def act(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/passes/{link}/actions`."""
    said = believed(context, request)
    body = read_json(await json_bytes(request, context.settings.body_bytes), PassBody)
    one_of(body.action, ACTIONS, "$.action")
    for name in ("by", "reason", "note"):
        value = getattr(body, name)
        if value is not None:
            text(value, f"$.{name}", 64 if name == "by" else TEXT_MAX)
    if len(body.photos) > PHOTOS_MOST or not all(REF.fullmatch(p.ref) for p in body.photos):
        raise Problem(
            400, "bad_photo", "send the photographs first / 请先上传照片", path="$.photos"
        )
    await theirs(context, said)
    note = f"{body.by}: {body.note or ''}".strip(": ") if body.by else body.note
    command = Command(
        id=f"c-{uuid.uuid4().hex}",
        ticket=said.ticket,
        action=body.action,
        by=f"utility:{said.utility}",
        rev=body.rev,
        at=context.clock.now(),
        reason=body.reason,
        note=note,
        data={"photos": [msgspec.to_builtins(p) for p in body.photos]} if body.photos else None,
    )
    answer = await context.desk.file_command(command, context.settings.answer_wait_s)
    if answer is None:
        context.metrics.count("actions", outcome="waiting")
        waiting = "filed; the answer will show on the ticket"
        return json_response({"command": command.id, "reason": waiting}, status=202)
    if not answer.ok:
        context.metrics.count("actions", outcome="refused")
        raise Problem(409, "refused", answer.reason, rev=answer.rev)
    context.metrics.count("actions", outcome="applied")
    return json_response(await _shown(context, said, await theirs(context, said)))


async def photo(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/passes/{link}/photos`: a picture of the spot, before or after."""
    said = believed(context, request)
    await theirs(context, said)
    return await photos.take(context, request, f"pass:{said.utility}", said.ticket)


def believed(context: Context, request: web.Request) -> Pass:
    """What the request's link says. Raises Problem 403 where it is not ours, or too old."""
    said = context.passes.read(request.match_info["link"])
    if said is None:
        raise Problem(
            403, "pass_invalid",
            "this link is not ours or its time has passed; a new one comes with the next message "
            "/ 链接无效或已过期，请使用最新消息中的链接",
        )  # fmt: skip
    return said


async def theirs(context: Context, said: Pass) -> dict[str, Any]:
    """The link's ticket. Raises Problem 410 where it is with somebody else now."""
    ticket = await found(context.desk, "tickets", said.ticket)
    if ticket.get("utility") != said.utility:
        raise Problem(
            410, "not_yours_any_more",
            "this ticket is with somebody else now / 该工单已改派其他单位",
        )  # fmt: skip
    return ticket


async def _shown(context: Context, said: Pass, ticket: dict[str, Any]) -> dict[str, Any]:
    full = await dossier(context.desk, ticket, context.signer)
    utility = context.city.utilities.get(said.utility)
    worker = context.city.workers.get(_contact(ticket))
    # The kind of evidence that a dispatcher needs (where, what, how it looks on the chart) is in
    # the events; windows, faces and reporters are not theirs to see by a link.
    shown: dict[str, Any] = context.veil.redact(full)
    return {
        "ticket": shown,
        "kind": dict(zip(("zh", "en"), kind_names(context.city, str(ticket["kind"])), strict=True)),
        "way": way(ticket.get("place") or {}),
        "timezone": context.city.timezone,
        "utility": said.utility if utility is None else utility.name,
        "contact": None if worker is None else worker.name,
        "actions": _next(context, ticket),
    }


def _next(context: Context, ticket: dict[str, Any]) -> list[str]:
    """Of what a link allows, what the loop allows a utility now; all of it where no loop is known
    here, and the router decides."""
    if context.allowed is None:
        return list(ACTIONS)
    now = {
        one.action
        for one in context.allowed(ticket, context.clock.now())
        if {"utility", "anyone"} & set(one.who)
    }
    return [action for action in ACTIONS if action in now]


def _contact(ticket: dict[str, Any]) -> str:
    """Who of ours is on site."""
    why = (ticket.get("reason") or {}).get("worker") or {}
    return str(ticket.get("worker") or why.get("contact") or "")
