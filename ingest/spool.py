"""The spool: a bounded, fsynced ring of video files per camera.

A segment is durable here before its message is acknowledged; detection and evidence read it
back, also after a kill. Layout: `{root}/{device}/{number:012d}-{epoch µs}.seg`.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections import deque
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from contracts.batch import SpoolRow
from contracts.clock import EPOCH
from contracts.errors import Permanent, Temporary
from contracts.nouns import Segment

_NAME = re.compile(r"(\d{12})-(\d+)\.seg")
_MICROSECOND = timedelta(microseconds=1)


class _Kept(msgspec.Struct, frozen=True):
    file: str
    at: datetime
    bytes: int


class Spool:
    """The ring. One writer per camera; reading is free. Thread-safe."""

    def __init__(self, root: Path, max_bytes_per_camera: int, max_age_s: float) -> None:
        self._root = root
        self._max_bytes = max_bytes_per_camera
        self._max_age = timedelta(seconds=max_age_s)
        self._lock = threading.Lock()
        self._rings: dict[str, deque[_Kept]] = {}
        root.mkdir(parents=True, exist_ok=True)
        for folder in sorted(path for path in root.iterdir() if path.is_dir()):
            self._rings[folder.name] = _found(root, folder)

    def put(self, segment: Segment, number: int) -> SpoolRow:
        """Write it so that it survives a power cut; its index row.

        Putting the same number again replaces it. Raises Temporary when the disk is full or fails.
        """
        folder = self._root / segment.device
        micros = (segment.at - EPOCH) // _MICROSECOND
        name = f"{number:012d}-{max(micros, 0)}.seg"
        try:
            if not folder.is_dir():
                folder.mkdir(exist_ok=True)
                _sync_folder(self._root)
            write_durably(folder / name, segment.data)
        except OSError as error:
            raise Temporary(f"cannot write the video spool {folder}: {error}") from error
        file_name = f"{segment.device}/{name}"
        with self._lock:
            ring = self._rings.setdefault(segment.device, deque())
            if not any(kept.file == file_name for kept in ring):
                ring.append(_Kept(file_name, segment.at, len(segment.data)))
        return SpoolRow(
            device=segment.device,
            at=segment.at,
            received_at=segment.received_at,
            file=file_name,
            bytes=len(segment.data),
            number=number,
        )

    def read(self, row: SpoolRow) -> Segment:
        """The segment of an index row.

        Raises Permanent `spool_gone` when the ring has dropped it, Temporary when the disk fails.
        """
        try:
            data = (self._root / row.file).read_bytes()
        except FileNotFoundError:
            raise Permanent(
                "spool_gone", f"the video {row.file} is no longer in the spool"
            ) from None
        except OSError as error:
            raise Temporary(f"cannot read the video spool: {error}") from error
        return Segment(row.device, row.at, row.received_at, data)

    def drop_old(self, now: datetime, device: str | None = None) -> list[str]:
        """Delete what is too old or too much, oldest first; the files that went.

        Their index rows go with the batch's transaction (`Batch.spool_gone`).
        """
        gone: list[str] = []
        with self._lock:
            for name in [device] if device is not None else list(self._rings):
                ring = self._rings.get(name, deque())
                total = sum(kept.bytes for kept in ring)
                # The newest always stays: it may be larger than the bound.
                while len(ring) > 1 and (
                    total > self._max_bytes or now - ring[0].at > self._max_age
                ):
                    oldest = ring.popleft()
                    total -= oldest.bytes
                    gone.append(oldest.file)
        for file in gone:
            (self._root / file).unlink(missing_ok=True)
        return gone

    def bytes_of(self, device: str) -> int:
        """How much the camera's ring holds."""
        with self._lock:
            return sum(kept.bytes for kept in self._rings.get(device, ()))

    def last_number(self, device: str) -> int:
        """The highest number in the camera's ring, -1 when it is empty."""
        with self._lock:
            ring = self._rings.get(device)
            names = [_NAME.fullmatch(Path(kept.file).name) for kept in ring or ()]
            return max((int(name[1]) for name in names if name), default=-1)


def _found(root: Path, folder: Path) -> deque[_Kept]:
    """What an earlier run left, in order; half-written files are deleted."""
    ring: deque[_Kept] = deque()
    for path in sorted(folder.iterdir()):
        name = _NAME.fullmatch(path.name)
        if name:
            at = EPOCH + int(name[2]) * _MICROSECOND
            ring.append(_Kept(path.relative_to(root).as_posix(), at, path.stat().st_size))
        elif path.suffix == ".part":
            path.unlink()
    return ring


def write_durably(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole after a power cut, or not at all. Raises OSError."""
    temporary = path.with_name(f"{path.name}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError:
        with contextlib.suppress(OSError):  # the first error is the one to tell
            temporary.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    """A new name in a folder is durable only once the folder is."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
