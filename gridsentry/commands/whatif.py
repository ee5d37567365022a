"""`gridsentry whatif`: one recording under two routing policies, with simulated people."""

from __future__ import annotations

import argparse
import math
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.errors import Wrong
from gridsentry.commands.replay import duration, progress

if TYPE_CHECKING:
    from contracts.case import Change, Ticket
    from contracts.city import City
    from contracts.geo import Point
    from contracts.nouns import Arrival
    from contracts.ports import Router
    from router.settings import RouterSettings
    from simulators.duty.recorded import Rain, Recorded, Told

CLOCKS = ("accept", "arrive", "dispose", "verify", "close")
NAMED = ("joint", "each")
POSITIONS = "gridsentry/v1/worker/"
EPILOG = """\
A policy is `joint` (tickets that can still move are matched together whenever something changed, an
offer without an answer goes to the next; the default of the service), `each` (a ticket goes to its
own best once), or a TOML file with router settings, as a service has them:

  # careful.toml
  [router]
  stability_s = 900      # re-send nobody for less than a quarter of an hour
  load_cost_s = 2400

The recording runs through the real detectors once. Then, under each policy anew, its events come as
they became known, and simulated workers and utilities answer: they accept, refuse, drive, are late,
say "done" when it is not. Under one --seed both policies meet the same people. What people mend is
over; what closes by itself in the recording closes. Rain that was measured or forecast calls for
its rounds, as it did. How fast people answer, go and work is assumed,
so compare the tables with each other, not with your own figures.

examples:
  gridsentry whatif storm.jsonl.gz --city mycity --policy joint --policy each
  gridsentry whatif storm.jsonl.gz --city mycity --policy joint --policy careful.toml --seed 3
  gridsentry whatif storm.jsonl.gz --city mycity --json | jq '.groups.all'

Without a recording of your own: gridsentry simulate --city town --record town.jsonl --minutes 10
"""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    p = subparsers.add_parser(
        "whatif",
        help="one recording under two routing policies: who would have been there when",
        description="Plays the events of a recording under routing policies, with simulated people "
        "answering, and prints a table for each: by kind and for all, times to accepted and to "
        "arrival, clocks kept, re-sends, escalations, kilometres.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("recording", type=Path, help="a .jsonl or .jsonl.gz made by `gridsentry record`")
    p.add_argument("--city", type=Path, required=True, help="the city folder")
    p.add_argument("--policy", action="append", metavar="NAME|FILE",
                   help="joint, each, or a TOML file with [router] settings; give it twice "
                   "(default: joint and each)")  # fmt: skip
    p.add_argument("--seed", type=int, default=1, help="which people (default 1)")
    p.add_argument("--tail", type=duration, default=timedelta(minutes=10),
                   help="how long detectors wait after the last message (default 10m)")  # fmt: skip
    p.add_argument("--after", type=duration, default=timedelta(hours=12),
                   help="how long people go on after the last event (default 12h)")  # fmt: skip
    p.add_argument("--config", type=Path, help="configuration, for detectors and router")
    p.add_argument("--json", action="store_true", help="one JSON line for each policy")
    p.set_defaults(run=run)


class _Rained:
    """A router with somebody beside it who notes the rain it hears of."""

    def __init__(self, router: Router, rains: list[Rain]) -> None:
        self._router, self._rains = router, rains

    def __getattr__(self, name: str) -> Any:
        return getattr(self._router, name)

    def on_rain(
        self, point: Point, mm_h: float, now: datetime, /, *, forecast: bool = False
    ) -> list[Change]:
        from simulators.duty.recorded import Rain

        self._rains.append(Rain(now, point, mm_h, forecast))
        return self._router.on_rain(point, mm_h, now, forecast=forecast)


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Tickets of one kind, or all of them; utilities' parts are not counted. Times in seconds from
    opening; whoever still waits at the end has waited until then."""

    tickets: int
    accepted: int
    accept_median_s: float | None
    accept_p90_s: float | None
    reached: int
    arrive_median_s: float | None
    arrive_p90_s: float | None
    closed: int
    on_time: dict[str, tuple[int, int]]
    """Clock → (kept, kept or missed)."""
    resent: int
    escalations: int
    km: float | None = None
    """On the way, by all; None by kind, for people do several things on one way."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the recording under one policy."""

    policy: str
    seed: int
    until: datetime
    refused: int
    """Commands of the people that the router would not apply."""
    groups: dict[str, Group]
    """Kind → figures; `all` at the end."""


def run(args: argparse.Namespace) -> int:
    """Replay once, play under each policy, print."""
    from gridsentry import config
    from gridsentry.city import load_city
    from gridsentry.engine.rooms import detector_configs
    from gridsentry.record.format import read
    from gridsentry.replay.run import Replay, adapters_of

    settings = config.load(args.config)
    plans = adapters_of(settings.adapters, args.config, args.city)
    policies = {name: policy(name, settings.router) for name in args.policy or NAMED}
    city = load_city(args.city)
    if not args.recording.is_file():
        raise Wrong(str(args.recording), "is not a file", "a recording, .jsonl or .jsonl.gz")
    if not city.workers:
        raise Wrong(str(args.city), "has no workers", "people who can be sent: workers.csv")
    starts: dict[str, Point] = {}
    arrivals = _starts(progress(read(args.recording)), city, starts)
    rains: list[Rain] = []
    configs = detector_configs(settings.detectors)
    replay = Replay(
        city, settings.router, configs, adapters=plans, watch=lambda r: _Rained(r, rains)
    )
    told = list(events(replay.changes(arrivals, args.tail)))
    if not told:
        print("gridsentry: the recording holds nothing that anybody is sent for", file=sys.stderr)
        return 0
    city = moved(city, starts)
    found = [
        played(name, router, city, told, rains, seed=args.seed, after=args.after)
        for name, router in policies.items()
    ]
    if args.json:
        for outcome in found:
            print(msgspec.json.encode(outcome).decode())
    else:
        _show(found)
    return 0


def policy(text: str, settings: RouterSettings) -> RouterSettings:
    """The router settings that a policy's name or file means; what a file does not say is as in
    `settings`. Raises Wrong."""
    if text in NAMED:
        return msgspec.convert({**msgspec.to_builtins(settings), "policy": text}, type(settings))
    path = Path(text)
    if not path.is_file():
        raise Wrong(f"--policy {text}", "is no policy and no file", f"{', '.join(NAMED)}, FILE")
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Wrong(text, f"cannot be read as TOML ({error})") from error
    own = raw.get("router", raw)
    try:
        return msgspec.convert({**msgspec.to_builtins(settings), **own}, type(settings))
    except (msgspec.ValidationError, TypeError) as error:
        raise Wrong(text, f"{error}", "[router] in docs/generated/configuration.md") from error


def events(changes: Iterable[Any]) -> Iterator[Told]:
    """The events among changes, with when each revision became known."""
    from contracts.event import Event

    for change in changes:
        body = getattr(change, "body", None)
        if isinstance(body, Event):
            yield change.known_at, body


def _starts(arrivals: Iterable[Arrival], city: City, starts: dict[str, Point]) -> Iterator[Arrival]:
    """The arrivals; on the way the first position of each worker is noted in `starts`."""
    from contracts.nouns import Position
    from ingest.decoder import NativeDecoder

    decoder = NativeDecoder(city.devices, city.workers)
    for arrival in arrivals:
        if arrival.topic.startswith(POSITIONS):
            for noun in decoder.decode(arrival):
                if isinstance(noun, Position):
                    starts.setdefault(noun.worker, noun.point)
        yield arrival


def moved(city: City, starts: Mapping[str, Point]) -> City:
    """The city with its workers where they were first seen."""
    workers = {
        id_: msgspec.structs.replace(worker, point=starts.get(id_, worker.point))
        for id_, worker in city.workers.items()
    }
    return msgspec.structs.replace(city, workers=workers)


def played(
    name: str,
    settings: RouterSettings,
    city: City,
    told: Sequence[Told],
    rains: Sequence[Rain] = (),
    *,
    seed: int,
    after: timedelta,
) -> Outcome:
    """The recorded events and rain under one policy, until `after` the last of the events."""
    from router.engine import GridRouter
    from simulators.duty.recorded import Recorded

    until = max(at for at, _ in told) + after
    night = Recorded(GridRouter(city, settings), city, told, seed=seed, rains=rains)
    journal = night.run(until)
    tickets = [t for t in night.tickets.values() if t.parent is None]
    kinds = sorted({t.kind for t in tickets})
    groups = {kind: _group([t for t in tickets if t.kind == kind], night, until) for kind in kinds}
    groups["all"] = msgspec.structs.replace(_group(tickets, night, until), km=journal.metres / 1000)
    return Outcome(policy=name, seed=seed, until=until, refused=len(journal.refused), groups=groups)


def _group(tickets: Sequence[Ticket], night: Recorded, until: datetime) -> Group:
    accepted, accept = _times(tickets, "accepted", until)
    reached, arrive = _times(tickets, "arrived", until)
    return Group(
        tickets=len(tickets),
        accepted=accepted,
        accept_median_s=_quantile(accept, 0.5),
        accept_p90_s=_quantile(accept, 0.9),
        reached=reached,
        arrive_median_s=_quantile(arrive, 0.5),
        arrive_p90_s=_quantile(arrive, 0.9),
        closed=sum(t.stage in ("closed", "evaluated") for t in tickets),
        on_time={clock: _kept(tickets, clock, until) for clock in CLOCKS},
        resent=sum(max(0, len(night.went.get(t.id, ())) - 1) for t in tickets),
        escalations=sum(s.change == "escalated" for t in tickets for s in t.timeline),
    )


def _times(tickets: Sequence[Ticket], change: str, until: datetime) -> tuple[int, list[float]]:
    """(how many got there, seconds from opening); those still open wait until the end, those that
    ended without it (withdrawn) are left out."""
    from contracts.kinds import OPEN_STAGES

    got, waits = 0, []
    for ticket in tickets:
        at = next((s.at for s in ticket.timeline if s.change == change), None)
        if at is not None:
            got += 1
        elif ticket.stage not in OPEN_STAGES:
            continue
        waits.append(((at or until) - ticket.opened_at).total_seconds())
    return got, waits


def _kept(tickets: Sequence[Ticket], clock: str, until: datetime) -> tuple[int, int]:
    """(kept, kept or missed): a clock that was stopped once too late is missed, and so is one that
    still runs past its time."""
    from contracts.kinds import OPEN_STAGES

    kept = judged = 0
    for ticket in tickets:
        entry = ticket.reason.get("clocks", {}).get(clock)
        due: datetime | None = getattr(ticket.deadlines, clock)
        if entry is not None and entry["due"] is not None:
            judged += 1
            kept += not entry["late"]
        elif entry is None and due is not None and due < until and ticket.stage in OPEN_STAGES:
            judged += 1
    return kept, judged


def _quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that so large a share does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def _show(found: Sequence[Outcome]) -> None:
    from rich.columns import Columns
    from rich.console import Console
    from rich.table import Table

    tables = []
    for outcome in found:
        title = f"{outcome.policy} (seed {outcome.seed})"
        if outcome.refused:
            title += f", {outcome.refused} commands refused"
        table = Table(title=title)
        heads = (
            *("kind", "tickets", "accepted\nmedian/P90", "arrived\nmedian/P90"),
            *("on time: accept\narrive, dispose", "closed", "re-sent", "escal.", "km"),
        )
        for head in heads:
            table.add_column(head, justify="left" if head == "kind" else "right", no_wrap=True)
        for kind, group in outcome.groups.items():
            if kind == "all":
                table.add_section()
            clocks = (group.on_time[clock] for clock in CLOCKS[:3])
            table.add_row(
                kind, str(group.tickets), _pair(group.accept_median_s, group.accept_p90_s),
                _pair(group.arrive_median_s, group.arrive_p90_s),
                " ".join("–" if not of else f"{kept / of:.0%}" for kept, of in clocks),
                str(group.closed), str(group.resent), str(group.escalations),
                "" if group.km is None else f"{group.km:.1f}",
            )  # fmt: skip
        tables.append(table)
    console = Console(width=None if sys.stdout.isatty() else 240)
    console.print(Columns(tables))
    console.print("times in minutes from opening", highlight=False)


def _pair(median: float | None, p90: float | None) -> str:
    return "–" if median is None or p90 is None else f"{median / 60:.1f} / {p90 / 60:.1f}"
