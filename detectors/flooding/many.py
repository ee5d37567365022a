"""All flooding detectors of a process: most readings are of still water, and wait until it moves.

Still water asks nothing of what is around, and a neighbour's that did not move changes nothing:
only what is left is folded, one by one, in its order. Rain comes to many sites from one gauge and
is folded once for all of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from contracts.event import Event
from contracts.nouns import Reading
from contracts.rows import Ints, Rows
from detectors._common.shelf import MOST, Routes, Shelf
from detectors.flooding.around import WATER, Rain
from detectors.flooding.channel import Channel
from detectors.flooding.detect import Flooding
from detectors.flooding.ears import EAR, Ears
from detectors.flooding.levels import Levels
from detectors.flooding.told import FAULTY

OWN: Final = 0
OTHER: Final = 2
"""What is to be folded: a site's own water, or (beside `EAR`) anything else."""

Todo = list[tuple[int, int, int]]
"""Place in the rows, what, and which."""


class Sky:
    """The rain at sites that listen to the same gauges, and know the same of it."""

    def __init__(self, rain: Rain, nearest: str) -> None:
        self.rain, self.nearest = rain.copy(), nearest
        self.folds = 0


class ManyFloods:
    """Folds many readings for many sites at once."""

    def __init__(self, detectors: Sequence[Flooding | Levels]) -> None:
        self._sites = [one for one in detectors if isinstance(one, Flooding)]
        self._span = min((one.forget_s for one in detectors), default=math.inf)
        self._shelf, self._owners, self._special = Shelf(), Routes(), Routes()
        self._slots: list[list[int]] = []
        """The channels of each site."""
        self._own: dict[tuple[str, str], int] = {}
        at: list[int] = []
        self._listen: dict[str, list[int]] = {}
        for n, site in enumerate(self._sites):
            self._slots.append([])
            for metric, channel in site.channels.items():
                slot = self._shelf.add(channel)
                self._own[site.own, metric] = slot
                self._slots[n].append(slot)
                at.append(n)
            for device in site.devices:
                self._listen.setdefault(device, []).append(n)
        self._site_of: Ints = np.array([*at, 0], dtype=np.intp)
        self._levels: dict[str, list[Levels]] = {}
        for one in detectors:
            if isinstance(one, Levels):
                for device in one.devices:
                    self._levels.setdefault(device, []).append(one)
        self._channels: dict[int, Channel] = {}
        """The channel of a key."""
        self._others: dict[int, list[Flooding | Levels]] = {}
        """Who folds the readings of a key one by one."""
        self._showers: dict[int, list[int]] = {}
        """The sites that hear this rain, by key."""
        self._gauges = [set(site.gauges) for site in self._sites]
        self._falls: dict[int, list[Sky]] = {}
        """The skies that a shower falls from, by key."""
        self._ears = Ears(self._sites, self._listen)
        self._skies: list[Sky] = []
        self._known: list[int] = []
        """How many readings of its sky each site knows of."""
        self._stale = True

    def settle(self) -> None:
        """Give the detectors what was put aside for them."""
        self._shelf.settle_all()
        for n in range(len(self._skies)):
            self._rained(n)
        self._stale = True

    def on_batch(self, rows: Rows, /) -> tuple[list[tuple[int, Event]], int]:
        """Fold all that were received within the time after which a site asks to be woken."""
        rows = rows.within(self._span)
        self._meet(rows)
        if self._stale:
            self._look_again()
        own = self._owners.of(rows)
        waits = self._shelf.waits(own, rows) & rows.plain
        todo: Todo = []
        mine = own >= 0
        busy = np.zeros(len(self._sites) + 1, dtype=bool)
        some: list[int] = []
        if np.count_nonzero(waits) < np.count_nonzero(mine):
            sites = self._site_of[own]
            busy[sites[mine & ~waits]] = True
            waits &= ~busy[sites]
            loud = (mine & ~waits).nonzero()[0]
            todo = [(p, OWN, n) for p, n in zip(loud.tolist(), sites[loud].tolist(), strict=True)]
            some = busy[:-1].nonzero()[0].tolist()
            for n in some:
                for slot in self._slots[n]:
                    self._shelf.settle(slot)
        todo += self._ears.loud(rows, busy)
        if self._others or self._showers:
            special = (self._special.of(rows) >= 0).nonzero()[0]
            keys = rows.keys[special].tolist()
            todo += [(p, OTHER, k) for p, k in zip(special.tolist(), keys, strict=True)]
        todo.sort()
        events: list[tuple[int, Event]] = []
        for place, what, which in todo:
            told = self._fold(rows, place, what, which)
            if told:
                events.extend((place, one) for one in told)
        for n in some:
            self._look(n)
        self._ears.heard()
        self._shelf.put(own, rows, waits)
        return events, len(own)

    def _fold(self, rows: Rows, place: int, what: int, which: int) -> Sequence[Event]:
        """The events of one reading."""
        item = rows.readings[place]
        if what == EAR:
            self._ears.hear(which, item, float(rows.at[place]), bool(rows.plain[place]))
            return ()
        if what == OWN:
            channel = self._channels.get(int(rows.keys[place]))
            site = self._sites[which]
            if (
                channel is not None
                and channel.low <= item.value < channel.high
                and channel.newest < (t := float(rows.at[place])) < channel.until
                and len(channel.waiting) < MOST
                and rows.plain[place]
                and not site.open
            ):  # as `on_item` would
                channel.waiting.append((t, item.value))
                channel.newest = t
                return ()
            if self._known[which] != self._skies[which].folds:
                self._rained(which)
            return tuple(site.on_item(item))
        if which in self._showers and not item.quality & FAULTY:
            self._rain(item, float(rows.at[place]), which)
        return [event for one in self._others.get(which, ()) for event in one.on_item(item)]

    def _rain(self, item: Reading, t: float, key: int) -> None:
        skies = self._falls.get(key)
        if skies is None:
            found = {id(sky): sky for n in self._showers[key] if (sky := self._skies[n])}
            skies = self._falls[key] = list(found.values())
        for sky in skies:
            sky.folds += 1
            sky.rain.fold(item.device, t, item.value, item.device == sky.nearest)

    def _rained(self, n: int) -> None:
        """Tell a site of its rain."""
        sky = self._skies[n]
        if self._known[n] != sky.folds:
            self._known[n] = sky.folds
            self._sites[n].rain = sky.rain.copy()

    def _look(self, n: int) -> None:
        """What may wait at a site from now on: nothing while a flood is open."""
        site = self._sites[n]
        for slot, channel in zip(self._slots[n], site.channels.values(), strict=True):
            if site.open:
                self._shelf.refuse(slot)
            else:
                self._shelf.allow(slot, channel.until)

    def _look_again(self) -> None:
        """The detectors are new, or others asked them."""
        skies: dict[bytes, Sky] = {}
        self._skies, self._falls = [], {}
        for n, site in enumerate(self._sites):
            self._look(n)
            alike = msgspec.msgpack.encode((sorted(self._gauges[n]), site.nearest, site.rain))
            self._skies.append(skies.setdefault(alike, Sky(site.rain, site.nearest)))
        self._known = [0] * len(self._sites)
        self._ears.look_again()
        self._stale = False

    def _meet(self, rows: Rows) -> None:
        """Whose are keys that were never seen before?"""
        for key, device, metric in self._owners.fresh(rows):
            slot = self._own.get((device, metric), -1)
            self._owners.set(key, slot)
            if slot >= 0:
                self._channels[key] = self._sites[self._site_of[slot]].channels[metric]
            others: list[Flooding | Levels] = [*self._levels.get(device, ())]
            hear = self._listen.get(device, ())
            if metric == "rain_rate" and hear:
                self._shower(key, device, hear)
            elif slot < 0:
                others += [self._sites[n] for n in hear if self._sites[n].own == device]
            self._ears.meet(key, device, metric in WATER)
            if others:
                self._others[key] = others
        for key, _, _ in self._special.fresh(rows):
            self._special.set(key, 0 if key in self._others or key in self._showers else -1)

    def _shower(self, key: int, device: str, hear: Sequence[int]) -> None:
        """A new gauge. One that is registered as none is heard by some of those that share a sky
        alone."""
        for n in hear:
            if device not in self._gauges[n]:
                if not self._stale:
                    self.settle()
                self._gauges[n].add(device)
        self._showers[key] = list(hear)
