"""`gridsentry backtest`: what would another configuration have told of what was measured?"""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.errors import Wrong
from gridsentry.commands.bars import readings_bar
from gridsentry.commands.replay import duration

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping

    from contracts.city import City
    from gridsentry.backtest.compare import Episode
    from gridsentry.backtest.run import Backtest, Scope, Side
    from gridsentry.config import Settings

EPILOG = """\
Detectors fold the stored readings (and traces, records, reports, notices) of the period in the
order and at the times they were received: once as the configuration says, once as the other one
says. What they tell is compared, also with what the service itself had stored. Nothing is
written, nobody is told. Pictures and sound are not stored, so what lives on them is left out.

examples:
  what would a lower line for ponding have told in May?
    gridsentry backtest --city mycity --config gridsentry.toml \\
        --set detectors.flooding.depth_warn_m=0.10 --since 2026-05-01 --until 2026-06-01
  two settings, one kind, the last three days, two gauges
    gridsentry backtest --city mycity --config gridsentry.toml --since 3d --kind flooding \\
        --device lvl-7 --device lvl-8 \\
        --set detectors.flooding.chance=0.4 --set detectors.flooding.horizon_s=900
  a whole other file
    gridsentry backtest --city mycity --config gridsentry.toml --against trial.toml --since 7d
  does this version still tell what was told then? (no other configuration)
    gridsentry backtest --city mycity --config gridsentry.toml --since 24h

The columns: now = the configuration as it is, then = the other one (or, in the second table, what
the service had stored). earlier / later: `then` is told so much earlier or later. ends: it is over
at another time. What is told within --within of each other counts as the same.
Times without a zone are the city's. Settings: docs/generated/configuration.md.

exit codes: 0 done, 1 a detector failed or the database is away, 2 wrong usage or configuration
"""
_BACK = re.compile(r"\d+(\.\d+)?\s*(s|m|min|h|d)")


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    import argparse as ap

    p = subparsers.add_parser(
        "backtest",
        help="run detectors over stored history with another configuration; what would change",
        epilog=EPILOG,
        formatter_class=ap.RawDescriptionHelpFormatter,
    )
    p.add_argument("--city", type=Path, required=True, help="the city folder")
    p.add_argument("--config", type=Path, help="the configuration as it is: database, detectors")
    other = p.add_mutually_exclusive_group()
    other.add_argument("--against", type=Path, metavar="OTHER", help="whose [detectors] to try")
    other.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="detectors.KIND.SETTING=VALUE",
        help="one setting to try; may be given again",
    )
    p.add_argument("--since", required=True, help="2026-05-01, 2026-05-01T08:00, or 3d: back")
    p.add_argument("--until", help="the same (default: now)")
    p.add_argument("--kind", action="append", help="only this kind; may be given again")
    p.add_argument("--device", action="append", help="only this device; may be given again")
    p.add_argument(
        "--warm",
        type=duration,
        default=timedelta(days=1),
        help="history before --since to learn from, not compared (default 1d)",
    )
    p.add_argument(
        "--within",
        type=duration,
        default=timedelta(seconds=5),
        help="times this near are the same (default 5s)",
    )
    p.add_argument("--json", action="store_true", help="JSON lines: differences, then tables")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fold, compare, print."""
    from contracts.aliases import aliases
    from contracts.clock import SystemClock
    from gridsentry import config
    from gridsentry.backtest.run import Backtest
    from gridsentry.city import load_city
    from gridsentry.database import database
    from gridsentry.replay.run import adapters_of
    from ingest.adapting.dispatch import Adapted
    from ingest.decoder import NativeDecoder
    from store.past import Past

    settings = config.load(args.config)
    city = load_city(args.city)
    now = SystemClock().now()
    since = moment(args.since, "--since", city.timezone, now)
    until = moment(args.until, "--until", city.timezone, now) if args.until else now
    if since >= until:
        raise Wrong("--since, --until", f"{since} is not before {until}")
    sides, scope = sides_of(args, settings, city)
    plans = adapters_of(settings.adapters, args.config, args.city)()
    adapted = Adapted(plans, city.devices, aliases(city), settings.decoder.clock_rule())
    decoder = NativeDecoder(city.devices, city.workers, settings.decoder, adapted)
    with database(settings) as dsn, Past(dsn, settings.store) as past:
        test = Backtest(past, decoder, list(sides.values()))
        with progress(test, since - args.warm, until) as told:
            test.run(since - args.warm, until, told)
        stored = [e for e in past.events(since, until) if scope.has(e)]
    runnable = {kind for side in sides.values() for kind in side.specs}
    others = {name: side.episodes(since) for name, side in sides.items() if name != "now"} | {
        "stored": [_episode(e) for e in stored if e.kind in runnable]
    }
    ours = sides["now"].episodes(since)
    _tell(args, ours, others, test)
    for failure in test.failures:
        print(f"gridsentry: {failure}", file=sys.stderr)
    return 1 if test.failures else 0


def moment(text: str, where: str, zone: str, now: datetime) -> datetime:
    """A time of the city's, or so long before `now`. Raises Wrong."""
    from gridsentry.record.times import read_at, read_zone

    if _BACK.fullmatch(text.strip()):
        return now - duration(text.strip())
    city = read_zone(zone, "city.toml: timezone")
    try:
        return read_at(text, where, city)
    except Wrong as error:
        allowed = "2026-05-01, 2026-05-01T08:00 (the city's time), 2026-05-01T00:00:00Z, 36h, 3d"
        raise Wrong(where, repr(text), allowed) from error


