"""`gridsentry check`: what is in a city folder, what is wrong with it and what was assumed."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contracts.city import City
from contracts.errors import Wrong
from contracts.governance import governance
from contracts.spots import own_spots
from gridsentry.city.load import read_city
from gridsentry.city.notes import CityProblems
from gridsentry.city.schema import schemas


class Report(msgspec.Struct, frozen=True):
    """What a check found. A folder without `problems` can be used."""

    folder: str
    problems: tuple[Wrong, ...]
    warnings: tuple[str, ...]
    counts: dict[str, int]
    facts: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the folder can be used."""
        return not self.problems


def check_city(folder: Path) -> Report:
    """Read the folder and report; never raises on what is in it."""
    try:
        loaded = read_city(folder)
    except CityProblems as error:
        return Report(str(folder), tuple(error.problems), tuple(error.warnings), {})
    except Wrong as error:
        return Report(str(folder), (error,), (), {})
    return Report(str(folder), (), loaded.warnings, counts(loaded.city), loaded.facts)


def counts(city: City) -> dict[str, int]:
    """How many of each thing the city has, in the order people ask."""
    drains = city.drains
    governed = governance(city)
    return {
        "grids": len(city.grids),
        "special grids": len(governed.special),
        "devices": len(city.devices),
        "workers": len(city.workers),
        "utilities": len(city.utilities),
        "rules": len(city.rules),
        "drain nodes": len(drains.nodes) if drains else 0,
        "pipes": len(drains.pipes) if drains else 0,
        "overhead lines": len(city.lines),
        "spans": sum(len(line.spans) for line in city.lines),
        "fibres": len(city.fibres),
        "cameras": len(city.cameras),
        "zones": sum(len(camera.zones) for camera in city.cameras.values()),
        "planned works": len(city.works),
        "resources": len(city.resources),
        "places": len(own_spots(city)),
        "roles": len(governed.roles),
        "responses": len(governed.responses),
        "patrols": len(governed.patrols),
        "barriers": len(governed.barriers),
        "road pieces": len(governed.roads.from_) // 2 if governed.roads else 0,
    }


def print_report(report: Report, console: Console) -> None:
    """The report for people."""
    for problem in report.problems:
        allowed = f"\n  allowed: {escape(problem.allowed)}" if problem.allowed else ""
        console.print(
            f"[red]problem[/] [bold]{escape(problem.where)}[/]: {escape(problem.found)}{allowed}",
            soft_wrap=True,
        )
    for warning in report.warnings:
        console.print(f"[yellow]warning[/] {escape(warning)}", soft_wrap=True)
    for fact in report.facts:
        console.print(f"[dim]{escape(fact)}[/]", soft_wrap=True)
    if report.ok:
        table = Table(show_header=False, box=None)
        for name, count in report.counts.items():
            table.add_row(name, str(count))
        console.print(table)
    told = f"{len(report.problems)} problems, {len(report.warnings)} warnings"
    console.print(
        f"{escape(report.folder)}: {'ok' if report.ok else 'cannot be used'}, {told}",
        soft_wrap=True,
    )


def run(args: argparse.Namespace) -> int:
    """`args.dir`, `args.schema` → exit code: 0 can be used, 2 cannot. Raises Wrong."""
    if args.schema:
        print(json.dumps(schemas(), ensure_ascii=False, indent=2))
        return 0
    if args.dir is None:
        raise Wrong("DIR", "missing", "a city folder, or --schema")
    report = check_city(args.dir)
    print_report(report, Console(highlight=False))
    return 0 if report.ok else 2
