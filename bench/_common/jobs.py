"""Jobs of a scorecard: judged on worker processes, their results kept, so that a stopped one goes
on where it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench._common.files import write_whole
from bench._common.pool import one_thread, pooled

DIED: Final = "studio: the worker process died on it twice"
"""The error of a job that killed its workers."""


class Ordered(Protocol):
    """A job, hashable."""

    @property
    def part(self) -> str:
        """The part of the scorecard it belongs to."""
        ...

    @property
    def name(self) -> str:
        """For people."""
        ...


class Judged(Protocol):
    """A result."""

    @property
    def job(self) -> Any:
        """What was ordered."""
        ...

    @property
    def error(self) -> str | None:
        """Why it failed; None: it did not."""
        ...


Job = TypeVar("Job", bound=Ordered)
Result = TypeVar("Result", bound=Judged)


class Kept(Generic[Job, Result]):
    """Results in a folder, found again only under the same order and the same code: their names
    hold a hash of both, so a changed detector, studio or comparison never meets a stale result."""

    def __init__(
        self,
        folder: Path,
        code: str,
        kind: type[Result],
        mark: Callable[[Job], bytes] = lambda _: b"",
    ) -> None:
        """`mark`: what else tells one job from another of the same order."""
        self._folder, self._code, self._kind, self._mark = folder, code, kind, mark

    def get(self, job: Job) -> Result | None:
        """The result of this job under this code, or None. A damaged file is none."""
        try:
            return msgspec.msgpack.decode(self._path(job).read_bytes(), type=self._kind)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def put(self, result: Result) -> None:
        """Keep it. A crash is not kept: the next run tries again."""
        if result.error is None:
            write_whole(self._path(result.job), msgspec.msgpack.encode(result))

    def _path(self, job: Job) -> Path:
        told = hashlib.sha256(msgspec.msgpack.encode(job) + self._code.encode())
        told.update(self._mark(job))
        return self._folder / job.part / f"{told.hexdigest()[:24]}.msgpack"


def judged(
    jobs: Sequence[Job],
    do: Callable[[Job], Result],
    kept: Kept[Job, Result],
    *,
    workers: int,
    console: Console,
    what: str,
    unit: str,
    died: Callable[[Job], Result],
    work: Callable[[Job], float] = lambda _: 1,
    calm: Callable[[], None] = one_thread,
) -> list[Result]:
    """The results in the order of the jobs, from `kept` where they were done before. Those with the
    most work (in `unit`) go first, so that the end is not awaited on one core."""
    done = {job: result for job in jobs if (result := kept.get(job)) is not None}
    left = sorted((job for job in jobs if job not in done), key=work, reverse=True)
    if done:
        console.print(f"{len(done)} of {len(jobs)} {what} were already judged by this code")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} " + unit),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    hidden = not console.is_terminal
    with Progress(*columns, console=console, disable=hidden, speed_estimate_period=300) as progress:
        bar = progress.add_task(what, total=sum(work(job) for job in left))
        said = 0
        for number, result in enumerate(pooled(left, do, workers, calm=calm, died=died), start=1):
            done[result.job] = result
            kept.put(result)
            progress.update(bar, advance=work(result.job))
            if result.error is not None:
                console.print(f"FAILED {result.job.name}: {result.error}", markup=False)
            tenth = 10 * number // len(left)
            if hidden and tenth > said:
                said = tenth
                console.print(f"{number} of {len(left)} {what}", highlight=False)
    return [done[job] for job in jobs]


def show_failures(results: Sequence[Judged], console: Console) -> None:
    """What could not be made or judged."""
    for result in results:
        if result.error is not None:
            last = result.error.strip().splitlines()[-1]
            console.print(f"FAILED {result.job.name}: {last}", markup=False, highlight=False)
