"""会商: whose thing it is, nobody knows. The first receiver keeps it until they have named who.

A ticket of the joint lane without a utility names its first receiver (首接负责) with a limit; who
lets it pass has it taken a rung up, and at the top it is asked for again and again. The state
stands in the ticket (`reason["consultation"]`), so a restart goes on with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from contracts.case import Change, Command, Ticket
from contracts.city import Worker
from contracts.clock import iso
from contracts.kinds import OPEN_STAGES
from router.stages import actor, step, target, with_reason
from router.words import both, local, moment, one_line

if TYPE_CHECKING:
    from router.house import House

ACTIONS = frozenset({"assign"})


def open_(ticket: Ticket) -> Mapping[str, Any] | None:
    """The consultation of this ticket while nobody has been named."""
    found: Mapping[str, Any] | None = ticket.reason.get("consultation")
    if found is None or found.get("named") or ticket.utility is not None:
        return None
    return found if ticket.stage in OPEN_STAGES else None


def opened(house: House, ticket: Ticket, now: datetime) -> Ticket:
    """A new ticket; where it is nobody's, with its first receiver."""
    if ticket.lane != "joint" or ticket.utility is not None or ticket.parent is not None:
        return ticket
    until = now + timedelta(seconds=house.settings.consult_s)
    rung, receiver = _from(house, ticket.grid, 0)
    role, who = _named(receiver, rung, ticket)
    en = f"first receiver: {who}, who names the utility by {local(until, house.zone)}"
    zh = f"首接负责：{who}，须于{local(until, house.zone)}前明确责任单位"
    return with_reason(
        ticket,
        consultation={
            "receiver": receiver[1].id if receiver else ticket.worker,
            "role": role,
            "rung": rung,
            "since": iso(now),
            "next": iso(until),
            **both(en, zh),
        },
    )


def _from(house: House, grid: str | None, rung: int) -> tuple[int, tuple[str, Worker] | None]:
    """The first officer from this rung of the ladder up."""
    roles = house.city.profile.escalate_to
    for number in range(rung, len(roles)):
        officer = house.roster.officer(roles[number], grid)
        if officer is not None:
            return number, (roles[number], officer)
    return len(roles), None


def _named(receiver: tuple[str, Worker] | None, rung: int, ticket: Ticket) -> tuple[str, str]:
    if receiver is not None:
        return receiver[0], f"{receiver[1].name} ({receiver[0]})"
    return "worker" if rung == 0 else "center", ticket.worker or "center"


class NobodyNamed:
    """The limit to name a utility is over."""

    def due(self, house: House, ticket: Ticket, /) -> datetime | None:
        """When, while it is open and not suspended."""
        found = open_(ticket)
        if found is None or ticket.stage == "suspended" or not house.settings.ladder:
            return None
        return moment(found.get("next"))

    def ring(self, house: House, ticket: Ticket, now: datetime, /) -> list[Change]:
        """A rung up; from the top on it is asked for again."""
        found = dict(ticket.reason["consultation"])
        rung, receiver = _from(house, ticket.grid, int(found["rung"]) + 1)
        if receiver is None:
            then = now + timedelta(seconds=house.settings.remind_every_s)
            found |= {"next": iso(then)}
            note = one_line("still nobody named: whose is it?", "会商超期：责任单位仍未明确")
            change = "reminded"
        else:
            then = now + timedelta(seconds=house.settings.consult_s)
            role, who = _named(receiver, rung, ticket)
            found |= {"receiver": receiver[1].id, "role": role, "rung": rung, "next": iso(then)}
            en = f"nobody named in time: to {who}, who names the utility"
            zh = f"会商超期未明确，转{who}明确责任单位"
            found |= both(en, zh)
            note, change = one_line(en, zh), "escalated"
        moved = with_reason(ticket, consultation=found)
        return house.put(step(moved, now, change, "router", note), change, now)


# --- commands -----------------------------------------------------------------------------------


def _whom(command: Command) -> str | None:
    named = (command.data or {}).get("utility")
    if named is not None:
        return str(named)
    kind, ident = target(command.note) or ("", "")
    return ident if kind == "utility" else None


def refusal(house: House, ticket: Ticket, command: Command, now: datetime) -> str | None:
    """Why a utility is not named so."""
    if command.action not in ACTIONS:
        return None
    if ticket.parent is not None:
        return one_line(
            f"this is a part: name the utility on {ticket.parent}",
            f"子工单不能会商，请在主工单 {ticket.parent} 操作",
        )
    utility = _whom(command)
    if utility is None or utility not in house.city.utilities:
        known = ", ".join(sorted(house.city.utilities)) or "none"
        return one_line(
            f'assign names a utility: data {{"utility": ID}}; found {utility!r}, known: {known}',
            f"请注明责任单位；本市单位：{known}",
        )
    if any(t.utility == utility for t in (ticket, *house.book.children_of(ticket))):
        name = house.city.utilities[utility].name
        return one_line(f"{name} has it already", f"{name}已在办理")
    by = actor(command.by)
    worker = house.city.workers.get(by)
    receiver = (ticket.reason.get("consultation") or {}).get("receiver")
    above = worker is not None and worker.role in house.city.profile.escalate_to
    # Who was sent to look whether it is so calls whose it is when it is.
    looks = by == ticket.worker and bool(ticket.reason.get("utility", {}).get("check"))
    if worker is not None and by != receiver and not above and not looks:
        return one_line(
            f"the utility is named by the first receiver ({receiver or 'none'}) or from above",
            f"责任单位由首接负责人（{receiver or '无'}）或上级明确",
        )
    return None


def assign(house: House, ticket: Ticket, command: Command, now: datetime) -> tuple[Ticket, str]:
    """The utility whose thing it is has been named; its part follows."""
    utility = str(_whom(command))
    name = house.city.utilities[utility].name
    before = ticket.reason.get("consultation") or {"receiver": None, "since": iso(now)}
    said = ": ".join(part for part in (command.reason, command.note) if part)
    words = both(f"named by {command.by}: {name}", f"由 {command.by} 明确：{name}")
    named = {"utility": utility, "by": command.by, "at": iso(now), "reason": said}
    found = {**before, "named": [*before.get("named", []), named], "next": None, **words}
    why = {**ticket.reason.get("utility", {}), "by": "consultation", **words}
    owners = {**why.get("owners", {}), utility: {"because": words["text_en"]}}
    moved = with_reason(ticket, consultation=found, utility={**why, "owners": owners})
    note = one_line(words["text_en"], words["text_zh"])
    return step(moved, now, "updated", command.by, f"{note}; {said}" if said else note), "updated"


def parts_follow(house: House, ticket: Ticket, command: Command, now: datetime) -> list[Change]:
    """A utility that was named gets its part."""
    named = (ticket.reason.get("consultation") or {}).get("named", [])
    incident = house.book.incidents.get(ticket.incident)
    if not named or incident is None or ticket.parent is not None:
        return []
    has = {t.utility for t in house.book.children_of(ticket)} | {ticket.utility}
    changes: list[Change] = []
    for entry in named:
        if entry["utility"] in has or ticket.stage not in OPEN_STAGES:
            continue
        duty = house.duties.of(incident.kind, ticket.grid, house.book.events_of(incident))
        part = house.opener.part(ticket, entry["utility"], incident, duty, now)
        part = with_reason(part, utility=ticket.reason["utility"])
        changes += house.put(part, "opened", now)
    return changes


DEEDS = {"assign": assign}
