"""`gridsentry storage`: what takes how much room in the database, and what compression saves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from gridsentry.database import database

if TYPE_CHECKING:
    import argparse

    from store.inventory import Server
    from store.storage import Storage

EPILOG = """\
examples:
  gridsentry storage --config gridsentry.toml          the largest tables, what compression saves
  gridsentry storage --config gridsentry.toml --json   every table, in bytes
"""
LARGEST = 12


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    import argparse as ap

    p = subparsers.add_parser(
        "storage",
        help="room that tables take in the database, and what compression saves of it",
        epilog=EPILOG,
        formatter_class=ap.RawDescriptionHelpFormatter,
    )
    p.add_argument("--config", type=Path, help="configuration file (TOML)")
    p.add_argument("--json", action="store_true", help="everything, in bytes, as one JSON object")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask and print."""
    from contracts.errors import Wrong
    from gridsentry import config
    from store.connect import connect
    from store.failures import translated
    from store.inventory import relations, server, variant_of
    from store.storage import storage

    settings = config.load(args.config)
    with database(settings) as dsn:
        with translated(), connect(dsn, settings.store) as connection:
            if "migrations" not in relations(connection):
                raise Wrong("database", "has no tables of Gridsentry", "one a service has run on")
            there, variant = server(connection), variant_of(connection)
        found = storage(dsn, settings.store, variant=variant)
    if args.json:
        print(msgspec.json.encode(found).decode())
    else:
        print("\n".join(told(there, found)))
    return 0


def told(there: Server, found: Storage) -> list[str]:
    """The lines for people."""
    total = sum(found.tables.values())
    lines = [f"PostgreSQL {there.text}: {_size(total)} in {len(found.tables)} tables"]
    for name, count in list(found.tables.items())[:LARGEST]:
        lines.append(f"  {name:20} {_size(count):>10}  {count / max(total, 1):4.0%}")
    if found.ratio is not None:
        before, after = _size(found.before_bytes), _size(found.after_bytes)
        lines.append(
            f"{found.compressed_chunks} days of readings are compressed: {before} became {after}, "
            f"{found.ratio:.1f} times less"
        )
    return lines


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
