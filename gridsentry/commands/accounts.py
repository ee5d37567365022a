"""`gridsentry accounts`: the first administrator, and what to do when nobody can log in."""

from __future__ import annotations

import asyncio
import getpass
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from contracts.errors import Permanent, Wrong

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from center.accounts.book import Book
    from center.accounts.login import Logins
    from contracts.accounts import Account
    from gridsentry.config import Settings

EPILOG = """\
The first account closes the center: from then on people log in, also on this machine (a center
that runs notices within a second). Passwords are asked on the terminal; --generate makes one up,
shows it once, and it must be changed at the first login.

roles: viewer (sees), reporter and resident (report), worker (their own tickets), utility (its own
tickets), operator (acts), head (also supervises), admin (also accounts, devices, settings)

examples:
  gridsentry accounts add li.wei --role admin --config gridsentry.toml
  gridsentry accounts add desk2 --role operator --grids street-3,street-4 --generate
  gridsentry accounts add w17 --role worker --worker w-17 --generate
  gridsentry accounts list
  gridsentry accounts reset li.wei          a new password; logged out everywhere
  gridsentry accounts disable desk2         logged out everywhere, cannot log in
"""
PAGE = 200


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    import argparse

    from center.settings import Role

    p = subparsers.add_parser(
        "accounts",
        help="who logs in: the first administrator, new passwords, disabling",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = p.add_subparsers(dest="what", metavar="WHAT", required=True)
    add = what.add_parser("add", help="a new account")
    add.add_argument("--role", choices=get_args(Role), required=True, help="what they are")
    add.add_argument("--grids", default="", help="ids of grids, by comma: their part of the city")
    add.add_argument("--worker", help="with the role worker: the id in workers.csv")
    add.add_argument("--utility", help="with the role utility: the id in utilities.csv")
    add.add_argument("--display-zh", default="", help="what people call them, Chinese")
    add.add_argument("--display-en", default="", help="the same, English")
    add.add_argument("--originals", action="store_true", help="may open unblurred originals")
    reset = what.add_parser("reset", help="a new password; all sessions are over")
    disable = what.add_parser("disable", help="no more login; all sessions are over")
    enable = what.add_parser("enable", help="login again")
    listed = what.add_parser("list", help="all accounts")
    listed.add_argument("--json", action="store_true", help="one JSON line each")
    for one in (add, reset):
        secret = one.add_mutually_exclusive_group()
        secret.add_argument("--generate", action="store_true", help="make one up, show it once")
        secret.add_argument("--stdin", action="store_true", help="the password is a line of input")
    for one in (add, reset, disable, enable):
        one.add_argument("name", help="what they log in with")
    for one in (add, reset, disable, enable, listed):
        one.add_argument("--config", type=Path, help="configuration file (TOML)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do what was asked."""
    from center.problems import Problem
    from gridsentry import config

    settings = config.load(args.config)
    try:
        return asyncio.run(_run(args, settings))
    except Problem as problem:
        raise Wrong(problem.path or f"accounts {args.what}", "refused", problem.reason) from problem


async def _run(args: argparse.Namespace, settings: Settings) -> int:
    async with _book(settings) as (logins, book):
        if args.what == "list":
            return await _list(logins, as_json=args.json)
        if args.what == "add":
            return await _add(args, logins, book)
        account = await logins.store.account_named(args.name.strip().lower())
        if account is None:
            raise Permanent("no_account", f"there is no account {args.name!r}")
        return await _change(args, logins, book, account)


async def _add(args: argparse.Namespace, logins: Logins, book: Book) -> int:
    from center.accounts.book import NewAccount
    from center.accounts.login import clean_name

    password = _password(args, logins, clean_name(args.name))
    new = NewAccount(
        name=args.name, role=args.role, display_zh=args.display_zh, display_en=args.display_en,
        grids=tuple(g for g in args.grids.split(",") if g), worker=args.worker,
        utility=args.utility, originals=args.originals, password=password,
    )  # fmt: skip
    account, made = await book.add(new, must_change=password is None)
    print(f"account {account.name} ({account.role}) added")
    _tell(made)
    return 0


async def _change(args: argparse.Namespace, logins: Logins, book: Book, account: Account) -> int:
    from center.accounts.book import Changes

    if args.what == "reset":
        password = _password(args, logins, account.name)
        made = await book.reset(account, password)
        print(f"account {account.name} has a new password and is logged out everywhere")
        _tell(made if password is None else None)
        return 0
    disabled = args.what == "disable"
    await book.change(account, Changes(disabled=disabled))
    told = "is disabled and logged out everywhere" if disabled else "may log in again"
    print(f"account {account.name} {told}")
    return 0


async def _list(logins: Logins, *, as_json: bool) -> int:
    found: list[Account] = []
    while page := await logins.store.accounts(found[-1].name if found else "", PAGE):
        found += page
    if as_json:
        for account in found:
            shown = msgspec.to_builtins(account)
            has = shown.pop("password") is not None
            print(msgspec.json.encode({**shown, "has_password": has}).decode())
        return 0
    if not found:
        print("no accounts; gridsentry accounts add NAME --role admin", file=sys.stderr)
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for name in ("name", "role", "part of the city", "of", "state", "last seen"):
        table.add_column(name)
    for a in found:
        state = "disabled" if a.disabled else "must change password" if a.must_change else ""
        seen = f"{a.seen_at:%Y-%m-%d %H:%M}Z" if a.seen_at else "never"
        whose = a.worker or a.utility or ("OpenID" if a.subject else "")
        table.add_row(a.name, a.role, ", ".join(a.grids) or "everywhere", whose, state, seen)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    return 0


@asynccontextmanager
async def _book(settings: Settings) -> AsyncIterator[tuple[Logins, Book]]:
    """Accounts of the configured service; an embedded database that does not run is started for
    as long, made where there is none yet, and one of an older version brought up to date."""
    from center.accounts.book import Book
    from center.accounts.login import Logins
    from center.guard import Caller
    from contracts.clock import SystemClock
    from gridsentry.city import load_city
    from gridsentry.database import database
    from store.accounts import PgAccounts
    from store.connect import connect
    from store.desk import PgDesk
    from store.migrate import migrate

    clock = SystemClock()
    city = load_city(Path(settings.service.city))
    with database(settings, make=True) as dsn:
        with connect(dsn, settings.store) as connection:
            migrate(connection, clock.now(), timescale=settings.store.timescale)
        desk = PgDesk(dsn, settings.store)
        await desk.open()
        try:
            logins = Logins(PgAccounts(desk), settings.center.accounts, clock, secure=True)
            caller = Caller(f"command line ({getpass.getuser()})", "admin")
            yield logins, Book(logins, city, caller, "")
        finally:
            await desk.close()


def _password(args: argparse.Namespace, logins: Logins, name: str) -> str | None:
    """The one that was typed or piped; None where one is to be made up. Raises Problem."""
    if args.generate:
        return None
    if args.stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        logins.check_new(password, name)
        return password
    if not sys.stdin.isatty():
        raise Wrong("the terminal", "none", "--generate, or --stdin with the password as a line")
    password = getpass.getpass(f"Password for {name}: ")
    logins.check_new(password, name)
    if getpass.getpass("Once more: ") != password:
        raise Wrong("the second password", "another one", "the same twice")
    return password


def _tell(made: str | None) -> None:
    if made is not None:
        print(f"password: {made}")
        print("shown this once; it must be changed at the first login", file=sys.stderr)
