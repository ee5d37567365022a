"""What actions do besides moving a ticket on: the branches of the loop.

回退 return, 返工 rework, 延期 extend, 督办 supervise, 申诉 appeal, 挂账 suspend, reopen, confirm.
Each is a function of the desk and what was asked; `HANDLERS` is the table. 延期 and 挂账 stand in
`leave`, 申诉 in `appeals`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.clock import iso
from router import appeals, hands, leave, questions, said
from router.act import CENTER, OWN_PART, Act, Done, with_chosen
from router.stages import actor, step, with_reason
from router.verdicts import with_verdict
from router.words import both, one_line

if TYPE_CHECKING:
    from router.desk import Desk

# --- words ------------------------------------------------------------------------------------


def _note(desk: Desk, act: Act) -> Done:
    return step(act.ticket, act.now, "updated", act.by, act.note), "updated"


def _remind(desk: Desk, act: Act) -> Done:
    note = act.note or one_line("please hurry", "催办")
    return step(act.ticket, act.now, "reminded", act.by, note), "reminded"


def _acknowledge(desk: Desk, act: Act) -> Done:
    held = desk.ladder.hold(act.ticket, act.now, act.by)
    note = act.note or one_line("acknowledged", "已知悉")
    return step(held, act.now, "updated", act.by, note), "updated"


def _supervise(desk: Desk, act: Act) -> Done:
    """督办: counted, shown, and the ladder goes at a shorter pace from now on."""
    count = int(act.ticket.reason.get("supervised", {}).get("count", 0)) + 1
    words = both(f"urged by {act.by}, {count} x", f"{act.by} 督办，第{count}次")
    moved = with_reason(
        act.ticket,
        supervised={"count": count, "by": act.by, "at": iso(act.now), "said": act.note, **words},
    )
    note = act.told(words["text_en"], words["text_zh"])
    return step(desk.ladder.hurry(moved, act.now), act.now, "escalated", act.by, note), "escalated"


# --- the way ------------------------------------------------------------------------------------


def _accept(desk: Desk, act: Act) -> Done:
    """Also by the neighbour who was asked: the ticket is theirs then."""
    ticket, ident = act.ticket, actor(act.by)
    note = act.note
    if "neighbour" in act.who and "worker" not in act.who:
        words = both(
            f"taken over from {ticket.worker}, who did not act in time",
            f"接手 {ticket.worker} 逾期未办的工单",
        )
        why = with_chosen(desk, act, ident, words)
        note = act.told(words["text_en"], words["text_zh"])
        ticket = hands.leads(why, ident, act.now)
    return desk.to_stage(ticket, "accepted", act.now, act.by, note), "accepted"


def _verify(desk: Desk, act: Act) -> Done:
    words = both(f"verified by {act.by}", f"{act.by} 核实")
    proof = {"by": act.by, "at": iso(act.now), "ok": True, "said": act.note, **words}
    moved = with_reason(act.ticket, verification=proof)
    return desk.to_stage(moved, "verified", act.now, act.by, act.note), "verified"


def _evaluate(desk: Desk, act: Act) -> Done:
    score = said.score(act.command)
    person = {"by": act.by, "at": iso(act.now), "score": score, "said": act.note}
    evaluation = {**act.ticket.reason.get("evaluation", {}), "person": person}
    moved = with_reason(act.ticket, evaluation=evaluation)
    en, zh = ("evaluated", "已评价") if score is None else (f"{score} of 5", f"评{score}分")
    moved = with_verdict(moved, "evaluate", act.by, act.now, act.told(en, zh))
    return desk.to_stage(moved, "evaluated", act.now, act.by, act.told(en, zh)), "evaluated"


def _rate(desk: Desk, act: Act) -> Done:
    """满意度: of the residents; the desk writes down what it was told on the phone."""
    entry = {
        "by": act.by,
        "at": iso(act.now),
        "score": said.score(act.command),
        "said": act.note,
    }
    scores = [*act.ticket.reason.get("satisfaction", ()), entry]
    note = act.told(f"satisfaction {entry['score']} of 5", f"满意度{entry['score']}分")
    return step(with_reason(act.ticket, satisfaction=scores), act.now, "updated", act.by, note), (
        "updated"
    )


# --- 回退, 返工, 改派 ----------------------------------------------------------------------


def _return(desk: Desk, act: Act) -> Done:
    """The chain of returns names who, from whom and why; where it goes next is `returns`' part."""
    ticket = act.ticket
    utility = ticket.utility is not None and ("utility" in act.who or ticket.worker is None)
    ident = str(ticket.utility if utility else ticket.worker or CENTER)
    entry: dict[str, Any] = {
        "what": "utility" if utility else "worker",
        "id": ident,
        "name": desk.name_of(ident),
        "by": act.by,
        "at": iso(act.now),
        "reason": act.command.reason,
        "stage": ticket.stage,
        "next": OWN_PART if utility and ticket.worker is not None else None,
    }
    chain = [*ticket.reason.get("returns", ()), entry]
    words = both(
        f"returned by {entry['name']}: {act.command.reason}",
        f"{entry['name']} 回退：{act.command.reason}",
    )
    moved = with_reason(ticket, returns=chain, returned={**entry, **words})
    if actor(act.by) != ident:  # taken away from them: a verdict
        moved = with_verdict(moved, "return", act.by, act.now, act.note, on=(ident,))
    if utility and ticket.worker is not None:
        # The worker's own work goes on; the utility's becomes a part of its own (see returns).
        moved = msgspec.structs.replace(moved, utility=None)
        note = one_line(words["text_en"], words["text_zh"])
        return step(moved, act.now, "updated", act.by, note), "updated"
    return desk.to_stage(moved, "returned", act.now, act.by, act.note), "returned"


