"""The router: events in, changes out. Pure and deterministic; time is a parameter.

All its state is the newest incidents, tickets, events and positions; timers follow from them. So
`restore` and going on is the same as never having stopped.

    events    -> hearing  (known, joins, opens) -> tickets follow
    commands  -> commands (REFUSALS, the desk, CONSEQUENCES)
    time      -> alarms   (ALARMS of tickets, grace of symptoms)

Each of these is a value (a tuple of functions) over the `House`: a new rule is one entry more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from contracts.case import Answer, Change, Command, Incident, Silence, Ticket
from contracts.city import City
from contracts.event import Event, Place
from contracts.geo import Point
from contracts.nouns import Position
from router import alarms, nextup, patrols, rematch, storms
from router.commands import obey
from router.hearing import hear
from router.house import House
from router.sensed import speaks_again
from router.settings import RouterSettings
from router.silences import set_timers as set_silence_timers


class GridRouter:
    """Implements `contracts.ports.Router`."""

    def __init__(self, city: City, settings: RouterSettings | None = None) -> None:
        self._house = House(city, settings or RouterSettings(), alarms.ALARMS)

    def place(self, point: Point, /, at: datetime | None = None, kind: str | None = None) -> Place:
        """The place with its smallest grid at that time (None: as the city was read), a special
        one for this kind first; the address is the grids' names."""
        return self._house.gazetteer.place(point, at=at, kind=kind)

    def on_events(self, events: Sequence[Event], now: datetime, /) -> list[Change]:
        """Correlate into incidents, open or update tickets. A revision already known changes
        nothing."""
        changes = self.on_time(now)
        for event in events:
            told = hear(self._house, event, now)
            told += storms.settle(self._house, now)
            told += speaks_again(self._house, event, now)
            told += storms.settle(self._house, now)
            changes += told + self._thought_over(told, now)
        return changes + patrols.flooding_ahead(self._house, events, now)

    def on_rain(
        self, point: Point, mm_h: float, now: datetime, /, *, forecast: bool = False
    ) -> list[Change]:
        """Rain of this intensity (mm/h) is measured or forecast there: patrols are called for."""
        if not self._house.rounds.patrols:
            return []
        return patrols.rain(self._house, point, mm_h, now, forecast=forecast)

    def begin(self, now: datetime, /) -> None:
        """Time runs from here: rounds by the clock are set."""
        patrols.begin(self._house, now)

    def on_time(self, now: datetime, /) -> list[Change]:
        """Timers due at or before `now`: grace, reminders, escalations, verification."""
        changes = alarms.ring(self._house, now)
        changes += storms.settle(self._house, now)
        return changes + self._thought_over(changes, now)

    def _thought_over(self, told: Sequence[Change], now: datetime) -> list[Change]:
        """Who goes somewhere else because of these changes."""
        moved = nextup.settle(self._house, told, now)
        moved += rematch.together(self._house, told, now)
        return moved + rematch.settle(self._house, told, now)

    def wake_at(self) -> datetime | None:
        """When the next timer is due."""
        return self._house.timers.next()

    def on_position(self, position: Position, /) -> None:
        """A worker moved."""
        self._house.roster.move(position)

    def on_command(self, command: Command, now: datetime, /) -> tuple[list[Change], Answer]:
        """Apply or refuse with a reason."""
        changes = self.on_time(now)
        done, answer = obey(self._house, command, now)
        done += storms.settle(self._house, now)
        done += self._thought_over(done, now)
        return changes + done, answer

    def restore(
        self,
        incidents: Iterable[Incident],
        tickets: Iterable[Ticket],
        events: Iterable[Event],
        positions: Iterable[Position],
        silences: Iterable[Silence] = (),
    ) -> None:
        """Take up where the store says things stood."""
        self._house.book.restore(incidents, tickets, events)
        self._house.holds.silences = {silence.id: silence for silence in silences}
        set_silence_timers(self._house)
        for position in positions:
            self._house.roster.move(position)
        for ticket in self._house.book.tickets.values():
            self._house.note(ticket)
        for incident_id in self._house.book.incidents:
            self._house.set_timers(incident_id)
