"""Verdicts on people's work, each with who gave it and why: what an appeal is about, and what the
figures count."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from contracts.case import Ticket
from contracts.clock import iso
from router.stages import actor, with_reason
from router.words import moment

APPEALABLE = ("rework", "evaluate", "refuse", "return", "reassign")
"""A rework, an evaluation, more time refused, a ticket taken away, a duty decided."""


def with_verdict(
    ticket: Ticket,
    what: str,
    by: str,
    now: datetime,
    why: str,
    on: tuple[str, ...] | None = None,
) -> Ticket:
    """The ticket with one verdict more, on those who have it now unless said."""
    whom = on if on is not None else tuple(x for x in (ticket.worker, ticket.utility) if x)
    entry = {"what": what, "by": by, "at": iso(now), "reason": why, "on": list(whom)}
    return with_reason(ticket, verdicts=[*ticket.reason.get("verdicts", ()), entry])


def standing(ticket: Ticket, what: str) -> list[dict[str, Any]]:
    """Verdicts of this sort that no appeal has struck."""
    return [
        v for v in ticket.reason.get("verdicts", ()) if v["what"] == what and not v.get("struck")
    ]


def appealable(
    ticket: Ticket, by: str, against: str | None, now: datetime, within_s: float
) -> int | None:
    """Which verdict (its index) `by` may appeal against: the newest on them, neither appealed nor
    struck, given within `within_s`."""
    ident, found = actor(by), None
    for index, verdict in enumerate(ticket.reason.get("verdicts", ())):
        given = moment(verdict["at"]) or now
        fits = ident in verdict["on"] and actor(verdict["by"]) != ident
        fits = fits and against in (None, verdict["what"]) and verdict["what"] in APPEALABLE
        if fits and "appeal" not in verdict and now - given <= timedelta(seconds=within_s):
            found = index
    return found


def marked(ticket: Ticket, index: int, **facts: Any) -> Ticket:
    """The ticket with these facts added to one verdict."""
    verdicts = [dict(v) for v in ticket.reason.get("verdicts", ())]
    verdicts[index] |= facts
    return with_reason(ticket, verdicts=verdicts)
