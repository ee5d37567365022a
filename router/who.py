"""Who somebody is to a ticket, and what they may do with it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from contracts.case import AS_IT_STANDS, Command, Ticket
from contracts.city import City
from contracts.loop import ACTION_NAMES, ACTOR_NAMES, STAGE_NAMES
from router import hands, questions, said
from router.gazetteer import Gazetteer
from router.settings import RouterSettings
from router.stages import MOVES, Move, actor
from router.words import one_line

_ORDER = tuple(ACTOR_NAMES)


class Who:
    """The city's people and utilities, seen from one ticket."""

    def __init__(self, city: City, gazetteer: Gazetteer, settings: RouterSettings) -> None:
        self._city = city
        self._gazetteer = gazetteer
        self._s = settings

    def parts(self, ticket: Ticket, by: str, contact: str | None) -> frozenset[str]:
        """What `by` is to this ticket; `contact` is the worker on site of a utility's part.

        Whoever is no registered worker or utility acts for the center (the API lets nobody else
        write), or, named `resident…`, for themselves.
        """
        ident = actor(by)
        worker = self._city.workers.get(ident)
        if worker is None and ident not in self._city.utilities:
            return frozenset({"resident" if by.startswith("resident") else "center"})
        found = set()
        for name, holds in (
            ("worker", ident == ticket.worker),
            ("utility", ident == ticket.utility),
            ("helper", ident in ticket.helpers),
            ("neighbour", ident == ticket.reason.get("ladder", {}).get("neighbour")),
            ("contact", contact is not None and ident == contact),
            ("former", any(ident == r["id"] for r in ticket.reason.get("returns", ()))),
        ):
            if holds:
                found.add(name)
        if worker is not None and worker.role in self._city.profile.escalate_to:
            here = worker.grid is None or worker.grid in self._gazetteer.lineage(ticket.grid)
            # A grid head of another place has no say here.
            found |= {"officer"} if here else set()
        return frozenset(found or {"stranger"})

    def refusal(
        self, ticket: Ticket, command: Command, contact: str | None, now: datetime
    ) -> str | None:
        """Why this command is not applied, in words of both languages; None when it may be."""
        move = MOVES.get(command.action)
        if move is None:
            return one_line(
                f"action {command.action!r} is unknown; allowed: {', '.join(MOVES)}",
                f"未知操作“{command.action}”，可用：{_all_zh(MOVES)}",
            )
        zh_stage, en_stage = STAGE_NAMES[ticket.stage]
        zh, _ = ACTION_NAMES[command.action]
        if command.rev not in (ticket.rev, AS_IT_STANDS):
            return one_line(
                f"the ticket is at revision {ticket.rev} ({en_stage}), you saw {command.rev}: "
                "look again",
                f"工单已更新至第{ticket.rev}版（{zh_stage}），您看到的是第{command.rev}版，请刷新",
            )
        if ticket.stage not in move.stages:
            possible = [
                a for a, m in MOVES.items() if ticket.stage in m.stages and _asked(m, ticket)
            ]
            return one_line(
                f"{command.action} is not possible while {en_stage}; now possible: "
                + ", ".join(possible),
                f"当前阶段“{zh_stage}”不能执行“{zh}”；可执行：{_all_zh(possible)}",
            )
        if not _asked(move, ticket):
            asked_en, asked_zh = _QUESTIONS[str(move.answers)]
            return one_line(
                f"{command.action} answers a question that nobody asked: {asked_en}",
                f"不能执行“{zh}”：{asked_zh}",
            )
        return (
            self._unsaid(command, move, now)
            or self._not_theirs(ticket, command, move, contact)
            or self._nobody(command, move)
        )

    def _unsaid(self, command: Command, move: Move, now: datetime) -> str | None:
        zh = ACTION_NAMES[command.action][0]
        if "reason" in move.says and not (command.reason or "").strip():
            return one_line(f"{command.action} needs a reason", f"“{zh}”必须填写原因")
        if "note" in move.says and not (command.note or command.reason or "").strip():
            return one_line("a note needs text", "请填写备注内容")
        if not command.by.strip():
            return one_line("say who acts (by)", "请注明操作人")
        dated = command.action in ("extend", "suspend", "grant")
        return (
            (
                said.bad_until(command, now, self._s.suspend_most_s, needed="until" in move.says)
                if dated
                else None
            )
            or said.bad_score(command, needed="score" in move.says)
            or said.bad_photos(command)
        )

    def _not_theirs(
        self, ticket: Ticket, command: Command, move: Move, contact: str | None
    ) -> str | None:
        if "anyone" in move.who:
            return None
        who = self.parts(ticket, command.by, contact)
        zh, _ = ACTION_NAMES[command.action]
        if who & move.who:
            registered = not who & {"center", "resident"}
            if move.judges and registered and actor(command.by) in did(ticket):
                return one_line(
                    "nobody judges their own work: another person must", "不得评判本人承办的工单"
                )
            return None
        if "stranger" in who:
            return _a_strangers(ticket, actor(command.by))
        allowed = [name for name in _ORDER if name in move.who]
        en_who = " or ".join(ACTOR_NAMES[name][1] for name in allowed)
        zh_who = "、".join(ACTOR_NAMES[name][0] for name in allowed)
        hint = bool(who & {"worker", "utility"}) and command.action != "accept"
        return one_line(
            f"{command.action} is for {en_who}"
            + ("; who was sent may return it with a reason or ask for more time" if hint else ""),
            f"“{zh}”由{zh_who}执行" + ("，承办人可说明原因后回退或申请延期" if hint else ""),
        )

    def _nobody(self, command: Command, move: Move) -> str | None:
        if "whom" not in move.says:
            return None
        whom = said.whom(command)
        if whom is None:
            return one_line(
                "reassign names whom: data.worker, data.utility, or a note worker:ID, utility:ID",
                "请注明改派给谁（data.worker、data.utility，或备注 worker:编号、utility:编号）",
            )
        kind, ident = whom
        if ident not in (self._city.workers if kind == "worker" else self._city.utilities):
            zh = "网格员" if kind == "worker" else "单位"
            return one_line(f"no {kind} is called {ident!r}", f"没有{zh} {ident}")
        return None


