"""Several at once: who goes where is thought over again when something about it has changed.

A new ticket: the offers nearby that nobody has answered are matched together with everybody who
could go (`assign.joint`). A refusal, somebody who is free again: so are all tickets that can still
move, with those who have free hands. What can move is an offer nobody has accepted, and an accepted
ticket whose worker is still busy with another. Nobody is re-sent for less
than `stability_s`, nor again before `resend_s`; what a person decided stays. The clocks do not
start anew for it: who waits has waited since the first dispatch.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.case import Change, Ticket
from contracts.clock import iso
from contracts.event import Place
from contracts.kinds import TASK_KINDS
from router import hands
from router.assign import Choice
from router.assign.weigh import Request
from router.correlate import between_m
from router.deadlines import with_deadlines
from router.goes import doing, in_hands, there_in_s, urgency_s
from router.house import House
from router.stages import step, with_reason
from router.words import both, one_line

STIRS = frozenset(
    {"opened", "dispatched", "returned", "disposed", "cancelled", "void", "suspended"}
)
"""Changes after which somebody else may be the better choice: a new ticket, or free hands."""
DONE = frozenset({"disposed", "cancelled", "void"})
"""Changes after which its worker goes somewhere else."""
MOST_TOGETHER = 6
"""Of unanswered offers so many, the nearest, are matched with what has come: a few milliseconds,
also in a burst of hundreds."""
MOST_KEPT = 20
"""Of earlier workers, so many stay in the ticket's reason."""
DEGREE_M = 110_000.0
"""A little less than a degree of latitude anywhere: a quick first look, never too narrow."""


def settle(house: House, changes: Sequence[Change], now: datetime) -> list[Change]:
    """What moves because of these changes."""
    if house.settings.policy != "joint":
        return []
    places = [
        c.body.place
        for c in changes
        if isinstance(c.body, Ticket) and c.change in STIRS and c.body.worker is not None
    ]
    if not places:
        return []
    done = {
        str(c.body.worker)
        for c in changes
        if isinstance(c.body, Ticket) and c.change in DONE and c.body.worker is not None
    }
    # Who has something accepted goes on with that at once: they are not free.
    done = {w for w in done if not any(t.stage == "accepted" for t in in_hands(house, w))}
    if not done and not house.roster.free_hands(now, house.book.load):
        return []  # nobody could take anything over
    tickets = _near(house, places, now)
    if not tickets:
        return []
    requests = [request_of(house, ticket, now) for ticket in tickets]
    margin = house.settings.stability_s
    stays = [max(0.0, there_in_s(house, ticket, now) - margin) for ticket in tickets]
    choices = house.roster.again(requests, stays, now, house.book.load, done)
    moved: list[Change] = []
    for ticket, choice in zip(tickets, choices, strict=True):
        if choice is not None and choice.worker != ticket.worker:
            moved += resent(house, ticket, choice, now, _why(choice, len(tickets)))
    return moved


def together(house: House, changes: Sequence[Change], now: datetime) -> list[Change]:
    """What moves because something new has come while other offers nearby are unanswered: each
    was given to the best for it alone, together others may be better."""
    opened = [
        c.body
        for c in changes
        if isinstance(c.body, Ticket) and c.change == "opened" and movable(house, c.body, now)
    ]
    if house.settings.policy != "joint" or not opened:
        return []
    places = [ticket.place for ticket in opened]
    around = _near(house, places, now)
    offers = [ticket for ticket in around if ticket.stage == "dispatched"]
    if len(offers) < 2:
        return []
    offers.sort(key=lambda t: (min(between_m(t.place, place) for place in places), t.id))
    offers = offers[:MOST_TOGETHER]
    requests = [request_of(house, ticket, now) for ticket in offers]
    choices = house.roster.choose_many(requests, now)
    moved: list[Change] = []
    for ticket, choice in zip(offers, choices, strict=True):
        # Who found no place among the able stays with whom they are.
        if "together" in choice.reason and choice.worker != ticket.worker:
            moved += resent(house, ticket, choice, now, _why(choice, len(offers)))
    return moved


