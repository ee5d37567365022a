"""A utility's page of one ticket, opened by a signed link."""

from __future__ import annotations

from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.notify.counter import believed, theirs
from center.pages.page import Page
from center.pages.utility.watch import Watch
from center.plot import drawn
from center.route import Route
from contracts.city import City


async def chart(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/passes/{link}/plot.svg`: levels and lines are nobody's; there is none of what
    a camera saw."""
    said = believed(context, request)
    ticket = await theirs(context, said)
    return await drawn(context.whole, "tickets", str(ticket["id"]), request.query)


def _routes(_city: City) -> tuple[Route, ...]:
    return (
        Route(
            method="GET", path="/api/v1/passes/{link}/stream", name="watch-by-link",
            summary="Server-Sent Events of one ticket's changes (its `rev` only), by a signed link:"
            " `hello`, `ticket`, and `gone` when the link opens it no more.",
            handler=Watch(), access="pass", answers={200: "text/event-stream"},
        ),
        Route(
            method="GET", path="/api/v1/passes/{link}/plot.svg", name="plot-by-link",
            summary="The chart of that ticket: level with its forecast, or the line with the"
            " probability by span.",
            handler=chart, access="pass", query=("width", "lang", "rev"),
            answers={200: "image/svg+xml"},
        ),
    )  # fmt: skip


PAGE = Page(path="/u/{link}", routes=_routes)
