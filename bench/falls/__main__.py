"""`python -m bench.falls`: how well falls are found, and how often something else is called one.

SEED=7     which films (any integer)
QUICK=1    a minute's worth
WORKERS=2  processes
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from rich.console import Console

from bench.falls import dev, episodes
from bench.falls.cache import ROOT

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
    return 0


if __name__ == "__main__":
    sys.exit(main())
