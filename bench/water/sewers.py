"""Figures of simulated sewers: overflows, blockages, intervals, faults; ours beside references."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Final

from bench._common.bootstrap import bootstrap
from bench._common.figure import Figure, figure
from bench._common.stats import summed
from bench.water.blocked import RULES as BLOCKED_RULES
from bench.water.faults import Tally, f1
from bench.water.rows import beside, with_held_out
from bench.water.scene import Result
from simulators.water.take import FAULTS

Runs = Sequence[Result]
Of = Callable[[Runs], float | None]
FLOOD_RULES: Final = ("70 % of rim", "slope")
NEAR: Final = 2
"""Pipes from the blocked one that still are the right place to dig."""


def figures(results: Runs) -> list[Figure]:
    """The rows of the table: all networks, then the held-out ones where they say something."""
    good = [r for r in results if r.error is None]
    out = _overflows(good) + _blockages(good) + [_coverage(good)] + _faults(good)
    failed = sum(r.error is not None for r in results)
    told = (failed / len(results), None) if results else None
    out.append(figure("simulated runs that failed", told, len(results), "<= 0"))
    return out


def _pair(
    name: str, runs: Runs, of: Of, count: Callable[[Runs], int], aim: str | None, reference: str
) -> list[Figure]:
    """All networks; the held-out ones apart."""
    return with_held_out(
        name, runs, of, count, aim, reference,
        held=lambda run: run.job.held, called="networks", others="the others",
    )  # fmt: skip


# --- overflows ------------------------------------------------------------------------------


def warned(runs: Runs, who: str = "ours") -> float | None:
    """Share of the overflows at sensors that were warned of before."""
    told = [one.leads[who] is not None for r in runs for one in r.floods.overflowed]
    return sum(told) / len(told) if told else None


def flood_lead(runs: Runs, who: str = "ours") -> float | None:
    """Median minutes of warning, of those warned of."""
    leads = [one.leads[who] for r in runs for one in r.floods.overflowed]
    some = [one for one in leads if one is not None]
    return median(some) if some else None


def _overflows(runs: Runs) -> list[Figure]:
    def count(some: Runs) -> int:
        return sum(len(r.floods.overflowed) for r in some)

    before = {who: warned(runs, who) for who in FLOOD_RULES}
    leads = {who: flood_lead(runs, who) for who in FLOOD_RULES}
    out = _pair("simulated storms: overflows warned of before", runs, warned, count,
                ">= 0.80", beside(before))  # fmt: skip
    out += _pair("simulated storms: median lead, min", runs, flood_lead, count,
                 ">= 12", beside(leads))  # fmt: skip
    out += _rate(
        "simulated: false floods per sensor-day", runs, lambda r: len(r.floods.false),
        "<= 0.05", {who: partial(_false_floods, who) for who in FLOOD_RULES},
    )  # fmt: skip
    faulty = sum(alarm.faulty for r in runs for alarm in r.floods.false)
    days = sum(r.sensor_days for r in runs)
    told = summed([(1 / days, faulty)]) if days else None
    out.append(figure("simulated: of these, at an instrument at fault, per sensor-day",
                      told, faulty))  # fmt: skip
    return out


# --- blockages ------------------------------------------------------------------------------


def found(runs: Runs, who: str = "ours") -> float | None:
    """Share of the blockages that a sensor could tell of that were found."""
    told = [one.found[who] is not None for r in runs for one in r.blockages.blocked]
    return sum(told) / len(told) if told else None


def delay(runs: Runs, who: str = "ours") -> float | None:
    """Median minutes from the first 5 cm at a sensor to the alarm, of those found."""
    hits = [one.found[who] for r in runs for one in r.blockages.blocked]
    some = [hit.delay for hit in hits if hit is not None]
    return median(some) if some else None


def right_pipe(runs: Runs, who: str = "ours") -> float | None:
    """Share of those found whose likeliest pipe is within NEAR of the blocked one."""
    hits = [one.found[who] for r in runs for one in r.blockages.blocked]
    some = [hit.apart <= NEAR for hit in hits if hit is not None]
    return sum(some) / len(some) if some else None


def _blockages(runs: Runs) -> list[Figure]:
    def count(some: Runs) -> int:
        return sum(len(r.blockages.blocked) for r in some)

    def hits(some: Runs) -> int:
        return sum(one.found["ours"] is not None for r in some for one in r.blockages.blocked)

    def rules(of: Callable[[Runs, str], float | None]) -> str:
        return beside({who: of(runs, who) for who in BLOCKED_RULES})

    out = _pair("simulated blockages: found", runs, found, count, ">= 0.95", rules(found))
    out += _rate(
        "simulated: false blockages per sensor-day", runs, lambda r: len(r.blockages.false),
        "<= 0.02",
        {who: partial(_false_blockages, who) for who in BLOCKED_RULES},
    )  # fmt: skip
    out += _pair("simulated blockages: median delay, min", runs, delay, hits,
                 "<= 30", rules(delay))  # fmt: skip
    out += _pair(f"simulated blockages: right pipe within {NEAR}", runs, right_pipe, hits,
                 ">= 0.80", rules(right_pipe))  # fmt: skip
    unseen = sum(r.blockages.unseen for r in runs)
    n = unseen + count(runs)
    told = (unseen / n, None) if n else None
    out.append(figure("simulated blockages that no sensor could tell of (not counted)", told, n))
    return out


# --- intervals and faults -------------------------------------------------------------------


def _coverage(runs: Runs) -> Figure:
    def share(some: Runs) -> float | None:
        held = [one.held / one.published for r in some for one in r.floods.coverage]
        return sum(held) / len(held) if held else None

    n = sum(len(r.floods.coverage) for r in runs)
    first = [one.first for r in runs for one in r.floods.coverage]
    told = f"first forecasts {sum(first) / len(first):.3g}" if first else ""
    return figure("simulated: forecast interval covers the truth (claims 80 %)",
                  bootstrap(runs, share), n, ">= 0.75 and <= 0.85", told)  # fmt: skip


def tally(runs: Runs, what: str) -> Tally:
    """One type of fault over the runs."""
    some = [r.faults.by_type.get(what, Tally()) for r in runs]
    return Tally(
        sum(t.right for t in some), sum(t.false for t in some), sum(t.missed for t in some)
    )


def macro(runs: Runs) -> float | None:
    """The mean of the types' F1, of types that occurred."""
    told = [f1(tally(runs, what)) for what in FAULTS]
    some = [one for one in told if one is not None]
    return sum(some) / len(some) if some else None


