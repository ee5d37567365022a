"""The table beside the one table: every policy with every number of people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from bench._common.figure import shown
from bench.nights.figures import MEASURES, nights, ratios
from bench.nights.plan import POLICIES, SCARCE
from bench.nights.scene import Result

WORDS = {"joint": "ours", "each": "ours, each", "greedy": "greedy-nearest", "offline": "best plan"}
GRAVE = 4
"""Danger to people or property; from this severity on."""


def show(results: Sequence[Result], console: Console) -> None:
    """Minutes and shares, means over nights."""
    table = Table(title="waits (min) by people on duty and policy; means over nights")
    heads = ("people", "policy", "nights", "mean", "P90", "worst decile", "longest", "grave",
             "mean/greedy", "decile/greedy", "unreached", "closed", "re-sent", "km", "refused",
             "ms/decision")  # fmt: skip
    for head in heads:
        table.add_column(head, justify="left" if head == "policy" else "right")
    good = [r for r in results if r.error is None]
    some = nights(good)
    for people in sorted({r.job.people for r in good}):
        for policy in POLICIES:
            those = [r for r in good if r.job.people == people and r.job.policy == policy]
            if not those:
                continue
            beside = [
                shown(_mean([x for n in some for x in ratios(n, m, [people], of=policy)]))
                for m in (MEASURES["mean"], MEASURES["worst decile"])
            ]
            table.add_row(
                f"{people}{' scarce' if people in SCARCE else ''}", WORDS[policy],
                str(len(those)), *(shown(_mean([m(r) for r in those])) for m in MEASURES.values()),
                shown(_mean([max(r.waits) / 60 for r in those])),
                shown(_mean([_grave(r) for r in those])), *beside, *_cells(those),
            )  # fmt: skip
        table.add_section()
    console.print(table)
    _refused(good, console)


def _cells(those: Sequence[Result]) -> tuple[str, ...]:
    troubles = sum(len(r.waits) for r in those)
    km = [r.km for r in those if r.km is not None]
    decisions = sum(r.decisions for r in those)
    if not km:
        return ("–",) * 6
    return (
        str(sum(r.unreached for r in those)),
        shown(sum(r.closed for r in those) / troubles),
        shown(sum(r.resent for r in those) / troubles),
        shown(_mean(km)),
        str(sum(len(r.refused) for r in those)),
        shown(1e3 * sum(r.spent_s for r in those) / decisions if decisions else None),
    )


def _grave(result: Result) -> float:
    waits = np.array(result.waits)[np.array(result.severities) >= GRAVE]
    return float(waits.mean()) / 60 if len(waits) else 0.0


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _refused(results: Sequence[Result], console: Console) -> None:
    """What people asked and the router would not do, in its words."""
    counts: Counter[str] = Counter()
    for result in results:
        for words in result.refused:
            action, _, rest = words.partition(" by ")
            counts[f"{result.job.policy}: {action}: {rest.partition(': ')[2][:120]}"] += 1
    for words, count in counts.most_common(8):
        console.print(f"refused {count} × {words}", markup=False, highlight=False)
