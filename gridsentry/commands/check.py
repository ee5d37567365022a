"""`gridsentry check`: is this city folder right, and what does each file look like?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    p = subparsers.add_parser(
        "check",
        help="check a city folder; --schema prints what its files and the payloads look like",
        description="Names file, path inside it, what was found and what is allowed, for every "
        "problem at once. Exit code 2 when there is one.",
    )
    p.add_argument("dir", type=Path, nargs="?", help="the city folder")
    p.add_argument("--schema", action="store_true", help="print JSON schemas and stop")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check and report."""
    from gridsentry.city.check import run as check

    return check(args)
