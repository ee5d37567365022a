"""Faults of instruments: which were named rightly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec

from bench.water.watch import Episode, begin_of
from simulators.water.take import FAULTS, Take

LATE_S: Final = 3 * 3600.0
"""A fault may still be named so long after its end."""
EARLY_S: Final = 60.0
SILENT: Final = "dropout"
"""What `sensor_silent` says of an instrument."""


class Tally(msgspec.Struct):
    """Of one type of fault."""

    right: int = 0
    false: int = 0
    missed: int = 0


def f1(tally: Tally) -> float | None:
    """F1; None without any."""
    n = 2 * tally.right + tally.false + tally.missed
    return 2 * tally.right / n if n else None


class Missed(msgspec.Struct, frozen=True):
    """A fault that was not named, or one named that was none."""

    device: str
    what: str
    begin: float
    end: float
    said: str | None
    """What was said instead."""


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """What a run says of faults."""

    by_type: dict[str, Tally] = {}
    missed: tuple[Missed, ...] = ()
    false: tuple[Missed, ...] = ()


def judge(take: Take, episodes: Sequence[Episode]) -> Faults:
    """Every ordered fault and every fault told of, one to one by device, time and type.

    An episode on a device that has a fault then, but names another type, is a miss of the one and
    a false alarm of the other. `sensor_silent` counts as having said `dropout`, and is never a
    false alarm: gateways are away in some runs, and silence is what it is asked to tell.
    """
    zero = begin_of(take)
    tallies: dict[str, Tally] = defaultdict(Tally)
    told: dict[str, list[Episode]] = defaultdict(list)
    for episode in episodes:
        if episode.kind in ("sensor_faulty", "sensor_silent"):
            told[episode.device or episode.site].append(episode)
    used: set[int] = set()
    missed, false = [], []
    for fault in take.faults:
        begin, end = ((m - zero).total_seconds() for m in (fault.begin, fault.end))
        mine = [
            e
            for e in told[fault.device]
            if e.opened <= end + LATE_S and e.closed >= begin - EARLY_S
        ]
        right = [e for e in mine if said(e) == fault.what]
        used |= {id(e) for e in right}
        if right:
            tallies[fault.what].right += 1
            continue
        tallies[fault.what].missed += 1
        other = said(mine[0]) if mine else None
        missed.append(Missed(fault.device, fault.what, begin, end, other))
    for device, mine in told.items():
        for episode in mine:
            if id(episode) in used or episode.kind == "sensor_silent":
                continue
            what = said(episode)
            tallies[what].false += 1
            false.append(Missed(device, what, episode.opened, episode.closed, None))
    return Faults(
        by_type={what: tallies[what] for what in (*FAULTS, *sorted(set(tallies) - set(FAULTS)))},
        missed=tuple(missed),
        false=tuple(false),
    )


def said(episode: Episode) -> str:
    """The type of fault that an episode names in the end."""
    if episode.kind == "sensor_silent":
        return SILENT
    return str(episode.last_open.evidence.get("fault"))
