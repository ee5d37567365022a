"""`gridsentry adapt`: what a sample message of a gateway becomes, before it is connected."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from contracts.nouns import Arrival
    from ingest.adapting.plan import Plan

EPILOG = """\
examples:
  gridsentry adapt up.json --topic application/1/device/24e124/event/up --use chirpstack
  gridsentry adapt sample.json --topic acme/7/data --mapping mycity/mappings/acme.toml
  gridsentry adapt sample.json --topic acme/7/data --config gridsentry.toml
  gridsentry adapt day.jsonl.gz --config gridsentry.toml --city mycity     a whole recording

Nothing is sent or stored. Devices that the city does not know are shown with what they are called,
as if they were registered; --city shows only what its devices.csv and aliases.csv know.
exit codes: 0 everything was read or left aside on purpose, 1 something was not
"""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    import argparse

    p = subparsers.add_parser(
        "adapt",
        help="show what a gateway's sample message becomes (a dry run of an adapter or mapping)",
        description="Reads sample payloads with an adapter and shows the readings they become.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("sample", type=Path, nargs="+", help="payload files, or recordings (.jsonl)")
    p.add_argument("--topic", help="the topic the payloads came on")
    p.add_argument("--use", help="an adapter by name")
    p.add_argument(
        "--set", action="append", default=[], metavar="OPTION=VALUE", help="an option of --use"
    )
    p.add_argument("--mapping", type=Path, help="a mapping file: short for --use json_mapping")
    p.add_argument("--config", type=Path, help="take [[adapters]] from this configuration")
    p.add_argument("--city", type=Path, help="the city folder")
    p.add_argument("--json", action="store_true", help="one JSON line for each reading")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read the samples; print what they become."""
    from gridsentry.city import load_city

    reader = _Reader(_plans(args), load_city(args.city) if args.city is not None else None)
    rows: list[tuple[str, ...]] = []
    bad = False
    for arrival in _samples(args):
        for row, fault in reader.rows(arrival):
            rows.append(row)
            bad |= fault
    _show(rows, args.json)
    return 1 if bad else 0


def _plans(args: argparse.Namespace) -> Sequence[Plan]:
    from contracts.errors import Wrong
    from gridsentry import config
    from ingest.adapting.plan import read

    folder = args.city or Path()
    if args.mapping is not None:
        if args.topic is None:
            raise Wrong("--topic", "missing", "the topic (or filter) of such messages")
        whole = str(args.mapping.absolute())
        table = {"use": "json_mapping", "mapping": whole, "topics": [args.topic]}
        return read([table], "--mapping", folder)
    if args.use is not None:
        options: dict[str, Any] = {"use": args.use}
        for one in args.set:
            name, equals, value = one.partition("=")
            if not equals:
                raise Wrong("--set", one, "OPTION=VALUE")
            options[name] = _value(value)
        if args.topic is not None:
            options.setdefault("topics", [args.topic])
        return read([options], "--use", folder)
    if args.config is not None:
        settings = config.load(args.config)
        return read(settings.adapters, str(args.config), args.city or Path(settings.service.city))
    raise Wrong("adapt", "no adapter", "--use, --mapping or --config")


def _value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.lstrip("-").isdigit() else text


def _samples(args: argparse.Namespace) -> Iterable[Arrival]:
    from contracts.clock import SystemClock
    from contracts.errors import Wrong
    from contracts.nouns import Arrival
    from gridsentry.record.format import read

    for path in args.sample:
        if not path.is_file():
            raise Wrong(str(path), "is not a file", "a payload, or a recording (.jsonl, .jsonl.gz)")
        if path.name.endswith((".jsonl", ".jsonl.gz")):
            yield from read(path)
            continue
        if args.topic is None:
            raise Wrong("--topic", "missing", "the topic that the payload came on")
        topic = args.topic.replace("+", "x").replace("/#", "/x")
        yield Arrival(topic, path.read_bytes(), SystemClock().now())


