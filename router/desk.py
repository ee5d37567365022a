"""Moves tickets through their stages: commands of people, the word of the sensor.

What an action does besides moving the ticket on stands in `branches.HANDLERS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.case import Command, Ticket
from contracts.city import City
from contracts.clock import iso
from contracts.loop import STAGE_NAMES
from router import questions, said
from router.act import Act
from router.assign import Roster
from router.branches import HANDLERS
from router.deadlines import Clocks, reached, with_deadlines
from router.evaluation import judged_by_clocks
from router.ladder import Ladder
from router.settings import RouterSettings
from router.stages import MOVES, STANDING, step, with_reason
from router.utility import Duties
from router.verdicts import with_verdict
from router.words import both, moment, one_line

SENSOR = "sensor"
MOST_LATE = 20
"""Steps done without network that a ticket remembers; the newest count."""


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
        self.city = city
        self.roster = roster
        self.duties = duties
        self.clocks = clocks
        self.ladder = ladder
        self.settings = settings

    # --- moving -------------------------------------------------------------------------------

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
        """The ticket in its new stage: the clock that this stage stops is kept or missed, those
        that it starts run anew, questions that it makes pointless are withdrawn."""
        standing = STANDING[stage]
        note = note or _in_words(stage, self.name_of(by.removeprefix("utility:")))
        moved = step(ticket, now, change or stage, by, note, stage=stage)
        if standing.stops is not None:
            moved = reached(moved, standing.stops, now)
        if standing.starts:
            moved = with_deadlines(moved, self.clocks.restart(moved, now, *standing.starts))
        if stage == "disposed" and moved.deadlines.verify is None:
            due = now + timedelta(seconds=self.settings.verify_wait_s)
            moved = msgspec.structs.replace(
                moved, deadlines=msgspec.structs.replace(moved.deadlines, verify=due)
            )
        moved = questions.withdrawn(moved, questions.POINTLESS.get(stage, ()), now)
        if stage == "closed":
            moved = with_reason(
                moved, evaluation={**moved.reason.get("evaluation", {}), **judged_by_clocks(moved)}
            )
        return self.ladder.arm(moved, now)

    def apply(
        self,
        ticket: Ticket,
        command: Command,
        now: datetime,
        load: Mapping[str, int],
        who: frozenset[str] = frozenset(),
    ) -> tuple[Ticket, str]:
        """A command that may be applied (`Who.refusal` said nothing); `who` gives it."""
        shown = said.photos(command)
        if shown:
            ticket = _with_photos(ticket, shown, command.by, now)
        done = said.done_at(command)
        if done is not None and done < now:
            ticket = _with_late(ticket, command, done, now)
        act = Act(ticket=ticket, command=command, now=now, load=load, who=who)
        handler = HANDLERS.get(command.action)
        if handler is not None:
            return handler(self, act)
        stage = str(MOVES[command.action].to)
        return self.to_stage(ticket, stage, now, command.by, act.note), stage

    def ask_by(self, ticket: Ticket, now: datetime) -> datetime:
        """When a question asked now is put again: on the ticket's own calendar, so that nobody is
        woken for a lamp."""
        return self.clocks.time_of(ticket).add(now, self.settings.ask_s)

    def resumed(self, ticket: Ticket, now: datetime, by: str, note: str = "") -> tuple[Ticket, str]:
        """Back from 挂账 to where it was, with what was left of each clock."""
        suspended: dict[str, Any] = ticket.reason.get("suspended", {})
        stage = str(suspended.get("stage", "dispatched"))
        moved = step(
            self.running(ticket, now),
            now,
            stage,
            by,
            note or one_line("resumed", "恢复办理"),
            stage=stage,
        )
        return self.ladder.arm(moved, now), stage

    def running(self, ticket: Ticket, now: datetime) -> Ticket:
        """A suspended ticket's clocks, running again; any other ticket as it is."""
        suspended: dict[str, Any] = ticket.reason.get("suspended", {})
        if ticket.stage != "suspended":
            return ticket
        since = moment(suspended.get("at")) or now
        moved = with_deadlines(ticket, self.clocks.resumed(ticket, since, now))
        return with_reason(moved, suspended={**suspended, "ended": iso(now)})

    # --- the sensor's word ------------------------------------------------------------------

    def verified_by_sensor(
        self, ticket: Ticket, now: datetime, shown: Sequence[Mapping[str, Any]] = ()
    ) -> Ticket:
        """Disposed, and the sensor says it is over."""
        words = both("the sensor says it is over", "传感器显示已恢复")
        proof = {"by": SENSOR, "at": iso(now), "ok": True, "sensors": list(shown), **words}
        note = one_line(words["text_en"], words["text_zh"])
        return self.to_stage(with_reason(ticket, verification=proof), "verified", now, SENSOR, note)

    def contradicted(
        self, ticket: Ticket, now: datetime, shown: Sequence[Mapping[str, Any]] = ()
    ) -> Ticket:
        """Said to be done, but the sensor still says otherwise: 返工 by itself."""
        words = both("the sensor still says it is not over", "传感器显示未恢复，返工")
        return self.sent_back(ticket, now, SENSOR, words, shown)

    def sent_back(
        self,
        ticket: Ticket,
        now: datetime,
        by: str,
        words: dict[str, str],
        shown: Sequence[Mapping[str, Any]] = (),
    ) -> Ticket:
        """返工: back to work, the verdict kept."""
        proof = {"by": by, "at": iso(now), "ok": False, "sensors": list(shown), **words}
        note = one_line(words["text_en"], words["text_zh"])
        moved = with_verdict(with_reason(ticket, verification=proof), "rework", by, now, note)
        return self.to_stage(moved, "reworked", now, by, note)

    def reopened(
        self, ticket: Ticket, now: datetime, by: str, words: dict[str, str], *, doubt: bool
    ) -> Ticket:
        """Closed, but it is not over: back to work. `doubt`: a person says so, so the sensor's
        word does not verify it a second time."""
        again = [*ticket.reason.get("reopened", ()), {"by": by, "at": iso(now), **words}]
        moved = with_reason(ticket, reopened=again)
        if doubt:
            moved = with_reason(moved, doubted={"by": by, "at": iso(now), **words})
        return self.sent_back(moved, now, by, words)

    def name_of(self, ident: str) -> str:
        """A worker's or a utility's name, with the id."""
        found = self.city.workers.get(ident) or self.city.utilities.get(ident)
        return f"{found.name} ({ident})" if found else ident

    def withdrawn(self, ticket: Ticket, now: datetime, en: str, zh: str) -> Ticket:
        """The router takes it back: nobody need act on it any more."""
        moved = with_reason(ticket, withdrawn={"at": iso(now), **both(en, zh)})
        return self.to_stage(moved, "void", now, "router", one_line(en, zh), change="cancelled")


def _in_words(stage: str, by: str) -> str:
    """What is told of a move that nobody said more about."""
    zh, en = STAGE_NAMES[stage]
    return one_line(f"{en} by {by}", f"{by} {zh}")


def _with_late(ticket: Ticket, command: Command, done: datetime, now: datetime) -> Ticket:
    """Done without network: when, and when we heard of it. The clocks stop when we hear of it."""
    entry = {"action": command.action, "by": command.by, "done_at": iso(done), "at": iso(now)}
    return with_reason(ticket, late=[*ticket.reason.get("late", ()), entry][-MOST_LATE:])


def _with_photos(
    ticket: Ticket, shown: Mapping[str, Sequence[str]], by: str, now: datetime
) -> Ticket:
    photos = {name: list(kept) for name, kept in ticket.reason.get("photos", {}).items()}
    for name, refs in shown.items():
        photos.setdefault(name, []).extend({"ref": r, "by": by, "at": iso(now)} for r in refs)
    return with_reason(ticket, photos=photos)
