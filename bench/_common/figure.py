"""A line of a scorecard: for people (a table, plain when piped) and for programs (JSON)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bench._common.stats import Interval, wilson

Told = tuple[float, Interval | None]
"""A value and its interval."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the scorecard; null where it could not be computed."""

    figure: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    aim: str | None = None
    """A comparison with a number (`>= 0.97`), or two of them (`>= 0.75 and <= 0.85`)."""
    reference: str | None = None


def figure(
    name: str,
    told: Told | None,
    n: int,
    aim: str | None = None,
    reference: str | None = None,
) -> Figure:
    """A line from a value with its interval; None where there is nothing to tell."""
    value, interval = told if told is not None else (None, None)
    low, high = interval if interval is not None else (None, None)
    return Figure(
        figure=name, value=value, low=low, high=high, n=n, aim=aim, reference=reference
    )  # fmt: skip


def share(
    name: str, hits: int, n: int, *, aim: str | None = None, reference: str | None = None
) -> Figure:
    """A share with Wilson's interval."""
    return figure(name, (hits / n, wilson(hits, n)) if n else None, n, aim, reference)


def met(figure: Figure) -> bool | None:
    """Whether the point value meets the aim; None without an aim or without a value."""
    if figure.aim is None or figure.value is None:
        return None
    return all(_holds(figure.value, sign, bound) for sign, bound in bounds(figure.aim))


def bounds(aim: str) -> list[tuple[str, float]]:
    """The comparisons of an aim."""
    parts = (part.split() for part in aim.split(" and "))
    return [(sign, float(limit)) for sign, limit in parts]


def _holds(value: float, sign: str, bound: float) -> bool:
    return {
        ">=": value >= bound,
        ">": value > bound,
        "<=": value <= bound,
        "<": value < bound,
    }[sign]


def too_few(figure: Figure) -> bool:
    """Whether half the interval is wider than the distance to the (nearest) aim."""
    if figure.aim is None or figure.value is None:
        return False
    if figure.low is None or figure.high is None:
        return True
    distance = min(abs(figure.value - bound) for _, bound in bounds(figure.aim))
    if distance == 0:
        return False  # none may fail, and none did
    return (figure.high - figure.low) / 2 > distance


def show(figures: Sequence[Figure], console: Console, title: str) -> None:
    """The one table."""
    table = Table(title=title)
    table.add_column("figure", max_width=58)
    for head in ("value", "95 %", "n"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("aim", no_wrap=True)
    table.add_column("met", no_wrap=True)
    table.add_column("reference", max_width=38)
    for f in figures:
        verdict = met(f)
        word = "" if f.aim is None else {True: "yes", False: "no", None: "–"}[verdict]
        if verdict is not None and too_few(f):
            word += ", n too small"
        spread = f"{shown(f.low)} … {shown(f.high)}" if f.low is not None else "–"
        table.add_row(
            f.figure, shown(f.value), spread, f"{f.n:,}", f.aim or "", word, f.reference or ""
        )
    console.print(table)


def shown(value: float | None) -> str:
    """As many digits as mean something."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def write(figures: Sequence[Figure], path: Path) -> None:
    """The JSON list."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(msgspec.to_builtins(list(figures)), indent=1) + "\n")
