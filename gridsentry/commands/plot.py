"""`gridsentry plot`: the chart of a water or a line incident as a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.errors import Permanent, Wrong
from gridsentry.database import database

if TYPE_CHECKING:
    import argparse

    from contracts.ports import What
    from gridsentry.config import Settings

EPILOG = """\
examples:
  gridsentry plot t-0f3a… --config gridsentry.toml          from the service's database, to ID.svg
  gridsentry plot e-91bc… -o flood.svg --lang en            an event, in English
  gridsentry plot i-77aa… --url http://127.0.0.1:8080       from a running service
                                                            (token: GRIDSENTRY_TOKEN)
  gridsentry plot t-0f3a… -o - | rsvg-convert -o flood.png  as a picture of pixels

Water: level with its lines and rim, the forecast's fan, rain, the sensors up- and downstream, the
alarm. A severed cable: the line on the map with the probability by span, what each monitor saw, the
point with its error, the voltages of the nearest monitors around the moment. A broken fibre: the
cable on the map, the trace over its baseline with the break marked.
"""
KINDS: tuple[What, ...] = ("tickets", "incidents", "events")


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    import argparse

    p = subparsers.add_parser(
        "plot",
        help="draw a water or a line incident: its curves, or the line on the map",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("id", help="a ticket's, an incident's or an event's id")
    p.add_argument("-o", "--out", help="file (.svg), or - for standard output (default: ID.svg)")
    p.add_argument("--url", help="ask a running service instead of its database")
    p.add_argument("--config", type=Path, help="configuration file (TOML)")
    p.add_argument("--width", type=int, default=960, help="pixels (default 960)")
    p.add_argument("--lang", choices=("zh", "en"), default="zh", help="language (default zh)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draw it."""
    out = args.out or f"{args.id}.svg"
    if out != "-" and Path(out).suffix.lower() != ".svg":
        raise Wrong(
            "--out", repr(out), "a name that ends in .svg (a browser, Inkscape or rsvg-convert "
            "makes a picture of pixels of it), or - for standard output",
        )  # fmt: skip
    if not 320 <= args.width <= 2000:
        raise Wrong("--width", str(args.width), "320 to 2000")
    if args.url is not None:
        svg = _asked(args.url, args.id, args.width, args.lang)
    else:
        from gridsentry import config

        svg = _drawn(config.load(args.config), args.id, args.width, args.lang)
    if out == "-":
        sys.stdout.write(svg)
    else:
        Path(out).write_text(svg, encoding="utf-8")
        print(out)
    return 0


def _asked(url: str, id_: str, width: int, lang: str) -> str:
    """From a running service."""
    import json
    from urllib.error import HTTPError, URLError
    from urllib.parse import quote, urlsplit
    from urllib.request import Request, urlopen

    if urlsplit(url).scheme not in ("http", "https"):
        raise Wrong("--url", repr(url), "http://… or https://…")
    token = os.environ.get("GRIDSENTRY_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    for what in KINDS:
        path = f"/api/v1/{what}/{quote(id_, safe='')}/plot.svg?width={width}&lang={lang}"
        try:
            asked = Request(url.rstrip("/") + path, headers=headers)
            with urlopen(asked, timeout=30) as answer:
                body: bytes = answer.read()
                return body.decode()
        except HTTPError as error:
            told = json.loads(error.read() or b"{}")
            if told.get("error") == "not_found":
                continue
            reason = told.get("reason", error.reason)
            raise Permanent("plot_refused", f"{url}: {error.code}, {reason}") from error
        except URLError as error:
            raise Permanent("no_service", f"{url} does not answer: {error.reason}") from error
    raise _unknown(id_)


def _drawn(settings: Settings, id_: str, width: int, lang: str) -> str:
    """From the service's database."""
    import asyncio

    from center.neighbours import Drains
    from center.plot import plotted
    from center.problems import Problem
    from center.sheet import Language
    from contracts.clock import SystemClock
    from gridsentry.city import load_city
    from store.desk import PgDesk

    city = load_city(Path(settings.service.city))
    language: Language = "zh" if lang == "zh" else "en"

    async def draw(dsn: str) -> str:
        desk = PgDesk(dsn, settings.store)
        await desk.open()
        try:
            for what in KINDS:
                if await desk.get(what, id_) is not None:
                    return await plotted(
                        desk, city, Drains(city), what, id_, now=SystemClock().now(),
                        width=width, language=language,
                    )  # fmt: skip
        except Problem as problem:
            raise Permanent(problem.code, problem.reason) from problem
        finally:
            await desk.close()
        raise _unknown(id_)

    with database(settings) as dsn:
        return asyncio.run(draw(dsn))


def _unknown(id_: str) -> Permanent:
    return Permanent("not_found", f"there is no ticket, incident or event {id_!r}")
