"""申诉: a verdict is heard again by another person, and stands or is struck."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from contracts.clock import iso
from contracts.loop import ACTION_NAMES
from router import hands, questions, said
from router.act import Act, Done, consulted, with_chosen
from router.leave import granted
from router.stages import step, with_reason
from router.verdicts import appealable, marked
from router.words import both, moment, one_line

if TYPE_CHECKING:
    from router.desk import Desk


def appeal(desk: Desk, act: Act) -> Done:
    """Against the newest verdict on its author, or the newest one of the sort named."""
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
        desk.ask_by(act.ticket, act.now),
        text,
        verdict=index,
        against=verdict["what"],
        judge=verdict["by"],
    )
    return step(moved, act.now, "updated", act.by, one_line(*text)), "updated"


def uphold(desk: Desk, act: Act) -> Done:
    """The verdict stands, and cannot be appealed against again."""
    index = int(questions.asked(act.ticket, questions.APPEAL)["verdict"])
    moved = marked(act.ticket, index, upheld={"by": act.by, "at": iso(act.now)})
    moved = questions.answered(moved, questions.APPEAL, act.now, act.by, "upheld", act.note)
    note = act.told("the verdict stands", "维持原判")
    return step(moved, act.now, "updated", act.by, note), "updated"


def overturn(desk: Desk, act: Act) -> Done:
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
                moved = granted(desk, act, until, str(asked.get("reason", "")))
        case "return", "dispatched" | "returned":
            taken_from = str(moved.reason["verdicts"][index]["on"][0])
            if taken_from in desk.city.workers:
                words = both("given back after an appeal", "申诉成立，退还原承办人")
                moved = with_chosen(desk, act, taken_from, words)
                moved = hands.leads(moved, taken_from, act.now)
            return desk.to_stage(moved, "dispatched", act.now, act.by, note), "dispatched"
        case "reassign", "dispatched":
            moved = consulted(desk, moved, act.now, act.by, str(act.command.reason))
            return desk.to_stage(moved, "returned", act.now, act.by, note), "returned"
    return step(moved, act.now, "updated", act.by, note), "updated"
