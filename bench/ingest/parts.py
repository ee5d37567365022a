"""The parts of the benchmark, one after the other on one stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.progress import Progress

from bench.ingest import burst, latency, load, machine, references, sessions, shards, soak
from bench.ingest.drain import Drained, drain
from bench.ingest.peers import install, node_red, stored
from bench.ingest.plan import Plan
from bench.ingest.pour import Pourer
from bench.ingest.results import Results, Round
from bench.ingest.stage import CLIENT_ID, WRITER, Stage
from contracts.clock import epoch_ms

BATCHED_READINGS: Final = load.ELEMENTS * len(load.METRICS)
OURS: Final = f"{CLIENT_ID}-{WRITER}"
Told = Callable[[int], None]


class Bench:
    """Runs what the plan says."""

    def __init__(self, stage: Stage, plan: Plan, progress: Progress) -> None:
        self._stage = stage
        self._plan = plan
        self._progress = progress
        # Device time, of what the service gets and of what others get: each backlog takes up where
        # the last ended. A reading that came twice would be none, and a gap a sensor that fails.
        self._device_ms = dict.fromkeys((True, False), epoch_ms(stage.clock.now()) - 6 * 86_400_000)
        self._modules: Path | None = None
        self._python: Path | None = None
        self.results = Results()

    def run(self) -> None:
        """All runs of all parts."""
        plan = self._plan
        if plan.has("singles"):
            self._install()
        for n in range(plan.runs):
            run = f"run {n + 1}/{plan.runs}"
            if plan.has("singles"):
                self.results.rounds.append(self._round(run))
            if plan.has("batches"):
                self._batches(run)
            if plan.has("shards"):
                self._shards(run)
            self.results.load_most = max(self.results.load_most, machine.load())
        if plan.has("latency"):
            for n in range(plan.runs):
                self._latency(f"run {n + 1}/{plan.runs}", n)
        if plan.has("burst"):
            for n in range(plan.runs):
                for base in plan.bases:
                    self._burst(f"run {n + 1}/{plan.runs}", base)
        if plan.has("backlog"):
            self._backlog()
        if plan.has("soak"):
            self._soak()
        self.results.load_most = max(self.results.load_most, machine.load())

    # --- single readings ------------------------------------------------------------------------

    def _install(self) -> None:
        with self._bar("installing Node-RED and the other clients", None):
            try:
                self._modules = install.node_red()
            except install.Missing as why:
                self.results.missing.append(f"Node-RED: {why}")
            try:
                self._python = install.python()
            except install.Missing as why:
                self.results.missing.append(f"other clients and frameworks: {why}")

    def _round(self, run: str) -> Round:
        out = Round()
        self._ours(run, out)
        for way in (node_red.INSERT, node_red.BATCHED):
            self._node_red(run, way, out)
        if not self._plan.quick:
            self._ours(run, out)
        for framework in stored.FRAMEWORKS:
            self._framework(run, framework, out)
        for reference in (*references.OWN, *references.OTHERS):
            self._reference(run, reference, out)
        return out

    def _ours(self, run: str, out: Round) -> None:
        count = self._plan.messages
        with self._filled(f"{run}  service", count, OURS, five=True):
            drained = self._drained(f"{run}  service, single readings", count, count)
        if drained is not None:
            out.ours.append(drained)

    def _node_red(self, run: str, way: str, out: Round) -> None:
        if self._modules is None:
            return
        name, count = f"{run}  Node-RED, {way}", self._plan.messages
        with (
            self._filled(name, count, node_red.client_id(way)),
            self._bar(name, count) as told,
        ):
            taken = node_red.drain(self._stage, way, self._modules, count, told)
        if taken is None:
            self.results.failed.append(name)
        else:
            out.stored[way] = taken

    def _framework(self, run: str, which: stored.Framework, out: Round) -> None:
        if self._python is None:
            return
        name, count = f"{run}  {which.name}", self._plan.context

        def fill() -> None:
            self._pour(name, count, ours=False)

        with self._session(which.client_id):
            if which.queues:
                fill()
            with self._bar(name, count) as told:
                taken = stored.drain(which, self._stage, self._python, count, told, fill)
        if taken is None:
            self.results.failed.append(name)
        else:
            out.stored[which.key] = taken

    def _reference(self, run: str, which: references.Reference, out: Round) -> None:
        if which in references.OTHERS and self._python is None:
            return
        name, count = f"{run}  {which.name}", self._plan.messages
        with (
            self._filled(name, count, which.client_id, five=which.five),
            self._bar(name, None),
        ):
            taken = references.take(which, self._stage, count, self._python)
        if taken is not None:
            out.taken[which.key] = taken

    # --- the other parts ------------------------------------------------------------------------

    def _batches(self, run: str) -> None:
        count = self._plan.batched
        name = f"{run}  service, 100 readings each"
        with self._filled(name, count, OURS, five=True, batched=True):
            drained = self._drained(name, count, count * BATCHED_READINGS)
        if drained is not None:
            self.results.batched.append(drained)

    def _shards(self, run: str) -> None:
        count = self._plan.messages
        for of in (1, 2):
            name = f"{run}  {of} ingest process{'es' if of > 1 else ''}"
            shards.remember(self._stage, of)
            self._pour(name, count, ours=True)
            with self._bar(name, count) as told:
                taken = shards.drain(self._stage, of, count, told)
            shards.forget(self._stage, of)
            if taken is None:
                self.results.failed.append(name)
            else:
                self.results.shards.setdefault(str(of), []).append(taken)

    def _latency(self, run: str, n: int) -> None:
        flooded = latency.streets(n, self._plan.floods)
        with self._session(OURS), self._bar(f"{run}  flood to ticket", len(flooded)) as told:
            self.results.latency.append(latency.measure(self._stage, flooded, told))

    def _burst(self, run: str, base: float) -> None:
        phases = self._plan.phases
        floods = int((phases.end - phases.warm) / burst.GAP_S)
        name = f"{run}  burst, {base:,.0f} to {base * burst.TIMES:,.0f}/s"
        with self._session(OURS), self._bar(name, floods) as told:
            self.results.bursts.append(burst.measure(self._stage, base, phases, told))

    def _backlog(self) -> None:
        count, stage = self._plan.backlog, self._stage
        stage.fresh_database()
        with self._filled("backlog", count, OURS, five=True):
            self.results.backlog_broker_mb = machine.rss_mb(stage.broker.pid or 0)
            self.results.backlog = self._drained("backlog  service", count, count)

    def _soak(self) -> None:
        stage, plan = self._stage, self._plan
        tried = soak.TRIED_S * (0.1 if plan.quick else 1.0)
        with (
            self._session(OURS),
            self._bar("soak, how much goes through, seconds", int(tried)) as told,
        ):
            rate = plan.load * soak.capacity(stage, told, tried)
        if not rate:
            self.results.failed.append("soak: what the service can do is not known")
            return
        name = f"soak, {rate:,.0f} messages/s, seconds"
        with self._session(OURS), self._bar(name, int(plan.soak_s)) as told:
            self.results.soak = soak.measure(stage, rate, plan.soak_s, told)

    # --- what they share ------------------------------------------------------------------------

    def _drained(self, name: str, messages: int, readings: int) -> Drained | None:
        with self._bar(name, readings) as told:
            drained = drain(self._stage, messages, readings, told)
        if drained is None:
            self.results.failed.append(name)
        return drained

    @contextmanager
    def _session(self, client_id: str, *, five: bool = True) -> Iterator[None]:
        """A session that exists inside, and is gone afterwards with whatever was queued."""
        if client_id == OURS:
            self._stage.subscribe()
        else:
            sessions.remember(self._stage, client_id, five=five)
        try:
            yield
        finally:
            sessions.forget(self._stage, client_id)

    @contextmanager
    def _filled(
        self, name: str, count: int, client_id: str, *, five: bool = False, batched: bool = False
    ) -> Iterator[None]:
        """The only session of the broker, with a backlog of its own."""
        with self._session(client_id, five=five):
            self._pour(name, count, ours=client_id == OURS, batched=batched)
            yield

    def _pour(self, name: str, count: int, *, ours: bool, batched: bool = False) -> None:
        make = load.batched if batched else load.singles
        messages = make(count, self._device_ms[ours])
        per_message = load.ELEMENTS if batched else 1
        self._device_ms[ours] += 1000 * load.span_s(count, per_message=per_message)
        with (
            self._bar(f"{name}: filling the broker", count) as told,
            Pourer(self._stage.host, self._stage.port, "bench-pour") as pourer,
        ):
            pourer.pour(messages, told)

    @contextmanager
    def _bar(self, name: str, total: int | None) -> Iterator[Told]:
        """One line of progress; gone when it is done, so that the table stands alone."""
        task = self._progress.add_task(name, total=total)
        try:
            yield lambda done: self._progress.update(task, completed=done)
        finally:
            self._progress.remove_task(task)
            self._progress.console.print(f"[dim]{name}[/dim]", highlight=False)
