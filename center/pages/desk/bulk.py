"""Acknowledging many tickets at once: one click on a stormy night, not four hundred."""

from __future__ import annotations

import asyncio
import uuid

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.problems import Problem, json_response
from center.query import read_json
from center.reads import ID
from center.writes import TEXT_MAX, json_bytes, text
from contracts.case import Command
from contracts.kinds import OPEN_STAGES

MOST = 500
"""Tickets in one request; a page with more asks again."""
AT_ONCE = 12
"""Commands that wait for the router's answer side by side; each holds a connection now and then."""
AGAIN = 2
"""A ticket that moved on between reading and asking is asked for anew so often."""


class BulkBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which tickets, and in whose name."""

    tickets: tuple[str, ...]
    by: str = "center"
    note: str | None = None


class BulkDone(msgspec.Struct, frozen=True):
    """What became of each."""

    done: tuple[str, ...]
    waiting: tuple[str, ...]
    """Filed; the router had not answered yet."""
    refused: tuple[tuple[str, str], ...]
    """Ticket and why, in both languages."""


async def acknowledge(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/desk/acknowledge`: these tickets are known to somebody at the desk."""
    body = read_json(await json_bytes(request, context.settings.body_bytes), BulkBody)
    if not 1 <= len(body.tickets) <= MOST:
        raise Problem(400, "bad_value", f"1 to {MOST} tickets", path="$.tickets")
    text(body.by, "$.by", 64)
    if body.note is not None:
        text(body.note, "$.note", TEXT_MAX)
    if bad := next((id_ for id_ in body.tickets if not ID.fullmatch(id_)), None):
        raise Problem(400, "bad_value", f"{bad[:64]!r} is no ticket's id", path="$.tickets")
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(id_: str) -> tuple[str, str | None]:
        async with gate:
            return id_, await _one(context, body, id_)

    answers = await asyncio.gather(*(one(id_) for id_ in dict.fromkeys(body.tickets)))
    for _, why in answers:
        outcome = {"": "applied", None: "waiting"}.get(why, "refused")
        context.metrics.count("actions", outcome=outcome)
    return json_response(
        BulkDone(
            tuple(id_ for id_, why in answers if why == ""),
            tuple(id_ for id_, why in answers if why is None),
            tuple((id_, why) for id_, why in answers if why),
        )
    )


async def _one(context: Context, body: BulkBody, id_: str) -> str | None:
    """Why not; empty when done, None when nobody has answered yet."""
    why = "there is no such ticket / 没有此工单"
    for _ in range(AGAIN + 1):
        ticket = await context.desk.get("tickets", id_)
        if ticket is None:
            return why
        if ticket.get("stage") not in OPEN_STAGES:
            return "it is closed already / 工单已办结"
        command = Command(
            id=f"c-{uuid.uuid4().hex}",
            ticket=id_,
            action="acknowledge",
            by=body.by,
            rev=int(ticket["rev"]),
            at=context.clock.now(),
            note=body.note,
        )
        answer = await context.desk.file_command(command, context.settings.answer_wait_s)
        if answer is None:
            return None
        if answer.ok:
            return ""
        why = answer.reason
        if answer.rev is None or answer.rev == command.rev:
            return why  # not for being late: asking again would not help
    return why
