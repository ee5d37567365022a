"""False alarms a year of what looks like a break and is none: how often each comes, times what
became of it in its takes.

The rates are assumptions with their reasons, for nobody counts all of these; a city that knows its
own puts them in their place. What is over by itself (`recloser`) counts like the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from bench._common.figure import Figure, figure
from bench.lines.plan import Job, order_of
from bench.lines.scene import YEAR_S, Result, Seen


class Rate(msgspec.Struct, frozen=True):
    """How often something comes."""

    a_line: float = 0.0
    """Times a year on each line."""
    a_monitor: float = 0.0
    """Times a year at each monitor."""
    how: str = ""
    """Of takes that came in this way alone; empty: of all."""


RATES: Final[Mapping[str, Rate]] = {
    # a customer of the mainland lost supply 2.61 times in 2022 (National Energy Administration),
    # more than half of them planned; most of the rest above the line, sags beside them: assumed
    "upstream_outage": Rate(a_line=1.5),
    "planned_outage": Rate(a_line=2.0),
    # switching for work that reached nobody's list: one in eight, assumed
    "planned_unregistered": Rate(a_line=0.25),
    # lightning and branches on overhead lines: some every year, assumed
    "recloser": Rate(a_line=4.0),
    "strike_only": Rate(a_line=2.0),
    "load_switching": Rate(a_line=200.0),
    "gateway_dead": Rate(a_line=2.0),
    # a switch before the meter, its owner's for months away or works: one customer in twenty a
    # year, and every second monitor a meter; assumed
    "customer_off": Rate(a_monitor=0.025, how="dark"),
    # one device in twenty is wrong some time in a year; assumed
    "sensor_fault": Rate(a_monitor=0.05),
}
"""Wind is counted where it blows: among the quiet days."""


def monitors(job: Job, seen: Seen) -> float:
    """How many monitors the line of a take has."""
    order = order_of(seen.seed, job.part, job.feeder, job.monitors, job.happening)
    return seen.years * YEAR_S / (order.before_s + order.after_s)


def composed(results: Sequence[Result]) -> list[Figure]:
    """False alarms a monitor-year, confirmed and suspected alone."""
    took: dict[str, list[tuple[float, bool, bool]]] = {kind: [] for kind in RATES}
    for result in results:
        kind = str(result.job.happening)
        if result.job.part != "confounders" or kind not in RATES:
            continue
        for seen in result.seen:
            if seen.said is not None and RATES[kind].how in ("", seen.how):
                sure = seen.said.confirmed > 0
                only = seen.said.suspected > 0 and not sure
                took[kind].append((monitors(result.job, seen), sure, only))
    out = []
    for column, name, aim in ((1, "confirmed", "<= 0.01"), (2, "suspected", "<= 0.2")):
        title = f"false {name} per monitor-year, composed of confounders a year"
        if not all(took.values()):
            out.append(figure(title, None, 0, aim))
            continue
        parts = {kind: _rate(RATES[kind], some, column) for kind, some in took.items()}
        told = sorted(((r, k) for k, r in parts.items() if r > 0), reverse=True)
        words = "; ".join(f"{k.replace('_', ' ')} {r:.2g}" for r, k in told)
        n = sum(len(some) for some in took.values())
        out.append(figure(title, (sum(parts.values()), None), n, aim, words))
    return out


def _rate(rate: Rate, some: Sequence[tuple[float, bool, bool]], column: int) -> float:
    """A line's are shared by its monitors: of all lines together, as a city would count them."""
    told = sum(one[column] for one in some)
    return rate.a_line * told / sum(one[0] for one in some) + rate.a_monitor * told / len(some)
