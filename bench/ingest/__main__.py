"""`python -m bench.ingest`: how fast, next to what somebody would pick instead. Asserts nothing.

`--help` says what the parts are; `make bench QUICK=1` is a minute or two's worth.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from bench.ingest import latency, load, machine, report
from bench.ingest.figures import figures_of
from bench.ingest.parts import BATCHED_READINGS, Bench
from bench.ingest.plan import PARTS, Plan, plan_from
from bench.ingest.results import Results
from bench.ingest.stage import ROOT, Stage

WIDTH = 150
"""Of the table where nobody looks on."""


def about(stage: Stage, plan: Plan, results: Results) -> dict[str, Any]:
    """Where and how it was measured."""
    told: dict[str, Any] = {
        **machine.versions(),
        "broker": "Mosquitto, as shipped",
        "database": "PostgreSQL, as shipped: fsync and synchronous_commit on, for everybody",
        "core of the service and of each reference": stage.core,
        "cores of broker, database and publisher": sorted(stage.others),
        "highest load average (1 min) at the end of a run": round(results.load_most, 2),
        "backlog": f"{plan.messages:,} messages of {load.BYTES} bytes, QoS 1, 1,000 sensors; "
        f"{plan.batched:,} of {BATCHED_READINGS} readings; {plan.backlog:,} for the memory",
        "tickets timed": f"{plan.floods} a run at {latency.RATE:,} messages/s",
    }
    if results.failed:
        told["did not come to its end"] = "; ".join(results.failed)
    if results.missing:
        told["not installed"] = "; ".join(results.missing)
    if machine.load() > (os.cpu_count() or 1) * 1.5:
        told["beware"] = "this machine does other work: ratios may hold, figures do not"
    return told


def place(plan: Plan) -> Path:
    """Where the JSON goes: all parts in one file, some in one of their own."""
    if plan.out is not None:
        return plan.out.absolute()
    name = "ingest" if plan.only == PARTS else f"ingest-{'-'.join(plan.only)}"
    return ROOT / "build" / "bench" / f"{name}.json"


def main(arguments: list[str]) -> int:
    """Measure, print, write."""
    plan = plan_from(dict(os.environ), arguments)
    # Broker, database and service have sessions of their own: they end when the stage is left.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with tempfile.TemporaryDirectory(prefix="gs-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # as root, the database runs as another user
        with Stage(Path(folder)) as stage, Progress(*columns, console=console) as progress:
            bench = Bench(stage, plan, progress)
            bench.run()
        results = bench.results
        told = about(stage, plan, results)
        figures = figures_of(results, plan)
        log = Path(folder) / "service.log"
        if results.failed and log.exists():
            console.print(log.read_text(errors="replace")[-3000:], markup=False)
    report.show(figures, told, console)
    out = place(plan)
    runs = {} if results.soak is None else {"soak": msgspec.to_builtins(results.soak)}
    report.write(figures, told, out, runs)
    shown = out.relative_to(ROOT) if out.is_relative_to(ROOT) else out
    console.print(f"written to {shown}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
