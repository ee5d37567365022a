"""延期 and 挂账: more time for the work, or no time counted until a date."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from contracts.case import Ticket
from contracts.clock import iso
from router import questions, said
from router.act import Act, Done
from router.deadlines import with_deadlines
from router.stages import step, with_reason
from router.verdicts import with_verdict
from router.words import both, local, moment, one_line

if TYPE_CHECKING:
    from router.desk import Desk


def extend(desk: Desk, act: Act) -> Done:
    """More time is asked for; the clock goes on until it is granted."""
    until = said.until(act.command) or act.now
    when = local(until, desk.clocks.zone)
    text = (
        f"{act.by} asks for time until {when}: {act.command.reason}",
        f"{act.by} 申请延期至{when}：{act.command.reason}",
    )
    moved = questions.ask(
        act.ticket,
        questions.EXTENSION,
        act.now,
        act.by,
        desk.ask_by(act.ticket, act.now),
        text,
        until=iso(until),
        reason=act.command.reason,
    )
    return step(moved, act.now, "updated", act.by, one_line(*text)), "updated"


def granted(desk: Desk, act: Act, until: datetime, why: str) -> Ticket:
    """缓办: the ticket with its new date, counted."""
    before = act.ticket.deadlines.dispose
    moved = with_deadlines(act.ticket, desk.clocks.extended(act.ticket, until))
    entry = {
        "from": iso(before) if before else None,
        "until": iso(until),
        "close_from": iso(act.ticket.deadlines.close) if act.ticket.deadlines.close else None,
        "by": act.by,
        "at": iso(act.now),
        "reason": why,
    }
    moved = with_reason(moved, extensions=[*moved.reason.get("extensions", ()), entry])
    return desk.ladder.arm(moved, act.now)


def grant(desk: Desk, act: Act) -> Done:
    """缓办: the disposal may take until the date asked for, or another one said here."""
    asked = questions.asked(act.ticket, questions.EXTENSION)
    until = said.until(act.command) or moment(asked.get("until")) or act.now
    when = local(until, desk.clocks.zone)
    moved = granted(desk, act, until, str(asked.get("reason", "")))
    moved = questions.answered(moved, questions.EXTENSION, act.now, act.by, "granted", act.note)
    note = act.told(f"more time until {when}", f"准予延期至{when}")
    return step(moved, act.now, "updated", act.by, note), "updated"


def refuse(desk: Desk, act: Act) -> Done:
    """No more time: a verdict, so it may be appealed against."""
    moved = questions.answered(
        act.ticket, questions.EXTENSION, act.now, act.by, "refused", act.note
    )
    moved = with_verdict(moved, "refuse", act.by, act.now, act.note)
    note = act.told("no more time", "不予延期")
    return step(moved, act.now, "updated", act.by, note), "updated"


def suspend(desk: Desk, act: Act) -> Done:
    """Clocks stand still until a date; then it comes back by itself (`alarms`)."""
    until = said.until(act.command) or act.now + timedelta(seconds=desk.settings.suspend_s)
    when = local(until, desk.clocks.zone)
    words = both(
        f"suspended until {when}: {act.command.reason}; its clocks stand still",
        f"挂账至{when}：{act.command.reason}；期间停止计时",
    )
    since = {
        "stage": act.ticket.stage,
        "at": iso(act.now),
        "by": act.by,
        "reason": act.command.reason,
        "until": iso(until),
        **words,
    }
    moved = with_reason(act.ticket, suspended=since)
    note = one_line(words["text_en"], words["text_zh"])
    return desk.to_stage(moved, "suspended", act.now, act.by, note), "suspended"


def resume(desk: Desk, act: Act) -> Done:
    """Back before its date."""
    return desk.resumed(act.ticket, act.now, act.by, act.note)
