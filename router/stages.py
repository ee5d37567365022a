"""The stages of a ticket: which action leads where, who may, and what must be said with it.

发现—立案—派遣—接单—到场—处置—核实—结案—评价, with 回退 returned, 返工 reworked, 挂账 suspended
and 作废 void beside them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from contracts.case import Command, Step, Ticket
from contracts.city import City
from contracts.kinds import OPEN_STAGES, STAGES
from router.words import one_line

WORKING = frozenset({"dispatched", "accepted", "arrived", "reworked"})

TRANSITIONS: dict[str, tuple[frozenset[str], str | None]] = {
    "accept": (frozenset({"dispatched"}), "accepted"),
    "arrive": (frozenset({"accepted", "reworked"}), "arrived"),
    "dispose": (frozenset({"arrived", "reworked"}), "disposed"),
    "verify": (frozenset({"disposed"}), "verified"),
    "close": (frozenset({"verified"}), "closed"),
    "evaluate": (frozenset({"closed"}), "evaluated"),
    "return": (WORKING, "returned"),
    "rework": (frozenset({"disposed", "verified"}), "reworked"),
    "suspend": (WORKING | {"returned"}, "suspended"),
    "resume": (frozenset({"suspended"}), None),
    "void": (OPEN_STAGES, "void"),
    "reassign": (WORKING | {"returned", "suspended"}, "dispatched"),
    "note": (frozenset(STAGES), None),
    "acknowledge": (OPEN_STAGES, None),
    "remind": (OPEN_STAGES, None),
}
"""action → (stages it is allowed in, stage it leads to; None: it stays, or goes back)."""

NEEDS_REASON = frozenset({"return", "void", "suspend", "rework"})
FOR_CENTER = frozenset({"verify", "close", "evaluate", "rework", "void", "reassign", "resume"})
"""Actions that neither the ticket's worker nor its utility may do: nobody judges their own work."""


def actor(by: str) -> str:
    """`worker:w-17` and `w-17` are the same person."""
    prefix, sep, rest = by.partition(":")
    return rest if sep and prefix in ("worker", "utility") else by


def target(note: str | None) -> tuple[str, str] | None:
    """(`worker` | `utility`, id) of a reassignment's note `worker:ID`; the rest is free text."""
    head = (note or "").split(maxsplit=1)
    kind, sep, ident = head[0].partition(":") if head else ("", "", "")
    return (kind, ident) if sep and kind in ("worker", "utility") and ident else None


def refusal(ticket: Ticket, command: Command, city: City) -> str | None:
    """Why this command is not applied, in words of both languages; None when it may be."""
    known = TRANSITIONS.get(command.action)
    if known is None:
        return one_line(
            f"action {command.action!r} is unknown; allowed: {', '.join(TRANSITIONS)}",
            f"未知操作“{command.action}”",
        )
    if command.rev != ticket.rev:
        return one_line(
            f"the ticket is at revision {ticket.rev} ({ticket.stage}), you saw {command.rev}: "
            "look again",
            f"工单已更新至第{ticket.rev}版（{ticket.stage}），请刷新后再试",
        )
    allowed, _ = known
    if ticket.stage not in allowed:
        now_possible = [a for a, (stages, _) in TRANSITIONS.items() if ticket.stage in stages]
        return one_line(
            f"{command.action} is not possible while {ticket.stage}; now possible: "
            + ", ".join(now_possible),
            f"当前阶段 {ticket.stage} 不能执行 {command.action}",
        )
    if command.action in NEEDS_REASON and not (command.reason or "").strip():
        return one_line(f"{command.action} needs a reason", f"{command.action} 必须填写原因")
    if command.action == "note" and not (command.note or command.reason or "").strip():
        return one_line("a note needs text", "请填写备注内容")
    if not command.by.strip():
        return one_line("say who acts (by)", "请注明操作人")
    return _who(ticket, command, city) or _whom(command, city)


def _who(ticket: Ticket, command: Command, city: City) -> str | None:
    by = actor(command.by)
    worker, utility = city.workers.get(by), city.utilities.get(by)
    if command.action == "note" or (worker is None and utility is None):
        return None
    if worker is not None and worker.role in city.profile.escalate_to:
        own = by == ticket.worker and command.action in ("verify", "evaluate")
        return (
            one_line("nobody judges their own work", "本人处置的工单须由他人核实评价")
            if own
            else None
        )
    if command.action in FOR_CENTER:
        return one_line(
            f"{command.action} is for the center or a grid head; who was sent may return it "
            "with a reason",
            f"{command.action} 由中心或网格长执行，承办人可说明原因后回退",
        )
    mine = by in (ticket.worker, ticket.utility, *ticket.helpers)
    if not mine:
        return one_line(
            f"the ticket is not {by}'s: it is with {ticket.worker or ticket.utility}",
            f"该工单由 {ticket.worker or ticket.utility} 承办",
        )
    return None


def _whom(command: Command, city: City) -> str | None:
    if command.action != "reassign":
        return None
    whom = target(command.note)
    if whom is None:
        return one_line(
            "reassign names whom in its note: worker:ID or utility:ID", "请在备注中写明 worker:ID"
        )
    kind, ident = whom
    if ident not in (city.workers if kind == "worker" else city.utilities):
        return one_line(f"no {kind} is called {ident!r}", f"没有 {kind} {ident}")
    return None


def step(
    ticket: Ticket,
    now: datetime,
    change: str,
    by: str,
    note: str = "",
    **fields: Any,
) -> Ticket:
    """The next revision: these fields, and one entry more in the timeline."""
    return msgspec.structs.replace(
        ticket,
        rev=ticket.rev + 1,
        updated_at=now,
        timeline=(*ticket.timeline, Step(at=now, change=change, by=by, note=note)),
        **fields,
    )


def with_reason(ticket: Ticket, **parts: Any) -> Ticket:
    """The ticket with these parts of its reason replaced."""
    return msgspec.structs.replace(ticket, reason={**ticket.reason, **parts})
