"""The table's lines, from what the runs gave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

import msgspec

from bench.ingest import references as refs
from bench.ingest import soak as soaking
from bench.ingest.burst import TIMES, Burst
from bench.ingest.drain import Drained, Stored
from bench.ingest.parts import BATCHED_READINGS
from bench.ingest.peers import node_red, stored
from bench.ingest.plan import Plan
from bench.ingest.report import Figure, figure, percentile
from bench.ingest.results import Results, Round

INSERT_AIM: Final = 3.0
BATCHED_AIM: Final = 1.3
PER_MESSAGE: Final = "µs/message"
GROWTH_AIM: Final = "<= 5"
"""Percent that memory may grow while a backlog is drained, after its first tenth."""


def figures_of(results: Results, plan: Plan) -> list[Figure]:
    """All lines of the parts that were wanted; null where one could not be had."""
    parts: dict[str, Callable[[Results], list[Figure]]] = {
        "singles": _singles,
        "batches": _batches,
        "latency": _latency,
        "burst": lambda r: [line for base in plan.bases for line in _burst(r, base)],
        "shards": _shards,
        "backlog": _backlog,
        "soak": _soak,
    }
    return [line for part, lines in parts.items() if plan.has(part) for line in lines(results)]


def _ratios(rounds: Sequence[Round], key: str) -> list[float]:
    """Of each round: what ours did before and after, in the mean, over what that one did."""
    out = []
    for r in rounds:
        other = r.stored.get(key) or r.taken.get(key)
        if r.ours and other is not None:
            mean = sum(d.messages_per_s for d in r.ours) / len(r.ours)
            out.append(mean / other.messages_per_s)
    return out


def _singles(results: Results) -> list[Figure]:
    rounds = results.rounds
    ours = [d for r in rounds for d in r.ours]
    fastest = [max((r.taken[k].messages_per_s for k in ("paho 3.1.1", "paho 5") if k in r.taken),
                   default=0.0) for r in rounds]  # fmt: skip
    of_paho = [
        sum(d.messages_per_s for d in r.ours) / len(r.ours) / fast
        for r, fast in zip(rounds, fastest, strict=True)
        if r.ours and fast
    ]
    out = [
        figure("single readings, 200 bytes: messages", _speed(ours), "1/s"),
        *_cpu(ours, PER_MESSAGE),
        figure(
            "  speed, of Node-RED's with an INSERT per message",
            _ratios(rounds, node_red.INSERT),
            aim=f">= {INSERT_AIM}",
            reference="stores only, same durability",
        ),
        figure(
            "  speed, of Node-RED's with batched UNNEST",
            _ratios(rounds, node_red.BATCHED),
            aim=f">= {BATCHED_AIM}",
            reference="stores only, same durability",
        ),
        figure(
            "  speed, of the faster bare paho's",
            of_paho,
            aim=">= 0.5",
            reference="takes only, acknowledges per 500",
        ),
    ]
    for name, key, what in (
        ("Node-RED 4.1, INSERT per message", node_red.INSERT, "stores"),
        ("Node-RED 4.1, batched UNNEST", node_red.BATCHED, "stores"),
        *((f.name, f.key, "stores; a tenth of the backlog") for f in stored.FRAMEWORKS),
    ):
        runs = [r.stored[key] for r in rounds if key in r.stored]
        out.append(figure(f"{name}: messages", _speed(runs), "1/s", reference=what))
        out.append(figure("  CPU: its process", [s.us for s in runs], PER_MESSAGE))
        out.append(figure("  CPU: database", [s.database_us for s in runs], PER_MESSAGE))
    for reference in (*refs.OWN, *refs.OTHERS):
        taken = [r.taken[reference.key] for r in rounds if reference.key in r.taken]
        speed = [t.messages_per_s for t in taken]
        out.append(figure(f"{reference.name}: messages", speed, "1/s", reference="takes only"))
        out.append(figure("  its CPU", [t.us for t in taken], PER_MESSAGE))
    return out


def _speed(runs: Sequence[Stored]) -> list[float]:
    return [s.messages_per_s for s in runs]


def _cpu(runs: Sequence[Drained], unit: str, per: int = 1) -> list[Figure]:
    return [
        figure("  CPU: service", [d.us / per for d in runs], unit),
        figure("  CPU: broker", [d.broker_us / per for d in runs], unit),
        figure("  CPU: database", [d.database_us / per for d in runs], unit),
        figure("  of its core, the service used", [d.share_of_core for d in runs]),
    ]


def _batches(results: Results) -> list[Figure]:
    runs = results.batched
    rates = [d.readings_per_s for d in runs]
    return [
        figure("100 readings in a message: readings", rates, "1/s", aim=">= 100000"),
        *_cpu(runs, "µs/reading", BATCHED_READINGS),
    ]


def _latency(results: Results) -> list[Figure]:
    runs = [r for r in results.latency if r.seconds]
    out = []
    for name, share, aim in (("p50", 0.50, "<= 40"), ("p99", 0.99, "<= 120")):
        line = figure(f"flood to ticket at 1,000/s, {name}", [], "ms", aim=aim)
        out.append(_quantiles(line, [r.seconds for r in runs], share))
    out.append(figure("  longest", [max(r.seconds) * 1000 for r in runs], "ms"))
    out.append(figure("  tickets not seen", [float(r.missing) for r in results.latency]))
    out.append(figure("  of its core, the service used", [r.service_share for r in runs]))
    return out


def _quantiles(line: Figure, runs: Sequence[Sequence[float]], share: float) -> Figure:
    """The quantile of all runs together (sixty of one run have no hundredth part), ms, with the
    least and the most that one run has."""
    some = [run for run in runs if run]
    if not some:
        return line
    each = [percentile(run, share) * 1000 for run in some]
    together = percentile([s for run in some for s in run], share) * 1000
    return msgspec.structs.replace(line, value=together, low=min(each), high=max(each), n=len(some))


def _burst(results: Results, base: float) -> list[Figure]:
    runs = [b for b in results.bursts if b.base == base]
    burst = f"{base:,.0f} to {base * TIMES:,.0f}/s"
    phases: tuple[tuple[str, Callable[[Burst], list[float]]], ...] = (
        (f"{burst}: flood to ticket before", lambda b: b.before),
        ("  during, 10 s", lambda b: b.during),
        ("  after", lambda b: b.after),
    )
    out = [
        _quantiles(figure(f"{name}, {q}", [], "ms"), [of(b) for b in runs], share)
        for name, of in phases
        for q, share in (("p50", 0.5), ("p99", 0.99))
    ]
    back = [b.back_s for b in runs if b.back_s is not None]
    out.append(figure(f"{burst}: back to normal", back, "s"))
    out.append(figure("  the publisher reached", [b.reached for b in runs], "1/s"))
    out.append(figure("  tickets not seen", [float(b.missing) for b in runs]))
    return out


def _shards(results: Results) -> list[Figure]:
    one, two = results.shards.get("1", []), results.shards.get("2", [])
    out = []
    for runs, name in ((one, "1 ingest process"), (two, "2 ingest processes")):
        out.append(figure(f"{name}: messages", _speed(runs), "1/s"))
        out.append(
            figure("  CPU: both" if runs is two else "  CPU", [s.us for s in runs], PER_MESSAGE)
        )
        everybody = [s.us + s.broker_us + s.database_us for s in runs]
        out.append(figure("  CPU: with broker and database", everybody, PER_MESSAGE))
    ratio = [b.messages_per_s / a.messages_per_s for a, b in zip(one, two, strict=False)]
    out.append(figure("  two, of one", ratio, reference="same cores for all"))
    return out


def _backlog(results: Results) -> list[Figure]:
    drained = results.backlog
    speed = [drained.messages_per_s] if drained else []
    start, most, growth = _growth(drained)
    broker = [results.backlog_broker_mb] if drained else []
    return [
        figure("large backlog: messages", speed, "1/s"),
        figure("  memory of the service, a tenth drained", start, "MB"),
        figure("  the most until the end", most, "MB"),
        figure("  growth", growth, "%", aim=GROWTH_AIM),
        figure("  memory of the broker, full", broker, "MB"),
    ]


def _growth(drained: Drained | None) -> tuple[list[float], list[float], list[float]]:
    """(when a tenth is drained, the most after it, growth in percent)."""
    if drained is None or len(drained.rss_mb) < 5:
        return [], [], []
    start = median(drained.rss_mb[: max(len(drained.rss_mb) // 10, 1)])
    most = max(drained.rss_mb)
    return [start], [most], [(most / start - 1) * 100]


def _soak(results: Results) -> list[Figure]:
    run = results.soak
    found = soaking.slope(run.samples) if run else None
    grows = figure("memory at this load: slope (95 % interval)", [], "MB/h")
    if found is not None:
        grows = msgspec.structs.replace(
            grows, value=found.mb_per_h, low=found.low, high=found.high, n=found.n
        )
    word = soaking.verdict(found, soaking.most_behind_s(run)) if run else None
    percent = [found.percent] if found else []
    rss = [s.rss_mb for s in run.samples] if run else []
    return [
        figure("soak: messages asked for", [run.rate] if run else [], "1/s"),
        figure("  reached", [run.reached] if run else [], "1/s"),
        figure("  lasted", [run.seconds / 60] if run else [], "min"),
        figure("  of its core, the service used", [run.service_share] if run else []),
        figure("  memory of the service", rss, "MB"),
        msgspec.structs.replace(grows, reference=word),
        figure("  from the first to the last minute judged", percent, "%", aim="<= 1"),
        figure("  behind at the most", [soaking.most_behind_s(run)] if run else [], "s"),
        figure("  memory of the broker", [s.broker_mb for s in run.samples] if run else [], "MB"),
    ]
