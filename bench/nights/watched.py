"""A router with somebody beside it who takes the time and counts whom it sends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from contracts.case import Answer, Change, Command, Ticket
from contracts.event import Event
from contracts.nouns import Position


class Watched:
    """Hands everything on to the router, and back. Whatever it is not asked about itself (`place`,
    `wake_at`, …) is the router's own."""

    def __init__(self, router: Any) -> None:
        self._router = router
        self._with: dict[str, str] = {}
        self.spent_s: list[float] = []
        """Processor time of each decision: events, a timer, a command."""
        self.positions_s = 0.0
        """The same for all positions together."""
        self.resent = 0
        """How often a ticket went from one worker to another."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._router, name)

    def on_position(self, position: Position, /) -> None:
        """On."""
        begin = time.process_time()
        self._router.on_position(position)
        self.positions_s += time.process_time() - begin

    def on_events(self, events: Sequence[Event], now: datetime, /) -> list[Change]:
        """On, and back."""
        begin = time.process_time()
        return self._seen(self._router.on_events(events, now), begin)

    def on_time(self, now: datetime, /) -> list[Change]:
        """On, and back."""
        begin = time.process_time()
        return self._seen(self._router.on_time(now), begin)

    def on_command(self, command: Command, now: datetime, /) -> tuple[list[Change], Answer]:
        """On, and back."""
        begin = time.process_time()
        changes, answer = self._router.on_command(command, now)
        return self._seen(changes, begin), answer

    def _seen(self, changes: list[Change], begin: float) -> list[Change]:
        self.spent_s.append(time.process_time() - begin)
        for change in changes:
            ticket = change.body
            if not isinstance(ticket, Ticket) or ticket.worker is None:
                continue
            self.resent += self._with.get(ticket.id, ticket.worker) != ticket.worker
            self._with[ticket.id] = ticket.worker
        return changes
