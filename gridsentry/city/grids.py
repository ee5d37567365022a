"""`grids.geojson`, `special.geojson`: the polygons of the grid hierarchy, in their versions."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import shapely
from shapely.validation import explain_validity

from contracts.city import Grid
from contracts.clock import iso
from contracts.geo import Point
from contracts.governance import GridVersion, SpecialGrid
from contracts.kinds import KINDS
from gridsentry.city.fields import build
from gridsentry.city.files import Feature, read_features
from gridsentry.city.notes import Notes, choices
from gridsentry.city.raw import GridProperties
from gridsentry.city.raw_governance import SpecialProperties
from gridsentry.city.validity import holds, overlap, read_span, told

NAME = "grids.geojson"
SPECIAL = "special.geojson"
Ring = tuple[tuple[float, float], ...]


class Grids(msgspec.Struct, frozen=True):
    """The grids of a folder: those that hold now, every version of those that change, and which
    of them are for one purpose only."""

    now: tuple[Grid, ...]
    versions: tuple[GridVersion, ...]
    special: tuple[SpecialGrid, ...]

    def every(self) -> dict[str, Grid]:
        """All ids that ever held, with the grid as it is now or was last."""
        known = {version.grid.id: version.grid for version in self.versions}
        return known | {grid.id: grid for grid in self.now}


def read_grids(folder: Path, crs: str, zone: str, at: datetime, notes: Notes) -> Grids:
    """The grids in file order (`special.geojson` behind them) as they hold at `at`; a name or
    level that is not given is assumed and said."""
    read = _Reading(zone, notes)
    for feature in read_features(folder / NAME, notes, crs):
        raw = build(GridProperties, feature.properties, f"{feature.where}, ", notes)
        if raw is not None:
            read.take(feature, raw)
    if not read.found and not notes.problems:
        notes.wrong(NAME, "no grids", "at least one polygon with an id")
    if (folder / SPECIAL).is_file():
        for feature in read_features(folder / SPECIAL, notes, crs):
            raw_special = build(SpecialProperties, feature.properties, f"{feature.where}, ", notes)
            if raw_special is not None:
                values = msgspec.structs.asdict(raw_special)
                values["special"] = values.pop("what")
                read.take(feature, GridProperties(**values))
    return read.end(at)


class _Reading:
    """What has been read so far."""

    def __init__(self, zone: str, notes: Notes) -> None:
        self._zone = zone
        self._notes = notes
        self.found: dict[str, list[GridVersion]] = {}
        self._special: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._places: dict[str, str] = {}
        self._unnamed = self._unlevelled = 0

    def take(self, feature: Feature, raw: GridProperties) -> None:
        """One polygon with its properties."""
        notes = self._notes
        rings = rings_of(feature, notes)
        span = read_span(raw.valid_from, raw.valid_to, self._zone, feature.where, notes)
        if rings is None or span is None:
            return
        if raw.kinds and raw.special is None:
            notes.wrong(f"{feature.where}, kinds", "on a grid that is not special", "special")
        for kind in raw.kinds:
            if kind not in KINDS:
                notes.wrong(f"{feature.where}, kinds", repr(kind), choices(KINDS, kind, 99))
        self._unnamed += raw.name is None
        self._unlevelled += raw.level is None and raw.special is None
        grid = Grid(
            id=raw.id,
            name=raw.name or raw.id,
            level=raw.level or ("grid" if raw.special is None else "special"),
            parent=raw.parent,
            rings=rings,
        )
        version = GridVersion(grid=grid, since=span[0], until=span[1])
        for other in self.found.get(raw.id, ()):
            if overlap(version, other):
                where = f"{feature.where}, id"
                if version.since is version.until is other.since is other.until is None:
                    notes.wrong(where, f"{raw.id} again", "each id once")
                else:
                    notes.wrong(
                        where, f"{raw.id} again, for {told(version)}", f"not within {told(other)}"
                    )
                return
        self.found.setdefault(raw.id, []).append(version)
        self._places[raw.id] = feature.where
        if raw.special is not None:
            self._special[raw.id] = (raw.special, raw.kinds)

    def end(self, at: datetime) -> Grids:
        """Everything, after the checks across grids."""
        notes = self._notes
        if self._unnamed:
            notes.warn(NAME, f"{self._unnamed} grids have no name: their id is used")
        if self._unlevelled:
            notes.warn(NAME, f"{self._unlevelled} grids have no level: taken as `grid`")
        every = [version for versions in self.found.values() for version in versions]
        now = {v.grid.id: v.grid for v in every if holds(v, at)}
        if every and not now:
            notes.wrong(NAME, f"no grid holds at {iso(at)}", "valid_from and valid_to around it")
        last = {v.grid.id: v.grid for v in every} | now
        now = {
            id: self._below(grid, now) if id in self._special and grid.parent is None else grid
            for id, grid in now.items()
        }
        _check_parents(last, self._places, notes)
        versions = tuple(v for v in every if v.since is not None or v.until is not None)
        special = tuple(
            SpecialGrid(grid=now.get(id, last[id]), what=what, kinds=kinds)
            for id, (what, kinds) in self._special.items()
        )
        return Grids(tuple(now.values()), versions, special)

    def _below(self, grid: Grid, now: Mapping[str, Grid]) -> Grid:
        """A special grid that names nobody above it reports to the smallest grid around it."""
        mine = _shape(grid)
        above = {other.parent for other in now.values()}
        around = [
            (shape.area, other.id in above, other.id)  # of two alike the one with none below
            for other in now.values()
            if other.id not in self._special and (shape := _shape(other)).covers(mine)
        ]
        return msgspec.structs.replace(grid, parent=min(around)[2]) if around else grid


def middle_of(grid: Grid) -> Point:
    """A point that surely lies inside the grid."""
    inside = _shape(grid).representative_point()
    return Point(inside.x, inside.y)


def _shape(grid: Grid) -> shapely.MultiPolygon:
    return shapely.MultiPolygon([(rings[0], rings[1:]) for rings in grid.rings])


def rings_of(feature: Feature, notes: Notes) -> tuple[tuple[Ring, ...], ...] | None:
    """A polygon feature as polygons of closed rings, or None after noting why not."""
    where = f"{feature.where}, geometry"
    if feature.shape not in ("Polygon", "MultiPolygon"):
        notes.wrong(where, feature.shape or "none", "Polygon, MultiPolygon")
        return None
    polygons: list[Any] = (
        [feature.coordinates] if feature.shape == "Polygon" else feature.coordinates
    )
    try:
        rings = tuple(
            tuple(tuple((p.lon, p.lat) for p in ring) for ring in polygon) for polygon in polygons
        )
    except (AttributeError, TypeError):
        notes.wrong(where, "positions nested too deep or too flat", "rings of [lon, lat]")
        return None
    closed: list[tuple[Ring, ...]] = []
    for polygon in rings:
        mended = tuple(ring if ring[0] == ring[-1] else (*ring, ring[0]) for ring in polygon)
        if mended != polygon:
            notes.warn(where, "a ring does not end where it began: closed")
        if any(len(ring) < 4 for ring in mended):
            notes.wrong(where, "a ring with fewer than 3 corners", "3 corners or more")
            return None
        closed.append(mended)
    for polygon in closed:
        shape = shapely.Polygon(polygon[0], polygon[1:])
        if not shape.is_valid:
            notes.wrong(where, explain_validity(shape), "a ring that does not cross itself")
            return None
    return tuple(closed)


def _check_parents(grids: dict[str, Grid], places: dict[str, str], notes: Notes) -> None:
    for grid in grids.values():
        if grid.parent is None:
            continue
        where = f"{places[grid.id]}, parent"
        if grid.parent not in grids:
            notes.wrong(where, f"there is no grid {grid.parent}", choices(grids, grid.parent))
            continue
        seen, above = {grid.id}, grid.parent
        for _ in itertools.repeat(None):
            if above == grid.id:
                notes.wrong(where, f"{grid.id} is inside itself", "a hierarchy without a circle")
                break
            parent = grids.get(above)
            if above in seen or parent is None or parent.parent is None:
                break
            seen.add(above)
            above = parent.parent
