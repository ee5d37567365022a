"""Whoever has come to a place is given what they go to next while they are still at work.

In scarcity a ticket waits in the hands of somebody who will be busy for hours, while another will
soon be done close by; and who is done goes on at once with what they have. So the next one is
looked for when somebody begins to work: of all tickets around that nobody has set out for, the
one that they would go to first (`goes`), if they are there sooner than whoever has it now. While
they are busy they have time to answer, and when they are done it is the first in their hands.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from contracts.case import Change, Ticket
from router.assign.weigh import Request
from router.correlate import between_m
from router.goes import about_s, first_of, in_hands, there_in_s, urgency_s
from router.house import House
from router.rematch import DEGREE_M, movable, passed_over, request_of, resent
from router.words import both

LOOKED_AT = 6
"""Of the best by crow-fly so many are looked at closely (by the way there, and by who has them)."""


def settle(house: House, changes: Sequence[Change], now: datetime) -> list[Change]:
    """What moves because somebody has come to a place."""
    if house.settings.policy != "joint":
        return []
    told: list[Change] = []
    for change in changes:
        ticket = change.body
        if not isinstance(ticket, Ticket) or change.change != "arrived":
            continue
        if ticket.worker is not None and ticket.parent is None:
            told += _next(house, ticket.worker, ticket, now)
    return told


def _next(house: House, worker: str, at: Ticket, now: datetime) -> list[Change]:
    s = house.settings
    if not house.roster.is_able(worker, now):
        return []
    mine = [t for t in in_hands(house, worker) if t.id != at.id]
    first = first_of(house, worker, mine, at.place, now)
    least = float("inf") if first is None else _reluctance(house, worker, first, at, now)
    reach_lat = s.rematch_reach_m / DEGREE_M
    around = [
        (_reluctance(house, worker, t, at, now), t.id, t)
        for t in house.book.in_hand.unreached()
        if abs(t.place.lat - at.place.lat) <= reach_lat
        and t.worker != worker
        and between_m(t.place, at.place) <= s.rematch_reach_m
    ]
    looked_at = 0
    for reluctance, _, ticket in sorted(around, key=lambda one: one[:2]):
        if reluctance > least - s.stability_s or looked_at >= LOOKED_AT:
            break
        if worker in passed_over(ticket) or not movable(house, ticket, now):
            continue
        looked_at += 1
        request = request_of(house, ticket, now)
        way = _way_s(house, worker, at, ticket, request, now)
        if way - request.urgency_s > least - s.stability_s:
            continue
        saves = there_in_s(house, ticket, now) - s.work_s - way
        if saves > s.stability_s:
            return _given(house, worker, ticket, request, saves, now)
    return []


def _way_s(
    house: House, worker: str, at: Ticket, ticket: Ticket, request: Request, now: datetime
) -> float:
    """Seconds of travel, and what else makes them the worse choice."""
    s = house.settings
    c = house.roster.figures(
        worker, ticket.place, now, skills=request.skills, severity=ticket.severity
    )
    # A phone that says nothing knows less than that they have come to a place.
    blind = c.position_age_s is None
    way = about_s(house, worker, at.place, ticket.place) if blind else c.travel_s
    way += 0.0 if c.skilled else s.unskilled_cost_s
    way += 0.0 if c.in_grid else s.outside_cost_s
    return way + (s.no_way_cost_s if c.by == "none" else 0.0)


def _given(
    house: House, worker: str, ticket: Ticket, request: Request, saves: float, now: datetime
) -> list[Change]:
    minutes = max(1, round(saves / 60))
    names = [w.name for w in map(house.roster.worker, (worker, ticket.worker)) if w is not None]
    words = (
        f"{names[0]} is at work and goes there next, about {minutes} min sooner than {names[-1]}",
        f"{names[0]}正在附近处置，处置完即可前往，预计比{names[-1]}早约{minutes}分钟",
    )
    choice = house.roster.given(request, worker, now, [words])
    if choice is None:
        return []
    return resent(house, ticket, choice, now, {"silent": False, **both(*words)})


def _reluctance(house: House, worker: str, ticket: Ticket, at: Ticket, now: datetime) -> float:
    way = about_s(house, worker, at.place, ticket.place)
    return way - urgency_s(house.settings, ticket, now)
