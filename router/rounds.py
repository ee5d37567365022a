"""When a patrol is called for: by the clock of the city, or by the rain.

An occurrence is named by the patrol and its moment, so a restart finds the round that is there
already, and opens the one that it missed while there is still time for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contracts.case import Ticket
from contracts.city import City, Worker
from contracts.event import Place
from contracts.geo import Point, distance_m
from contracts.governance import Patrol, asset_places, governance
from contracts.kinds import OPEN_STAGES

KIND = "patrol"
_DAYS_AHEAD = 8
"""A patrol of one weekday comes again within this many days."""


class Rounds:
    """The city's patrols: when each is due, and when it was last made."""

    def __init__(self, city: City, zone: ZoneInfo) -> None:
        self._zone = zone
        self.patrols = {patrol.id: patrol for patrol in governance(city).patrols}
        self._places = asset_places(city)
        self._staff: dict[str, list[Worker]] = {}
        for worker in city.workers.values() if self.patrols else ():
            if worker.grid is not None:
                self._staff.setdefault(worker.grid, []).append(worker)
        self._last: dict[str, datetime] = {}
        self._open: dict[str, set[str]] = {}

    def points(self, patrol: Patrol) -> list[Point]:
        """Where it leads, in order: its points, then its assets."""
        assets = [self._places[a] for a in patrol.assets if a in self._places]
        return [*patrol.points, *assets]

    def asset(self, asset: str) -> Point | None:
        """Where an asset is."""
        return self._places.get(asset)

    def staff(self, grid: str) -> list[Worker]:
        """Who works for this very grid."""
        return self._staff.get(grid, [])

    def note(self, ticket: Ticket) -> None:
        """A round became this revision."""
        if ticket.kind != KIND:
            return
        patrol = str(ticket.reason.get("patrol", {}).get("id"))
        self._last[patrol] = max(self._last.get(patrol, ticket.opened_at), ticket.opened_at)
        going_on = self._open.setdefault(patrol, set())
        (going_on.add if ticket.stage in OPEN_STAGES else going_on.discard)(ticket.id)

    # --- by the clock ---------------------------------------------------------------------------

    def next(self, patrol: Patrol, after: datetime) -> datetime | None:
        """The first moment after `after` that it is due by the clock."""
        day = after.astimezone(self._zone).date()
        for ahead in range(_DAYS_AHEAD):
            for moment in self._on(patrol, day + timedelta(days=ahead)):
                if moment > after:
                    return moment
        return None

    def latest(self, patrol: Patrol, now: datetime) -> datetime | None:
        """The last moment at or before `now` that it was due, while there is time left for it."""
        since = now - timedelta(seconds=patrol.within_s)
        day = now.astimezone(self._zone).date()
        moments = [m for n in (2, 1, 0) for m in self._on(patrol, day - timedelta(days=n))]
        return max((m for m in moments if since < m <= now), default=None)

    def _on(self, patrol: Patrol, day: date) -> Iterable[datetime]:
        if day.isoweekday() not in patrol.weekdays:
            return []
        clocks = (time.fromisoformat(text) for text in patrol.at)
        return [datetime.combine(day, at, self._zone).astimezone(UTC) for at in sorted(clocks)]

    # --- by the rain ----------------------------------------------------------------------------

    def for_rain(
        self, place: Place | Point, mm_h: float | None, reach_m: float, now: datetime
    ) -> list[Patrol]:
        """Patrols near `place` that this rain (None: a forecast flooding) calls for now: none
        that is still being made, or was made not long ago."""
        at = Point(place.lon, place.lat)
        found = []
        for patrol in self.patrols.values():
            if patrol.when != "rain" or (mm_h is not None and mm_h < patrol.from_mm_h):
                continue
            last = self._last.get(patrol.id)
            again = last is None or now - last >= timedelta(seconds=patrol.not_again_s)
            if not again or self._open.get(patrol.id):
                continue
            points = self.points(patrol)
            if not points or min(distance_m(at, p) for p in points) <= reach_m:
                found.append(patrol)
        return found
