"""The tables beside the one table: by feeder, by confounder, and why what went wrong did."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bench._common.figure import shown
from bench._common.stats import quantile
from bench.lines import breaks
from bench.lines.breaks import One, answers, near, told
from bench.lines.match import OURS, why
from bench.lines.others import confounders
from bench.lines.plan import HELD_OUT
from bench.lines.scene import Result

EXAMPLES = 6


def show(results: Sequence[Result], console: Console) -> None:
    """All of them."""
    _show_breaks(breaks.breaks(results), console)
    _show_confounders(results, console)
    _show_why(results, console)


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title)
    for k, head in enumerate(heads):
        table.add_column(head, justify="right" if k else "left", no_wrap=True)
    return table


def _show_breaks(some: Sequence[One], console: Console) -> None:
    table = _table(
        "breaks, by what, monitors and feeder", "of", "n", "heard", "told", "sure", "p50 s",
        "p95 s", "what", "exact", "near", "listed", "spans", "m", "P90 m", "owner", "incid.",
    )  # fmt: skip
    groups: dict[tuple[str, str, str], list[One]] = defaultdict(list)
    for one in some:
        groups[one[2].what, one[1], one[0]].append(one)
    for (what, monitors, feeder), those in sorted(groups.items()):
        held = " (held out)" if feeder in HELD_OUT else ""
        table.add_row(f"{what} {monitors} {feeder}{held}", *_cells(those))
    console.print(table)


def _cells(those: Sequence[One]) -> tuple[str, ...]:
    heard = [x for x in those if x[2].heard]
    found = answers(heard)
    n = len(found) or 1
    delays = [a.delay for a in found if a.delay is not None]
    metres = [a.metres for a in found if a.metres is not None]
    right = sum(
        a.what == one.what for _, _, one in heard if (a := one.answers[OURS]) is not None
    )  # fmt: skip
    return (
        str(len(those)), str(len(heard)), shown(told(heard)),
        shown(sum(a.confirmed is not None for a in found) / n),
        _at(delays, 0.5), _at(delays, 0.95), shown(right / n),
        shown(near(heard, 0)), shown(near(heard, 1)),
        shown(sum(bool(a.listed) for a in found) / n),
        shown(sum(a.spans for a in found) / n), _at(metres, 0.5), _at(metres, 0.9),
        shown(sum(bool(a.owners) for a in found) / n), shown(sum(a.incidents for a in found) / n),
    )  # fmt: skip


def _at(values: Sequence[float], q: float) -> str:
    found = quantile(values, q)
    return shown(found[0] if found is not None else None)


def _show_confounders(results: Sequence[Result], console: Console) -> None:
    table = _table("what is no break", "kind", "n", "called severed", "confirmed", "suspected")
    for kind, some in confounders(results).items():
        hows: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for seen, said in some:
            row = (bool(said.severed), bool(said.confirmed), bool(said.suspected))
            hows[f"{kind} {seen.how}".strip()].append(row)
        for how, rows in sorted(hows.items()):
            table.add_row(how, str(len(rows)), *(str(sum(c)) for c in zip(*rows, strict=True)))
    console.print(table)


def _show_why(results: Sequence[Result], console: Console) -> None:
    """What is wrong with how many breaks, and with which seeds."""
    counts: Counter[tuple[str, str, str]] = Counter()
    seeds: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    total: Counter[tuple[str, str]] = Counter()
    for result in results:
        for seen in result.seen:
            if seen.broken is not None:
                group = (seen.broken.what, result.job.monitors)
                total[group] += 1
                reason = why(seen.broken)
                where = f"{result.job.feeder} {seen.seed}"
            elif seen.said is not None and (seen.said.confirmed or seen.said.suspected):
                group = (result.job.happening or "quiet", result.job.monitors)
                reason = "confirmed" if seen.said.confirmed else "suspected"
                where = f"{result.job.feeder} {seen.seed}: {seen.said.words}"
            else:
                continue
            if reason:
                counts[(*group, reason)] += 1
                seeds[(*group, reason)].append(where)
    for key in sorted(counts, key=lambda k: (k[0], k[1], -counts[k])):
        of = total[key[:2]]
        count = f"{counts[key]} of {of}" if of else str(counts[key])
        some = "; ".join(seeds[key][:EXAMPLES])
        console.print(f"{key[0]}, {key[1]}: {key[2]}: {count} ({some})", highlight=False)
