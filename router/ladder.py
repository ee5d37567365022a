"""Reminders and escalation: a missed clock climbs to the next rung and is never silent again.

The state of the ladder stands in the ticket (`reason["ladder"]`), so a restart goes on with it:
`clock` and its `due`, what happens `next` (`step`: remind, escalate, repeat), `rung` reached.
Rungs are the profile's: the neighbour beside the worker sent, then officers upwards. One that the
city has nobody for is skipped, and that is said; the last one is the center itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from contracts.case import Ticket
from contracts.city import Profile, Worker
from contracts.clock import iso
from contracts.kinds import CLOCKS
from contracts.loop import CLOCK_NAMES, RUNG_NAMES
from router import hands
from router.assign import Roster
from router.deadlines import Clocks
from router.settings import RouterSettings
from router.stages import STANDING
from router.words import local, moment, one_line

NEIGHBOUR = "neighbour"
"""The rung that is no role: the nearest able worker with free hands beside the one sent."""
_WORK = frozenset({"accept", "arrive", "dispose"})
"""Clocks that a neighbour can help with; to verify and to close is for officers."""


class Rung(msgspec.Struct, frozen=True):
    """A rung that was reached."""

    index: int
    role: str
    person: Worker | None
    skipped: tuple[str, ...]
    """Rungs between that the city has nobody for."""
    top: bool


def pending(ticket: Ticket) -> tuple[str, datetime] | None:
    """The clock that runs now, or the next later one that has a limit."""
    waits = STANDING[ticket.stage].clock
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
        self._rungs = profile.escalate_to
        self._early = profile.remind_before
        self._clocks = clocks
        self._roster = roster
        self._s = settings
        self._zone = zone

    # --- when ---------------------------------------------------------------------------------

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
        early = time.add(start, time.between(start, due) * (1 - self._early))
        if now < early < due:
            step, when = "remind", early
        elif now < due:
            step, when = "escalate", due
        else:  # already late when this stage began: the ladder goes on from here
            step, when = "escalate", time.add(now, self.pause(ticket, self._s.escalate_every_s))
        return _with(
            ticket,
            {"clock": clock, "due": iso(due), "step": step, "next": iso(when), "rung": 0},
        )

    def due(self, ticket: Ticket) -> datetime | None:
        """When the ladder of this ticket moves next."""
        if not self._s.ladder or STANDING[ticket.stage].clock is None:
            return None
        return moment(ticket.reason.get("ladder", {}).get("next"))

    def pause(self, ticket: Ticket, seconds: float) -> float:
        """A pause of this ticket's ladder in seconds: shorter with each 督办."""
        count = int(ticket.reason.get("supervised", {}).get("count", 0))
        climbing = seconds <= self._s.escalate_every_s
        # At the top the reminders never come faster than a rung is climbed without any urging.
        floor = self._s.shortest_pause_s if climbing else self._s.escalate_every_s
        return max(seconds * self._s.supervised_pace**count, min(floor, seconds))

    def hurry(self, ticket: Ticket, now: datetime) -> Ticket:
        """督办: the next step comes at the shorter pace from now on."""
        state = dict(ticket.reason.get("ladder", {}))
        then = moment(state.get("next"))
        if then is None:
            return ticket
        pause = self.pause(ticket, self._s.escalate_every_s)
        soon = self._clocks.time_of(ticket).add(now, pause)
        return _with(ticket, {**state, "next": iso(min(then, soon))})

    def refused(self, ticket: Ticket, worker: str, now: datetime) -> Ticket:
        """Who was asked to step in cannot: the next rung is asked at once, nobody in between."""
        state = dict(ticket.reason.get("ladder", {}))
        if state.get("neighbour") != worker or state.get("to") != NEIGHBOUR:
            return ticket
        state.pop("neighbour")
        if state.get("step") == "escalate":
            state["next"] = iso(now)
        return _with(ticket, state)

    def hold(self, ticket: Ticket, now: datetime, by: str) -> Ticket:
        """An acknowledgement: the next step waits a while, then comes all the same."""
        state = dict(ticket.reason.get("ladder", {}))
        then = moment(state.get("next"))
        until = now + timedelta(seconds=self._s.acknowledge_s)
        # Also where no clock runs: the center's alarm is silent for as long.
        state["acknowledged"] = {"by": by, "at": iso(now), "until": iso(until)}
        if then is not None:
            state["next"] = iso(max(then, until))
        return _with(ticket, state)

    # --- what ---------------------------------------------------------------------------------

    def fire(self, ticket: Ticket, now: datetime) -> tuple[Ticket, str, str]:
        """The ticket with its ladder one step on, the change's name and what is told."""
        state = dict(ticket.reason["ladder"])
        time = self._clocks.time_of(ticket)
        due = moment(state["due"]) or now
        when, (zh, en) = local(due, self._zone), CLOCK_NAMES[str(state["clock"])]
        if state["step"] == "escalate":
            if now < due:  # urged by a person, not late yet
                state |= {"next": iso(due), "reminded": iso(now)}
                return _with(ticket, state), "reminded", _coming(en, zh, when)
            return self._escalate(ticket, state, now)
        if state["step"] == "remind":
            state |= {"step": "escalate", "next": iso(due), "reminded": iso(now)}
            return _with(ticket, state), "reminded", _coming(en, zh, when)
        pause = self.pause(ticket, self._s.remind_every_s)
        state |= {"next": iso(time.add(now, pause)), "reminded": iso(now)}
        note = one_line(f"{en} was due {when}, still open", f"{zh}已于{when}超期，仍未完成")
        return _with(ticket, state), "reminded", note

    def rung(self, ticket: Ticket, start: int, now: datetime, clock: str) -> Rung:
        """The first rung from `start` that somebody is on; else the last one, the center's own."""
        skipped: list[str] = []
        for index in range(start, len(self._rungs)):
            role, top = self._rungs[index], index + 1 >= len(self._rungs)
            if role == NEIGHBOUR:
                if clock not in _WORK or ticket.worker is None:
                    continue  # nobody was sent beside whom there could be a neighbour
                person = self._neighbour(ticket, now)
            else:
                person = self._roster.officer(role, ticket.grid)
            if person is not None and person.id == ticket.worker:
                continue  # they have it already
            if person is not None or top:
                return Rung(index, role, person, tuple(skipped), top)
            skipped.append(role)
        return Rung(len(self._rungs) - 1, self._rungs[-1], None, tuple(skipped), True)

    def _neighbour(self, ticket: Ticket, now: datetime) -> Worker | None:
        out = {str(ticket.worker), *ticket.helpers, *(hand.worker for hand in ticket.hands)}
        out |= {str(r["id"]) for r in ticket.reason.get("returns", ())}
        # Who was sent before and said nothing does not step in either.
        out |= {str(r["worker"]) for r in ticket.reason.get("resent", ()) if r.get("silent")}
        rule_skills = tuple(ticket.reason.get("worker", {}).get("skills", ()))
        choice = self._roster.choose(ticket.place, now, skills=rule_skills, without=out)
        found = self._roster.worker(choice.worker)
        asked = found is not None and found.role not in self._rungs and found.id not in out
        # Who is busy cannot step in: asking them one after the other only costs time.
        free = choice.reason.get("on_shift") and not choice.reason.get("load")
        return found if asked and free else None

    def _escalate(
        self, ticket: Ticket, state: dict[str, Any], now: datetime
    ) -> tuple[Ticket, str, str]:
        clock = str(state["clock"])
        rung = self.rung(ticket, int(state["rung"]), now, clock)
        pause = self._s.remind_every_s if rung.top else self._s.escalate_every_s
        then = self._clocks.time_of(ticket).add(now, self.pause(ticket, pause))
        state |= {
            "rung": rung.index + 1,
            "to": rung.role,
            "person": rung.person.id if rung.person else None,
            "skipped": [*state.get("skipped", ()), *rung.skipped],
            "step": "repeat" if rung.top else "escalate",
            "next": iso(then),
            "escalated": iso(now),
        }
        due = local(moment(state["due"]) or now, self._zone)
        zh, en = CLOCK_NAMES[clock]
        to_en, to_zh = rung_words(rung)
        note = one_line(f"{en} was due {due}: to {to_en}", f"{zh}已于{due}超期，上报{to_zh}")
        if rung.role == NEIGHBOUR and rung.person is not None:
            state |= {"neighbour": rung.person.id}
            ticket = _asked(ticket, rung.person, now, clock)
            note = one_line(
                f"{en} was due {due}: {rung.person.name}, the nearest beside, is asked to step in",
                f"{zh}已于{due}超期，请邻近网格员{rung.person.name}接手",
            )
        return _with(ticket, state), "escalated", note


