"""A comparison for people, in both languages, and for machines."""

from __future__ import annotations

import sys
from statistics import median
from typing import TYPE_CHECKING, Any

from contracts.clock import iso
from contracts.kinds import NAMES
from gridsentry.backtest.compare import COLUMNS, count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gridsentry.backtest.compare import Episode, Pair

TITLES = {
    "then": "as it is (now) and as it would be (then) · 现配置与新配置",
    "stored": "as it is (now) and what the service had stored (then) · 现配置与当时存档",
}
HEADS = {
    "now": "now 现",
    "then": "then 彼",
    "same": "same 相同",
    "earlier": "earlier 提前",
    "later": "later 推迟",
    "severity": "severity 级别",
    "ends": "ends 结束",
    "only_now": "only now 仅现",
    "only_then": "only then 仅彼",
}
LISTED = 200
"""Differences listed for people; all of them with --json."""
Found = tuple["Pair", dict[str, Any]]


def name_of(kind: str) -> str:
    """The kind's name in both languages."""
    zh, en = NAMES.get(kind, (kind, kind))
    return f"{zh} {en}"


def as_json(against: str, found: Sequence[Found]) -> Iterator[dict[str, Any]]:
    """One line for every difference, then one for every kind."""
    for pair, differs in found:
        if differs:
            yield {
                "type": "difference",
                "against": against,
                "kind": pair.some.kind,
                "site": pair.some.site,
                "device": pair.some.device,
                **differs,
                "now": _side(pair.now),
                "then": _side(pair.then),
            }
    for kind, row in count(found).items():
        zh, en = NAMES.get(kind, (kind, kind))
        yield {
            "type": "kind",
            "against": against,
            "kind": kind,
            "name_zh": zh,
            "name_en": en,
            **{column: row[column] for column in COLUMNS},
        }


def _side(episode: Episode | None) -> dict[str, Any] | None:
    if episode is None:
        return None
    why = {} if episode.why is None else {"why_en": episode.why[0], "why_zh": episode.why[1]}
    return {
        "id": episode.id,
        "onset": iso(episode.onset),
        "told": iso(episode.told),
        "over": None if episode.over is None else iso(episode.over),
        "severity": episode.severity,
        **why,
    }


def as_tables(against: str, found: Sequence[Found]) -> None:
    """A table by kind, then the differences in the order of time."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 160)
    counts = count(found)
    if not counts:
        console.print(f"[bold]{TITLES[against]}[/]: no event on either side · 双方均无事件")
        return
    table = Table(title=TITLES[against], title_justify="left")
    table.add_column("kind 类型")
    for column in COLUMNS:
        table.add_column(HEADS[column], justify="right")
    for kind, row in counts.items():
        own = [differs for pair, differs in found if pair.some.kind == kind]
        table.add_row(name_of(kind), *(_cell(row[column], column, own) for column in COLUMNS))
    console.print(table)
    if against == "stored" and not any(pair.then for pair, _ in found):
        console.print(
            "the service had stored no event of this time (imported, or let go since) · "
            "该时段无存档事件（导入数据或已清理）",
            soft_wrap=True,
        )
        return
    different = [one for one in found if one[1]]
    for pair, differs in different[:LISTED]:
        console.print(line(pair, differs), soft_wrap=True, markup=False, highlight=False)
    if len(different) > LISTED:
        console.print(f"… and {len(different) - LISTED:,} more (--json lists all)")


def _cell(number: int, column: str, differs: Sequence[dict[str, Any]]) -> str:
    """How many; of those told earlier or later also by how much (the median)."""
    told = [one["told_s"] for one in differs if "told_s" in one]
    spans = {"earlier": [-s for s in told if s < 0], "later": [s for s in told if s > 0]}
    if not number:
        return "–"
    return f"{number} ({_span(median(spans[column]))})" if column in spans else str(number)


def line(pair: Pair, differs: dict[str, Any]) -> str:
    """One difference in both languages."""
    some = pair.some
    where = some.device or some.site
    said = [text for text in _said(pair, differs) if text]
    head = f"{some.told:%m-%d %H:%M:%S}Z {name_of(some.kind)} {where}: " + "; ".join(said)
    why = some.why if "only" in differs else None
    return head if why is None else f"{head} — {why[0]} · {why[1]}"


def _said(pair: Pair, differs: dict[str, Any]) -> Iterator[str]:
    if "only" in differs:
        side = {"now": ("now", "现"), "then": ("then", "彼")}[differs["only"]]
        yield f"only {side[0]} 仅{side[1]}, severity 级别 {pair.some.severity}"
    if "told_s" in differs:
        seconds = differs["told_s"]
        way = "earlier 提前" if seconds < 0 else "later 推迟"
        yield f"{_span(abs(seconds))} {way}"
    if "severity" in differs:
        was, would = differs["severity"]
        yield f"severity 级别 {was} → {would}"
    over = differs.get("over_s")
    if over == "open":
        yield "then not over 彼未结束"
    elif over == "closed":
        yield "then over, now not 彼已结束、现未结束"
    elif over is not None:
        way = "sooner 早结束" if over < 0 else "longer 晚结束"
        yield f"over {_span(abs(over))} {way}"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
