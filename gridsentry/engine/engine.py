"""Decoded arrivals in, changes out: screen → reorder → detect → publish → route.

One engine belongs to one writer and one thread. It never waits and never asks the time: every
moment comes with the data or from `advance`. What it produced since the last `drain` is one batch.
"""

from __future__ import annotations

import heapq
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from contracts.batch import PublishedEvent, SiteSnapshot, StoredItem, UnknownMessage
from contracts.clock import EPOCH
from contracts.nouns import (
    Clip,
    Poison,
    Position,
    Pulse,
    Quality,
    Reading,
    Segment,
    Sound,
    Status,
    Still,
)
from gridsentry.engine.book import event_change
from gridsentry.engine.draft import Draft, dead_letter, is_sound

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from contracts.case import Answer, Change, Command
    from contracts.city import City
    from contracts.event import Event
    from contracts.nouns import Arrival, Item
    from contracts.ports import Router
    from gridsentry.engine.book import EventBook
    from gridsentry.engine.roster import Roster
    from gridsentry.engine.runner import SiteRunner
    from ingest.screen import Screen

log = logging.getLogger(__name__)

SNAPSHOT_EVERY = timedelta(seconds=30)
SNAPSHOT_ITEMS = 2000
LATE = int(Quality.LATE)
RAIN = {"rain_rate": False, "rain_forecast": True}
"""Metrics that call for patrols, and whether they are a forecast (mm/h)."""
READERS_KNOWN = 200_000


