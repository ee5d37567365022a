"""Figures of what is no break: confounders, and days in which nothing happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from bench._common.figure import Figure, figure, share
from bench._common.stats import garwood
from bench.lines.breaks import short
from bench.lines.match import Said
from bench.lines.rules import RULES
from bench.lines.scene import Result, Seen
from simulators.lines.sway import Sway
from simulators.lines.take import CONFOUNDERS

UNKNOWABLE: Final = "planned_unregistered"
"""A section switched off without a word: scored apart, because nobody can always know better."""


def confounders(results: Iterable[Result]) -> dict[str, list[tuple[Seen, Said]]]:
    """All of them by kind."""
    out: dict[str, list[tuple[Seen, Said]]] = {kind: [] for kind in CONFOUNDERS}
    for result in results:
        if result.job.part == "confounders":
            kind = str(result.job.happening)
            out[kind] += [(seen, seen.said) for seen in result.seen if seen.said is not None]
    return out


def confused(results: Sequence[Result]) -> list[Figure]:
    """How many of each kind were called severed."""
    out = []
    for kind, some in confounders(results).items():
        n, said = len(some), [one for _, one in some]
        severed = sum(one.severed > 0 for one in said)
        confirmed = sum(one.confirmed > 0 for one in said)
        suspected = sum(one.suspected > 0 and not one.confirmed for one in said)
        rules = "; ".join(
            f"{name} {short(sum(one.rules.get(name, 0) > 0 for one in said) / n)}" for name in RULES
        ) if n else ""  # fmt: skip
        aim = None if kind == UNKNOWABLE else "<= 0.005"
        name = f"called severed: {kind.replace('_', ' ')}"
        words = f"confirmed as anything {confirmed}, suspected alone {suspected}; {rules}"
        out.append(share(name, severed, n, aim=aim, reference=words))
    return out


def quiet(results: Sequence[Result], field: Path) -> list[Figure]:
    """False alarms per monitor-year; `field`: where the record of wind lies."""
    some = [s for r in results if r.job.part == "quiet" for s in r.seen if s.said is not None]
    years = sum(seen.years for seen in some)
    said = [seen.said for seen in some if seen.said is not None]
    days = Sway.read(field).independent_days()
    wind = f"{days:.0f} independent days of the field" if days else "no record of the field"
    words = f"{years:.0f} monitor-years, wind from {wind}"
    rules: Counter[str] = Counter()
    for one in said:
        rules.update(one.rules)
    beside = "; ".join(f"{n} {short(rules[n] / years)}" for n in RULES) if years else ""
    return [
        _rate("false confirmed per monitor-year", sum(o.confirmed for o in said), years,
              "<= 0.01", words),
        _rate("false suspected per monitor-year", sum(o.suspected for o in said), years,
              "<= 0.2", beside),
        _rate("false pole_tilt per monitor-year", sum(o.leaning for o in said), years, None, ""),
    ]  # fmt: skip


def _rate(name: str, count: int, years: float, aim: str | None, words: str) -> Figure:
    if not years:
        return figure(name, None, 0, aim, words)
    low, high = garwood(count)
    return figure(name, (count / years, (low / years, high / years)), round(years), aim, words)
