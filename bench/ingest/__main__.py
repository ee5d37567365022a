"""`python -m bench.ingest`: how fast, next to what only takes the messages. Asserts nothing.

QUICK=1   one short run
RUNS=5    runs of each part
MESSAGES= size of the backlog of single readings
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench.ingest import latency, load, machine, references, report
from bench.ingest.drain import Drained, drain
from bench.ingest.pour import Pourer
from bench.ingest.references import Taken
from bench.ingest.stage import ROOT, Stage
from contracts.clock import epoch_ms

BATCHED_READINGS = load.ELEMENTS * len(load.METRICS)


class Plan(msgspec.Struct):
    """How much is measured."""

    runs: int
    messages: int
    batched: int
    floods: int


class Results(msgspec.Struct):
    """What the runs gave."""

    single: list[Drained] = []
    batched: list[Drained] = []
    paho_311: list[Taken] = []
    paho_5: list[Taken] = []
    mosquitto_sub: list[Taken] = []
    latency: list[latency.Latency] = []
    failed: int = 0
    load_most: float = 0.0


def plan_from(environ: dict[str, str]) -> Plan:
    """QUICK, RUNS and MESSAGES."""
    quick = environ.get("QUICK", "") not in ("", "0")
    runs = int(environ.get("RUNS", "1" if quick else "5"))
    messages = int(environ.get("MESSAGES", "40000" if quick else "200000"))
    return Plan(
        runs=runs,
        messages=messages,
        batched=max(messages // 40, 500),
        floods=50 if quick else min(60, load.DEVICES // 2 // runs),
    )


class Bench:
    """Runs the parts one after the other on one stage."""

    def __init__(self, stage: Stage, plan: Plan, progress: Progress) -> None:
        self._stage = stage
        self._plan = plan
        self._progress = progress
        # Device time: each backlog takes up where the last ended, so that no reading comes twice.
        self._device_ms = epoch_ms(stage.clock.now()) - 6 * 86_400_000
        self.results = Results()

    def run(self) -> None:
        """All runs of all parts."""
        plan = self._plan
        self._stage.subscribe()
        references.subscribe(self._stage)
        for n in range(plan.runs):
            self._singles(f"run {n + 1}/{plan.runs}")
            self._noted()
        references.forget(self._stage)
        for n in range(plan.runs):
            self._batches(f"run {n + 1}/{plan.runs}")
            self._noted()
        for n in range(plan.runs):
            name = f"run {n + 1}/{plan.runs}  flood to ticket"
            self.results.latency.append(self._timed_floods(name, n))
            self._noted()

    def _noted(self) -> None:
        self.results.load_most = max(self.results.load_most, machine.load())

    def _singles(self, run: str) -> None:
        stage, results, count = self._stage, self.results, self._plan.messages
        self._pour(f"{run}  filling the broker", count, batched=False)
        with self._bar(f"{run}  bare paho, 3.1.1", None):
            results.paho_311.append(references.paho_reference(stage, "3.1.1", count))
        with self._bar(f"{run}  bare paho, 5", None):
            results.paho_5.append(references.paho_reference(stage, "5", count))
        with self._bar(f"{run}  mosquitto_sub", None):
            taken = references.mosquitto_sub_reference(stage, count)
        if taken is not None:
            results.mosquitto_sub.append(taken)
        self._drain(f"{run}  service, single readings", count, count, results.single)

    def _batches(self, run: str) -> None:
        count = self._plan.batched
        self._pour(f"{run}  filling the broker, 100 readings each", count, batched=True)
        readings = count * BATCHED_READINGS
        self._drain(f"{run}  service, 100 readings each", count, readings, self.results.batched)

    def _pour(self, name: str, count: int, *, batched: bool) -> None:
        make = load.batched if batched else load.singles
        messages = make(count, self._device_ms)
        per_message = load.ELEMENTS if batched else 1
        self._device_ms += 1000 * load.span_s(count, per_message=per_message)
        with (
            self._bar(name, count) as bar,
            Pourer(self._stage.host, self._stage.port, "bench-pour") as pourer,
        ):
            pourer.pour(messages, bar.told)

    def _drain(self, name: str, messages: int, readings: int, into: list[Drained]) -> None:
        with self._bar(name, readings) as bar:
            drained = drain(self._stage, messages, readings, bar.told)
        if drained is None:
            self.results.failed += 1
        else:
            into.append(drained)

    def _timed_floods(self, name: str, run: int) -> latency.Latency:
        flooded = latency.streets(run, self._plan.floods)
        with self._bar(name, self._plan.floods) as bar:
            return latency.measure(self._stage, flooded, bar.told)

    def _bar(self, name: str, total: int | None) -> _Bar:
        return _Bar(self._progress, name, total)


class _Bar:
    """One line of progress."""

    def __init__(self, progress: Progress, name: str, total: int | None) -> None:
        self._progress = progress
        self._total = total
        self._task = progress.add_task(name, total=total)

    def told(self, done: int) -> None:
        """So much is done."""
        self._progress.update(self._task, completed=done)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.update(self._task, total=self._total or 1, completed=self._total or 1)
        self._progress.stop_task(self._task)


def figures_of(results: Results) -> list[report.Figure]:
    """The table's lines."""
    figure = report.figure
    single, batched = results.single, results.batched
    fast = [max(a, b) for a, b in zip(
        [t.messages_per_s for t in results.paho_311],
        [t.messages_per_s for t in results.paho_5], strict=True)]  # fmt: skip
    ratio = [d.messages_per_s / f for d, f in zip(single, fast, strict=False)]
    cheap = [min(a.us, b.us) for a, b in zip(results.paho_311, results.paho_5, strict=True)]
    cpu_ratio = [c / d.service_us for d, c in zip(single, cheap, strict=False)]
    out = [
        figure("single readings: messages", [d.messages_per_s for d in single], "1/s"),
        figure("  CPU: service", [d.service_us for d in single], "µs/message"),
        figure("  CPU: broker", [d.broker_us for d in single], "µs/message"),
        figure("  CPU: database", [d.database_us for d in single], "µs/message"),
        figure("  of its core, the service used", [d.share_of_core for d in single]),
        figure(
            "  speed, of the faster bare paho",
            ratio,
            aim=">= 0.50",
            reference="bare paho, acknowledged per 500",
        ),
        figure("  CPU: bare paho's, of the service's", cpu_ratio),
    ]
    for name, taken in (
        ("bare paho, MQTT 3.1.1", results.paho_311),
        ("bare paho, MQTT 5", results.paho_5),
        ("mosquitto_sub", results.mosquitto_sub),
    ):
        out.append(figure(f"{name}: messages", [t.messages_per_s for t in taken], "1/s"))
        out.append(figure("  its CPU", [t.us for t in taken], "µs/message"))
    per = BATCHED_READINGS
    out += [
        figure(
            "100 in a message: readings",
            [d.readings_per_s for d in batched],
            "1/s",
            aim=">= 100,000",
        ),
        figure("  CPU: service", [d.service_us / per for d in batched], "µs/reading"),
        figure("  CPU: broker", [d.broker_us / per for d in batched], "µs/reading"),
        figure("  CPU: database", [d.database_us / per for d in batched], "µs/reading"),
        figure("  of its core, the service used", [d.share_of_core for d in batched]),
    ]
    runs = [r for r in results.latency if r.seconds]
    for name, share, aim in (("p50", 0.50, "<= 40"), ("p99", 0.99, "<= 120")):
        values = [report.percentile(r.seconds, share) * 1000 for r in runs]
        told = figure(f"flood to ticket on screen, {name}", values, "ms", aim=aim)
        if runs:  # of all tickets together: sixty of one run have no hundredth part
            together = [took for run in runs for took in run.seconds]
            told = msgspec.structs.replace(told, value=report.percentile(together, share) * 1000)
        out.append(told)
    out.append(figure("  longest", [max(r.seconds) * 1000 for r in runs], "ms"))
    out.append(figure("  tickets not seen", [float(r.missing) for r in results.latency]))
    out.append(figure("  of its core, the service used", [r.service_share for r in runs]))
    return out


