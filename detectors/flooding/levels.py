"""All level sensors of a town that have no line: each is folded alone, and hears from the others
whether it storms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

import msgspec

from contracts.detector import Site
from contracts.event import Event
from contracts.nouns import Reading
from detectors.flooding import lonely
from detectors.flooding.config import FloodingConfig
from detectors.flooding.lines import members
from detectors.flooding.lonely import METRIC, Lonely
from detectors.flooding.together import Together


class State(msgspec.Struct):
    """All state of a town's sensors."""

    sensors: dict[str, lonely.State] = {}
    together: Together = msgspec.field(default_factory=Together)
    wake: datetime | None = None
    """No episode is given up before."""


class Levels:
    """Folds the levels of a town's sensors that have no line, and of gauges near them."""

    def __init__(self, cfg: FloodingConfig, site: Site, snapshot: bytes | None) -> None:
        self._state = (
            msgspec.msgpack.decode(snapshot, type=State) if snapshot is not None else State()
        )
        own = {one.id: one for one in members(site, cfg)}
        state = self._state
        state.together.keep(own)
        self._sensors = {
            name: Lonely(cfg, one, state.sensors.get(name), state.together)
            for name, one in own.items()
        }
        state.sensors = {name: one.state for name, one in self._sensors.items()}
        self._listen: dict[str, list[Lonely]] = defaultdict(list)
        for name, one in own.items():
            for device in one.devices:
                self._listen[device.id].append(self._sensors[name])
        self.devices = tuple(device.id for device in site.devices)
        """All that are listened to."""
        self.forget_s = cfg.forget_s
        """An episode wakes it so long after a reading (seconds)."""

    def on_item(self, item: Reading, /) -> Iterable[Event]:
        """Fold one reading."""
        if item.metric == "rain_rate":
            for near in self._listen.get(item.device, ()):
                near.on_item(item)
            return ()
        one = self._sensors.get(item.device)
        if one is None:
            return ()
        events = one.on_item(item)
        if events and item.metric == METRIC:
            self._wakes(one)
        return events

    def _wakes(self, one: Lonely) -> None:
        """Only the first moment is kept: it may be too early, and is asked for again then."""
        wake, state = one.wake_at(), self._state
        if wake is not None and (state.wake is None or wake < state.wake):
            state.wake = wake

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        """Sensors that were not heard for too long: their episodes end as unknown."""
        events: list[Event] = []
        self._state.wake = None
        for one in self._sensors.values():
            wake = one.wake_at()
            if wake is not None and wake <= now:
                events.extend(one.on_time(now))
            self._wakes(one)
        return events

    def wake_at(self) -> datetime | None:
        """When the first open episode without readings may be given up."""
        return self._state.wake

    def snapshot(self) -> bytes:
        """All state as msgpack."""
        return msgspec.msgpack.encode(self._state)
