"""The loop as data: which action leads where, who may, what must be said, which clocks start.

发现—立案—派遣—接单—到场—处置—核实—结案—评价, with 回退 returned, 返工 reworked, 挂账 suspended
and 作废 void beside them. `STANDING` says what each stage does to the clocks, `MOVES` what each
action may do; what an action does besides moving stands in `branches`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from contracts.case import Command, Step, Ticket
from contracts.kinds import OPEN_STAGES, STAGES
from contracts.loop import ALIASES

WORKING = frozenset({"dispatched", "accepted", "arrived", "reworked"})
ON_SITE = frozenset({"arrived", "reworked"})
"""Somebody is there."""
ENDED = frozenset({"closed", "evaluated"})

DOERS = frozenset({"worker", "utility"})
DESK = frozenset({"officer", "center"})
CONTACT = frozenset({"contact"})
"""The worker on site, for a utility's part: 网格评部门."""
RESIDENT = frozenset({"resident"})
ANYONE = frozenset({"anyone"})


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage means for the clocks."""

    clock: str | None
    """The clock that runs; None: none does."""
    starts: tuple[str, ...] = ()
    """Clocks that start anew when the stage is reached (those after them move along)."""
    stops: str | None = None
    """The clock that is kept or missed when the stage is reached."""


STANDING: dict[str, Standing] = {
    "detected": Standing(clock="accept"),
    "filed": Standing(clock="accept"),
    "dispatched": Standing(clock="accept", starts=("accept", "arrive")),
    "returned": Standing(clock="accept", starts=("accept",)),
    "accepted": Standing(clock="arrive", stops="accept"),
    "arrived": Standing(clock="dispose", stops="arrive"),
    "reworked": Standing(clock="dispose", starts=("dispose",)),
    "disposed": Standing(clock="verify", starts=("verify",), stops="dispose"),
    "verified": Standing(clock="close", starts=("close",), stops="verify"),
    "suspended": Standing(clock=None),
    "closed": Standing(clock=None, stops="close"),
    "evaluated": Standing(clock=None),
    "void": Standing(clock=None),
}
"""Suspended tickets stand still: what was left of each clock is left again afterwards."""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One action."""

    stages: frozenset[str]
    """Where it is allowed."""
    to: str | None
    """The stage it leads to; None: it stays, or goes back to where it was."""
    who: frozenset[str]
    """Who may, seen from the ticket (`who.Who`)."""
    says: tuple[str, ...] = ()
    """What must be said: `reason`, `note`, `until`, `score`, `whom`."""
    judges: bool = False
    """A verdict on the work: never by who did it."""
    answers: str | None = None
    """The question that must be open."""


def _move(
    stages: frozenset[str] | set[str], to: str | None, who: frozenset[str], *says: str, **more: Any
) -> Move:
    return Move(stages=frozenset(stages), to=to, who=who, says=says, **more)


