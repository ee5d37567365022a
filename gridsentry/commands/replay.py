"""`gridsentry replay`: what a recording would have caused, and when."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.errors import Wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contracts.nouns import Arrival

UNITS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def duration(text: str) -> timedelta:
    """`90`, `90s`, `10m`, `10min`, `2h`: a duration; argparse shows the error."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = text[len(number) :].strip() or "s"
    try:
        return timedelta(seconds=float(number) * UNITS[unit])
    except (KeyError, ValueError) as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a duration; write 90, 90s, 10m or 2h"
        ) from error


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    p = subparsers.add_parser(
        "replay",
        help="run a recording through the real pipeline and print every change",
        description="Runs the real pipeline in event time, without broker or database, and prints "
        "one JSON line for every change of an event, incident, ticket or dead letter. The same "
        "recording gives the same bytes.",
    )
    p.add_argument("recording", type=Path, help="a .jsonl or .jsonl.gz made by `gridsentry record`")
    p.add_argument("--city", type=Path, required=True, help="the city folder")
    p.add_argument(
        "--tail",
        type=duration,
        default=timedelta(minutes=10),
        help="how long time runs on after the last message (default 10m)",
    )
    p.add_argument("--no-escalate", action="store_true", help="no reminders, no escalation")
    p.add_argument("--evidence", type=Path, metavar="DIR", help="write clips and stills here")
    p.add_argument("--config", type=Path, help="configuration, for detectors and router")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Replay; 0 when the whole recording was read."""
    from gridsentry import config
    from gridsentry.city import load_city
    from gridsentry.engine.rooms import detector_configs
    from gridsentry.record.format import read
    from gridsentry.replay.run import Replay, adapters_of

    settings = config.load(args.config)
    plans = adapters_of(settings.adapters, args.config, args.city)
    city = load_city(args.city)
    if not args.recording.is_file():
        raise Wrong(str(args.recording), "is not a file", "a recording, .jsonl or .jsonl.gz")
    router = settings.router
    if args.no_escalate:
        router = msgspec.structs.replace(router, ladder=False)
    if args.evidence is not None:
        args.evidence.mkdir(parents=True, exist_ok=True)
    replay = Replay(city, router, detector_configs(settings.detectors), args.evidence, plans)
    write = sys.stdout.buffer.write
    for line in replay.lines(progress(read(args.recording)), args.tail):
        write(msgspec.json.encode(line) + b"\n")
        sys.stdout.buffer.flush()
    return 0


def progress(arrivals: Iterable[Arrival]) -> Iterator[Arrival]:
    """Show on a terminal how far the recording has been read (on stderr)."""
    if not sys.stderr.isatty():
        yield from arrivals
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    with Progress(
        SpinnerColumn(),
        TextColumn("{task.completed} messages, recording at {task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("-", total=None)
        for arrival in arrivals:
            bar.update(task, advance=1, description=str(arrival.received_at)[:19])
            yield arrival
