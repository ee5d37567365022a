"""Reminders and escalation: a missed clock climbs to the next rung and is never silent again.

The state of the ladder stands in the ticket (`reason["ladder"]`), so a restart goes on with it:
`clock` and its `due`, what happens `next` (`step`: remind, escalate, repeat), `rung` reached.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from contracts.case import Ticket
from contracts.city import Profile
from contracts.clock import iso
from contracts.kinds import CLOCKS
from router.assign import Roster
from router.deadlines import Clocks
from router.settings import RouterSettings
from router.words import local, moment, one_line

WAITS_FOR = {
    "dispatched": "accept",
    "returned": "accept",
    "accepted": "arrive",
    "arrived": "dispose",
    "reworked": "dispose",
    "disposed": "verify",
    "verified": "close",
}
"""The clock that runs in each stage. Suspended tickets stand still; ended ones have none."""

_ZH = {"accept": "接单", "arrive": "到场", "dispose": "处置", "verify": "核实", "close": "结案"}
_RUNG_ZH = {
    "grid_head": "网格长",
    "community": "社区",
    "street_center": "街道中心",
    "district_center": "区中心",
}


def pending(ticket: Ticket) -> tuple[str, datetime] | None:
    """The clock that runs now, or the next later one that has a limit."""
    waits = WAITS_FOR.get(ticket.stage)
    if waits is None:
        return None
    for clock in CLOCKS[CLOCKS.index(waits) :]:
        due: datetime | None = getattr(ticket.deadlines, clock)
        if due is not None:
            return clock, due
    return None


class Ladder:
    """Arms the ladder of a ticket and says what happens when it is due."""

    def __init__(
        self,
        profile: Profile,
        clocks: Clocks,
        roster: Roster,
        settings: RouterSettings,
        zone: ZoneInfo,
    ) -> None:
        self._profile = profile
        self._clocks = clocks
        self._roster = roster
        self._s = settings
        self._zone = zone

    def arm(self, ticket: Ticket, now: datetime) -> Ticket:
        """Start the ladder of the clock that runs now."""
        if not self._s.ladder:
            return ticket
        found = pending(ticket)
        if found is None:
            return _with(ticket, {"clock": None, "next": None})
        clock, due = found
        time = self._clocks.time_of(ticket)
        begun = ticket.reason.get("deadlines", {}).get("from", {}).get(clock)
        start = moment(begun) or ticket.opened_at
        early = time.add(start, time.between(start, due) * (1 - self._profile.remind_before))
        if now < early < due:
            step, when = "remind", early
        elif now < due:
            step, when = "escalate", due
        else:  # already late when this stage began: the ladder goes on from here
            step, when = "escalate", time.add(now, self._s.escalate_every_s)
        return _with(
            ticket,
            {"clock": clock, "due": iso(due), "step": step, "next": iso(when), "rung": 0},
        )

    def due(self, ticket: Ticket) -> datetime | None:
        """When the ladder of this ticket moves next."""
        if not self._s.ladder or ticket.stage not in WAITS_FOR:
            return None
        return moment(ticket.reason.get("ladder", {}).get("next"))

    def fire(self, ticket: Ticket, now: datetime) -> tuple[Ticket, str, str]:
        """The ticket with its ladder one step on, the change's name and what is told."""
        state = dict(ticket.reason["ladder"])
        time = self._clocks.time_of(ticket)
        due = moment(state["due"]) or now
        when, clock = local(due, self._zone), str(state["clock"])
        if state["step"] == "escalate":
            return self._escalate(ticket, state, now)
        if state["step"] == "remind":
            state |= {"step": "escalate", "next": iso(due), "reminded": iso(now)}
            note = one_line(f"{clock} is due {when}", f"{_ZH[clock]}将于{when}到期")
        else:
            state |= {"next": iso(time.add(now, self._s.remind_every_s)), "reminded": iso(now)}
            note = one_line(f"{clock} was due {when}, still open", f"{_ZH[clock]}已于{when}超期")
        return _with(ticket, state), "reminded", note

    def _escalate(
        self, ticket: Ticket, state: dict[str, Any], now: datetime
    ) -> tuple[Ticket, str, str]:
        rungs = self._profile.escalate_to
        rung = int(state["rung"])
        role = rungs[min(rung, len(rungs) - 1)]
        head = self._roster.officer(role, ticket.grid)
        top = rung + 1 >= len(rungs)
        pause = self._s.remind_every_s if top else self._s.escalate_every_s
        then = self._clocks.time_of(ticket).add(now, pause)
        state |= {
            "rung": rung + 1,
            "to": role,
            "person": head.id if head else None,
            "step": "repeat" if top else "escalate",
            "next": iso(then),
            "escalated": iso(now),
        }
        clock = str(state["clock"])
        due = moment(state["due"]) or now
        who = f" ({head.name})" if head else ""
        note = one_line(
            f"{clock} was due {local(due, self._zone)}: to {role}{who}",
            f"{_ZH[clock]}已于{local(due, self._zone)}超期，上报{_RUNG_ZH.get(role, role)}{who}",
        )
        return _with(ticket, state), "escalated", note

    def hold(self, ticket: Ticket, now: datetime, by: str) -> Ticket:
        """An acknowledgement: the next step waits a while, then comes all the same."""
        state = dict(ticket.reason.get("ladder", {}))
        then = moment(state.get("next"))
        until = now + timedelta(seconds=self._s.acknowledge_s)
        if then is None:
            return ticket
        state |= {"next": iso(max(then, until)), "acknowledged": {"by": by, "until": iso(until)}}
        return _with(ticket, state)


def _with(ticket: Ticket, state: dict[str, Any]) -> Ticket:
    return msgspec.structs.replace(ticket, reason={**ticket.reason, "ladder": state})
