"""`gridsentry serve`: the service, in one process or as one of its roles."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from gridsentry.config import Settings

log = logging.getLogger(__name__)

EPILOG = """\
examples:
  gridsentry serve --city mycity                       all roles, embedded PostgreSQL and broker
  gridsentry serve --config gridsentry.toml            as the file says
  gridsentry serve --roles ingest --shard 1/2          one of two telemetry shards
  gridsentry serve --roles router                      correlation, tickets, timers (one leads)
  gridsentry serve --roles center                      pages and API (start as many as you like)
"""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    p = subparsers.add_parser(
        "serve",
        help="run the service",
        description="Runs the service until it is told to stop (Ctrl-C, SIGTERM). SIGHUP takes up "
        "the city folder again.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("--config", type=Path, help="configuration file (TOML)")
    p.add_argument("--city", type=Path, help="city folder, over the configuration's")
    p.add_argument("--roles", default="all", help="all, or some of ingest,cameras,router,center")
    p.add_argument("--shard", default="1/1", metavar="I/N", help="which share of the districts")
    p.add_argument("--clock", choices=("system", "sim"), help="sim follows a fast simulator")
    p.add_argument("--port", type=int, help="port of the command center")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    from center.settings import check
    from gridsentry import config
    from gridsentry.commands.signals import stop_on_signals
    from gridsentry.live.roles import parse
    from gridsentry.live.service import Service

    settings = overridden(config.load(args.config), args)
    roles = parse(args.roles, args.shard)
    if roles.center:  # before a database and a broker are started for nothing
        check(settings.center)
    log_to_stderr(settings.service.log_level)
    service = Service(settings, roles, say=say, configuration=str(args.config or "configuration"))
    halt = stop_on_signals({signal.SIGHUP: service.reload_city})
    service.start()
    try:
        say(f"ready at {service.url}" if service.url else "ready")
        halt.wait()
        say("stopping")
    finally:
        service.stop()
    say("stopped")
    return 0


def overridden(settings: Settings, args: argparse.Namespace) -> Settings:
    """The settings with what the command line says on top."""
    service = settings.service
    if args.city is not None:
        service = msgspec.structs.replace(service, city=str(args.city))
    if args.clock is not None:
        service = msgspec.structs.replace(service, clock=args.clock)
    broker, center = settings.broker, settings.center
    if args.config is None and settings.store.dsn is None and broker.embedded == "none":
        broker = msgspec.structs.replace(broker, embedded="auto")
    if args.port is not None:
        center = msgspec.structs.replace(center, port=args.port)
    return msgspec.structs.replace(settings, service=service, broker=broker, center=center)


def log_to_stderr(level: str) -> None:
    """One line per entry: time in UTC, level, who, what."""
    logging.basicConfig(
        level=level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
    )
    import time

    logging.Formatter.converter = time.gmtime


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(f"gridsentry: {text}", flush=True)
