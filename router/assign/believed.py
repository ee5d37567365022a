"""Where do we believe everybody is? The newest position while it is fresh, else the registered
place; and how far they may have gone since.

A position `a` seconds old is a disc: its radius is speed × a, at most `roam_m` (people stay about
their grid), plus what the telephone itself says of its accuracy. A registered place is a disc of
`roam_m`.
"""

from __future__ import annotations

import math
from array import array

import numpy as np
from numpy.typing import NDArray

from contracts.nouns import Position
from router.assign.near import Indexes, Near

WHEEL_S = 10.0
"""Positions that go stale within the same ten seconds are looked at together."""


class Believed:
    """Positions of everybody, and their registered places."""

    def __init__(
        self,
        lon: NDArray[np.float64],
        lat: NDArray[np.float64],
        speed_mps: NDArray[np.float64],
        *,
        stale_s: float,
        roam_m: float,
    ) -> None:
        """`lon`, `lat`, `speed_mps`: (n,), the registered places and how fast each gets about."""
        n = len(lon)
        self._home = (lon, lat)
        self._stale_s = stale_s
        self._roam_m = roam_m
        self._speed = speed_mps
        self.near = Near(lon.copy(), lat.copy())
        self._at = np.full(n, -math.inf)
        """(n,) when the position was taken, as the telephone says (epoch seconds)."""
        self.seen = np.full(n, -math.inf)
        """(n,) the same, but never ahead of when it came; of the newest position, stale or not."""
        self._accuracy = np.zeros(n)
        self.home = np.ones(n, dtype=np.bool_)
        """(n,) whether they are believed at their registered place."""
        self._wheel: dict[int, array[int]] = {}
        self._on_wheel = np.zeros(n, dtype=np.bool_)
        self._next = math.inf

    def move(self, index: int, position: Position) -> bool:
        """A newer position; an older one than the one known counts for nothing (False)."""
        at = position.at.timestamp()
        if at <= self._at[index]:
            return False
        self._at[index] = at
        # A clock ahead of ours must not make a position look fresh.
        seen = min(at, position.received_at.timestamp())
        self.seen[index] = seen
        accuracy = position.accuracy_m or 0.0
        self._accuracy[index] = max(0.0, accuracy) if math.isfinite(accuracy) else 0.0
        self.home[index] = False
        self.near.move(index, position.point.lon, position.point.lat)
        if not self._on_wheel[index]:
            self._put_on_wheel(index, seen)
        return True

    def _put_on_wheel(self, index: int, seen: float) -> None:
        slot = math.floor((seen + self._stale_s) / WHEEL_S)
        self._wheel.setdefault(slot, array("i")).append(index)
        self._on_wheel[index] = True
        self._next = min(self._next, slot * WHEEL_S)

    def at(self, now_s: float) -> None:
        """It is `now_s` (epoch seconds): positions older than `stale_s` are not believed."""
        if now_s < self._next:
            return
        for slot in sorted(s for s in self._wheel if s * WHEEL_S <= now_s):
            for index in self._wheel.pop(slot):
                self._on_wheel[index] = False
                seen = float(self.seen[index])
                if now_s - seen > self._stale_s:
                    self.home[index] = True
                    self.near.move(
                        index, float(self._home[0][index]), float(self._home[1][index])
                    )  # fmt: skip
                else:
                    self._put_on_wheel(index, seen)
        self._next = min(self._wheel, default=math.inf) * WHEEL_S

    def radius_m(self, who: Indexes, now_s: float) -> NDArray[np.float64]:
        """(k,) how far from the believed place each of `who` may be by now."""
        with np.errstate(invalid="ignore"):
            age = np.maximum(0.0, now_s - self.seen[who])
        roamed = np.minimum(self._roam_m, self._speed[who] * age) + self._accuracy[who]
        radius: NDArray[np.float64] = np.where(self.home[who], self._roam_m, roamed)
        return radius

    def age_s(self, index: int, now_s: float) -> float | None:
        """Age of the position that is believed; None where the registered place is."""
        return None if self.home[index] else max(0.0, now_s - float(self.seen[index]))
