"""Proof in the live service: ordered by the cameras' folds, cut from the spool by a thread."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from contracts.batch import SpoolRow
from contracts.errors import GridsentryError, Permanent, Temporary
from contracts.event import Event, Footage
from gridsentry.engine.cameras import Proof
from gridsentry.live.crew import CameraResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from contracts.nouns import Segment
    from gridsentry.engine.proof import ProofMaker
    from gridsentry.metrics import Metrics
    from ingest.spool import Spool

log = logging.getLogger(__name__)

LONGEST_SEGMENT = timedelta(seconds=10)
"""What began that long before may still hold a picture of it (the wire contract)."""

REMEMBERED = timedelta(minutes=15)
"""Rows among which the footage of an event is looked for."""

RETRY_S = 5.0
NICE = 10


class Recent:
    """The newest index rows of one camera's spool. Thread-safe."""

    def __init__(self) -> None:
        self._rows: deque[SpoolRow] = deque()
        self._lock = threading.Lock()

    def add(self, row: SpoolRow) -> None:
        """The next row; what is older than a quarter of an hour before it is forgotten."""
        with self._lock:
            self._rows.append(row)
            while self._rows[0].at < row.at - REMEMBERED:
                self._rows.popleft()

    def between(self, start: datetime, end: datetime) -> list[SpoolRow]:
        """Rows of segments that may hold pictures between the two moments."""
        with self._lock:
            return [row for row in self._rows if start - LONGEST_SEGMENT <= row.at <= end]


class SpoolCutter:
    """Cuts proof from the spool: it still holds the seconds before, also after a restart.

    Encoding takes seconds, so it is only ordered here; the proof comes from `ProofThread`.
    """

    def __init__(self, spool: Spool, recent: Recent, maker: ProofMaker) -> None:
        self._spool = spool
        self._recent = recent
        self._maker = maker
        self.ordered: list[Order] = []
        """Not yet handed to the thread that cuts."""

    def remember(self, segment: Segment) -> None:
        """Nothing to do: the spool remembers."""

    def cut(self, event: Event, footage: Footage, now: datetime, district: str) -> None:
        """Order clip and still of `footage`."""
        self.ordered.append(Order(self, event, footage, now, district))

    def make(self, order: Order) -> Proof:
        """Cut what was ordered. Permanent where the ring has dropped it already."""
        made = self._maker.make(
            lambda: self._segments(order.footage), order.event, order.footage, order.now
        )
        return Proof(order.event.id, made.facts, order.now, order.district, made.link)

    def _segments(self, footage: Footage) -> list[Segment]:
        found = []
        for row in self._recent.between(footage.start, footage.end):
            try:
                found.append(self._spool.read(row))
            except Permanent as gone:
                log.warning("evidence has a gap: %s", gone.reason)
        return found


class Order(msgspec.Struct, frozen=True):
    """Proof that is wanted of an event."""

    cutter: SpoolCutter
    event: Event
    footage: Footage
    now: datetime
    district: str


class ProofThread(threading.Thread):
    """Cuts what was ordered, in order, one at a time. One thread: the chains are its own.

    What is not done when we stop is ordered again at the next start.
    """

    def __init__(self, wake_core: Callable[[], None], metrics: Metrics | None = None) -> None:
        super().__init__(name="proofs", daemon=True)
        self._wake_core = wake_core
        self._metrics = metrics
        self._orders: deque[Order] = deque()
        self._results: deque[CameraResult] = deque()
        self._more = threading.Condition()
        self._halt = threading.Event()
        self.failure: str | None = None

    def take(self, cutter: SpoolCutter) -> None:
        """Cut what this cutter was asked for. Called once the event itself is on its way."""
        if not cutter.ordered:
            return
        with self._more:
            self._orders.extend(cutter.ordered)
            self._more.notify()
        cutter.ordered.clear()

    def give(self, rows: Iterable[SpoolRow]) -> None:
        """Segments are the cameras' business."""

    def results(self) -> list[CameraResult]:
        """Everything cut so far."""
        out = []
        while self._results:
            out.append(self._results.popleft())
        return out

    def behind(self) -> int:
        """Segments waiting: none, here."""
        return 0

    def failures(self) -> list[str]:
        """Why nothing is cut at present."""
        return [self.failure] if self.failure else []

    def stop(self) -> None:
        """End after the cut at hand."""
        with self._more:
            self._halt.set()
            self._more.notify()

    def run(self) -> None:
        """Until stopped: the next order; a full disk is waited out."""
        with contextlib.suppress(OSError):  # detection goes before: threads have their own nice
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        while True:
            with self._more:
                while not self._orders and not self._halt.is_set():
                    self._more.wait()
                if self._halt.is_set():
                    return
                order = self._orders[0]
            try:
                proof = order.cutter.make(order)
            except Temporary as error:
                self.failure = f"evidence: {error}"
                log.warning("%s; trying again in %.0f s", error, RETRY_S)
                self._halt.wait(RETRY_S)
                continue
            except GridsentryError as error:
                self._count("nothing_left")
                log.warning("no clip for %s: %s", order.event.id, error)
            except Exception as error:  # one event's trouble must be seen, not end the others'
                self._count("failed")
                self.failure = f"evidence of {order.event.id}: {type(error).__name__}: {error}"
                log.exception("cutting evidence of %s failed", order.event.id)
            else:
                self.failure = None
                self._count("cut")
                self._results.append(CameraResult(order.footage.device, [proof], [], -1))
                self._wake_core()
            self._orders.popleft()

    def _count(self, outcome: str) -> None:
        if self._metrics is not None:
            self._metrics.evidence_cuts.labels(outcome).inc()
