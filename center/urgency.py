"""Which tickets press: the clock that runs, whether it has run out, and whether nobody has heard.

The desk's page decides the same in `center/pages/desk/web/urgency.js`; a browser test holds the two
to the same answers.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contracts.clock import epoch_ms
from contracts.kinds import CLOCKS, OPEN_STAGES

NEXT = {"dispatched": "accept", "accepted": "arrive", "reworked": "arrive", "arrived": "dispose",
        "disposed": "verify", "verified": "close", "suspended": "close"}  # fmt: skip
"""The clock that runs in a stage (`accept` in those before)."""
CAUSES = frozenset({"detected", "returned", "reworked", "escalated"})
"""Steps that call for somebody: new, sent back, reopened, not in time."""
HANDLED = frozenset({"accepted", "arrived", "disposed", "verified", "suspended"})
"""Steps by which somebody has it in hand."""


def due(ticket: dict[str, Any]) -> datetime | None:
    """When the clock ends that runs in this ticket's stage."""
    if ticket.get("stage") not in OPEN_STAGES:
        return None
    deadlines = ticket.get("deadlines") or {}
    first = CLOCKS.index(NEXT.get(str(ticket.get("stage")), "accept"))
    for clock in CLOCKS[first:]:
        if deadlines.get(clock):
            return datetime.fromisoformat(deadlines[clock])
    return None


def overdue(ticket: dict[str, Any], now: datetime) -> bool:
    """Whether that clock has run out."""
    at = due(ticket)
    return at is not None and at < now


def calls(ticket: dict[str, Any], now: datetime) -> bool:
    """Whether its alarm sounds: something calls for somebody, nothing was done since, and nobody
    has acknowledged it since, or that has expired. A utility's part sounds only when it is late:
    the whole ticket sounds for the rest."""
    if ticket.get("stage") not in OPEN_STAGES:
        return False
    last, since = "detected", _ms(ticket.get("opened_at"))
    for step in ticket.get("timeline") or ():
        if step["change"] in CAUSES or step["change"] in HANDLED:
            last, since = step["change"], _ms(step.get("at"))
    if last in HANDLED or (ticket.get("parent") and last != "escalated"):
        return False
    known = ((ticket.get("reason") or {}).get("ladder") or {}).get("acknowledged")
    if not isinstance(known, dict):
        return True
    return _ms(known.get("at")) < since or _ms(known.get("until")) <= epoch_ms(now)


def _ms(moment: object) -> int:
    return epoch_ms(datetime.fromisoformat(moment)) if isinstance(moment, str) else -1
