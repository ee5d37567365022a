"""One job: simulate (or find the finished run), let the detectors look, compare with the truth."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench._common.code import code_hash
from bench.water import blocked, faults, flooded
from bench.water.pictures import Picture, picture
from bench.water.plan import Job
from bench.water.takes import LIBRARIES as STUDIO_LIBRARIES
from bench.water.takes import STUDIO, Takes
from bench.water.watch import Episode, Series, series_of, watch
from simulators.water.run import take as simulate
from simulators.water.take import Take

JUDGES: Final = (
    "contracts",
    "detectors/__init__.py",
    "detectors/_common",
    "detectors/drain_blocked",
    "detectors/flooding",
    "detectors/hydrant_no_pressure",
    "detectors/manhole_cover_displaced",
    "detectors/sensor_faulty",
    "detectors/sensor_silent",
    "ingest/screen.py",
    "bench/water",
)
"""What a result depends on beside its run."""
PICTURES: Final = 4
"""Of each sort, of one run."""


class Result(msgspec.Struct, kw_only=True):
    """What became of one run."""

    job: Job
    error: str | None = None
    hours: float = 0.0
    level_sensors: int = 0
    floods: flooded.Floods = flooded.Floods()
    blockages: blocked.Blockages = blocked.Blockages()
    faults: faults.Faults = faults.Faults()
    pictures: tuple[Picture, ...] = ()

    @property
    def sensor_days(self) -> float:
        """Level sensors × days."""
        return self.level_sensors * self.hours / 24


def result_code() -> str:
    """The code that a result depends on, as it stands."""
    return code_hash((*STUDIO, *JUDGES), (*STUDIO_LIBRARIES, "msgspec", "scipy"))


def score(job: Job, networks: Path, takes: Takes) -> Result:
    """Never raises: what fails is told in the result."""
    try:
        run = takes.get(job.order)
        if run is None:
            run = simulate(job.order, networks)
            takes.put(run)
        return judge(job, run)
    except Exception:
        return Result(job=job, error=traceback.format_exc())


def judge(job: Job, run: Take) -> Result:
    """Compare what the detectors say of a run with its truth."""
    episodes = watch(run)
    series = series_of(run)
    floods = flooded.judge(run, episodes, series)
    blockages = blocked.judge(run, episodes, series)
    named = faults.judge(run, episodes)
    span = run.readings[-1].received_at - run.readings[0].received_at
    return Result(
        job=job,
        hours=span.total_seconds() / 3600,
        level_sensors=len(series),
        floods=floods,
        blockages=blockages,
        faults=named,
        pictures=_pictures(job, run, episodes, series, floods, blockages, named),
    )


def _pictures(
    job: Job,
    run: Take,
    episodes: Sequence[Episode],
    series: Mapping[str, Series],
    floods: flooded.Floods,
    blockages: blocked.Blockages,
    named: faults.Faults,
) -> tuple[Picture, ...]:
    """The worst of each sort, with what the sensor saw."""

    def drawn(sort: str, worth: float, told: str, device: str, at: float) -> Picture:
        where = f"{job.part} {job.order.network} {job.order.seed}"
        return picture(run, episodes, series, sort, worth, f"{where}\n{told}", device, at)

    out: list[list[Picture]] = [[], [], [], [], []]
    for one in floods.overflowed:
        lead = one.leads["ours"]
        if lead is None:
            told = f"overflow at {one.node} not warned of" + (" (at fault)" * one.faulty)
            out[0].append(drawn("missed overflow", 1e6 - one.begin, told, one.device, one.begin))
    for alarm in floods.false:
        told = "flooding, but nothing overflowed" + (" (at fault)" * alarm.faulty)
        out[1].append(drawn("false overflow", alarm.at, told, alarm.device, alarm.at))
    for pipe in blockages.blocked:
        if pipe.found["ours"] is None:
            device = _nearest(run, pipe.pipe, series)
            told = f"pipe {pipe.pipe} lost {pipe.lost:.0%}: not found"
            if device is not None:
                out[2].append(drawn("missed blockage", pipe.lost, told, device, pipe.sensed))
    for wrong in blockages.false:
        device = wrong.device if wrong.device in series else _nearest(run, wrong.last, series)
        if device is not None:
            told = f"pipe {wrong.last} is not blocked"
            out[3].append(drawn("false blockage", wrong.at, told, device, wrong.at))
    for fault in (*named.missed, *named.false):
        if fault.device in series:
            real = fault in named.missed
            told = f"{fault.what}: " + (f"told as {fault.said}" if real else "there was none")
            sort = "missed fault" if real else "false fault"
            out[4].append(drawn(sort, fault.end - fault.begin, told, fault.device, fault.begin))
    return tuple(p for some in out for p in sorted(some, key=lambda p: -p.worth)[:PICTURES])


def _nearest(run: Take, pipe: str | None, series: Mapping[str, Series]) -> str | None:
    """The sensor with the fewest pipes between it and this one."""
    if run.city.drains is None or pipe not in run.city.drains.pipes:
        return None
    near = blocked.Pipes(run.city.drains).near(pipe)
    best: dict[str, int] = {}
    for other, apart in near.items():
        ends = (run.city.drains.pipes[other].from_, run.city.drains.pipes[other].to)
        for device, node in run.sensed.items():
            if node in ends and device in series:
                best[device] = min(apart, best.get(device, apart))
    return min(best, key=lambda d: (best[d], d)) if best else None
