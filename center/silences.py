"""Silences over HTTP: filed as commands like everything else; the router makes and ends them."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.problems import Problem, json_response
from center.query import parse_time, read_json
from center.reads import found
from center.shapes import SilenceBody
from center.writes import NAME_MAX, TEXT_MAX, json_bytes, text
from contracts.case import Command
from contracts.clock import iso

NAMES_MOST = 200
"""Kinds or sites in one silence."""


async def make(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/silences`: hold tickets back until a time, for a reason."""
    body = read_json(await json_bytes(request, context.settings.body_bytes), SilenceBody)
    text(body.by, "$.by", NAME_MAX)
    text(body.reason, "$.reason", TEXT_MAX)
    data: dict[str, Any] = {"until": iso(parse_time(body.until, "$.until"))}
    if body.since is not None:
        data["since"] = iso(parse_time(body.since, "$.since"))
    for name, values in (("kinds", body.kinds), ("sites", body.sites)):
        if len(values) > NAMES_MOST:
            raise Problem(400, "bad_value", f"at most {NAMES_MOST}", path=f"$.{name}")
        if values:
            data[name] = list(values)
    if body.grid is not None:
        data["grid"] = body.grid
    if body.point is not None:
        data["point"] = msgspec.to_builtins(body.point)
    if body.radius_m is not None:
        data["radius_m"] = body.radius_m
    name = f"s-{uuid.uuid4().hex}"
    return await _file(context, name, "silence", body.by, body.reason, data, done=201)


async def lift(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`DELETE /api/v1/silences/{id}`: end it now; what still goes on gets its ticket."""
    silence = await found(context.desk, "silences", request.match_info["id"])
    by = request.query.get("by", caller.name)
    text(by, "by", NAME_MAX)
    reason = request.query.get("reason", "lifted early")
    return await _file(context, silence["id"], "lift", by, reason, None, done=200)


async def _file(
    context: Context,
    name: str,
    action: str,
    by: str,
    reason: str,
    data: dict[str, Any] | None,
    *,
    done: int,
) -> web.StreamResponse:
    command = Command(
        id=f"c-{uuid.uuid4().hex}",
        ticket=name,
        action=action,
        by=by,
        rev=0,
        at=context.clock.now(),
        reason=reason,
        data=data,
    )
    answer = await context.desk.file_command(command, context.settings.answer_wait_s)
    if answer is None:
        context.metrics.count("actions", outcome="waiting")
        return json_response(
            {"command": command.id, "reason": f"filed; the answer will show at /silences/{name}"},
            status=202,
        )
    if not answer.ok:
        context.metrics.count("actions", outcome="refused")
        raise Problem(409, "refused", answer.reason, rev=answer.rev)
    context.metrics.count("actions", outcome="applied")
    return json_response(await found(context.desk, "silences", name), status=done)
