"""Runs the town live: through gateways' own MQTT connections, on a real or a faster clock."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from contracts.clock import Clock, epoch_ms
from contracts.errors import Refused, Temporary
from contracts.ports import Publisher
from contracts.wire import SIM_CLOCK, SIM_FOLLOWER
from simulators.director import Director
from simulators.duty.live import Crews
from simulators.settings import SimSettings
from simulators.town import Town
from simulators.world import Outgoing

log = logging.getLogger(__name__)

PublisherFactory = Callable[[str, str | None, bytes | None], Publisher]
"""(client id, topic of the last will, its payload) → a publisher not yet started."""
CrewsFactory = Callable[[Director], Crews]
"""The town → its people at work, not yet started."""
CLOCK_TOPIC = SIM_CLOCK
FOLLOWER_TOPIC = SIM_FOLLOWER
_CLOCK_CLIENT = "sim-clock"
_CLOCK_EVERY_MS = 200  # of virtual time
_CLOCK_GAP_S = 0.02  # of real time: no more than fifty a second
_CLOCK_TRIES = 500  # ten seconds for a connection
_BACKLOG = 5_000
_BACKLOG_BYTES = 48 * 1024 * 1024


class Uplink:
    """A gateway's connection with the buffer that gateways have: nothing is lost while the broker
    is away for a while; then the oldest pieces of media go first."""

    def __init__(self, name: str, publisher: Publisher) -> None:
        self._name, self._publisher = name, publisher
        self._waiting: deque[Outgoing] = deque()
        self._bytes = 0
        self.dropped = 0

    def start(self) -> None:
        """Connect in the background."""
        self._publisher.start()

    def send(self, message: Outgoing) -> None:
        """Publish in order, or keep for `flush`."""
        self._waiting.append(message)
        self._bytes += len(message.payload)
        self.flush()
        while len(self._waiting) > _BACKLOG or self._bytes > _BACKLOG_BYTES:
            self._drop()

    def flush(self) -> None:
        """Publish what waits until the broker takes no more."""
        while self._waiting:
            message = self._waiting[0]
            try:
                self._publisher.publish(message.topic, message.payload, retain=message.retain)
            except (Temporary, Refused):
                return
            self._waiting.popleft()
            self._bytes -= len(message.payload)

    def _drop(self) -> None:
        place = next((k for k, m in enumerate(self._waiting) if m.file), 0)
        self._bytes -= len(self._waiting[place].payload)
        del self._waiting[place]
        self.dropped += 1
        if self.dropped == 1 or self.dropped % 1000 == 0:
            log.warning("gateway %s: buffer full, %d messages dropped", self._name, self.dropped)

    def stop(self) -> None:
        """Say what can still be said, then disconnect."""
        self.flush()
        if self._waiting:
            log.warning("gateway %s: %d messages left unsent", self._name, len(self._waiting))
        self._publisher.stop()


class Simulation:
    """The demo town, live. `run` blocks until `stop` is set.

    `follower` is what the service said on `gridsentry/v1/sim/follower`: with `sim` the virtual
    time is published on `gridsentry/v1/sim/clock` (retained, epoch ms); a speed other than 1
    without it raises Refused, because a service on its own clock would take every message for
    one from the future. `truth` is a file for the ground truth (JSON lines). `crews` makes people
    who act on the service's tickets; without them nobody does.
    """

    def __init__(
        self,
        town: Town,
        settings: SimSettings,
        publisher_factory: PublisherFactory,
        clock: Clock,
        *,
        truth: Path | None = None,
        follower: str | None = None,
        crews: CrewsFactory | None = None,
    ) -> None:
        if settings.speed != 1 and follower != "sim":
            said = f"it says {follower!r}" if follower else "it has not said so"
            raise Refused(
                f"speed {settings.speed:g} needs a service that follows the simulator's clock, and "
                f"{said}: start it with `gridsentry serve --clock sim`, or simulate at speed 1"
            )
        self._town, self._settings, self._clock = town, settings, clock
        self._factory, self._truth, self._follower = publisher_factory, truth, follower
        self._crews = crews
        self.sent = 0
        """Messages handed to gateways so far."""

    def run(self, stop: threading.Event) -> None:
        """Publish until `stop` is set; then every gateway says that it is going.

        Raises Wrong when an engine of the demo town is not installed.
        """
        begun = epoch_ms(self._clock.now())
        director = Director(self._town, self._settings, begun, self._truth)
        # making the town took a moment: its time begins with the first message all the same
        really = epoch_ms(self._clock.now()) if self._settings.speed != 1 else begun
        uplinks = {
            name: Uplink(name, self._factory(name, director.status_topic(name), b"offline"))
            for name in director.gateways
        }
        ticker = self._factory(_CLOCK_CLIENT, None, None) if self._follower == "sim" else None
        crews = self._crews(director) if self._crews else None
        try:
            if ticker:
                ticker.start()
                self._tell_first(ticker, begun, stop)
            for uplink in uplinks.values():
                uplink.start()
            if crews:
                crews.start()
            log.info("town %s: %d gateways on", self._town.id, len(uplinks))
            self._play(director, uplinks, ticker, crews, stop, begun, really)
        finally:
            last = self._virtual(begun, really)
            for name, uplink in uplinks.items():
                uplink.send(director.status(name, "offline", last))
            for uplink in uplinks.values():
                uplink.stop()
            if ticker:
                ticker.stop()
            if crews:
                crews.stop()

    def _virtual(self, begun: int, really: int) -> int:
        return begun + round((epoch_ms(self._clock.now()) - really) * self._settings.speed)

    def _play(
        self,
        director: Director,
        uplinks: dict[str, Uplink],
        ticker: Publisher | None,
        crews: Crews | None,
        stop: threading.Event,
        begun: int,
        really: int,
    ) -> None:
        world, told = director.world, 0
        while not stop.is_set():
            now = self._virtual(begun, really)
            due = world.next_at()
            if due is not None and due <= now:
                message = world.step()
                if message is not None:
                    uplinks[message.gateway].send(message)
                    self.sent += 1
                # a slow machine must not let the clock run ahead of its messages
                now = min(now, world.next_at() or now)
            if crews:
                crews.hear(now)
            if ticker and now - told >= _CLOCK_EVERY_MS * max(
                1.0, self._settings.speed * _CLOCK_GAP_S * 1000 / _CLOCK_EVERY_MS
            ):
                told = now
                self._tell(ticker, now)
            if due is None or due > now:
                for uplink in uplinks.values():
                    uplink.flush()
                ahead = ((due or now + 1000) - now) / 1000 / self._settings.speed
                stop.wait(min(max(ahead, 0.001), 0.25 if not ticker else _CLOCK_GAP_S))

    def _tell_first(self, ticker: Publisher, ms: int, stop: threading.Event) -> None:
        """Whoever follows must know what time it is before the first message: one that knows none
        yet takes all it hears for out of time."""
        for _ in range(_CLOCK_TRIES):
            try:
                ticker.publish(CLOCK_TOPIC, str(ms).encode(), qos=1, retain=True, wait_s=5.0)
            except (Temporary, Refused):  # not connected yet
                if stop.wait(_CLOCK_GAP_S):
                    return
            else:
                return
        log.warning("the clock could not be told before the first message")

    def _tell(self, ticker: Publisher, ms: int) -> None:
        try:
            ticker.publish(CLOCK_TOPIC, str(ms).encode(), qos=0, retain=True)
        except (Temporary, Refused) as error:
            log.debug("clock not told: %s", error)
