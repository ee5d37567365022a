"""The figures of those who were considered, as a ticket keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from contracts.case import Candidate
from contracts.city import Worker
from router.assign import words
from router.assign.search import Found
from router.assign.weigh import Wanted, Weights


def candidates(
    workers: Sequence[Worker],
    communities: Mapping[int, str],
    weights: Weights,
    wanted: Wanted,
    by: str,
    found: Found,
) -> list[Candidate]:
    """One for each of `found`, in its order. `communities`: names by code; `by`: as of the trip."""
    w, who, e, believed = weights, found.who, weights.eligible, weights.believed
    crow, radius = w.crow(who, wanted), w.radius(who, wanted)
    travel = w.travel_s(who, found.way, radius)
    worst = (found.way + radius) / w.speed[who]
    within = believed.radius_m(who, wanted.now_s)
    inside, last = w.in_grid(who, wanted), w.last_free(who, wanted)
    out: list[Candidate] = []
    for k, i in enumerate(who.tolist()):
        worker = workers[i]
        age = believed.age_s(i, wanted.now_s)
        seen = believed.seen[i]
        how = "none" if found.no_way[k] else by
        taken = communities[int(w.community[i])] if last[k] else None
        note, note_zh = words.notes_of(
            home=age is None,
            age_s=None if np.isinf(seen) else max(0.0, wanted.now_s - float(seen)),
            helps_only=bool(e.sent[i] and not e.leads[i]),
            offers=int(e.offers[i]),
            last_free=taken,
            by=how,
        )
        out.append(
            Candidate(
                worker=worker.id,
                name=worker.name,
                distance_m=round(float(crow[k]), 1),
                travel_s=round(float(travel[k]), 1),
                position_age_s=None if age is None else round(age, 1),
                load=int(e.tasks[i]),
                skilled=wanted.skilled is None or bool(wanted.skilled[i]),
                in_grid=bool(inside[k]),
                note=note,
                note_zh=note_zh,
                way_m=round(float(found.way[k]), 1),
                by=how,
                speed_mps=float(w.speed[i]),
                within_m=round(float(within[k]), 1),
                worst_s=round(float(worst[k]), 1),
                offers=int(e.offers[i]),
                grid=worker.grid,
                last_free=taken,
                cost_s=round(float(found.cost[k]), 1),
            )
        )
    return out
