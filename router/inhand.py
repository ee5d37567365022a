"""Which open tickets are in whose hands, and which of them nobody has set out for yet."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.case import Ticket
from contracts.kinds import OPEN_STAGES

UNREACHED = frozenset({"dispatched", "accepted"})


class InHand:
    """Indexes over open tickets with a worker; they follow from the tickets alone."""

    def __init__(self, tickets: Mapping[str, Ticket]) -> None:
        self._tickets = tickets
        self._with: dict[str, set[str]] = {}
        self._unreached: set[str] = set()

    def change(self, old: Ticket | None, new: Ticket | None) -> None:
        """A ticket became this revision (None: was not known; is no longer kept)."""
        if old is not None and old.worker is not None:
            self._with.get(old.worker, set()).discard(old.id)
            self._unreached.discard(old.id)
        if new is None or new.worker is None or new.stage not in OPEN_STAGES:
            return
        self._with.setdefault(new.worker, set()).add(new.id)
        if new.stage in UNREACHED:
            self._unreached.add(new.id)

    def of(self, worker: str) -> list[Ticket]:
        """Open tickets of a worker."""
        return [self._tickets[t] for t in sorted(self._with.get(worker, ()))]

    def unreached(self) -> list[Ticket]:
        """Open tickets with a worker who is not there yet, in no order."""
        return [self._tickets[t] for t in self._unreached]
