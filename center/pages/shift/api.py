"""`/api/v1/shift`: what one shift hands to the next, signed by both."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.pages.analysis.labels import who
from center.pages.shift.duty import duty
from center.problems import Problem, json_response
from center.query import read_json
from center.reads import ID, open_tickets
from center.urgency import due, overdue
from center.writes import TEXT_MAX, json_bytes, text
from contracts.annals import Handover
from contracts.clock import iso
from contracts.ports import Query

LISTED = 300
"""Open matters, and people, that are listed; the counts hold all."""
HANDOVERS = 30
SILENCES = 100


class HandoverBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What the leaving shift says; what is open is added as it stands."""

    notes: str = ""
    leaving: str | None = None
    """Who leaves, at a shared desk; else whoever is logged in."""


class TakeBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The coming shift signs."""

    remarks: str = ""
    coming: str | None = None


async def shift(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/shift`: how things stand now, and the handover that waits for a signature."""
    body = await _stands(context)
    kept = await context.desk.annals.handovers(HANDOVERS)
    waiting = _waiting(kept, caller)
    return json_response(
        {
            **body,
            "waiting": None if waiting is None else _shown(context, waiting),
            "before": [_shown(context, one) for one in kept],
        }
    )


async def single(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/shift/handovers/{id}`: one as it was signed."""
    return json_response(_shown(context, await _found(context, request), whole=True))


async def make(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/shift/handovers`: the leaving person signs what is open now."""
    body = read_json(await json_bytes(request, context.settings.body_bytes), HandoverBody)
    leaving = who(caller, body.leaving)
    if body.notes:
        text(body.notes, "$.notes", TEXT_MAX)
    waiting = _waiting(await context.desk.annals.handovers(HANDOVERS), caller)
    if waiting is not None:
        raise Problem(
            409, "refused", f"the handover by {waiting.leaving} still waits to be signed"
            f" / {waiting.leaving}的交班尚未签收",
        )  # fmt: skip
    now = context.clock.now()
    made = Handover(
        id=f"h-{uuid.uuid4().hex}", made_at=now, leaving=leaving, notes=body.notes.strip(),
        body={**await _stands(context), "areas": list(caller.areas)},
    )  # fmt: skip
    await context.desk.annals.put_handover(made)
    await context.desk.log_access(caller.name, f"handover {made.id} by {leaving}", now)
    return json_response(_shown(context, made, whole=True), status=201)


async def take(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/shift/handovers/{id}/take`: the coming person signs."""
    body = read_json(await json_bytes(request, context.settings.body_bytes), TakeBody)
    made = await _found(context, request)
    coming = who(caller, body.coming)
    if body.remarks:
        text(body.remarks, "$.remarks", TEXT_MAX)
    if coming.strip().lower() == made.leaving.strip().lower():
        raise Problem(
            409, "refused", "somebody else takes over than who leaves / 交接双方不能是同一人",
            path="$.coming",
        )  # fmt: skip
    now = context.clock.now()
    if not await context.desk.annals.take_handover(made.id, coming, body.remarks.strip(), now):
        raise Problem(409, "refused", "it was signed before / 已签收")
    await context.desk.log_access(caller.name, f"handover {made.id} taken by {coming}", now)
    return json_response(_shown(context, await _found(context, request), whole=True))


def _waiting(kept: list[Handover], caller: Caller) -> Handover | None:
    """The unsigned one of the caller's own desk: those of parts of it are handed over there."""
    own = set(caller.areas)
    return next((one for one in kept if one.taken_at is None and set(one.areas) == own), None)


async def _found(context: Context, request: web.Request) -> Handover:
    id_ = request.match_info["id"]
    found = await context.desk.annals.handover(id_) if ID.fullmatch(id_) else None
    if found is None:
        raise Problem(404, "not_found", f"there is no handover {id_[:64]!r} / 没有该交接记录")
    return found


def _shown(context: Context, one: Handover, *, whole: bool = False) -> dict[str, Any]:
    told = {
        "id": one.id,
        "made_at": iso(one.made_at),
        "leaving": one.leaving,
        "coming": one.coming,
        "taken_at": None if one.taken_at is None else iso(one.taken_at),
        "notes": one.notes,
        "remarks": one.remarks,
        "counts": one.body.get("counts", {}),
        "areas": [context.grid_name(area) or area for area in one.areas],
    }
    return {**told, "body": one.body} if whole else told


async def _stands(context: Context) -> dict[str, Any]:
    """Who is on and comes, what is open, the most urgent first, what is held back."""
    now = context.clock.now()
    tickets = [t async for t in open_tickets(context) if t.get("parent") is None]
    matters = [_matter(context, ticket, now) for ticket in tickets]
    matters.sort(key=lambda m: (not m["overdue"], -m["severity"], m["due"] or "9", m["id"]))
    people = duty(context.city, now, context.city.workers.values())
    silences = await context.desk.page("silences", Query(limit=SILENCES))
    held = [s for s in silences.items if s["ended_at"] is None]
    troubles = await context.desk.annals.troubles()
    return {
        "at": iso(now),
        "on": _named(context, people["on"]),
        "next": _named(context, people["next"]),
        "open": matters[:LISTED],
        "held": [
            {name: s[name] for name in ("id", "kinds", "sites", "grid", "until", "by", "reason")}
            for s in held
        ],
        "counts": {
            "open": len(matters),
            "overdue": sum(one["overdue"] for one in matters),
            "severe": sum(one["severity"] >= 4 for one in matters),
            "held": len(held),
            "on": len(people["on"]),
            "next": len(people["next"]),
            "silent": sum(one["kind"] == "sensor_silent" for one in troubles),
            "faulty": sum(one["kind"] == "sensor_faulty" for one in troubles),
            "kinds": dict(Counter(one["kind"] for one in matters).most_common()),
        },
    }


def _named(context: Context, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**one, "grid_name": context.grid_name(one["grid"] or "") or one["grid"]}
        for one in people[:LISTED]
    ]


WAITS = {
    "detected": ("dispatch", "center"),
    "filed": ("dispatch", "center"),
    "returned": ("dispatch", "center"),
    "dispatched": ("accept", "doer"),
    "accepted": ("arrive", "doer"),
    "reworked": ("arrive", "doer"),
    "arrived": ("dispose", "doer"),
    "disposed": ("verify", "center"),
    "verified": ("close", "center"),
    "suspended": ("resume", "center"),
}
"""Stage → the step it waits for, and whose it is."""


def _matter(context: Context, ticket: dict[str, Any], now: datetime) -> dict[str, Any]:
    step, whose = WAITS.get(str(ticket["stage"]), ("accept", "doer"))
    worker = context.city.workers.get(str(ticket.get("worker")))
    utility = context.city.utilities.get(str(ticket.get("utility")))
    doer = [
        known.name if known is not None else str(id_)
        for known, id_ in ((worker, ticket.get("worker")), (utility, ticket.get("utility")))
        if id_
    ]
    ends = due(ticket)
    last = (ticket.get("timeline") or [{}])[-1]
    return {
        "id": ticket["id"],
        "kind": ticket["kind"],
        "severity": ticket["severity"],
        "stage": ticket["stage"],
        "opened_at": ticket["opened_at"],
        "place": ticket["place"],
        "grid_name": context.grid_name(str(ticket.get("grid"))) or ticket.get("grid"),
        "waits": step,
        "whose": whose,
        "who": doer,
        "due": None if ends is None else iso(ends),
        "overdue": overdue(ticket, now),
        "last": {"at": last.get("at"), "change": last.get("change"), "note": last.get("note", "")},
    }
