"""Batches made durable one after another, acknowledged only then; while more waits, aside."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple

from contracts.clock import monotonic
from contracts.errors import Temporary
from gridsentry.live.batching import count_found
from gridsentry.live.faults import FaultPoint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from contracts.batch import Batch
    from contracts.nouns import Arrival
    from contracts.ports import Session, Writer
    from gridsentry.live.parts import CoreSettings
    from gridsentry.metrics import Metrics

log = logging.getLogger(__name__)

RETRY_FIRST_S, RETRY_MOST_S = 0.1, 5.0


class Work(NamedTuple):
    """A batch, what is acknowledged with it, and what is done once it is durable."""

    batch: Batch
    light: Sequence[Arrival]
    """Of the telemetry session."""
    heavy: Sequence[Arrival]
    """Of the bulk one."""
    after: Callable[[], None]


class Committing:
    """At most one batch is under way; the store is used by nobody else until `settle`.

    `here` commits in the caller's thread. `aside` returns at once, so that the next messages can be
    decoded and folded while the database works; `settle` waits for it and then does what is done
    after it. Raises what the store raises, from `here` or `settle`: LeaseLost, Permanent, and
    Temporary once `hurry` was called.
    """

    def __init__(
        self,
        name: str,
        store: Writer,
        settings: CoreSettings,
        metrics: Metrics,
        telemetry: Session | None,
        bulk: Session | None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._metrics = metrics
        self._telemetry = telemetry
        self._bulk = bulk
        self._fault = FaultPoint()
        self._hurry = threading.Event()
        self._stopping = False
        self._name = f"commit-{name}"
        self._under_way: tuple[Work, Future[None]] | None = None
        self.trouble: str | None = None

    @property
    def busy(self) -> bool:
        """Whether a batch is under way (or done, and not settled)."""
        return self._under_way is not None

    @property
    def working(self) -> bool:
        """Whether a batch is being committed right now."""
        return self._under_way is not None and not self._under_way[1].done()

    def here(self, work: Work) -> None:
        """Durable, acknowledged and seen to when it returns."""
        self.settle()
        self._commit(work)
        work.after()

    def aside(self, work: Work) -> None:
        """It becomes durable and is acknowledged meanwhile; `settle` before anything else."""
        self.settle()
        done: Future[None] = Future()
        self._under_way = work, done

        def run() -> None:
            try:
                self._commit(work)
            except BaseException as error:
                done.set_exception(error)
            else:
                done.set_result(None)

        # A thread for each: 0.1 ms beside the 50 and more of a batch that is worth it, and none is
        # left to wait for when the process ends.
        threading.Thread(target=run, name=self._name, daemon=True).start()

    def settle(self) -> None:
        """Nothing is under way any more."""
        if self._under_way is None:
            return
        work, done = self._under_way
        try:
            done.result()
        finally:
            self._under_way = None
        work.after()

    def hurry(self) -> None:
        """What cannot be committed at once is given up from now on: we are about to stop."""
        self._stopping = True
        self._hurry.set()

    def abandon(self) -> None:
        """Nothing is under way any more; whatever became of it, the next generation asks the
        store."""
        if self._under_way is not None:
            self._hurry.set()
            self._under_way[1].exception()
            self._under_way = None
            self._hurry.clear()
            if self._stopping:  # said meanwhile, perhaps
                self._hurry.set()

    def begin(self) -> None:
        """No generation, or a new one: what troubled the last is over."""
        self.trouble = None

    def _commit(self, work: Work) -> None:
        """Until it is durable; only then acknowledge, in the order received."""
        if self._settings.acknowledge == "before_commit":
            self._acknowledge(work)
        self._fault.reach("before_commit")
        pause = RETRY_FIRST_S
        while True:
            began = monotonic()
            try:
                found = self._store.commit(work.batch)
                break
            except Temporary as error:
                self.trouble = str(error)
                self._metrics.commit_failures.inc()
                log.warning(
                    "batch %d is not committed yet: %s; trying again in %.1f s",
                    work.batch.number,
                    error,
                    pause,
                )
                if self._hurry.wait(pause) and pause >= 1.0:
                    raise
                pause = min(pause * 2, RETRY_MOST_S)
        self.trouble = None
        self._metrics.commit_seconds.observe(monotonic() - began)
        self._metrics.batches.inc()
        count_found(self._metrics, found)
        self._fault.reach("after_commit")
        if self._settings.acknowledge == "after_commit":
            self._acknowledge(work)

    def _acknowledge(self, work: Work) -> None:
        if work.light and self._telemetry is not None:
            self._telemetry.acknowledge(work.light)
        if work.heavy and self._bulk is not None:
            self._bulk.acknowledge(work.heavy)
