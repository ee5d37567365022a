"""What the scorecard says of the nights: ours over greedy's, night by night."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from bench._common.bootstrap import bootstrap
from bench._common.figure import Figure, Told, figure, share, shown
from bench.nights.plan import SCARCE
from bench.nights.scene import Result

Measure = Callable[[Result], float]
Night = dict[tuple[str, int], Result]
"""By policy and people: everything played of one night; resampled as a whole."""


def mean(result: Result) -> float:
    """Minutes from a trouble to somebody standing there."""
    return float(np.mean(result.waits)) / 60


def p90(result: Result) -> float:
    """Minutes within which nine of ten were reached."""
    return float(np.quantile(result.waits, 0.9)) / 60


def decile(result: Result) -> float:
    """The mean of the longest tenth of the waits (min)."""
    waits = np.sort(result.waits)
    return float(waits[-max(1, len(waits) // 10) :].mean()) / 60


MEASURES: dict[str, Measure] = {"mean": mean, "P90": p90, "worst decile": decile}
AIMS = {
    ("mean", True): "<= 0.90",
    ("worst decile", True): "<= 0.80",
    ("mean", False): "<= 1.02",
    ("worst decile", False): "<= 1.02",
}
"""By measure, and whether people are scarce."""


def nights(results: Sequence[Result]) -> list[Night]:
    """What was played without a failure, by night."""
    found: dict[int, Night] = defaultdict(dict)
    for result in results:
        if result.error is None:
            found[result.job.number][result.job.policy, result.job.people] = result
    return [found[number] for number in sorted(found)]


def ratios(
    night: Night, measure: Measure, people: Sequence[int], over: str = "greedy", of: str = "joint"
) -> list[float]:
    """One policy's over another's in one night, for each number of people where both are there."""
    return [
        measure(night[of, count]) / measure(night[over, count])
        for count in people
        if (of, count) in night and (over, count) in night
    ]


def ratio(
    some: Sequence[Night], measure: Measure, people: Sequence[int], over: str = "greedy"
) -> tuple[Told | None, int]:
    """The mean of the nights' ratios with its interval over nights; of how many."""

    def told(drawn: Sequence[Night]) -> float | None:
        each = [r for night in drawn for r in ratios(night, measure, people, over)]
        return float(np.mean(each)) if each else None

    return bootstrap(some, told), sum(len(ratios(n, measure, people, over)) for n in some)


def figures(results: Sequence[Result]) -> list[Figure]:
    """All lines."""
    some = nights(results)
    levels = sorted({r.job.people for r in results})
    groups = {
        "scarce": [p for p in levels if p in SCARCE],
        "enough": [p for p in levels if p not in SCARCE],
    }
    told: list[Figure] = []
    for word, people in groups.items():
        if not people:
            continue
        scarce = word == "scarce"
        for name, measure in MEASURES.items():
            aim = AIMS.get((name, scarce))
            if len(people) > 1:
                told.append(_line(some, name, measure, people, aim, f"people {word}"))
            told += [
                _line(some, name, measure, [count], aim, f"{count} people, {word}")
                for count in people
            ]
        each = [r for night in some for r in ratios(night, mean, people)]
        told.append(
            figure(
                f"mean wait over greedy's, people {word}: its highest of any night",
                (max(each), None) if each else None,
                len(each),
            )
        )
        value, n = ratio(some, mean, people, "offline")
        told.append(figure(f"mean wait over the best plan's, people {word}", value, n))
    return told + others([r for r in results if r.job.policy == "joint" and r.error is None])


def _line(
    some: Sequence[Night],
    name: str,
    measure: Measure,
    people: Sequence[int],
    aim: str | None,
    words: str,
) -> Figure:
    value, n = ratio(some, measure, people)
    beside = [
        f"{label} {_minutes(some, policy, measure, people)}"
        for label, policy in (
            ("ours", "joint"), ("greedy", "greedy"), ("each", "each"), ("best plan", "offline"),
        )
    ]  # fmt: skip
    line = f"{name} wait over greedy's, {words}"
    return figure(line, value, n, aim, f"{', '.join(beside)} min")


def _minutes(some: Sequence[Night], policy: str, measure: Measure, people: Sequence[int]) -> str:
    found = [measure(n[policy, p]) for n in some for p in people if (policy, p) in n]
    return shown(float(np.mean(found)) if found else None)


def others(ours: Sequence[Result]) -> list[Figure]:
    """What it cost, and what went wrong."""
    troubles = sum(len(r.waits) for r in ours)
    if not troubles:
        return []
    refused = Counter(words.partition(" by ")[0] for r in ours for words in r.refused)
    named = ", ".join(f"{action} × {count}" for action, count in refused.most_common())
    decisions = sum(r.decisions for r in ours)
    worst = max(r.p99_s for r in ours)
    return [
        share("troubles never reached", sum(r.unreached for r in ours), troubles, aim="<= 0"),
        share("troubles whose ticket is closed at the end", sum(r.closed for r in ours), troubles),
        figure("commands refused", (float(refused.total()), None), troubles, "<= 0", named or None),
        figure("re-sends per trouble", _per_night(ours, lambda r: r.resent), troubles),
        figure("km on the way per trouble", _per_night(ours, lambda r: r.km or 0.0), troubles),
        figure(
            "CPU per decision, ms",
            (1e3 * sum(r.spent_s for r in ours) / decisions, None),
            decisions,
            None,
            f"99th percentile of the slowest night {shown(1e3 * worst)}",
        ),
    ]


def _per_night(ours: Sequence[Result], count: Callable[[Result], float]) -> Told | None:
    def told(some: Sequence[Result]) -> float | None:
        return sum(count(r) for r in some) / sum(len(r.waits) for r in some)

    return bootstrap(ours, told)
