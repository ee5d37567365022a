"""`python -m bench.falls`: how well falls are found, and how often something else is called one.

SEED=7     which films (any integer)
QUICK=1    a minute's worth
WORKERS=2  processes
FILMS_GIB=20  keep the films (a full run: some 10 GiB), so that a later run need only judge them
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from rich.console import Console

from bench._common import figure
from bench._common.jobs import show_failures
from bench._common.seeds import score_seed
from bench.falls import cache, cpu, dev, episodes, figures, plots, recordings, report
from bench.falls.cache import ROOT
from bench.falls.films import Films
from bench.falls.plan import FULL, QUICK, plan
from bench.falls.run import calm, film_all, run

RECORDINGS = Path(os.environ.get("GRIDSENTRY_RECORDINGS", ROOT.parent / "shared" / "data"))
OUT = ROOT / "build" / "score"


def plates() -> tuple[Path | None, list[str]]:
    """The folder of photographs and their names; none where the recordings are not there."""
    folder = RECORDINGS / "falls"
    names = sorted(path.name for path in folder.glob("plate_*")) if folder.is_dir() else []
    return (folder if names else None), names


def main() -> int:
    """The scorecard, or with `--dev` a quick look."""
    parser = argparse.ArgumentParser(prog="python -m bench.falls", description=__doc__)
    parser.add_argument("--dev", type=int, metavar="SEED", help="a quick look with this seed")
    parser.add_argument("--film", action="store_true", help="make the films that FILMS_GIB keeps")
    parser.add_argument("--only", default="recall", help=f"with --dev: {dev.part_names()}")
    parser.add_argument("--group", help="with --dev: one size class or distractor")
    parser.add_argument("--n", type=int, default=24, help="with --dev: about how many")
    parser.add_argument("--json", type=Path, help="with --dev: results, pictures beside it")
    args = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140)
    folder, names = plates()
    table = episodes.load()
    if args.dev is not None:
        jobs = dev.jobs_of(args.dev, args.only, args.n, args.group, names, table)
        dev.look(jobs, folder, OUT / "films", console, args.json)
        return 0
    return scorecard(console, dict(os.environ), folder, names, table, film=args.film)


def scorecard(
    console: Console,
    environ: dict[str, str],
    folder: Path | None,
    names: list[str],
    table: episodes.Episodes,
    *,
    film: bool = False,
) -> int:
    """Film, judge, print, draw, write `build/score/falls.json`; with `film`, film alone."""
    seed = int(environ.get("SEED", "1"))
    quick = environ.get("QUICK", "") not in ("", "0")
    workers = int(environ.get("WORKERS", str(min(2, os.cpu_count() or 1))))

    def seed_of(part: str, number: int) -> int:
        return score_seed(seed, part, number)

    jobs = plan(QUICK if quick else FULL, seed_of, names, table)
    if not names:
        console.print(f"no photographs in {RECORDINGS / 'falls'}: generated facades only")
    films = None
    if film or "FILMS_GIB" in environ:
        most = int(float(environ.get("FILMS_GIB", "20")) * (1 << 30))
        films = Films(OUT / "falls" / "films", cache.code_hash(cache.STUDIO), folder, most)
    if film and films is not None:
        film_all(jobs, plates=folder, films=films, workers=workers, console=console)
        return 0
    code = cache.code_hash([*cache.STUDIO, *cache.JUDGES])
    kept = cache.kept(OUT / "falls" / str(seed), code, folder)
    results = run(jobs, plates=folder, kept=kept, workers=workers, console=console, films=films)
    console.print("CPU of 1080p pictures, and the real recordings", highlight=False)
    calm()
    if quick:
        costs = cpu.Costs(cpu.measure(seed_of, cpu.CLEAR[1:], runs=1))
    else:
        clear = cpu.measure(seed_of, cpu.CLEAR, films=2)
        costs = cpu.Costs(clear, cpu.measure(seed_of, cpu.WET))
    clips = recordings.look(RECORDINGS / "falls", workers)
    told = figures.all_figures(results, table, clips, costs)
    report.show_sizes(results, console)
    report.show_distractors(results, table, console)
    report.show_windows(results, console)
    report.show_clips(clips, console)
    show_failures(results, console)
    words = "quick: far too few films for any aim" if quick else "full"
    figure.show(told, console, f"high-altitude throws, seed {seed} ({words})")
    figure.write(told, OUT / "falls.json")
    drawn = plots.draw(results, table, OUT / "falls")
    console.print(f"written: {', '.join(str(p.relative_to(ROOT)) for p in drawn)}", highlight=False)
    console.print(f"written: {(OUT / 'falls.json').relative_to(ROOT)}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
