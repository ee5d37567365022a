"""Heavy messages: taken from a session of their own, made durable in the spool, handed on.

Telemetry is urgent and video is heavy, so decoding OTDR traces and fsyncing video happens here, in
a thread of its own; the writer's loop only commits the index row and acknowledges afterwards.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, TypeVar

import msgspec

from contracts.batch import SpoolRow
from contracts.errors import Temporary
from contracts.nouns import Arrival, Item, Poison, Position, Segment, Still
from gridsentry.engine.media import as_segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from contracts.clock import Clock
    from contracts.ports import Decoder, Session
    from gridsentry.live.gallery import Gallery
    from ingest.spool import Spool

log = logging.getLogger(__name__)

Written = TypeVar("Written")
READY_LIMIT = 64  # decoded messages waiting for the writer; beyond that the receive window fills


class Heavy(msgspec.Struct, frozen=True):
    """One bulk message, decoded; `row` where it now lies in the spool."""

    arrival: Arrival
    nouns: Sequence[Item | Position | Poison]
    row: SpoolRow | None = None
    media: Segment | Still | None = None
    intake: int | None = None
    """The intake row it came from, when it had been kept for a device not yet registered."""


class SpoolNumbers:
    """Gives each camera's segments their number, the same one again to the same segment."""

    def __init__(self, known: Callable[[str], list[SpoolRow]]) -> None:
        self._known = known
        self._next: dict[str, int] = {}
        self._recent: dict[str, dict[datetime, int]] = {}

    def of(self, device: str, at: datetime) -> tuple[int, bool]:
        """(number, whether this very segment was numbered before)."""
        if device not in self._next:
            rows = self._known(device)
            self._next[device] = max((r.number for r in rows), default=-1) + 1
            self._recent[device] = {r.at: r.number for r in rows[-600:]}
        recent = self._recent[device]
        if at in recent:
            return recent[at], True
        number = self._next[device]
        self._next[device] = number + 1
        recent[at] = number
        if len(recent) > 1200:
            for old in list(recent)[:600]:
                del recent[old]
        return number, False


class BulkReader(threading.Thread):
    """Takes bulk messages, decodes them, spools video, and queues them for the writer."""

    def __init__(
        self,
        session: Session,
        decoder: Decoder,
        spool: Spool,
        numbers: SpoolNumbers,
        clock: Clock,
        gallery: Gallery | None = None,
    ) -> None:
        """`gallery` takes what outside gateways have seen."""
        super().__init__(name="bulk-reader", daemon=True)
        self._gallery = gallery
        self._session = session
        self.decoder = decoder
        self._spool = spool
        self._numbers = numbers
        self._clock = clock
        self._ready: deque[Heavy] = deque()
        self._room = threading.Semaphore(READY_LIMIT)
        self._halt = threading.Event()
        self._kept: deque[tuple[int, Arrival]] = deque()
        self._kept_ids: set[int] = set()
        self.last_error: str | None = None

    def run(self) -> None:
        """Until stopped: take, decode, spool, queue."""
        while not self._halt.is_set():
            while self._kept:
                number, arrival = self._kept.popleft()
                if not self._queue(arrival, number):
                    return
            for arrival in self._session.take(8, 0.25):
                if not self._queue(arrival):
                    return

    def take_up(self, kept: Iterable[tuple[int, Arrival]]) -> None:
        """Handle these as well: (intake row, message). Those handed in before are passed over."""
        for number, arrival in kept:
            if number not in self._kept_ids:
                self._kept_ids.add(number)
                self._kept.append((number, arrival))

    def _queue(self, arrival: Arrival, intake: int | None = None) -> bool:
        """Prepare it for the writer; False when stopped meanwhile."""
        while not self._room.acquire(timeout=0.25):
            if self._halt.is_set():
                return False
        heavy = self._prepare(arrival)
        if heavy is None:
            return False
        if intake is not None:
            heavy = msgspec.structs.replace(heavy, intake=intake)
        self._ready.append(heavy)
        return True

    def _prepare(self, arrival: Arrival) -> Heavy | None:
        if self._gallery is not None and self._gallery.takes(arrival.topic):
            poisons = self._patiently("the album", lambda: self._gallery_hangs(arrival))
            return None if poisons is None else Heavy(arrival, poisons)
        nouns = self.decoder.decode(arrival)
        for noun in nouns:
            if isinstance(noun, (Segment, Still)):
                number, before = self._numbers.of(noun.device, noun.at)
                if before:
                    log.info("segment %s of %s came again: kept once", number, noun.device)
                    return Heavy(arrival, nouns)
                row = self._put(noun, number)
                return None if row is None else Heavy(arrival, nouns, row, noun)
        return Heavy(arrival, nouns)

    def _put(self, media: Segment | Still, number: int) -> SpoolRow | None:
        """Write it durably; None when stopped meanwhile."""
        return self._patiently(
            f"spool of {media.device}", lambda: self._spool.put(as_segment(media), number)
        )

    def _gallery_hangs(self, arrival: Arrival) -> Sequence[Poison]:
        assert self._gallery is not None
        return self._gallery.hang(arrival)

    def _patiently(self, what: str, write: Callable[[], Written]) -> Written | None:
        """What it gives, waiting out a full disk; None when stopped meanwhile."""
        pause = 0.2
        while True:
            try:
                written = write()
            except Temporary as error:
                self.last_error = str(error)
                log.warning("%s: %s; trying again in %.1f s", what, error, pause)
                if self._halt.wait(pause):
                    return None
                pause = min(pause * 2, 5.0)
            else:
                self.last_error = None
                return written

    def ready(self) -> list[Heavy]:
        """Everything decoded so far, in order received."""
        out = []
        while self._ready:
            out.append(self._ready.popleft())
            self._room.release()
        return out

    def health(self) -> Mapping[str, object]:
        """For /readyz."""
        return {"waiting": len(self._ready), "spool_error": self.last_error}

    def stop(self) -> None:
        """Stop taking; what was not committed comes again from the broker."""
        self._halt.set()
