"""`gridsentry backup`: the whole service into a folder, while it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridsentry.commands.bars import steps_bar
from gridsentry.database import database

if TYPE_CHECKING:
    import argparse

EPILOG = """\
What goes in: the database (pg_dump, of one moment), the files of evidence and the unblurred
originals, the city folder, the configuration file and the key of signed links. What does not: the
spool of video and what the broker has queued. The folder holds homes and passwords: it is closed to
others, keep it so. For a restore to any minute see "Point in time" in docs/operating.md.

examples:
  gridsentry backup /backup/$(date +%F) --config gridsentry.toml
  gridsentry backup /backup/$(date +%F) --config gridsentry.toml --without-media

exit codes: 0 done, 1 failed, 2 wrong usage or configuration
"""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    import argparse as ap

    p = subparsers.add_parser(
        "backup",
        help="database, evidence, city folder and keys into a folder, while the service runs",
        epilog=EPILOG,
        formatter_class=ap.RawDescriptionHelpFormatter,
    )
    p.add_argument("folder", type=Path, metavar="DIR", help="a new or empty folder")
    p.add_argument("--config", type=Path, help="configuration file (TOML)")
    p.add_argument("--city", type=Path, help="city folder, over the configuration's")
    p.add_argument(
        "--without-media",
        action="store_true",
        help="not the files of evidence: they are kept by other means",
    )
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make it and say what it has."""
    from contracts.clock import SystemClock, iso
    from gridsentry import config
    from gridsentry.backup.make import make
    from gridsentry.commands import version

    settings = config.load(args.config)
    with database(settings) as dsn, steps_bar() as tell:
        made = make(
            settings,
            dsn,
            args.folder,
            city=args.city or Path(settings.service.city),
            config=args.config,
            media=not args.without_media,
            version=version(),
            clock=SystemClock(),
            tell=tell,
        )
    there = made.database
    kind = f", TimescaleDB {there.timescale}" if there.timescale else ""
    newest = iso(there.newest_reading) if there.newest_reading else "none"
    files = ", ".join(f"{name} {part.files:,} files" for name, part in made.parts.items())
    print(f"{args.folder}: of {iso(made.made_at)}, PostgreSQL {there.server_text}{kind}")
    print(
        f"  {there.rows['readings']:,} readings (the newest received {newest}), "
        f"{there.rows['tickets']:,} tickets, {there.rows['events']:,} event revisions; "
        f"dump {made.dump_bytes:,} bytes"
    )
    print(f"  {files}")
    print(
        "Now copy it to another machine. `gridsentry restore DIR --dry-run` checks it there.",
        file=sys.stderr,
    )
    return 0
