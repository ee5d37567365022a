"""Listings and single objects of the API."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, cast

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.links import Signer
from center.pictures import photographs
from center.privacy import with_links
from center.problems import Problem, json_response
from center.query import in_range, parse
from contracts.errors import Refused
from contracts.kinds import OPEN_STAGES
from contracts.ports import Desk, Query, What

ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
EVENTS_SHOWN = 20
"""Events of an incident that stand in a ticket's dossier; the newest count."""


async def listing(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/{what}`: one page."""
    what = _what(request)
    query = parse(what, request, context.settings)
    if what in ("devices", "workers"):
        grids = None if query.grid is None else context.grids_inside(query.grid)
        page = await context.roster.page(what, query, grids)
    else:
        if what == "readings" and query.device is None:
            query = in_range(query, context.clock.now())
        try:
            page = await context.desk.page(what, query)
        except Refused as error:  # a cursor that is not ours, readings of too long a range
            raise Problem(400, "bad_query", str(error)) from error
    return json_response(
        {"items": [_shown(context, caller, item) for item in page.items], "next": page.next}
    )


async def single(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/{what}/{id}`: one object; a ticket comes with its incident and events."""
    what = _what(request)
    id_ = request.match_info["id"]
    if what in ("devices", "workers"):
        item = _or_404(what, id_, await context.roster.get(what, id_))
    else:
        item = await found(context.desk, what, id_)
    if what == "tickets":
        item = await dossier(context.desk, item, context.signer)
        item["photographs"] = photographs(item, context.signer)
        if context.allowed is not None and caller.may("work"):
            item["actions"] = msgspec.to_builtins(context.allowed(item, context.clock.now()))
    if caller.personal:
        if what in ("tickets", "events", "dead-letters"):
            await context.desk.log_access(caller.name, f"{what}/{item['id']}", context.clock.now())
        return json_response(with_links(item, context.signer))
    return json_response(context.veil.redact(item))


async def found(desk: Desk, what: What, id_: str) -> dict[str, Any]:
    """The object, or Problem 404."""
    return _or_404(what, id_, await desk.get(what, id_) if ID.fullmatch(id_) else None)


def _or_404(what: What, id_: str, item: dict[str, Any] | None) -> dict[str, Any]:
    if item is None:
        raise Problem(404, "not_found", f"there is no {what.removesuffix('s')} {id_[:64]!r}")
    return item


async def dossier(
    desk: Desk, ticket: dict[str, Any], signer: Signer, *, absolute: bool = False
) -> dict[str, Any]:
    """The ticket with `incident_detail`, `group_detail` and `events`, each with its evidence
    links."""
    incident = await desk.get("incidents", str(ticket.get("incident")))
    events: list[dict[str, Any]] = []
    for id_ in reversed((incident or {}).get("events", [])[-EVENTS_SHOWN:]):
        event = await desk.get("events", str(id_))
        if event is not None:
            events.append(with_links(event, signer, absolute=absolute))
    parent = (incident or {}).get("parent")
    group = None if parent is None else await desk.get("incidents", str(parent))
    return {**ticket, "incident_detail": incident, "group_detail": group, "events": events}


async def open_tickets(context: Context) -> AsyncIterator[dict[str, Any]]:
    """Every ticket that is not finished, newest first: stage by stage, so that years of finished
    ones are not read."""
    found: dict[str, dict[str, Any]] = {}
    for stage in sorted(OPEN_STAGES):
        query = Query(limit=context.settings.page_limit_max, stage=stage)
        async for ticket in every(context.desk, query):
            found[str(ticket["id"])] = ticket
    for ticket in sorted(found.values(), key=_opened, reverse=True):
        yield ticket


async def every(desk: Desk, query: Query) -> AsyncIterator[dict[str, Any]]:
    """All tickets of a query, page by page, newest first."""
    while True:
        page = await desk.page("tickets", query)
        for ticket in page.items:
            yield ticket
        if page.next is None:
            return
        query = msgspec.structs.replace(query, after=page.next)


def _opened(ticket: dict[str, Any]) -> tuple[str, str]:
    return str(ticket.get("opened_at")), str(ticket["id"])


def _what(request: web.Request) -> What:
    return cast(What, request.path.split("/")[3])


def _shown(context: Context, caller: Caller, item: dict[str, Any]) -> dict[str, Any]:
    if caller.personal:
        return with_links(item, context.signer)
    shown: dict[str, Any] = context.veil.redact(item)
    return shown
