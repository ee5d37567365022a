"""`gridsentry figures`: rates and times of grids, kinds, departments and workers."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.case import Ticket
from contracts.errors import Wrong
from contracts.ports import Desk, Query

if TYPE_CHECKING:
    import argparse

    from router.figures import Figures

GROUPS = ("grid", "kind", "utility", "worker", "district")
PAGE = 500
EPILOG = """\
on time = closed by their time ÷ (due − deferred); score = the grid's verdict, 1 to 5.

examples:
  gridsentry figures --config gridsentry.toml --by utility --days 30
  gridsentry figures --changes night.jsonl --by kind        what `replay` printed
"""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    import argparse as ap

    p = subparsers.add_parser(
        "figures",
        help="on-time rates, rework, response and satisfaction, by grid, kind, utility or worker",
        epilog=EPILOG,
        formatter_class=ap.RawDescriptionHelpFormatter,
    )
    source = p.add_mutually_exclusive_group(required=True)
    source.add_argument("--config", type=Path, help="of the service whose tickets are counted")
    source.add_argument("--changes", type=Path, help="changes as JSON lines, instead of a service")
    p.add_argument("--by", choices=GROUPS, default="utility", help="one line each (utility)")
    p.add_argument("--days", type=float, help="of the last so many days (default: all there are)")
    p.add_argument("--json", action="store_true", help="one JSON line each")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Count and print."""
    import asyncio

    from contracts.clock import SystemClock
    from router.figures import case_of, figures, league

    if args.changes is not None:
        tickets, until = from_changes(args.changes)
    else:
        tickets, until = asyncio.run(_of_service(args.config)), SystemClock().now()
    cases = [case_of(ticket) for ticket in tickets]
    if not cases:
        print("no tickets", file=sys.stderr)
        return 0
    back = None if args.days is None else timedelta(days=args.days)
    since = min(c.opened_at for c in cases) if back is None else until - back
    table = {**league(cases, args.by, since, until), "total": figures(cases, since, until)}
    if args.json:
        for name, line in table.items():
            print(msgspec.json.encode({args.by: name, **msgspec.to_builtins(line)}).decode())
    else:
        _show(args.by, table)
    return 0


def from_changes(path: Path) -> tuple[list[Ticket], datetime]:
    """The newest revision of every ticket among these changes, and just after the last of them.
    Raises Wrong."""
    if not path.is_file():
        raise Wrong(str(path), "is not there", "JSON lines, as `gridsentry replay` prints them")
    newest: dict[str, dict[str, Any]] = {}
    last = datetime.fromtimestamp(0, UTC)
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            change = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise Wrong(f"{path}, line {number}", f"is no change: {error}") from error
        if known := change.get("known_at"):
            last = max(last, datetime.fromisoformat(str(known)))
        if change.get("type") == "ticket":
            newest[str(change["id"])] = change
    tickets = [_ticket(change, str(path)) for change in newest.values()]
    return tickets, last + timedelta(microseconds=1)


async def all_tickets(desk: Desk) -> AsyncIterator[Ticket]:
    """Every ticket that a desk has, newest first."""
    after: str | None = None
    while True:
        page = await desk.page("tickets", Query(after=after, limit=PAGE))
        for item in page.items:
            yield _ticket(item, "the store")
        after = page.next
        if after is None:
            return


async def _of_service(config: Path) -> list[Ticket]:
    from gridsentry.config import load
    from gridsentry.database import database
    from store.desk import PgDesk

    settings = load(config)
    with database(settings) as dsn:
        desk = PgDesk(dsn, settings.store)
        await desk.open()
        try:
            return [ticket async for ticket in all_tickets(desk)]
        finally:
            await desk.close()


def _ticket(item: Mapping[str, Any], where: str) -> Ticket:
    try:
        return msgspec.convert(item, Ticket, strict=False)
    except msgspec.ValidationError as error:
        raise Wrong(where, f"ticket {item.get('id')} cannot be read: {error}") from error


def _show(by: str, table: Mapping[str, Figures]) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=None)
    for name in (
        *(by, "filed", "due", "deferred", "closed", "on time", "disposed on time", "not done"),
        *("rework", "returned", "response", "disposal", "satisfaction", "score"),
    ):
        shown.add_column(name, justify="left" if name == by else "right")
    for name, line in table.items():
        shown.add_row(
            name,
            str(line.filed),
            str(line.due),
            str(line.deferred),
            str(line.closed),
            *(_rate(r) for r in (line.on_time_rate, line.disposed_on_time_rate)),
            str(line.not_done),
            *(_rate(r) for r in (line.rework_rate, line.return_rate)),
            *(_minutes(s) for s in (line.first_response.mean, line.disposal.mean)),
            *("–" if v is None else f"{v:.2f}" for v in (line.satisfaction, line.score)),
        )
    Console(width=None if sys.stdout.isatty() else 160).print(shown)


def _rate(value: float | None) -> str:
    return "–" if value is None else f"{value:.2%}"


def _minutes(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds / 60:.1f} min"
