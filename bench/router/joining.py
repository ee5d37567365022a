"""How long it takes to find what an event joins, with thousands of incidents open."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from statistics import median
from time import process_time

import msgspec

from contracts.case import Incident
from contracts.city import City
from contracts.event import Event, Place, event_id
from router.book import Book
from router.correlate import Correlator
from router.networks import Networks
from router.settings import RouterSettings

BEGIN = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
KINDS = ("flooding", "sensor_silent", "street_light_out", "citizen_report", "pole_tilt")
CUTS = 200
"""Every so many-th incident is a severed cable, which reaches far."""
WEST, SOUTH, SIDE = 118.70, 32.00, 0.1
"""All of it in 9 km by 11 km: a city's whole storm night in its middle."""


class Joining:
    """So many open incidents, and events that may join them."""

    def __init__(self, city: City, settings: RouterSettings, count: int, seed: int) -> None:
        self._dice = random.Random(seed)
        reach = {"fed_reach_m": settings.fed_reach_m, "drain_reach_m": settings.drain_reach_m}
        self._correlator = Correlator(settings, Networks(city, **reach))
        self._book = Book(settings)
        for number in range(count):
            kind = self._dice.choice(KINDS) if number % CUTS else "severed_cable"
            told = self._event(kind, f"x-{number}", 0.1 * number)
            self._book.put_event(told)
            self._book.put_incident(_incident(told))
        self._now = BEGIN + timedelta(seconds=0.1 * count)
        self.seconds: list[float] = []
        """Processor time of each search."""
        self.naive: list[float] = []
        """The same by looking at every open incident."""
        self.agreed: list[bool] = []
        self.joined = 0

    def run(self, events: int, beside: int) -> None:
        """Search for so many events; for `beside` of them also by looking at everything."""
        for number in range(events):
            told = self._event(self._dice.choice(KINDS), f"new-{number}", 0.0)
            told = msgspec.structs.replace(told, at=self._now)
            start = process_time()
            found = self._correlator.find(told, self._book, self._now)
            self.seconds.append(process_time() - start)
            self.joined += found is not None
            if number < beside:
                start = process_time()
                everything = {
                    name
                    for name, entry in self._book.joinable.entries.items()
                    if self._correlator.relations.of(
                        told, self._book.incidents[name], entry, self._book, self._now
                    )
                }
                self.naive.append(process_time() - start)
                self.agreed.append(
                    found.incident in everything if found is not None else not everything
                )

    @property
    def naive_ms(self) -> float:
        """Median of looking at everything (milliseconds)."""
        return median(self.naive) * 1000

    def _event(self, kind: str, site: str, seconds: float) -> Event:
        at = BEGIN + timedelta(seconds=seconds)
        place = Place(WEST + self._dice.uniform(0, SIDE), SOUTH + self._dice.uniform(0, SIDE))
        evidence = {"error_m": 300.0} if kind == "severed_cable" else {}
        return Event(
            id=event_id(kind, site, at),
            rev=1,
            kind=kind,
            site=site,
            device=site,
            at=at,
            severity=3,
            place=place,
            phase="opened",
            evidence=evidence,
        )


def _incident(told: Event) -> Incident:
    return Incident(
        id=f"i-{told.id}",
        rev=1,
        kind=told.kind,
        events=(told.id,),
        reason="",
        place=told.place,
        site=told.site,
        severity=told.severity,
        opened_at=told.at,
    )
