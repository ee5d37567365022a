"""What is measured: choices one by one, positions in a stream, memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from bench.router.naive import Scan
from contracts.case import Deadlines, Ticket
from contracts.event import Place
from contracts.geo import Point
from contracts.nouns import Position
from router.assign import Choice, Load, Roster
from router.gazetteer import Gazetteer

Told = Callable[[int], None]


class Asked(msgspec.Struct, frozen=True):
    """One incident that wants somebody."""

    place: Place
    skills: tuple[str, ...]
    severity: int


class Night:
    """Incidents after each other: each one's worker has it before them when the next comes."""

    def __init__(self, roster: Roster, now: datetime) -> None:
        self.roster = roster
        self.now = now
        self.load = Load()
        roster.follow(self.load)
        self.seconds: list[float] = []
        self.cpu_s: list[float] = []
        self.chosen: list[Choice] = []
        self.naive_s: list[float] = []
        self.agreed: list[bool] = []

    def run(self, asked: list[Asked], told: Told, scan: Scan | None = None, every: int = 1) -> None:
        """Choose for each; `scan` chooses beside for every so many, from the same state."""
        for k, one in enumerate(asked):
            start, cpu = perf_counter(), process_time()
            choice = self.roster.choose(
                one.place, self.now, skills=one.skills, severity=one.severity, load=self.load
            )
            self.cpu_s.append(process_time() - cpu)
            self.seconds.append(perf_counter() - start)
            self.chosen.append(choice)
            if scan is not None and k % every == 0:
                self._beside(scan, one, choice)
            self.load.change(None, _ticket(f"t-{len(self.seconds)}", one, choice.worker, self.now))
            told(k + 1)

    def _beside(self, scan: Scan, one: Asked, choice: Choice) -> None:
        offers = {w: self.load.offers(w) for w in self.load if self.load.offers(w)}
        start = perf_counter()
        best = scan.choose(
            one.place,
            self.now,
            skills=one.skills,
            severity=one.severity,
            load=self.load,
            offers=offers,
        )
        self.naive_s.append(perf_counter() - start)
        self.agreed.append(best == [choice.worker, *(c.worker for c in choice.runners_up)])


def asked(gazetteer: Gazetteer, where: NDArray[np.float64], seed: int) -> list[Asked]:
    """Incidents at these places: a tenth wants a skill, severities 1 to 5."""
    rng = np.random.default_rng(seed)
    return [
        Asked(
            gazetteer.place(Point(float(lon), float(lat))),
            ("electric",) if rng.random() < 0.1 else (),
            int(rng.integers(1, 6)),
        )
        for lon, lat in where
    ]


def _ticket(ident: str, one: Asked, worker: str | None, now: datetime) -> Ticket:
    return Ticket(
        id=ident,
        rev=1,
        incident=ident,
        kind="flooding",
        stage="dispatched",
        lane="self",
        worker=worker,
        helpers=(),
        utility=None,
        parent=None,
        grid=one.place.grid,
        reason={},
        runners_up=(),
        deadlines=Deadlines(),
        severity=one.severity,
        place=one.place,
        opened_at=now,
        updated_at=now,
    )


def positions(people: list[Any], count: int, now: datetime, seed: int) -> list[Position]:
    """A stream of positions: anybody, some 100 m from where they are registered, a walk on."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, len(people), count)
    steps = rng.normal(0, 0.003, (count, 2))  # degrees: about 300 m, so cells change often
    out: list[Position] = []
    for k in range(count):
        worker = people[int(who[k])]
        seen = now + timedelta(milliseconds=k)
        point = Point(worker.point.lon + steps[k, 0], worker.point.lat + steps[k, 1])
        out.append(Position(worker=worker.id, at=seen, received_at=seen, point=point))
    return out


def rates(take: Callable[[Position], None], stream: list[Position], parts: int) -> list[float]:
    """Positions a second of each part of a stream."""
    size = len(stream) // parts
    out: list[float] = []
    for k in range(parts):
        part = stream[k * size : (k + 1) * size]
        start = perf_counter()
        for position in part:
            take(position)
        out.append(len(part) / (perf_counter() - start))
    return out


def rss_mb() -> float:
    """Memory this process has now (proc(5), statm)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
