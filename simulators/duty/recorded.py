"""A night that was recorded: its events come as they became known, and simulated people answer.

What people mend is over a little later, as far as its sensor can tell; from then on the record has
nothing more to say of it, for there it went on. What closes by itself in the record closes here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from contracts.case import Ticket
from contracts.city import City
from contracts.event import Event
from contracts.geo import Point
from contracts.ports import Router
from simulators.dice import dice
from simulators.duty.clockwork import Deed
from simulators.duty.manners import USUAL_WORK_S, WORK_S, Manner, lognormal
from simulators.duty.play import Play
from simulators.duty.trouble import Trouble

Told = tuple[datetime, Event]
"""When a revision of an event became known, and what it says."""


class Rain(NamedTuple):
    """Rain that was measured or forecast (mm/h): it calls for rounds."""

    at: datetime
    point: Point
    mm_h: float
    forecast: bool


def troubles(told: Sequence[Told], *, seed: int, manner: Manner | None = None) -> list[Trouble]:
    """One for each event, from the moment it was first known; how much work it is hangs on the
    seed and the event's id."""
    sigma = (manner or Manner()).work_sigma
    found: dict[str, Trouble] = {}
    for at, event in told:
        if event.id not in found:
            median = WORK_S.get(event.kind, USUAL_WORK_S)
            found[event.id] = Trouble(
                id=event.id,
                at=at,
                kind=event.kind,
                site=event.site,
                point=Point(event.place.lon, event.place.lat),
                severity=event.severity,
                work_s=lognormal(dice(seed, "work", event.id), median, sigma),
                evidence=event.evidence,
            )
    return list(found.values())


class Recorded(Play):
    """One recorded night under one router. `told` is in the order of the record."""

    def __init__(
        self,
        router: Router,
        city: City,
        told: Sequence[Told],
        *,
        seed: int,
        rains: Sequence[Rain] = (),
        **manners: Any,
    ) -> None:
        self.went: dict[str, list[str]] = {}
        """Whom each ticket was with, one after the other."""
        self._newest: dict[str, Event] = {}
        """What the router knows of each event."""
        self._first: dict[str, Event] = {}
        for _, event in told:
            self._first.setdefault(event.id, event)
        happens = troubles(told, seed=seed, manner=manners.get("manner"))
        super().__init__(router, city, happens, seed=seed, **manners)
        seen: set[str] = set()
        for at, event in told:
            if event.id in seen:
                self._time.at(at, self._revision(event))
            seen.add(event.id)
        for rain in rains:
            self._time.at(rain.at, self._falls(rain))

    def _falls(self, rain: Rain) -> Deed:
        def say(now: datetime) -> None:
            router = self._router
            self._take(router.on_rain(rain.point, rain.mm_h, now, forecast=rain.forecast), now)

        return say

    def tell(self, trouble: Trouble, now: datetime) -> None:
        """The first revision, as recorded."""
        event = self._first[trouble.id]
        self._by_event[event.id] = trouble
        self._hear(event, now)

    def _revision(self, event: Event) -> Deed:
        def say(now: datetime) -> None:
            if event.id in self._mended:
                return  # people mended it: here it does not go on
            if event.phase == "closed" and self._newest[event.id].phase != "closed":
                self._mended.add(event.id)
                self.journal.courses[event.id].mended_at = now
            self._hear(event, now)

        return say

    def _over(self, trouble: Trouble) -> Deed:
        def say(now: datetime) -> None:
            newest = self._newest[trouble.id]
            if newest.phase != "closed":
                over = msgspec.structs.replace(newest, rev=newest.rev + 1, phase="closed")
                self._hear(over, now)

        return say

    def _hear(self, event: Event, now: datetime) -> None:
        self._newest[event.id] = event
        self.events([event], now)

    def _ticket(self, ticket: Ticket, change: str, now: datetime) -> None:
        if ticket.worker is not None:
            went = self.went.setdefault(ticket.id, [])
            if went[-1:] != [ticket.worker]:
                went.append(ticket.worker)
        super()._ticket(ticket, change, now)
