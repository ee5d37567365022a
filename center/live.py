"""`/api/v1/stream`: Server-Sent Events, resumed without a gap by the last event id."""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.problems import Problem
from center.reads import open_tickets
from center.sse import event_stream, send
from center.tailer import Entry, frame, grid_of
from contracts.clock import iso, monotonic
from contracts.errors import GridsentryError

CHUNK = 64
"""Entries written at once."""
STILL_S = 5.0
"""How soon a stream notices that its session is over, or that its account may something else."""


class Filter(msgspec.Struct, frozen=True):
    """Which changes a connection wants; None: all."""

    types: frozenset[str] | None
    kinds: frozenset[str] | None
    grids: frozenset[str] | None

    def wants(self, type_: str, kind: object, grid: str | None) -> bool:
        """Whether a change of this type, kind and grid passes."""
        return (
            (self.types is None or type_ in self.types)
            and (self.kinds is None or kind in self.kinds)
            and (self.grids is None or grid in self.grids)
        )

    def takes(self, entry: Entry) -> bool:
        """Whether this entry passes; its grid is only looked up when asked for."""
        grid = entry.grid if self.grids is not None else None
        return self.wants(entry.type, entry.kind, grid)


async def stream(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """Serve one live connection until it leaves, is too slow, or the center stops."""
    start = _last_event_id(request)
    wanted = _filter(context, request)
    async with event_stream(context, request) as response:
        connection = _Connection(context, caller, response, wanted)
        await connection.open(request, start)
        await connection.follow()
    return response


async def still(context: Context, caller: Caller, request: web.Request) -> bool:
    """Whether this request's session goes on and its account may what it might."""
    try:
        return await context.guard.caller(request) == caller
    except Problem:
        return False
    except (GridsentryError, OSError, TimeoutError):
        return True  # the database is away: asked again in a moment


class _Connection:
    def __init__(
        self, context: Context, caller: Caller, response: web.StreamResponse, wanted: Filter
    ) -> None:
        self._context = context
        self._caller = caller
        self._scope = context.scope
        self._told: set[str] = set()
        """Tickets that this reader of a part was told of."""
        self._checked = monotonic()
        self._tailer = context.tailer
        self._response = response
        self._wanted = wanted
        self._personal = caller.personal
        self._position = 0

    async def open(self, request: web.Request, start: int | None) -> None:
        """Answer the request and find the position to go on from."""
        reset = False
        if start is None and request.query.get("from") == "oldest":
            start = max(0, await self._context.desk.oldest_position() - 1)
        elif start is None:
            start = await self._tailer.newest()
        else:
            reset = await self._tailer.gone(start)
        self._position = start
        if not self._scope.everything:
            async for ticket in open_tickets(self._context):
                self._told.add(str(ticket["id"]))
        self._request = request
        await self._response.prepare(request)
        await self._write(
            b"retry: 1000\n\n" + frame(start, "hello", {"position": start, "now": self._now()})
        )
        if reset:
            await self._reset()

    async def follow(self) -> None:
        """Write what comes, and a heartbeat when nothing does."""
        while not self._tailer.closing and await self._still():
            grown = self._tailer.grown
            entries = await self._tailer.after(self._position, CHUNK)
            if entries is None:
                await self._reset()
            elif entries:
                self._position = entries[-1].position
                chunk = b"".join(self._shown(e) for e in entries if self._wanted.takes(e))
                if chunk:
                    await self._write(chunk)
            else:
                try:
                    beat = self._context.settings.stream_heartbeat_s
                    if self._caller.account is not None:
                        beat = min(beat, STILL_S)
                    await asyncio.wait_for(grown.wait(), beat)
                except TimeoutError:
                    # The id moves the resume point on past what the filter left out.
                    await self._write(b": still here\nid: %d\n\n" % self._position)

    def _shown(self, entry: Entry) -> bytes:
        """The entry, or nothing of what lies outside the caller's part; of a ticket that was in it
        before, that it is gone."""
        scope = self._scope
        if scope.everything:
            return entry.frame(self._personal)
        facts = entry.facts
        if scope.holds(entry.type, facts):
            if entry.type == "ticket":
                self._told.add(facts.id)
            return entry.frame(self._personal)
        if entry.type == "ticket" and (facts.id in self._told or scope.held(facts)):
            self._told.discard(facts.id)
            return frame(entry.position, "gone", {"type": "ticket", "subject": facts.id})
        return b""

    async def _still(self) -> bool:
        """Whether the caller is who they were: a session may be over, a role another one. The
        reader comes again and is asked anew."""
        if self._caller.account is None:
            return True
        now = monotonic()
        if now - self._checked < min(STILL_S, self._context.settings.stream_heartbeat_s):
            return True
        self._checked = now
        return await still(self._context, self._caller, self._request)

    async def _reset(self) -> None:
        """Rows were missed for good: say so, then send every open ticket as it stands now."""
        self._position = await self._context.desk.newest_position()
        reason = "the changes after your last event id are no longer kept"
        await self._write(
            frame(self._position, "reset", {"reason": reason, "position": self._position})
        )
        async for ticket in open_tickets(self._context):
            if self._wanted.wants("ticket", ticket.get("kind"), grid_of(ticket)):
                event = {
                    "specversion": "1.0",
                    "id": f"ticket:{ticket['id']}:{ticket.get('rev')}:snapshot",
                    "source": f"/gridsentry/{self._context.city.id}",
                    "type": "gridsentry.ticket.snapshot",
                    "subject": ticket["id"],
                    "time": self._now(),
                    "datacontenttype": "application/json",
                    "data": ticket if self._personal else self._context.veil.redact(ticket),
                }
                await self._write(frame(self._position, "ticket", event))

    def _now(self) -> str:
        return iso(self._context.clock.now())

    async def _write(self, data: bytes) -> None:
        await send(self._context, self._response, data)


def _last_event_id(request: web.Request) -> int | None:
    text = request.headers.get("Last-Event-ID") or request.query.get("last_event_id")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Problem(
            400, "bad_value", f"{text[:40]!r} is no event id of this stream", path="last_event_id"
        )
    return int(text)


def _filter(context: Context, request: web.Request) -> Filter:
    def values(name: str) -> frozenset[str] | None:
        text = request.query.get(name)
        return frozenset(text.split(",")) if text else None

    grids = values("grid")
    if grids is not None:
        grids = frozenset().union(*(context.grids_inside(grid) for grid in grids))
    return Filter(values("type"), values("kind"), grids)
