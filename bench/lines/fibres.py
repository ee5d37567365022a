"""Fibres: breaks placed by an OTDR's traces, and what is no break.

Made fibres, 500 m to 80 km, from the trace studio; real files apart, against what their manifest
says, and real healthy traces cut open: light behind a place replaced by the trace's own noise, with
the trace's own end set before it or without.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console

from bench._common.code import code_hash
from bench._common.figure import Figure, figure, share
from bench._common.jobs import DIED, Kept, judged
from bench._common.stats import quantile
from contracts.city import City
from contracts.event import Event
from contracts.geo import distance_m
from contracts.nouns import Trace
from contracts.sor import parse_sor
from detectors._common.drive import run
from detectors.fibre_break import SPEC
from detectors.fibre_break.config import FibreBreakConfig
from detectors.fibre_break.end import end_of, sample_end
from simulators.lines.fibre import START, FibreOrder, fibre_take

SeedOf = Callable[[str, int], int]
BLOCK = 25
"""Takes in a job."""
CODE = (
    "simulators/lines/fibre.py", "simulators/lines/fibre_light.py",
    "simulators/lines/fibre_route.py", "simulators/sor.py", "detectors/fibre_break",
    "contracts", "bench/lines/fibres.py",
)  # fmt: skip
SAID_M = {
    "1310_0001": 8815.82, "1310_0002": 867.68, "example1-noyes-ofl280": 3734.42,
    "issue14": 42131.30, "issue15a": 42136.5, "issue15b": 42141.50, "issue9": 619.81,
    "otdr1": 271.10, "otdr2": 4292.77, "otdr3": 61.78, "otdr4": 61.53,
}  # fmt: skip
"""Where the manifest says that each real fibre ends (of one the middle of its sisters')."""
CUT_OPEN = ("1310_0001", "issue14", "issue15b", "otdr2", "example1-noyes-ofl280", "issue9")
"""Real whole fibres with noise behind their end."""
PAIRS = (("issue14", "issue15a"), ("issue14", "issue15b"), ("issue15a", "issue15b"),
         ("issue15b", "issue14"), ("otdr3", "otdr4"), ("otdr4", "otdr3"))  # fmt: skip
"""The same whole fibre measured again: later, at another wavelength, with another pulse."""
PULSE_M_PER_NS = 0.1021


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A block of orders alike."""

    part: str
    happening: str | None
    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.part}/{self.happening}/{self.seeds[0]}"


class One(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one take."""

    events: int
    """Ids of breaks after the happening (or at all, where nothing broke)."""
    early: int = 0
    """Breaks before anything happened."""
    off_m: float | None = None
    """Distance told less the true one, metres of light."""
    map_m: float | None = None
    told_m: float | None = None
    """The error as told, one standard error on the map."""
    pulse_m: float = 0.0


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a block."""

    job: Job
    ones: tuple[One, ...] = ()
    error: str | None = None


def figures(
    seed_of: SeedOf,
    counts: Mapping[str | None, int],
    recordings: Path | None,
    *,
    workers: int,
    folder: Path,
    console: Console,
    simulate: bool = True,
) -> list[Figure]:
    """The rows of fibres; null where nothing was simulated or no recordings are there."""
    jobs = [
        Job(part="fibres", happening=what, seeds=tuple(seeds[k : k + BLOCK]))
        for what, n in counts.items()
        for seeds in ([seed_of(f"lines fibres {what}", i) for i in range(n)],)
        for k in range(0, n, BLOCK)
    ]
    kept: Kept[Job, Result] = Kept(folder, code_hash(CODE, ("numpy", "scipy", "msgspec")), Result)
    if simulate:
        results = judged(
            jobs, score, kept, workers=workers, console=console, what="blocks of fibres",
            unit="takes", died=lambda job: Result(job=job, error=DIED),
            work=lambda job: len(job.seeds),
        )  # fmt: skip
    else:
        results = [found for job in jobs if (found := kept.get(job)) is not None]
    by: dict[str | None, list[One]] = {}
    for result in results:
        by.setdefault(result.job.happening, []).extend(result.ones)
    return [*_made(by), *_real(recordings)]


def score(job: Job) -> Result:
    """Run one block."""
    return Result(
        job=job,
        ones=tuple(one(FibreOrder(seed=seed, happening=job.happening)) for seed in job.seeds),
    )


def one(order: FibreOrder) -> One:
    """Run one take."""
    take = fibre_take(order)
    truth = take.truth
    breaks = [e for e in events(take.city, take.items) if e.evidence["what"] == "break"]
    if truth.what != "break" or truth.at is None:
        return One(events=len({e.id for e in breaks}), pulse_m=truth.pulse_m)
    late = [e for e in breaks if e.at >= truth.at]
    found = One(
        events=len({e.id for e in late}),
        early=len({e.id for e in breaks}) - len({e.id for e in late}),
        pulse_m=truth.pulse_m,
    )
    if not late or truth.point is None or truth.light_m is None:
        return found
    last = late[-1]
    return msgspec.structs.replace(
        found,
        off_m=last.evidence["distance_m"] - truth.light_m,
        map_m=distance_m(truth.point, last.place),  # type: ignore[arg-type]
        told_m=last.evidence["error_m"],
    )


def events(city: City, items: Sequence[Trace]) -> list[Event]:
    """What the detector says of a city's one fibre."""
    cfg = FibreBreakConfig()
    (site,) = SPEC.sites(city, cfg)
    return [event for _, event in run(SPEC, cfg, site, list(items))]


def _made(by: Mapping[str | None, list[One]]) -> list[Figure]:
    cut = by.get("break", [])
    off = [abs(o.off_m) for o in cut if o.off_m is not None]
    over = [abs(o.off_m) - o.pulse_m for o in cut if o.off_m is not None]
    onto = [o.map_m for o in cut if o.map_m is not None]
    covered = sum(o.map_m <= 2 * o.told_m for o in cut if o.map_m is not None and o.told_m)
    whole = {
        "whole fibre": by.get(None, []),
        "measured with other settings": by.get("remeasured", []),
        "macro-bend": by.get("bend", []),
        "splice or connector gone bad": by.get("splice_loss", []),
    }
    return [
        share("fibre break: found", sum(o.events > 0 for o in cut), len(cut)),
        figure("fibre break: error, m, median", quantile(off, 0.5), len(off), "<= 6"),
        figure("fibre break: error - pulse, m, P95", quantile(over, 0.95), len(over), "<= 10"),
        figure("fibre break: error on the map, m, median", quantile(onto, 0.5), len(onto)),
        figure("fibre break: error on the map, m, P95", quantile(onto, 0.95), len(onto)),
        share("fibre break: map error within twice the told one", covered, len(onto)),
        figure(
            "fibre break: incidents per break found",
            (sum(o.events for o in cut) / len(off), None) if off else None, len(off), "<= 1.02",
        ),
        share("fibre break: told before it happened", sum(o.early > 0 for o in cut), len(cut),
              aim="<= 0.005"),
        *(
            share(f"fibre called broken: {name}", sum(o.events > 0 for o in ones), len(ones),
                  aim="<= 0.005")
            for name, ones in whole.items()
        ),
    ]  # fmt: skip


def _real(recordings: Path | None) -> list[Figure]:
    names = (
        "real fibre files: end error, m, median", "real fibre files: end error, m, largest",
        "real fibre files: end error without their tables, m, largest",
        "real broken fibre: error, m", "real fibres measured again: called broken",
        "real monitoring series: traces called broken", "real fibres cut open: found",
        "real fibres cut open: error, m, median", "real fibres cut open: error - pulse, m, P95",
    )  # fmt: skip
    folder = recordings / "otdr" if recordings is not None else None
    if recordings is None or folder is None or not folder.is_dir():
        return [figure(name, None, 0) for name in names]
    traces = {name: _load(folder / f"{name}.sor") for name in SAID_M}
    ends = {n: end_of(t) for n, t in traces.items()}
    bare = {n: sample_end(t) for n, t in traces.items()}
    off = [abs(e.distance_m - SAID_M[n]) for n, e in ends.items() if e is not None]
    alone = [abs(e.distance_m - SAID_M[n]) for n, e in bare.items() if e is not None]
    broken = _watch([traces["1310_0001"], traces["1310_0002"]])
    told = broken[-1].evidence["distance_m"] - SAID_M["1310_0002"] if broken else None
    again = sum(bool(_watch([traces[a], traces[b]])) for a, b in PAIRS)
    series = _series(recordings / "otdr_monitor_series")
    calls = len(_watch(series)) + len(_watch(series[2:])) if series else 0
    found = [cut for n in CUT_OPEN for cut in _cut_open(traces[n], SAID_M[n])]
    hits = [f for f in found if f is not None]
    return [
        figure(names[0], quantile(off, 0.5), len(off), "<= 6"),
        figure(names[1], (max(off), None) if off else None, len(off)),
        figure(names[2], (max(alone), None) if alone else None, len(alone)),
        figure(names[3], (abs(told), None) if told is not None else None, 1, "<= 20"),
        share(names[4], again, len(PAIRS), aim="<= 0.005"),
        share(names[5], calls, 2 * len(series) - 2, aim="<= 0.005") if series
        else figure(names[5], None, 0),
        share(names[6], len(hits), len(found)),
        figure(names[7], quantile([o for o, _ in hits], 0.5), len(hits), "<= 6"),
        figure(names[8], quantile([o - p for o, p in hits], 0.95), len(hits), "<= 10"),
    ]  # fmt: skip


def _load(file: Path) -> Trace:
    return parse_sor(file.read_bytes(), "otdr-01", START, START)


def _watch(traces: Sequence[Trace]) -> list[Event]:
    """What is said of these traces, taken a minute after each other, of one fibre."""
    city = fibre_take(FibreOrder(seed=1, happening=None, length_m=900.0, before=1, after=0,
                                 baseline=False)).city  # fmt: skip
    minutes = (START.timestamp() + 60.0 * k for k in range(len(traces)))
    times = [START.fromtimestamp(m, START.tzinfo) for m in minutes]
    return events(
        city,
        [
            msgspec.structs.replace(t, device="otdr-01", at=at, received_at=at)
            for t, at in zip(traces, times, strict=True)
        ],
    )


def _series(folder: Path) -> list[Trace]:
    """A real line's monitoring traces; those that were not read out are refused before."""
    found = []
    for file in sorted(folder.glob("*.json.gz")):
        with gzip.open(file) as packed:
            xy = np.array(json.load(packed)["XY"], dtype=np.float64)
        spacing, power = float(xy[1, 0] - xy[0, 0]), xy[:, 1]
        if power.any():
            pulse = 5000.0 if spacing > 5 else 10.0
            found.append(Trace("otdr-01", START, START, spacing, 0.0, power, (), 1310.0, pulse))
    return found


def _cut_open(whole: Trace, end_m: float) -> list[tuple[float, float] | None]:
    """(error, pulse) in metres of breaks cut into a real trace; None where none was found."""
    rng = np.random.default_rng(1)
    pulse = whole.pulse_ns * PULSE_M_PER_NS
    found: list[tuple[float, float] | None] = []
    for k in range(16):
        at = end_m * (0.04 + 0.9 * (k + 0.5) / 16)
        told = _watch([whole, cut(whole, end_m, at, rng, reflective=k % 2 == 1)])
        found.append((abs(told[-1].evidence["distance_m"] - at), pulse) if told else None)
    return found


def cut(
    whole: Trace, end_m: float, at_m: float, rng: np.random.Generator, *, reflective: bool
) -> Trace:
    """A real trace of a whole fibre cut at `at_m`: behind it its own end (or a fall within a pulse
    and a half), then its own noise in another order."""
    step, pulse = whole.spacing_m, whole.pulse_ns * PULSE_M_PER_NS
    here, end = (round((m - whole.first_m) / step) for m in (at_m, end_m))
    power = whole.power_db.copy()

    def before(i: int) -> float:
        return float(np.median(whole.power_db[max(0, i - int(3 * pulse / step) - 8) : i - 2]))

    noise = whole.power_db[end + (whole.power_db.size - end) // 2 :]
    rest = power.size - here
    floor = float(np.median(noise))
    power[here:] = rng.choice(noise, rest)
    if reflective:
        own = whole.power_db[end:][:rest] + before(here) - before(end)
        behind = power[here : here + own.size]
        power[here : here + own.size] = np.where(own > floor + 3, own, behind)
    else:
        fall = before(here) - np.arange(rest) * step / max(pulse, 3.0) * 20
        power[here:] = np.where(fall > floor + 2, fall, power[here:])
    return msgspec.structs.replace(whole, power_db=power, events=())