def _faults(runs: Runs) -> list[Figure]:
    def count(some: Runs) -> int:
        return sum(t.right + t.missed for r in some for t in r.faults.by_type.values())

    out = _pair("simulated faults: F1 of the type, mean of types", runs, macro, count,
                ">= 0.9", "no one publishes one")  # fmt: skip
    for what in FAULTS:
        one = tally(runs, what)
        told = bootstrap(runs, partial(_f1_of, what))
        words = f"right {one.right}, missed {one.missed}, false {one.false}"
        out.append(figure(f"simulated faults: F1 of {what}", told, one.right + one.missed,
                          None, words))  # fmt: skip
    return out


def _f1_of(what: str, runs: Runs) -> float | None:
    return f1(tally(runs, what))


def _false_floods(who: str, run: Result) -> int:
    return run.floods.reference_false.get(who, 0)


def _false_blockages(who: str, run: Result) -> int:
    return run.blockages.reference_false.get(who, 0)


# --- rates ----------------------------------------------------------------------------------


def _rate(
    name: str,
    runs: Runs,
    alarms: Callable[[Result], int],
    aim: str,
    others: dict[str, Callable[[Result], int]],
) -> list[Figure]:
    """Alarms per level sensor and day."""

    def rate_of(which: Callable[[Result], int]) -> Of:
        def rate(some: Runs) -> float | None:
            days = sum(r.sensor_days for r in some)
            return sum(which(r) for r in some) / days if days else None

        return rate

    def count(some: Runs) -> int:
        return round(sum(r.sensor_days for r in some))

    references = beside({who: rate_of(which)(runs) for who, which in others.items()})
    return _pair(name, runs, rate_of(alarms), count, aim, references)
