"""Questions that a ticket puts to people, each with a clock of its own: is it over? more time?
was the verdict right? whose is it?

A question stands in the ticket (`reason["questions"][name]`), so a restart goes on with it. It is
asked again, one rung higher each time, until somebody answers or it has become pointless.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from contracts.case import Ticket
from contracts.clock import iso
from contracts.kinds import OPEN_STAGES
from router.stages import with_reason
from router.words import both, moment

CONFIRM = "confirm"
EXTENSION = "extension"
APPEAL = "appeal"
CONSULTATION = "consultation"

HOLDS = frozenset({CONFIRM, CONSULTATION})
"""While these are open the ladder waits: they climb it themselves."""

POINTLESS: dict[str, frozenset[str]] = {
    "dispatched": frozenset({EXTENSION, CONSULTATION}),
    "accepted": frozenset({CONSULTATION}),
    "disposed": frozenset({CONFIRM, EXTENSION, CONSULTATION}),
    "verified": frozenset({CONFIRM, EXTENSION, CONSULTATION}),
    "void": frozenset({CONFIRM, EXTENSION, CONSULTATION, APPEAL}),
}
"""Stage → questions that nobody need answer any more once it is reached."""


def ask(
    ticket: Ticket,
    name: str,
    now: datetime,
    by: str,
    again: datetime,
    text: tuple[str, str],
    **facts: Any,
) -> Ticket:
    """The ticket with this question open, to be put again at `again`. `text` is (en, zh)."""
    state = {
        "state": "open",
        "by": by,
        "at": iso(now),
        "next": iso(again),
        "asked": 0,
        **facts,
        **both(*text),
    }
    return _with(ticket, name, state)


def is_open(ticket: Ticket, name: str) -> bool:
    """Whether this question waits for an answer."""
    return bool(asked(ticket, name).get("state") == "open")


def asked(ticket: Ticket, name: str) -> dict[str, Any]:
    """What is known of this question; empty when it was never asked."""
    found: dict[str, Any] = ticket.reason.get("questions", {}).get(name, {})
    return found


def answered(
    ticket: Ticket, name: str, now: datetime, by: str, answer: str, why: str = ""
) -> Ticket:
    """The ticket with this question answered."""
    reply = {"answer": answer, "by": by, "at": iso(now), "why": why}
    return _with(ticket, name, {**asked(ticket, name), "state": "answered", "next": None} | reply)


def asked_again(ticket: Ticket, name: str, again: datetime, **facts: Any) -> Ticket:
    """The ticket with this question put once more."""
    state = asked(ticket, name)
    later = {"asked": int(state["asked"]) + 1, "next": iso(again)}
    return _with(ticket, name, {**state, **later, **facts})


def withdrawn(ticket: Ticket, names: Iterable[str], now: datetime) -> Ticket:
    """The ticket without these questions open."""
    for name in sorted(names):
        if is_open(ticket, name):
            gone = {"state": "withdrawn", "next": None, "ended": iso(now)}
            ticket = _with(ticket, name, {**asked(ticket, name), **gone})
    return ticket


def holds(ticket: Ticket) -> bool:
    """Whether the ladder waits for an answer."""
    return any(is_open(ticket, name) for name in HOLDS)


def due(ticket: Ticket) -> tuple[str, datetime] | None:
    """(question, when) of the one to be asked again first."""
    found: list[tuple[datetime, str]] = []
    for name, state in ticket.reason.get("questions", {}).items():
        when = moment(state.get("next"))
        matters = name == APPEAL or ticket.stage in OPEN_STAGES
        if state.get("state") == "open" and when is not None and matters:
            found.append((when, name))
    if not found:
        return None
    when, name = min(found)
    return name, when


def _with(ticket: Ticket, name: str, state: dict[str, Any]) -> Ticket:
    return with_reason(ticket, questions={**ticket.reason.get("questions", {}), name: state})
