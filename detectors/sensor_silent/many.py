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
from detectors.sensor_silent.detect import Heard, SensorSilent

US, SECOND = timedelta(microseconds=1), timedelta(seconds=1)


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
        """Whether it was heard before, its gateway is not away, and it is not missed."""
        self._calm: Floats = np.full(count, -1.0)
        """A pause of it up to this (seconds of listening) is as registered and needs no look; -1:
        each is looked at."""
        self._mark: Floats = np.zeros(count)
        self._last: Floats = np.zeros(count)
        """Time of its newest message (epoch seconds)."""
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
        own: Ints | None = None
        if np.count_nonzero(devices >= 0) < len(devices):
            own = (devices >= 0).nonzero()[0]
            devices = devices[own]
        if len(devices) and np.count_nonzero(self._there[devices]) == len(devices):
            received, at = rows.received, rows.at
            if own is not None:
                received, at = received[own], at[own]
            listened = self._listened(received)
            if listened is not None and self._heard(at, devices, listened):
                newest = rows.readings[_nth(own, int(received.argmax()))].received_at
                state = self._detector.state
                if state.newest is None or newest > state.newest:
                    state.newest = newest
                return []
        self.settle()
        told = []
        for place in range(len(rows.at)) if own is None else own.tolist():
            told += [(place, event) for event in self._detector.on_item(rows.readings[place])]
        return told

    def _listened(self, seconds: Floats) -> Floats | None:
        """Seconds of listening up to each receipt; None: there is a gap in what we heard."""
        state = self._detector.state
        if state.newest is None or state.since is None:
            return None
        newest, since = (state.newest - EPOCH) // US, (state.since - EPOCH) // US
        received = np.rint(1e6 * seconds).astype(np.int64)
        received[0] = max(int(received[0]), newest)
        heard = np.maximum.accumulate(received)
        deaf = self._detector.deaf // US
        if int(heard[-1]) - newest > deaf:  # else no gap is longer
            longest = max(int(heard[0]) - newest, int((heard[1:] - heard[:-1]).max(initial=0)))
            if longest > deaf:
                return None
        return np.asarray(state.listened + (heard - since) / 1e6)

    def _heard(self, at: Floats, devices: Ints, listened: Floats) -> bool:
        """Hear of all of them; False, and nothing is done, where somebody may have been missed
        meanwhile."""
        order = devices.argsort(kind="stable")
        who, when = devices[order], listened[order]
        before = self._mark[who]
        again = (who[1:] == who[:-1]).nonzero()[0]
        before[again + 1] = when[again]
        limit, mark, pause = self._limit, self._mark.copy(), when - before
        odd = (pause > self._calm[who]).nonzero()[0]
        if len(odd):  # its limit may change with each pause, but to no less than registered
            limit = limit.copy()
            limit[who[odd]] = self._registered[who[odd]]
            if np.count_nonzero(before[odd] + limit[who[odd]] > when[odd]) < len(odd):
                return False
        mark[who] = when  # of several the last counts
        if np.count_nonzero(mark + limit > listened[-1]) < len(mark):
            return False
        if len(odd):
            some = np.zeros(len(self._names), dtype=bool)
            some[who[odd]] = True
            strange = some[who]
            self._pauses(who[strange].tolist(), when[strange].tolist())
        self._mark = mark
        np.maximum.at(self._last, who, at[order])
        self._untold[who] = True
        return True

    def _pauses(self, who: Sequence[int], when: Sequence[float]) -> None:
        """What the pauses of devices that do not keep to their periods, or did not lately, say of
        their habits: device after device."""
        heard = self._detector.state.devices
        names, detector = self._names, self._detector
        for n in (some := set(who)):
            heard[names[n]].mark = float(self._mark[n])
        for n, listened in zip(who, when, strict=True):
            detector.pauses(heard[names[n]], names[n], listened)
        for n in some:
            self._waits(n, heard[names[n]])

    def _tell(self, n: int) -> None:
        """Tell the detector when a device was heard."""
        if self._untold[n]:
            self._untold[n] = False
            heard = self._detector.state.devices[self._names[n]]
            heard.mark = float(self._mark[n])
            heard.last = EPOCH + round(1e6 * float(self._last[n])) * US

    def _look(self, n: int) -> None:
        """What the detector knows of a device."""
        heard = self._detector.state.devices.get(self._names[n])
        self._there[n], self._calm[n], self._limit[n] = False, -1.0, np.inf
        if heard is None:
            return
        self._mark[n], self._last[n] = heard.mark, (heard.last - EPOCH) / SECOND
        if heard.episode is None:
            self._there[n] = not heard.offline
            self._waits(n, heard)

    def _waits(self, n: int, heard: Heard) -> None:
        """How long it may be silent, and which pauses need no look."""
        limit = self._limit[n] = self._detector.limit_of(self._names[n], heard)
        usual = self._usual[n]
        calm = not heard.offline and not heard.gaps and usual < limit
        self._calm[n] = usual if calm else -1.0


def _nth(own: Ints | None, place: int) -> int:
    return place if own is None else int(own[place])
