"""What flooding sites hear of their neighbours' water, all at once: most of it moved by less than
is worth a look."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from contracts.nouns import Reading
from contracts.rows import Bools, Floats, Ints, Rows
from detectors.flooding.around import LEAST_M, LEAST_S, Above
from detectors.flooding.detect import Flooding

EAR: Final = 1
ROOM_M: Final = LEAST_M - 1e-9
UNTIL_S: Final = LEAST_S - 1e-3
"""A little less than what is worth a look: near it the fold itself decides."""


class Ears:
    """One for each site and each device whose water it hears of."""

    def __init__(self, sites: Sequence[Flooding], listen: Mapping[str, Sequence[int]]) -> None:
        self._sites, self._listen = sites, listen
        self._ears: list[tuple[int, str]] = []
        self._at: Ints = np.zeros(0, dtype=np.intp)
        """The site of each."""
        self._of: dict[str, list[int]] = {}
        self._above: list[Above | None] = []
        self._still: Floats = np.zeros((0, 3))
        """Low, high, until: other readings in between change nothing."""
        self._lists: list[list[int]] = []
        """Ears by key."""
        self._first: Ints = np.zeros(0, dtype=np.intp)
        self._count: Ints = np.zeros(0, dtype=np.intp)
        self._flat: Ints = np.zeros(0, dtype=np.intp)
        self._grown = False
        self._heard: list[int] = []

    def meet(self, key: int, device: str, hears: bool) -> None:
        """A new key: of water of that device, or of anything else."""
        if hears and device not in self._of:
            new = [n for n in self._listen.get(device, ()) if self._sites[n].own != device]
            self._of[device] = list(range(len(self._ears), len(self._ears) + len(new)))
            self._ears += [(n, device) for n in new]
            self._above += [None] * len(new)
            self._at = np.array([n for n, _ in self._ears], dtype=np.intp)
            still = np.zeros((len(self._ears), 3))
            still[: len(self._still)] = self._still
            self._still = still
            for ear in self._of[device]:
                self._still[ear] = self._stands(ear)
        self._lists += [[] for _ in range(key + 1 - len(self._lists))]
        self._lists[key] = self._of[device] if hears else []
        self._grown = True

    def loud(self, rows: Rows, busy: Bools) -> list[tuple[int, int, int]]:
        """(place, EAR, ear) of what must be folded in its order, for sites that are `busy`; what
        others hear is folded now: they ask for it at no time in between."""
        if self._grown:
            self._flatten()
        counts = self._count[rows.keys]
        ends = counts.cumsum()
        total = int(ends[-1])
        self._heard = []
        if not total:
            return []
        places = np.arange(len(counts)).repeat(counts)
        ears = self._flat[np.arange(total) + (self._first[rows.keys] - ends + counts)[places]]
        low, high, until = self._still.take(ears, axis=0).T
        at, values, plain = rows.at[places], rows.values[places], rows.plain[places]
        still = (low < values) & (values < high) & (at < until) & plain
        if np.count_nonzero(still) == total:
            return []
        # what follows something loud is folded as well
        loud = np.zeros(len(self._ears), dtype=bool)
        loud[ears[~still]] = True
        found = loud[ears]
        waits = busy[self._at]
        waits[ears[~plain]] = True
        later = found & waits[ears]
        some = (found & ~later).nonzero()[0]
        above = self._above
        for ear, t, v in zip(
            ears[some].tolist(), at[some].tolist(), values[some].tolist(), strict=True
        ):
            one = above[ear]
            if one is None:
                one = above[ear] = self._meets(ear)
            one.fold(t, v)
        self._heard = loud.nonzero()[0].tolist()
        pairs = zip(places[later].tolist(), ears[later].tolist(), strict=True)
        return [(place, EAR, ear) for place, ear in pairs]

    def hear(self, ear: int, item: Reading, t: float, plain: bool) -> None:
        """Fold one."""
        if plain:
            (self._above[ear] or self._meets(ear)).fold(t, item.value)
        else:
            self._sites[self._ears[ear][0]].on_item(item)

    def _meets(self, ear: int) -> Above:
        site, device = self._ears[ear]
        found = self._above[ear] = self._sites[site].upstream(device)
        return found

    def heard(self) -> None:
        """All that `loud` gave is folded."""
        if self._heard:
            self._still[self._heard] = [self._stands(ear) for ear in self._heard]

    def look_again(self) -> None:
        """Others may have asked the sites since."""
        for ear in range(len(self._ears)):
            self._still[ear] = self._stands(ear)

    def _stands(self, ear: int) -> tuple[float, float, float]:
        """Low, high, until of one."""
        above = self._above[ear]
        if above is None:
            site, device = self._ears[ear]
            above = self._above[ear] = self._sites[site].above.get(device)
        if above is None:
            return math.inf, -math.inf, 0.0
        v = above.value
        return v - ROOM_M, v + ROOM_M, above.at + UNTIL_S

    def _flatten(self) -> None:
        counts = np.array([len(some) for some in self._lists], dtype=np.intp)
        self._count, self._first = counts, counts.cumsum() - counts
        self._flat = np.array([ear for some in self._lists for ear in some], dtype=np.intp)
        self._grown = False