class _Reader:
    """The adapters over the city's devices; without a city, over whoever is met."""

    def __init__(self, plans: Sequence[Plan], city: Any) -> None:
        from contracts.aliases import aliases

        self._plans = plans
        self._open = city is None
        self._devices: dict[str, Any] = {} if city is None else dict(city.devices)
        self._aliases = {} if city is None else aliases(city)
        self._strangers: set[str] = set()
        self._pictures = [t for plan in plans for t in plan.heavy if t.endswith("/snapshot")]
        self._states: dict[str, bytes] = {}
        self._adapted = self._made()

    def _made(self, before: Any = None) -> Any:
        from ingest.adapting.dispatch import Adapted
        from ingest.codec.times import ClockRule

        if before is not None:
            self._states |= before.snapshots()
        return Adapted(self._plans, self._devices, self._aliases, ClockRule(), self._states)

    def rows(self, arrival: Arrival) -> Iterable[tuple[tuple[str, ...], bool]]:
        """Rows to show, and whether each is a fault."""
        from contracts.nouns import Poison, Reading, Status
        from ingest.adapting import filters

        name = self._adapted.of(arrival.topic)
        if name is None:
            yield ("no adapter", arrival.topic, "", "", "", "no adapter takes this topic"), True
            return
        if any(filters.pattern(t).fullmatch(arrival.topic) for t in self._pictures):
            yield from self._seen(arrival)
            return
        nouns = self._adapted.decode(name, arrival)
        for _ in range(20):  # once more for each device that is met, as if it were registered
            unknown = {
                n.device
                for n in nouns
                if isinstance(n, Poison) and n.code == "unknown_device" and n.device
            } - self._strangers
            if not self._open or not unknown:
                break
            self._meet(unknown)
            nouns = self._adapted.decode(name, arrival)
        if not nouns:
            yield ("left aside", "", "", "", "", "on purpose: nothing of it is a reading"), False
        for one in nouns:
            match one:
                case Reading():
                    at = "arrival" if one.sent_at is None else one.sent_at.isoformat()
                    note = _doubt(one) or (
                        "not registered yet" if one.device in self._strangers else ""
                    )
                    yield ("reading", one.device, one.metric, f"{one.value:g}", at, note), False
                case Status():
                    yield ("status", one.device, "", "online" if one.online else "offline"), False
                case Poison():
                    yield (one.code, one.device or "", "", "", "", one.reason), True
                case _:
                    yield (type(one).__name__.lower(), getattr(one, "device", "")), False

    def _seen(self, arrival: Arrival) -> Iterable[tuple[tuple[str, ...], bool]]:
        """A picture, which becomes no reading."""
        from contracts.errors import Permanent
        from ingest.adapting.seen import Picture

        name = str(self._adapted.of(arrival.topic))
        for _ in range(2):
            try:
                seen = self._adapted.adapters[name].look(arrival)
            except Permanent as bad:
                who = getattr(bad, "device", None)
                if bad.code == "unknown_device" and who and self._open:
                    self._meet({who})
                    continue
                yield (bad.code, who or "", "", "", "", bad.reason), True
                return
            for one in seen:
                if isinstance(one, Picture):
                    size = f"{len(one.data) / 1024:.0f} KiB"
                    note = "evidence of an event that goes on there meanwhile, else forgotten"
                    yield ("picture", one.device, one.label, size, "arrival", note), False
            return

    def _meet(self, names: Iterable[str]) -> None:
        from contracts.city import Device
        from contracts.geo import Point

        for name in names:
            self._strangers.add(name)
            self._devices[name] = Device(id=name, district="", type="", point=Point(0.0, 0.0))
        self._adapted = self._made(self._adapted)


def _doubt(reading: Any) -> str:
    """A value that no such quantity has is mostly one in another unit."""
    from contracts.kinds import METRICS
    from ingest.screen import LIMITS

    low, high = LIMITS.get(reading.metric, (float("-inf"), float("inf")))
    if low <= reading.value <= high:
        return ""
    return (
        f"no {reading.metric} is {reading.value:g} {METRICS[reading.metric]}: give its unit "
        "(mapping, device profile), or another name (aliases.csv)"
    )


def _show(rows: Sequence[tuple[str, ...]], as_json: bool) -> None:
    if as_json:
        import msgspec

        names = ("what", "device", "metric", "value", "at", "note")
        for row in rows:
            sys.stdout.write(
                msgspec.json.encode(dict(zip(names, row, strict=False))).decode() + "\n"
            )
        return
    from rich.console import Console
    from rich.table import Table

    from contracts.kinds import METRICS

    table = Table(box=None, pad_edge=False)
    for name in ("", "device", "metric", "value", "unit", "at", ""):
        table.add_column(name, justify="right" if name == "value" else "left", overflow="fold")
    for what, *cells in rows:
        device, metric, value, at, note = [*cells, "", "", "", "", ""][:5]
        style = None if what in ("reading", "status", "left aside", "picture") else "red"
        table.add_row(what, device, metric, value, METRICS.get(metric, ""), at, note, style=style)
    Console(width=None if sys.stdout.isatty() else 160, soft_wrap=False).print(table)
