"""What a desk shows, as filters of an export: the same words as in the page's address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.query import SEVERITIES, one_of
from center.said import kind_names
from center.urgency import calls, overdue

QUERY = ("severities", "inside", "open", "show", "q")
SHOW = ("overdue", "unacknowledged", "mine")
Keep = Callable[[dict[str, Any]], bool]


def keeps(context: Context, caller: Caller, request: web.Request) -> Keep:
    """Whether a ticket passes all of `severities inside show q` (`open` is read by stages).

    Raises Problem 400 on a severity or `show` that there is none of.
    """
    given = request.query
    tests: list[Keep] = []
    if "severities" in given:
        wanted = given["severities"].split(",")
        for one in wanted:
            one_of(one, SEVERITIES, "severities")
        tests.append(lambda ticket: str(ticket.get("severity")) in wanted)
    if "open" in given:
        one_of(given["open"], ("1",), "open")
    if "inside" in given:
        inside = context.grids_inside(given["inside"])
        tests.append(lambda ticket: ticket.get("grid") in inside)
    if "show" in given:
        one_of(given["show"], SHOW, "show")
        now, who = context.clock.now(), _me(caller)
        asked: dict[str, Keep] = {
            "overdue": lambda ticket: overdue(ticket, now),
            "unacknowledged": lambda ticket: calls(ticket, now),
            "mine": lambda ticket: mine(ticket, who),
        }
        tests.append(asked[given["show"]])
    if "q" in given:
        words = given["q"].casefold().split()
        tests.append(lambda ticket: all(word in _text(context, ticket) for word in words))
    return lambda ticket: all(test(ticket) for test in tests)


def mine(ticket: dict[str, Any], who: str) -> bool:
    """Whether they acknowledged it or took one of its steps."""
    known = ((ticket.get("reason") or {}).get("ladder") or {}).get("acknowledged") or {}
    steps = ticket.get("timeline") or ()
    return known.get("by") == who or any(step.get("by") == who for step in steps)


def _me(caller: Caller) -> str:
    return "center" if caller.account is None else caller.name


def _text(context: Context, ticket: dict[str, Any]) -> str:
    worker = context.city.workers.get(str(ticket.get("worker")))
    utility = context.city.utilities.get(str(ticket.get("utility")))
    reason = ticket.get("reason") or {}
    said = [
        str((reason.get(who) or {}).get(text) or "")
        for who in ("worker", "utility")
        for text in ("text_zh", "text_en")
        if isinstance(reason.get(who), dict)
    ]
    parts = (
        *(ticket["id"], ticket.get("code"), *kind_names(context.city, str(ticket.get("kind")))),
        *(ticket.get("grid"), context.grid_name(str(ticket.get("grid")))),
        *((ticket.get("place") or {}).get("address"), ticket.get("worker"), ticket.get("utility")),
        *(worker and worker.name, utility and utility.name, *said),
    )
    return " ".join(str(part) for part in parts if part).casefold()
