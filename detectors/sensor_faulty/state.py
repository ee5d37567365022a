"""What is known of a neighbourhood: all state, and the few things done to it everywhere."""

from __future__ import annotations

import math
from datetime import datetime

import msgspec

from detectors._common.episode import Episode, Ledger
from detectors.sensor_faulty.channel import Channel
from detectors.sensor_faulty.clock import ClockWatch
from detectors.sensor_faulty.drift import DriftWatch
from detectors.sensor_faulty.dropout import Patch
from detectors.sensor_faulty.told import Finding


class DeviceState(msgspec.Struct):
    """What is known of one device. Times are epoch seconds of receipt unless they say else."""

    heard: datetime | None = None
    """Receipt of its newest reading."""
    busy: bool = False
    """Whether every reading of it needs a look, if only at its time."""
    outside: bool = False
    """Whether one of its metrics is out of range."""
    channels: dict[str, Channel] = {}
    clock: ClockWatch = msgspec.field(default_factory=ClockWatch)
    patches: list[Patch] = []
    marks: dict[str, list[float]] = {}
    """Times of spikes lately, by fault and metric."""
    drift: dict[str, DriftWatch] = {}
    rose: float = -math.inf
    """When its water last rose."""
    faults: dict[str, Finding] = {}
    told: list[str] = []
    main: str = ""
    """The fault that the open episode is named after: the first in rank that stood in it."""
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    episode: Episode | None = None


class State(msgspec.Struct):
    """All state of one neighbourhood."""

    devices: dict[str, DeviceState] = {}
    rain: float = -math.inf
    """When it last rained (epoch seconds)."""


def is_outside(device: DeviceState) -> bool:
    """`DeviceState.outside`, as its channels say it."""
    return any(channel.outs for channel in device.channels.values())


def needs_look(device: DeviceState) -> bool:
    """`DeviceState.busy`, as the rest of it says it."""
    return device.outside or bool(device.faults) or device.clock.reports > 0


def tell(device: DeviceState, found: Finding, now: float) -> None:
    """A fault stands, newly or still: `now` is the newest sign of it (epoch seconds)."""
    key = f"{found.what}:{found.metric}"
    old = device.faults.get(key)
    if old is not None:
        found.since = old.since
    found.last = now
    device.faults[key] = found


def mark(device: DeviceState, key: str, now: float, within: float) -> list[float]:
    """The times of such things within that time, the one of now with them (epoch seconds)."""
    marks = [at for at in device.marks.get(key, ()) if now - at < within][-20:]
    marks.append(now)
    device.marks[key] = marks
    return marks
