"""The town's clockwork: what happens next, and what gateways have to say about it.

Times inside the simulation are epoch milliseconds (`int`), so that a run is exact and repeatable.
"""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from contracts.clock import from_epoch_ms, iso

ROOT = "gridsentry/v1"


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One message as a gateway hands it to its MQTT client."""

    at: int
    """When it leaves, epoch ms."""
    gateway: str
    topic: str
    payload: bytes
    retain: bool = False
    file: str = ""
    """Name ending when it is media (`mp4`, `sor`), else empty."""


Happening = Callable[[int], Iterable[Outgoing]]


class World:
    """A queue of happenings. `step` runs the next one or hands over the next message."""

    def __init__(self) -> None:
        self._queue: list[tuple[int, int, Happening | Outgoing]] = []
        self._order = itertools.count()
        self._away: dict[str, tuple[int, int, bool]] = {}

    def at(self, ms: int, happening: Happening) -> None:
        """Let `happening(ms)` run at `ms`; what it returns is sent at its own times."""
        heapq.heappush(self._queue, (ms, next(self._order), happening))

    def send(self, message: Outgoing) -> None:
        """Let `message` leave at its time."""
        heapq.heappush(self._queue, (message.at, next(self._order), message))

    def silence(self, gateway: str, begin: int, end: int, *, lost: bool) -> None:
        """Let nothing but retained words of `gateway` leave between two times (epoch ms): what it
        has then is lost, or leaves in its order within seconds of the end."""
        self._away[gateway] = (begin, end, lost)

    def away(self, gateway: str, ms: int) -> bool:
        """Whether nothing of this gateway leaves now."""
        begin, end, _ = self._away.get(gateway, (0, 0, False))
        return begin <= ms < end

    def next_at(self) -> int | None:
        """When `step` has something to do, epoch ms; None: never again."""
        return self._queue[0][0] if self._queue else None

    def step(self) -> Outgoing | None:
        """Do the next thing; a message when it was one."""
        ms, _, what = heapq.heappop(self._queue)
        if isinstance(what, Outgoing):
            begin, end, lost = self._away.get(what.gateway, (0, 0, False))
            if what.retain or not begin <= what.at < end:
                return what
            if not lost:
                later = end + (what.at - begin) // 100 + 1
                self.send(msgspec.structs.replace(what, at=later))
            return None
        for message in what(ms):
            self.send(message)
        return None


class Truth:
    """What really happened, as JSON lines nobody but a scorer reads."""

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[dict[str, Any]] = []
        self._path = path
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("", encoding="utf-8")

    def note(self, at: int, kind: str, where: str, details: dict[str, Any]) -> None:
        """Write down `{"at", "kind", "where", "details"}`."""
        entry = {"at": iso(from_epoch_ms(at)), "kind": kind, "where": where, "details": details}
        self.entries.append(entry)
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def feed(district: str, device: str, *rest: object) -> str:
    """A topic of the feed: `gridsentry/v1/feed/{district}/{device}/…`."""
    return "/".join([ROOT, "feed", district, device, *map(str, rest)])


def moment(ms: int) -> datetime:
    """The datetime of epoch ms, UTC."""
    return from_epoch_ms(ms)
