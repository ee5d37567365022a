"""Whether a change of a ticket concerns a target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from center.notify.settings import ACTED_ON, Target


class Concern:
    """What one target wants to know; asked for every change of every ticket."""

    def __init__(self, target: Target, inside: Callable[[str], frozenset[str]]) -> None:
        self._all = "all" in target.to
        self._who: dict[str, set[str]] = {}
        for entry in target.to:
            sort, _, ident = entry.partition(":")
            self._who.setdefault(sort, set()).add(ident)
        self._grids = frozenset(g for top in self._who.get("grid", ()) for g in inside(top))
        self._kinds = frozenset(target.kinds)
        changes = target.changes or (() if target.how == "webhook" else ACTED_ON)
        self._changes = frozenset(changes)
        self._severity = target.severity
        self._parts = target.how == "webhook"
        """Whether who looks after a place hears of each utility's part too: systems do, people hear
        of one incident once."""

    def of(self, ticket: dict[str, Any], change: str) -> bool:
        """Whether it is told of this change."""
        if self._kinds and ticket.get("kind") not in self._kinds:
            return False
        if self._changes and change not in self._changes:
            return False
        if int(ticket.get("severity") or 1) < self._severity:
            return False
        return self._theirs(ticket, change) or self._there(ticket)

    def _theirs(self, ticket: dict[str, Any], change: str) -> bool:
        """Whether it is theirs to act on."""
        who = self._who
        people = {ticket.get("worker"), *(ticket.get("helpers") or ())}
        if people & who.get("worker", set()):
            return True
        if ticket.get("utility") in who.get("utility", ()):
            return True
        ladder = (ticket.get("reason") or {}).get("ladder") or {}
        return change == "escalated" and ladder.get("to") in who.get("role", ())

    def _there(self, ticket: dict[str, Any]) -> bool:
        """Whether it happened where they look after."""
        if ticket.get("parent") is not None and not self._parts:
            return False
        return (
            self._all
            or ticket.get("grid") in self._grids
            or ticket.get("district") in self._who.get("district", ())
        )
