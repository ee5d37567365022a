"""`python -m bench.lines`: which cables are told to be cut, how soon, where, and what is taken for
one and is none.

SEED=7     which takes (any integer)
QUICK=1    a minute's worth
WORKERS=2  processes
READ=1     print what is kept, simulate nothing
ONLY=breaks,quiet  these parts alone (breaks, confounders, quiet, fibres, poles, cost)
DEV=300    development: so many breaks of each sort (a third as many confounders of each, few days)
           with seeds below 10,000, without the feeders that are held out
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from rich.console import Console

from bench._common import figure
from bench._common.code import ROOT, code_hash
from bench._common.figure import Figure
from bench._common.jobs import Kept, show_failures
from bench._common.seeds import development_seed, score_seed
from bench.lines import (
    breaks,
    cost,
    fibres,
    others,
    pictures,
    poles,
    report,
    run,
    scene,
    yearly,
)
from bench.lines.plan import FEEDERS, FULL, HELD_OUT, PARTS, QUICK, Amounts, Job, plan
from bench.lines.scene import Result
from contracts.errors import Wrong
from simulators.lines.run import take as simulate
from simulators.lines.take import Take

RECORDINGS = Path(os.environ.get("GRIDSENTRY_RECORDINGS", ROOT.parent / "shared" / "data"))
OUT = ROOT / "build" / "score"
POLES = ("detectors/pole_tilt", "detectors/_common", "contracts", "bench/lines/poles.py")
MEASURED, LASTS_S = 8, 7200.0
"""Takes with a break of each sort, and seconds of a quiet one, on which the cost is measured."""


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Simulate, judge, print, draw, write `build/score/lines.json`."""
    console = Console(width=None if sys.stdout.isatty() else 170)
    seed = int(environ.get("SEED", "1"))
    quick = environ.get("QUICK", "") not in ("", "0")
    workers = int(environ.get("WORKERS", str(min(2, os.cpu_count() or 1))))
    only = [part for part in environ.get("ONLY", "").split(",") if part]
    lines = RECORDINGS / "lines"
    dev = int(environ.get("DEV", "0") or 0)
    reading = environ.get("READ", "") not in ("", "0")

    def seed_of(part: str, number: int) -> int:
        return development_seed(seed, number) if dev else score_seed(seed, part, number)

    jobs = plan(amounts(quick, dev), seed_of, feeders_of(lines / "feeders", dev))
    jobs = [job for job in jobs if not only or job.part in only]
    kept = Kept[Job, Result](OUT / "lines" / str(seed), scene.result_code(), Result)
    if reading:
        results = run.read(jobs, kept)
        console.print(f"{len(results)} of {len(jobs)} blocks are kept", highlight=False)
    else:
        count = sum(len(job.seeds) for job in jobs)
        console.print(f"{count:,} takes in {len(jobs)} blocks", highlight=False)
        results = run.simulate(jobs, lines / "feeders", kept, workers, console)
    told = breaks.figures(results) + others.confused(results)
    told += others.quiet(results, lines / "lorawan_field") + yearly.composed(results)
    if not only or "fibres" in only:
        told += fibres.figures(
            seed_of, fibre_counts(quick, dev), lines,
            workers=workers, folder=OUT / "lines" / str(seed) / "fibres", console=console,
            simulate=not reading,
        )  # fmt: skip
    if not only or "poles" in only:
        told += leaning(seed, quick or bool(dev), reading)
    if not only or "cost" in only:
        told += cost.figures(None, None) if reading else costs(jobs, lines / "feeders", quick)
    told.append(failed(results))

    report.show(results, console)
    show_failures(results, console)
    words = "development" if dev else "quick: far too few takes for any aim" if quick else "full"
    figure.show(told, console, f"lines, seed {seed} ({words})")
    figure.write(told, OUT / "lines.json")
    drawn = pictures.draw([p for r in results for p in r.pictures], OUT / "lines")
    written = [*drawn, OUT / "lines.json"]
    console.print(f"written: {', '.join(str(p.relative_to(ROOT)) for p in written)}")
    return 0


def amounts(quick: bool, dev: int) -> Amounts:
    """How many takes."""
    if not dev:
        return QUICK if quick else FULL
    days = {("town", "leaves"): dev // 20, ("ieee123", "everywhere"): dev // 20}
    return Amounts(breaks=dev, confounders=dev // 3, days=days)


def fibre_counts(quick: bool, dev: int) -> dict[str | None, int]:
    """How many fibres, by what happens to them."""
    breaks = dev or (10 if quick else 1000)
    others = dev // 3 or (3 if quick else 300)
    return {"break": breaks, **dict.fromkeys(("bend", "splice_loss", "remeasured", None), others)}


def feeders_of(folder: Path, dev: int) -> list[str]:
    """Those that can be simulated; while developing, not those that are held out."""
    there = [f for f in FEEDERS if folder.is_dir() or not f.startswith("ieee")]
    return [f for f in there if not dev or f not in HELD_OUT]


def leaning(seed: int, few: bool, reading: bool) -> list[Figure]:
    """Poles on the field's own sway; one row without a value where it is not there."""
    code = code_hash(POLES, ("numpy", "msgspec"))
    path = OUT / "lines" / str(seed) / f"poles-{code}-{'few' if few else 'all'}.json"
    years, each = (1.0, 4) if few else (100.0, 60)
    if not (RECORDINGS / poles.FOLDER).is_dir() or (reading and not path.exists()):
        return [figure.figure("poles on the field's own sway", None, 0)]
    return run.kept_rows(path, lambda: poles.figures(RECORDINGS, seed, years, each))


def costs(jobs: Sequence[Job], feeders: Path, quick: bool) -> list[Figure]:
    """On some takes of each sort, simulated again in this process."""
    some: dict[tuple[str | None, str, str], list[Take]] = {}
    for job in jobs:
        if job.part not in ("breaks", "quiet") or job.happening == "wind":
            continue
        what = job.happening
        key = (what, job.feeder, job.monitors)
        takes = some.setdefault(key, [])
        most = 1 if job.part == "quiet" or quick else MEASURED
        for order in list(job.orders())[: most - len(takes)]:
            if what is None:
                half = LASTS_S / 2
                order = msgspec.structs.replace(order, before_s=half, after_s=half)  # noqa: PLW2901
            with contextlib.suppress(Wrong):  # counted where it was judged
                takes.append(simulate(order, feeders))
    busy = [take for (what, _, _), takes in some.items() for take in takes if what is not None]
    calm = [take for (what, _, _), takes in some.items() for take in takes if what is None]
    return cost.figures(cost.measure(busy), cost.measure(calm))


def failed(results: Sequence[Result]) -> Figure:
    """Blocks with a take that could not be simulated or judged."""
    count = sum(r.error is not None for r in results)
    told = (count / len(results), None) if results else None
    return figure.figure("blocks with a take that failed", told, len(results), "<= 0")


assert set(PARTS) == {"breaks", "confounders", "quiet"}

if __name__ == "__main__":
    sys.exit(main())
