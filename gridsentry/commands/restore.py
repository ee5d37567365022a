"""`gridsentry restore`: what `gridsentry backup` wrote, into an empty database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridsentry.commands.bars import steps_bar
from gridsentry.database import database

if TYPE_CHECKING:
    import argparse

    from gridsentry.backup.bring import Brought

EPILOG = """\
The database must be empty; --replace keeps one that is not under another name
(gridsentry_before_<time>) and makes a fresh one. Files of evidence, the city folder and the key are
brought back only where they are lacking. Stop the service before, start it afterwards: it brings an
older schema up to date by itself.

examples:
  gridsentry restore /backup/2026-05-01 --config gridsentry.toml --dry-run
  gridsentry restore /backup/2026-05-01 --config gridsentry.toml

exit codes: 0 all is back, 1 failed (the database is as before) or something is lacking, 2 the
backup does not fit this server or program
"""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    import argparse as ap

    p = subparsers.add_parser(
        "restore",
        help="bring back what `backup` wrote, into an empty database",
        epilog=EPILOG,
        formatter_class=ap.RawDescriptionHelpFormatter,
    )
    p.add_argument("folder", type=Path, metavar="DIR", help="the backup")
    p.add_argument("--config", type=Path, help="configuration file (TOML)")
    p.add_argument("--city", type=Path, help="city folder, over the configuration's")
    p.add_argument("--replace", action="store_true", help="also where the database is not empty")
    p.add_argument("--dry-run", action="store_true", help="check the backup and the server only")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check, and bring it back."""
    from contracts.clock import SystemClock, iso
    from gridsentry import config
    from gridsentry.backup.bring import bring, look, whole

    settings = config.load(args.config)
    told = whole(args.folder)  # before a database is started or made for nothing
    with database(settings, make=True) as dsn:
        if args.dry_run:
            there, names = look(settings, dsn, told)
            state = f"has {len(names)} tables: --replace keeps it aside" if names else "is empty"
            print(
                f"{args.folder} of {iso(told.made_at)} is whole; PostgreSQL {there.text} takes it; "
                f"the database {state}"
            )
            return 0
        with steps_bar() as tell:
            done = bring(
                settings,
                dsn,
                args.folder,
                city=args.city or Path(settings.service.city),
                replace=args.replace,
                clock=SystemClock(),
                tell=tell,
            )
    return _tell(done)


def _tell(done: Brought) -> int:
    from contracts.clock import iso

    rows = done.manifest.database.rows
    at = iso(done.manifest.made_at)
    for note in done.notes:
        print(f"gridsentry: {note}", file=sys.stderr)
    if done.kept_as:
        print(f"The database that was there is {done.kept_as} now; drop it when you are sure.")
    if done.differences:
        print("The database differs from what was dumped:", file=sys.stderr)
        for line in done.differences:
            print(f"  {line}", file=sys.stderr)
        return 1
    print(
        f"Restored as of {at}, counted and the same: {rows['readings']:,} readings, "
        f"{rows['tickets']:,} tickets, {rows['events']:,} event revisions."
    )
    print(
        f"Next: start the service. The broker hands over what it has queued since; what was "
        f"acknowledged between {at} and the loss is gone, unless gateways or a recording have it "
        "(gridsentry import-recording). `gridsentry evidence verify` checks the files.",
        file=sys.stderr,
    )
    return 0
