"""Where somebody goes first, and when they would be there.

People go to what is near, grave and long waiting. So that nobody is robbed of what they are on the
way to, and nobody who is done finds nothing worth doing near, the router believes the same of them:
of the tickets in somebody's hands the one with the least travel comes first, less what its age and
its gravity are worth in seconds of travel (`age_share`, `gravity_s`).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from contracts.case import Ticket
from contracts.event import Place
from router.assign.load import HANDS_FULL
from router.correlate import between_m
from router.settings import RouterSettings
from router.stages import ON_SITE

if TYPE_CHECKING:
    from router.house import House

SOON_S = 120.0
"""Whoever has been at work longer than it usually takes is believed done so soon."""


class Doing(NamedTuple):
    """What somebody is on the way to or at work on."""

    ticket: Ticket
    left_s: float
    """Seconds until they are done with it."""


def urgency_s(settings: RouterSettings, ticket: Ticket, now: datetime) -> float:
    """What age and gravity of a ticket are worth, in seconds of travel."""
    age = max(0.0, (now - ticket.opened_at).total_seconds())
    return settings.age_share * age + settings.gravity_s * ticket.severity


def about_s(house: House, worker: str, begin: Place, to: Place) -> float:
    """Seconds of travel from one place to another, crow-fly with the usual detour."""
    return between_m(begin, to) * house.settings.detour / house.roster.speed_mps(worker)


def in_hands(house: House, worker: str) -> list[Ticket]:
    """Tickets that somebody still has to see to as the one sent, by id."""
    mine = house.book.in_hand.of(worker)
    return [t for t in mine if t.parent is None and t.stage in HANDS_FULL]


def first_of(
    house: House, worker: str, tickets: list[Ticket], begin: Place, now: datetime
) -> Ticket | None:
    """Which of these somebody at `begin` goes to first; None: there are none."""

    def reluctance(ticket: Ticket) -> tuple[float, str]:
        way = about_s(house, worker, begin, ticket.place)
        return way - urgency_s(house.settings, ticket, now), ticket.id

    return min(tickets, key=reluctance, default=None)


def doing(house: House, worker: str, now: datetime) -> Doing | None:
    """What somebody is at; None: nothing they have said yes to."""
    mine = in_hands(house, worker)
    usual = house.settings.work_s
    for ticket in mine:
        if ticket.stage in ON_SITE:
            begun = max(s.at for s in ticket.timeline if s.change in ON_SITE)
            return Doing(ticket, max(SOON_S, usual - (now - begun).total_seconds()))
    here = house.roster.here(worker, now)
    accepted = [t for t in mine if t.stage == "accepted"]
    first = first_of(house, worker, accepted, here, now)
    if first is None:
        return None
    return Doing(first, about_s(house, worker, here, first.place) + usual)


def there_in_s(house: House, ticket: Ticket, now: datetime) -> float:
    """Seconds until whoever has this ticket is there: the way, and what they do before."""
    worker, s = str(ticket.worker), house.settings
    at = doing(house, worker, now)
    here = house.roster.here(worker, now) if at is None else at.ticket.place
    if at is not None and at.ticket.id == ticket.id:
        return 0.0 if ticket.stage in ON_SITE else max(0.0, at.left_s - s.work_s)
    busy = () if at is None else (at.ticket.id,)
    waiting = [t for t in in_hands(house, worker) if t.id not in (*busy, ticket.id)]
    mine = about_s(house, worker, here, ticket.place) - urgency_s(s, ticket, now)
    ahead = sum(
        about_s(house, worker, here, t.place) - urgency_s(s, t, now) < mine for t in waiting
    )
    way = about_s(house, worker, here, ticket.place)
    return (0.0 if at is None else at.left_s) + way + ahead * s.load_cost_s
