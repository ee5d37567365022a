"""The scene with the real decoder, detector of reports and router behind its desk: what people send
becomes an incident, joins one, and walks the loop as it does in the service."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

from contracts.case import Answer, Change, Command
from contracts.city import City
from contracts.clock import ManualClock, SystemClock
from contracts.detector import Site
from contracts.event import Event
from contracts.nouns import Arrival, Report
from detectors._common.reorder import Reorder
from detectors.citizen_report import SPEC
from ingest.decoder import NativeDecoder
from router.engine import GridRouter
from router.settings import RouterSettings
from tests.unit.center.scene import Desk, Scene


class RoutedDesk(Desk):
    """Reports and commands go through the real parts; `send` is a detector's own event."""

    def __init__(self, city: City, clock: ManualClock | SystemClock | None = None) -> None:
        super().__init__(clock)
        self.dead: list[object] = []
        self._decoder = NativeDecoder(city.devices, city.workers)
        self._router = GridRouter(city, RouterSettings(policy="each"))
        self._router.begin(self.clock.now())
        config = SPEC.config()
        (site,) = (s for s in SPEC.sites(city, config))
        assert isinstance(site, Site)
        self._reports = SPEC.build(config, site, None)
        self._order = Reorder({})
        self._turn = threading.RLock()

    def send(self, *events: Event) -> None:
        """These events are known now."""
        with self._turn:
            now = self.clock.now()
            for event in events:
                self._event(event, now)
            for change in self._router.on_events(events, now):
                self.put(change)

    def _event(self, event: Event, now: datetime) -> None:
        self.put(
            Change(type="event", id=event.id, rev=event.rev, change=event.phase, known_at=now,
                   body=event)
        )  # fmt: skip

    async def file_report(self, topic: str, payload: bytes, received_at: datetime) -> None:
        await super().file_report(topic, payload, received_at)
        with self._turn:
            for noun in self._decoder.decode(Arrival(topic, payload, received_at)):
                if not isinstance(noun, Report):
                    self.dead.append(noun)
                    continue
                ready, _ = self._order.put(noun)
                self.send(*(e for item in ready for e in self._reports.on_item(item)))

    async def file_command(self, command: Command, wait_s: float) -> Answer | None:
        self._check()
        self.commands.append(command)
        with self._turn:
            changes, answer = self._router.on_command(command, self.clock.now())
            for change in changes:
                self.put(change)
        return answer


class RoutedScene(Scene):
    """The town with a routed desk."""

    desk: RoutedDesk

    def __init__(self, folder: Path, clock: ManualClock | SystemClock | None = None) -> None:
        super().__init__(folder, clock)
        self.desk = RoutedDesk(self.city, clock)
        self.put = self.desk.put

    def act(self, ticket: str, action: str, by: str, **more: object) -> Answer:
        """A person's step, as the loop answers it."""
        noun = self.desk.nouns[ticket]
        command = Command(
            id=f"c-{len(self.desk.commands)}", ticket=ticket, action=action, by=by, rev=noun.rev,
            at=self.desk.clock.now(), **more,  # type: ignore[arg-type]
        )  # fmt: skip
        with self.desk._turn:
            changes, answer = self.desk._router.on_command(command, self.desk.clock.now())
            for change in changes:
                self.desk.put(change)
        return answer
