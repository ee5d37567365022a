"""A ticket as its worker's phone shows it: what, where, by when, and what may be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from center.context import Context
from center.lineplot import KINDS as LINES
from center.notify.facts import facts
from center.pictures import photographs
from center.plot import POLES, WATER
from center.reads import dossier
from center.said import kind_names
from center.way import way
from contracts.case import Allowed
from contracts.city import Worker
from contracts.kinds import CLOCKS
from contracts.people import parts

OFFERED: dict[str, frozenset[str]] = {
    "worker": frozenset(
        {"accept", "arrive", "dispose", "return", "extend", "note", "acknowledge", "confirm"}
        | {"deny", "request_helper", "release_helper", "take_resource", "return_resource"}
        | {"report"}
    ),
    "helper": frozenset(
        {"accept_help", "refuse_help", "note", "acknowledge", "remind", "confirm", "deny"}
        | {"report", "take_resource", "return_resource"}
    ),
    "neighbour": frozenset({"accept", "acknowledge", "note"}),
    "receiver": frozenset({"assign", "note", "acknowledge"}),
    "contact": frozenset({"verify", "rework", "evaluate", "note", "remind", "report"}),
    "officer": frozenset({"acknowledge", "note", "remind"}),
}
"""What the phone offers to whom; the loop's table says more, and the router has the last word."""
CLOCK_OF = {
    "detected": "accept", "filed": "accept", "dispatched": "accept", "returned": "accept",
    "accepted": "arrive", "arrived": "dispose", "reworked": "dispose", "disposed": "verify",
    "verified": "close",
}  # fmt: skip
DRAWN = frozenset(LINES) | WATER | POLES
"""Kinds of which there is a chart."""
STEPS_SHOWN = 12


def card(
    context: Context, ticket: Mapping[str, Any], worker: Worker, now: datetime
) -> dict[str, Any]:
    """What the list shows of a ticket that concerns this worker. Nothing in it is personal."""
    seen: dict[str, Any] = context.veil.redact(dict(ticket))
    city, place = context.city, seen.get("place") or {}
    zh, en = kind_names(city, str(ticket["kind"]))
    utility = city.utilities.get(str(ticket.get("utility")))
    mine = parts(ticket, worker.id)
    why = seen.get("reason") or {}
    return {
        "id": ticket["id"],
        "rev": ticket["rev"],
        "incident": ticket["incident"],
        "kind": ticket["kind"],
        "kind_zh": zh,
        "kind_en": en,
        "stage": ticket["stage"],
        "severity": ticket["severity"],
        "lane": ticket.get("lane"),
        "place": {name: place.get(name) for name in ("lon", "lat", "address", "grid")},
        "grid_name": _grid(context, place.get("grid") or ticket.get("grid")),
        "way": way(place),
        "opened_at": ticket["opened_at"],
        "updated_at": ticket["updated_at"],
        "clock": clock_of(ticket),
        "deadlines": ticket.get("deadlines"),
        "as": sorted(mine),
        "asked": asked_of(ticket, worker.id),
        "worker": _name(context, ticket.get("worker")),
        "utility": None if utility is None else {"name": utility.name, "phone": utility.phone},
        "why": _words(why.get("worker")),
        "questions": _questions(why, mine),
        "actions": [msgspec.to_builtins(a) for a in offered(context, ticket, worker, now)],
    }


async def sheet(
    context: Context, ticket: dict[str, Any], worker: Worker, now: datetime
) -> dict[str, Any]:
    """The card with what its own page shows: what was seen (blurred), what happened, who helps."""
    full = await dossier(context.desk, ticket, context.signer)
    seen: dict[str, Any] = context.veil.redact(full)
    zone = ZoneInfo(context.city.timezone)
    events: list[dict[str, Any]] = full["events"]
    told = [facts(str(e["kind"]), e.get("evidence") or {}, zone) for e in events]
    media = [link for e in events for link in [_media(e)] if link is not None]
    words = next(((zh, en) for zh, en in told if zh), ("", ""))
    people = {"helpers": [_hand(context, h) for h in ticket.get("hands") or ()]}
    return {
        **card(context, ticket, worker, now),
        **people,
        "saw": {"text_zh": words[0], "text_en": words[1], "media": media[:3]},
        "plot": ticket["kind"] in DRAWN,
        "round": (seen.get("reason") or {}).get("patrol"),
        "reason": (seen.get("incident_detail") or {}).get("reason"),
        "resources": ticket.get("resources") or [],
        "photographs": photographs(ticket, context.signer),
        "timeline": (seen.get("timeline") or [])[-STEPS_SHOWN:],
    }


