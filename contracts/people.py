"""Which workers a ticket concerns, and as what: read from the ticket alone.

The router decides who may do what; this is for showing people what waits for them, and for keeping
what does not concern them from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

WHERE: Final[dict[str, tuple[str, ...]]] = {
    "worker": ("worker",),
    "neighbour": ("reason", "ladder", "neighbour"),
    "officer": ("reason", "ladder", "person"),
    "receiver": ("reason", "consultation", "receiver"),
    "contact": ("reason", "worker", "contact"),
}
"""Part → where the ticket names the one worker who has it; helpers are a list of their own.

`worker` was sent; `neighbour` was asked to step in; `officer` was told that a clock is over;
`receiver` names the utility in a consultation (首接负责); `contact` is on site for a utility's
part. The index `tickets_people` of the store holds the same places."""


def concerned(ticket: Mapping[str, Any]) -> frozenset[str]:
    """The workers whom the ticket (as on the wire) concerns now."""
    named = {_at(ticket, path) for path in WHERE.values()}
    return frozenset(str(name) for name in {*named, *(ticket.get("helpers") or ())} if name)


def parts(ticket: Mapping[str, Any], worker: str) -> frozenset[str]:
    """What this worker is to the ticket (as on the wire): keys of `WHERE`, `helper`."""
    found = {part for part, path in WHERE.items() if _at(ticket, path) == worker}
    if worker in (ticket.get("helpers") or ()):
        found.add("helper")
    return frozenset(found)


def was_concerned(ticket: Mapping[str, Any], worker: str) -> bool:
    """Whether the ticket is, or ever was, this worker's: sent, asked, passed over, or acting."""
    return worker in ever_concerned(ticket)


def ever_concerned(ticket: Mapping[str, Any]) -> frozenset[str]:
    """The workers whose the ticket is or ever was (and other names that acted on it)."""
    why = ticket.get("reason") or {}
    past = {
        *(entry.get("id") for entry in why.get("returns", ())),
        *(entry.get("worker") for entry in why.get("resent", ())),
        *(hand.get("worker") for hand in ticket.get("hands") or ()),
        *(_person(str(step.get("by"))) for step in ticket.get("timeline") or ()),
    }
    return concerned(ticket) | {str(name) for name in past if name}


def _person(by: str) -> str:
    return by.removeprefix("worker:")


def _at(ticket: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = ticket
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
