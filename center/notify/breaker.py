"""The circuit breaker of one target: after failures in a row it is left alone, longer each time.

Half open after the pause: one attempt decides. Times are seconds of a steady clock.
"""

from __future__ import annotations

from typing import Final, Literal

FIRST_S: Final = 0.25
"""After the first failure it is tried again so soon."""


class Breaker:
    """`tries` failures in a row open it; pauses double from `pause_s` to `pause_max_s`."""

    def __init__(self, tries: int, pause_s: float, pause_max_s: float) -> None:
        self._tries = tries
        self._pause = pause_s
        self._most = pause_max_s
        self.failures = 0
        """In a row."""
        self._until = 0.0

    def wait(self, now: float) -> float:
        """Seconds to wait before the next attempt."""
        return max(0.0, self._until - now)

    def worked(self) -> None:
        """The target took something."""
        self.failures = 0
        self._until = 0.0

    def failed(self, now: float) -> float:
        """It did not; how long it is left alone."""
        self.failures += 1
        if self.failures < self._tries:
            pause = min(self._pause, FIRST_S * 2.0 ** (self.failures - 1))
        else:
            pause = min(self._most, self._pause * 2.0 ** min(30, self.failures - self._tries))
        self._until = now + pause
        return pause

    def state(self, now: float) -> Literal["closed", "open", "half_open"]:
        """`closed`: in use; `open`: left alone; `half_open`: the next attempt decides."""
        if self.failures < self._tries:
            return "closed"
        return "open" if self._until > now else "half_open"
