"""Crews in the live town: they read tickets from a running service and act as their apps would.

All of it runs in the simulation's own thread and time; only HTTP has threads of its own. What is to
be done follows from the ticket's stage, so a simulation that begins anew goes on with open tickets.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from contracts.geo import Point
from contracts.kinds import OPEN_STAGES
from simulators.duty.center import News, Reply, Say, Seen
from simulators.duty.desk import Operator
from simulators.duty.ground import Ground
from simulators.duty.manners import DeskManner, Manner, UtilityManner
from simulators.duty.utilities import UtilityCrews
from simulators.duty.worker import LiveWorker
from simulators.world import World

log = logging.getLogger(__name__)

TRIES = 5
"""A ticket that moves on under somebody's finger is looked at so often."""


class Line(Protocol):
    """The way to the center (`center.Center`)."""

    @property
    def heard(self) -> Inbox:
        """What came since."""
        ...

    def say(self, say: Say) -> None:
        """Send an action."""
        ...

    def start(self) -> None:
        """Connect."""
        ...

    def stop(self) -> None:
        """Hang up."""
        ...


class Inbox(Protocol):
    """A queue read from one thread."""

    def empty(self) -> bool:
        """Whether nothing waits."""
        ...

    def get(self) -> News | Reply:
        """The oldest."""
        ...


class Manners(msgspec.Struct, frozen=True, kw_only=True):
    """How everybody behaves."""

    worker: Manner = Manner()
    utility: UtilityManner = UtilityManner()
    desk: DeskManner = DeskManner()


class _Open(msgspec.Struct):
    say: Say
    still: Callable[[Seen], bool]
    refused: Callable[[int], None] | None
    tries: int = 1


class Crews:
    """Workers, utilities and the operator of one town. `start`, `hear` again and again, `stop`.

    `pace` shortens answers and work on site, never ways: 10 plays an hour of people in six minutes.
    """

    def __init__(
        self,
        line: Line,
        ground: Ground,
        world: World,
        *,
        seed: int,
        pace: float = 1.0,
        manners: Manners | None = None,
    ) -> None:
        manners = manners or Manners()
        self.seed, self.ground = seed, ground
        self.tickets: dict[str, Seen] = {}
        self.done: Counter[str] = Counter()
        """Actions that were applied."""
        self.refused: list[str] = []
        """The last refusals, in the center's words."""
        self._line, self._world, self._pace = line, world, pace
        self._manner = manners.worker
        self._people: dict[str, LiveWorker] = {}
        self._utilities = UtilityCrews(self, manners.utility)
        self._operator = Operator(self, manners.desk)
        self._waiting: dict[int, _Open] = {}
        self._numbers = 0

    def start(self) -> None:
        """Connect in the background."""
        self._line.start()

    def stop(self) -> None:
        """Everybody puts their phone away."""
        self._line.stop()
        log.info("crews: %s", ", ".join(f"{n} {a}" for a, n in sorted(self.done.items())))

    @property
    def waiting(self) -> int:
        """Actions without an answer yet."""
        return len(self._waiting)

    def hear(self, ms: int) -> None:
        """Take in what came since; `ms` is the town's time."""
        while not self._line.heard.empty():
            news = self._line.heard.get()
            if isinstance(news, News):
                self._see(news.ticket, news.change, ms)
            else:
                self._reply(news, ms)

    # --- what people use ----------------------------------------------------------------------

    def later(self, ms: int, seconds: float, deed: Callable[[int], None]) -> None:
        """Let people do something after so many seconds of theirs."""
        self.after(ms, seconds / self._pace, deed)

    def after(self, ms: int, seconds: float, deed: Callable[[int], None]) -> None:
        """Let something happen after so many seconds of the town's time."""

        def do(now: int) -> tuple[()]:
            deed(now)
            return ()

        self._world.at(ms + round(1000 * seconds), do)

    def act(
        self,
        ticket: str,
        action: str,
        by: str,
        still: Callable[[Seen], bool],
        *,
        reason: str | None = None,
        data: dict[str, Any] | None = None,
        refused: Callable[[int], None] | None = None,
    ) -> None:
        """Press the button, if `still(ticket)`: asked again when the ticket had moved on
        meanwhile. `refused(ms)` when it came to nothing."""
        seen = self.tickets[ticket]
        if not still(seen):
            return
        self._numbers += 1
        say = Say(
            number=self._numbers,
            ticket=ticket,
            action=action,
            by=by,
            rev=seen.rev,
            reason=reason,
            data=data,
        )
        self._waiting[say.number] = _Open(say, still, refused)
        self._line.say(say)

    # --- what comes ---------------------------------------------------------------------------

    def _see(self, seen: Seen, change: str, ms: int) -> None:
        old = self.tickets.get(seen.id)
        if old is not None and seen.rev <= old.rev:
            return
        if seen.stage not in OPEN_STAGES:  # kept for who comes too late, without its reasons
            seen = msgspec.structs.replace(seen, reason={}, runners_up=())
        self.tickets[seen.id] = seen
        for worker in {seen.worker, old.worker if old else None} - {None}:
            self._person(str(worker), seen, ms)
        for hand in seen.hands:
            self._person(hand.worker, seen, ms)
        self._utilities.see(seen, old, ms)
        self._operator.see(seen, old, change, ms)

    def _person(self, worker: str, seen: Seen, ms: int) -> None:
        if worker not in self._people:
            if self.ground.where(worker) is None:
                return  # registered in the city, but not of this town
            self._people[worker] = LiveWorker(worker, self._manner, self)
        self._people[worker].see(seen, ms)

    def _reply(self, reply: Reply, ms: int) -> None:
        waited = self._waiting.pop(reply.say.number, None)
        if waited is None:
            return
        say = reply.say
        words = f"{say.action} by {say.by} on {say.ticket}"
        if reply.status in (200, 202):
            self.done[say.action] += 1
            log.info("crews: %s", words)
            return
        seen = self.tickets.get(say.ticket)
        if reply.stale and seen is not None and waited.tries < TRIES:
            if waited.still(seen):
                waited.say = msgspec.structs.replace(say, rev=seen.rev)
                waited.tries += 1
                self._waiting[say.number] = waited
                self._line.say(waited.say)
            return
        self.refused = [*self.refused[-99:], f"{words}: {reply.reason}"]
        log.warning("crews: refused: %s: %s", words, reply.reason)
        if waited.refused is not None:
            waited.refused(ms)


def spot(seen: Seen) -> Point:
    """A ticket's place."""
    return Point(seen.place.lon, seen.place.lat)
