"""`gridsentry labels`: what people said of alarms, for whoever scores or trains a detector."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.annals import label_object

if TYPE_CHECKING:
    import argparse

    from contracts.annals import Annals, Label

MOST = 1_000_000
EPILOG = """\
One JSON object a line, the oldest first: `verdict` is true, false (`cause` says what it was) or
missed (no event); `event`, `kind`, `device`, `site`, `at` and `until` say what it is about (UTC),
`by` and `made_at` who said so and when.

examples:
  gridsentry labels --config gridsentry.toml -o labels.jsonl
  gridsentry labels --config gridsentry.toml --kind high_altitude_throw --days 90
"""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    import argparse as ap

    p = subparsers.add_parser(
        "labels",
        help="what people said of alarms: right, false (and what it was), missed; as JSON lines",
        epilog=EPILOG,
        formatter_class=ap.RawDescriptionHelpFormatter,
    )
    p.add_argument("--config", type=Path, required=True, help="of the service that keeps them")
    p.add_argument("--kind", help="of this kind only")
    p.add_argument("--days", type=float, help="of the last so many days (default: all there are)")
    p.add_argument("--all", action="store_true", help="also what was taken back or replaced")
    p.add_argument("-o", "--out", type=Path, help="into this file (default: standard output)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write them."""
    import asyncio

    labels = asyncio.run(_of_service(args))
    text = lines(labels)
    if args.out is None:
        sys.stdout.buffer.write(text)
    else:
        args.out.write_bytes(text)
        print(f"{len(labels)} labels written to {args.out}", file=sys.stderr)
    return 0


def lines(labels: list[Label]) -> bytes:
    """One JSON object a line, the oldest first."""
    return b"".join(msgspec.json.encode(label_object(one)) + b"\n" for one in reversed(labels))


async def read(annals: Annals, args: argparse.Namespace) -> list[Label]:
    """The newest first."""
    from contracts.clock import SystemClock

    since = None if args.days is None else SystemClock().now() - timedelta(days=args.days)
    return await annals.labels(since=since, kind=args.kind, standing=not args.all, limit=MOST)


async def _of_service(args: argparse.Namespace) -> list[Label]:
    from gridsentry.config import load
    from gridsentry.database import database
    from store.desk import PgDesk

    settings = load(args.config)
    with database(settings) as dsn:
        desk = PgDesk(dsn, settings.store)
        await desk.open()
        try:
            return await read(desk.annals, args)
        finally:
            await desk.close()
