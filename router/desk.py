"""Moves tickets through their stages: commands of people, the word of the sensor, the ladder."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.case import Candidate, Command, Ticket
from contracts.city import City
from contracts.clock import iso
from router.assign import Roster
from router.deadlines import Clocks, with_deadlines
from router.ladder import Ladder
from router.settings import RouterSettings
from router.stages import TRANSITIONS, step, target, with_reason
from router.utility import Duties
from router.words import both, moment, one_line

SENSOR = "sensor"


class Desk:
    """Ticket in, ticket out: the next revision and the change's name. Keeps nothing."""

    def __init__(
        self,
        *,
        city: City,
        roster: Roster,
        duties: Duties,
        clocks: Clocks,
        ladder: Ladder,
        settings: RouterSettings,
    ) -> None:
        self._city = city
        self._roster = roster
        self._duties = duties
        self._clocks = clocks
        self._ladder = ladder
        self._s = settings

    def to_stage(
        self,
        ticket: Ticket,
        stage: str,
        now: datetime,
        by: str,
        note: str = "",
        *,
        change: str = "",
    ) -> Ticket:
        """The ticket in its new stage, with the clocks that this stage starts."""
        moved = step(ticket, now, change or stage, by, note, stage=stage)
        if stage == "returned":
            moved = with_deadlines(moved, self._clocks.restart(moved, now, "accept"))
        elif stage == "reworked":
            moved = with_deadlines(moved, self._clocks.restart(moved, now, "dispose"))
        elif stage == "disposed":
            moved = with_deadlines(moved, self._clocks.restart(moved, now, "verify"))
            if moved.deadlines.verify is None:
                due = now + timedelta(seconds=self._s.verify_wait_s)
                moved = msgspec.structs.replace(
                    moved, deadlines=msgspec.structs.replace(moved.deadlines, verify=due)
                )
        elif stage == "verified":
            moved = with_deadlines(moved, self._clocks.restart(moved, now, "close"))
        return self._ladder.arm(moved, now)

    def apply(
        self, ticket: Ticket, command: Command, now: datetime, load: Mapping[str, int]
    ) -> tuple[Ticket, str]:
        """A command that may be applied (`stages.refusal` said nothing)."""
        by = command.by
        note = ": ".join(part for part in (command.reason, command.note) if part)
        match command.action:
            case "note":
                return step(ticket, now, "updated", by, note), "updated"
            case "remind":
                return step(ticket, now, "reminded", by, note or "督办"), "reminded"
            case "acknowledge":
                held = self._ladder.hold(ticket, now, by)
                told = note or one_line("acknowledged", "已知悉")
                return step(held, now, "updated", by, told), "updated"
            case "suspend":
                since = {"stage": ticket.stage, "at": iso(now), "reason": command.reason}
                moved = with_reason(ticket, suspended=since)
                return self.to_stage(moved, "suspended", now, by, note), "suspended"
            case "resume":
                return self._resume(ticket, now, by, note)
            case "reassign":
                return self._reassign(ticket, command, now, note, load), "dispatched"
        stage = str(TRANSITIONS[command.action][1])
        if stage == "returned":
            ticket = with_reason(
                ticket, returned={"by": by, "at": iso(now), "reason": command.reason}
            )
        return self.to_stage(ticket, stage, now, by, note), stage

    def _resume(self, ticket: Ticket, now: datetime, by: str, note: str) -> tuple[Ticket, str]:
        suspended: dict[str, Any] = ticket.reason.get("suspended", {})
        stage = str(suspended.get("stage", "dispatched"))
        since = moment(suspended.get("at")) or now
        moved = with_deadlines(ticket, self._clocks.resumed(ticket, since, now))
        moved = with_reason(moved, suspended={**suspended, "until": iso(now)})
        moved = step(moved, now, stage, by, note or one_line("resumed", "恢复办理"), stage=stage)
        return self._ladder.arm(moved, now), stage

    def _reassign(
        self, ticket: Ticket, command: Command, now: datetime, note: str, load: Mapping[str, int]
    ) -> Ticket:
        kind, ident = target(command.note) or ("", "")
        chosen: dict[str, Any] = {"by": command.by, "at": iso(now)}
        if kind == "worker":
            rule = self._duties.rule_for(ticket.kind, ticket.grid)
            figures: Candidate = self._roster.figures(
                ident, ticket.place, now, skills=rule.skills if rule else (), load=load
            )
            words = both(f"chosen by {command.by}: {figures.name}", f"由 {command.by} 指派")
            why = {**msgspec.to_builtins(figures), "chosen": chosen, **words}
            helpers = tuple(h for h in ticket.helpers if h != ident)
            moved = with_reason(ticket, worker=why)
            moved = msgspec.structs.replace(moved, worker=ident, helpers=helpers)
        else:
            name = self._city.utilities[ident].name
            words = both(f"chosen by {command.by}: {name}", f"由 {command.by} 指派：{name}")
            why = {**ticket.reason.get("utility", {}), "by": "person", "chosen": chosen, **words}
            moved = with_reason(ticket, utility=why)
            moved = msgspec.structs.replace(moved, utility=ident)
        moved = with_deadlines(moved, self._clocks.restart(moved, now, "accept", "arrive"))
        return self.to_stage(moved, "dispatched", now, command.by, note)

    # --- the sensor's word ------------------------------------------------------------------

    def verified_by_sensor(self, ticket: Ticket, now: datetime) -> Ticket:
        """Disposed, and the sensor says it is over."""
        words = both("the sensor says it is over", "传感器显示已恢复")
        proof = {"by": SENSOR, "at": iso(now), "ok": True, **words}
        note = one_line(words["text_en"], words["text_zh"])
        return self.to_stage(with_reason(ticket, verification=proof), "verified", now, SENSOR, note)

    def contradicted(self, ticket: Ticket, now: datetime) -> Ticket:
        """Said to be done, but the sensor still says otherwise: 返工 by itself."""
        words = both("the sensor still says it is not over", "传感器显示未恢复，返工")
        proof = {"by": SENSOR, "at": iso(now), "ok": False, **words}
        note = one_line(words["text_en"], words["text_zh"])
        return self.to_stage(with_reason(ticket, verification=proof), "reworked", now, SENSOR, note)

    def withdrawn(self, ticket: Ticket, now: datetime, en: str, zh: str) -> Ticket:
        """The router takes it back: nobody need act on it any more."""
        moved = with_reason(ticket, withdrawn={"at": iso(now), **both(en, zh)})
        return self.to_stage(moved, "void", now, "router", one_line(en, zh), change="cancelled")