def _near(house: House, places: Sequence[Place], now: datetime) -> list[Ticket]:
    """Tickets that can move, near to what changed; the gravest and oldest when they are many."""
    s = house.settings
    reach_lat = s.rematch_reach_m / DEGREE_M
    found = [
        ticket
        for ticket in house.book.in_hand.unreached()
        if any(abs(ticket.place.lat - place.lat) <= reach_lat for place in places)
        and any(between_m(ticket.place, place) <= s.rematch_reach_m for place in places)
        and movable(house, ticket, now)
    ]
    found.sort(key=lambda t: (-t.severity, t.opened_at, t.id))
    return found[: s.rematch_most]


def movable(house: House, ticket: Ticket, now: datetime) -> bool:
    """Whether nobody is on the way to it and nobody decided who goes."""
    if ticket.worker is None or ticket.parent is not None or ticket.kind in TASK_KINDS:
        return False
    why = ticket.reason.get("worker", {})
    if "chosen" in why or not why.get("on_shift", False):
        return False
    last = sent_at(ticket)
    resent_before = len(ticket.reason.get("resent", ()))
    if resent_before and now < last + timedelta(seconds=house.settings.resend_s):
        return False
    if ticket.stage == "dispatched":
        return True
    if ticket.stage != "accepted":
        return False
    at = doing(house, ticket.worker, now)
    return at is not None and at.ticket.id != ticket.id


def sent_at(ticket: Ticket) -> datetime:
    """When it was last sent to somebody."""
    return _last(ticket, "dispatched")


def _last(ticket: Ticket, change: str) -> datetime:
    times = (s.at for s in reversed(ticket.timeline) if s.change == change)
    return next(times, ticket.opened_at)


def request_of(house: House, ticket: Ticket, now: datetime) -> Request:
    """Somebody else is wanted for this ticket."""
    rule = house.duties.rule_for(ticket.kind, ticket.grid)
    return Request(
        place=ticket.place,
        skills=rule.skills if rule else (),
        severity=ticket.severity,
        without=passed_over(ticket),
        holder=ticket.worker,
        urgency_s=urgency_s(house.settings, ticket, now),
    )


def passed_over(ticket: Ticket) -> frozenset[str]:
    """Who returned it, and who did not answer."""
    returned = {str(r["id"]) for r in ticket.reason.get("returns", ()) if r["what"] == "worker"}
    silent = {str(r["worker"]) for r in ticket.reason.get("resent", ()) if r.get("silent")}
    return frozenset(returned | silent)


def _why(choice: Choice, together: int) -> dict[str, Any]:
    return {
        "silent": False,
        **both(
            f"thought over together with {together - 1} more: {choice.reason.get('text_en', '')}",
            f"与另{together - 1}件一并统筹：{choice.reason.get('text_zh', '')}",
        ),
    }


def resent(
    house: House, ticket: Ticket, choice: Choice, now: datetime, why: dict[str, Any]
) -> list[Change]:
    """The ticket with somebody else; its clocks run on."""
    worker = house.roster.worker(choice.worker)
    assert worker is not None, "chosen from the roster"
    past = [*ticket.reason.get("resent", ()), {"worker": ticket.worker, "at": iso(now), **why}]
    note = one_line(
        f"to {worker.name} ({worker.id}) instead: {why['text_en']}",
        f"改派 {worker.name}（{worker.id}）：{why['text_zh']}",
    )
    reason = {**choice.reason, "instead_of": sorted({str(p["worker"]) for p in past})}
    moved = msgspec.structs.replace(
        with_reason(ticket, worker=reason, resent=past[-MOST_KEPT:]),
        runners_up=choice.runners_up,
    )
    moved = hands.leads(moved, worker.id, now)
    clocks = (ticket.deadlines, dict(ticket.reason["deadlines"]))
    moved = with_deadlines(
        step(moved, now, "dispatched", "router", note, stage="dispatched"), clocks
    )
    if ticket.stage != "dispatched":
        moved = house.ladder.arm(moved, now)
    return house.put(moved, "dispatched", now)
