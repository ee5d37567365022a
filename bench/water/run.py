"""Runs the jobs on worker processes, from the cache where they were done before."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from bench._common.jobs import DIED, Kept, judged
from bench.water import floodnet, scene
from bench.water.parts import in_parts
from bench.water.plan import Job
from bench.water.scene import Result
from bench.water.takes import Takes


def simulate(
    jobs: Sequence[Job],
    networks: Path,
    takes: Takes,
    kept: Kept[Job, Result],
    workers: int,
    console: Console,
) -> list[Result]:
    """The results in the order of the jobs."""

    def died(job: Job) -> Result:
        return Result(job=job, error=DIED)

    do = partial(scene.score, networks=networks, takes=takes)
    return judged(
        jobs, do, kept, workers=workers, console=console, what="runs", unit="runs", died=died
    )  # fmt: skip


def streets(folder: Path, kept: Path, code: str, workers: int, every: int) -> list[floodnet.Seen]:
    """Every flood of every `every`-th sensor at both lines."""
    path = kept / f"streets-{code}-{every}.msgpack"
    do = partial(_streets, folder, every)
    return in_parts(path, list[floodnet.Seen], do, workers, "street floods")


def _streets(folder: Path, every: int, part: slice) -> list[floodnet.Seen]:
    sensors = list(floodnet.by_sensor(floodnet.load(folder)).values())[::every]
    return [one for floods in sensors[part] for one in floodnet.judge(floods)]
