"""Runs every water detector over a finished run, as the service does: screened, behind the reorder
stage, woken when it asks. A kind that is not there is simply not run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.city import City
from contracts.event import Event
from contracts.nouns import Reading
from detectors import specs
from detectors._common.drive import Drive
from gridsentry.engine.roster import Watch, watches
from ingest.screen import Screen
from simulators.water.take import Take

WATER: Final = (
    "flooding",
    "drain_blocked",
    "manhole_cover_displaced",
    "hydrant_no_pressure",
    "sensor_faulty",
    "sensor_silent",
)
"""The kinds that fold water readings."""
TAIL_S: Final = 600.0

Floats = NDArray[np.float64]


class Known(msgspec.Struct, frozen=True):
    """One revision and when it was known (receipt, seconds since the run's first reading)."""

    at: float
    event: Event


class Episode(msgspec.Struct, kw_only=True):
    """All revisions of one event."""

    kind: str
    site: str
    device: str | None
    revisions: list[Known]

    @property
    def opened(self) -> float:
        """When it was first known."""
        return self.revisions[0].at

    @property
    def closed(self) -> float:
        """When it was over; infinite while it is not."""
        last = self.revisions[-1]
        return last.at if last.event.phase == "closed" else np.inf

    @property
    def last_open(self) -> Event:
        """The last thing it said before it was over."""
        said = [known.event for known in self.revisions if known.event.phase != "closed"]
        return said[-1] if said else self.revisions[-1].event


def water_watches(city: City) -> list[Watch]:
    """Every water detector at every site of the city that gets readings."""
    found = {kind: spec for kind, spec in specs().items() if kind in WATER}
    configs = {kind: spec.config() for kind, spec in found.items()}
    return [w for w in watches(city, found, configs) if Reading in w.spec.nouns(w.site)]


def begin_of(take: Take) -> datetime:
    """Receipt of the first reading: zero of every clock here."""
    return take.readings[0].received_at


def watch(take: Take) -> list[Episode]:
    """Every episode, in the order they opened."""
    zero = begin_of(take)
    drives: list[Drive] = []
    by_key: dict[tuple[str, str], list[Drive]] = defaultdict(list)
    metrics = {r.metric for r in take.readings}
    for one in water_watches(take.city):
        drive = Drive(one.spec, one.cfg, one.site)
        drives.append(drive)
        for device in one.site.devices:
            for metric in one.spec.metrics or metrics:
                by_key[device.id, metric].append(drive)
    episodes: dict[str, Episode] = {}

    def tell(known: Iterable[tuple[datetime, Event]]) -> None:
        for at, event in known:
            told = Known((at - zero).total_seconds(), event)
            if event.id not in episodes:
                episodes[event.id] = Episode(
                    kind=event.kind, site=event.site, device=event.device, revisions=[]
                )
            episodes[event.id].revisions.append(told)

    screen = Screen()
    for raw in take.readings:
        reading = screen.annotate(raw)
        for drive in by_key.get((reading.device, reading.metric), ()):
            known = drive.put(reading)
            if known:
                tell(known)
    end = take.readings[-1].received_at + timedelta(seconds=TAIL_S)
    for drive in drives:
        tell(drive.run_to(end))
    return sorted(episodes.values(), key=lambda e: (e.opened, e.kind, e.site))


def flooding(
    town: City,
    device: str,
    metric: str,
    series: Iterable[tuple[float, float]],
    zero: datetime,
) -> Iterator[tuple[float, Event]]:
    """(seconds, revision) of the flooding detector at the town's one site, of (seconds, value) of
    one sensor, received as measured."""
    return flooding_of(town, metric, ((at_s, device, value) for at_s, value in series), zero)


def flooding_of(
    town: City, metric: str, series: Iterable[tuple[float, str, float]], zero: datetime
) -> Iterator[tuple[float, Event]]:
    """The same of (seconds, sensor, value) of many that share the town's one site, in order."""
    spec = specs()["flooding"]
    cfg = spec.config()
    (site,) = spec.sites(town, cfg)
    drive, screen = Drive(spec, cfg, site), Screen()
    for at_s, device, value in series:
        at = zero + timedelta(seconds=at_s)
        for known, event in drive.put(screen.annotate(Reading(device, metric, value, at, at, at))):
            yield (known - zero).total_seconds(), event


class Series(msgspec.Struct, frozen=True):
    """What one sensor said of its level: seconds since the run's begin (as measured), metres."""

    t: Floats
    v: Floats


def series_of(take: Take, metrics: Sequence[str] = ("level", "depth")) -> dict[str, Series]:
    """The level of every sensor, in order of time."""
    zero = begin_of(take)
    points: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for r in take.readings:
        if r.metric in metrics:
            points[r.device].append(((r.at - zero).total_seconds(), r.value))
    out = {}
    for device, told in sorted(points.items()):
        rows = np.array(sorted(dict(told).items()))
        out[device] = Series(rows[:, 0].copy(), rows[:, 1].copy())
    return out


def rims(take: Take) -> dict[str, float]:
    """Metres from invert to rim where each level sensor stands, where the city knows them."""
    nodes = take.city.drains.nodes if take.city.drains is not None else {}
    out = {}
    for device, name in take.sensed.items():
        node = nodes.get(name)
        if node is not None and node.rim_m is not None and node.invert_m is not None:
            out[device] = node.rim_m - node.invert_m
    return {device: rim for device, rim in out.items() if rim > 0}