class Engine:
    """The fold of one writer. `routes` is False where a separate router process decides."""

    def __init__(
        self,
        city: City,
        roster: Roster,
        book: EventBook,
        router: Router,
        screen: Screen,
        *,
        routes: bool = True,
    ) -> None:
        self.city = city
        self.roster = roster
        self.book = book
        self.router = router
        self.now: datetime = EPOCH
        self._screen = screen
        self._routes = routes
        self._begun = not routes
        self._heap: list[tuple[datetime, int]] = []
        self._queued: list[datetime | None] = [None] * len(roster.runners)
        self._touched: set[int] = set()
        # Runners nobody has a snapshot of are due in the first batch, so that a resume never has
        # to fold from the beginning of the store.
        self._due_anyway: set[int] = {r.order for r in roster.runners if not r.resumed}
        self._round = 0
        self._settled: datetime | None = None
        self._readers: dict[tuple[str, str], tuple[SiteRunner, ...]] = {}
        self._pos = 0
        self._draft = Draft()
        for runner in roster.runners:
            self._schedule(runner)

    # --- time -------------------------------------------------------------------------------

    def wake_at(self) -> datetime | None:
        """The next moment something here wants to be called."""
        own = self._heap[0][0] if self._heap else None
        routing = self.router.wake_at() if self._routes else None
        if own is None or routing is None:
            return own or routing
        return min(own, routing)

    def advance(self, to: datetime) -> None:
        """Let time pass up to `to`: every wake-up due by then, in order, at its own moment."""
        heap = self._heap
        if not self._begun:
            self._begun = True
            self.router.begin(to)
        while True:
            own = heap[0][0] if heap else None
            routing = self.router.wake_at() if self._routes else None
            if own is not None and own <= to and (routing is None or own <= routing):
                moment, order = heapq.heappop(heap)
                self._wake(self.roster.runners[order], moment)
            elif routing is not None and routing <= to:
                self.now = max(self.now, routing)
                self._routed(self.router.on_time(routing))
            else:
                break
        self.now = max(self.now, to)
        self._settled = to

    def _wake(self, runner: SiteRunner, moment: datetime) -> None:
        self._queued[runner.order] = None
        wanted = runner.wake_at()
        if wanted is not None and wanted <= moment:
            self.now = max(self.now, moment)
            self._touched.add(runner.order)
            for event in runner.wake(moment):
                self.emit(event, self.now, runner.site.district)
        self._schedule(runner)

    def _schedule(self, runner: SiteRunner) -> None:
        wanted = runner.wake_at()
        queued = self._queued[runner.order]
        if wanted is not None and (queued is None or wanted < queued):
            self._settled = None
            self._queued[runner.order] = wanted
            heapq.heappush(self._heap, (wanted, runner.order))

    # --- arrivals ---------------------------------------------------------------------------

    def take(self, arrival: Arrival, nouns: Sequence[Item | Position | Poison]) -> None:
        """One decoded message. Its `received_at` must not lie before the last one's."""
        # Messages of one read share their moment: nothing can be due at it twice, unless something
        # asked for a wake-up since.
        if arrival.received_at is not self._settled:
            self.advance(arrival.received_at)
        draft = self._draft
        draft.arrivals += 1
        kept = False
        for noun in nouns:
            if type(noun) is Reading:
                self._reading(noun)
            elif isinstance(noun, Poison):
                self.refuse(noun)
            elif isinstance(noun, Position):
                draft.worker_positions.append(noun)
                if self._routes:
                    self.router.on_position(noun)
            elif isinstance(noun, (Segment, Still, Clip)):
                self._unstored(Pulse(noun.device, noun.at, arrival.received_at))
            elif isinstance(noun, Sound):
                self._unstored(noun)
            else:
                if not kept:
                    self._keep(arrival, noun)
                    kept = True
                self._item(noun)

    def _reading(self, reading: Reading) -> None:
        reading = self._screen.annotate(reading)
        late = False
        for runner in self._readers_of(reading):
            late |= self._put(runner, reading)
        draft = self._draft
        if late:
            draft.late += 1
            reading = msgspec.structs.replace(reading, quality=reading.quality | LATE)
        elif reading.metric in RAIN and self._routes and not reading.quality:
            self._rains(reading)
        draft.readings.append(reading)
        draft.positions_in_batch.append(self._pos)
        self._pos += 1

    def _rains(self, reading: Reading) -> None:
        device = self.city.devices.get(reading.device)
        if device is not None and reading.value > 0.0:
            forecast = RAIN[reading.metric]
            self._routed(
                self.router.on_rain(device.point, reading.value, self.now, forecast=forecast)
            )

    def _readers_of(self, reading: Reading) -> tuple[SiteRunner, ...]:
        """Who wants it, remembered: most metrics are stored only, and asked for all the time."""
        key = (reading.device, reading.metric)
        found = self._readers.get(key)
        if found is None:
            if len(self._readers) >= READERS_KNOWN:  # metric names are the senders' to make up
                self._readers.clear()
            found = self._readers[key] = self._wanting(reading)
        return found

    def _keep(self, arrival: Arrival, noun: Item) -> None:
        """Store the whole message at its position, so that resume can fold it again."""
        self._draft.items.append(
            StoredItem(
                self._pos,
                type(noun).__name__.lower(),
                noun.device,
                noun.at,
                arrival.received_at,
                arrival.topic,
                arrival.payload,
            )
        )
        self._pos += 1

    def _unstored(self, item: Sound | Pulse) -> None:
        """Fold what the store never holds: speech is not kept, and video lies in the spool. Who
        cannot be given it again has its snapshot in this batch (a pulse: if it changed a thing)."""
        for runner in self.roster.by_noun.get((item.device, type(item).__name__), ()):
            told = len(self._draft.events)
            self._put(runner, item)
            if isinstance(item, Sound) or len(self._draft.events) > told:
                self._due_anyway.add(runner.order)

    def _item(self, item: Item) -> None:
        if isinstance(item, Status):
            self._draft.statuses.append(item)
        for runner in self.roster.by_noun.get((item.device, type(item).__name__), ()):
            self._put(runner, item)

    def _put(self, runner: SiteRunner, item: Item) -> bool:
        events, late = runner.put(item)
        self._touched.add(runner.order)
        for event in events:
            self.emit(event, self.now, runner.site.district)
        wanted = runner.wake_at()
        if wanted is not None:
            queued = self._queued[runner.order]
            if queued is None or wanted < queued:
                self._schedule(runner)
        return late

    def refuse(self, poison: Poison) -> None:
        """Set a message aside with its reason; one of an unknown device is kept whole."""
        if poison.code == "unknown_device" and is_sound(poison.topic):
            poison = msgspec.structs.replace(
                poison,
                code="unknown_microphone",
                reason=f"{poison.reason.partition(';')[0]}; sound may hold speech and is not kept",
            )
        if poison.code == "unknown_device":
            self._draft.unknown.append(
                UnknownMessage(
                    poison.device or "?", poison.topic, poison.received_at, poison.payload
                )
            )
        self._draft.changes.append(dead_letter(poison, len(self._draft.changes)))

    # --- what comes out -----------------------------------------------------------------------

    def emit(self, event: Event, known_at: datetime, district: str) -> None:
        """Publish a detector's event revision (once) and let the router decide on it."""
        self._published(self.book.publish(event, known_at, self._routes), district)

    def attach(
        self, event_id: str, facts: dict[str, object], known_at: datetime, district: str
    ) -> None:
        """Publish evidence that was made outside the detector, as a later revision."""
        self._published(self.book.attach(event_id, facts, known_at, self._routes), district)

    def _published(self, published: PublishedEvent | None, district: str) -> None:
        if published is None:
            return
        self._draft.events.append(published)
        self._draft.changes.append(event_change(published, district))
        if self._routes:
            self._routed(self.router.on_events([published.event], published.known_at))

    def route_stored(self, published: PublishedEvent) -> None:
        """Decide on a revision that another process published (the router role)."""
        self._routed(self.router.on_events([published.event], published.known_at))

    def command(self, command: Command, now: datetime) -> Answer:
        """Apply what somebody asked of a ticket, or refuse it with a reason."""
        changes, answer = self.router.on_command(command, now)
        self._routed(changes)
        return answer

    def _routed(self, changes: Iterable[Change]) -> None:
        self._settled = None  # the router may have set a timer
        self._draft.changes.extend(changes)

    @property
    def readings(self) -> int:
        """How many readings are waiting to be committed."""
        return len(self._draft.readings)

    def failures(self) -> list[str]:
        """Detectors that are left out, and why."""
        return [r.failure for r in self.roster.runners if r.failure is not None]

    def has_draft(self) -> bool:
        """Whether anything is waiting to be committed."""
        d = self._draft
        return bool(d.readings or d.items or d.changes or d.worker_positions or d.statuses)

    def drain(self, *, snapshot_all: bool = False) -> Draft:
        """Everything since the last drain, with the snapshots that are due."""
        draft, self._draft = self._draft, Draft()
        draft.snapshots = list(self._snapshots(snapshot_all))
        self._pos = 0
        return draft

    def refresh_snapshots(self, share: float) -> None:
        """Make the next `share` of all runners due, round by round: quiet sites must not keep the
        batch that a resume begins with far in the past."""
        count = len(self.roster.runners)
        for _ in range(min(count, round(count * share) + 1)):
            self._due_anyway.add(self._round % count)
            self._round += 1

    def _snapshots(self, all_of_them: bool) -> Iterable[SiteSnapshot]:
        orders: Iterable[int] = (
            range(len(self.roster.runners))
            if all_of_them
            else sorted(self._touched | self._due_anyway)
        )
        done = []
        for order in orders:
            runner = self.roster.runners[order]
            if runner.failure is not None:
                continue  # its last good snapshot stands
            if runner.snapshot_at is None:
                # Staggered by place in the roster, so that not all fall due in the same batch.
                runner.snapshot_at = self.now - SNAPSHOT_EVERY * ((order % 30) / 30)
            due = (
                self.now - runner.snapshot_at >= SNAPSHOT_EVERY
                or runner.folded - runner.snapshot_items >= SNAPSHOT_ITEMS
            )
            if due or all_of_them or order in self._due_anyway:
                runner.snapshot_at = self.now
                runner.snapshot_items = runner.folded
                done.append(runner.snapshot())
                self._touched.discard(order)
        self._due_anyway.clear()
        return done

    # --- resume ------------------------------------------------------------------------------

    def refold(
        self,
        number: int,
        at: datetime,
        stored: Iterable[tuple[int, datetime, Reading | tuple[Item, ...]]],
        since: dict[int, int],
    ) -> None:
        """Fold one stored batch again: for each runner only what came after its snapshot.

        `since[runner.order]` is the batch of the runner's snapshot. The store already has these
        readings and events; the book recognises what is said again.
        """
        for _, received_at, what in stored:
            self._advance_since(received_at, number, since)
            if isinstance(what, Reading):
                self._screen.annotate(what)  # marked already; this brings the screen up to date
            for item in (what,) if isinstance(what, Reading) else what:
                for runner in self._wanting(item):
                    if since.get(runner.order, -1) < number:
                        self._put(runner, item)
        self._advance_since(at, number, since)

    def _wanting(self, item: Item) -> tuple[SiteRunner, ...]:
        found = self.roster.by_noun.get((item.device, type(item).__name__), ())
        if isinstance(item, Reading):
            found = (*self.roster.by_metric.get((item.device, item.metric), ()), *found)
        return found

    def _advance_since(self, to: datetime, number: int, since: dict[int, int]) -> None:
        """Wake-ups up to `to`, only of runners that had not seen that batch when snapshotted.

        A runner whose snapshot is newer has its wake-ups after that snapshot anyway.
        """
        while self._heap and self._heap[0][0] <= to:
            moment, order = heapq.heappop(self._heap)
            self._wake(self.roster.runners[order], moment)
        self.now = max(self.now, to)
        self._settled = None
