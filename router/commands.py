"""What a command does: refused with a reason, or applied with what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from contracts.case import Answer, Change, Command, Ticket
from router import stages
from router.book import is_open
from router.house import House
from router.words import one_line

Refusal = Callable[[House, Ticket, Command], str | None]
"""Why this command is not applied, in words of both languages; None when it may be."""
Consequence = Callable[[House, Ticket, datetime], list[Change]]
"""What follows from a command that was applied to this ticket."""


def obey(house: House, command: Command, now: datetime) -> tuple[list[Change], Answer]:
    """Apply or refuse with a reason."""
    ticket = house.book.tickets.get(command.ticket)
    if ticket is None:
        why = one_line(
            f"no ticket {command.ticket} is known (ended ones are kept a day)",
            f"没有工单 {command.ticket}（办结一天后归档）",
        )
        return [], Answer(command.id, False, why)
    for refusal in REFUSALS:
        why_not = refusal(house, ticket, command)
        if why_not is not None:
            return [], Answer(command.id, False, why_not, ticket.rev)
    moved, change = house.desk.apply(ticket, command, now, house.book.load)
    changes = house.put(moved, change, now)
    for consequence in CONSEQUENCES:
        changes += consequence(house, house.book.tickets[moved.id], now)
    newest = house.book.tickets[moved.id]
    done = one_line(f"{command.action} done: {newest.stage}", f"已执行，当前阶段 {newest.stage}")
    return changes, Answer(command.id, True, done, newest.rev)


# --- refusals -----------------------------------------------------------------------------------


def _not_allowed(house: House, ticket: Ticket, command: Command) -> str | None:
    return stages.refusal(ticket, command, house.city)


def _parts_open(house: House, ticket: Ticket, command: Command) -> str | None:
    if command.action != "close":
        return None
    parts = [t for t in house.book.children_of(ticket) if is_open(t)]
    if not parts:
        return None
    names = ", ".join(f"{t.utility} ({t.stage})" for t in parts)
    return one_line(f"its parts are still open: {names}", f"子工单未办结：{names}")


def _unheard(house: House, ticket: Ticket, command: Command) -> str | None:
    if command.action != "verify" or (command.reason or "").strip():
        return None
    if house.over(ticket) is not False:
        return None
    return one_line(
        "the sensor still says it is not over: verify with a reason, or send it back (rework)",
        "传感器显示未恢复：核实通过须说明原因，或返工",
    )


REFUSALS: tuple[Refusal, ...] = (_not_allowed, _parts_open, _unheard)
"""Asked in this order; the first that answers is the answer."""


# --- consequences -------------------------------------------------------------------------------


def _sensor_says_so_too(house: House, ticket: Ticket, now: datetime) -> list[Change]:
    if ticket.stage != "disposed" or house.over(ticket) is not True:
        return []
    return house.put(house.desk.verified_by_sensor(ticket, now), "verified", now)


def _parts_go_with_it(house: House, ticket: Ticket, now: datetime) -> list[Change]:
    changes: list[Change] = []
    if ticket.stage != "void":
        return changes
    for part in house.book.children_of(ticket):
        if is_open(part):
            en, zh = f"{ticket.id} was voided", f"主工单 {ticket.id} 已作废"
            changes += house.put(house.desk.withdrawn(part, now, en, zh), "cancelled", now)
    return changes


def _over_when_the_work_is(house: House, ticket: Ticket, now: datetime) -> list[Change]:
    """Where no sensor can say, the incident is over when its last ticket is."""
    incident = house.book.incidents.get(ticket.incident)
    if incident is None or incident.closed_at is not None:
        return []
    if house.book.open_tickets_of(incident.id):
        return []
    if house.correlator.over(incident.kind, house.book.events_of(incident)) is not None:
        return []
    return [house.put_incident(house.incidents.ended(incident, now), "closed", now)]


CONSEQUENCES: tuple[Consequence, ...] = (
    _sensor_says_so_too,
    _parts_go_with_it,
    _over_when_the_work_is,
)
"""Run in this order after every command that was applied."""
