"""All neighbourhoods of a process: readings that say nothing new are put aside all at once; the
others are folded one by one, in their order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import numpy as np

from contracts.clock import EPOCH
from contracts.event import Event
from contracts.rows import Bools, Floats, Ints, Rows
from detectors._common.shelf import MOST, Routes, Shelf
from detectors.sensor_faulty.camera import CameraFaults
from detectors.sensor_faulty.channel import Channel
from detectors.sensor_faulty.readings import ReadingFaults
from detectors.sensor_faulty.state import DeviceState

DRY: Final = math.ulp(0.0)
"""A gauge that says less than this says that it does not rain."""


class ManyReadingFaults:
    """Folds many readings for many neighbourhoods at once."""

    def __init__(self, detectors: Sequence[ReadingFaults | CameraFaults]) -> None:
        self._of: dict[str, ReadingFaults] = {}
        """Who watches a device."""
        for one in detectors:
            if isinstance(one, ReadingFaults):
                one.before_asking = self._hear_all
                self._of |= dict.fromkeys(one.devices, one)
        self._shelf = Shelf()
        self._slots, self._owners = Routes(), Routes()
        self._devices: list[str] = []
        self._numbers: dict[str, int] = {}
        self._slots_of: list[dict[str, int]] = []
        """Slots by metric, of each device."""
        self._known: dict[int, tuple[DeviceState, Channel, float]] = {}
        """By key; values from the last on say that it rains."""
        self._heard: Floats = np.zeros(1)
        """Receipt of the newest reading that was put aside, by device; 0: it knows of all."""
        self._stale = False
        self._now: tuple[Rows, Ints, Bools, int] | None = None
        """What is being folded: rows, devices, which wait, and the place reached."""

    def settle(self) -> None:
        """Give the detectors what was put aside for them."""
        self._shelf.settle_all()
        for n in self._heard.nonzero()[0].tolist():
            self._hears(n)
        self._stale = True

    def on_batch(self, rows: Rows, /) -> tuple[list[tuple[int, Event]], int]:
        """Fold all: none of them asks to be woken."""
        self._meet(rows)
        if self._stale:
            for n in range(len(self._devices)):
                self._look(n)
            self._stale = False
        slots, devices = self._slots.of(rows), self._owners.of(rows)
        waits = self._shelf.waits(slots, rows) & rows.prompt
        events: list[tuple[int, Event]] = []
        mine = devices >= 0
        if np.count_nonzero(waits) < np.count_nonzero(mine):
            busy = np.zeros(len(self._heard), dtype=bool)
            busy[devices[mine & ~waits]] = True
            waits &= ~busy[devices]
            loud = (mine & ~waits).nonzero()[0]
            some = busy[:-1].nonzero()[0].tolist()
            for n in some:
                self._wake(n)
            for place, n, key, t, v, prompt in zip(
                loud.tolist(),
                devices[loud].tolist(),
                rows.keys[loud].tolist(),
                rows.at[loud].tolist(),
                rows.values[loud].tolist(),
                rows.prompt[loud].tolist(),
                strict=True,
            ):
                known = self._known.get(key)
                item = rows.readings[place]
                if prompt and known is not None:
                    device, channel, dry = known
                    if (
                        channel.low <= v < channel.high
                        and t < channel.block_end
                        and 0.0 < t - channel.newest <= channel.patience
                        and len(channel.waiting) < MOST
                        and v < dry
                        and not device.busy
                    ):  # as `on_item` would
                        channel.waiting.append((t, v))
                        channel.newest = t
                        device.heard = item.received_at
                        continue
                self._now = rows, devices, waits, place
                told = self._of[item.device].on_item(item)
                if told:
                    events.extend((place, one) for one in told)
                if item.metric not in self._slots_of[n]:
                    self._take_in(n, key, item.metric)
            self._now = None
            for n in some:
                self._look(n)
        self._shelf.put(slots, rows, waits)
        self._heard[devices[waits]] = rows.received[waits]
        return events, len(rows.at)

    def _wake(self, n: int) -> None:
        """Give a device what waits for it."""
        for slot in self._slots_of[n].values():
            self._shelf.settle(slot)
        if self._heard[n]:
            self._hears(n)

    def _look(self, n: int) -> None:
        """What may wait from a device from now on."""
        name = self._devices[n]
        for metric, slot in self._slots_of[n].items():
            known = self._of[name].known(name, metric)
            if known is None or known[0].busy:
                self._shelf.refuse(slot)
            else:
                _, channel, traits = known
                most = DRY if traits.wet else math.inf
                self._shelf.allow(slot, channel.block_end, channel.patience, most)

    def _meet(self, rows: Rows) -> None:
        """Whose are keys that were never seen before?"""
        self._slots.fresh(rows)
        for key, device, metric in self._owners.fresh(rows):
            if device not in self._of:
                continue
            n = self._numbers.setdefault(device, len(self._devices))
            if n == len(self._devices):
                self._devices.append(device)
                self._slots_of.append({})
                self._heard = np.append(self._heard, 0.0)
            self._owners.set(key, n)
            if self._of[device].known(device, metric):
                self._take_in(n, key, metric)
                self._look(n)

    def _take_in(self, n: int, key: int, metric: str) -> None:
        """A metric of a device that was met."""
        known = self._of[self._devices[n]].known(self._devices[n], metric)
        if known is not None:
            device, channel, traits = known
            self._slots_of[n][metric] = self._shelf.add(channel)
            self._slots.set(key, self._slots_of[n][metric])
            self._known[key] = device, channel, DRY if traits.wet else math.inf

    def _hears(self, n: int) -> None:
        """Tell a device when it was heard."""
        heard, self._heard[n] = float(self._heard[n]), 0.0
        if heard:
            name = self._devices[n]
            moment = EPOCH + timedelta(microseconds=round(1e6 * heard))
            self._of[name].heard(name, moment)

    def _hear_all(self) -> None:
        """Somebody asks who was heard, and when, up to the reading that is folded now."""
        if self._now is None:
            return
        rows, devices, waits, place = self._now
        before = waits[:place]
        self._heard[devices[:place][before]] = rows.received[:place][before]
        for n in self._heard.nonzero()[0].tolist():
            self._hears(n)
