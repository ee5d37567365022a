"""All districts of a process: as long as we listen without a gap and nobody is missed, every device
of a batch is heard at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from contracts.clock import EPOCH
from contracts.event import Event
from contracts.rows import Floats, Ints, Rows
from detectors._common.shelf import Routes
from detectors.sensor_silent.detect import SensorSilent

US = timedelta(microseconds=1)


class ManyDistricts:
    """Listens to many districts."""

    def __init__(self, detectors: Sequence[SensorSilent]) -> None:
        self._districts = [District(one) for one in detectors]

    def settle(self) -> None:
        """Tell the detectors what was heard."""
        for one in self._districts:
            one.settle()

    def on_batch(self, rows: Rows, /) -> tuple[list[tuple[int, Event]], int]:
        """Fold all: none of them asks to be woken."""
        told = [event for one in self._districts for event in one.on_batch(rows)]
        if len(self._districts) > 1:
            told.sort(key=lambda event: event[0])
        return told, len(rows.at)


class District:
    """One of them."""

    def __init__(self, detector: SensorSilent) -> None:
        self._detector = detector
        self._names = list(detector.devices)
        self._numbers = {name: n for n, name in enumerate(self._names)}
        count = len(self._names)
        self._owners = Routes()
        self._usual: Floats = np.array([detector.usual(name) for name in self._names])
        self._registered: Floats = np.array([detector.registered(name) for name in self._names])
        self._limit: Floats = np.full(count, np.inf)
        """How long each may be silent (seconds of listening); infinite: nobody waits for it."""
        self._there = np.zeros(count, dtype=bool)
        """Whether it was heard before, its gateway is not away, and it is not missed ..."""
        self._simple = np.zeros(count, dtype=bool)
        """... and keeps to its registered period."""
        self._mark: Floats = np.zeros(count)
        self._last = np.zeros(count, dtype=np.int64)
        """Time of its newest message (microseconds since 1970)."""
        self._untold = np.zeros(count, dtype=bool)
        """Which of them the detector does not know of yet."""
        self._stale = True

    def settle(self) -> None:
        """Tell the detector what was heard."""
        for n in np.flatnonzero(self._untold).tolist():
            self._tell(n)
        self._stale = True

    def on_batch(self, rows: Rows) -> list[tuple[int, Event]]:
        """(place, event) of each event."""
        for key, device, _ in self._owners.fresh(rows):
            self._owners.set(key, self._numbers.get(device, -1))
        if self._stale:
            for n in range(len(self._names)):
                self._look(n)
            self._stale = False
        devices = self._owners.of(rows)
        own = np.flatnonzero(devices >= 0)
        devices = devices[own]
        if len(own) and self._there[devices].all():
            listened = self._listened(rows, own)
            if listened is not None and self._heard(rows, own, devices, listened):
                return []
        self.settle()
        told = []
        for place in own.tolist():
            told += [(place, event) for event in self._detector.on_item(rows.readings[place])]
        return told

    def _listened(self, rows: Rows, own: Ints) -> Floats | None:
        """Seconds of listening up to each receipt; None: there is a gap in what we heard."""
        state = self._detector.state
        if state.newest is None or state.since is None:
            return None
        newest, since = (state.newest - EPOCH) // US, (state.since - EPOCH) // US
        received = np.rint(1e6 * rows.received[own]).astype(np.int64)
        heard = np.maximum.accumulate(np.maximum(received, newest))
        longest = max(int(heard[0]) - newest, int(np.diff(heard).max(initial=0)))
        if longest > self._detector.deaf // US:
            return None
        return np.asarray(state.listened + (heard - since) / 1e6)

    def _heard(self, rows: Rows, own: Ints, devices: Ints, listened: Floats) -> bool:
        """Hear of all of them; False, and nothing is done, where somebody may have been missed
        meanwhile."""
        order = devices.argsort(kind="stable")
        who, when = devices[order], listened[order]
        before = np.empty(len(who))
        before[1:] = when[:-1]
        first = np.ones(len(who), dtype=bool)
        first[1:] = who[1:] != who[:-1]
        before[first] = self._mark[who[first]]
        odd = ~(self._simple[who] & (when - before <= self._usual[who]))
        limit, mark = self._limit, self._mark.copy()
        if odd.any():  # its limit may change with each pause, but to no less than registered
            limit = limit.copy()
            limit[who[odd]] = self._registered[who[odd]]
        mark[who] = when  # of several the last counts
        if not ((before + limit[who] > when).all() and (mark + limit > listened[-1]).all()):
            return False
        rest = order
        if odd.any():
            some = np.zeros(len(self._names), dtype=bool)
            some[who[odd]] = True
            strange = some[who]
            self._pauses(rows, own[order[strange]], who[strange], when[strange])
            rest, who, when = order[~strange], who[~strange], when[~strange]
        self._mark[who] = when
        at = np.rint(1e6 * rows.at[own[rest]]).astype(np.int64)
        np.maximum.at(self._last, who, at)
        self._untold[who] = True
        newest = rows.readings[int(own[rows.received[own].argmax()])].received_at
        state = self._detector.state
        if state.newest is None or newest > state.newest:
            state.newest = newest
        return True

    def _pauses(self, rows: Rows, places: Ints, who: Ints, when: Floats) -> None:
        """Hear of devices that do not keep to their periods, one by one."""
        some = set(who.tolist())
        for n in some:
            self._tell(n)
        heard = self._detector.state.devices
        for place, n, listened in zip(places.tolist(), who.tolist(), when.tolist(), strict=True):
            name = self._names[n]
            self._detector.note(heard[name], name, rows.readings[place].at, listened)
        for n in some:
            self._look(n)

    def _tell(self, n: int) -> None:
        """Tell the detector when a device was heard."""
        if self._untold[n]:
            self._untold[n] = False
            heard = self._detector.state.devices[self._names[n]]
            heard.mark = float(self._mark[n])
            heard.last = EPOCH + int(self._last[n]) * US

    def _look(self, n: int) -> None:
        """What the detector knows of a device."""
        name = self._names[n]
        heard = self._detector.state.devices.get(name)
        self._there[n] = self._simple[n] = False
        self._limit[n] = np.inf
        if heard is None:
            return
        self._mark[n], self._last[n] = heard.mark, (heard.last - EPOCH) // US
        if heard.episode is None:
            self._limit[n] = self._detector.limit_of(name, heard)
            self._there[n] = not heard.offline
            self._simple[n] = not heard.offline and not heard.gaps
