"""What really happened in a night: when somebody stood at each trouble, and what it took."""

from __future__ import annotations

from datetime import datetime

import msgspec
import numpy as np
from numpy.typing import NDArray


class Course(msgspec.Struct, kw_only=True):
    """What became of one trouble. Moments are of the world, not of anybody's clicks."""

    trouble: str
    kind: str
    severity: int
    at: datetime
    sent_at: datetime | None = None
    accepted_at: datetime | None = None
    reached_at: datetime | None = None
    """When somebody first stood there."""
    mended_at: datetime | None = None
    closed_at: datetime | None = None
    resent: int = 0
    """How often somebody else was sent."""
    reworks: int = 0
    escalations: int = 0


class Journal:
    """Courses by trouble, and the ways people went."""

    def __init__(self) -> None:
        self.courses: dict[str, Course] = {}
        self.metres = 0.0
        """Walked and ridden by all, on the way to troubles."""
        self.refused: list[str] = []
        """Commands that the router refused, with its words: none in a sound night."""
        self.end: datetime | None = None

    def waits(self, *, upto: datetime | None = None) -> NDArray[np.float64]:
        """(n,) seconds from each trouble to somebody standing there; who was never reached counts
        until `upto` (the end of the night)."""
        end = upto or self.end
        found = []
        for course in self.courses.values():
            reached = course.reached_at or end
            assert reached is not None, "a night without an end"
            found.append((reached - course.at).total_seconds())
        return np.array(found)

    def unreached(self) -> int:
        """Troubles nobody ever stood at."""
        return sum(1 for c in self.courses.values() if c.reached_at is None)
