"""`gridsentry demo`: a whole town on this machine: database, broker, service and simulators."""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import subprocess
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from gridsentry.commands.serve import log_to_stderr, say
from gridsentry.commands.signals import stop_on_signals

if TYPE_CHECKING:
    from gridsentry.config import Settings
    from gridsentry.live.service import Service

PR_SET_PDEATHSIG = 1
PACE = 20.0
"""The demo's people answer and work so many times faster than in life."""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    p = subparsers.add_parser(
        "demo",
        help="a whole simulated town, live, with nothing else needed",
        description="Starts an embedded PostgreSQL, a broker, the service and a simulated town "
        "whose gateways publish by MQTT. Within a minute the page shows a thrown object, a "
        "flooding and a severed cable, each with the worker and the utility it went to. Simulated "
        "people accept them, go there, mend and report, twenty times faster than in life. Ctrl-C "
        "stops everything; the next start takes up where this one was.",
    )
    p.add_argument("--seed", type=int, default=7, help="another town, other incidents (default 7)")
    p.add_argument("--warm", default="6h", help="history before the start (default 6h)")
    p.add_argument("--port", type=int, default=8080, help="port of the page (default 8080)")
    p.add_argument("--state", type=Path, help="folder for the demo's state")
    p.add_argument("--no-crews", action="store_true", help="nobody acts on tickets but you")
    p.add_argument("--no-browser", action="store_true", help="do not open the page")
    p.add_argument("--verbose", action="store_true", help="show the log of all parts")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Everything up, then wait; everything down in order."""
    from gridsentry.live.roles import Roles
    from gridsentry.live.service import Service
    from simulators.town import build, write_city

    halt = stop_on_signals()
    log_to_stderr("INFO" if args.verbose else "WARNING")
    settings = demo_settings(args)
    city = Path(settings.service.city)
    if not (city / "city.toml").is_file():
        say(f"building the town of seed {args.seed}")
        write_city(build(args.seed), city)
    service = Service(settings, Roles(("all",)), say=say)
    town: subprocess.Popen[bytes] | None = None
    try:
        service.start()
        if not halt.is_set():
            town = start_town(args, settings, service)
            say(f"the town is live; the page: {service.url}    (Ctrl-C stops everything)")
            say(f"the wall: {service.url}/wall    a resident's sign: {sign(settings, service)}")
            if not args.no_browser:
                open_page(service.url)
        code = watch(halt, town)
    finally:
        say("stopping: simulators, service, broker, database")
        if town is not None:
            end(town)
        service.stop()
    say("stopped; `make run` takes up where this was")
    return code


def demo_settings(args: argparse.Namespace) -> Settings:
    """Embedded everything, below one folder."""
    from gridsentry import config

    settings = config.load(None)
    state = args.state or config.state_dir(settings) / f"demo-{args.seed}"
    state = state.absolute()
    state.mkdir(parents=True, exist_ok=True)
    replace = msgspec.structs.replace
    return replace(
        settings,
        service=replace(
            settings.service, state_dir=str(state), city=str(state / f"town-{args.seed}")
        ),
        broker=settings.broker
        if settings.broker.embedded != "none"
        else replace(settings.broker, embedded="auto"),
        center=replace(settings.center, port=args.port, cap_status="Exercise"),
    )


def start_town(
    args: argparse.Namespace, settings: Settings, service: Service
) -> subprocess.Popen[bytes]:
    """The simulators as a process of their own: they end with us, but not by our Ctrl-C."""
    state = Path(settings.service.state_dir)
    command = [
        sys.executable, "-m", "gridsentry", "simulate",
        "--broker", f"mqtt://{service.mqtt.host}:{service.mqtt.port}",
        "--seed", str(args.seed), "--warm", args.warm,
        "--truth", str(state / "truth.jsonl"),
    ]  # fmt: skip
    secret: dict[str, str] = {}
    if not args.no_crews and service.url:
        command += ["--crews", service.url, "--set", f"crews_pace={PACE:g}"]
        tokens = [t.token for t in settings.center.tokens if t.role == "operator"]
        secret = {"GRIDSENTRY_TOKEN": tokens[0]} if tokens else {}
    libc = ctypes.CDLL(None)

    def with_us() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    return subprocess.Popen(
        command,
        start_new_session=True,
        preexec_fn=with_us,  # noqa: PLW1509 - one call into libc, no Python locks
        env={**os.environ, **secret},
        stdout=None if args.verbose else subprocess.DEVNULL,
    )


def sign(settings: Settings, service: Service) -> str:
    """Where the code on one of the town's signs leads."""
    from center.pages.resident.codes import Codes
    from center.pages.resident.spots import spots
    from gridsentry.secret import kept_secret

    secret = settings.center.evidence_secret or kept_secret(Path(settings.service.state_dir))
    codes = Codes(service.city, settings.center, secret)
    return f"{service.url}/r/{codes.code(next(spots(service.city)))}"


def watch(halt: Any, town: subprocess.Popen[bytes] | None) -> int:
    """Wait for Ctrl-C; 1 when the simulators ended on their own."""
    while not halt.wait(0.5):
        if town is not None and town.poll() is not None:
            say(f"the simulators ended with code {town.returncode}")
            return 1
    return 0


def end(town: subprocess.Popen[bytes]) -> None:
    """Let the gateways say goodbye; at most 1.5 s."""
    if town.poll() is None:
        town.terminate()
    try:
        town.wait(1.5)
    except subprocess.TimeoutExpired:
        town.kill()
        town.wait()


def open_page(url: str | None) -> None:
    """Open it where there is a screen."""
    if url and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        webbrowser.open(url)
