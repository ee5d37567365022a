"""Photographs that go with an action: 近景 远景 参照物 处置前 处置后."""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.pictures import keep, ref_of, renewed
from center.problems import Problem, json_response
from center.query import one_of
from center.reads import found
from center.writes import read_body
from contracts.loop import PHOTOS

MOST_BYTES = 8 * 2**20
TYPES = ("image/jpeg", "image/png")


class Stored(msgspec.Struct, frozen=True):
    """A photograph that is kept; `{"name": …, "ref": …}` of `data.photos` names it."""

    ref: str
    name: str
    width: int
    height: int
    photo: str
    """A signed link to it."""


async def add(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/tickets/{id}/photos`: the picture itself is the body."""
    ticket = await found(context.desk, "tickets", request.match_info["id"])
    return await take(context, request, caller.name, str(ticket["id"]))


async def take(context: Context, request: web.Request, who: str, ticket: str) -> web.StreamResponse:
    """Keep the picture in this request. Raises Problem 400, 413, 415."""
    name = request.query.get("name", "near")
    one_of(name, tuple(PHOTOS), "name")
    if request.content_type not in TYPES:
        raise Problem(
            415, "not_a_picture", "send the picture itself: image/jpeg or image/png"
            " / 请上传 JPEG 或 PNG 图片",
        )  # fmt: skip
    data = await read_body(request, MOST_BYTES)
    jpeg, (width, height) = await asyncio.to_thread(renewed, data)
    # Noted before it is kept: what cannot be noted is not taken.
    ref = ref_of(jpeg)
    await context.desk.log_access(who, f"{ref} added to tickets/{ticket}", context.clock.now())
    await asyncio.to_thread(keep, context.evidence_dir / ref, jpeg)
    stored = Stored(ref, name, width, height, context.signer.sign(ref))
    return json_response(msgspec.to_builtins(stored), status=201)
