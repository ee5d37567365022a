"""What actions do besides moving a ticket on: the branches of the loop.

回退 return, 返工 rework, 延期 extend, 督办 supervise, 申诉 appeal, 挂账 suspend, reopen, confirm.
Each is a function of the desk and what was asked; `HANDLERS` is the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.case import Candidate, Command, Ticket
from contracts.clock import iso
from contracts.loop import ACTION_NAMES
from router import hands, questions, said
from router.deadlines import with_deadlines
from router.stages import actor, step, with_reason
from router.verdicts import appealable, marked, with_verdict
from router.words import both, local, moment, one_line

if TYPE_CHECKING:
    from router.desk import Desk

OWN_PART = "own part"
"""Where a utility's return goes when it shared the worker's ticket: to a part of its own."""

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
        why = _chosen(desk, act, ident, words)
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
    ident = str(ticket.utility if utility else ticket.worker)
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


def _chosen(desk: Desk, act: Act, worker: str, words: dict[str, str]) -> Ticket:
    """The ticket with the figures of a worker whom a person chose."""
    ticket = act.ticket
    rule = desk.duties.rule_for(ticket.kind, ticket.grid)
    figures: Candidate = desk.roster.figures(
        worker, ticket.place, act.now, skills=rule.skills if rule else (), load=act.load
    )
    chosen = {"by": act.by, "at": iso(act.now)}
    return with_reason(ticket, worker={**msgspec.to_builtins(figures), "chosen": chosen, **words})


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
        moved = _chosen(desk, act, ident, words)
        moved = hands.leads(moved, ident, act.now)
    else:
        chosen = {"by": act.by, "at": iso(act.now)}
        why = {**ticket.reason.get("utility", {}), "by": "person", "chosen": chosen, **words}
        moved = with_reason(ticket, utility=why)
        moved = msgspec.structs.replace(moved, utility=ident)
        moved = with_verdict(moved, "reassign", act.by, act.now, act.note, on=(ident,))
    return desk.to_stage(moved, "dispatched", act.now, act.by, act.note), "dispatched"


# --- 延期, 挂账 ----------------------------------------------------------------------------


def _extend(desk: Desk, act: Act) -> Done:
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
        desk.settings.ask_s,
        text,
        until=iso(until),
        reason=act.command.reason,
    )
    return step(moved, act.now, "updated", act.by, one_line(*text)), "updated"


def _granted(desk: Desk, act: Act, until: datetime, why: str) -> Ticket:
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


def _grant(desk: Desk, act: Act) -> Done:
    asked = questions.asked(act.ticket, questions.EXTENSION)
    until = said.until(act.command) or moment(asked.get("until")) or act.now
    when = local(until, desk.clocks.zone)
    moved = _granted(desk, act, until, str(asked.get("reason", "")))
    moved = questions.answered(moved, questions.EXTENSION, act.now, act.by, "granted", act.note)
    note = act.told(f"more time until {when}", f"准予延期至{when}")
    return step(moved, act.now, "updated", act.by, note), "updated"


def _refuse(desk: Desk, act: Act) -> Done:
    moved = questions.answered(
        act.ticket, questions.EXTENSION, act.now, act.by, "refused", act.note
    )
    moved = with_verdict(moved, "refuse", act.by, act.now, act.note)
    note = act.told("no more time", "不予延期")
    return step(moved, act.now, "updated", act.by, note), "updated"


def _suspend(desk: Desk, act: Act) -> Done:
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


def _resume(desk: Desk, act: Act) -> Done:
    return desk.resumed(act.ticket, act.now, act.by, act.note)


# --- 申诉 ---------------------------------------------------------------------------------------


def _appeal(desk: Desk, act: Act) -> Done:
    index = appealable(
        act.ticket, act.by, said.against(act.command), act.now, desk.settings.appeal_s
    )
    verdict = act.ticket.reason["verdicts"][index or 0]
    zh, en = ACTION_NAMES[verdict["what"]]
    text = (
        f"{act.by} appeals against “{en}” by {verdict['by']}: {act.command.reason}",
        f"{act.by} 对 {verdict['by']} 的“{zh}”提出申诉：{act.command.reason}",
    )
    moved = marked(act.ticket, index or 0, appeal={"by": act.by, "at": iso(act.now)})
    moved = questions.ask(
        moved,
        questions.APPEAL,
        act.now,
        act.by,
        desk.settings.ask_s,
        text,
        verdict=index,
        against=verdict["what"],
        judge=verdict["by"],
    )
    return step(moved, act.now, "updated", act.by, one_line(*text)), "updated"


def _uphold(desk: Desk, act: Act) -> Done:
    index = int(questions.asked(act.ticket, questions.APPEAL)["verdict"])
    moved = marked(act.ticket, index, upheld={"by": act.by, "at": iso(act.now)})
    moved = questions.answered(moved, questions.APPEAL, act.now, act.by, "upheld", act.note)
    note = act.told("the verdict stands", "维持原判")
    return step(moved, act.now, "updated", act.by, note), "updated"


def _overturn(desk: Desk, act: Act) -> Done:
    """The verdict is struck, and what it did is undone as far as the ticket still stands there."""
    state = questions.asked(act.ticket, questions.APPEAL)
    index = int(state["verdict"])
    moved = marked(act.ticket, index, struck={"by": act.by, "at": iso(act.now)})
    moved = questions.answered(moved, questions.APPEAL, act.now, act.by, "overturned", act.note)
    note = act.told("the verdict is struck", "申诉成立，撤销原判")
    act = msgspec.structs.replace(act, ticket=moved)
    match state["against"], moved.stage:
        case "rework", "reworked":
            if state["judge"] == "sensor":
                moved = with_reason(moved, doubted={"by": act.by, "at": iso(act.now)})
            return desk.to_stage(moved, "disposed", act.now, act.by, note), "disposed"
        case "evaluate", "evaluated":
            evaluation = dict(moved.reason.get("evaluation", {}))
            evaluation["struck"] = evaluation.pop("person", None)
            moved = with_reason(moved, evaluation=evaluation)
            return step(moved, act.now, "closed", act.by, note, stage="closed"), "closed"
        case "refuse", _:
            asked = questions.asked(moved, questions.EXTENSION)
            until = moment(asked.get("until"))
            if until is not None and until > act.now and moved.stage in ("closed", "evaluated"):
                until = None
            if until is not None and until > act.now:
                moved = _granted(desk, act, until, str(asked.get("reason", "")))
        case "return", "dispatched" | "returned":
            taken_from = str(moved.reason["verdicts"][index]["on"][0])
            if taken_from in desk.city.workers:
                words = both("given back after an appeal", "申诉成立，退还原承办人")
                moved = _chosen(desk, act, taken_from, words)
                moved = hands.leads(moved, taken_from, act.now)
            return desk.to_stage(moved, "dispatched", act.now, act.by, note), "dispatched"
        case "reassign", "dispatched":
            moved = consulted(desk, moved, act.now, act.by, str(act.command.reason))
            return desk.to_stage(moved, "returned", act.now, act.by, note), "returned"
    return step(moved, act.now, "updated", act.by, note), "updated"


def consulted(desk: Desk, ticket: Ticket, now: datetime, by: str, because: str) -> Ticket:
    """会商: whose is it? Who received it first leads until that is settled (首接负责)."""
    lead = str(ticket.utility or ticket.worker)
    name = desk.name_of(lead)
    text = (
        f"joint consultation: {because}; {name} received it first and leads until it is settled",
        f"转会商：{because}；首接单位{name}负责牵头，会商确定前不得推诿",
    )
    moved = questions.ask(
        ticket, questions.CONSULTATION, now, by, desk.settings.ask_s, text, lead=lead
    )
    return msgspec.structs.replace(moved, lane="joint")


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
    "extend": _extend,
    "grant": _grant,
    "refuse": _refuse,
    "suspend": _suspend,
    "resume": _resume,
    "appeal": _appeal,
    "uphold": _uphold,
    "overturn": _overturn,
    "reopen": _reopen,
    "confirm": _confirm,
    "deny": _deny,
}
"""Actions that are not here only move the ticket on: arrive, dispose, close, void."""
