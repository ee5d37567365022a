"""`grids.geojson`: the polygons of the grid hierarchy."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import shapely
from shapely.validation import explain_validity

from contracts.city import Grid
from contracts.geo import Point
from gridsentry.city.fields import build
from gridsentry.city.files import Feature, read_features
from gridsentry.city.notes import Notes, choices
from gridsentry.city.raw import GridProperties

NAME = "grids.geojson"
Ring = tuple[tuple[float, float], ...]


def read_grids(folder: Path, crs: str, notes: Notes) -> tuple[Grid, ...]:
    """The grids in file order; a name or level that is not given is assumed and said."""
    grids: dict[str, Grid] = {}
    places: dict[str, str] = {}
    unnamed, unlevelled = 0, 0
    for feature in read_features(folder / NAME, notes, crs):
        raw = build(GridProperties, feature.properties, f"{feature.where}, ", notes)
        rings = _rings(feature, notes)
        if raw is None or rings is None:
            continue
        if raw.id in grids:
            notes.wrong(f"{feature.where}, id", f"{raw.id} again", "each id once")
            continue
        unnamed += raw.name is None
        unlevelled += raw.level is None
        places[raw.id] = feature.where
        grids[raw.id] = Grid(
            id=raw.id,
            name=raw.name or raw.id,
            level=raw.level or "grid",
            parent=raw.parent,
            rings=rings,
        )
    if unnamed:
        notes.warn(NAME, f"{unnamed} grids have no name: their id is used")
    if unlevelled:
        notes.warn(NAME, f"{unlevelled} grids have no level: taken as `grid`")
    if not grids and not notes.problems:
        notes.wrong(NAME, "no grids", "at least one polygon with an id")
    _check_parents(grids, places, notes)
    return tuple(grids.values())


def middle_of(grid: Grid) -> Point:
    """A point that surely lies inside the grid."""
    shape = shapely.MultiPolygon([(rings[0], rings[1:]) for rings in grid.rings])
    inside = shape.representative_point()
    return Point(inside.x, inside.y)


def _rings(feature: Feature, notes: Notes) -> tuple[tuple[Ring, ...], ...] | None:
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
