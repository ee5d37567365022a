"""Jobs on worker processes, one at a time where there is one worker."""

from __future__ import annotations

import multiprocessing
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

AHEAD = 4
"""Jobs given to the pool per worker: a stopped run has little to do twice."""


def one_thread() -> None:
    """One thread per worker: their number is the number of cores used."""
    os.environ["OMP_NUM_THREADS"] = "1"


def pooled(
    jobs: Sequence[Job],
    do: Callable[[Job], Result],
    workers: int,
    *,
    calm: Callable[[], None] = one_thread,
    died: Callable[[Job], Result],
) -> Iterator[Result]:
    """`do` of every job, as they end. `calm` runs first in every worker; `died` stands for the
    result of a job on which a worker process died twice. Jobs must be hashable."""
    if workers <= 1:
        for job in jobs:
            yield do(job)
        return
    context = multiprocessing.get_context("spawn")
    waiting = list(reversed(jobs))
    failed: dict[Job, int] = defaultdict(int)
    while waiting:
        with ProcessPoolExecutor(workers, mp_context=context, initializer=calm) as pool:
            running: dict[Future[Result], Job] = {}
            try:
                while waiting or running:
                    while waiting and len(running) < AHEAD * workers:
                        job = waiting.pop()
                        running[pool.submit(do, job)] = job
                    ended, _ = wait(running, return_when="FIRST_COMPLETED")
                    for future in ended:
                        result = future.result()
                        del running[future]
                        yield result
            except BrokenProcessPool:  # a worker died: a crash in C, or out of memory
                for future, job in running.items():
                    if future.done() and future.exception() is None:
                        yield future.result()
                        continue
                    failed[job] += 1
                    if failed[job] < 2:
                        waiting.append(job)
                    else:
                        yield died(job)
