"""`python -m bench.router`: how fast somebody is chosen in a province of Jiangsu's numbers.

SEED=7    another province
QUICK=1   a twentieth of it, a minute's worth
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bench._common import figure
from bench._common.code import ROOT
from bench._common.figure import Figure
from bench._common.stats import quantile
from bench.ingest import machine
from bench.router import clocked, rivers, world
from bench.router.clocked import Night
from bench.router.joining import Joining
from bench.router.naive import Scan
from bench.router.world import Province
from contracts.city import City
from contracts.geo import Point
from router.assign import Load, Request, Roster
from router.engine import GridRouter
from router.gazetteer import Gazetteer
from router.settings import RouterSettings

RECORDINGS = Path(os.environ.get("GRIDSENTRY_RECORDINGS", ROOT.parent / "shared" / "data"))
OUT = ROOT / "build" / "score" / "bench-router.json"
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
"""A Friday, 10:00 in Shanghai."""
NIGHT = NOW + timedelta(hours=16)
"""02:00: a quarter of the people are on shift, and those who always are."""


class Sizes(msgspec.Struct, frozen=True):
    """How much is measured."""

    choices: int = 3000
    storm: int = 1000
    roads: int = 1000
    barriers: int = 500
    naive: int = 60
    positions: int = 400_000
    draws: int = 150


class Bench:
    """Runs the parts one after the other and keeps their figures."""

    def __init__(self, seed: int, quick: bool, progress: Progress) -> None:
        self.seed = seed
        self.plan = world.QUICK if quick else world.JIANGSU
        self.sizes = (
            Sizes(choices=600, storm=300, roads=200, barriers=100, naive=60, positions=40_000)
            if quick
            else Sizes()
        )
        self.progress = progress
        self.figures: list[Figure] = []
        self.settings = RouterSettings()
        self.city: City
        self.province: Province
        self.gazetteer: Gazetteer

    def run(self) -> None:
        """All of it."""
        before = clocked.rss_mb()
        self._build(before)
        router = self._load()
        self._places()
        self._joining()
        roster = router._house.roster
        self._crow(roster)
        self._positions(router)
        del router, roster
        gc.collect()
        self._roads()
        self._barriers()
        for name in rivers.TOWNS:
            self._town(name)

    def _bar(self, name: str, total: int | None) -> TaskID:
        return self.progress.add_task(name, total=total)

    def _tell(self, task: TaskID, done: int) -> None:
        self.progress.update(task, completed=done)

    # --- parts --------------------------------------------------------------------------------

    def _build(self, before_mb: float) -> None:
        plan = self.plan
        levels = (plan.counties, plan.streets, plan.communities, plan.grids, plan.microgrids)
        task = self._bar("making the province", sum(levels))
        self.province = Province(plan, self.seed, lambda n: self._tell(task, n))
        self._tell(task, sum(levels))
        self.city = self.province.city(self.province.workers())
        gc.collect()
        held = clocked.rss_mb() - before_mb
        self._add("memory: the city itself, MB", (held, None), len(self.city.workers))

    def _load(self) -> GridRouter:
        task = self._bar("loading it into the router", None)
        before = clocked.rss_mb()
        start, cpu = perf_counter(), process_time()
        router = GridRouter(self.city, self.settings)
        took, cpu = perf_counter() - start, process_time() - cpu
        gc.collect()
        grown = clocked.rss_mb() - before
        start = process_time()
        self.gazetteer = Gazetteer.of(self.city, self.settings.off_grid_m)
        grids = process_time() - start
        start = process_time()
        Roster(self.city, self.gazetteer, self.settings)
        people = process_time() - start
        gc.collect()
        n, g = len(self.city.workers), len(self.city.grids)
        self._add("router ready after, s", (took, None), n)
        self._add("  processor time of it, s", (cpu, None), n)
        self._add("  of it for the grids, s", (grids, None), g)
        self._add("  of it for the workers, s", (people, None), n)
        self._add("memory: the router's own, MB", (grown, None), n)
        self.progress.update(task, total=1, completed=1)
        return router

    def _places(self) -> None:
        where = world.places(self.province, self.sizes.choices, self.seed + 1)
        seconds = []
        for lon, lat in where.tolist():
            start = perf_counter()
            self.gazetteer.place(Point(lon, lat))
            seconds.append(perf_counter() - start)
        self._ms("grid of a place", seconds)

    def _joining(self) -> None:
        task = self._bar("finding what an event joins", None)
        for count in (1_000, 10_000):
            measured = Joining(self.city, self.settings, count, self.seed + 5)
            measured.run(self.sizes.choices, self.sizes.naive)
            self._ms(
                f"what an event joins, {count:,} incidents open",
                measured.seconds,
                "<= 1",
                f"looking at all of them {measured.naive_ms:.1f} ms",
            )
            self.figures.append(
                figure.share(
                    "  as looking at all of them says",
                    sum(measured.agreed),
                    len(measured.agreed),
                    aim=">= 1",
                    reference="every open incident, by the same rules",
                )
            )
        self.progress.update(task, total=1, completed=1)

    def _crow(self, roster: Roster) -> None:
        sizes = self.sizes
        scan = Scan(self.city, self.gazetteer, self.settings)
        where = world.places(self.province, sizes.choices, self.seed + 2)
        asked = clocked.asked(self.gazetteer, where, self.seed)
        day = Night(roster, NOW)
        task = self._bar("choosing, crow-fly, the naive scan beside", len(asked))
        every = max(1, sizes.choices // sizes.naive)
        day.run(asked, lambda n: self._tell(task, n), scan, every)
        naive_ms = median(day.naive_s) * 1000
        self._night("assignment, crow-fly", day, "<= 50", f"naive scan {naive_ms:.0f} ms")
        self._ms("  the naive scan beside", day.naive_s)
        self.figures.append(
            figure.share(
                "  same worker and runners-up as the scan",
                sum(day.agreed),
                len(day.agreed),
                aim=">= 1",
                reference="everybody's figures, sorted",
            )
        )
        compared = [float(c.reason["compared"]) for c in day.chosen]
        self._add("  people looked at, median", quantile(compared, 0.5), len(compared))
        night = Night(roster, NIGHT)
        task = self._bar("choosing at night", len(asked))
        night.run(asked[: sizes.choices // 2], lambda n: self._tell(task, 2 * n))
        self._night("assignment at night, few on shift", night, "<= 50")
        box = self.province.densest(10_000.0)
        where = world.places(self.province, sizes.storm, self.seed + 3, box)
        storm = Night(roster, NOW)
        task = self._bar("a storm over 10 km x 10 km", sizes.storm)
        storm.run(
            clocked.asked(self.gazetteer, where, self.seed), lambda n: self._tell(task, n)
        )  # fmt: skip
        self._night("assignment in a storm over one city", storm, "<= 50")
        self._together(roster, box)

    def _together(self, roster: Roster, box: world.Box) -> None:
        """300 at once over a city: matched together, and one after the other."""
        count = 300
        task = self._bar("300 matched together", None)
        where = world.places(self.province, count, self.seed + 7, box)
        asked = clocked.asked(self.gazetteer, where, self.seed)
        one_by_one = Night(roster, NOW)
        one_by_one.run(asked, lambda n: None)
        requests = [Request(place=a.place, skills=a.skills, severity=a.severity) for a in asked]
        start = process_time()
        choices = roster.choose_many(requests, NOW, Load())
        took = 1000 * (process_time() - start)
        joint = [float(c.reason["travel_s"]) for c in choices]
        greedy = [float(c.reason["travel_s"]) for c in one_by_one.chosen]
        self._add("300 matched together: processor time, ms", (took, None), count)
        mean = sum(joint) / sum(greedy)
        self._add("  mean travel, of one after the other's", (mean, None), count)
        worst = quantile(joint, 0.9), quantile(greedy, 0.9)
        told = (worst[0][0] / worst[1][0], None) if worst[0] and worst[1] else None
        self._add("  travel of the worst tenth, of one after the other's", told, count)
        self.progress.update(task, total=1, completed=1)

    def _positions(self, router: GridRouter) -> None:
        people = [self.city.workers[w] for w in sorted(self.city.workers)]
        task = self._bar("positions", self.sizes.positions)
        stream = clocked.positions(people, self.sizes.positions, NOW, self.seed)
        rates = clocked.rates(router.on_position, stream, 20)
        self._tell(task, self.sizes.positions)
        told = quantile(rates, 0.5)
        self._add("position updates a second", told, len(stream), aim=">= 20000")
        slowest = quantile(rates, 0.0)
        self._add("  slowest twentieth of the stream", slowest, len(stream))
        where = world.places(self.province, self.sizes.choices // 3, self.seed + 4)
        asked = clocked.asked(self.gazetteer, where, self.seed)
        moved = Night(router._house.roster, stream[-1].at)
        moved.run(asked, lambda n: None)
        self._night("assignment, crow-fly, with live positions", moved, "<= 50")

    def _roads(self) -> None:
        side = 60_000.0 if self.plan is world.JIANGSU else 20_000.0
        box = self.province.densest(side)
        task = self._bar("choosing by road", self.sizes.roads)
        roads = self.province.streets(box)
        start = process_time()
        city = self.province.city(self.city.workers, roads=roads)
        roster = Roster(city, self.gazetteer, self.settings)
        took = process_time() - start
        where = world.places(self.province, self.sizes.roads, self.seed + 5, box)
        asked = clocked.asked(self.gazetteer, where, self.seed)
        for name, now in (("by road", NOW), ("by road at night", NIGHT)):
            by_road = Night(roster, now)
            by_road.run(asked, lambda n: self._tell(task, n))
            reference = f"{len(roads.lon):,} nodes, {len(roads.from_):,} edges"
            self._night(f"assignment {name}", by_road, "<= 150", reference)
        self._add("  workers and streets ready: processor time, s", (took, None), len(roads.lon))
        ways = [c.reason["way_m"] / max(1.0, c.reason["distance_m"]) for c in by_road.chosen]
        self._add("  way over crow-fly of those sent", quantile(ways, 0.5), len(ways))

    def _barriers(self) -> None:
        river = self.province.river()
        city = self.province.city(self.city.workers, barriers=(river,))
        roster = Roster(city, self.gazetteer, self.settings)
        half = self.province.side_m / 2
        band = (0.0, half - 0.07 * 2 * half, 2 * half, 0.14 * 2 * half)
        where = world.places(self.province, self.sizes.barriers, self.seed + 6, band)
        task = self._bar("choosing beside a river", self.sizes.barriers)
        night = Night(roster, NOW)
        night.run(clocked.asked(self.gazetteer, where, self.seed), lambda n: self._tell(task, n))
        self._night("assignment beside a river, no road map", night, "<= 50")

    def _town(self, name: str) -> None:
        path = RECORDINGS / "roads" / f"{name}.osm.gz"
        town = rivers.compare(path, self.sizes.draws, self.seed)
        if town is None:
            self._add(f"crow-fly sends the wrong one in {name}, share", None, 0)
            return
        self.figures.append(
            figure.share(
                f"crow-fly sends the wrong one in {name}, share",
                town.wrong,
                town.draws,
                reference=f"{rivers.PEOPLE} people on foot, by road",
            )
        )
        self._add(
            "  whose way is so many times the best, median",
            quantile(town.times_longer, 0.5),
            len(town.times_longer),
        )

    # --- figures ------------------------------------------------------------------------------

    def _add(
        self, name: str, told: figure.Told | None, n: int, aim: str | None = None
    ) -> None:  # fmt: skip
        self.figures.append(figure.figure(name, told, n, aim))

    def _night(
        self, name: str, night: Night, aim: str, reference: str | None = None
    ) -> None:  # fmt: skip
        self._ms(name, night.seconds, aim, reference)
        cpu = [1000 * s for s in night.cpu_s]
        self._add("  processor time of it, p99 ms", quantile(cpu, 0.99), len(cpu))

    def _ms(
        self, name: str, seconds: list[float], aim: str | None = None, reference: str | None = None
    ) -> None:
        times = [1000 * s for s in seconds]
        n = len(times)
        self.figures.append(
            figure.figure(f"{name}, p50 ms", quantile(times, 0.5), n, None, reference)
        )
        self.figures.append(figure.figure(f"{name}, p99 ms", quantile(times, 0.99), n, aim))


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Measure, print, write `build/score/bench-router.json`. Asserts nothing."""
    seed = int(environ.get("SEED", "1"))
    quick = environ.get("QUICK", "") not in ("", "0")
    console = Console(width=None if sys.stdout.isatty() else 130)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bench = Bench(seed, quick, progress)
        bench.run()
    size = "quick: a twentieth of a province" if quick else "a province of Jiangsu's numbers"
    workers, grids = len(bench.city.workers), len(bench.city.grids)
    console.print(
        f"{workers:,} workers, {grids:,} grids of all levels; {machine.processor()}, "
        f"load average {machine.load():.1f}",
        highlight=False,
    )
    figure.show(bench.figures, console, f"router, seed {seed} ({size})")
    figure.write(bench.figures, OUT)
    console.print(f"written to {OUT.relative_to(ROOT)}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
