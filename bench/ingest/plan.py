"""How much is measured, from the environment and the command line."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench.ingest import load
from bench.ingest.burst import GAP_S, Phases

PARTS: Final = ("singles", "batches", "latency", "burst", "shards", "backlog", "soak")
LEAST: Final = 4000
"""Messages of a backlog: fewer come in one piece, which has no duration."""
HELP: Final = """\
How fast: from messages queued in the broker to rows committed and detected, next to what somebody
would pick instead, in the same run on the same broker and the same PostgreSQL.

  singles    200-byte messages of one reading, QoS 1: the service, Node-RED (INSERT per message,
             and batched UNNEST), faststream, mq-bridge; and who only takes them: our session alone,
             bare paho, gmqtt, mqttium, mosquitto_sub
  batches    messages of 100 readings
  latency    from a flood's message to its ticket on a screen, at 1,000 messages/s
  burst      the same while ten times as much comes for ten seconds, and after
  shards     one ingest process, and two
  backlog    a million queued messages: does the service's memory grow?
  soak       its memory at 80 % load, each second; only when asked for: SOAK=30 (minutes)

What is measured runs on one core, pinned; broker, database and publisher on the others. Nothing
is asserted: the table tells figures with aims, build/bench/ingest.json has them for programs. Run
it on a machine that does nothing else; ratios hold up better than figures where it does.
"""
ENVIRONMENT: Final = """\
The same by the environment, for make: QUICK=1 RUNS=5 MESSAGES=200000 BACKLOG=1000000 SOAK=30
LOAD=0.8 ONLY=singles,soak
"""


class Plan(msgspec.Struct, kw_only=True):
    """How much of what."""

    only: tuple[str, ...] = PARTS
    quick: bool = False
    runs: int = 5
    messages: int = 200_000
    """Backlog of single readings; of messages of 100 readings a fortieth."""
    backlog: int = 1_000_000
    soak_s: float = 0.0
    out: Path | None = None
    load: float = 0.8
    """Of what the service can do, in the soak."""

    @property
    def batched(self) -> int:
        """Messages of 100 readings."""
        turns = max(self.messages // 40 // load.DEVICES, 1)
        return turns * load.DEVICES  # all sensors alike: one that is left out comes and goes

    @property
    def context(self) -> int:
        """Backlog of those that are printed as context: they may take their time."""
        return max(self.messages // 10, 2000)

    @property
    def floods(self) -> int:
        """Timed in a run of `latency`."""
        return 20 if self.quick else min(60, load.DEVICES // 2 // max(self.runs, 1))

    @property
    def phases(self) -> Phases:
        """Of a burst."""
        if self.quick:
            return Phases(warm=1.0, before=2.0, burst=2.0, after=3.0)
        return Phases()

    @property
    def bases(self) -> tuple[float, ...]:
        """Messages a second that a burst is ten times of."""
        return (1000.0,) if self.quick else (1000.0, 5000.0)

    def has(self, part: str) -> bool:
        """Whether this part is measured."""
        return part in self.only and (part != "soak" or self.soak_s > 0)


def plan_from(environ: Mapping[str, str], arguments: Sequence[str] = ()) -> Plan:
    """QUICK, RUNS, MESSAGES, BACKLOG, SOAK, LOAD, ONLY; what the command line says goes first."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.ingest",
        description=HELP,
        epilog=ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only",
        default=environ.get("ONLY", ""),
        metavar="PARTS",
        help="some parts, with commas between",
    )
    quick = environ.get("QUICK", "") not in ("", "0")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where the JSON goes instead of build/bench"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        default=quick,
        help="a minute or two's worth: shows that all of it works, too little to judge",
    )
    for name, cast, what in (
        ("runs", int, "runs of each part (5; QUICK: 1)"),
        ("messages", int, "backlog of single readings (200,000; QUICK: 10,000)"),
        ("backlog", int, "messages of the part backlog (1,000,000; QUICK: 40,000)"),
        ("soak", float, "minutes of the part soak (0; QUICK: 0.1; with --only soak: 30)"),
        ("load", float, "share of what it can do, in the soak (0.8)"),
    ):
        said = environ.get(name.upper())
        parser.add_argument(
            f"--{name}", type=cast, default=cast(said) if said else None, metavar="N", help=what
        )
    args = parser.parse_args(arguments)
    only = tuple(p.strip() for p in args.only.split(",") if p.strip()) or PARTS
    for part in only:
        if part not in PARTS:
            parser.error(f"--only: no part {part!r}; there are {', '.join(PARTS)}")
    minutes = args.soak
    if minutes is None:
        minutes = 0.1 if args.quick else 30.0 if only == ("soak",) else 0.0

    def or_else(value: int | None, quick: int, full: int) -> int:
        return value if value is not None else quick if args.quick else full

    plan = Plan(
        only=only,
        quick=args.quick,
        runs=or_else(args.runs, 1, 5),
        messages=or_else(args.messages, 10_000, 200_000),
        backlog=or_else(args.backlog, 40_000, 1_000_000),
        soak_s=minutes * 60,
        out=args.out,
        load=args.load if args.load is not None else 0.8,
    )
    if plan.runs < 1 or min(plan.messages, plan.backlog) < LEAST:
        parser.error(f"at least one run and {LEAST:,} messages")
    floods = int((plan.phases.end - plan.phases.warm) / GAP_S)
    assert floods <= load.DEVICES // 2, "each street is flooded once in a burst"
    return plan
