"""`gridsentry simulate`: the demo town's gateways, live on a broker or into a recording."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.errors import Wrong
from gridsentry.commands.brokers import broker_settings
from gridsentry.commands.replay import duration

if TYPE_CHECKING:
    from contracts.ports import Publisher
    from ingest.settings import MqttSettings
    from simulators.director import Director
    from simulators.run import CrewsFactory
    from simulators.settings import SimSettings
    from simulators.town import Town

log = logging.getLogger(__name__)

EPILOG = """\
examples:
  gridsentry simulate --city town                        write the town's city folder and stop
  gridsentry simulate --broker mqtt://127.0.0.1:1883     publish like its gateways do
  gridsentry simulate --record town.jsonl --minutes 10   the same into a recording, as fast as
                                                         it can
  gridsentry simulate --broker mqtt://127.0.0.1:1883 --speed 30
                                                         needs `gridsentry serve --clock sim`
  gridsentry simulate --broker mqtt://127.0.0.1:1883 --crews http://127.0.0.1:8080
                                                         and its people act on the tickets
                                                         (token: GRIDSENTRY_TOKEN)
"""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    p = subparsers.add_parser(
        "simulate",
        help="publish a simulated town's sensors",
        description="A town of one street office with cameras, drains, an overhead line, a fibre "
        "and workers on their rounds. What really happened goes to --truth, which no detector "
        "sees.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("--seed", type=int, default=7, help="which town and which incidents (default 7)")
    p.add_argument("--city", type=Path, metavar="DIR", help="write the town's city folder here")
    p.add_argument("--broker", metavar="URL", help="mqtt://[user:password@]host[:port] or mqtts://")
    p.add_argument("--record", type=Path, metavar="OUT", help="write a recording instead")
    p.add_argument("--minutes", type=float, default=10.0, help="length of the recording")
    p.add_argument("--start", help="when the recording begins, ISO 8601 with zone (default now)")
    p.add_argument("--warm", type=duration, help="publish this much history first, such as 6h")
    p.add_argument("--speed", type=float, default=1.0, help="faster than time, with a sim clock")
    p.add_argument(
        "--crews",
        metavar="URL",
        help="the service's page: workers, utilities and the operator act on its tickets",
    )
    p.add_argument("--token", help="of a center that wants one, with the role operator "
                   "(default: GRIDSENTRY_TOKEN)")  # fmt: skip
    p.add_argument("--truth", type=Path, metavar="FILE", help="ground truth, JSON lines")
    p.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                   help="any other knob of the simulation, such as throw_every_s=60")  # fmt: skip
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Simulate; until told to stop when live."""
    from gridsentry.commands.serve import log_to_stderr
    from simulators.town import build, write_city

    if not (args.city or args.broker or args.record):
        raise Wrong("simulate", "nothing to do", "--broker URL, --record OUT or --city DIR")
    if args.crews and not args.broker:
        raise Wrong("--crews", "a town that is not live has no tickets", "with --broker URL")
    settings = sim_settings(args)
    town = build(args.seed)
    if args.city:
        write_city(town, args.city)
        print(f"wrote the city folder {args.city}")
    if args.record:
        return record(args, settings, town)
    if args.broker:
        log_to_stderr("WARNING")
        return live(args, settings, town)
    return 0


def sim_settings(args: argparse.Namespace) -> SimSettings:
    """The simulation's settings from the command line."""
    from simulators.settings import SimSettings

    raw: dict[str, Any] = {"seed": args.seed, "speed": args.speed}
    if args.warm is not None:
        raw["warm_h"] = args.warm.total_seconds() / 3600
    for one in args.set:
        name, equals, value = one.partition("=")
        if not equals:
            raise Wrong("--set", repr(one), "NAME=VALUE")
        raw[name] = msgspec.json.decode(value) if value[:1] == "[" else value
    try:
        return msgspec.convert(raw, SimSettings, strict=False)
    except msgspec.ValidationError as error:
        known = ", ".join(f.name for f in msgspec.structs.fields(SimSettings))
        raise Wrong("simulate", str(error), known) from error


def record(args: argparse.Namespace, settings: SimSettings, town: Town) -> int:
    """Into a recording, with a progress bar."""
    from rich.console import Console
    from rich.progress import Progress

    from contracts.clock import SystemClock
    from simulators.recording import record as write

    start = SystemClock().now()
    if args.start:
        try:
            start = datetime.fromisoformat(args.start)
        except ValueError as error:
            raise Wrong("--start", repr(args.start), "ISO 8601, as 2026-07-01T08:00:00Z") from error
        if start.tzinfo is None:
            raise Wrong("--start", f"{args.start} has no zone", "ISO 8601 with Z or an offset")
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("recording the town", total=1.0)
        count = write(
            town, settings, args.record, start, args.minutes, truth=args.truth,
            progress=lambda share: bar.update(task, completed=share),
        )  # fmt: skip
    print(f"wrote {args.record}: {count} messages of {args.minutes:g} minutes")
    return 0


def live(args: argparse.Namespace, settings: SimSettings, town: Town) -> int:
    """Onto a broker, until told to stop."""
    from contracts.clock import SystemClock
    from gridsentry.commands.signals import stop_on_signals
    from ingest.publisher import MqttPublisher
    from simulators.run import Simulation

    mqtt = broker_settings(args.broker)
    stop = stop_on_signals()

    def publisher(name: str, topic: str | None, last: bytes | None) -> Publisher:
        will = None if topic is None or last is None else (topic, last, True)
        return MqttPublisher(msgspec.structs.replace(mqtt, client_id=name), will=will)

    simulation = Simulation(
        town, settings, publisher, SystemClock(),
        truth=args.truth, follower=follower(mqtt), crews=crews(args, settings),
    )  # fmt: skip
    print(f"publishing to {mqtt.host}:{mqtt.port}; Ctrl-C stops", flush=True)
    simulation.run(stop)
    return 0


def crews(args: argparse.Namespace, settings: SimSettings) -> CrewsFactory | None:
    """The people who act on the tickets of `--crews`; None without it. Raises Wrong for a URL that
    is none."""
    from simulators.duty.center import Center
    from simulators.duty.ground import TownGround
    from simulators.duty.live import Crews

    if not args.crews:
        return None
    line = Center(args.crews, args.token or os.environ.get("GRIDSENTRY_TOKEN"))

    def people(director: Director) -> Crews:
        return Crews(
            line, TownGround(director), director.world,
            seed=settings.seed, pace=settings.crews_pace,
        )  # fmt: skip

    return people


def follower(mqtt: MqttSettings) -> str | None:
    """Whose clock the service follows, as it said on its retained topic; None when it has not."""
    from contracts.clock import SystemClock
    from ingest.session import MqttSession
    from simulators.run import FOLLOWER_TOPIC

    session = MqttSession(
        msgspec.structs.replace(mqtt, client_id="sim-asks", session_expiry_s=1),
        [FOLLOWER_TOPIC],
        clock=SystemClock(),
    )
    session.start()
    try:
        said = session.take(1, 3.0)
        session.acknowledge(said)
    finally:
        session.stop()
    return said[0].payload.decode(errors="replace") if said else None
