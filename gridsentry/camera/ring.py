"""What waits for the broker: a bounded ring of files, in order, that outlives the gateway.

Layout: `{number:012d}-{epoch ms}.{segment|frame}` below one folder per device. A file goes when
the broker has acknowledged it, or when the ring is full and it is the oldest.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import msgspec

from contracts.errors import Temporary, Wrong
from ingest.spool import write_durably

log = logging.getLogger(__name__)

_NAME = re.compile(r"(\d{12})-(\d+)\.(segment|frame)")
_SAY_EVERY = 60


class Waiting(msgspec.Struct, frozen=True):
    """One message that waits."""

    number: int
    ms: int
    """Time of its first picture."""
    kind: str
    """`segment` or `frame`."""
    bytes: int

    @property
    def name(self) -> str:
        """Its file's name."""
        return f"{self.number:012d}-{self.ms}.{self.kind}"


class Ring:
    """One process writes and sends a folder: a lock says so. Thread-safe."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        """Takes up what an earlier run left. Raises Wrong when another gateway has the folder."""
        self.folder = folder
        self._most = most_bytes
        self._changed = threading.Condition()
        self._waiting: dict[int, Waiting] = {}
        self._held: set[int] = set()
        self.bytes = 0
        self.dropped = 0
        """Messages that made room for newer ones and never left."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise Wrong("--buffer", f"{folder}: {error.strerror}", "a folder we may write") from (
                error
            )
        self._unlock = weakref.finalize(self, os.close, lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._unlock()
            raise Wrong(
                str(folder), "another gateway of this device is running", "one gateway a device"
            ) from error
        for path in sorted(folder.iterdir()):
            if found := _NAME.fullmatch(path.name):
                number, size = int(found[1]), path.stat().st_size
                self._waiting[number] = Waiting(number, int(found[2]), found[3], size)
                self.bytes += size
            elif path.suffix == ".part":
                path.unlink()
        self._next = max(self._waiting, default=-1) + 1
        self.newest_ms = max((one.ms for one in self._waiting.values()), default=-1)

    def put(self, kind: str, ms: int, data: bytes, *, durable: bool = True) -> None:
        """Append; the oldest go when there is no room, and that is said. Raises Temporary when
        the disk takes nothing even then. Not `durable`: a power cut may take it."""
        with self._changed:
            one = Waiting(self._next, ms, kind, len(data))
            self._next += 1
            while self.bytes + one.bytes > self._most and self._drop_oldest("it is full"):
                pass
            while True:
                try:
                    if durable:
                        write_durably(self.folder / one.name, data)
                    else:
                        (self.folder / one.name).write_bytes(data)
                    break
                except OSError as error:
                    if not self._drop_oldest(f"the disk refuses ({error.strerror})"):
                        self.dropped += 1
                        raise Temporary(f"cannot write {self.folder}: {error}") from error
            self._waiting[one.number] = one
            self.bytes += one.bytes
            self.newest_ms = max(self.newest_ms, ms)
            self._changed.notify_all()

    def _drop_oldest(self, why: str) -> bool:
        number = next((n for n in self._waiting if n not in self._held), None)
        if number is None:
            return False
        self._forget(number)
        self.dropped += 1
        if self.dropped == 1 or self.dropped % _SAY_EVERY == 0:
            log.warning(
                "the buffer %s drops its oldest, because %s: %d lost so far. Let the broker be "
                "reached again, or give more with --buffer-mb",
                self.folder,
                why,
                self.dropped,
            )
        return True

    def wait_room(self, size: int, halted: Callable[[], bool]) -> None:
        """Wait until `size` bytes fit without dropping anything (for files, which can wait)."""
        with self._changed:
            while self.bytes + size > self._most and self._waiting and not halted():
                self._changed.wait(0.2)

    def following(self, number: int) -> Waiting | None:
        """The oldest after `number`, now held: it is not dropped until let go or removed."""
        with self._changed:
            one = next((w for n, w in self._waiting.items() if n > number), None)
            if one is not None:
                self._held.add(one.number)
            return one

    def read(self, one: Waiting) -> bytes:
        """Its bytes. Raises OSError."""
        return (self.folder / one.name).read_bytes()

    def remove(self, one: Waiting) -> None:
        """The broker has it."""
        with self._changed:
            self._forget(one.number)
            self._changed.notify_all()

    def _forget(self, number: int) -> None:
        one = self._waiting.pop(number, None)
        self._held.discard(number)
        if one is not None:
            self.bytes -= one.bytes
            with contextlib.suppress(FileNotFoundError):
                (self.folder / one.name).unlink()

    def let_go(self, one: Waiting) -> None:
        """It is not being sent after all."""
        with self._changed:
            self._held.discard(one.number)

    def wait_new(self, seconds: float) -> None:
        """Wait for something to be appended or removed."""
        with self._changed:
            self._changed.wait(seconds)

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def close(self) -> None:
        """Let another gateway have the folder."""
        self._unlock()
