"""What a command does: refused with a reason, or applied with what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from contracts.case import Answer, Change, Command, Ticket
from contracts.loop import ACTION_NAMES, STAGE_NAMES
from router import (
    byhand,
    consult,
    findings,
    hands,
    questions,
    resources,
    responses,
    returns,
    said,
    sensed,
    sides,
    silences,
    verification,
)
from router.book import is_open
from router.house import House
from router.stages import ENDED, actor, plain
from router.verdicts import APPEALABLE, appealable
from router.words import one_line

Refusal = Callable[[House, Ticket, Command, datetime], str | None]
"""Why this command is not applied, in words of both languages; None when it may be."""
Deed = Callable[[House, Ticket, Command, datetime], tuple[Ticket, str]]
"""The ticket's next revision and the change's name, of a command that may be applied."""
Consequence = Callable[[House, Ticket, Command, datetime], list[Change]]
"""What follows from this command, which was applied to this ticket."""


def obey(house: House, command: Command, now: datetime) -> tuple[list[Change], Answer]:
    """Apply or refuse with a reason."""
    command = plain(command)
    if command.action in silences.ACTIONS:
        return silences.obey(house, command, now)
    ticket = house.book.tickets.get(command.ticket)
    if ticket is None:
        why = one_line(
            f"no ticket {command.ticket} is known (ended ones are kept a day)",
            f"没有工单 {command.ticket}（办结一天后归档）",
        )
        return [], Answer(command.id, False, why)
    for refusal in REFUSALS:
        why_not = refusal(house, ticket, command, now)
        if why_not is not None:
            return [], Answer(command.id, False, why_not, ticket.rev)
    deed = DEEDS.get(command.action)
    if deed is not None:
        moved, change = deed(house, ticket, command, now)
    else:
        who = house.who.parts(ticket, command.by, house.contact(ticket))
        moved, change = house.desk.apply(ticket, command, now, house.book.load, who)
    changes = house.put(moved, change, now)
    for consequence in CONSEQUENCES:
        changes += consequence(house, house.book.tickets[moved.id], command, now)
    newest = house.book.tickets[moved.id]
    zh_stage, en_stage = STAGE_NAMES[newest.stage]
    done = one_line(
        f"{command.action} done: {en_stage}",
        f"“{ACTION_NAMES[command.action][0]}”已执行，当前阶段“{zh_stage}”",
    )
    return changes, Answer(command.id, True, done, newest.rev)


# --- refusals -----------------------------------------------------------------------------------


def _not_allowed(house: House, ticket: Ticket, command: Command, now: datetime) -> str | None:
    return house.who.refusal(ticket, command, house.contact(ticket), now)


def _parts_open(house: House, ticket: Ticket, command: Command, now: datetime) -> str | None:
    if command.action != "close":
        return None
    parts = [t for t in house.book.children_of(ticket) if is_open(t)]
    if not parts:
        return None
    en = ", ".join(f"{t.utility} ({STAGE_NAMES[t.stage][1]})" for t in parts)
    zh = "、".join(f"{t.utility}（{STAGE_NAMES[t.stage][0]}）" for t in parts)
    return one_line(f"its parts are still open: {en}", f"子工单未办结：{zh}")


def _unheard(house: House, ticket: Ticket, command: Command, now: datetime) -> str | None:
    """A person may overrule the sensor with a reason; where it cannot say, a picture is proof."""
    if command.action != "verify":
        return None
    why = verification.why_person(house, ticket)
    if why is not None:
        if verification.has_after_photo(ticket) or "after" in said.photos(command):
            return None
        return one_line(why["text_en"], why["text_zh"])
    if (command.reason or "").strip() or house.over(ticket) is not False:
        return None
    return one_line(
        "the sensor still says it is not over: verify with a reason, or send it back (rework)",
        "传感器显示未恢复：核实通过须说明原因，或返工",
    )


def _too_late(house: House, ticket: Ticket, command: Command, now: datetime) -> str | None:
    if command.action != "reopen" or sensed.may_reopen(house, ticket, now):
        return None
    hours = round(house.settings.reopen_s / 3600)
    return one_line(
        f"it was closed more than {hours} h ago: please report it anew",
        f"结案已超过{hours}小时，请重新上报",
    )


def _nothing_to_appeal(house: House, ticket: Ticket, command: Command, now: datetime) -> str | None:
    if command.action != "appeal":
        return None
    if questions.is_open(ticket, questions.APPEAL):
        return one_line("an appeal is open already", "已有申诉待裁定")
    against = said.against(command)
    found = appealable(ticket, command.by, against, now, house.settings.appeal_s)
    if found is not None:
        return None
    hours = round(house.settings.appeal_s / 3600)
    names = "、".join(ACTION_NAMES[what][0] for what in APPEALABLE)
    return one_line(
        f"there is no verdict on {actor(command.by)} of the last {hours} h to appeal against "
        f"(data.against: {', '.join(APPEALABLE)})",
        f"{hours}小时内没有针对 {actor(command.by)} 的可申诉裁定（{names}）",
    )


def _own_verdict(house: House, ticket: Ticket, command: Command, now: datetime) -> str | None:
    if command.action not in ("uphold", "overturn"):
        return None
    judge = actor(str(questions.asked(ticket, questions.APPEAL).get("judge", "")))
    if judge != actor(command.by) or judge == "center":  # the center is an office, not a person
        return None
    return one_line("an appeal is heard by another person", "申诉须由作出裁定以外的人员裁定")


REFUSALS: tuple[Refusal, ...] = (
    _not_allowed,
    _parts_open,
    _unheard,
    _too_late,
    _nothing_to_appeal,
    _own_verdict,
    hands.refusal,
    resources.refusal,
    responses.refusal,
    consult.refusal,
    findings.refusal,
    byhand.refusal,
)
"""Asked in this order; the first that answers is the answer."""

DEEDS: dict[str, Deed] = {
    **hands.DEEDS,
    **resources.DEEDS,
    **responses.DEEDS,
    **consult.DEEDS,
    **findings.DEEDS,
    **byhand.DEEDS,
}
"""Actions that need more of the house than the desk has."""


# --- consequences -------------------------------------------------------------------------------


def _sensor_says_so_too(
    house: House, ticket: Ticket, command: Command, now: datetime
) -> list[Change]:
    return sensed.verified(house, ticket, now) if ticket.stage == "disposed" else []


def _parts_go_with_it(
    house: House, ticket: Ticket, command: Command, now: datetime
) -> list[Change]:
    changes: list[Change] = []
    if ticket.stage != "void":
        return changes
    for part in house.book.children_of(ticket):
        if is_open(part):
            en, zh = f"{ticket.id} was voided", f"主工单 {ticket.id} 已作废"
            changes += house.put(house.desk.withdrawn(part, now, en, zh), "cancelled", now)
    return changes


def _parts_are_confirmed_with_it(
    house: House, ticket: Ticket, command: Command, now: datetime
) -> list[Change]:
    """Who has seen that it is over has seen it for the utilities, too."""
    changes: list[Change] = []
    if command.action != "confirm":
        return changes
    for part in house.book.children_of(ticket):
        if is_open(part) and questions.is_open(part, questions.CONFIRM):
            same = msgspec.structs.replace(command, ticket=part.id)
            changes += house.put(*house.desk.apply(part, same, now, house.book.load), now)
    return changes


def _parent_opens_with_it(
    house: House, ticket: Ticket, command: Command, now: datetime
) -> list[Change]:
    """A parent is never closed before its parts."""
    parent = house.book.tickets.get(ticket.parent or "")
    if command.action not in ("reopen", "overturn") or parent is None or not is_open(ticket):
        return []
    if parent.stage not in ENDED:
        return []
    words = {
        "text_en": f"its part {ticket.id} was opened again",
        "text_zh": f"子工单 {ticket.id} 重新办理",
    }
    moved = house.desk.reopened(parent, now, command.by, words, doubt=False)
    return house.put(moved, "reworked", now)


def _incident_goes_on(
    house: House, ticket: Ticket, command: Command, now: datetime
) -> list[Change]:
    """Where no sensor can say, the incident goes on as long as the work does."""
    incident = house.book.incidents.get(ticket.incident)
    if command.action != "reopen" or incident is None or incident.closed_at is None:
        return []
    if house.correlator.over(incident.kind, house.book.events_of(incident)) is not None:
        return []
    return [house.put_incident(house.incidents.goes_on(incident), "updated", now)]


def _over_when_the_work_is(
    house: House, ticket: Ticket, command: Command, now: datetime
) -> list[Change]:
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
    returns.goes_on,
    sides.follows,
    _parts_go_with_it,
    _parts_are_confirmed_with_it,
    _parent_opens_with_it,
    _incident_goes_on,
    responses.follows,
    consult.parts_follow,
    findings.made,
    _over_when_the_work_is,
)
"""Run in this order after every command that was applied."""
