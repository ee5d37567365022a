"""Pictures of outside gateways, and what they tracked, for the minutes in which they may matter.

A picture is durable here before its message is acknowledged. Which of them shows what was tracked
is found by camera, label and time: Frigate's pictures say no more. Layout:
`{root}/{device}/{hash}.seen`, so that what is delivered twice is kept once.
"""

from __future__ import annotations

import hashlib
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from contracts.errors import Temporary
from ingest.adapting.seen import Picture, Seen, Tracked
from ingest.spool import write_durably

KEPT: Final = timedelta(minutes=15)
MOST_BYTES: Final = 64 * 2**20
"""For each camera; the oldest go first."""
BEFORE: Final = timedelta(seconds=10)
"""A picture may come so long before the first word of what it shows."""
AFTER: Final = timedelta(seconds=30)
"""So long after its last word the last, best picture may come."""


class Thing(msgspec.Struct, tag="thing"):
    """Something tracked, as all that was heard of it says."""

    told: Tracked
    """The newest word of it."""
    first_at: datetime
    """When it was heard of first."""


_kept = msgspec.msgpack.Decoder(Picture | Thing)


class _Shot(msgspec.Struct):
    """A picture without its bytes: those stay on the disk."""

    picture: Picture
    path: Path
    bytes: int


class Album:
    """Thread-safe: the bulk reader fills it, the writer's loop looks into it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._things: dict[tuple[str, str], Thing] = {}
        self._shots: dict[str, list[_Shot]] = {}
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in sorted(root.glob("*/*")):
            self._found(path)

    def _found(self, path: Path) -> None:
        try:
            one = _kept.decode(path.read_bytes())
        except (OSError, msgspec.DecodeError):
            path.unlink(missing_ok=True)  # half-written, or of another version
            return
        if isinstance(one, Thing):
            self._things[one.told.device, one.told.id] = one
        else:
            self._put(one, path)

    def keep(self, one: Seen) -> None:
        """Make it durable. Raises Temporary when the disk fails."""
        if isinstance(one, Picture):
            path = self._path(one.device, one.label.encode() + b"\0" + one.data)
            if not path.exists():
                self._write(path, one)
                self._put(one, path)
            return
        key = (one.device, one.id)
        before = self._things.get(key)
        if before is not None and before.told.end is not None and one.end is None:
            return  # an older word, delivered again
        thing = Thing(one, one.received_at if before is None else before.first_at)
        self._write(self._path(one.device, one.id.encode()), thing)
        with self._lock:
            self._things[key] = thing

    def _path(self, device: str, content: bytes) -> Path:
        return self._root / device / f"{hashlib.sha256(content).hexdigest()[:32]}.seen"

    def _write(self, path: Path, one: Picture | Thing) -> None:
        try:
            path.parent.mkdir(exist_ok=True, mode=0o700)
            write_durably(path, msgspec.msgpack.encode(one))
        except OSError as error:
            raise Temporary(f"cannot keep a picture in {path.parent}: {error}") from error

    def _put(self, picture: Picture, path: Path) -> None:
        with self._lock:
            shots = self._shots.setdefault(picture.device, [])
            bare = msgspec.structs.replace(picture, data=b"")
            shots.append(_Shot(bare, path, len(picture.data)))
            shots.sort(key=lambda shot: shot.picture.received_at)

    def things(self, device: str) -> list[Thing]:
        """What that camera tracked lately, in the order it was heard of."""
        with self._lock:
            found = [thing for (of, _), thing in self._things.items() if of == device]
        return sorted(found, key=lambda thing: (thing.first_at, thing.told.id))

    def picture_of(self, thing: Thing) -> Picture | None:
        """The last picture that shows it: each one that is published is the better one. Where two
        of a label are tracked at once, a picture belongs to the one spoken of closest to it."""
        told = thing.told
        rivals = [t for t in self.things(told.device) if t.told.label == told.label]
        found: _Shot | None = None
        with self._lock:
            shots = list(self._shots.get(told.device, ()))
        for shot in shots:
            picture = shot.picture
            if picture.label != told.label:
                continue
            if picture.of is not None:
                mine = picture.of == told.id
            else:
                at = picture.received_at
                fitting = [t for t in rivals if _from(t) <= at <= _until(t)]
                mine = bool(fitting) and _nearest(fitting, at) == told.id
            if mine:
                found = shot
        return None if found is None else self._whole(found)

    @staticmethod
    def _whole(shot: _Shot) -> Picture | None:
        try:
            found = _kept.decode(shot.path.read_bytes())
        except (OSError, msgspec.DecodeError):
            return None  # it has just been forgotten
        return found if isinstance(found, Picture) else None

    def forget(self, now: datetime) -> int:
        """Drop what is older than a quarter of an hour, and what is too much; how many files."""
        gone: list[Path] = []
        with self._lock:
            for shots in self._shots.values():
                total = sum(shot.bytes for shot in shots)
                while shots and (now - shots[0].picture.received_at > KEPT or total > MOST_BYTES):
                    oldest = shots.pop(0)
                    total -= oldest.bytes
                    gone.append(oldest.path)
            for key, thing in list(self._things.items()):
                if now - thing.told.received_at > KEPT:
                    del self._things[key]
                    gone.append(self._path(key[0], key[1].encode()))
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)


def _from(thing: Thing) -> datetime:
    return thing.first_at - BEFORE


def _until(thing: Thing) -> datetime:
    told = thing.told
    return (
        told.received_at + AFTER
        if told.end is not None
        else datetime.max.replace(tzinfo=told.received_at.tzinfo)
    )


def _nearest(things: list[Thing], at: datetime) -> str:
    return min(things, key=lambda thing: _distance(thing, at)).told.id


def _distance(thing: Thing, at: datetime) -> timedelta:
    """How far from when it was spoken of."""
    last = thing.told.received_at
    return max(thing.first_at - at, at - last, timedelta(0))
