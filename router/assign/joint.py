"""Several at once: who goes where, so that all together wait least.

Greedy gives the first incident its best and leaves the last one what remains. Here all that are
open to choice (new tickets, and offers nobody has accepted) are matched together at the least sum
of costs. Whoever already has an offer keeps it unless moving saves more than a margin. A worker may
get several: each further one stands in a queue behind the first and costs so much more. Who finds
no place in one round is matched again in the next, with everybody's loads as they now are.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from router.assign.near import Indexes
from router.assign.travel import Metres

NEAREST = 48
"""At most so many candidates of each incident are matched."""
QUEUE = 3
"""At most so many new ones for one worker in a round."""
NO_PLACE = 1e7
"""The dummy column: worse than everybody who can be sent."""


class Row(msgspec.Struct, frozen=True):
    """One incident and who may go."""

    who: Indexes
    cost: Metres
    """(k,) seconds of travel, without anything that this round adds."""
    room: Indexes
    """(k,) how many more each may be given."""
    holder: int = -1
    """Who has its offer and has not answered."""


def match(rows: Sequence[Row], *, queue_s: float, margin_s: float) -> list[int]:
    """For each row who goes, or -1 where nobody has a place left.

    `queue_s`: what each further one of a worker costs; `margin_s`: what a move must save.
    """
    if not rows:
        return []
    workers = np.unique(np.concatenate([row.who for row in rows]))
    columns = len(workers) * QUEUE
    row_of: list[np.ndarray] = []
    column_of: list[np.ndarray] = []
    costs: list[np.ndarray] = []
    for r, row in enumerate(rows):
        base = np.where(row.who == row.holder, np.maximum(0.0, row.cost - margin_s), row.cost)
        at = np.searchsorted(workers, row.who)
        for place in range(QUEUE):
            may = row.room > place
            row_of.append(np.full(int(may.sum()), r))
            column_of.append(at[may] * QUEUE + place)
            costs.append(base[may] + place * queue_s)
        row_of.append(np.array([r]))
        column_of.append(np.array([columns + r]))
        costs.append(np.array([NO_PLACE]))
    shape = (len(rows), columns + len(rows))
    least = _least(np.concatenate(costs), np.concatenate(row_of), np.concatenate(column_of), shape)
    return [int(workers[c // QUEUE]) if c < columns else -1 for c in least]


def freed(rows: Sequence[Row], stays: Sequence[float]) -> list[int]:
    """For each row which free worker goes instead of its holder, or -1 where it stays; each worker
    gets one at most, and all together wait least.

    `stays`: what waiting for the holder costs, in the rows' seconds.
    """
    if not rows:
        return []
    workers = np.unique(np.concatenate([row.who for row in rows]))
    row_of = [np.full(len(row.who), r) for r, row in enumerate(rows)]
    column_of = [np.searchsorted(workers, row.who) for row in rows]
    costs = [row.cost for row in rows]
    every = np.arange(len(rows))
    least = _least(
        np.concatenate([*costs, np.maximum(0.0, np.array(stays))]),
        np.concatenate([*row_of, every]),
        np.concatenate([*column_of, len(workers) + every]),
        (len(rows), len(workers) + len(rows)),
    )
    return [int(workers[c]) if c < len(workers) else -1 for c in least]


def _least(
    costs: Metres, row_of: np.ndarray, column_of: np.ndarray, shape: tuple[int, int]
) -> list[int]:
    """The column of each row where all rows together cost least; every row has one of its own."""
    # A cost of 0 would be no edge at all.
    table = csr_array((costs + 1.0, (row_of, column_of)), shape=shape)
    matched, column = min_weight_full_bipartite_matching(table)
    out = [-1] * shape[0]
    for r, c in zip(matched.tolist(), column.tolist(), strict=True):
        out[r] = c
    return out
