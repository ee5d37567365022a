"""Alarms per episode, and what they come to a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from bench._common.stats import Interval, summed
from bench.falls.episodes import Episodes
from bench.falls.scene import Result


def of_part(results: Iterable[Result], part: str, group: str | None = None) -> list[Result]:
    """Those of a part, or of one group of it."""
    return [r for r in results if r.job.part == part and group in (None, r.job.group)]


class Rate(msgspec.Struct, frozen=True):
    """Alarms of one distractor alone."""

    kind: str
    episodes: int
    hours: float
    alarms: int
    reference_alarms: int


def rates(results: Sequence[Result], episodes: Episodes) -> list[Rate]:
    """Of each kind in the table."""
    out = []
    for kind in episodes.kinds:
        those = [r for r in of_part(results, "distractors", kind) if r.error is None]
        out.append(
            Rate(
                kind,
                sum(r.job.episodes for r in those),
                sum(r.seconds for r in those) / 3600,
                sum(len(r.false) for r in those),
                sum(r.reference_false for r in those),
            )
        )
    return out


def per_day(
    rates_: Sequence[Rate], weight: Callable[[str], float], alarms: Callable[[Rate], int]
) -> tuple[float, Interval] | None:
    """Σ episodes a day × alarms per episode; None while a kind that counts has no episode."""
    parts = []
    for rate in rates_:
        a_day = weight(rate.kind)
        if a_day and not rate.episodes:
            return None
        if a_day:
            parts.append((a_day / rate.episodes, alarms(rate)))
    return summed(parts)
