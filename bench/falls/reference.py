"""What anyone would write first: a three-frame difference and "five times further down".

The measured reference beside our figures, on the same films. Pixels that differ from the picture
before and from the one after by more than LEVEL are joined to blobs; a blob that is below the end
of a chain, not too far and not too much to the side, lengthens it; a chain of HITS is an alarm.
It knows nothing of noise, gravity or perspective.
"""

from __future__ import annotations

import time

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

LEVEL = 12
"""Grey levels: about five times the noise of a small sensor after H.264."""
HITS = 5
MOST_BLOBS = 200
"""Of one picture: the largest ones; a storm of them would cost minutes."""
MOST_STEP = 0.12
"""Of the picture's height in one picture: 20 m/s at 15 pictures a second, 11 m high."""
PATIENCE = 2
"""Pictures a chain waits for its next blob."""


class Alarm(msgspec.Struct, frozen=True):
    """One chain that went down five times."""

    hits: tuple[tuple[float, float, float, float, float], ...]
    """(seconds, middle x, middle y, width, height)."""

    @property
    def track(self) -> list[tuple[float, float, float]]:
        """As the matching wants it."""
        return [(t, x, y) for t, x, y, _, _ in self.hits]


class Chain:
    """Blobs that may be one thing."""

    def __init__(self, hit: tuple[float, float, float, float, float], picture: int) -> None:
        self.hits, self.picture = [hit], picture


class Reference:
    """The fold over a film's pictures."""

    def __init__(self) -> None:
        self.cpu_s = 0.0
        """CPU of all pictures, beyond decoding."""
        self._before: NDArray[np.uint8] | None = None
        self._middle: NDArray[np.uint8] | None = None
        self._middle_s = 0.0
        self._number = 0
        self._chains: list[Chain] = []
        self._done: list[Chain] = []

    def add(self, at_s: float, luma: NDArray[np.uint8]) -> None:
        """One picture more."""
        begin = time.process_time()
        before, middle, now = self._before, self._middle, luma.copy()
        if before is not None and middle is not None and before.shape == now.shape:
            boxes = blobs(before, middle, now)
            self._chains = _lengthen(
                self._chains, boxes, self._middle_s, self._number, now.shape[0], self._done
            )
        self._before, self._middle, self._middle_s = middle, now, at_s
        self._number += 1
        self.cpu_s += time.process_time() - begin

    def alarms(self) -> list[Alarm]:
        """All chains long enough."""
        ended = self._done + [chain for chain in self._chains if len(chain.hits) >= HITS]
        return [Alarm(tuple(chain.hits)) for chain in ended]


def blobs(
    before: NDArray[np.uint8], middle: NDArray[np.uint8], after: NDArray[np.uint8]
) -> list[tuple[int, int, int, int]]:
    """Boxes (x, y, width, height) of what is only in the middle picture."""
    change = cv2.min(cv2.absdiff(middle, before), cv2.absdiff(middle, after))
    _, mask = cv2.threshold(change, LEVEL, 255, cv2.THRESH_BINARY)
    mask = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = [cv2.boundingRect(one) for one in found]
    boxes = [b for b in boxes if b[2] * b[3] >= 9]
    boxes.sort(key=lambda b: -b[2] * b[3])
    return [(int(x), int(y), int(w), int(h)) for x, y, w, h in boxes[:MOST_BLOBS]]


def _lengthen(
    chains: list[Chain],
    boxes: list[tuple[int, int, int, int]],
    at_s: float,
    number: int,
    height: int,
    done: list[Chain],
) -> list[Chain]:
    """Each blob goes to the longest chain it continues, else begins one."""
    taken: set[int] = set()
    for x, y, w, h in boxes:
        hit = (at_s, x + w / 2, y + h / 2, float(w), float(h))
        best: Chain | None = None
        for chain in chains:
            _, x0, y0, _, _ = chain.hits[-1]
            down, aside = hit[2] - y0, abs(hit[1] - x0)
            fits = 0.5 < down < MOST_STEP * height and aside <= 2 + down / 2
            if (
                fits
                and id(chain) not in taken
                and (best is None or len(chain.hits) > len(best.hits))
            ):
                best = chain
        if best is None:
            best = Chain(hit, number)
            chains.append(best)
        else:
            best.hits.append(hit)
            best.picture = number
        taken.add(id(best))
    kept = [chain for chain in chains if number - chain.picture <= PATIENCE]
    done += (c for c in chains if number - c.picture > PATIENCE and len(c.hits) >= HITS)
    return kept
