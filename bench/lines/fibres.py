"""Fibres: breaks placed by an OTDR's traces, and what is no break."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console

from bench._common.figure import Figure, figure

SeedOf = Callable[[str, int], int]


def figures(
    seed_of: SeedOf,
    counts: Mapping[str | None, int],
    recordings: Path | None,
    *,
    workers: int,
    folder: Path,
    console: Console,
    simulate: bool = True,
) -> list[Figure]:
    """Rows."""
    return [figure("fibre break: error, m, median", None, 0, "<= 6"),
            figure("fibre break: error - pulse, m, P95", None, 0, "<= 10")]  # fmt: skip
