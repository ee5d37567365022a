"""The bar on a terminal of commands that read many readings."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from contracts.clock import monotonic

Told = Callable[..., None]
"""(done, readings, before="", after=""): how far of the total, how many readings, words around."""


@contextmanager
def readings_bar(total: float | None, first: str = "") -> Iterator[Told]:
    """Yields what to call now and then; on stderr, and only where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda *_, **__: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    began = monotonic()
    with Progress(
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(first, total=total)

        def told(done: float, readings: int, before: str = "", after: str = "") -> None:
            rate = readings / max(monotonic() - began, 0.001)
            text = f"{before}{readings:,} readings, {rate:,.0f}/s{after}"
            bar.update(task, completed=done, description=text)

        yield told


@contextmanager
def steps_bar() -> Iterator[Callable[[int, int, str], None]]:
    """Yields what to call with (done, of so many, what): one bar, begun anew for each total."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def told(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=what[-60:])

        yield told
