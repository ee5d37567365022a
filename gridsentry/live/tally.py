"""Counts tickets for the center, which may not ask the router itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from contracts.case import Ticket
from contracts.errors import Wrong
from router.figures import Case, case_of, figures, league, ratings, series


class TicketTally:
    """`contracts.ports.Tally` by `router.figures`. Keeps each ticket flat, without its timeline."""

    def __init__(self) -> None:
        self._cases: list[Case] = []

    def take(self, tickets: Sequence[dict[str, Any]]) -> None:
        """Some more tickets. Raises Wrong on one that cannot be read."""
        for item in tickets:
            try:
                ticket = msgspec.convert(item, Ticket, strict=False)
            except msgspec.ValidationError as error:
                raise Wrong("tickets", f"{item.get('id')} cannot be read: {error}") from error
            self._cases.append(case_of(ticket))

    def table(self, by: str, since: datetime, until: datetime) -> dict[str, dict[str, Any]]:
        """Figures by group, the most punctual first; without those that had nothing to do."""
        found = league(self._cases, by, since, until)
        return {
            name: msgspec.to_builtins(line)
            for name, line in found.items()
            if line.reported or line.due
        }

    def total(self, since: datetime, until: datetime) -> dict[str, Any]:
        """Figures of all."""
        told: dict[str, Any] = msgspec.to_builtins(figures(self._cases, since, until))
        return told

    def series(self, edges: Sequence[datetime]) -> list[dict[str, Any]]:
        """Figures between each two edges."""
        told: list[dict[str, Any]] = msgspec.to_builtins(series(self._cases, edges))
        return told

    def ratings(self, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """Verdicts of grids on utilities."""
        told: list[dict[str, Any]] = msgspec.to_builtins(ratings(self._cases, since, until))
        return told
