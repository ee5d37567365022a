"""What part of the city's work a caller sees: decided here, for every page and every write.

A part of the grid tree (`grids`), a worker's own tickets, or a utility's. `center.accounts.seen`
hands it to whatever reads and files; handlers need not think of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from center.guard import Caller
from contracts.people import concerned, ever_concerned

NOBODY = "-"
"""The id of no worker and no utility: an account that should have one and has none sees nothing."""


class Facts(msgspec.Struct, frozen=True):
    """What decides who may see a thing: read from it once, for however many readers."""

    id: str
    grid: str | None
    utility: str | None
    people: frozenset[str]
    """Workers whom it concerns now; of tickets."""
    past: frozenset[str]
    """Workers whom it ever concerned."""


def facts_of(type_: str, data: Mapping[str, Any]) -> Facts:
    """Of a ticket, incident, event or silence as on the wire."""
    place = data.get("place")
    grid = data.get("grid") or (place.get("grid") if isinstance(place, Mapping) else None)
    ticket = type_ == "ticket"
    return Facts(
        str(data.get("id")),
        grid if isinstance(grid, str) else None,
        data.get("utility") if ticket else None,
        concerned(data) if ticket else frozenset(),
        ever_concerned(data) if ticket else frozenset(),
    )


class Scope(msgspec.Struct, frozen=True):
    """One caller's part. None in all three: everything."""

    grids: frozenset[str] | None = None
    worker: str | None = None
    utility: str | None = None

    @property
    def everything(self) -> bool:
        """Nothing is withheld for where it is."""
        return self.grids is None and self.own is False

    @property
    def own(self) -> bool:
        """Only tickets of their own, and what belongs to them."""
        return self.worker is not None or self.utility is not None

    def holds(self, type_: str, facts: Facts) -> bool:
        """Whether this ticket, incident, event or silence is seen for itself."""
        if self.own:
            if type_ != "ticket":
                return False
            return self.worker in facts.people or (
                self.utility is not None and facts.utility == self.utility
            )
        return self.in_grids(facts.grid)

    def held(self, facts: Facts) -> bool:
        """Whether a ticket was theirs before: it is told that it is gone, and no more."""
        return self.worker is not None and self.worker in facts.past

    def ticket(self, ticket: Mapping[str, Any]) -> bool:
        """Whether this ticket is seen."""
        return self.holds("ticket", facts_of("ticket", ticket))

    def in_grids(self, grid: object) -> bool:
        """Whether something in this grid is seen for where it is. Outside of all grids: no."""
        if self.own:
            return False
        return self.grids is None or (isinstance(grid, str) and grid in self.grids)


EVERYTHING = Scope()


def scope_of(caller: Caller) -> Scope:
    """A caller's part of the city."""
    if caller.role == "worker":
        return Scope(worker=caller.worker or NOBODY)
    if caller.role == "utility":
        return Scope(utility=caller.utility or NOBODY)
    return EVERYTHING if caller.grids is None else Scope(grids=caller.grids)
