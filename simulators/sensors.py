"""Devices that report numbers: each at its own pace, through a gateway with the usual habits."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from contracts.city import Device
from simulators.dice import between, dice
from simulators.settings import SimSettings
from simulators.world import Outgoing, World, feed

HISTORY_BATCH = 100
Read = Callable[[int], dict[str, float] | None]
"""The values at a time (epoch ms), or None: the device says nothing now."""


class Sensor:
    """One device. Its gateway sends a few messages twice, and few so late that the device's next
    one overtakes them."""

    def __init__(
        self,
        device: Device,
        gateway: str,
        read: Read,
        world: World,
        settings: SimSettings,
        *,
        every_s: float,
        latency_s: tuple[float, float] = (0.03, 0.25),
    ) -> None:
        self.device, self.gateway = device, gateway
        self._read, self._world, self._settings = read, world, settings
        self._every_ms = every_s * 1000
        self._latency = latency_s
        self._rng = dice(settings.seed, "sensor", device.id)
        self._seq = int(self._rng.integers(0, 60_000))
        self._topic = feed(device.district, device.id, "telemetry")

    def go(self, ms: int) -> None:
        """Report from `ms` on, the first time somewhere within the first period."""
        self._world.at(ms + round(self._rng.random() * self._every_ms), self._report)

    def now(self, ms: int) -> None:
        """Report once more at `ms`: something changed."""
        self._world.at(ms, self._say)

    def history(self, first_ms: int, last_ms: int) -> list[tuple[int, bytes]]:
        """Batches of older readings: (time of the newest one, payload), oldest first."""
        step = round(self._settings.history_every_s * 1000)
        batches, rows = [], []
        shift = int(self._rng.integers(0, step))
        for ms in range(first_ms + shift, last_ms, step):
            row = self._row(ms)
            if row is not None:
                rows.append((ms, row))
        for k in range(0, len(rows), HISTORY_BATCH):
            part = rows[k : k + HISTORY_BATCH]
            batches.append((part[-1][0], msgspec.json.encode([row for _, row in part])))
        return batches

    def _row(self, ms: int) -> dict[str, object] | None:
        values = self._read(ms)
        if values is None:
            return None
        self._seq += 1
        return {"ts": ms, "seq": self._seq, "m": values}

    def _report(self, ms: int) -> Iterable[Outgoing]:
        pace = self._every_ms * between(self._rng, (0.96, 1.04))
        self._world.at(ms + round(pace), self._report)
        return self._say(ms)

    def _say(self, ms: int) -> Iterable[Outgoing]:
        rng, settings = self._rng, self._settings
        delay = between(rng, self._latency)
        late, twice = rng.random() < settings.reorder_p, rng.random() < settings.duplicate_p
        row = self._row(ms)
        if row is None:
            return
        leaves = ms + round(1000 * delay)
        if late:
            leaves = ms + round(self._every_ms * 1.15 + 1000 * self._latency[1])
        payload = msgspec.json.encode(row)
        yield Outgoing(at=leaves, gateway=self.gateway, topic=self._topic, payload=payload)
        if twice:
            again = leaves + round(1000 * between(rng, (0.4, 3.0)))
            yield Outgoing(at=again, gateway=self.gateway, topic=self._topic, payload=payload)


class Housekeeping:
    """Battery and housing temperature of a field device: slow, a little noisy."""

    def __init__(self, seed: int, device: str, cells_v: float = 3.6) -> None:
        rng = dice(seed, "housekeeping", device)
        self._battery = cells_v - between(rng, (0.0, 0.25))
        self._offset = float(rng.normal(0, 1.2))
        self._rng = rng

    def battery(self) -> float:
        """Volts of a lithium cell under load."""
        return round(self._battery + float(self._rng.normal(0, 0.006)), 3)

    def temperature(self, ms: int) -> float:
        """Degrees Celsius: an early summer day in Fujian, warmest at 15:00 local."""
        from math import cos, pi

        hour = (ms / 3_600_000 + 8) % 24
        day = 25.5 + 4.5 * cos((hour - 15) / 24 * 2 * pi)
        return round(day + self._offset + float(self._rng.normal(0, 0.15)), 1)
