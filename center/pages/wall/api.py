"""What the wall asks: everything it shows, once and then as a stream of whole pictures.

A frame is the whole state, so nothing can drift apart in weeks; only the marks of the map go by
difference. No frame names a person: it hangs in a hall.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from center.board import Glance, News
from center.context import Context
from center.guard import Caller
from center.live import STILL_S, still
from center.pages.wall.figures import figures, marks, ticker
from center.problems import json_response
from center.route import Route
from center.said import kind_names
from center.sse import event_stream, send
from contracts.city import City
from contracts.clock import iso, monotonic
from contracts.errors import GridsentryError, Temporary
from contracts.kinds import KINDS

LEAST_S = 0.5
"""Between two frames: a storm of changes is told twice a second at most."""
MOST_S = 5.0
"""A frame comes at least so often: clocks run out without anything happening, and a wall that
hears nothing for longer knows that we are away."""
AWAY_S = 2.0
"""Between two tries while the desk does not answer."""
KEPT_S = 0.4
"""A picture is shown to all walls for so long before it is counted anew."""
VIEWS = 16
"""Parts of the city that walls show at a time."""
PAGES = Path(__file__).parents[1]


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a wall shows."""

    now: str
    build: str
    """Of the pages that this center serves: a wall with another one loads itself anew."""
    figures: dict[str, Any]
    ticker: list[dict[str, Any]]
    marks: list[list[Any]]
    """`[id, kind, severity, lon, lat, overdue, opened_at]`; in the stream only what is new or
    changed since the frame before."""
    gone: list[str] = []
    """In the stream: ids of marks that are there no more."""


class Wall:
    """The page's part of the API, for one city."""

    def __init__(self, city: City) -> None:
        self._zone = ZoneInfo(city.timezone)
        self._names = _grid_names(city)
        self._kept: dict[frozenset[str] | None, tuple[float, Picture]] = {}
        self._turn = asyncio.Lock()
        self._about = {
            "city": str(city.extra.get("name") or city.id),
            "timezone": city.timezone,
            "kinds": {kind: kind_names(city, kind) for kind in KINDS},
        }

    def routes(self) -> tuple[Route, ...]:
        """The table."""
        return (
            Route(
                method="GET", path="/api/v1/wall", name="wall",
                summary="What the big screen shows, without personal data: counters, gauges of the"
                " clocks, the last 24 hours, the newest changes, marks for the map.",
                handler=self.whole, access="read", answers={200: dict},
            ),
            Route(
                method="GET", path="/api/v1/wall/stream", name="wall-stream",
                summary="The same as Server-Sent Events `wall`: whole at first, then with the marks"
                " that changed; at least one every 5 s.",
                handler=self.stream, access="read", answers={200: "text/event-stream"},
            ),
        )  # fmt: skip

    async def whole(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """`GET /api/v1/wall`."""
        picture = await self.picture(context, self._grids(context, caller))
        return json_response({**self._about, **msgspec.structs.asdict(picture)})

    @staticmethod
    def _grids(context: Context, caller: Caller) -> frozenset[str] | None:
        """A worker or utility has tickets, and no part of the city."""
        return frozenset() if context.scope.own else caller.grids

    async def picture(self, context: Context, grids: frozenset[str] | None) -> Picture:
        """The state now, of these grids; None: of the whole city."""
        async with self._turn:  # many walls ask at once: one counts
            kept = self._kept.get(grids)
            if kept is not None and monotonic() - kept[0] < KEPT_S:
                return kept[1]
            board = await context.board.current()
            tickets, news = list(board.tickets.values()), list(board.news)
            # In a thread: a storm of thousands must not hold up everybody else's requests.
            picture = await asyncio.to_thread(
                self._drawn, tickets, news, grids, context.clock.now()
            )
            if len(self._kept) > VIEWS:
                self._kept.clear()
            self._kept[grids] = (monotonic(), picture)
            return picture

    def _drawn(
        self,
        tickets: list[Glance],
        news: list[News],
        grids: frozenset[str] | None,
        now: datetime,
    ) -> Picture:
        if grids is not None:
            tickets = [t for t in tickets if t.grid in grids]
            news = [n for n in news if n.ticket.grid in grids]
        return Picture(
            now=iso(now),
            build=build(),
            figures=msgspec.to_builtins(figures(tickets, now, self._zone)),
            ticker=ticker(news, self._names),
            marks=marks(tickets, now),
        )

    async def stream(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """`GET /api/v1/wall/stream`: until the wall leaves, is too slow, or the center stops."""
        async with event_stream(context, request) as response:
            await response.prepare(request)
            await self._follow(context, caller, request, response)
        return response

    async def _follow(
        self, context: Context, caller: Caller, request: web.Request, response: web.StreamResponse
    ) -> None:
        tailer = context.tailer
        shown: dict[str, list[Any]] | None = None
        checked = monotonic()
        while not tailer.closing:
            if caller.account is not None and monotonic() - checked >= STILL_S:
                checked = monotonic()
                if not await still(context, caller, request):
                    return  # the session is over, or may something else: the wall asks anew
            grown = tailer.grown
            try:
                if tailer.fault is not None:  # nothing new would reach us
                    raise Temporary(tailer.fault)
                picture = await self.picture(context, self._grids(context, caller))
            except (GridsentryError, OSError) as error:
                # The desk is away, we are not: the wall says so and keeps what it has.
                frame = b"event: away\ndata: %s\n\n" % msgspec.json.encode({"reason": str(error)})
                await send(context, response, frame)
                await asyncio.sleep(AWAY_S)
                continue
            here = {str(mark[0]): mark for mark in picture.marks}
            told: dict[str, Any] = msgspec.structs.asdict(picture)
            if shown is None:
                told |= {**self._about, "whole": True}
            else:
                told["marks"] = [m for i, m in here.items() if shown.get(i) != m]
                told["gone"] = [i for i in shown if i not in here]
            shown = here
            frame = b"event: wall\ndata: %s\n\n" % msgspec.json.encode(told)
            await send(context, response, frame)
            await asyncio.sleep(LEAST_S)
            try:
                await asyncio.wait_for(grown.wait(), MOST_S - LEAST_S)
            except TimeoutError:
                continue


@cache
def build() -> str:
    """Names the pages that this process serves."""
    digest = hashlib.sha256()
    for file in sorted(PAGES.glob("*/web/**/*")):
        if file.is_file():
            digest.update(file.relative_to(PAGES).as_posix().encode() + b"\n" + file.read_bytes())
    return digest.hexdigest()[:16]


def _grid_names(city: City) -> dict[str, str]:
    """Each grid as it is told in a hall: the community it lies in, and its own name without what
    that repeats of the grids above it."""
    by_id = {grid.id: grid for grid in city.grids}
    names = {}
    for grid in city.grids:
        above, parent = "", by_id.get(grid.parent or "")
        own = grid.name
        if parent is not None:
            own = own.removeprefix(parent.name).strip() or own
        seen = {grid.id}
        while parent is not None and parent.id not in seen:
            seen.add(parent.id)
            if parent.level == "community":
                above = parent.name
                break
            parent = by_id.get(parent.parent or "")
        names[grid.id] = own if not above or own.startswith(above) else f"{above} {own}"
    return names


def page_routes(city: City) -> tuple[Route, ...]:
    """The routes of this page."""
    return Wall(city).routes()
