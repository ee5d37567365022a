"""`gridsentry learn`: listen to a topic and propose the mapping that reads it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from contracts.nouns import Arrival
    from ingest.adapting.learning import Lesson

EPILOG = """\
examples:
  gridsentry learn 'acme/+/data'                       a minute of the broker on this machine
  gridsentry learn 'acme/#' --broker mqtts://me:secret@broker:8883 --seconds 300 \\
             --out mycity/mappings/acme.toml
  gridsentry learn 'acme/#' --recording day.jsonl.gz   what was recorded, instead of a broker

It guesses which member names the device, which is the time, and which numbers are metrics of ours,
and writes what it saw behind each as a comment. Read it, correct it, then:
  gridsentry adapt SAMPLE.json --topic acme/7/data --mapping mycity/mappings/acme.toml
and in the configuration:
  [[adapters]]
  use = "json_mapping"
  topics = ["acme/+/data"]
  mapping = "mappings/acme.toml"
"""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    import argparse

    p = subparsers.add_parser(
        "learn",
        help="listen to a gateway's topic and propose a mapping for it",
        description="Listens to a topic filter and proposes a mapping file for what it hears.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("topic", help="topic filter, such as 'acme/+/data'")
    p.add_argument("--broker", default="mqtt://127.0.0.1:1883", help="default %(default)s")
    p.add_argument("--recording", type=Path, help="read a recording instead of listening")
    p.add_argument("--seconds", type=float, default=60.0, help="how long (default 60)")
    p.add_argument("--out", type=Path, help="write the mapping here instead of printing it")
    p.add_argument("--force", action="store_true", help="replace a file that is there")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Listen, propose, and say how much of it the proposal reads."""
    from contracts.errors import Permanent, Wrong
    from ingest.adapting import filters
    from ingest.adapting.learning import Lesson
    from ingest.adapting.mapping import parse

    fault = filters.fault(args.topic)
    if fault is not None:
        raise Wrong("TOPIC", f"{args.topic!r}: {fault}", "an MQTT topic filter such as acme/+/data")
    if args.out is not None and args.out.exists() and not args.force:
        raise Wrong(str(args.out), "is there already", "another name, or --force")
    lesson = Lesson()
    heard = _recorded(args, lesson) if args.recording else _live(args, lesson)
    known = _known(heard)
    if known is not None:
        print(f"gridsentry: {known}", file=sys.stderr)
    try:
        text = lesson.proposal()
    except Permanent as nothing:
        if known is not None:
            return 0
        print(f"gridsentry: {args.topic}: {nothing.reason}", file=sys.stderr)
        return 1
    mapping = parse(text, "the proposal")
    read = sum(_reads(mapping, arrival) for arrival in lesson.messages)
    if args.out is None:
        print(text, end="")
    else:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(text, encoding="utf-8")
        print(f"gridsentry: wrote {args.out}: read it, correct it", file=sys.stderr)
    said = [
        f"{lesson.heard} messages heard"
        + (f", {lesson.unread} of them no JSON" if lesson.unread else "")
        + f"; the proposal reads {read} of {len(lesson.messages)}",
        *_devices(mapping, lesson),
        *_next(args, lesson),
    ]
    print("\n".join(f"gridsentry: {line}" for line in said), file=sys.stderr)
    return 0


def _devices(mapping: Any, lesson: Lesson) -> list[str]:
    """Whom the messages are of, and what to do about it."""
    import msgspec

    from contracts.errors import Permanent

    names: dict[str, None] = {}
    for arrival in lesson.messages:
        for told in mapping.told(msgspec.json.decode(arrival.payload), arrival.topic):
            if not isinstance(told, Permanent):
                names[told.device] = None
    if not names:
        return []
    shown = ", ".join([*names][:8]) + (", …" if len(names) > 8 else "")
    one = "device goes" if len(names) == 1 else "devices go"
    return [
        f"{len(names)} {one} by {shown}: as ids in devices.csv, or as names of them in aliases.csv"
    ]


def _next(args: argparse.Namespace, lesson: Lesson) -> list[str]:
    """What to do with the file; it names a topic that was heard."""
    where: Path = args.out or Path("FILE.toml")
    topic = lesson.messages[0].topic
    return [
        f"to see what a message becomes: gridsentry adapt SAMPLE.json --topic {topic!r} "
        f"--mapping {where}",
        f'to use it: use = "json_mapping", topics = ["{args.topic}"], mapping = '
        f'"mappings/{where.name}" in [[adapters]], and the file in the city folder\'s mappings/',
    ]


def _live(args: argparse.Namespace, lesson: Lesson) -> list[Arrival]:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from gridsentry.record.live import mqtt_session, record_live

    kept: list[Arrival] = []

    class Sink:
        def write(self, arrival: Arrival) -> None:
            lesson.hear(arrival)
            if len(kept) < 200:
                kept.append(arrival)

    words = TextColumn("{task.description}")
    columns = (SpinnerColumn(), words, TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"listening to {args.topic}")

        def tick(count: int) -> None:
            members = len(lesson.members)
            said = f"listening to {args.topic}: {count} messages, {members} members"
            progress.update(task, description=said)

        record_live(mqtt_session(args.broker, args.topic), Sink(), seconds=args.seconds, tick=tick)
    return kept


def _recorded(args: argparse.Namespace, lesson: Lesson) -> list[Arrival]:
    from gridsentry.record.format import read
    from ingest.adapting import filters

    wanted = filters.pattern(args.topic)
    kept: list[Arrival] = []
    for arrival in read(args.recording):
        if wanted.fullmatch(arrival.topic):
            lesson.hear(arrival)
            if len(kept) < 200:
                kept.append(arrival)
    return kept


def _known(heard: list[Arrival]) -> str | None:
    """What to say when an adapter of ours is made for such messages."""
    from ingest.adapting import filters
    from ingest.adapting.plan import known
    from ingest.codec import senml

    for use, spec in known().items():
        usual = [filters.pattern(filters.plain(topic)) for topic in spec.topics]
        if heard and all(any(p.fullmatch(a.topic) for p in usual) for a in heard):
            return f'these are topics of {use}: `use = "{use}"` in [[adapters]] reads them'
    if heard and all(_is(senml.packed, arrival.payload) for arrival in heard):
        return 'this is SenML: `use = "senml"` in [[adapters]] reads it'
    return None


def _is(read: Any, payload: bytes) -> bool:
    from contracts.errors import Permanent

    try:
        pack = read(payload)
    except Permanent:
        return False
    return any(isinstance(r, dict) and ({"bn", "n"} & r.keys()) for r in pack)


def _reads(mapping: Any, arrival: Arrival) -> bool:
    import msgspec

    from contracts.errors import Permanent

    told = mapping.told(msgspec.json.decode(arrival.payload), arrival.topic)
    return all(not isinstance(one, Permanent) for one in told)
