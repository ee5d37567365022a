"""My tickets: what I do, what waits for my word, what nobody does near me, what I did today."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.pages.worker.cards import card, sheet
from center.pages.worker.place import CONSENT
from center.pages.worker.who import mine, myself
from center.problems import json_response
from center.said import kind_names
from contracts.city import Worker
from contracts.clock import iso
from contracts.kinds import OPEN_STAGES
from contracts.people import parts
from contracts.ports import Query

MOST = 200
"""Tickets of one worker that are looked at; the newest count."""
DONE_FOR = timedelta(hours=16)
"""What I finished stays on the phone for a shift and the way home."""
DONE_MOST = 20
NEARBY_STAGES = ("filed", "returned")
"""Stages in which nobody is on the way."""
NEARBY_MOST = 20
IN_HAND = frozenset({"accepted", "arrived", "reworked", "suspended"})


async def listing(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/me/tickets`."""
    worker = myself(context, caller, request)
    now = context.clock.now()
    found = await context.desk.tickets_of_worker(worker.id, now - DONE_FOR, MOST)
    cards = [card(context, ticket, worker, now) for ticket in found]
    asked = [c for c in cards if c["asked"] is not None and c["stage"] in OPEN_STAGES]
    others = [c for c in cards if c not in asked]
    working = [c for c in others if _at_work(c)]
    rest = [c for c in others if c not in working and set(c["as"]) & {"worker", "helper"}]
    return json_response(
        {
            "now": iso(now),
            "me": _me(context, worker),
            "asked": asked,
            "working": working,
            "done": rest[:DONE_MOST],
            "nearby": await _nearby(context, worker, {str(c["id"]) for c in cards}),
        }
    )


async def single(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/me/tickets/{id}`: with what the sensor saw; noted in the access log."""
    worker = myself(context, caller, request)
    ticket = await mine(context, worker, request.match_info["id"])
    now = context.clock.now()
    who = f"{caller.name} ({worker.id})"
    await context.desk.log_access(who, f"tickets/{ticket['id']}", now)
    return json_response(await sheet(context, ticket, worker, now))


def _at_work(shown: dict[str, Any]) -> bool:
    return shown["stage"] in IN_HAND and bool(set(shown["as"]) & {"worker", "helper"})


def _me(context: Context, worker: Worker) -> dict[str, Any]:
    return {
        "id": worker.id,
        "name": worker.name,
        "role": worker.role,
        "grid": context.grid_name(worker.grid or "") or worker.grid,
        "shift": worker.shift,
        "timezone": context.city.timezone,
        "point": {"lon": worker.point.lon, "lat": worker.point.lat},
        "office_phone": context.settings.office_phone,
        "utilities": [
            {"id": u.id, "name": u.name, "phone": u.phone} for u in context.city.utilities.values()
        ],
        "consent": CONSENT,
        "demo": context.guard.open_to_all,
    }


async def _nearby(context: Context, worker: Worker, known: set[str]) -> list[dict[str, Any]]:
    """Open tickets of my grid that nobody is on: to know of, not to act on. Where, not who.

    A worker's own view ends with their own tickets; this looks beyond it.
    """
    if worker.grid is None:
        return []
    found: list[dict[str, Any]] = []
    for stage in NEARBY_STAGES:
        query = Query(limit=NEARBY_MOST, stage=stage, grid=worker.grid)
        for ticket in (await context.whole.desk.page("tickets", query)).items:
            if str(ticket["id"]) in known or parts(ticket, worker.id):
                continue
            zh, en = kind_names(context.city, str(ticket["kind"]))
            place = ticket.get("place") or {}
            found.append(
                {
                    "id": ticket["id"],
                    "kind": ticket["kind"],
                    "kind_zh": zh,
                    "kind_en": en,
                    "stage": ticket["stage"],
                    "severity": ticket["severity"],
                    "place": {name: place.get(name) for name in ("lon", "lat", "address")},
                    "opened_at": ticket["opened_at"],
                }
            )
    return found[:NEARBY_MOST]
