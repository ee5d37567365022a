"""`gridsentry init`: a minimal valid city folder to start from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    p = subparsers.add_parser(
        "init",
        help="write a minimal valid city folder",
        description="Writes a small city folder that `gridsentry check` accepts, with a sample of "
        "each file to be edited. Refuses a folder that has something in it.",
    )
    p.add_argument("dir", type=Path, help="the folder to make")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write it and say what to do next."""
    from gridsentry.city.init import init_city

    init_city(args.dir)
    print(f"wrote {args.dir}: edit it, then `gridsentry check {args.dir}`")
    return 0
