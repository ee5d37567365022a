"""When nearly everything of an adapter is poison, it is us who are broken: stop acknowledging.

A format that changed under us, or a faulty release, would otherwise turn a city's messages into
dead letters at full speed. Pure: time comes in.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

import msgspec


class BreakerRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an adapter counts as broken."""

    ratio: float = 0.9
    """Share of its messages that are poison."""
    devices: int = 5
    """Poison must come from at least this many known devices: one broken device is not us."""
    window_s: float = 300.0
    """For this long."""


class _Slot(msgspec.Struct):
    start: datetime
    good: int = 0
    bad: int = 0
    devices: set[str] = msgspec.field(default_factory=set)


class Breaker:
    """One adapter's breaker. Messages of unknown devices must not be told to it."""

    def __init__(self, rule: BreakerRule | None = None) -> None:
        self._rule = rule or BreakerRule()
        self._window = timedelta(seconds=self._rule.window_s)
        self._width = self._window / 30
        self._slots: deque[_Slot] = deque()
        self._bad_since: datetime | None = None
        self._broken = False

    def observe(self, now: datetime, *, good: int = 0, poison_of: str | None = None) -> None:
        """Count `good` messages, or one message of known device `poison_of` that was poison."""
        if not self._slots or now - self._slots[-1].start >= self._width:
            self._judge(now)
            self._slots.append(_Slot(now))
        slot = self._slots[-1]
        slot.good += good
        if poison_of is not None:
            slot.bad += 1
            if len(slot.devices) < self._rule.devices:
                slot.devices.add(poison_of)

    def broken(self, now: datetime) -> bool:
        """Whether to stop acknowledging. Stays so until good messages come or `reset`."""
        self._judge(now)
        return self._broken

    def reset(self) -> None:
        """After the configuration changed: believe again."""
        self._slots.clear()
        self._bad_since = None
        self._broken = False

    @property
    def reason(self) -> str:
        """Why it is broken, for /readyz; empty when it is not."""
        if not self._broken:
            return ""
        return (
            f"at least {self._rule.ratio:.0%} of the messages of {self._rule.devices} or more "
            f"devices could not be read for {self._rule.window_s:g} s; see the dead letters; "
            "nothing is acknowledged until this is repaired"
        )

    def _judge(self, now: datetime) -> None:
        while len(self._slots) > 1 and now - self._slots[0].start > self._window:
            # While broken nothing new may come: forgetting what broke it would close it.
            if self._broken and not sum(slot.good for slot in list(self._slots)[1:]):
                break
            self._slots.popleft()
        good = sum(slot.good for slot in self._slots)
        bad = sum(slot.bad for slot in self._slots)
        devices: set[str] = set().union(*(slot.devices for slot in self._slots))
        mostly = bad > 0 and bad >= self._rule.ratio * (good + bad)
        if not mostly or len(devices) < self._rule.devices:
            self._bad_since = None
            self._broken = False
            return
        if self._bad_since is None:
            self._bad_since = now
        if now - self._bad_since >= self._window:
            self._broken = True
