"""`gridsentry notify`: send every target outside one message, to see that it arrives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
a target is a table of the configuration:

  [[notify.targets]]
  name = "duty-group"                 # DingTalk, WeCom, Feishu, mail, …: any address of Apprise
  url = "dingtalk://SECRET@TOKEN"
  to = ["grid:g1", "role:street_center"]
  quiet = "22:00-07:00"               # what is less urgent than quiet_below waits

  [[notify.targets]]
  name = "power"
  how = "webhook"                     # the CloudEvent itself, signed (Standard Webhooks)
  url = "https://dispatch.example.cn/gridsentry"
  secret = "at least sixteen characters"
  to = ["utility:power"]

examples:
  gridsentry notify --config gridsentry.toml            tests every target
  gridsentry notify --config gridsentry.toml power      tests this one
"""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    import argparse as ap

    p = subparsers.add_parser(
        "notify",
        help="send a test message to the targets outside (webhooks, messengers)",
        description="Sends each target of [notify] one message that says it is a test, and tells "
        "what became of it. Exit code 1 when one did not take it.",
        epilog=EXAMPLES,
        formatter_class=ap.RawDescriptionHelpFormatter,
    )
    p.add_argument("--config", type=Path, required=True, help="the configuration file")
    p.add_argument("names", nargs="*", metavar="NAME", help="only these targets")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Send and tell."""
    import asyncio

    from rich.console import Console

    from center.notify.settings import check
    from center.notify.trial import trial
    from contracts.clock import SystemClock
    from contracts.errors import Wrong
    from gridsentry.city.load import read_city
    from gridsentry.config import load

    settings = load(args.config)
    city = read_city(Path(settings.service.city)).city
    check(settings.notify, city)
    known = {target.name: target for target in settings.notify.targets}
    for name in args.names:
        if name not in known:
            raise Wrong("NAME", repr(name), ", ".join(known) or "none is configured")
    chosen = [known[name] for name in args.names] or list(known.values())
    console = Console()
    if not chosen:
        console.print("no target is configured; gridsentry notify --help shows how one looks")
        return 0
    failed = 0
    for target in chosen:
        fault = asyncio.run(trial(target, settings.notify.timeout_s, city, SystemClock()))
        failed += fault is not None
        console.print(f"{target.name}: " + ("taken" if fault is None else f"NOT taken: {fault}"))
    return 1 if failed else 0
