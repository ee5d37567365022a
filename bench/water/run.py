"""Runs the jobs on worker processes, from the cache where they were done before."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench._common.code import write_whole
from bench._common.pool import pooled
from bench.water import floodnet, scene
from bench.water.plan import Job
from bench.water.scene import Kept, Result
from bench.water.takes import Takes

CHUNKS = 16


def simulate(
    jobs: Sequence[Job], networks: Path, takes: Takes, kept: Kept, workers: int, console: Console
) -> list[Result]:
    """The results in the order of the jobs."""
    done = {job: result for job in jobs if (result := kept.get(job)) is not None}
    left = [job for job in jobs if job not in done]
    if done:
        console.print(f"{len(done)} of {len(jobs)} runs were already judged by this code")

    def died(job: Job) -> Result:
        return Result(job=job, error="studio: the worker process died on it twice")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed} of {task.total} runs"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    do = partial(scene.score, networks=networks, takes=takes)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("sewers", total=len(left))
        said = 0
        for number, result in enumerate(pooled(left, do, workers, calm=calm, died=died), start=1):
            done[result.job] = result
            kept.put(result)
            progress.update(bar, advance=1)
            if result.error is not None:
                console.print(f"FAILED {result.job.name}: {result.error}", markup=False)
            tenth = 10 * number // len(left)
            if not console.is_terminal and tenth > said:
                said = tenth
                console.print(f"{number} of {len(left)} runs", highlight=False)
    return [done[job] for job in jobs]


def streets(folder: Path, kept: Path, code: str, workers: int, every: int) -> list[floodnet.Seen]:
    """Every flood of every `every`-th sensor at both lines; kept under the code that judged."""
    path = kept / f"streets-{code}-{every}.msgpack"
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=list[floodnet.Seen])
    except (FileNotFoundError, msgspec.MsgspecError):
        pass
    do = partial(_streets, folder, every)
    told = dict(pooled(range(CHUNKS), do, workers, calm=calm, died=_nothing))
    seen = [one for chunk in sorted(told) for one in told[chunk]]
    write_whole(path, msgspec.msgpack.encode(seen))
    return seen


def _streets(folder: Path, every: int, chunk: int) -> tuple[int, list[floodnet.Seen]]:
    sensors = list(floodnet.by_sensor(floodnet.load(folder)).values())[::every]
    return chunk, [one for floods in sensors[chunk::CHUNKS] for one in floodnet.judge(floods)]


def _nothing(chunk: int) -> tuple[int, list[floodnet.Seen]]:
    raise RuntimeError(f"a worker process died twice on part {chunk} of the street floods")


def calm() -> None:
    """One thread per worker: their number is the number of cores used."""
    os.environ["OMP_NUM_THREADS"] = "1"