_QUESTIONS = {
    questions.EXTENSION: ("nobody asked for more time", "没有待批的延期申请"),
    questions.APPEAL: ("there is no open appeal", "没有待裁定的申诉"),
    questions.CONFIRM: (
        "the sensor did not say that it is over before somebody came",
        "没有待确认的自行恢复",
    ),
}


def _asked(move: Move, ticket: Ticket) -> bool:
    return move.answers is None or questions.is_open(ticket, move.answers)


def _a_strangers(ticket: Ticket, ident: str) -> str:
    """Whose it is instead; who was asked to help hears that they no longer are."""
    holder = ticket.worker or ticket.utility
    was = hands.was_asked(ticket, ident)
    en, zh = (f" ({was[1]})", f"（{was[0]}）") if was is not None else ("", "")
    return one_line(
        f"the ticket is not {ident}'s{en}: it is with {holder or 'nobody yet'}",
        f"{ident} 不是本工单承办人{zh}，"
        + (f"该工单由 {holder} 承办" if holder is not None else "该工单暂无承办人"),
    )


def _all_zh(actions: Iterable[str]) -> str:
    return "、".join(ACTION_NAMES[a][0] for a in actions)


def did(ticket: Ticket) -> frozenset[str]:
    """Who has, or had, a hand in the work."""
    worked = {
        actor(s.by) for s in ticket.timeline if s.change in ("accepted", "arrived", "disposed")
    }
    now = {ticket.worker, ticket.utility, *ticket.helpers} - {None}
    return frozenset(worked | {str(name) for name in now})
