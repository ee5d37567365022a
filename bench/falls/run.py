"""Runs jobs on worker processes, from the cache where they were done before."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import cv2
from rich.console import Console

from bench._common.jobs import DIED, Kept, judged
from bench._common.pool import one_thread, pooled
from bench.falls import scene
from bench.falls.films import Films
from bench.falls.plan import Job
from bench.falls.scene import Result


def run(
    jobs: Sequence[Job],
    *,
    plates: Path | None,
    kept: Kept[Job, Result],
    workers: int,
    console: Console,
    films: Films | None = None,
) -> list[Result]:
    """The results in the order of the jobs."""
    return judged(
        jobs,
        partial(scene.score, plates=plates, films=films),
        kept,
        workers=workers,
        console=console,
        what="films",
        unit="pictures",
        died=_died,
        work=_work,
        calm=calm,
    )


def film_all(
    jobs: Sequence[Job], *, plates: Path | None, films: Films, workers: int, console: Console
) -> None:
    """Make the films of the jobs and judge nothing, for a `run` that comes later."""
    do = partial(scene.film_only, plates=plates, films=films)
    for number, result in enumerate(pooled(jobs, do, workers, calm=calm, died=_died), start=1):
        if result.error is not None:
            console.print(f"FAILED {result.job.name}: {result.error}", markup=False)
        if number % 100 == 0:
            console.print(f"{number} of {len(jobs)} films", highlight=False)


def _work(job: Job) -> float:
    """Pictures, in those of 720p."""
    wide, high = job.order.size
    return job.order.seconds * job.order.fps * wide * high / (1280 * 720)


def _died(job: Job) -> Result:
    return Result(job=job, error=DIED)


def calm() -> None:
    """One thread per worker: their number is the number of cores used."""
    cv2.setNumThreads(1)
    one_thread()
