"""Is it a live picture, or the same one again and again?

A live camera has noise: the same pixels never come twice for long. Yet compression at high rates
sends a quiet scene unchanged from one key frame to the next, and a dark or a drawn scene has no
noise at all. So each tile of the picture is judged by its own habit: it stands still when it has
shown nothing new, bit for bit, for much longer than it ever did, and only tiles that used to
change are asked. What it showed before is nothing new: a gateway or an encoder that is stuck sends
the same second of video again and again. The few that go on changing in a frozen picture are a
clock burned into its edge.

A frozen sensor behind an encoder that codes it anew at a changing rate is not told: its pictures
differ from each other like live ones.
"""

from __future__ import annotations

import zlib

import msgspec
import numpy as np
from numpy.typing import NDArray

ROWS, COLUMNS = 6, 8
STRIDE = 3
"""Every third row is looked at: noise spares no row."""

REMEMBERED = 48
"""Contents of a tile: more than the pictures between two key frames that looks a second apart meet
(they drift through them slowly)."""

LEAST_CHANGES = 20
"""Looks (one a second) at which a tile was seen to change, before its standing still says
anything."""

HABIT = 5
"""It must stand still this many times longer than it ever did before."""

FADE = 998
"""Per mille of a habit that is left after each change: half in six minutes, so that a picture that
froze once and was repaired may freeze again."""

DARK, WHITE = 24.0, 235.0
"""Tiles that are darker or lighter than this (mean, grey levels) lose their noise to clipping."""

LEAST_TILES = 8
CLOCK_SHARE = 0.15
"""Of the tiles that used to change, this share may still (a clock and a name along one edge)."""


class StillState(msgspec.Struct):
    """Per tile, row by row: checksums of what it showed last, when it last showed something new
    (µs), how often it did, and the longest time it did not before (µs)."""

    sums: list[list[int]] = []
    since: list[int] = []
    changes: list[int] = []
    longest: list[int] = []


class Stillness:
    """The fold over pictures, one a second or so."""

    def __init__(self, state: StillState | None = None) -> None:
        self.state = state or StillState()

    def add(self, t: int, luma: NDArray[np.uint8]) -> int | None:
        """Time (µs) since which the picture stands still, longer than it ever did; else None."""
        rows = luma[::STRIDE]
        tiles = [
            np.ascontiguousarray(tile)
            for band in np.array_split(rows, ROWS)
            for tile in np.array_split(band, COLUMNS, axis=1)
        ]
        sums = [zlib.crc32(tile.data) for tile in tiles]
        s = self.state
        if len(s.sums) != len(sums):
            count = len(sums)
            self.state = StillState([[one] for one in sums], [t] * count, [0] * count, [0] * count)
            return None
        for i, new in enumerate(sums):
            if new not in s.sums[i]:
                # the first time says nothing: the tile may have been watched from its middle on
                if s.changes[i]:
                    s.longest[i] = max(s.longest[i] * FADE // 1000, t - s.since[i])
                s.sums[i] = [*s.sums[i][1 - REMEMBERED :], new]
                s.since[i] = t
                s.changes[i] += 1
        asked = [
            i
            for i, tile in enumerate(tiles)
            if s.changes[i] >= LEAST_CHANGES and DARK < float(tile[::4, ::4].mean()) < WHITE
        ]
        if len(asked) < LEAST_TILES:
            return None
        still = [i for i in asked if t - s.since[i] > HABIT * s.longest[i]]
        if len(still) < (1 - CLOCK_SHARE) * len(asked):
            return None
        return max(s.since[i] for i in still)
