"""Something that must last before it counts, and be gone for a while before it ends."""

from __future__ import annotations

import msgspec

LEAST_LOOKS = 3
"""However far apart looks are, one or two prove nothing."""


class Hold(msgspec.Struct):
    """How long something has been the case: part of the state."""

    stands: bool = False
    since: int = 0
    """First sign of what now stands, or of what may soon."""
    streak: int = 0
    """Looks in a row that speak for a change."""
    began: int = 0
    last: int = 0

    def see(self, t: int, bad: bool | None, lasts_s: float, recovers_s: float) -> None:
        """One look: bad, good, or nobody can tell (None: nothing changes)."""
        if bad is None:
            return
        if bad == self.stands:
            self.streak = 0
            return
        wait = (recovers_s if self.stands else lasts_s) * 1e6
        if not self.streak or t - self.last > 3 * max(wait, 10e6):
            self.streak, self.began = 0, t
        self.streak += 1
        self.last = t
        if self.streak >= LEAST_LOOKS and t - self.began >= wait:
            self.stands, self.streak = bad, 0
            self.since = self.began if bad else 0
