"""What an action is handed, and pieces that several of them share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from contracts.case import Candidate, Command, Ticket
from contracts.clock import iso
from router import questions
from router.stages import with_reason
from router.words import one_line

if TYPE_CHECKING:
    from router.desk import Desk

OWN_PART = "own part"
"""Where a utility's return goes when it shared the worker's ticket: to a part of its own."""

CENTER = "center"
"""Whose a ticket is that is with nobody."""

Done = tuple[Ticket, str]
"""The next revision and the change's name."""


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """A command that may be applied, with what it is applied to."""

    ticket: Ticket
    command: Command
    now: datetime
    load: Mapping[str, int]
    who: frozenset[str]
    """What its author is to the ticket."""

    @property
    def by(self) -> str:
        """Its author."""
        return self.command.by

    @property
    def note(self) -> str:
        """What was said with it."""
        return ": ".join(part for part in (self.command.reason, self.command.note) if part)

    def told(self, en: str, zh: str) -> str:
        """That, behind what it means."""
        return (
            one_line(f"{en}: {self.note}", f"{zh}：{self.note}") if self.note else one_line(en, zh)
        )


def with_chosen(desk: Desk, act: Act, worker: str, words: dict[str, str]) -> Ticket:
    """The ticket with the figures of a worker whom a person chose."""
    ticket = act.ticket
    rule = desk.duties.rule_for(ticket.kind, ticket.grid)
    figures: Candidate = desk.roster.figures(
        worker, ticket.place, act.now, skills=rule.skills if rule else (), load=act.load
    )
    chosen = {"by": act.by, "at": iso(act.now)}
    return with_reason(ticket, worker={**msgspec.to_builtins(figures), "chosen": chosen, **words})


def consulted(desk: Desk, ticket: Ticket, now: datetime, by: str, because: str) -> Ticket:
    """会商: whose is it? Who received it first leads until that is settled (首接负责)."""
    lead = ticket.utility or ticket.worker or CENTER
    if lead == CENTER:
        text = (
            f"joint consultation: {because}; nobody has received it, so the center leads",
            f"转会商：{because}；尚无首接单位，由区中心牵头",
        )
    else:
        name = desk.name_of(lead)
        text = (
            f"joint consultation: {because}; {name} received it first and leads until it is "
            "settled",
            f"转会商：{because}；首接单位{name}负责牵头，会商确定前不得推诿",
        )
    moved = questions.ask(
        ticket, questions.CONSULTATION, now, by, desk.ask_by(ticket, now), text, lead=lead
    )
    return msgspec.structs.replace(moved, lane="joint")
