"""Camera workers: read the spool from where the last snapshot stood, decode, detect."""

from __future__ import annotations

import logging
import threading
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from contracts.batch import SiteSnapshot, SpoolRow
from contracts.errors import Permanent
from gridsentry.engine.cameras import CameraFold, Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from contracts.clock import Clock
    from ingest.spool import Spool

log = logging.getLogger(__name__)

SNAPSHOT_EVERY = timedelta(seconds=30)
IDLE_S = 0.1


class CameraResult(msgspec.Struct, frozen=True):
    """What folding a camera's segment (or its passing time) gave; committed by the writer."""

    device: str
    outputs: list[Output]
    snapshots: list[SiteSnapshot]
    number: int


class CameraWorker(threading.Thread):
    """Folds the cameras given to it, one segment at a time, oldest first."""

    def __init__(
        self,
        name: str,
        folds: Mapping[str, CameraFold],
        starts: Mapping[str, int],
        spool: Spool,
        clock: Clock,
        wake_core: Callable[[], None],
        seen: Callable[[SpoolRow], None],
        folded: Callable[[str], None],
    ) -> None:
        """`seen` is told of each row before it is folded, `folded` of its camera afterwards, when
        what was found is on its way to the core."""
        super().__init__(name=name, daemon=True)
        self._folds = folds
        self._done = dict(starts)
        self._spool = spool
        self._clock = clock
        self._wake_core = wake_core
        self._seen = seen
        self._folded = folded
        self._rows: deque[SpoolRow] = deque()
        self._results: deque[CameraResult] = deque()
        self._more = threading.Condition()
        self._halt = False
        self._snapshot_at: dict[str, datetime] = {}
        self.failure: str | None = None

    def give(self, rows: Iterable[SpoolRow]) -> None:
        """These segments are durable and indexed: detect in them."""
        with self._more:
            self._rows.extend(r for r in rows if r.device in self._folds)
            self._more.notify()

    def results(self) -> list[CameraResult]:
        """Everything found so far."""
        out = []
        while self._results:
            out.append(self._results.popleft())
        return out

    def behind(self) -> int:
        """Segments waiting."""
        return len(self._rows)

    def failures(self) -> list[str]:
        """What went wrong here, and detectors that are left out."""
        left_out = [text for fold in self._folds.values() for text in fold.failures()]
        return [*left_out, *([self.failure] if self.failure else [])]

    def stop(self) -> None:
        """Finish the segment at hand, then end."""
        with self._more:
            self._halt = True
            self._more.notify()

    def run(self) -> None:
        """Until stopped: the next segment, or the cameras' own wake-ups."""
        while True:
            with self._more:
                if not self._rows and not self._halt:
                    self._more.wait(IDLE_S)
                if self._halt:
                    return
                row = self._rows.popleft() if self._rows else None
            try:
                if row is None:
                    self._idle()
                else:
                    self._fold(row)
            except Exception as error:  # one camera's trouble must be seen, not end the others'
                self.failure = f"{type(error).__name__}: {error}"
                log.exception("camera worker %s failed on %s", self.name, row)

    def _fold(self, row: SpoolRow) -> None:
        if row.number <= self._done.get(row.device, -1):
            return
        fold = self._folds[row.device]
        try:
            media = self._spool.read(row)
        except Permanent as error:
            log.warning("segment %d of %s is gone: %s", row.number, row.device, error.reason)
            self._done[row.device] = row.number
            return
        self._seen(row)
        outputs = fold.on_media(media)
        self._done[row.device] = row.number
        due = self._snapshot_at.get(row.device)
        snapshots: list[SiteSnapshot] = []
        if due is None or row.received_at >= due:
            self._snapshot_at[row.device] = row.received_at + SNAPSHOT_EVERY
            snapshots = fold.snapshots(row.number)
        self._say(CameraResult(row.device, outputs, snapshots, row.number))

    def _idle(self) -> None:
        now = self._clock.now()
        for device, fold in self._folds.items():
            wanted = fold.wake_at()
            if wanted is not None and wanted <= now:
                self._say(CameraResult(device, fold.on_time(now), [], self._done.get(device, -1)))

    def _say(self, result: CameraResult) -> None:
        if result.outputs or result.snapshots:
            self._results.append(result)
            self._wake_core()
        self._folded(result.device)
