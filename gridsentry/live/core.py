"""The writer's loop: take, decode, fold, commit in one transaction, then acknowledge.

Where a batch is large, the next one is folded while it is committed; everything else that reads or
writes the store waits until it is.

One thread, one database connection, one engine. Everything that must become durable together
passes here: messages of both sessions, what the cameras found, commands, reports, passing time.
"""

from __future__ import annotations

import gc
import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from contracts.case import Answer
from contracts.clock import monotonic
from contracts.errors import LeaseLost, Temporary
from contracts.nouns import Arrival
from gridsentry.engine.cameras import Found, Proof
from gridsentry.live.batching import batch_of, count, watch_poison
from gridsentry.live.committing import Committing, Work
from gridsentry.live.outside import adapter_snapshots
from gridsentry.live.parts import CoreSettings, Parts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from contracts.batch import EvidenceLink
    from contracts.clock import Clock
    from contracts.ports import IntakeRow, Session, Writer
    from gridsentry.engine.engine import Engine
    from gridsentry.live.bulk import Heavy
    from gridsentry.live.outside import Outside
    from gridsentry.metrics import Metrics
    from ingest.breaker import Breaker

log = logging.getLogger(__name__)
_Row = TypeVar("_Row")

HOUSEKEEPING = timedelta(seconds=30)
COMMANDS, EVENTS, INTAKE = 100, 500, 500  # taken in one batch
HEAVY_INTAKE = 8  # pieces of video in memory at a time
ASIDE = 500  # readings: for fewer a commit is over before the next messages are there
MEANWHILE_S = 0.002  # how long messages are waited for while a batch is being committed
SHARE_REFRESHED = 0.1  # of all snapshots per housekeeping: none is older than five minutes


