"""`python -m bench.nights`: how long people wait for somebody in a storm night, beside the desk
that sends whoever is nearest, and beside the best plan of somebody who knew the night.

SEED=7     other nights (any integer)
QUICK=1    a minute's worth
WORKERS=2  processes
NIGHTS=5   so many nights instead of twenty
PEOPLE=20,60   so many people on duty
POLICIES=joint,greedy   these alone (joint, each, greedy, offline)
DEV=1      development: nights with seeds below 10,000
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import msgspec
from rich.console import Console

from bench._common import figure
from bench._common.code import ROOT
from bench._common.jobs import DIED, Kept, judged, show_failures
from bench._common.seeds import development_seed, score_seed
from bench.nights import figures, report, scene
from bench.nights.plan import FULL, POLICIES, QUICK, Amounts, Job, plan
from bench.nights.scene import Result
from contracts.errors import Wrong

OUT = ROOT / "build" / "score"
WORK = {"joint": 10.0, "each": 5.0, "greedy": 0.2, "offline": 10.0}
"""About how long a night takes (s of one core)."""


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Play, plan, print, write `build/score/router.json`."""
    console = Console(width=None if sys.stdout.isatty() else 190)
    seed = int(environ.get("SEED", "1"))
    quick = environ.get("QUICK", "") not in ("", "0")
    dev = environ.get("DEV", "") not in ("", "0")
    workers = int(environ.get("WORKERS", str(min(2, os.cpu_count() or 1))))

    def seed_of(part: str, number: int) -> int:
        return development_seed(seed, number) if dev else score_seed(seed, part, number)

    jobs = plan(amounts(environ, quick), seed_of, policies(environ))
    kept = Kept[Job, Result](
        OUT / "router" / str(seed), scene.result_code(), Result, mark=scene.mark
    )
    results = judged(
        jobs, scene.score, kept, workers=workers, console=console, what="nights", unit="s of work",
        died=lambda job: Result(job=job, error=DIED), work=lambda job: WORK[job.policy],
    )  # fmt: skip
    told = figures.figures(results)
    count = sum(r.error is not None for r in results)
    told.append(
        figure.figure(
            "nights that failed", (count / len(results), None) if results else None,
            len(results), "<= 0",
        )
    )  # fmt: skip
    report.show(results, console)
    show_failures(results, console)
    words = "quick: far too few nights for any aim" if quick else "full"
    if dev:
        words = "development"
    figure.show(told, console, f"router, seed {seed} ({words})")
    figure.write(told, OUT / "router.json")
    console.print(f"written: {(OUT / 'router.json').relative_to(ROOT)}", highlight=False)
    return 0


def amounts(environ: Mapping[str, str], quick: bool) -> Amounts:
    """How much is played. Raises Wrong."""
    usual = QUICK if quick else FULL
    people = _listed(environ, "PEOPLE")
    try:
        return msgspec.structs.replace(
            usual,
            nights=int(environ.get("NIGHTS", "") or usual.nights),
            people=tuple(sorted({int(p) for p in people})) or usual.people,
        )
    except ValueError as error:
        raise Wrong("NIGHTS, PEOPLE", str(error), "NIGHTS=5 PEOPLE=20,60") from error


def policies(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Which are asked for. Raises Wrong."""
    asked = _listed(environ, "POLICIES")
    for one in asked:
        if one not in POLICIES:
            raise Wrong("POLICIES", f"{one!r} is none", ", ".join(POLICIES))
    return tuple(p for p in POLICIES if not asked or p in asked)


def _listed(environ: Mapping[str, str], name: str) -> list[str]:
    return [word.strip() for word in environ.get(name, "").split(",") if word.strip()]


if __name__ == "__main__":
    sys.exit(main())