def about(stage: Stage, plan: Plan, results: Results) -> dict[str, Any]:
    """Where and how it was measured."""
    return {
        **machine.versions(),
        "broker": "Mosquitto, as shipped",
        "core of the service and of each reference": stage.core,
        "cores of broker, database and publisher": sorted(stage.others),
        "highest load average (1 min) at the end of a run": round(results.load_most, 2),
        "backlog": f"{plan.messages:,} messages of {load.BYTES} bytes, QoS 1, 1,000 sensors; "
        f"{plan.batched:,} of {BATCHED_READINGS} readings",
        "tickets timed": f"{plan.floods} a run at {latency.RATE:,} messages/s",
        "runs that did not finish": results.failed,
    }


def main() -> int:
    """Measure, print, write `build/bench/ingest.json`."""
    plan = plan_from(dict(os.environ))
    console = Console(width=None if sys.stdout.isatty() else 110)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}"),
        TimeElapsedColumn(),
    )
    with tempfile.TemporaryDirectory(prefix="gs-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # as root, the database runs as another user
        with Stage(Path(folder)) as stage, Progress(*columns, console=console) as progress:
            bench = Bench(stage, plan, progress)
            bench.run()
        told = about(stage, plan, bench.results)
        figures = figures_of(bench.results)
        if bench.results.failed:
            console.print((Path(folder) / "service.log").read_text()[-3000:], markup=False)
    report.show(figures, told, console)
    out = ROOT / "build" / "bench" / "ingest.json"
    report.write(figures, told, out)
    console.print(f"written to {out.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
