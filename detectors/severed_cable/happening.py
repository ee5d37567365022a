"""Losses that belong together, from the first word of them until all is as it was."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from detectors._common.episode import Episode, Ledger
from detectors.severed_cable.monitors import Monitor

SUSPECTED, CONFIRMED = "suspected", "confirmed"
MOST = 8
"""Happenings looked at at a time; the oldest that was never published makes room."""


class Happening(msgspec.Struct):
    """Losses that may have one cause."""

    key: int
    since: datetime
    """Onset: older words of a monitor say nothing of it."""
    newest: datetime
    received: datetime
    """When its first word came."""
    turned: datetime | None = None
    """When the first of its losses was told to be over."""
    members: list[str] = []
    """Devices that lost something."""
    episode: Episode | None = None
    """What was published; None: nothing."""
    state: str = SUSPECTED
    told: tuple[Any, ...] = ()
    """What the last revision said, to say nothing twice."""
    evidence: dict[str, Any] = {}
    withdrawn: bool = False
    """It was suspected and then not."""


class State(msgspec.Struct):
    """All state of one line."""

    ledger: Ledger
    monitors: dict[str, Monitor]
    happenings: list[Happening] = []
    judge_at: datetime | None = None
    count: int = 0
    """Happenings there have been."""

    def begin(self, since: datetime, received: datetime) -> Happening:
        """A new happening."""
        for old in self.happenings if len(self.happenings) >= MOST else ():
            if old.episode is None:
                self.forget(old)
                break
        self.count += 1
        found = Happening(self.count, since, since, received)
        self.happenings.append(found)
        return found

    def forget(self, old: Happening) -> None:
        """Nobody was told of it: whoever is still off is so of itself."""
        self.happenings.remove(old)
        for device in old.members:
            monitor = self.monitors[device]
            if monitor.part == old.key:
                monitor.part = -1 if monitor.off is not None else 0

    def join(self, happening: Happening, device: str) -> None:
        """This device's loss belongs to it."""
        self.monitors[device].part = happening.key
        if device not in happening.members:
            happening.members.append(device)
