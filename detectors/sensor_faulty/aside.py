"""A batch of readings, most of which say nothing new: those are put aside column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush

from contracts.columns import ALL, Column
from contracts.nouns import Reading
from detectors.sensor_faulty.channel import Channel
from detectors.sensor_faulty.metrics import Metric
from detectors.sensor_faulty.state import DeviceState

Known = tuple[DeviceState, Channel, Metric]


class _Part:
    """How far a column is folded."""

    __slots__ = ("column", "done", "known", "stop")

    def __init__(self, column: Column, known: Known | None) -> None:
        self.column, self.known = column, known
        self.done = 0
        self.stop = 0
        """The next reading that must be folded; those from `done` to before it are put aside."""

    def look(self) -> int:
        """The place of the next reading that must be folded."""
        c, done = self.column, self.done
        self.stop = done
        if self.known is not None and c.plain and done < len(c.places):
            device, channel, metric = self.known
            if not device.busy and not (metric.wet and any(c.values)):
                self.stop = channel.still(c, done)
        return c.places[self.stop] if self.stop < len(c.places) else ALL

    def catch_up(self, place: int) -> None:
        """Put aside what comes before that place."""
        done, end, c = self.done, self.stop, self.column
        if self.known is None or done >= end:
            return
        if c.places[end - 1] >= place:
            end = c.upto(place)
            if done >= end:
                return
        device, channel, _ = self.known
        whole = not done and end == len(c.at)
        some = (
            zip(c.at, c.values, strict=True)
            if whole
            else zip(c.at[done:end], c.values[done:end], strict=True)
        )
        channel.waiting.extend(some)
        channel.newest, heard = c.at[end - 1], c.readings[end - 1].received_at
        if device.heard is None or heard > device.heard:  # its other metrics may be ahead
            device.heard = heard
        self.done = end


class Aside:
    """Gives out the readings of a batch that must be folded, in their order; puts the others
    aside before somebody asks for what they change: their channel, and when a device was heard."""

    def __init__(self, columns: Sequence[Column], known: Mapping[tuple[str, str], Known]) -> None:
        self._known = known
        self._parts = [_Part(c, known.get((c.device, c.metric))) for c in columns]
        self._next = [
            (place, n) for n, part in enumerate(self._parts) if (place := part.look()) < ALL
        ]
        heapify(self._next)
        self._of: dict[str, list[int]] = {}
        if self._next:
            for n, c in enumerate(columns):
                self._of.setdefault(c.device, []).append(n)
        self._folded: _Part | None = None
        self.place = 0
        """Of the reading that was given out last."""

    def following(self) -> Reading | None:
        """The next one that must be folded, now; None: there is none."""
        parts = self._parts
        if self._folded is not None:
            for n in self._of[self._folded.column.device]:
                one = parts[n]
                if one.known is None:
                    one.known = self._known.get((one.column.device, one.column.metric))
                place = one.look()
                if place < ALL:
                    heappush(self._next, (place, n))
            self._folded = None
        while self._next:
            place, n = heappop(self._next)
            part = parts[n]
            if part.stop >= len(part.column.places) or part.column.places[part.stop] != place:
                continue  # the one before it has changed that
            self.place = place
            for other in self._of[part.column.device]:
                parts[other].catch_up(place)
            part.done = part.stop + 1
            self._folded = part
            return part.column.readings[part.stop]
        return None

    def catch_up(self, place: int) -> None:
        """Put aside what comes before that place."""
        for part in self._parts:
            part.catch_up(place)
