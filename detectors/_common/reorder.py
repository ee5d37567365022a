"""The one reorder stage before a detector: items leave it in the order of `at` in each stream.

A stream is what can be in order: (device, metric) for readings, (device, noun) otherwise; each
report is a stream of its own, because residents' phones share one app and no clock.

* A device whose bound is 0 (the default) is taken at its word: what is newer than the last item of
  its stream passes at once, anything else is *late*: stored and counted by the caller, not folded.
  A redelivered duplicate is recognised by this too.
* A device known to reorder has a bound of some seconds. EVERY item of it waits until its bound has
  passed since its own `at` (never longer than the bound after it was received), also one that looks
  in order: nothing tells a gap from a pause. That is what makes a reorder inside the bound change
  nothing at all: each item leaves at the same moment and in the same place, whenever it came, and
  carries that moment as its `received_at`, so that a detector's timers agree too.
* A reading whose time is not the device's own (`at` is not `sent_at`: clock off, or no time sent)
  gets a new `at` with every redelivery, so it is recognised by its identity, `sent_at` or
  (`boot`, `seq`), among the last 512 of its stream. A reading with neither is outside the promise.

Pure: the caller says what time it is. One instance serves one detector at one site.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from contracts.nouns import Item, Reading, Report
from detectors._common.pack import pack, unpack

RECENT = 512
"""Identities remembered per stream for items that cannot be recognised by their time."""

Key = tuple[str, str]
Identity = tuple[datetime | None, int, int | None] | str


class _Waiting(msgspec.Struct):
    at: datetime
    due: datetime
    item: Item

    def __lt__(self, other: _Waiting) -> bool:
        return self.at < other.at


class _Saved(msgspec.Struct, array_like=True):
    last: list[tuple[str, str, datetime]]
    recent: list[tuple[str, str, list[Identity]]]
    waiting: list[tuple[str, str, datetime, datetime, str, bytes]]


class Reorder:
    """Puts the items of one site in order, within `bounds` (device → seconds, default 0)."""

    __slots__ = ("_bounds", "_last", "_recent", "_waiting")

    def __init__(self, bounds: Mapping[str, float]) -> None:
        self._bounds = {device: timedelta(seconds=s) for device, s in bounds.items() if s > 0}
        self._last: dict[Key, datetime] = {}
        self._recent: dict[Key, dict[Identity, None]] = {}
        self._waiting: dict[Key, list[_Waiting]] = {}

    def put(self, item: Item) -> tuple[list[Item], bool]:
        """(items to fold now, in order; whether this one is late or a duplicate).

        Call `due` up to the item's receipt time first.
        """
        if type(item) is Reading:
            key = (item.device, item.metric)
            if item.sent_at is not item.at and item.sent_at != item.at:
                identity = _identity(item)
                if identity is not None and not self._first_time(key, identity, item.sent_at):
                    return [], True
        elif type(item) is Report:
            key = (item.device, "Report")
            return ([item], False) if self._first_time(key, item.id, None) else ([], True)
        else:
            key = (item.device, type(item).__name__)
        last = self._last.get(key)
        if last is not None and item.at <= last:
            return [], True
        if self._bounds and item.device in self._bounds:
            return self._hold(key, item)
        self._last[key] = item.at
        return [item], False

    def due(self, now: datetime) -> list[Item]:
        """Items whose wait is over at receipt time `now`, ordered by (`at`, device, stream)."""
        if not self._waiting:
            return []
        ready = [
            (item.at, key, item) for key in list(self._waiting) for item in self._release(key, now)
        ]
        ready.sort(key=lambda r: r[:2])
        return [item for _, _, item in ready]

    def wake_at(self) -> datetime | None:
        """When `due` must be called next."""
        if not self._waiting:
            return None
        return min(queue[0].due for queue in self._waiting.values())

    def snapshot(self) -> bytes:
        """All state, waiting items included."""
        saved = _Saved(
            last=[(*key, at) for key, at in self._last.items()],
            recent=[(*key, list(seen)) for key, seen in self._recent.items()],
            waiting=[
                (*key, w.at, w.due, *pack(w.item)) for key, q in self._waiting.items() for w in q
            ],
        )
        return msgspec.msgpack.encode(saved)

    @classmethod
    def restore(cls, bounds: Mapping[str, float], data: bytes) -> Reorder:
        """The stage as it was when `snapshot` gave `data`."""
        stage = cls(bounds)
        saved = msgspec.msgpack.decode(data, type=_Saved)
        stage._last = {(device, stream): at for device, stream, at in saved.last}
        stage._recent = {(d, s): dict.fromkeys(seen) for d, s, seen in saved.recent}
        for device, stream, at, due, noun, packed in saved.waiting:
            entry = _Waiting(at, due, unpack(noun, packed))
            stage._waiting.setdefault((device, stream), []).append(entry)
        return stage

    def _first_time(self, key: Key, identity: Identity, sent_at: datetime | None) -> bool:
        seen = self._recent.get(key)
        if seen is None:
            seen = self._recent[key] = {}
        # The last one of an honest clock may come again after the clock was found to be off.
        if identity in seen or (sent_at is not None and sent_at == self._last.get(key)):
            return False
        seen[identity] = None
        if len(seen) > RECENT:
            del seen[next(iter(seen))]
        return True

    def _hold(self, key: Key, item: Item) -> tuple[list[Item], bool]:
        queue = self._waiting.setdefault(key, [])
        bound = self._bounds[item.device]
        due = min(item.at, item.received_at) + bound
        entry = _Waiting(item.at, max(due, item.received_at), item)
        place = bisect_left(queue, entry)
        if place < len(queue) and queue[place].at == item.at:
            return [], True  # its twin is still waiting
        insort(queue, entry)
        # Nobody waits longer than a later item of the same stream: they leave in order.
        for i in range(len(queue) - 2, -1, -1):
            queue[i].due = min(queue[i].due, queue[i + 1].due)
        return self._release(key, item.received_at), False

    def _release(self, key: Key, now: datetime) -> list[Item]:
        queue = self._waiting[key]
        count = next((i for i, w in enumerate(queue) if w.due > now), len(queue))
        ready: list[Item] = [
            msgspec.structs.replace(w.item, received_at=max(w.due, w.item.received_at))
            for w in queue[:count]
        ]
        if count:
            self._last[key] = queue[count - 1].at
            del queue[:count]
            if not queue:
                del self._waiting[key]
        return ready


def _identity(item: Reading) -> Identity | None:
    if item.sent_at is not None:
        return (item.sent_at, 0, None)
    if item.seq is not None:
        return (None, item.boot, item.seq)
    return None
