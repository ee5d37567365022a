"""What the loop allows on a ticket, for the center's page: the router's own table, read out.

Only what the ticket itself can tell is looked at; whether a worker may, whether an incident is
still known and what the sensor says is the router's to answer when it is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from contracts.case import Allowed, Choice, Hand, Ticket
from contracts.errors import Wrong
from contracts.kinds import TASK_KINDS
from contracts.loop import ACTION_NAMES, BESIDES, NAMED
from router import byhand, questions, resources, responses
from router.stages import MOVES, Move
from router.verdicts import appealable

HANDLED = frozenset({"accept_help", "refuse_help", "release_helper"})
WHOLE = frozenset({"merge", "split", "undo", "assign"})
"""Of a whole ticket, never of a utility's part."""
WAITING = frozenset({"requested"})
HERE = frozenset({"requested", "accepted"})
HAND_STATES = {"requested": ("已请求", "asked"), "accepted": ("已接受", "comes")}
Choices = dict[str, tuple[Choice, ...]]


def allowed(item: Mapping[str, Any], now: datetime, *, appeal_s: float) -> list[Allowed]:
    """The actions for a ticket as the desk has it, in the order of the loop's table.

    item      the ticket, JSON-ready; with `incident_detail` it is known whether it can be split
    now       the moment asked about
    appeal_s  how long after a verdict an appeal may be made, seconds

    Raises Wrong on a ticket that cannot be read.
    """
    try:
        ticket = msgspec.convert(item, Ticket, strict=False)
    except msgspec.ValidationError as error:
        raise Wrong("ticket", f"{item.get('id')} cannot be read: {error}") from error
    events = (item.get("incident_detail") or {}).get("events")
    found = []
    for action, move in MOVES.items():
        if ticket.stage not in move.stages:
            continue
        if move.answers is not None and not questions.is_open(ticket, move.answers):
            continue
        by = _names(ticket, action, move, now, appeal_s)
        choices = _choices(ticket, action)
        if action == "split" and events is not None and len(events) < 2:
            continue
        if not by or choices is None:
            continue
        zh, en = ACTION_NAMES[action]
        found.append(
            Allowed(
                action=action,
                text_zh=zh,
                text_en=en,
                to=move.to,
                says=(*NAMED.get(action, ()), *move.says),
                also=BESIDES.get(action, ()),
                who=tuple(sorted(move.who)),
                by=by,
                answers=move.answers,
                choices=choices,
            )
        )
    return found


def _names(
    ticket: Ticket, action: str, move: Move, now: datetime, appeal_s: float
) -> tuple[str, ...]:
    """In whose name: the center's own, else those whose word it is."""
    if action == "appeal":
        if questions.is_open(ticket, questions.APPEAL):
            return ()
        judged = {name for v in ticket.reason.get("verdicts", ()) for name in v.get("on", ())}
        return tuple(
            name
            for name in sorted(judged)
            if appealable(ticket, name, None, now, appeal_s) is not None
        )
    if move.who & {"center", "anyone"}:
        return ("center",)
    parties = (("worker", ticket.worker), ("utility", ticket.utility))
    return tuple(name for role, name in parties if name and role in move.who)


def _choices(ticket: Ticket, action: str) -> Choices | None:
    """What the action may name; None where there is nothing to name, so it cannot be done."""
    whole = ticket.parent is None and ticket.kind not in TASK_KINDS
    if action in WHOLE and not whole:
        return None
    if action == "undo":
        return {} if byhand.entries(ticket) else None
    if action in HANDLED:
        return _some(
            "worker", [Choice(h.worker, *HAND_STATES[h.state]) for h in _due(ticket, action)]
        )
    if action == "take_resource":
        offers = [
            Choice(
                o.resource,
                f"{o.name} · {o.distance_m:.0f} 米",
                f"{o.name} · {o.distance_m:.0f} m",
            )
            for o in ticket.resources
        ]
        return _some("resource", offers)
    if action == "return_resource":
        out = dict.fromkeys(str(entry["resource"]) for entry in resources.taken(ticket))
        names = {offer.resource: offer.name for offer in ticket.resources}
        return _some("resource", [Choice(r, names.get(r, r), names.get(r, r)) for r in out])
    if action == "report":
        facts = responses.FACTS.items()
        return _some("facts", [Choice(name, zh, en) for name, (en, zh) in facts])
    return {}


def _due(ticket: Ticket, action: str) -> list[Hand]:
    """Helpers whom the answer may be about."""
    states = WAITING if action == "accept_help" else HERE
    return [hand for hand in ticket.hands if hand.state in states]


def _some(name: str, choices: list[Choice]) -> Choices | None:
    return {name: tuple(choices)} if choices else None
