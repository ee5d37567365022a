"""`/api/v1/passes/{link}/stream`: tells a utility's open page that its ticket changed, and no more.

A frame has the ticket's revision only; the page then reads what it may see, which is noted as an
access. The stream ends with the link's time, or when the ticket goes to somebody else.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.notify.counter import believed, theirs
from center.notify.passes import Pass
from center.problems import Problem
from center.sse import event_stream, send
from center.tailer import Entry
from contracts.clock import iso

CHUNK = 64
AT_ONCE = 8
"""Pages that may be open by one link; whoever passes a link on does not fill the center's room."""


class Watch:
    """The handler; it counts how many watch by each link."""

    def __init__(self) -> None:
        self._open: Counter[Pass] = Counter()

    async def __call__(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """Serve one page until it leaves, its link ends, or the center stops."""
        said = believed(context, request)
        ticket = await theirs(context, said)
        with self._room(said):
            async with event_stream(context, request) as response:
                await response.prepare(request)
                await _follow(context, request, response, said, int(ticket["rev"]))
        return response

    @contextmanager
    def _room(self, said: Pass) -> Iterator[None]:
        if self._open[said] >= AT_ONCE:
            raise Problem(
                429, "too_many_streams",
                "this link is open on too many pages / 此链接打开的页面过多",
                headers={"Retry-After": "60"},
            )  # fmt: skip
        self._open[said] += 1
        try:
            yield
        finally:
            self._open[said] -= 1
            if not self._open[said]:
                del self._open[said]


async def _follow(
    context: Context, request: web.Request, response: web.StreamResponse, said: Pass, rev: int
) -> None:
    tailer = context.tailer
    position = await tailer.newest()

    async def write(name: str, **data: Any) -> None:
        frame = b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data))
        await send(context, response, frame)

    await send(context, response, b"retry: 3000\n\n")
    await write("hello", rev=rev, now=iso(context.clock.now()))
    while not tailer.closing:
        grown = tailer.grown
        entries = await tailer.after(position, CHUNK)
        if entries is None:  # further behind than what is kept: the page reads it anew
            position = await tailer.newest()
            await write("ticket", rev=None)
        elif entries:
            position = entries[-1].position
            for ticket in filter(None, (_of(said, entry) for entry in entries)):
                if ticket.get("utility") != said.utility:
                    return await write("gone")
                await write("ticket", rev=ticket.get("rev"))
        else:
            try:
                await asyncio.wait_for(grown.wait(), context.settings.stream_heartbeat_s)
            except TimeoutError:
                if context.passes.read(request.match_info["link"]) is None:
                    return await write("gone")
                await send(context, response, b": still here\n\n")
    return None


def _of(said: Pass, entry: Entry) -> dict[str, Any] | None:
    """The link's ticket, if that is what changed."""
    return entry.data() if entry.type == "ticket" and entry.facts.id == said.ticket else None
