"""`gridsentry import-recording`: what was recorded elsewhere becomes history here."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.errors import Wrong
from gridsentry.commands.bars import readings_bar

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from contracts.city import City
    from contracts.clock import Clock
    from gridsentry.backtest.importing import Digest, Tally
    from gridsentry.config import Settings

EPILOG = """\
A recording is JSON Lines, one MQTT message a line, as `gridsentry record` writes them:
  {"at": "2026-05-01T08:00:00Z", "topic": "gridsentry/v1/feed/d1/lvl-7/telemetry",
   "payload": {"ts": 1777622400000, "m": {"level": 0.42}}}
Topics of outside gateways (ChirpStack, The Things Stack, Sparkplug …) are read by the adapters of
the configuration; without one, by every adapter that needs no options.

Readings keep the receipt times of the recording. Nothing is detected and nobody is told: use
`gridsentry backtest` to see what would have been. Importing the same again changes nothing.

examples:
  gridsentry import-recording --city mycity --config gridsentry.toml may.jsonl.gz
  gridsentry import-recording --city mycity --config gridsentry.toml 2026-*.jsonl
  gridsentry backtest --city mycity --config gridsentry.toml --since 2026-05-01

Messages nobody can read are counted with their reasons and listed among the dead letters.

exit codes: 0 done, 1 the database is away or another import of the recording runs, 2 a file is no
recording (what stands before the line that is named is in)
"""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    import argparse as ap

    p = subparsers.add_parser(
        "import-recording",
        help="store recordings as history, each reading once, without telling anybody",
        epilog=EPILOG,
        formatter_class=ap.RawDescriptionHelpFormatter,
    )
    p.add_argument("recordings", type=Path, nargs="+", metavar="RECORDING", help=".jsonl[.gz]")
    p.add_argument("--city", type=Path, required=True, help="the city folder: whose devices")
    p.add_argument("--config", type=Path, help="configuration: which database, which adapters")
    p.add_argument("--json", action="store_true", help="the summary as one JSON object")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Import; see EPILOG for the exit code."""
    from contracts.clock import SystemClock
    from gridsentry import config
    from gridsentry.backtest.importing import Tally, digest, summary
    from gridsentry.city import load_city
    from gridsentry.database import database

    settings = config.load(args.config)
    city = load_city(args.city)
    for path in args.recordings:
        if not path.is_file():
            raise Wrong(str(path), "is not a file", "a recording, .jsonl or .jsonl.gz")
    digests = [digest(path) for path in args.recordings]
    tally = Tally()
    clock = SystemClock()
    try:
        with database(settings, make=True) as dsn:
            into_store(dsn, settings, city, args, digests, tally, clock)
    finally:  # also of what came before an error
        if args.json:
            told = msgspec.to_builtins(tally) | {"changed": tally.changed()}
            print(msgspec.json.encode(told).decode())
        elif tally.messages:
            for line in summary(tally, settings.store.readings_days):
                print(line)
    return 0


def into_store(
    dsn: str,
    settings: Settings,
    city: City,
    args: argparse.Namespace,
    digests: Sequence[Digest],
    tally: Tally,
    clock: Clock,
) -> None:
    """Import every recording in turn, and bring the roll-ups up to them."""
    import os
    import socket

    from contracts.aliases import aliases
    from gridsentry.backtest.importing import Importer
    from gridsentry.record.format import read
    from gridsentry.replay.run import adapters_of
    from ingest.adapting.dispatch import Adapted
    from ingest.decoder import NativeDecoder
    from store.connect import connect
    from store.migrate import migrate
    from store.rollups import roll
    from store.writer import PgWriter

    with connect(dsn, settings.store) as connection:
        variant = migrate(connection, clock.now(), timescale=settings.store.timescale)
    plans = adapters_of(settings.adapters, args.config, args.city)()
    oldest = clock.now() - timedelta(days=settings.store.readings_days)
    holder = f"{socket.gethostname()}:{os.getpid()}"
    store = PgWriter(dsn, f"/gridsentry/{city.id}", settings.store, variant=variant)
    try:
        with progress(tally, sum(one.lines for one in digests)) as told:
            for path, known in zip(args.recordings, digests, strict=True):
                # Gateways number and name things as they go: each recording begins anew.
                adapted = Adapted(plans, city.devices, aliases(city), settings.decoder.clock_rule())
                decoder = NativeDecoder(city.devices, city.workers, settings.decoder, adapted)
                Importer(store, decoder, clock, holder, oldest, tally, told).run(
                    known.sha256, read(path)
                )
    finally:
        store.close()
        if tally.batches:
            roll(dsn, clock.now(), settings.store, variant=variant)


@contextmanager
def progress(tally: Tally, lines: int) -> Iterator[Callable[[], None]]:
    """How far, and how fast. Call what it yields now and then."""
    with readings_bar(lines or None) as told:
        yield lambda: told(tally.messages, tally.readings, after=f", {tally.new:,} new")
