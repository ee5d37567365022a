"""When a network is looked at: at most once a minute of its sensors' time, and not before all could
speak.

What a gateway kept through an outage, or a town's past when it is connected, comes device after
device. By itself it does not move time, or one sensor would be compared with what the others have
not said yet; it is looked at minute by minute when there is something newer again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

TICK_S = 60.0
SETTLE_S = 10.0
"""A minute is looked at this long after its end: readings of several devices come in any order."""
AHEAD_S = 60.0
"""A device whose clock runs further ahead does not move time."""
LATE_S = 120.0
"""What is received so long after it was measured is a backlog."""
ALL_LATE_S = 3600.0
"""When nothing else came for so long (all clocks lag), it moves time after all."""
CATCH_UP_S = 180.0
"""With the first reading that is no backlog the other devices get so long to say theirs."""
MOST_WAITING = 5000
"""More readings of one sensor than this are not waited for."""


class Turns(msgspec.Struct):
    """The looks at one network. Times are epoch seconds."""

    step: float = TICK_S
    """Spacing of looks (seconds)."""
    next: float = -math.inf
    """A reading of this time or later may bring the next look."""
    fresh: float | None = None
    """Receipt of the newest such reading that was no backlog, or of the first of all."""
    backlog: float | None = None
    """Time of the oldest reading of a backlog that was not looked at yet ..."""
    catching: float | None = None
    """... and receipt of the first after it that was none."""

    def due(self, t: float, received: float, waiting: int) -> bool:
        """Whether a reading of `t` >= `next`, of a sensor with so many waiting, brings a look."""
        lag = received - t
        if self.fresh is None or lag <= LATE_S:
            self.fresh = received
        if lag < -AHEAD_S:
            return False
        if lag > LATE_S:
            self.backlog = t if self.backlog is None else min(self.backlog, t)
            patient = received - self.fresh < ALL_LATE_S
        elif self.backlog is None:
            return True
        else:
            self.catching = received if self.catching is None else self.catching
            patient = received - self.catching < CATCH_UP_S
        return not patient or waiting >= MOST_WAITING

    def minutes(self, t: float) -> Iterator[float]:
        """The ends of the minutes to look at: those of a backlog, then the newest one before `t`.

        `step` may change between them.
        """
        newest = (t - SETTLE_S) // TICK_S * TICK_S
        if self.backlog is not None:
            minute = self.backlog // TICK_S * TICK_S
            while minute + self.step < newest:
                yield minute
                minute += self.step
            self.backlog = self.catching = None
        self.next = newest + self.step + SETTLE_S
        yield newest
