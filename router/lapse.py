"""A round that nobody makes in its time is over: 未完成, with the reason, and counted so.

Yesterday's round cannot be made today, and an open ticket for each day that was missed tells nobody
anything. Its clocks urge and climb as long as its time lasts; then it lapses.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from contracts.case import Change, Ticket
from contracts.clock import iso
from contracts.loop import STAGE_NAMES
from router.rounds import KIND
from router.stages import ON_SITE, WORKING, with_reason
from router.words import both, local

if TYPE_CHECKING:
    from router.house import House

WAITS = WORKING | {"returned"}


class RoundLapses:
    """A round's time is over."""

    def due(self, house: House, ticket: Ticket, /) -> datetime | None:
        """The end of its time, more time granted included; whoever is making it has as long again
        to end it."""
        if ticket.kind != KIND or ticket.stage not in WAITS:
            return None
        end = ticket.deadlines.dispose
        if end is None or ticket.stage not in ON_SITE:
            return end
        return end + timedelta(seconds=float(ticket.reason.get("patrol", {}).get("within_s", 0.0)))

    def ring(self, house: House, ticket: Ticket, now: datetime, /) -> list[Change]:
        """未完成: the ticket and its incident are over."""
        zh, en = STAGE_NAMES[ticket.stage]
        worker = house.roster.worker(ticket.worker)
        who = worker.name if worker is not None else "–"
        due = local(ticket.deadlines.dispose or now, house.zone)
        words = (
            f"not done by {due}: {en} with {who} to the end",
            f"未完成：截至{due}仍为“{zh}”（{who}）",
        )
        lapsed = {"at": iso(now), "stage": ticket.stage, "worker": ticket.worker, **both(*words)}
        moved = house.desk.withdrawn(with_reason(ticket, lapsed=lapsed), now, *words)
        changes = house.put(moved, "cancelled", now)
        incident = house.book.incidents.get(ticket.incident)
        if incident is not None and incident.closed_at is None:
            over = house.incidents.ended(incident, now)
            changes.append(house.put_incident(over, "closed", now))
        return changes


def lapsed(ticket: Ticket) -> bool:
    """Whether it is a round that was never made."""
    return ticket.stage == "void" and "lapsed" in ticket.reason