class Core(threading.Thread):
    """Runs the loop for one writer name, as long as it holds the lease of that name."""

    def __init__(
        self,
        name: str,
        holder: str,
        writer: Writer,
        build: Callable[[int], Parts],
        clock: Clock,
        settings: CoreSettings,
        metrics: Metrics,
        *,
        telemetry: Session | None = None,
        bulk_session: Session | None = None,
        breaker: Breaker | None = None,
        drop_old: Callable[[datetime], list[str]] | None = None,
        routes: bool = True,
        pulls_unrouted: bool = False,
        tick: Callable[[Arrival], bool] | None = None,
        districts: Sequence[str] | None = None,
        outside: Outside | None = None,
    ) -> None:
        super().__init__(name=f"core-{name}", daemon=True)
        self._writer_name = name
        self._holder = holder
        self._store = writer
        self._build = build
        self._clock = clock
        self._settings = settings
        self._metrics = metrics
        self._telemetry = telemetry
        self._bulk_session = bulk_session
        self._breaker = breaker
        self._drop_old = drop_old
        self._routes = routes
        self._pulls_unrouted = pulls_unrouted
        self._tick = tick
        self._districts = districts
        self._outside = outside
        self._ask_again = True
        self._committing = Committing(name, writer, settings, metrics, telemetry, bulk_session)
        self._halt = threading.Event()
        self._wake = threading.Event()
        self._reload = threading.Event()
        self._parts: Parts | None = None
        self._left: list[Arrival] = []
        self._epoch = 0
        self._lease_at = 0.0
        self._housekept: datetime | None = None
        self.active = threading.Event()
        self.trouble: str | None = None

    # --- life ---------------------------------------------------------------------------------

    def run(self) -> None:
        """Until stopped: hold the lease, build, loop; after a lost lease again from the start."""
        while not self._halt.is_set():
            try:
                if not self._acquire():
                    continue
                self._rebuild()
                self._loop()
            except LeaseLost as lost:
                log.warning("lease of %s is lost (%s): standing by", self._writer_name, lost)
                self._let_go()
            except Temporary as error:
                self.trouble = str(error)
                log.warning("%s: %s; trying again", self._writer_name, error)
                self._let_go()
                self._halt.wait(1.0)
            except Exception as error:
                # A fault of ours: nothing was acknowledged, so nothing is lost. Say it, start anew.
                self.trouble = f"{type(error).__name__}: {error}"
                log.exception(
                    "the writer's loop of %s failed; starting again from the store",
                    self._writer_name,
                )
                self._let_go()
                self._halt.wait(2.0)

    def stop(self, timeout: float) -> None:
        """Commit what was taken, snapshot everything, give the lease back."""
        self._halt.set()
        self._committing.hurry()
        self._wake.set()
        self.join(timeout)

    def reload(self) -> None:
        """The city changed: commit and build again with it."""
        self._reload.set()
        self._wake.set()

    def wake(self) -> None:
        """There is something to do before the linger is over."""
        self._wake.set()

    def health(self) -> dict[str, Any]:
        """For /readyz: whether we hold the lease and what troubles us."""
        parts = self._parts
        behind = sum(w.behind() for w in parts.workers) if parts else 0
        failures = [text for w in parts.workers for text in w.failures()] if parts else []
        return {
            "active": self.active.is_set(),
            "trouble": self.trouble or self._committing.trouble,
            "segments_waiting": behind,
            "detector_failures": [*failures, *(parts.engine.failures() if parts else [])],
            "bulk": dict(parts.bulk.health()) if parts and parts.bulk else None,
        }

    @property
    def breaker_reason(self) -> str | None:
        """Why we stopped acknowledging our own topics, if we did."""
        if self._breaker is None or not self._breaker.reason:
            return None
        return f"{self.name}: {self._breaker.reason}"

    def breaker_reasons(self) -> list[str]:
        """Why we stopped acknowledging, for each adapter and our own topics."""
        outside = [] if self._outside is None else self._outside.reasons()
        return [*filter(None, [self.breaker_reason]), *(f"{self.name}: {r}" for r in outside)]

    def _acquire(self) -> bool:
        epoch = self._store.acquire(
            self._writer_name, self._holder, self._clock.now(), self._settings.lease_s
        )
        if epoch is None:
            self.trouble = None  # the database answered: we are merely standing by
            self._committing.begin()
            self._halt.wait(min(1.0, self._settings.lease_s / 4))
            return False
        self._epoch = epoch
        self._lease_at = monotonic()
        return True

    def _rebuild(self) -> None:
        self._committing.begin()
        self._parts = self._build(self._epoch)
        # What was built stays: the collector need not walk over a whole city again and again
        # (measured: 2 of 8 µs for each message).
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        if self._breaker is not None:
            self._breaker.reset()
        if self._outside is not None:
            self._outside.begin(self._parts.adapted, self._clock.now())
        if self._parts.bulk is not None:
            self._parts.bulk.start()
        for worker in self._parts.workers:
            worker.start()
        if self._telemetry is not None:
            self._telemetry.start()
        if self._bulk_session is not None:
            self._bulk_session.start()
        self._ask_again = True  # a notification may have been consumed by a step that failed
        self.trouble = None
        self.active.set()
        log.info("%s holds its lease (epoch %d) and is running", self._writer_name, self._epoch)

    def _let_go(self) -> None:
        """Stop what this generation started; sessions stay down until the next one is built."""
        self.active.clear()
        self._committing.abandon()
        parts, self._parts = self._parts, None
        self._left = []  # not acknowledged: they come again
        for session in (self._telemetry, self._bulk_session):
            if session is not None:
                session.stop()
        if self._outside is not None:
            self._outside.end()
        if parts is not None:
            if parts.bulk is not None:
                parts.bulk.stop()
            for worker in parts.workers:
                worker.stop()
            for thread in (*parts.workers, *([parts.bulk] if parts.bulk else [])):
                thread.join(3.0)

    # --- the loop -----------------------------------------------------------------------------

    def _loop(self) -> None:
        assert self._parts is not None
        while not self._halt.is_set():
            if self._reload.is_set():
                self._reload.clear()
                self._step(self._parts, last=True)
                self._let_go()
                self._rebuild()
            self._step(self._parts)
        self._step(self._parts, last=True)
        self._let_go()
        self._store.release(self._writer_name, self._holder)

    def _step(self, parts: Parts, last: bool = False) -> None:
        """One batch: take from every source, fold, commit, acknowledge."""
        self._renew()
        engine: Engine = parts.engine
        light = [] if last else self._fold_telemetry(parts)
        many = engine.readings >= ASIDE
        self._committing.settle()
        heavy: list[Heavy] = parts.bulk.ready() if parts.bulk is not None else []
        rows = self._fold_heavy(engine, heavy)
        snapshots, links = self._fold_cameras(parts)
        now = max(self._clock.now(), engine.now)
        answers, intake_done, routed = self._fold_requests(parts, now)
        intake_done.extend(h.intake for h in heavy if h.intake is not None)
        engine.advance(now)
        gone = self._housekeep(now)
        if (
            light
            or heavy
            or snapshots
            or links
            or answers
            or intake_done
            or routed
            or gone
            or engine.has_draft()
            or last
        ):
            draft = engine.drain(snapshot_all=last)
            batch = batch_of(
                draft, self._writer_name, parts.last_batch + 1, self._epoch, engine.now
            )
            batch.spool = rows
            batch.spool_gone = gone
            batch.snapshots = [*batch.snapshots, *snapshots]
            batch.answers = answers
            batch.evidence = links
            batch.intake_done = intake_done
            batch.routed_events = routed
            if parts.adapted is not None:
                batch.snapshots = [*batch.snapshots, *adapter_snapshots(parts.adapted)]
            parts.last_batch = batch.number
            said = None if parts.adapted is None else parts.adapted.told()
            at = engine.now

            def after() -> None:
                if self._outside is not None and said is not None:
                    self._outside.committed(said)
                for worker in parts.workers:
                    worker.give(rows)
                if parts.beside is not None:
                    parts.beside.watch((p.event for p in draft.events), at)
                count(self._metrics, draft, len(light), len(heavy))
                self._metrics.determinism_faults.set(engine.book.determinism_faults)

            work = Work(batch, light, [h.arrival for h in heavy], after)
            if many:  # the database works on this batch while we fold the next
                self._committing.aside(work)
            else:
                self._committing.here(work)
        if parts.beside is not None:
            parts.beside.look(now)
            parts.proofs.take(parts.beside)
        if parts.workers:
            self._metrics.cameras_behind.set(sum(w.behind() for w in parts.workers))

    def _renew(self) -> None:
        if monotonic() - self._lease_at < self._settings.lease_s / 3:
            return
        self._committing.settle()
        epoch = self._store.acquire(
            self._writer_name, self._holder, self._clock.now(), self._settings.lease_s
        )
        if epoch != self._epoch:
            raise LeaseLost(f"{self._writer_name} is held by another process now")
        self._lease_at = monotonic()

    def _fold_telemetry(self, parts: Parts) -> list[Arrival]:
        """Fold what waits until the batch is full; these are acknowledged with it.

        While another batch is being committed, what comes meanwhile goes into this one too.
        """
        folded: list[Arrival] = []
        while True:
            working = self._committing.working
            arrivals = self._take_telemetry(self._settings.max_messages - len(folded), working)
            for number, arrival in enumerate(arrivals, 1):
                self._fold(parts, arrival)
                if parts.engine.readings >= self._settings.max_readings:
                    self._left = arrivals[number:]
                    return [*folded, *arrivals[:number]]
            folded += arrivals
            if len(folded) >= self._settings.max_messages or not self._committing.busy:
                return folded
            if not (arrivals or working):
                return folded

    def _take_telemetry(self, most: int, working: bool) -> list[Arrival]:
        wait = self._settings.linger_ms / 1000
        if self._committing.busy:
            wait = MEANWHILE_S if working else 0.0
        # With outside gateways the sessions are paused one by one (`Sessions`).
        if self._telemetry is None or (self._outside is None and self.breaker_reason is not None):
            self._wake.wait(wait)
            self._wake.clear()
            return []
        if self._wake.is_set():
            self._wake.clear()
            wait = 0.0
        if self._left:
            left, self._left = self._left[:most], self._left[most:]
            return left
        return self._telemetry.take(most, wait)

    def _fold(self, parts: Parts, arrival: Arrival, kept: bool = False) -> bool:
        """Decode and fold it; False where a `kept` message is left for another shard."""
        if self._tick is not None:
            if self._tick(arrival):
                return True
            arrival = msgspec.structs.replace(arrival, received_at=self._clock.now())
        engine: Engine = parts.engine
        if arrival.received_at < engine.now:
            a = arrival
            arrival = Arrival(a.topic, a.payload, engine.now, a.retained, a.token)
        nouns = parts.decoder.decode(arrival)
        if kept and parts.adapted is not None and parts.adapted.not_ours(arrival.topic, nouns):
            return False
        engine.take(arrival, nouns)
        breaker = self._breaker
        if self._outside is not None and parts.adapted is not None:
            adapter = parts.adapted.of(arrival.topic)
            breaker = breaker if adapter is None else self._outside.breakers.get(adapter)
        if breaker is not None:
            watch_poison(breaker, nouns, arrival.received_at)
        return True

    def _fold_heavy(self, engine: Engine, heavy: list[Heavy]) -> list[Any]:
        rows = []
        for one in heavy:
            arrival = one.arrival
            if arrival.received_at < engine.now:
                arrival = msgspec.structs.replace(arrival, received_at=engine.now)
            engine.take(arrival, one.nouns)
            if one.row is not None:
                rows.append(one.row)
        return rows

    def _fold_cameras(self, parts: Parts) -> tuple[list[Any], list[EvidenceLink]]:
        engine: Engine = parts.engine
        snapshots: list[Any] = []
        links: list[EvidenceLink] = []
        # Proof stands last and is taken first: its event was told of before it was ordered.
        told = [worker.results() for worker in reversed(parts.workers)]
        for results in reversed(told):
            for result in results:
                for out in result.outputs:
                    known = max(engine.now, self._clock.now())
                    engine.advance(known)
                    if isinstance(out, Found):
                        engine.emit(out.event, known, out.district)
                    elif isinstance(out, Proof):
                        engine.attach(out.event_id, out.facts, known, out.district)
                        if out.link is not None:
                            links.append(out.link)
                    else:
                        engine.refuse(out)
                snapshots.extend(result.snapshots)
        return snapshots, links

    def _fold_requests(
        self, parts: Parts, now: datetime
    ) -> tuple[list[Answer], list[int], list[tuple[str, int]]]:
        """Commands, reports and (in a separate router) events that other processes stored."""
        engine: Engine = parts.engine
        answers: list[Answer] = []
        done: list[int] = []
        routed: list[tuple[str, int]] = []
        if not (self._store.wait(0) or self._ask_again):
            return answers, done, routed
        self._ask_again = False
        engine.advance(now)
        if self._routes:
            for command in self._full(self._store.commands(COMMANDS), COMMANDS):
                answer = engine.command(command, now)
                self._metrics.commands.labels(command.action, str(answer.ok).lower()).inc()
                answers.append(answer)
        if self._pulls_unrouted:
            for published in self._full(self._store.unrouted(EVENTS), EVENTS):
                engine.route_stored(published)
                routed.append((published.event.id, published.event.rev))
        if self._telemetry is not None:
            kept = self._store.intake(INTAKE, bulk=False, districts=self._districts)
            done.extend(
                row.id
                for row in self._full(kept, INTAKE)
                if self._fold(parts, _as_arrival(row, now), kept=True)
            )
        if parts.bulk is not None:
            kept = self._store.intake(HEAVY_INTAKE, bulk=True, districts=self._districts)
            self._ask_again |= bool(kept)  # the bulk reader works on them: see to the rest after
            parts.bulk.take_up((row.id, _as_arrival(row, now)) for row in kept)
        return answers, done, routed

    def _full(self, rows: list[_Row], limit: int) -> list[_Row]:
        """The rows; when there may be more than the limit let through, we ask again."""
        self._ask_again |= len(rows) >= limit
        return rows

    def _housekeep(self, now: datetime) -> list[str]:
        """Now and then: the spool's ring drops its oldest, the book forgets what has ended."""
        if self._housekept is not None and now - self._housekept < HOUSEKEEPING:
            return []
        self._housekept = now
        assert self._parts is not None
        self._parts.engine.book.forget(now - timedelta(days=1))
        self._parts.engine.refresh_snapshots(SHARE_REFRESHED)
        if self._parts.conditions is not None:
            self._parts.conditions.look(self._parts.engine.roster.runners)
        return self._drop_old(now) if self._drop_old is not None else []


def _as_arrival(row: IntakeRow, now: datetime) -> Arrival:
    return Arrival(row.topic, row.payload, max(now, row.received_at))
