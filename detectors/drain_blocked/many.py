"""All networks of a process: readings are kept until their network's next look, all at once; what
may bring a look is folded in its order."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from contracts.event import Event
from contracts.rows import Floats, Ints, Rows
from detectors._common.shelf import Routes
from detectors.drain_blocked.detect import DrainBlocked


class ManyNetworks:
    """Folds many readings for many networks at once."""

    def __init__(self, detectors: Sequence[DrainBlocked]) -> None:
        self._networks = detectors
        self._span = min((one.forget_s for one in detectors), default=math.inf)
        self._watched: dict[str, list[int]] = {}
        for n, one in enumerate(detectors):
            for device in one.devices:
                self._watched.setdefault(device, []).append(n)
        self._slots, self._special = Routes(), Routes()
        self._keep: list[list[tuple[float, float]]] = []
        """Where readings are kept, by slot ..."""
        self._network: list[int] = [len(detectors)]
        """... and the network that does; the last stands for none."""
        self._numbers: Ints = np.zeros(0, dtype=np.intp)
        """The same as an array."""
        self._others: dict[int, list[int]] = {}
        """Networks by keys that are no slots."""
        self._following: Floats = np.zeros(len(detectors) + 1)

    def settle(self) -> None:
        """Nothing is put aside but where the networks themselves keep it."""

    def on_batch(self, rows: Rows, /) -> tuple[list[tuple[int, Event]], int]:
        """Fold all that were received within the time after which a network asks to be woken."""
        rows = rows.within(self._span)
        self._meet(rows)
        if len(self._numbers) != len(self._network):
            self._numbers = np.array(self._network, dtype=np.intp)
        networks = self._networks
        self._following[:-1] = [one.following for one in networks]
        slots = self._slots.of(rows)
        network = self._numbers[slots]
        mine = slots >= 0
        quiet = rows.plain & (rows.at < self._following[network])
        loud = mine & ~quiet
        if self._others:
            loud |= self._special.of(rows) >= 0
        kept = (mine & quiet).nonzero()[0]
        into = slots[kept].tolist()
        points = list(zip(rows.at[kept].tolist(), rows.values[kept].tolist(), strict=True))
        events: list[tuple[int, Event]] = []
        keep, done = self._keep, 0
        if np.count_nonzero(loud):
            some = loud.nonzero()[0]
            places = kept.tolist()
            for place, slot, t, v, plain in zip(
                some.tolist(),
                slots[some].tolist(),
                rows.at[some].tolist(),
                rows.values[some].tolist(),
                rows.plain[some].tolist(),
                strict=True,
            ):
                while done < len(places) and places[done] < place:
                    keep[into[done]].append(points[done])
                    done += 1
                if slot >= 0 and plain and t < networks[self._network[slot]].following:
                    keep[slot].append((t, v))  # it was looked at since
                    continue
                for one in self._asked(rows, place, slot):
                    events.extend((place, event) for event in one.on_item(rows.readings[place]))
        for slot, point in zip(into[done:], points[done:], strict=True):
            keep[slot].append(point)
        return events, len(slots)

    def _asked(self, rows: Rows, place: int, slot: int) -> Sequence[DrainBlocked]:
        if slot >= 0:
            return (self._networks[self._network[slot]],)
        return [self._networks[n] for n in self._others[int(rows.keys[place])]]

    def _meet(self, rows: Rows) -> None:
        """Whose are keys that were never seen before?"""
        self._special.fresh(rows)
        for key, device, metric in self._slots.fresh(rows):
            who = self._watched.get(device, [])
            if metric == "level":
                who = [n for n in who if device in self._networks[n].waiting]
                if len(who) == 1:
                    self._slots.set(key, len(self._keep))
                    self._keep.append(self._networks[who[0]].waiting[device])
                    self._network.insert(-1, who[0])
                    continue
            if who and metric in ("level", "rain_rate"):
                self._others[key] = who
                self._special.set(key, 0)
