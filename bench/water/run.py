"""Runs the jobs on worker processes, from the cache where they were done before."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
from rich.console import Console

from bench._common.files import write_whole
from bench._common.jobs import DIED, Kept, judged
from bench._common.pool import pooled
from bench.water import floodnet, scene
from bench.water.plan import Job
from bench.water.scene import Result
from bench.water.takes import Takes

CHUNKS = 16


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
    """Every flood of every `every`-th sensor at both lines; kept under the code that judged."""
    path = kept / f"streets-{code}-{every}.msgpack"
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=list[floodnet.Seen])
    except (FileNotFoundError, msgspec.MsgspecError):
        pass
    do = partial(_streets, folder, every)
    told = dict(pooled(range(CHUNKS), do, workers, died=_nothing))
    seen = [one for chunk in sorted(told) for one in told[chunk]]
    write_whole(path, msgspec.msgpack.encode(seen))
    return seen


def _streets(folder: Path, every: int, chunk: int) -> tuple[int, list[floodnet.Seen]]:
    sensors = list(floodnet.by_sensor(floodnet.load(folder)).values())[::every]
    return chunk, [one for floods in sensors[chunk::CHUNKS] for one in floodnet.judge(floods)]


def _nothing(chunk: int) -> tuple[int, list[floodnet.Seen]]:
    raise RuntimeError(f"a worker process died twice on part {chunk} of the street floods")