MOVES: dict[str, Move] = {
    # the way of every ticket
    "accept": _move({"dispatched", "returned"}, "accepted", DOERS | DESK | {"neighbour"}),
    "arrive": _move({"accepted", "reworked"}, "arrived", DOERS | DESK),
    "dispose": _move({"arrived", "reworked"}, "disposed", DOERS | DESK),
    "verify": _move({"disposed"}, "verified", DESK | CONTACT, judges=True),
    "close": _move({"verified"}, "closed", DESK, judges=True),
    "evaluate": _move({"closed"}, "evaluated", DESK | CONTACT, judges=True),
    "rate": _move({"disposed", "verified"} | ENDED, None, DESK | RESIDENT, "score", judges=True),
    # the branches
    "return": _move(WORKING, "returned", DOERS | DESK, "reason"),
    "rework": _move({"disposed", "verified"}, "reworked", DESK | CONTACT, "reason", judges=True),
    "extend": _move(WORKING, None, DOERS, "reason", "until"),
    "grant": _move(OPEN_STAGES, None, DESK, judges=True, answers="extension"),
    "refuse": _move(OPEN_STAGES, None, DESK, "reason", judges=True, answers="extension"),
    "supervise": _move(OPEN_STAGES, None, DESK),
    "appeal": _move(frozenset(STAGES), None, DOERS | {"former"}, "reason"),
    "uphold": _move(frozenset(STAGES), None, DESK, "reason", judges=True, answers="appeal"),
    "overturn": _move(frozenset(STAGES), None, DESK, "reason", judges=True, answers="appeal"),
    "suspend": _move(WORKING | {"returned"}, "suspended", DESK, "reason"),
    "resume": _move({"suspended"}, None, DESK),
    "void": _move(OPEN_STAGES, "void", DESK, "reason"),
    "reassign": _move(WORKING | {"returned", "suspended"}, "dispatched", DESK, "whom"),
    "reopen": _move(ENDED, "reworked", DESK | CONTACT | RESIDENT, "reason"),
    "confirm": _move(
        WORKING | {"returned", "suspended"},
        "verified",
        DESK | CONTACT | {"worker", "helper"},
        answers="confirm",
    ),
    "deny": _move(
        WORKING | {"returned", "suspended"},
        None,
        DESK | CONTACT | {"worker", "helper"},
        answers="confirm",
    ),
    # more hands
    "request_helper": _move(WORKING, None, DOERS | DESK | CONTACT | {"helper"}),
    "accept_help": _move(OPEN_STAGES, None, DESK | {"helper"}),
    "refuse_help": _move(OPEN_STAGES, None, DESK | {"helper"}),
    "release_helper": _move(OPEN_STAGES, None, DOERS | DESK | CONTACT | {"helper"}),
    "take_resource": _move(OPEN_STAGES, None, DOERS | DESK | CONTACT | {"helper"}),
    "return_resource": _move(OPEN_STAGES, None, DOERS | DESK | CONTACT | {"helper"}),
    "report": _move(OPEN_STAGES, None, DOERS | DESK | CONTACT | {"helper"}),
    "assign": _move(OPEN_STAGES, None, DOERS | DESK),
    # one thing or two
    "merge": _move(OPEN_STAGES, "void", DESK, "reason"),
    "split": _move(OPEN_STAGES, None, DESK, "reason"),
    "undo": _move(OPEN_STAGES | {"void"}, None, DESK, "reason"),
    # words
    "note": _move(frozenset(STAGES), None, ANYONE, "note"),
    "acknowledge": _move(OPEN_STAGES, None, DOERS | DESK | CONTACT | {"helper", "neighbour"}),
    "remind": _move(OPEN_STAGES, None, DOERS | DESK | CONTACT | RESIDENT | {"helper"}),
}
"""Action → what it may do. A new action is one entry here, its name in `contracts.loop`, and a
function in `branches.HANDLERS` when it does more than move on."""

BY_ITSELF: frozenset[tuple[str, str]] = frozenset(
    {
        ("returned", "dispatched"),  # goes to the next able worker, or the grid head
        ("disposed", "verified"),  # the sensor says it is over
        ("disposed", "reworked"),  # the sensor still says it is not
        ("verified", "reworked"),  # it came back
        ("verified", "closed"),  # the sensor's word stood the time it takes to settle
        ("closed", "reworked"),
        ("evaluated", "reworked"),
        *((stage, "void") for stage in OPEN_STAGES),  # explained by something else, taken back
        *(("suspended", stage) for stage in (*WORKING, "returned")),  # the time is up
        ("evaluated", "closed"),  # an evaluation was struck
        ("reworked", "disposed"),  # a rework was struck
        *(("void", stage) for stage in OPEN_STAGES),  # a merge was undone
    }
)
"""Ways that the router, the sensor or an appeal takes without an action of its own."""


def ways(action: str, stage: str) -> frozenset[str]:
    """Stages that this action may lead to from this one."""
    move = MOVES[action]
    if stage not in move.stages:
        return frozenset()
    return frozenset({stage}) if move.to is None else frozenset({move.to})


def plain(command: Command) -> Command:
    """The command by the action's own name: a utility `restored` what a worker disposes of."""
    name = ALIASES.get(command.action)
    return command if name is None else msgspec.structs.replace(command, action=name)


def actor(by: str) -> str:
    """`worker:w-17` and `w-17` are the same person."""
    prefix, sep, rest = by.partition(":")
    return rest if sep and prefix in ("worker", "utility") else by


def target(note: str | None) -> tuple[str, str] | None:
    """(`worker` | `utility`, id) of a note that begins with `worker:ID`; the rest is free text."""
    head = (note or "").split(maxsplit=1)
    kind, sep, ident = head[0].partition(":") if head else ("", "", "")
    return (kind, ident) if sep and kind in ("worker", "utility") and ident else None


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
