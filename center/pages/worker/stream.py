"""`/api/v1/me/stream`: tells a phone which of its tickets changed, and nothing else.

A frame names the ticket, its revision and the change; the phone then reads what it may see. With
every connection the phone reads its list anew, so nothing need be resumed.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.live import STILL_S, still
from center.pages.worker.mine import DONE_FOR, MOST
from center.pages.worker.who import myself
from center.sse import event_stream, send
from center.tailer import Entry
from contracts.city import Worker
from contracts.clock import iso, monotonic

CHUNK = 64


async def stream(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """Serve one phone until it leaves, is too slow, or the center stops."""
    worker = myself(context, caller, request)
    async with event_stream(context, request) as response:
        await _follow(context, caller, worker, request, response)
    return response


async def _follow(
    context: Context,
    caller: Caller,
    worker: Worker,
    request: web.Request,
    response: web.StreamResponse,
) -> None:
    tailer = context.tailer

    async def write(data: bytes) -> None:
        await send(context, response, data)

    position = await tailer.newest()
    since = context.clock.now() - DONE_FOR
    # A ticket that goes to somebody else names me no more: I am told of it all the same.
    mine = {str(t["id"]) for t in await context.desk.tickets_of_worker(worker.id, since, MOST)}
    await response.prepare(request)
    await write(b"retry: 1000\n\n" + _frame("hello", {"now": iso(context.clock.now())}))
    beat = context.settings.stream_heartbeat_s
    if caller.account is not None:
        beat = min(beat, STILL_S)
    checked = monotonic()
    while not tailer.closing:
        if caller.account is not None and monotonic() - checked >= beat:
            checked = monotonic()
            if not await still(context, caller, request):
                return  # the phone comes again, and is asked who it is
        grown = tailer.grown
        entries = await tailer.after(position, CHUNK)
        if entries is None:  # further behind than what is kept: read the list anew
            position = await tailer.newest()
            await write(_frame("hello", {"now": iso(context.clock.now())}))
        elif entries:
            position = entries[-1].position
            told = [_told(entry, worker.id, mine) for entry in entries if entry.type == "ticket"]
            frames = b"".join(_frame("ticket", one) for one in told if one is not None)
            if frames:
                await write(frames)
        else:
            try:
                await asyncio.wait_for(grown.wait(), beat)
            except TimeoutError:
                await write(b": still here\n\n")


def _told(entry: Entry, worker: str, mine: set[str]) -> dict[str, Any] | None:
    """What this worker is told of a ticket's change; `mine` follows. None: not theirs."""
    id_, theirs = entry.facts.id, worker in entry.facts.people
    if not theirs and id_ not in mine:
        return None
    ticket = entry.data() or {}
    fresh = theirs and id_ not in mine
    (mine.add if theirs else mine.discard)(id_)
    told = {"id": id_, "rev": ticket.get("rev"), "mine": theirs, "new": fresh}
    return {**told, "stage": ticket.get("stage")}


def _frame(event: str, data: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (event.encode(), msgspec.json.encode(data))
