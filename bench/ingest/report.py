"""Figures with their spread: a table for people, JSON for the next run to compare with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table: the median of the runs, the least and the most."""

    figure: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    unit: str = ""
    aim: str | None = None
    """`>= NUMBER` or `<= NUMBER`."""
    reference: str | None = None


def figure(
    name: str,
    values: Sequence[float],
    unit: str = "",
    *,
    aim: str | None = None,
    reference: str | None = None,
) -> Figure:
    """Median and range of the values; without any the figure is there with null."""
    if not values:
        return Figure(
            figure=name, value=None, low=None, high=None, n=0, unit=unit, aim=aim,
            reference=reference,
        )  # fmt: skip
    return Figure(
        figure=name,
        value=median(values),
        low=min(values),
        high=max(values),
        n=len(values),
        unit=unit,
        aim=aim,
        reference=reference,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = max(1, -(-int(share * 1_000_000) * len(ordered) // 1_000_000))
    return ordered[rank - 1]


def show(figures: Sequence[Figure], about: dict[str, Any], console: Console) -> None:
    """Print the table."""
    table = Table(title="ingest")
    table.add_column("figure", no_wrap=True)
    for head in ("median", "least", "most", "n"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    for head in ("aim", "met"):
        table.add_column(head, no_wrap=True)
    table.add_column("beside it", max_width=34)
    for f in figures:
        values = (shown(f.value), shown(f.low), shown(f.high), f"{f.n:,}")
        table.add_row(f.figure, *values, f.unit, *_aim(f), f.reference or "")
    console.print(table)
    for name, told in about.items():
        console.print(f"{name}: {told}", markup=False, highlight=False)


def met(f: Figure) -> bool | None:
    """Whether the median meets the aim; None without an aim or without a value."""
    if f.aim is None or f.value is None:
        return None
    sign, _, limit = f.aim.partition(" ")
    return f.value >= float(limit) if sign == ">=" else f.value <= float(limit)


def _aim(f: Figure) -> tuple[str, str]:
    if f.aim is None:
        return "", ""
    sign, _, limit = f.aim.partition(" ")
    told = {True: "yes", False: "no", None: "–"}[met(f)]
    return f"{sign} {float(limit):,.10g}", told


def shown(value: float | None) -> str:
    """A figure with as many digits as mean something."""
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def write(
    figures: Sequence[Figure],
    about: dict[str, Any],
    path: Path,
    runs: dict[str, Any] | None = None,
) -> None:
    """Write them as JSON; `runs` is what somebody may want to draw, such as memory by second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [{**msgspec.to_builtins(f), "met": met(f)} for f in figures]
    told = {"about": about, "figures": lines, **(runs or {})}
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
