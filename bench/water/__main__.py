"""`python -m bench.water`: how early floods are told, which pipes are found, how often it is wrong.

SEED=7     which runs (any integer)
QUICK=1    a minute's worth
WORKERS=2  processes
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from bench._common import figure
from bench._common.code import ROOT
from bench._common.figure import Figure
from bench._common.jobs import Kept, show_failures
from bench._common.seeds import score_seed
from bench.water import cost, floodnet, pictures, report, rivers, run, scene, sewers, streets
from bench.water.plan import FULL, QUICK, Job, networks, plan
from bench.water.scene import Result
from bench.water.takes import Takes, studio_code

RECORDINGS = Path(os.environ.get("GRIDSENTRY_RECORDINGS", ROOT.parent / "shared" / "data"))
OUT = ROOT / "build" / "score"


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Replay, simulate, judge, print, draw, write `build/score/water.json`."""
    console = Console(width=None if sys.stdout.isatty() else 150)
    seed = int(environ.get("SEED", "1"))
    quick = environ.get("QUICK", "") not in ("", "0")
    workers = int(environ.get("WORKERS", str(min(2, os.cpu_count() or 1))))
    folder, swmm = OUT / "water", RECORDINGS / "drainage" / "swmm"
    code = scene.result_code()

    console.print("real street floods (FloodNet)", highlight=False)
    seen = run.streets(RECORDINGS, folder, code, workers, 8 if quick else 1)
    told = streets.figures(seen)
    console.print("real rivers and streams (kLabUM)", highlight=False)
    told += rivers.figures(rivers.judge(RECORDINGS, folder, code, workers, 12 if quick else 1))

    names = networks(swmm)
    jobs = plan(QUICK if quick else FULL, lambda part, k: score_seed(seed, part, k), names)
    console.print(f"{len(jobs)} simulated runs on {', '.join(names)}", highlight=False)
    takes = Takes(folder / "takes", studio_code())
    kept = Kept[Job, Result](folder / str(seed), code, Result)
    results = run.simulate(jobs, swmm, takes, kept, workers, console)
    told += sewers.figures(results)
    console.print("CPU per reading", highlight=False)
    told += costs(jobs, swmm, takes)

    report.show_networks(results, console)
    show_failures(results, console)
    words = "quick: far too few runs for any aim" if quick else "full"
    figure.show(told, console, f"water, seed {seed} ({words})")
    figure.write(told, OUT / "water.json")
    shown = [p for r in results for p in r.pictures] + floodnet.pictures(RECORDINGS, seen)
    drawn = pictures.draw(shown, folder)
    console.print(f"written: {', '.join(str(p.relative_to(ROOT)) for p in drawn)}", highlight=False)
    console.print(f"written: {(OUT / 'water.json').relative_to(ROOT)}", highlight=False)
    return 0


def costs(jobs: Sequence[Job], swmm: Path, takes: Takes) -> list[Figure]:
    """On one run of each part whose sensors report every minute."""
    some: dict[str, Job] = {}
    for job in jobs:
        if job.order.reports_s == 60.0:
            some.setdefault(job.part, job)
    found = [take for job in some.values() if (take := takes.get(job.order)) is not None]
    one = cost.measure(found)
    name = "CPU per reading, all water detectors, single, µs"
    batch = "CPU per reading, all water detectors, batches of {}, µs"
    if one is None:
        return [
            figure.figure(name, None, 0, "<= 20"),
            *(figure.figure(batch.format(size), None, 0, "<= 4") for size in cost.AT_ONCE),
        ]
    words = f"{one.folds:.1f} detectors a reading; calls into nothing {one.floor:.2f}"
    told = (one.mean, (one.low, one.high))
    offered = f"many at once: {', '.join(one.batched)}; others one by one"
    return [
        figure.figure(name, told, one.readings, "<= 20", words),
        *(
            figure.figure(batch.format(size), (mean, (low, high)), one.readings, "<= 4", offered)
            for size, (mean, low, high) in one.at_once.items()
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