def offered(
    context: Context, ticket: Mapping[str, Any], worker: Worker, now: datetime
) -> Sequence[Allowed]:
    """What the loop allows this worker on this ticket, of what a phone is for."""
    if context.allowed is None:
        return ()
    mine = parts(ticket, worker.id)
    wanted = frozenset().union(*(OFFERED.get(part, frozenset()) for part in mine))
    found = []
    for action in context.allowed(dict(ticket), now):
        theirs = mine & {*action.who, "receiver"} or "anyone" in action.who
        if action.action not in wanted or not (theirs or worker.id in action.by):
            continue
        if action.action in ("accept_help", "refuse_help"):
            named = action.choices.get("worker", ())
            if all(choice.id != worker.id for choice in named):
                continue
        found.append(action)
    return found


def clock_of(ticket: Mapping[str, Any]) -> dict[str, str] | None:
    """The clock that runs, else the next later one that has a limit: `name`, `due`."""
    begin = CLOCK_OF.get(str(ticket["stage"]))
    if begin is None:
        return None
    due = ticket.get("deadlines") or {}
    return next(
        (
            {"name": name, "due": due[name]}
            for name in CLOCKS[CLOCKS.index(begin) :]
            if due.get(name)
        ),
        None,
    )


def asked_of(ticket: Mapping[str, Any], worker: str) -> str | None:
    """What waits for this worker's word: `accept`, `help`, `step_in`, `confirm`, `assign`,
    `verify`, `escalated`; None: nothing but the work itself."""
    mine, stage = parts(ticket, worker), str(ticket["stage"])
    why = ticket.get("reason") or {}
    hands = {h["worker"]: h["state"] for h in ticket.get("hands") or ()}
    if "worker" in mine and stage in ("dispatched", "returned"):
        return "accept"
    if "neighbour" in mine and hands.get(worker) == "requested" and stage == "dispatched":
        return "step_in"
    if "helper" in mine and hands.get(worker) == "requested":
        return "help"
    confirm = (why.get("questions") or {}).get("confirm") or {}
    if mine & {"worker", "helper"} and confirm.get("state") == "open":
        return "confirm"
    consultation = why.get("consultation") or {}
    if "receiver" in mine and not consultation.get("named") and ticket.get("utility") is None:
        return "assign"
    if "contact" in mine and stage == "disposed":
        return "verify"
    if "officer" in mine and not ((why.get("ladder") or {}).get("acknowledged")):
        return "escalated"
    return None


def _questions(why: Mapping[str, Any], mine: frozenset[str]) -> list[dict[str, Any]]:
    """Open questions in words; who is only told of a late clock is not asked."""
    if not mine & {"worker", "helper", "receiver", "contact"}:
        return []
    asked = [q for q in (why.get("questions") or {}).values() if q.get("state") == "open"]
    consultation = why.get("consultation") or {}
    if consultation and not consultation.get("named"):
        asked.append(consultation)
    return [_words(q) for q in asked]


def _words(said: object) -> dict[str, str]:
    known = said if isinstance(said, Mapping) else {}
    return {name: str(known.get(name) or "") for name in ("text_zh", "text_en")}


def _grid(context: Context, grid: object) -> str | None:
    return None if grid is None else context.grid_name(str(grid)) or str(grid)


def _name(context: Context, worker: object) -> str | None:
    known = context.city.workers.get(str(worker))
    return known.name if known is not None else None


def _hand(context: Context, hand: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "worker": hand["worker"],
        "name": _name(context, hand["worker"]),
        "state": hand["state"],
    }


def _media(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """Signed links to the blurred still and clip; never what names a window or a reporter."""
    links = event.get("links") or {}
    if not links.get("still") and not links.get("clip"):
        return None
    return {"at": event.get("at"), "still": links.get("still"), "clip": links.get("clip")}
