"""`python -m bench.center`: how fast the command center is for those who look at it.

A city with 106,000 grids, 20,000 devices and 5,000 open tickets in a real PostgreSQL; the center as
its own process; a real Chromium. Asserts nothing, writes build/score/center.json.

RUNS=7    visits of the desk (QUICK=1: 3, and fewer of everything)
ONLY=desk,map,stream,grids    some parts of it
SEED=7    another city
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import IO, TYPE_CHECKING

import msgspec
from rich.console import Console

from bench._common import figure
from bench._common.figure import Figure
from bench._common.stats import quantile
from bench.center import screen
from bench.center.stage import ROOT, Stage
from bench.center.town import Sizes, Town
from bench.ingest import machine
from contracts.clock import epoch_ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

OUT = ROOT / "build" / "score" / "center.json"
VIEWS = (
    ("the whole city", 0.5, 11.0),
    ("a district", 0.17, 13.0),
    ("a street", 0.045, 15.0),
    ("a block", 0.012, 17.0),
)
"""What is asked of the grids: (name, width in degrees, zoom), at other places each time."""


class Plan(msgspec.Struct, frozen=True):
    """How much is measured."""

    runs: int = 7
    tickets: int = 30
    listeners: int = 500
    heard: int = 60
    drags: int = 8
    drag_s: float = 3.0
    grids: int = 40
    only: frozenset[str] = frozenset()


def plan_from(environ: Mapping[str, str]) -> Plan:
    """QUICK, RUNS and ONLY."""
    quick = environ.get("QUICK", "") not in ("", "0")
    plan = Plan(runs=3, tickets=8, heard=15, drags=3, drag_s=2.0, grids=10) if quick else Plan()
    only = frozenset(filter(None, environ.get("ONLY", "").split(",")))
    return msgspec.structs.replace(plan, runs=int(environ.get("RUNS", plan.runs)), only=only)


class Bench:
    """Runs the parts one after the other and keeps their figures."""

    def __init__(self, stage: Stage, plan: Plan, console: Console) -> None:
        self._stage, self._plan, self._console = stage, plan, console
        self.figures: list[Figure] = []

    def run(self) -> None:
        """All parts."""
        self._note("center: from its start to its first answer", [self._stage.started_s], "s")
        only = self._plan.only
        with screen.chromium() as browser:
            if not only or "desk" in only:
                self._paints(browser)
            if not only or "map" in only:
                self._map(browser)
        if not only or "stream" in only:
            self._listeners()
        if not only or "grids" in only:
            self._answers()
        self._note("center: resident memory at the end", [self._stage.memory_mib()], "MiB")
        self._note("center: processor time altogether", [self._stage.cpu_s()], "s")

    def _paints(self, browser: Browser) -> None:
        stage, plan = self._stage, self._plan
        self._say("opening the desk")
        url = f"{stage.url}/"
        first = screen.first_paint_ms(browser, url)
        self._note("desk: first useful paint, the first visit after the start", [first], "ms")
        paints = [screen.first_paint_ms(browser, url) for _ in range(plan.runs)]
        self._note(
            "desk: first useful paint (the most urgent tickets), cold browser", paints, "ms",
            aim="<= 1000",
        )  # fmt: skip
        self._say("new tickets")
        with screen.desk(browser, url) as page:
            page.wait_for_timeout(3000)
            shown = screen.new_tickets_ms(page, stage.open_ticket, plan.tickets, stage.clock)
        self._note("desk: commit of a ticket to it on screen", shown, "ms", aim="<= 200")
        self._note("  the slowest twentieth", shown, "ms", share=0.95, aim="<= 200")

    def _map(self, browser: Browser) -> None:
        plan = self._plan
        self._say("panning the map")
        with screen.desk(browser, f"{self._stage.url}/") as page:
            page.wait_for_timeout(5000)  # grids and devices are there
            for name, zooms in (("the whole city", 0), ("zoomed in four times", 4)):
                for _ in range(zooms):
                    page.locator('#map [data-do="in"]').click()
                    page.wait_for_timeout(800)
                rates, times = [], list[float]()
                for _ in range(plan.drags):
                    rate, more = screen.panning(page, plan.drag_s, self._stage.clock)
                    rates.append(rate)
                    times += more
                    page.wait_for_timeout(400)
                about = f"map, 20,000 devices, {name}"
                self._note(f"{about}: frames per second while panning", rates, "", aim="> 30")
                self._note("  the slowest twentieth of frames", times, "ms", share=0.95)

    def _listeners(self) -> None:
        stage, plan = self._stage, self._plan
        self._say(f"{plan.listeners} listeners")
        before, began = stage.cpu_s(), perf_counter()
        committed: dict[str, float] = {}
        with listening(stage.url, plan.listeners) as (said, process):
            for _ in range(plan.heard):
                id_, at = stage.open_ticket()
                committed[id_] = epoch_ms(at)
                stage.clock.sleep(0.5)
            stage.clock.sleep(2.0)
            assert process.stdin is not None
            process.stdin.close()
            heard: dict[str, list[float]] = json.loads(said.read())
        used = (stage.cpu_s() - before) / (perf_counter() - began)
        delays = [at - then for id_, then in committed.items() for at in heard.get(id_, ())]
        wanted = plan.listeners * plan.heard
        name = f"stream: commit to listener, {plan.listeners} listeners"
        self._note(name, delays, "ms")
        self._note("  99th percentile", delays, "ms", share=0.99, aim="<= 500")
        self._note("  changes that did not come", [float(wanted - len(delays))], "", aim="<= 0")
        self._note("  processor time of the center", [100 * used], "% of a core")

    def _answers(self) -> None:
        self._say("grids by viewport")
        for name, wide, zoom in VIEWS:
            times = []
            for i in range(self._plan.grids):
                west = 120.0 + (wide * 0.61 * i) % 0.5
                south = 30.05 + (wide * 0.37 * i) % 0.4
                box = f"{west:.5f},{south:.5f},{west + wide:.5f},{south + wide * 0.55:.5f}"
                began = perf_counter()
                self._stage.get(f"/api/v1/grids?bbox={box}&zoom={zoom}")
                times.append(1000 * (perf_counter() - began))
            self._note(f"grids of {name}", times, "ms", aim="<= 50")

    def _note(
        self, name: str, values: list[float], unit: str, *, share: float = 0.5,
        aim: str | None = None,
    ) -> None:  # fmt: skip
        said = f"{name}, {unit}" if unit else name
        if len(values) == 1:
            told: figure.Told | None = (values[0], None)
        elif share == 0.5 and values:
            interval = quantile(values, share)
            told = (median(values), interval[1] if interval else None)
        else:
            told = quantile(values, share)
        reference = f"{min(values):.0f} to {max(values):.0f}" if len(values) > 1 else None
        self.figures.append(figure.figure(said, told, len(values), aim, reference))
        self._console.print(f"  {said}: {figure.shown(self.figures[-1].value)}", highlight=False)

    def _say(self, text: str) -> None:
        self._console.print(f"[dim]{text} (load {machine.load():.1f})[/dim]")


@contextmanager
def listening(url: str, count: int) -> Iterator[tuple[IO[str], subprocess.Popen[str]]]:
    """The listeners' process, connected; its output."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.center.listeners", url, str(count)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise SystemExit("the listeners could not connect")
        yield process.stdout, process
        process.wait(30)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def main() -> int:
    """Always 0: it measures."""
    # Told to stop, it takes down what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console()
    plan = plan_from(os.environ)
    town = Town(Sizes(), int(os.environ.get("SEED", "7")))
    with (
        tempfile.TemporaryDirectory(prefix="gs-center-") as folder,
        Stage(Path(folder), town, lambda text: console.print(f"[dim]{text}[/dim]")) as stage,
    ):
        bench = Bench(stage, plan, console)
        bench.run()
    figure.show(bench.figures, console, "The command center, for those who look at it")
    console.print(f"load of the machine at the end: {machine.load():.1f}; {machine.processor()}")
    figure.write(bench.figures, OUT)
    console.print(f"written to {OUT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