def rung_words(rung: Rung) -> tuple[str, str]:
    """(en, zh) of a rung, with its person and the rungs that were skipped."""
    zh, en = RUNG_NAMES.get(rung.role, (rung.role, rung.role))
    if rung.person is not None:
        en, zh = f"{en} ({rung.person.name})", f"{zh}（{rung.person.name}）"
    if rung.skipped:
        names = [RUNG_NAMES.get(role, (role, role)) for role in rung.skipped if role != NEIGHBOUR]
        if NEIGHBOUR in rung.skipped:
            en += "; no neighbour is on shift with free hands to step in"
            zh += "；无在岗且空闲的邻近网格员可接手"
        if names:
            en += f"; nobody is registered as {', '.join(n[1] for n in names)}"
            zh += f"；本地未登记{'、'.join(n[0] for n in names)}，已跳过"
    return en, zh


def _coming(en: str, zh: str, when: str) -> str:
    return one_line(f"{en} is due {when}", f"{zh}将于{when}到期")


def _asked(ticket: Ticket, person: Worker, now: datetime, clock: str) -> Ticket:
    """The neighbour is on the ticket: told of it, and free to accept in the other's place."""
    zh, en = CLOCK_NAMES[clock]
    return hands.asked(
        ticket, [person.id], now, "router", one_line(f"{en} was missed", f"{zh}超期")
    )


def _with(ticket: Ticket, state: dict[str, Any]) -> Ticket:
    return msgspec.structs.replace(ticket, reason={**ticket.reason, "ladder": state})
