"""The desk's queue: every open ticket in the few fields that a list shows, in one answer.

The full listing would be tens of megabytes with 5,000 open tickets. Here the tickets are read once,
cut down and encoded; from then on the changes of the stream keep them up to date, so a desk that
opens costs what changed since the last one did.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
from typing import Any

import msgspec
from aiohttp import web

from center.accounts.scope import Facts, facts_of
from center.context import Context
from center.guard import Caller
from center.pages.desk.names import names_of
from center.problems import Problem
from center.reads import open_tickets
from center.urgency import CAUSES, HANDLED, due
from contracts.clock import epoch_ms
from contracts.errors import GridsentryError
from contracts.kinds import OPEN_STAGES

log = logging.getLogger(__name__)

FIELDS = (
    *("id", "rev", "incident", "kind", "stage", "lane", "worker", "utility", "parent", "grid"),
    *("severity", "place", "opened_at", "updated_at", "deadlines", "code"),
)
MARKS = CAUSES | HANDLED
"""Steps that the list and the alarm look at: of each the newest."""
SAID = 400
"""Characters of a step's words that a list has room for."""
CHUNK = 500
LEVEL = 4
"""Of gzip: 5,000 tickets in 40 ms to a tenth of their size."""
FAR = 2**62
MOST_FIRST = 1_000


def brief(ticket: dict[str, Any]) -> dict[str, Any]:
    """What a list shows of a ticket (as the wire has it).

    `timeline` keeps the newest step of each mark, `reason` the words for worker and utility, the
    acknowledgement and the count of urgings.
    """
    newest: dict[str, dict[str, Any]] = {}
    for step in ticket.get("timeline") or ():
        if step["change"] in MARKS:
            newest.pop(step["change"], None)
            newest[step["change"]] = step
    reason = ticket.get("reason") or {}
    said: dict[str, Any] = {
        name: {key: reason[name].get(key) for key in ("text_zh", "text_en")}
        for name in ("worker", "utility")
        if isinstance(reason.get(name), dict)
    }
    acknowledged = (reason.get("ladder") or {}).get("acknowledged")
    if acknowledged:
        said["ladder"] = {"acknowledged": acknowledged}
    if reason.get("supervised"):
        said["supervised"] = {"count": reason["supervised"].get("count")}
    steps = [{**step, "note": str(step.get("note") or "")[:SAID]} for step in newest.values()]
    kept = {name: ticket.get(name) for name in FIELDS}
    return {**kept, "reason": said, "timeline": steps, "brief": True}


def due_ms(ticket: dict[str, Any]) -> int:
    """When the clock ends that runs in this ticket's stage, epoch ms; far away where none does."""
    at = due(ticket)
    return FAR if at is None else epoch_ms(at)


class _Entry(msgspec.Struct):
    """One ticket of the queue, encoded once for each kind of reader."""

    row: dict[str, Any]
    due: int
    facts: Facts
    """What decides who may see it."""
    texts: dict[bool, bytes] = {}


class Keeper:
    """The open tickets of one center, kept up to date from its stream. One event loop."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._position: int | None = None
        self._lock = asyncio.Lock()

    async def entries(self, context: Context) -> tuple[dict[str, _Entry], int]:
        """Every open ticket by id, and the stream's position that they stand at (or after)."""
        async with self._lock:
            newest = await context.tailer.newest()
            if self._position is None or not await self._follow(context, newest):
                await self._read(context, newest)
            assert self._position is not None
            return self._entries, self._position

    async def _read(self, context: Context, newest: int) -> None:
        found: dict[str, _Entry] = {}
        async for ticket in open_tickets(context.whole):
            self._take(found, ticket)
        self._entries, self._position = found, newest

    async def _follow(self, context: Context, newest: int) -> bool:
        """Take what the stream brought; False when some of it is gone."""
        while self._position is not None and self._position < newest:
            rows = await context.tailer.after(self._position, CHUNK)
            if rows is None:
                return False
            if not rows:
                break
            for row in rows:
                if row.type == "ticket" and (data := row.data()) is not None:
                    self._take(self._entries, data)
            self._position = rows[-1].position
        return True

    @staticmethod
    def _take(entries: dict[str, _Entry], ticket: dict[str, Any]) -> None:
        id_ = str(ticket["id"])
        known = entries.get(id_)
        if known is not None and int(known.row["rev"]) > int(ticket["rev"]):
            return
        if ticket.get("stage") in OPEN_STAGES:
            row = brief(ticket)
            entries[id_] = _Entry(row, due_ms(row), facts_of("ticket", ticket), {})
        else:
            entries.pop(id_, None)


class Queue:
    """`GET /api/v1/queue`."""

    def __init__(self) -> None:
        self._keeper = Keeper()

    async def warm(self, context: Context) -> None:
        """Read the open tickets while nobody waits for them: five thousand take a second."""
        try:
            await self._keeper.entries(context)
        except (GridsentryError, OSError, TimeoutError) as error:
            log.warning("the queue is read when somebody asks for it: %s", error)

    async def __call__(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """Every open ticket this caller may see, the most urgent first, with the names of their
        grids and workers; gzip where it is understood. `first`: only so many of them, which a
        screen shows before thousands are there."""
        entries, position = await self._keeper.entries(context)
        personal = caller.personal
        now = epoch_ms(context.clock.now())
        seen = [e for e in entries.values() if context.scope.holds("ticket", e.facts)]
        seen.sort(key=lambda e: (e.due >= now, -int(e.row["severity"]), e.due, e.row["id"]))
        if "first" in request.query:
            seen = seen[: _first(request.query["first"])]
        texts = [self._text(context, entry, personal) for entry in seen]
        names = names_of(context, {str(e.row["grid"]) for e in seen},
                         {str(e.row["worker"]) for e in seen})  # fmt: skip
        head = msgspec.json.encode({"position": position, "now": now, "names": names})
        body = b'%s,"items":[%s]}' % (head[:-1], b",".join(texts))
        headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body = await asyncio.to_thread(gzip.compress, body, LEVEL)
            headers["Content-Encoding"] = "gzip"
        return web.Response(
            body=body, content_type="application/json", charset="utf-8", headers=headers
        )

    @staticmethod
    def _text(context: Context, entry: _Entry, personal: bool) -> bytes:
        text = entry.texts.get(personal)
        if text is None:
            row = entry.row if personal else context.veil.redact(entry.row)
            text = entry.texts[personal] = msgspec.json.encode(row)
        return text


def _first(text: str) -> int:
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    if not 1 <= count <= MOST_FIRST:
        raise Problem(400, "bad_value", f"{text[:40]!r}; allowed: 1 to {MOST_FIRST}", path="first")
    return count