def _rework(desk: Desk, act: Act) -> Done:
    words = both(f"sent back by {act.by}: {act.note}", f"{act.by} 要求返工：{act.note}")
    return desk.sent_back(act.ticket, act.now, act.by, words), "reworked"


def _reassign(desk: Desk, act: Act) -> Done:
    kind, ident = said.whom(act.command) or ("", "")
    ticket, name = desk.running(act.ticket, act.now), desk.name_of(ident)
    act = msgspec.structs.replace(act, ticket=ticket)
    words = both(f"chosen by {act.by}: {name}", f"由 {act.by} 指派：{name}")
    if questions.is_open(ticket, questions.CONSULTATION):
        ticket = questions.answered(
            ticket, questions.CONSULTATION, act.now, act.by, ident, act.note
        )
        ticket = msgspec.structs.replace(ticket, lane="direct")
        act = msgspec.structs.replace(act, ticket=ticket)
    if kind == "worker":
        moved = with_chosen(desk, act, ident, words)
        moved = hands.leads(moved, ident, act.now)
    else:
        chosen = {"by": act.by, "at": iso(act.now)}
        why = {**ticket.reason.get("utility", {}), "by": "person", "chosen": chosen, **words}
        moved = with_reason(ticket, utility=why)
        moved = msgspec.structs.replace(moved, utility=ident)
        moved = with_verdict(moved, "reassign", act.by, act.now, act.note, on=(ident,))
    note = act.note or one_line(words["text_en"], words["text_zh"])
    return desk.to_stage(moved, "dispatched", act.now, act.by, note), "dispatched"


# --- reopen, confirm ----------------------------------------------------------------------------


def _reopen(desk: Desk, act: Act) -> Done:
    words = both(f"opened again by {act.by}: {act.note}", f"{act.by} 反映未办结：{act.note}")
    return desk.reopened(act.ticket, act.now, act.by, words, doubt=True), "reworked"


def _confirm(desk: Desk, act: Act) -> Done:
    """The sensor said it is over, and a person has seen it: verified by both."""
    words = both(
        f"the sensor says it is over and {act.by} confirms it", f"传感器显示已恢复，{act.by} 确认"
    )
    ticket = desk.running(act.ticket, act.now)
    proof = {"by": act.by, "with": "sensor", "at": iso(act.now), "ok": True, **words}
    moved = questions.answered(ticket, questions.CONFIRM, act.now, act.by, "yes", act.note)
    moved = with_reason(moved, verification=proof)
    note = act.told(words["text_en"], words["text_zh"])
    return desk.to_stage(moved, "verified", act.now, act.by, note), "verified"


def _deny(desk: Desk, act: Act) -> Done:
    """The sensor is wrong: the work goes on, and a person must verify it."""
    moved = questions.answered(act.ticket, questions.CONFIRM, act.now, act.by, "no", act.note)
    words = both(
        f"{act.by} says it is not over: the sensor is not believed",
        f"{act.by} 现场确认未恢复，传感器结果不予采信",
    )
    moved = with_reason(moved, doubted={"by": act.by, "at": iso(act.now), **words})
    note = act.told(words["text_en"], words["text_zh"])
    moved = step(moved, act.now, "updated", act.by, note)
    return desk.ladder.arm(moved, act.now), "updated"


Handler = Callable[["Desk", Act], Done]

HANDLERS: dict[str, Handler] = {
    "note": _note,
    "remind": _remind,
    "acknowledge": _acknowledge,
    "supervise": _supervise,
    "accept": _accept,
    "verify": _verify,
    "evaluate": _evaluate,
    "rate": _rate,
    "return": _return,
    "rework": _rework,
    "reassign": _reassign,
    "extend": leave.extend,
    "grant": leave.grant,
    "refuse": leave.refuse,
    "suspend": leave.suspend,
    "resume": leave.resume,
    "appeal": appeals.appeal,
    "uphold": appeals.uphold,
    "overturn": appeals.overturn,
    "reopen": _reopen,
    "confirm": _confirm,
    "deny": _deny,
}
"""Actions that are not here only move the ticket on: arrive, dispose, close, void."""
