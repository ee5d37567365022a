"""However often the router is restarted in a night in which people are re-sent, nothing changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from contracts.case import Answer, Change, Command, Incident, Silence, Ticket
from contracts.city import City
from contracts.event import Event, Place
from contracts.geo import Point
from contracts.nouns import Position
from router import profiles
from router.engine import GridRouter
from simulators.duty.night import Order, borough, troubles
from simulators.duty.play import Play


class Restarted:
    """A router that is thrown away and restored from what a store keeps before every `every`-th
    call."""

    def __init__(self, city: City, every: int) -> None:
        self._city = city
        self._every = every
        self._calls = 0
        self._kept: dict[str, dict[str, Any]] = {"incident": {}, "ticket": {}, "silence": {}}
        self._events: dict[str, Event] = {}
        self._positions: dict[str, Position] = {}
        self._router = GridRouter(city)

    def _again(self) -> GridRouter:
        self._calls += 1
        if self._calls % self._every == 0:
            self._router = GridRouter(self._city)
            self._router.restore(
                [self._through(i, Incident) for i in self._kept["incident"].values()],
                [self._through(t, Ticket) for t in self._kept["ticket"].values()],
                list(self._events.values()),
                list(self._positions.values()),
                [self._through(s, Silence) for s in self._kept["silence"].values()],
            )
        return self._router

    @staticmethod
    def _through(value: Any, kind: type[Any]) -> Any:
        return msgspec.json.decode(msgspec.json.encode(value), type=kind)

    def _keep(self, changes: list[Change]) -> list[Change]:
        for change in changes:
            self._kept[change.type][change.id] = change.body
        return changes

    def place(self, point: Point, /, at: datetime | None = None, kind: str | None = None) -> Place:
        return self._router.place(point, at, kind)

    def begin(self, now: datetime, /) -> None:
        self._router.begin(now)

    def on_rain(
        self, point: Point, mm_h: float, now: datetime, /, *, forecast: bool = False
    ) -> list[Change]:
        return self._keep(self._router.on_rain(point, mm_h, now, forecast=forecast))

    def on_events(self, events: Sequence[Event], now: datetime, /) -> list[Change]:
        router = self._again()
        for one in events:
            known = self._events.get(one.id)
            if known is None or known.rev < one.rev:
                self._events[one.id] = one
        return self._keep(router.on_events(events, now))

    def on_time(self, now: datetime, /) -> list[Change]:
        return self._keep(self._again().on_time(now))

    def wake_at(self) -> datetime | None:
        return self._router.wake_at()

    def on_command(self, command: Command, now: datetime, /) -> tuple[list[Change], Answer]:
        changes, answer = self._again().on_command(command, now)
        return self._keep(changes), answer

    def on_position(self, position: Position, /) -> None:
        self._positions[position.worker] = position
        self._router.on_position(position)

    def restore(self, *args: Iterable[Any]) -> None:
        raise NotImplementedError


@pytest.mark.parametrize("seed", [11, 12])
def test_a_night_with_restarts_is_the_night_without(seed: int) -> None:
    order = Order(seed=seed, troubles=30, people=6, hours=1.5, columns=2, rows=2)
    city = borough(order, profiles.load("cn-default"))
    ends = order.start + timedelta(hours=6)
    nights = []
    for router in (GridRouter(city), Restarted(city, 7)):
        played = Play(router, city, troubles(order), seed=seed)
        played.run(ends)
        nights.append(played)
    straight, restarted = nights
    assert straight.tickets == restarted.tickets
    assert any(t.reason.get("resent") for t in straight.tickets.values()), "nothing was moved"
    assert straight.journal.courses == restarted.journal.courses
