"""Merge and split by hand, with a reason, and undone again.

Merged: the ticket ends and says into which it went; its incident's events are the other's from then
on, and so is what comes later where it was. Split: some events are an incident of their own, with a
ticket of its own; neither takes the other's again. Undone: both are as they were, later events with
the one they lie nearer to, clocks with what was left of them. Only the last decision about a ticket
can be undone, while both sides are known (ended ones are a day).

All of it stands in the incidents (`merged_into`, `split_from`, `also`) and in the tickets
(`reason["by_hand"]`), so a restart goes on with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from contracts.case import Command, Deadlines, Incident, Ticket
from contracts.clock import iso
from contracts.kinds import TASK_KINDS
from router.book import is_open
from router.causes import root_ticket
from router.deadlines import with_deadlines
from router.house import House
from router.opening import name_of
from router.stages import step, with_reason
from router.words import moment, one_line

ACTIONS = ("merge", "split", "undo")


def entries(ticket: Ticket) -> list[dict[str, Any]]:
    """What people decided about this ticket, the last one last."""
    return list(ticket.reason.get("by_hand", ()))


# --- refused -----


def refusal(house: House, ticket: Ticket, command: Command, now: datetime) -> str | None:
    """Why this is not done, in words of both languages; None when it may be."""
    if command.action not in ACTIONS:
        return None
    if ticket.parent is not None:
        return one_line(
            f"it is a part of {ticket.parent}: act on that", f"请在主工单 {ticket.parent} 上操作"
        )
    if ticket.kind in TASK_KINDS or ticket.incident not in house.book.incidents:
        return one_line("it is no incident's", "该工单没有对应事件")
    check = {"merge": _no_merge, "split": _no_split, "undo": _no_undo}[command.action]
    return check(house, ticket, command)


def _no_merge(house: House, ticket: Ticket, command: Command) -> str | None:
    into = house.book.tickets.get(str((command.data or {}).get("into", "")))
    if into is None:
        return one_line(
            'data names an open ticket: {"into": "t-…"}', "请在 data.into 中注明并入的工单"
        )
    if into.parent is not None or into.kind in TASK_KINDS:
        return one_line(f"{into.id} is a part or a task", f"{into.id} 不是主工单")
    if not is_open(into):
        return one_line(f"{into.id} has ended ({into.stage})", f"{into.id} 已办结")
    if into.incident == ticket.incident or into.incident not in house.book.incidents:
        return one_line("they are one incident already", "两张工单已属同一事件")
    return None


def _no_split(house: House, ticket: Ticket, command: Command) -> str | None:
    wanted = (command.data or {}).get("events")
    names = wanted if isinstance(wanted, list) else []
    incident = house.book.incidents[ticket.incident]
    own = {e.id: e for e in house.book.own_events_of(incident)}
    if not names or any(not isinstance(name, str) or name not in own for name in names):
        return one_line(
            'data names events of this incident: {"events": ["e-…"]}',
            "请在 data.events 中注明要拆分的事件",
        )
    there = [own[name] for name in dict.fromkeys(names)]
    here = [e for name, e in own.items() if name not in names]
    if not here or house.only_heard(here) or house.only_heard(there):
        return one_line(
            "something that calls for people must be left on both sides",
            "拆分后双方均须有需处置的事件",
        )
    return None


def _no_undo(house: House, ticket: Ticket, command: Command) -> str | None:
    if not entries(ticket):
        return one_line("nothing was merged or split here", "该工单没有合并或拆分记录")
    pair = _pair(house, ticket)
    if pair is None:
        return one_line("the other one is no longer known", "对方工单已归档，不能撤销")
    what, kept, other, incident = pair
    if not is_open(kept):
        return one_line(f"{kept.id} has ended ({kept.stage})", f"{kept.id} 已办结，不能撤销")
    last = entries(kept)[-1:]
    if not last or last[0].get("incident") != incident.id:
        return one_line(
            f"something later was decided about {kept.id}: undo that first",
            f"请先撤销 {kept.id} 之后的合并或拆分",
        )
    if what == "split" and other is not None and not is_open(other):
        return one_line(f"{other.id} has ended ({other.stage})", f"{other.id} 已办结，不能撤销")
    if other is not None and len(entries(other)) > 1 and what == "split":
        return one_line(
            f"something later was decided about {other.id}: undo that first",
            f"请先撤销 {other.id} 之后的合并或拆分",
        )
    return None


def _pair(house: House, ticket: Ticket) -> tuple[str, Ticket, Ticket | None, Incident] | None:
    """(merge | split, the ticket that stayed, the other one, the other's incident) of the last
    decision about this ticket."""
    last, book = entries(ticket)[-1], house.book
    if last["what"] in ("merged", "split_from"):
        kept, incident = book.tickets.get(last["ticket"]), book.incidents.get(ticket.incident)
        other: Ticket | None = ticket
    else:
        kept, incident = ticket, book.incidents.get(last["incident"])
        other = root_ticket(incident, book) if incident is not None else None
    if kept is None or incident is None or kept.incident not in book.incidents:
        return None
    what = "merge" if last["what"] in ("merged", "took") else "split"
    if what == "merge" and other is None:
        return None
    return what, kept, other, incident


# --- done ---------------------------------------------------------------------------------------


def noted(ticket: Ticket, command: Command, now: datetime, /, **entry: Any) -> Ticket:
    """The same revision, with this decision on record."""
    said = {"by": command.by, "at": iso(now), "reason": command.reason, **entry}
    return with_reason(ticket, by_hand=[*entries(ticket), said])


def undone(ticket: Ticket, command: Command, now: datetime) -> Ticket:
    """The same revision, with its last decision taken back (and kept as that)."""
    *rest, last = entries(ticket)
    back = {**last, "undone_by": command.by, "undone_at": iso(now)}
    return with_reason(ticket, by_hand=rest, undone=back)


def _merge(house: House, ticket: Ticket, command: Command, now: datetime) -> tuple[Ticket, str]:
    into = house.book.tickets[str((command.data or {})["into"])]
    return ended(house, ticket, into, command, now), "cancelled"


def ended(house: House, ticket: Ticket, into: Ticket, command: Command, now: datetime) -> Ticket:
    """A ticket that was merged: its worker is told into which, and with whom that is."""
    held = house.desk.name_of(into.worker or into.utility or "")
    why = command.reason or ""
    note = one_line(
        f"merged into {into.id}, which is with {held}: {why}",
        f"并入 {into.id}（承办：{held}）：{why}",
    )
    entry = {"what": "merged", "ticket": into.id, "incident": ticket.incident}
    marked = noted(ticket, command, now, **entry, stage=ticket.stage, helpers=list(ticket.helpers))
    return house.desk.to_stage(marked, "void", now, command.by, note, change="cancelled")


def _split(house: House, ticket: Ticket, command: Command, now: datetime) -> tuple[Ticket, str]:
    incident = house.book.incidents[ticket.incident]
    names = asked_events(command)
    name = name_of("i", incident.id, "split", str(incident.rev), *names)
    marked = noted(ticket, command, now, what="split", incident=name)
    n, why = len(names), command.reason or ""
    note = one_line(f"{n} events are something else: {why}", f"{n}起事件另案处理：{why}")
    return step(marked, now, "updated", command.by, note), "updated"


def asked_events(command: Command) -> list[str]:
    """The events that a split names, each once."""
    return list(dict.fromkeys((command.data or {}).get("events", ())))


def _undo(house: House, ticket: Ticket, command: Command, now: datetime) -> tuple[Ticket, str]:
    last = entries(ticket)[-1]["what"]
    if last == "merged":
        moved = returned(house, ticket, command, now)
        return moved, moved.stage
    if last == "split_from":
        return withdrawn(house, ticket, command, now), "cancelled"
    return kept_as_it_was(ticket, command, now), "updated"


def returned(house: House, ticket: Ticket, command: Command, now: datetime) -> Ticket:
    """A merged ticket is where it was, with what was left of its clocks; helpers were let go."""
    last = entries(ticket)[-1]
    stage, since = str(last["stage"]), moment(last["at"]) or now
    moved = undone(ticket, command, now)
    if stage != "suspended":
        moved = with_deadlines(moved, house.clocks.resumed(moved, since, now))
    note = one_line(f"merge undone: {command.reason}", f"撤销合并：{command.reason}")
    return house.ladder.arm(step(moved, now, stage, command.by, note, stage=stage), now)


def withdrawn(house: House, ticket: Ticket, command: Command, now: datetime) -> Ticket:
    """The ticket of what was split: nobody need act on it any more."""
    note = one_line(f"split undone: {command.reason}", f"撤销拆分：{command.reason}")
    moved = undone(ticket, command, now) if entries(ticket) else ticket
    return house.desk.to_stage(moved, "void", now, command.by, note, change="cancelled")


def kept_as_it_was(ticket: Ticket, command: Command, now: datetime) -> Ticket:
    """The ticket that stayed: what the merge had changed of it is as before."""
    last = entries(ticket)[-1]
    moved = undone(ticket, command, now)
    if last["what"] == "took":
        was = msgspec.convert(last["was"]["ticket"], Facts)
        moved = with_deadlines(moved, (was.deadlines, was.why))
        moved = msgspec.structs.replace(
            with_reason(moved, utility=was.owners),
            kind=was.kind,
            code=was.code,
            severity=was.severity,
            lane=was.lane,
            utility=was.utility,
        )
    zh = "合并" if last["what"] == "took" else "拆分"
    en = "merge" if last["what"] == "took" else "split"
    note = one_line(f"{en} undone: {command.reason}", f"撤销{zh}：{command.reason}")
    return step(moved, now, "updated", command.by, note)


class Facts(msgspec.Struct, frozen=True):
    """What a merge may change of the ticket that stays."""

    kind: str
    code: str | None
    severity: int
    lane: str
    utility: str | None
    deadlines: Deadlines
    why: dict[str, Any]
    """Of the deadlines."""
    owners: dict[str, Any]
    """Why this utility."""


def facts(ticket: Ticket) -> Facts:
    """As it is now."""
    return Facts(
        ticket.kind,
        ticket.code,
        ticket.severity,
        ticket.lane,
        ticket.utility,
        ticket.deadlines,
        ticket.reason.get("deadlines", {}),
        ticket.reason.get("utility", {}),
    )


DEEDS = {"merge": _merge, "split": _split, "undo": _undo}
"""What becomes of the ticket that was acted on; `sides.follows` does the rest."""
