"""Runs jobs on worker processes, from the cache where they were done before."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import cv2
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench._common.pool import pooled
from bench.falls import cache, scene
from bench.falls.films import Films
from bench.falls.plan import Job
from bench.falls.scene import Result


def run(
    jobs: Sequence[Job],
    *,
    plates: Path | None,
    kept: cache.Cache,
    workers: int,
    console: Console,
    films: Films | None = None,
) -> list[Result]:
    """The results in the order of the jobs. The long ones first, so that the end is not awaited
    on one core."""
    done: dict[Job, Result] = {}
    for job in jobs:
        result = kept.get(job)
        if result is not None:
            done[job] = result
    left = sorted((job for job in jobs if job not in done), key=_work, reverse=True)
    if done:
        console.print(f"{len(done)} of {len(jobs)} films were already judged by this code")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} pictures"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    hidden = not console.is_terminal
    judge = partial(scene.score, plates=plates, films=films)
    with Progress(*columns, console=console, disable=hidden, speed_estimate_period=300) as progress:
        bar = progress.add_task("films", total=sum(_work(job) for job in left))
        said = 0
        for number, result in enumerate(_all(left, judge, workers), start=1):
            done[result.job] = result
            kept.put(result)
            progress.update(bar, advance=_work(result.job))
            if result.error is not None:
                console.print(f"FAILED {result.job.name}: {result.error}", markup=False)
            share = 10 * number // len(left)
            if not console.is_terminal and share > said:
                said = share
                console.print(f"{number} of {len(left)} films", highlight=False)
    return [done[job] for job in jobs]


def film_all(
    jobs: Sequence[Job], *, plates: Path | None, films: Films, workers: int, console: Console
) -> None:
    """Make the films of the jobs and judge nothing, for a `run` that comes later."""
    for number, result in enumerate(
        _all(jobs, partial(scene.film_only, plates=plates, films=films), workers), start=1
    ):
        if result.error is not None:
            console.print(f"FAILED {result.job.name}: {result.error}", markup=False)
        if number % 100 == 0:
            console.print(f"{number} of {len(jobs)} films", highlight=False)


def _work(job: Job) -> float:
    """Pictures, in those of 720p."""
    wide, high = job.order.size
    return job.order.seconds * job.order.fps * wide * high / (1280 * 720)


def _all(jobs: Sequence[Job], do: Callable[[Job], Result], workers: int) -> Iterator[Result]:
    def died(job: Job) -> Result:
        return Result(job=job, error="studio: the worker process died on it twice")

    return pooled(jobs, do, workers, calm=calm, died=died)


def calm() -> None:
    """One thread per worker: their number is the number of cores used."""
    cv2.setNumThreads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
