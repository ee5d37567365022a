"""`workers.csv`: grid workers and helpers, their grids, skills and shifts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from contracts.city import Grid, Worker
from contracts.geo import Point, distance_m, to_wgs84
from gridsentry.city.files import read_table
from gridsentry.city.grids import middle_of
from gridsentry.city.notes import Notes, choices
from gridsentry.city.raw import WorkerRow

NAME = "workers.csv"
ALIASES = {"tel": "phone", "mobile": "phone", "contact": "phone", "手机": "phone", "电话": "phone"}
ALWAYS = frozenset(["", "24h", "24/7", "always", "全天", "00:00-24:00", "00:00-00:00"])
# Words for a shift, where a folder gives no hours: the usual two of a Chinese street office.
WORDS = {"day": "08:00-20:00", "白班": "08:00-20:00", "night": "20:00-08:00", "夜班": "20:00-08:00"}
FAR_M = 20_000.0
"""Farther from their grid nobody lives: a slip of a digit."""
_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*[-–—~]\s*(\d{1,2}):(\d{2})")


def read_shift(text: str) -> str | None:
    """The shift as `HH:MM-HH:MM[;…]`, empty for always on; None when it cannot be read."""
    if text.strip().lower() in ALWAYS:
        return ""
    parts: list[str] = []
    for part in text.replace("；", ";").replace("：", ":").split(";"):
        found = _HOURS.fullmatch(part.strip())
        if found is None:
            return None
        h1, m1, h2, m2 = (int(group) for group in found.groups())
        if h1 > 23 or m1 > 59 or m2 > 59 or h2 * 60 + m2 > 24 * 60:
            return None
        parts.append(f"{h1:02d}:{m1:02d}-{h2 % 24:02d}:{m2:02d}")
    return ";".join(parts)


def read_workers(
    folder: Path, crs: str, grids: Mapping[str, Grid], notes: Notes
) -> dict[str, Worker]:
    """The workers by id. One without a position stands in the middle of the own grid."""
    workers: dict[str, Worker] = {}
    boxes: dict[str | None, Box | None] = {None: _box(grids.values())}
    for place, row in read_table(folder / NAME, WorkerRow, notes, ALIASES):
        if row.id in workers:
            notes.wrong(f"{place}, column id", f"{row.id} again", "each id once")
            continue
        grid = grids.get(row.grid) if row.grid else None
        if row.grid and grid is None:
            notes.wrong(
                f"{place}, column grid", f"there is no grid {row.grid}", choices(grids, row.grid)
            )
        word = WORDS.get(row.shift.strip().lower())
        if word is not None:
            notes.warn(f"{place}, column shift", f"{row.shift} is taken as {word}")
        shift = word if word is not None else read_shift(row.shift)
        if shift is None:
            notes.wrong(
                f"{place}, column shift",
                repr(row.shift),
                "HH:MM-HH:MM, several joined by ;, or empty",
            )
            continue
        if any(a == b for a, _, b in (part.partition("-") for part in shift.split(";") if part)):
            notes.warn(
                f"{place}, column shift",
                f"{row.shift} begins when it ends: taken as day and night (empty says so)",
            )
        if row.lon is not None and row.lat is not None:
            point = to_wgs84(row.lon, row.lat, row.crs or crs)
            own = None if grid is None else grid.id
            if grid is not None and own not in boxes:
                boxes[own] = _box([grid])
            away = _away_m(point, boxes[own])
            if away > FAR_M:
                where = "any grid of the city" if own is None else f"their grid {own}"
                notes.warn(
                    f"{place}, columns lon and lat",
                    f"{row.id} is {away / 1000:.0f} km from {where}: are they right?",
                )
        elif grid is not None:
            point = middle_of(grid)
            notes.warn(place, f"{row.id} has no position: the middle of grid {grid.id}")
        else:
            if not row.grid:
                notes.wrong(
                    f"{place}, column lon", "no position and no grid", "lon and lat, or grid"
                )
            continue
        workers[row.id] = Worker(
            id=row.id,
            name=row.name,
            role=row.role,
            grid=row.grid,
            skills=row.skills,
            shift=shift,
            point=point,
            phone=row.phone.strip(),
        )
    return workers


Box = tuple[float, float, float, float]
"""West, south, east, north (degrees)."""


def _box(grids: Iterable[Grid]) -> Box | None:
    """What these grids lie in; None: there are none."""
    corners = [xy for grid in grids for polygon in grid.rings for ring in polygon for xy in ring]
    if not corners:
        return None
    lons, lats = [x for x, _ in corners], [y for _, y in corners]
    return min(lons), min(lats), max(lons), max(lats)


def _away_m(point: Point, box: Box | None) -> float:
    """Metres from a point to a box; 0 inside, and where there is none."""
    if box is None:
        return 0.0
    west, south, east, north = box
    lon, lat = min(max(point.lon, west), east), min(max(point.lat, south), north)
    return distance_m(point, Point(lon, lat))
