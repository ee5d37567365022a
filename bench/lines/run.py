"""Runs the jobs on worker processes, from what was kept where they were done before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec
from rich.console import Console

from bench._common.figure import Figure
from bench._common.files import write_whole
from bench._common.jobs import DIED, Kept, judged
from bench.lines import scene
from bench.lines.plan import DAY_S, Job
from bench.lines.scene import Result


def simulate(
    jobs: Sequence[Job],
    feeders: Path,
    kept: Kept[Job, Result],
    workers: int,
    console: Console,
) -> list[Result]:
    """The results in the order of the jobs."""

    def died(job: Job) -> Result:
        return Result(job=job, error=DIED)

    do = partial(scene.score, feeders=feeders)
    return judged(
        jobs, do, kept, workers=workers, console=console, what="blocks", unit="monitor-hours",
        died=died, work=work,
    )  # fmt: skip


def work(job: Job) -> float:
    """About how many monitor-hours it has."""
    size = {"town": 220.0, "ieee123": 125.0, "village": 35.0, "ieee13": 13.0}[job.feeder]
    share = 1.0 if job.monitors == "everywhere" else 0.45
    long_s = DAY_S if job.part == "quiet" else 2_000.0 * len(job.seeds)
    return size * share * long_s / 3600


def read(jobs: Sequence[Job], kept: Kept[Job, Result]) -> list[Result]:
    """Those results alone that are kept: nothing is simulated."""
    return [found for job in jobs if (found := kept.get(job)) is not None]


def kept_rows(path: Path, make: Callable[[], list[Figure]]) -> list[Figure]:
    """The rows that `path` keeps; else those that `make` makes. A damaged file keeps none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Figure])
    except (FileNotFoundError, msgspec.MsgspecError):
        rows = make()
        write_whole(path, msgspec.json.encode(rows))
        return rows