def sides_of(
    args: argparse.Namespace, settings: Settings, city: City
) -> tuple[dict[str, Side], Scope]:
    """`now`, and `then` where another configuration is given. Raises Wrong."""
    from detectors import specs as discover
    from gridsentry import config
    from gridsentry.backtest.change import changed
    from gridsentry.backtest.run import Scope, Side, blind, unheard
    from gridsentry.engine.rooms import detector_configs

    specs = discover()
    _known("--kind", args.kind, specs)
    _known("--device", args.device, city.devices)
    left_out = blind(specs)
    if args.kind and set(args.kind) <= left_out:
        allowed = ", ".join(k for k in specs if k not in left_out)
        raise Wrong("--kind", "lives on pictures or sound, which are not stored", allowed)
    tables: dict[str, Mapping[str, Any]] = {"now": settings.detectors}
    if args.against is not None:
        tables["then"] = config.load(args.against).detectors
    elif args.set:
        tables["then"] = changed(settings.detectors, args.set)
    configs = {name: detector_configs(table) for name, table in tables.items()}
    scope = Scope(
        kinds=frozenset(args.kind) if args.kind else None,
        devices=frozenset(args.device) if args.device else None,
        unheard=unheard(city, configs["now"]),
    )
    sides = {name: Side(city, settings.router, own, scope) for name, own in configs.items()}
    return sides, scope


def _known(where: str, names: list[str] | None, known: Mapping[str, object]) -> None:
    for name in names or ():
        if name not in known:
            shown = sorted(known)
            more = f" … ({len(shown):,} in all)" if len(shown) > 30 else ""
            raise Wrong(where, f"there is no {name!r}", ", ".join(shown[:30]) + more)


def _episode(event: Any) -> Episode:
    from gridsentry.backtest.compare import Episode

    return msgspec.convert(msgspec.structs.asdict(event), Episode)


def _tell(
    args: argparse.Namespace,
    ours: list[Episode],
    others: Mapping[str, list[Episode]],
    test: Backtest,
) -> None:
    from gridsentry.backtest import show
    from gridsentry.backtest.compare import differences, pairs

    within = args.within.total_seconds()
    for name, theirs in others.items():
        found = [(pair, differences(pair, within)) for pair in pairs(ours, theirs)]
        if args.json:
            for line in show.as_json(name, found):
                print(msgspec.json.encode(line).decode())
        else:
            show.as_tables(name, found)
    if args.json:
        read = {"type": "read", "readings": test.readings, "items": test.items}
        print(msgspec.json.encode(read).decode())
    else:
        print(f"{test.readings:,} readings and {test.items:,} other messages folded")


@contextmanager
def progress(
    test: Backtest, since: datetime, until: datetime
) -> Iterator[Callable[[datetime], None]]:
    """A bar that goes with the recorded time."""
    with readings_bar((until - since).total_seconds(), "sorting") as told:
        yield lambda at: told(
            (at - since).total_seconds(), test.readings, before=f"{at:%Y-%m-%d %H:%M} UTC, "
        )
