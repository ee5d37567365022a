"""`gridsentry record`: arguments, progress and the one-line summary."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from contracts.errors import GridsentryError, Wrong
from gridsentry.city import load_city
from gridsentry.record import fromfile, merge, series, single
from gridsentry.record.format import Writer
from gridsentry.record.live import SessionFactory, mqtt_session, record_live
from gridsentry.record.times import read_at, read_zone

if TYPE_CHECKING:
    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: Parsers) -> argparse.ArgumentParser:
    """The `record` sub-command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "record",
        help="make a recording from a file, a live broker or other recordings",
        description="Make a recording (JSON Lines, media beside it in OUT.files/).",
    )
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="OUT.jsonl[.gz]", help="the recording"
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--from", dest="source", type=Path, metavar="FILE", help="a file")
    source.add_argument("--broker", metavar="URL", help="a live broker, mqtt[s]://[user@]host:port")
    source.add_argument(
        "--merge", nargs="+", type=Path, metavar="RECORDING", help="join recordings by time"
    )
    file = parser.add_argument_group("from a file")
    file.add_argument("--city", type=Path, metavar="DIR", help="the city folder")
    file.add_argument("--device", metavar="ID", help="the device whose file it is")
    file.add_argument(
        "--at", metavar="TIME", help="of its first picture, row or sample (default: its own)"
    )
    file.add_argument("--kind", choices=single.KINDS, help="default: by the file")
    file.add_argument(
        "--segment", type=float, default=1.0, metavar="SECONDS", help="of video, 0.5 to 10"
    )
    file.add_argument(
        "--ignore-rotation", action="store_true", help="of a video that is wrongly marked"
    )
    file.add_argument("--time", metavar="COLUMN", help="a series' time column")
    file.add_argument("--tz", metavar="ZONE", help="zone of times that name none")
    file.add_argument(
        "--metric",
        action="append",
        default=[],
        metavar="COLUMN=name[*FACTOR[+OFFSET]]",
        help="a series' column that becomes a metric; repeat it",
    )
    live = parser.add_argument_group("from a live broker")
    live.add_argument("--topic", metavar="FILTER", help="MQTT topic filter")
    live.add_argument("--seconds", type=float, metavar="N", help="default: until Ctrl-C")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace, session_factory: SessionFactory | None = None) -> int:
    """Make the recording; the exit code: 0 done, 1 failed, 2 wrong usage or configuration."""
    try:
        count = _record(args, session_factory)
    except Wrong as error:
        print(f"gridsentry record: {error}", file=sys.stderr)
        return 2
    except (GridsentryError, OSError) as error:
        print(f"gridsentry record: {error}", file=sys.stderr)
        return 1
    print(f"{args.out}: {count} message{'' if count == 1 else 's'}", file=sys.stderr)
    return 0


def _record(args: argparse.Namespace, session_factory: SessionFactory | None) -> int:
    if args.broker is not None:
        return _from_broker(args, session_factory)
    with _progress(args.out.name) as tick:
        if args.merge is not None:
            found = merge.merged(args.merge)
        else:
            found = fromfile.arrivals(_source(args), tick)
        with Writer(args.out) as writer:
            for arrival in found:
                writer.write(arrival)
    return writer.count


def _source(args: argparse.Namespace) -> fromfile.Source:
    for option in ("city", "device"):
        if getattr(args, option) is None:
            raise Wrong(f"--{option}", "missing", "needed with --from")
    if not args.source.is_file():
        raise Wrong("--from", f"there is no file {args.source}", "a file that can be read")
    kind = args.kind or single.infer_kind(args.source)
    if kind != "telemetry":
        for option in ("time", "metric"):
            if getattr(args, option):
                raise Wrong(f"--{option}", f"with a {kind}", "only with a series (CSV, Parquet)")
    city = load_city(args.city)
    device = fromfile.find_device(city, args.device)
    # A device's naive times have a zone in devices.csv; disturbance records are always naive
    # and taken in the city's.
    name = args.tz or device.timezone or (city.timezone if kind == "record" else None)
    zone = read_zone(name, "--tz") if name else None
    return fromfile.Source(
        path=args.source,
        device=device,
        kind=kind,
        at=read_at(args.at, "--at", zone) if args.at else None,
        segment_s=args.segment,
        rotate=not args.ignore_rotation,
        time=args.time,
        zone=zone,
        metrics=tuple(series.read_mapping(text) for text in args.metric),
    )


def _from_broker(args: argparse.Namespace, session_factory: SessionFactory | None) -> int:
    if args.topic is None:
        raise Wrong("--topic", "missing", "an MQTT topic filter such as gridsentry/v1/feed/#")
    if args.seconds is not None and args.seconds <= 0:
        raise Wrong("--seconds", f"{args.seconds:g}", "more than 0")
    session = (session_factory or mqtt_session)(args.broker, args.topic)
    with _counter(args.out.name) as tick, Writer(args.out) as writer:
        return record_live(session, writer, seconds=args.seconds, tick=tick)


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr while it is a terminal, else nothing."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def _counter(name: str) -> Iterator[Callable[[int], None]]:
    """A count on stderr while it is a terminal, else nothing."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}: {task.completed} messages (Ctrl-C ends)"),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done: progress.update(task, completed=done)
