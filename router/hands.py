"""More hands on a ticket: helpers are asked, say yes or no, and go again.

`Ticket.hands` says of each what became of them; `Ticket.helpers` are those asked or there, and
count in everybody's load.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from contracts.case import Change, Command, Hand, Ticket
from router.stages import WORKING, actor, step, with_reason
from router.words import one_line

if TYPE_CHECKING:
    from router.house import House

State = Literal["requested", "accepted", "refused", "released"]
DONE = frozenset({"disposed", "verified", "closed", "evaluated", "void"})
"""Stages in which nobody need hold anything any more."""
AT_WORK = frozenset({"accepted", "arrived", "reworked"})
"""Stages in which somebody waits for the help that was asked for."""
NO_ANSWER = one_line("no answer", "未答复")
MOST_SILENT = 4
"""So many are asked in turn because others said nothing; then people must telephone."""
MOST_REFUSALS = 3
"""So many refusals are passed on to the next nearest; then it is the same."""
MOST = 10
"""Helpers asked by one action at most."""
ACTIONS = frozenset({"request_helper", "accept_help", "refuse_help", "release_helper"})
_FROM: dict[str, frozenset[str]] = {
    "accept_help": frozenset({"requested"}),
    "refuse_help": frozenset({"requested", "accepted"}),
    "release_helper": frozenset({"requested", "accepted"}),
}


def _with(ticket: Ticket, changed: Iterable[Hand]) -> Ticket:
    """The ticket with these hands as they are now; `helpers` follow."""
    hands = {hand.worker: hand for hand in ticket.hands} | {hand.worker: hand for hand in changed}
    gone = {worker for worker, hand in hands.items() if hand.state in ("refused", "released")}
    known = [worker for worker in ticket.helpers if worker not in gone]
    # Who was asked to help and then took the ticket over is its worker, and no helper any more.
    passed = {*gone, *known, ticket.worker}
    new = [worker for worker in hands if worker not in passed]
    return msgspec.structs.replace(ticket, hands=tuple(hands.values()), helpers=(*known, *new))


def asked(ticket: Ticket, workers: Iterable[str], now: datetime, by: str, why: str) -> Ticket:
    """The ticket with these people asked to help."""
    return _with(
        ticket, [Hand(worker=w, state="requested", at=now, by=by, why=why) for w in workers]
    )


def asked_to_help(
    ticket: Ticket,
    workers: Sequence[str],
    now: datetime,
    by: str,
    why: str,
    skills: tuple[str, ...] | None = None,
) -> Ticket:
    """As `asked`, by a rule, a response or a person who wants help: who does not answer is
    replaced (the ladder asks neighbours to step in, and climbs when they do not)."""
    if not workers:
        return ticket
    known = ticket.reason.get("helpers", {})
    wanted = {**known, "asked": [*known.get("asked", []), *workers]}
    if skills is not None:
        wanted["skills"] = list(skills)
    return asked(with_reason(ticket, helpers=wanted), workers, now, by, why)


def state_of(ticket: Ticket, worker: str) -> str | None:
    """What became of this helper; None: never one."""
    return next((hand.state for hand in ticket.hands if hand.worker == worker), None)


def nearest(
    house: House,
    ticket: Ticket,
    count: int,
    skills: tuple[str, ...],
    now: datetime,
    *,
    without: Collection[str] = (),
) -> list[str]:
    """The nearest able people on shift who are not on the ticket and have not refused it."""
    if count < 1:
        return []
    passed = {ticket.worker, *ticket.helpers, *(h.worker for h in ticket.hands), *without}
    choice = house.roster.choose(
        ticket.place,
        now,
        skills=skills,
        helpers=count + len(passed),
        load=house.book.load,
        severity=ticket.severity,
    )
    if not choice.reason.get("on_shift"):
        return []  # nobody is called out of bed to hold a rope
    rungs = house.city.profile.escalate_to
    names = [choice.worker, *choice.helpers]
    workers = [house.roster.worker(name) for name in names if name and name not in passed]
    return [w.id for w in workers if w is not None and w.role not in rungs][:count]


def leads(ticket: Ticket, worker: str, now: datetime) -> Ticket:
    """The same revision, led by this worker, who is then no helper any more."""
    ticket = msgspec.structs.replace(ticket, worker=worker)
    if worker not in ticket.helpers:
        return ticket
    why = one_line("leads it now", "转为承办人")
    return _with(ticket, [Hand(worker=worker, state="released", at=now, by="router", why=why)])


def let_go(ticket: Ticket, now: datetime) -> Ticket:
    """The same revision, with everybody released once the work is done."""
    if ticket.stage not in DONE or not ticket.helpers:
        return ticket
    why = one_line("the work is done", "处置完成")
    return _with(
        ticket,
        [Hand(worker=w, state="released", at=now, by="router", why=why) for w in ticket.helpers],
    )


class HelpUnanswered:
    """Somebody is at work, and who was asked to help says nothing: the next is asked."""

    def due(self, house: House, ticket: Ticket, /) -> datetime | None:
        """A while after they were asked; None where enough have been asked in turn."""
        silent = _silent(ticket)
        if silent is None or ticket.stage not in AT_WORK or not house.settings.ladder:
            return None
        passed = sum(hand.why == NO_ANSWER for hand in ticket.hands)
        if passed >= MOST_SILENT or ticket.reason.get("helpers", {}).get("nobody_else"):
            return None
        begun = max((s.at for s in ticket.timeline if s.change in AT_WORK), default=silent.at)
        return max(silent.at, begun) + timedelta(seconds=house.settings.help_wait_s)

    def ring(self, house: House, ticket: Ticket, now: datetime, /) -> list[Change]:
        """The next nearest in their place."""
        silent = _silent(ticket)
        assert silent is not None
        wanted = ticket.reason.get("helpers", {})
        following = nearest(house, ticket, 1, tuple(wanted.get("skills", ())), now)
        name = called(house, [silent.worker])
        if not following:
            note = one_line(
                f"{name} does not answer; nobody else is on shift", f"{name}未答复，无其他在岗人员"
            )
            moved = with_reason(ticket, helpers={**wanted, "nobody_else": True})
        else:
            gone = Hand(worker=silent.worker, state="released", at=now, by="router", why=NO_ANSWER)
            names = called(house, following)
            note = one_line(
                f"{name} does not answer; asked instead: {names}", f"{name}未答复，改请{names}"
            )
            moved = asked_to_help(_with(ticket, [gone]), following, now, "router", note)
        return house.put(step(moved, now, "updated", "router", note), "updated", now)


def _refusals(ticket: Ticket) -> int:
    return sum(hand.state == "refused" for hand in ticket.hands)


def _silent(ticket: Ticket) -> Hand | None:
    """Who was asked to help longest ago and has not answered."""
    wanted = ticket.reason.get("helpers", {}).get("asked", ())
    waiting = [h for h in ticket.hands if h.state == "requested" and h.worker in wanted]
    return min(waiting, key=lambda hand: (hand.at, hand.worker), default=None)


# --- commands -----------------------------------------------------------------------------------


def _who(ticket: Ticket, command: Command, actor: str) -> str:
    """Whom an answer is about: named in the data, or the one who speaks."""
    return str((command.data or {}).get("worker") or actor)


def refusal(house: House, ticket: Ticket, command: Command, now: datetime) -> str | None:
    """Why such a command is not applied."""
    if command.action not in ACTIONS:
        return None
    by = actor(command.by)
    data = command.data or {}
    worker = data.get("worker")
    if worker is not None and (not isinstance(worker, str) or worker not in house.city.workers):
        return one_line(f"no worker is called {worker!r}", f"没有网格员 {worker}")
    if command.action == "request_helper":
        return _not_asked(house, ticket, data, now)
    who = _who(ticket, command, by)
    if command.action != "release_helper" and who != by and by in house.city.workers:
        mine = house.city.workers[by].role in house.city.profile.escalate_to
        if not mine:
            return one_line(f"{who} answers for themselves", f"须由 {who} 本人答复")
    state = state_of(ticket, who)
    if state not in _FROM[command.action]:
        return _not_waiting(ticket, command.action, who, state)
    return None


STATE_NAMES: dict[str, tuple[str, str]] = {
    "requested": ("待答复", "was asked"),
    "accepted": ("已接受", "has accepted"),
    "refused": ("已拒绝", "has refused"),
    "released": ("已解除", "was released"),
}
"""(zh, en) of what became of a helper."""


def was_asked(ticket: Ticket, worker: str) -> tuple[str, str] | None:
    """(zh, en): what became of this helper; None: never one."""
    hand = next((hand for hand in ticket.hands if hand.worker == worker), None)
    if hand is None:
        return None
    if hand.state == "released" and hand.why == NO_ANSWER:
        return "因未答复已改请他人", "did not answer in time, and another was asked"
    return STATE_NAMES[hand.state]


def _not_waiting(ticket: Ticket, action: str, who: str, state: str | None) -> str:
    """Nobody waits for that answer: what became of them, and who else helps."""
    everybody = "、".join(f"{h.worker}（{STATE_NAMES[h.state][0]}）" for h in ticket.hands) or "无"
    helping = ", ".join(f"{h.worker} ({h.state})" for h in ticket.hands) or "nobody"
    if state is None:
        return one_line(
            f"{action}: {who} is not asked here; helpers: {helping}",
            f"未请 {who} 协助本工单；协助人员：{everybody}",
        )
    zh, en = was_asked(ticket, who) or ("", "")
    return one_line(
        f"{action}: {who} {en}; helpers: {helping}", f"{who} {zh}；协助人员：{everybody}"
    )


def _not_asked(house: House, ticket: Ticket, data: dict[str, Any], now: datetime) -> str | None:
    worker = data.get("worker")
    if worker is not None:
        if worker == ticket.worker or worker in ticket.helpers:
            return one_line(f"{worker} is on this ticket already", f"{worker} 已在本工单")
        return None
    count = data.get("count", 1)
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST:
        return one_line(f"count is {count!r}; 1 to {MOST}", f"人数须为 1 至 {MOST}")
    if not nearest(house, ticket, count, _skills(data), now):
        return one_line("nobody else is on shift to help", "无其他在岗人员可协助")
    return None


def _skills(data: dict[str, Any]) -> tuple[str, ...]:
    found = data.get("skills", ())
    return tuple(str(skill) for skill in found) if isinstance(found, (list, tuple)) else ()


def request(house: House, ticket: Ticket, command: Command, now: datetime) -> tuple[Ticket, str]:
    """Ask one by name, or the nearest able ones."""
    data = command.data or {}
    worker = data.get("worker")
    whom = (
        [str(worker)]
        if worker is not None
        else nearest(house, ticket, int(data.get("count", 1)), _skills(data), now)
    )
    names = called(house, whom)
    said = ": ".join(part for part in (command.reason, command.note) if part)
    note = one_line(f"asked to help: {names}", f"请求协助：{names}")
    moved = step(ticket, now, "updated", command.by, f"{note}; {said}" if said else note)
    return asked_to_help(moved, whom, now, command.by, said or note), "updated"


def answer(house: House, ticket: Ticket, command: Command, now: datetime) -> tuple[Ticket, str]:
    """One of those asked comes, does not, or goes; for one who does not, the next is asked."""
    who = _who(ticket, command, actor(command.by))
    states: dict[str, State] = {
        "accept_help": "accepted",
        "refuse_help": "refused",
        "release_helper": "released",
    }
    state = states[command.action]
    said = ": ".join(part for part in (command.reason, command.note) if part)
    hand = Hand(worker=who, state=state, at=now, by=command.by, why=said)
    moved = _with(ticket, [hand])
    name = called(house, [who])
    zh = {"accepted": "接受协助", "refused": "不能协助", "released": "协助结束"}[state]
    en, zh = f"{name} {state} helping", f"{name}{zh}"
    steps_in = who == ticket.reason.get("ladder", {}).get("neighbour")
    if state == "refused" and steps_in:
        moved = house.ladder.refused(moved, who, now)
    elif state == "refused" and ticket.stage in WORKING and _refusals(moved) > MOST_REFUSALS:
        en += f"; {_refusals(moved)} cannot: nobody else is asked, somebody must telephone"
        zh += f"；已有{_refusals(moved)}人不能来，不再自动改请，请电话联系"
    elif state == "refused" and ticket.stage in WORKING:
        skills = tuple(ticket.reason.get("helpers", {}).get("skills", ()))
        following = nearest(house, moved, 1, skills, now)
        why = one_line(f"{name} refused", f"{name}不能来")
        moved = asked_to_help(moved, following, now, "router", why)
        names = called(house, following)
        en += f"; asked instead: {names}" if following else "; nobody else is on shift"
        zh += f"；改请{names}" if following else "；无其他在岗人员"
    note = one_line(en, zh)
    return step(moved, now, "updated", command.by, f"{note}; {said}" if said else note), "updated"


def called(house: House, workers: Iterable[str]) -> str:
    """The people by name."""
    known = [(w, house.roster.worker(w)) for w in workers]
    return ", ".join(f"{found.name} ({id})" if found else id for id, found in known)


DEEDS = {
    "request_helper": request,
    "accept_help": answer,
    "refuse_help": answer,
    "release_helper": answer,
}
